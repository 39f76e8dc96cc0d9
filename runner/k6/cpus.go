package k6

import (
	"os"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// oneCPURate is the planned load, in requests a second of one k6 process, up to which k6 is held to one CPU (GOMAXPROCS=1).
//
// Arrivals that are spread come one by one, and with several CPUs Go wakes threads for each of them that search for work and find
// none. On one CPU the same requests take a quarter less CPU (docs/performance.md has what else that changes). A request takes k6 some
// 0.2 to 0.3 ms of CPU, so that this load leaves most of that CPU idle and requests seldom wait for each other in k6. Where the
// requests of a script take much more, the audit finds k6 saturated.
const oneCPURate = 1000

// goCPUs is the environment variable by which Go programs, and so k6, are told how many CPUs to use at once.
const goCPUs = "GOMAXPROCS"

// cpus is how many CPUs the k6 process of a heat is held to; 0 is as many as there are, or as the user's own GOMAXPROCS says. A closed
// model is left alone: it asks as fast as it is answered, and nobody knows how fast that is. In turns all lanes warm up at once, so
// the load is that of all lanes.
func cpus(scenarios []race.Scenario, lanes []stream.Lane, requests float64) (int, error) {
	if os.Getenv(goCPUs) != "" {
		return 0, nil
	}
	var planned float64
	for _, lane := range lanes {
		for _, s := range definition.Of(scenarios, lane.App) {
			if !s.Open() {
				return 0, nil
			}
			r, err := definition.RampOf(s)
			if err != nil {
				return 0, err
			}
			planned += r.Peak() * max(requests, 1)
		}
	}
	if planned > oneCPURate {
		return 0, nil
	}
	return 1, nil
}

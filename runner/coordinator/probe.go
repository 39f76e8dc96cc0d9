package coordinator

import (
	"context"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/plan"
)

// probe lets every lane run the script once and proves that each reached its own app. A script that asks one fixed address
// for every lane would otherwise race an app against itself, and nobody would notice.
// A worker that listens nowhere is ready when it has answered, so that it is probed before every heat.
// A script whose setup or teardown reads APP_URL is found out here, and probed again with a k6 process for each lane.
func (u *run) probe(ctx context.Context, h plan.Heat, lanes map[string]engine.Lane) error {
	u.View.Status(race.Preparing, "proving that every lane reaches its own app")
	cfg := u.config(h, lanes)
	cfg.Probe, cfg.RemoteWriteURL = true, ""
	ctx, over := context.WithCancelCause(ctx)
	defer over(nil)
	for app, lane := range lanes {
		if u.lane(app).silent() { // what has ended answers nothing any more
			go func() {
				select {
				case <-lane.Done():
					over(engine.Ended(lane))
				case <-ctx.Done():
				}
			}()
		}
	}
	readers, err := u.probeOnce(ctx, cfg)
	if len(readers) > 0 && !u.PerLane {
		u.PerLane = true
		_, err = u.probeOnce(ctx, cfg)
	}
	return err
}

// probeOnce also names what beside the scenarios read APP_URL.
func (u *run) probeOnce(ctx context.Context, cfg stream.Config) (readers []string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, race.Errorf(race.Unavailable,
		"every lane runs the script once before the race: shorten one iteration", "the script did not finish one iteration a lane within %v", startTimeout))
	defer cancel()
	c, err := u.startClocks(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, c.stop)()
	result := map[string]stream.LaneResult{}
	for ev := range c.events {
		if ev.Type == stream.Started {
			// A short script is through before it is told to start, and then nobody listens any more: how k6 ended tells the rest.
			_ = c.processes[ev.process].Go(time.Now())
		}
		maps.Copy(result, ev.Result)
	}
	exits, err := c.wait()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := clockError(exits); err != nil {
		return nil, err
	}
	var said []string
	for _, p := range c.processes {
		said = append(said, p.Logs()...)
		readers = append(readers, p.URLReaders()...)
		for _, note := range p.Notes() {
			u.View.Log(note)
		}
	}
	for _, l := range cfg.Lanes {
		if err := reachedOwn(l, result[l.App].Reached, said); err != nil {
			return readers, err
		}
		u.probed = max(u.probed, result[l.App].Iteration)
		u.requests = max(u.requests, perIteration(result[l.App].Reached, len(definition.Of(u.Definition.Scenarios, l.App))))
	}
	return readers, nil
}

// reachedOwn checks that a lane asked its own app. Other hosts beside it (an identity provider, a database) are the script's business.
func reachedOwn(l stream.Lane, reached map[string]int64, said []string) error {
	if l.Queue != nil {
		return answered(l, reached, said)
	}
	own, err := url.Parse(l.URL)
	if err != nil {
		return race.Errorf(race.Invalid, "", "lane %s: %q is no URL: %w", l.App, l.URL, err)
	}
	if len(reached) == 0 {
		return race.Errorf(race.Unavailable, "", "lane %s: the script made no request%s", l.App, because(said))
	}
	for host := range reached {
		if sameHost(host, own.Host) {
			return nil
		}
	}
	return race.Errorf(race.Unavailable, "let the script ask the address in __ENV.APP_URL, which holds the lane's own",
		"lane %s runs at %s, but the script asked %s", l.App, own.Host, strings.Join(slices.Sorted(maps.Keys(reached)), " and "))
}

// answered checks that a worker answered a message in its own queue.
func answered(l stream.Lane, reached map[string]int64, said []string) error {
	switch {
	case reached[l.Queue.Requests] > 0:
		return nil
	case len(reached) == 0:
		return race.Errorf(race.Unavailable, "a reply bears the CorrelationId of its message and goes to REPLY_URL", "lane %s: no message was answered%s", l.App, because(said))
	}
	return race.Errorf(race.Unavailable, "let the script send to __ENV.QUEUE_URL, which holds the lane's own",
		"lane %s takes its messages from %s, but the script asked %s", l.App, l.Queue.Requests, strings.Join(slices.Sorted(maps.Keys(reached)), " and "))
}

// perIteration is how many requests an iteration makes, of those that a probe counted by host. Each scenario ran once.
func perIteration(reached map[string]int64, iterations int) float64 {
	var sum int64
	for _, n := range reached {
		sum += n
	}
	return float64(sum) / float64(max(iterations, 1))
}

// because quotes the last error that k6 printed.
func because(said []string) string {
	for _, line := range slices.Backward(said) {
		if strings.Contains(line, "level=error") || strings.Contains(line, "level=warning") {
			return ": " + line
		}
	}
	return ""
}

// sameHost compares host:port, taking the names of the loopback interface for one.
func sameHost(a, b string) bool {
	return canonicalHost(a) == canonicalHost(b)
}

func canonicalHost(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, "80"
	}
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		host = "loopback"
	}
	return net.JoinHostPort(strings.ToLower(host), port)
}

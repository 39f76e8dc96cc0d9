package coordinator

import (
	"context"
	"fmt"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6"
)

type death struct {
	app string
	at  time.Time
}

// watchLanes reports apps that end while k6 runs.
func (h *heatRun) watchLanes(ctx context.Context) <-chan death {
	died := make(chan death, len(h.lanes))
	for app, lane := range h.lanes {
		go func() {
			select {
			case <-lane.Done():
				died <- death{app, time.Now()}
			case <-ctx.Done():
			}
		}()
	}
	return died
}

// laneDied takes a lane out of the race and out of k6's load: connections that are refused at once would let a closed model spin,
// at the cost of the others. What it did in this heat is counted, but no verdict is built on it.
func (h *heatRun) laneDied(c *clocks, d death) {
	l := h.lane(d.app)
	if l.out != "" {
		return
	}
	h.deaths[d.app] = d.at
	c.retire(d.app)
	exit := h.lanes[d.app].Exit()
	at := d.at.UTC()
	exit.At = &at
	l.exit, l.lastLog = &exit, h.lanes[d.app].Logs()
	l.out = outSentence(exit, h.since(at))
	h.View.Log(fmt.Sprintf("%s is out of the race: %s", d.app, l.out))
}

// retire takes a lane out of the heats to come, because of a threshold with abortOnFail. What it did is measured as ever.
func (h *heatRun) retire(j k6.Judged) {
	l := h.lane(j.App)
	if l == nil || l.out != "" || !j.Abort || !j.Crossed {
		return
	}
	at := h.ended.UTC()
	l.exit, l.out = &race.Exit{Reason: race.Stopped, At: &at}, fmt.Sprintf("threshold, %.0f s", h.since(at).Seconds())
	h.View.Log(fmt.Sprintf("%s is out of the race: it crossed %s, which has abortOnFail", j.App, j.Condition))
}

// measured says whether the race part was reached, and k6 lived to tell of it.
func (h *heatRun) measured() bool {
	return !h.began.IsZero() && h.ended.After(h.began) && len(h.result) > 0
}

package audit

import (
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// stockK6 tells what a k6 without our extension could not do or tell.
func stockK6(o Observations, r *report) {
	if o.StockK6 == nil {
		return
	}
	r.add("", race.StockK6, race.Note, "the stopwatch was k6 %s of the image %s, a stock k6: live figures come from Prometheus, once a second, and percentiles from the histograms that it holds, whose buckets are 9%% wide, "+
		"so percentiles less than 9.1%% apart are not told apart; how late requests were sent and how many VUs each lane had is not known; iterations dropped in the warm-up count as dropped",
		o.StockK6.Version, o.StockK6.Image.Name)
	if pods := o.StockK6.Pods; pods > 0 {
		r.add("", race.StockK6, race.Note, "%d pods of k6 shared the load of each heat, and each judged the script's thresholds by its own share; they keep their own clocks, so a heat began and ended at each by so much earlier or later as an answer takes", pods)
		if !slices.ContainsFunc(o.raced(), func(h Heat) bool { return h.K6.CPU != nil }) {
			r.add("", race.StockK6, race.Warning, "what k6's pods spent is not known, so nobody knows whether they had CPUs enough: give the runner the right nodes/metrics")
		}
	}
	if o.Arrivals == race.Poisson && len(o.ClosedScenarios) == 0 {
		r.add("", race.StockK6, race.Warning, "a stock k6 has no poisson arrivals: each request waited a uniform random part of its tick instead, which makes fewer queues; race with the k6 that is built in for poisson")
	}
	if o.AppURLAtInit {
		return // each lane has a k6 of its own, which is ended with its app
	}
	for _, l := range o.Lanes {
		for _, h := range o.raced() {
			if e := h.Lanes[l.App].Exit; left(e) != "" || e.Reason == race.OOM {
				r.add(l.App, race.StockK6, race.Warning, "was asked on after its app had ended in heat %d: a stock k6 cannot take one lane out of its load, and the other lanes may have suffered from that", h.Number)
				break
			}
		}
	}
}

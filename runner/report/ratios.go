package report

import (
	"fmt"
	"math"
	"strings"
)

// ratios are the apps' latencies over the baseline's, percentile by percentile.
type ratios struct {
	Curves []ratioCurve
	X, Y   []tick
	One    string // where equal is
}

type ratioCurve struct {
	App, Class string
	Path       string // of a picture 1000 by 1000
	Whiskers   []whisker
}

// whisker is a verdict's ratio and plain interval at one percentile.
type whisker struct{ X, Low, High, At, Title string }

// The percentiles that the axis spans.
const firstPercentile, lastPercentile = 1, 99.9

func newRatios(d Data, class func(string) string) ratios {
	base := curveOf(d, d.Race.Baseline)
	low, high := 1/1.2, 1.2
	type pair struct{ percentile, ratio float64 }
	curves := map[string][]pair{}
	for _, x := range d.Distributions {
		for _, p := range x.Curve {
			if b := base[p.Percentile]; x.App != d.Race.Baseline && b > 0 && p.MS > 0 && p.Percentile >= firstPercentile && p.Percentile <= lastPercentile {
				curves[x.App] = append(curves[x.App], pair{p.Percentile, p.MS / b})
				low, high = min(low, p.MS/b), max(high, p.MS/b)
			}
		}
	}
	if len(curves) == 0 {
		return ratios{}
	}
	x, y := scale{from: logit(firstPercentile), to: logit(lastPercentile)}, scale{from: low / 1.1, to: high * 1.1, log: true}
	out := ratios{One: percent(100 - y.at(1))}
	for _, p := range []float64{1, 10, 50, 90, 95, 99, 99.9} {
		out.X = append(out.X, tick{At: percent(x.at(logit(p))), Label: "p" + decimal(p), Minor: p == 10 || p == 95, Edge: map[float64]string{firstPercentile: "first", lastPercentile: "last"}[p]})
	}
	out.Y = y.logTicks(func(v float64) string { return "×" + decimal(v) })
	for i := range out.Y { // the axis points down in SVG
		out.Y[i].At = percent(100 - y.at(out.Y[i].Value))
	}
	for _, lane := range d.Race.Lanes {
		pairs := curves[lane.App]
		if len(pairs) == 0 {
			continue
		}
		c := ratioCurve{App: lane.App, Class: class(lane.App)}
		var b strings.Builder
		for i, p := range pairs {
			b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
			fmt.Fprintf(&b, "%s %s", decimal(10*x.at(logit(p.percentile))), decimal(1000-10*y.at(p.ratio)))
		}
		c.Path = b.String()
		for _, v := range d.Race.Verdicts {
			p, ok := map[string]float64{"latency_p50": 50, "latency_p90": 90, "latency_p95": 95, "latency_p99": 99}[v.Measure]
			if !ok || v.App != lane.App || v.Low == nil || v.High == nil || v.Ratio == nil {
				continue
			}
			c.Whiskers = append(c.Whiskers, whisker{
				X: percent(x.at(logit(p))), Low: percent(100 - y.at(*v.Low)), High: percent(100 - y.at(*v.High)), At: percent(100 - y.at(*v.Ratio)),
				Title: fmt.Sprintf("%s p%s %s", v.App, decimal(p), ratioText(v)),
			})
		}
		out.Curves = append(out.Curves, c)
	}
	return out
}

func logit(p float64) float64 { return math.Log(p / (100 - p)) }

func curveOf(d Data, app string) map[float64]float64 {
	out := map[float64]float64{}
	for _, x := range d.Distributions {
		if x.App == app {
			for _, p := range x.Curve {
				out[p.Percentile] = p.MS
			}
		}
	}
	return out
}

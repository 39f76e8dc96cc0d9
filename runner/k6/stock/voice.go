package stock

import (
	"errors"

	"github.com/photofinish/photofinish/runner/k6"
)

// Voice takes what one k6 prints. Only one goroutine may write at a time.
type Voice struct {
	running *running
	out     lines
	errors  *k6.Lines

	told    bool // its summary
	totals  k6.StockTotals
	summary k6.Summary
	err     error
}

func (r *running) voice() *Voice {
	v := &Voice{running: r, errors: r.log.Writer(), err: errors.New("k6 told no summary")}
	v.out.take = v.print
	r.voices = append(r.voices, v)
	return v
}

// Write takes what k6 prints on its standard output, or on both.
func (v *Voice) Write(p []byte) (int, error) { return v.out.Write(p) }

// Errors takes what k6 prints on its standard error, where that is apart.
func (v *Voice) Errors() *k6.Lines { return v.errors }

// Told says whether k6 has printed its summary, which it does at its end, but for a probe.
func (v *Voice) Told() bool { return v.told || v.running.part.Config.Probe }

// print takes a line.
func (v *Voice) print(line []byte) {
	if v.running.part.Config.Probe && v.running.reached.take(line) {
		return
	}
	totals, summary, is, err := v.running.heat.ReadStock(string(line))
	if !is {
		_, _ = v.errors.Write(append(line, '\n')) // it never fails
		return
	}
	v.told, v.totals, v.summary, v.err = true, totals, summary, err
}

// counted is what all instances together have counted, once they have ended.
func (r *running) counted() (k6.StockTotals, k6.Summary, error) {
	var totals []k6.StockTotals
	var summaries []k6.Summary
	for _, v := range r.voices {
		v.errors.Flush()
		if v.err != nil {
			return nil, k6.Summary{}, v.err
		}
		totals, summaries = append(totals, v.totals), append(summaries, v.summary)
	}
	return k6.SumStock(totals), k6.JoinSummaries(summaries), nil
}

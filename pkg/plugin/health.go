package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// The health check looks lately first, which is cheap also where thousands of containers are scraped, and back only for what is not there now:
// races may have been run yesterday.
const (
	lately   = 5 * time.Minute
	lookBack = 24 * time.Hour
)

// part is one thing that the health check looks at.
type part struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Required: without it the data source does not work; the others are advice.
	Required bool   `json:"required"`
	Message  string `json:"message"`
}

// CheckHealth implements backend.CheckHealthHandler. It looks at each part by itself and says what is missing and what to do.
func (d *Datasource) CheckHealth(ctx context.Context, _ *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	parts := d.prometheusParts(ctx)
	if d.runner != nil || d.runnerBroken != nil {
		parts = append(parts, d.runnerPart(ctx))
	}
	result := &backend.CheckHealthResult{Status: backend.HealthStatusOk}
	var lines []string
	for _, p := range parts {
		mark := "✓ "
		if !p.OK {
			mark = "– "
			if p.Required {
				mark, result.Status = "✗ ", backend.HealthStatusError
			}
		}
		lines = append(lines, mark+p.Name+": "+p.Message)
	}
	result.Message = headline(parts)
	said := map[string]any{"parts": parts} // no "message": Grafana shows it below the result's own
	if len(parts) > 1 {
		said["verboseMessage"] = strings.Join(lines, "\n")
	}
	details, err := json.Marshal(said)
	if err != nil {
		return nil, fmt.Errorf("write the details: %w", err)
	}
	result.JSONDetails = details
	return result, nil
}

// headline is the first thing that is wrong, or that all is well and what is missing all the same.
func headline(parts []part) string {
	var lacking []string
	for _, p := range parts {
		switch {
		case !p.OK && p.Required:
			return p.Message
		case !p.OK:
			lacking = append(lacking, p.Message)
		}
	}
	if len(lacking) > 0 {
		return "Prometheus answers. Missing: " + strings.Join(lacking, ". ")
	}
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.Name
	}
	return "All is well: " + strings.Join(names, ", ")
}

func (d *Datasource) prometheusParts(ctx context.Context) []part {
	reach := part{Name: "Prometheus", Required: true}
	if d.broken != nil {
		reach.Message = sentence(d.broken)
		return []part{reach}
	}
	if _, err := d.prom.Query(ctx, promql.At("vector(1)", d.now())); err != nil {
		reach.Message = unwell(err)
		return []part{reach} // the others would say the same
	}
	reach.OK, reach.Message = true, "answers"
	return append([]part{reach}, d.seriesParts(ctx)...)
}

// unwell is an error of Prometheus as a sentence. Whoever saves the settings has asked for nothing that could be less.
func unwell(err error) string {
	if way, ok := strings.CutPrefix(race.HintOf(err), promql.AskLess+", or "); ok {
		return err.Error() + "; see how busy Prometheus is, or " + way
	}
	return sentence(err)
}

// seriesParts looks for each kind of series that races are made of.
func (d *Datasource) seriesParts(ctx context.Context) []part {
	now, before := compare.Looks(lately, d.join), compare.Looks(lookBack, d.join)
	parts := make([]part, 0, len(now))
	for i, l := range now {
		if l.Follows && !parts[i-1].OK {
			continue
		}
		p := part{Name: l.Name}
		n, err := d.count(ctx, l)
		within := "5 minutes"
		if err == nil && n == 0 {
			n, err = d.count(ctx, before[i])
			within = "24 hours"
		}
		switch {
		case err != nil:
			p.Message = unwell(err)
		case n > 0:
			p.OK, p.Message = true, fmt.Sprintf("%.0f series in the last %s", n, within)
		default:
			p.Message = l.Missing
		}
		parts = append(parts, p)
	}
	return parts
}

func (d *Datasource) count(ctx context.Context, l compare.Look) (float64, error) {
	result, err := d.prom.Query(ctx, promql.At(l.Expr, d.now()))
	if err != nil || len(result.Series) == 0 {
		return 0, err // it says what to do
	}
	return result.Series[0].Last(), nil
}

func (d *Datasource) runnerPart(ctx context.Context) part {
	p := part{Name: "runner", Required: true}
	if d.runnerBroken != nil {
		p.Message = sentence(d.runnerBroken)
		return p
	}
	version, err := d.letIn(ctx)
	if err != nil {
		p.Message = sentence(err)
		return p
	}
	p.OK, p.Message = true, "version "+version
	return p
}

// letIn asks the runner who it is, which needs no token, and then for a race, which does.
func (d *Datasource) letIn(ctx context.Context) (version string, err error) {
	health, err := d.runner.Health(ctx)
	if err == nil {
		_, err = d.runner.Races(ctx, runnerclient.Filter{Limit: 1})
	}
	return health.Version, err
}

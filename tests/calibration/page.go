package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/verdict"
)

// The part of a page that is written from the numbers.
const (
	pageStart = "<!-- written by go tool mage calibrate -->\n"
	pageEnd   = "<!-- to here -->\n"
)

// rewrite puts the tables into the page.
func rewrite(path, tables string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	before, rest, started := strings.Cut(string(text), pageStart)
	_, after, ended := strings.Cut(rest, pageEnd)
	if !started || !ended {
		return fmt.Errorf("%s has no place for the tables: %q … %q", path, pageStart, pageEnd)
	}
	return os.WriteFile(path, []byte(before+pageStart+tables+pageEnd+after), 0o644) //nolint:gosec // part of the documentation
}

// tables are the numbers as Markdown.
func (c Calibration) tables() string {
	var b strings.Builder
	b.WriteString("\n**Two identical apps**: how often each way of judging calls one of them slower or faster, in percent of the races, and how often the 95% interval of the p95 holds the truth.\n\n")
	b.WriteString("| latencies | races | interval holds the truth | wrong outcome in the primary family | the same with a minimum effect of 0% | p95 differs by 5% | k6 threshold crossed | Mann-Whitney test |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	eager := c.at(1, minimums[1])
	for i, cell := range c.at(1, minimums[0]) {
		fmt.Fprintf(&b, "| %s | %d | %.1f | **%.2f** | %.2f | %.1f | %.1f | %.1f |\n", cell.World, cell.Races, cell.share(cell.P95.Covered), cell.share(cell.Wrong), eager[i].share(eager[i].Wrong),
			cell.share(cell.Naive.Slower+cell.Naive.Faster), cell.share(cell.Threshold), cell.share(cell.RankTest.Slower+cell.RankTest.Faster))
	}
	b.WriteString("\n![False alarms about two identical apps, by world and way of judging](img/calibration-false-alarms.svg)\n" +
		"![How often the 95% interval holds the truth, by world, with its own 95% interval](img/calibration-coverage.svg)\n")
	fmt.Fprintf(&b, "\n**On the edge**: the app takes exactly %.0f%% longer, which is the minimum effect, so that *slower* and *same* are both wrong.\n\n", 100*minimums[0])
	b.WriteString("| latencies | p95 slower | p95 same | p50 slower | p50 same |\n|---|--:|--:|--:|--:|\n")
	sides, figures := 0.0, 0
	for _, cell := range c.at(1+minimums[0], minimums[0]) {
		sides, figures = sides+cell.share(cell.P95.Slower+cell.P50.Slower), figures+2
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.2f | %.2f |\n", cell.World, cell.share(cell.P95.Slower), cell.share(cell.P95.Same), cell.share(cell.P50.Slower), cell.share(cell.P50.Same))
	}
	fmt.Fprintf(&b, "\nAt most 2.5%% a side is what is promised. The %d figures of *slower* together say %.2f%% (of *same*, which noise keeps from being said, less); one alone varies by 0.25 points (one standard deviation) by chance.\n", figures, sides/float64(figures))
	b.WriteString("\n![How often a slowdown of the p95 is found, by its size and world, at minimum effects of 2% and 0%](img/calibration-power.svg)\n")
	for _, measure := range []string{"p95", "p50"} {
		for _, e := range minimums {
			c.power(&b, measure, e)
		}
	}
	c.sequential(&b, 1.05, 1.1, 1.2)
	c.usual(&b, 1.05)
	b.WriteString("\n")
	if len(c.Real) > 0 {
		b.WriteString(c.realTable())
	}
	return b.String()
}

// power writes how often a true slowdown is called slower.
func (c Calibration) power(b *strings.Builder, measure string, minimum float64) {
	fmt.Fprintf(b, "\n**A slowdown of the %s found**, in percent of the races, with a minimum effect of %.0f%%:\n\n| latencies |", measure, 100*minimum)
	for _, r := range ratios[1:] {
		fmt.Fprintf(b, " %.0f%% |", 100*(r-1))
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(ratios)-1) + "\n")
	for _, first := range c.at(ratios[1], minimum) {
		fmt.Fprintf(b, "| %s |", first.World)
		for _, r := range ratios[1:] {
			for _, cell := range c.at(r, minimum) {
				if cell.World == first.World {
					t := cell.P95
					if measure == "p50" {
						t = cell.P50
					}
					fmt.Fprintf(b, " %.1f |", cell.share(t.Slower))
				}
			}
		}
		b.WriteString("\n")
	}
}

// sequential writes what --until-decided does to the same races.
func (c Calibration) sequential(b *strings.Builder, slower ...float64) {
	edge := 1 + minimums[0]
	fmt.Fprintf(b, "\n**With `--until-decided`**: the same races, judged after each heat from the %dth on and ended as soon as every primary measure is decided, after %d heats at the latest. In percent of the races: any wrong outcome in the primary family at two ratios; how often the plain 95%% interval holds the truth, which nobody promises of a race that ended early; slowdowns of the p95 found, and the heats that a race took, on average.\n\n", verdict.MinHeats, heats)
	fmt.Fprintf(b, "| latencies | wrong, identical | heats | wrong, %.0f%% longer | interval, identical |", 100*minimums[0])
	for _, r := range slower {
		fmt.Fprintf(b, " %.0f%% found | heats |", 100*(r-1))
	}
	b.WriteString("\n|---|--:|--:|--:|--:|" + strings.Repeat("--:|--:|", len(slower)) + "\n")
	onEdge := c.at(edge, minimums[0])
	for i, cell := range c.at(1, minimums[0]) {
		s := cell.UntilDecided
		fmt.Fprintf(b, "| %s | **%.2f** | %.1f | **%.2f** | %.1f |", cell.World, cell.share(s.Wrong), cell.meanHeats(), onEdge[i].share(onEdge[i].UntilDecided.Wrong), cell.share(s.P95.Covered))
		for _, r := range slower {
			found := c.at(r, minimums[0])[i]
			fmt.Fprintf(b, " %.1f | %.1f |", found.share(found.UntilDecided.P95.Slower), found.meanHeats())
		}
		b.WriteString("\n")
	}
}

// meanHeats is how many heats a race until decided took.
func (c Cell) meanHeats() float64 { return float64(c.UntilDecided.Heats) / float64(c.Races) }

// usual writes how often each way of judging finds one slowdown.
func (c Calibration) usual(b *strings.Builder, ratio float64) {
	fmt.Fprintf(b, "\n**A slowdown of everything by %.0f%%, called slower** by each way of judging, in percent of the races.\n\n", 100*(ratio-1))
	fmt.Fprintf(b, "| latencies | ours, p50 | ours, p95 | ours, p95, minimum effect 0%% | p95 differs by 5%% | k6 threshold crossed | Mann-Whitney test |\n|---|--:|--:|--:|--:|--:|--:|\n")
	eager := c.at(ratio, minimums[1])
	for i, cell := range c.at(ratio, minimums[0]) {
		fmt.Fprintf(b, "| %s | %.1f | %.1f | %.1f | %.1f | %.1f | %.1f |\n", cell.World, cell.share(cell.P50.Slower), cell.share(cell.P95.Slower), eager[i].share(eager[i].P95.Slower),
			cell.share(cell.Naive.Slower), cell.share(cell.Threshold), cell.share(cell.RankTest.Slower))
	}
}

// at are the cells of a ratio and a minimum effect, by world.
func (c Calibration) at(ratio, minimum float64) (found []Cell) {
	for _, cell := range c.Synthetic {
		if cell.Ratio == ratio && cell.MinimumEffect == minimum {
			found = append(found, cell)
		}
	}
	slices.SortFunc(found, func(a, b Cell) int { return strings.Compare(a.World, b.World) })
	return found
}

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/photofinish/photofinish/runner/cmd"
)

// Calibration is docs/calibration.json.
type Calibration struct {
	Synthetic []Cell `json:"synthetic"`
	// First are the first races of each world alone. Where they are judged otherwise by now, the others are measured anew.
	First []Cell `json:"first"`
	Real  []Real `json:"real,omitempty"`
	Steps []Step `json:"steps,omitempty"`
}

// firstRaces are enough to notice another way of judging, and few enough for each run of the tests.
const firstRaces = 40

// ratios of the races, and minimum effects by which they are judged.
var (
	ratios   = []float64{1, 1.01, 1.02, 1.05, 1.1, 1.2}
	minimums = []float64{0.02, 0}
)

func main() {
	if cmd.IsK6(os.Args) { // the races run this very program as k6
		os.Args = cmd.K6Args(os.Args)
		cmd.RunK6()
		return
	}
	path := flag.String("out", "docs/calibration.json", "where the numbers go; cells that are there are left alone")
	perCell := flag.Int("races", 4000, "how many races a cell has")
	page := flag.String("page", "docs/verdict.md", "the page that shows them")
	fairness := flag.String("fairness", "docs/fairness.md", "the page that shows what each step brings")
	banked := flag.String("bank", "tests/calibration/bank.jsonl", "the real races, one a line; those that are missing are run")
	tried := flag.String("steps-bank", "tests/calibration/steps.jsonl", "those of the steps, one a line")
	only := flag.String("only", "", "real races of this kind alone: process, docker or steps; otherwise all of them, in this order")
	limit := flag.Duration("for", 0, "how long to race; 0 is until the banks are full")
	flag.Parse()
	chosen, err := wantedRaces(*banked, *tried, *only)
	if err == nil {
		err = errors.Join(
			calibrate(os.Stdout, *path, *page, *perCell),
			runFor(*limit, os.Stdout, chosen),
			tell(*path, *page, *fairness, *banked, *tried),
		)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "calibrate:", err)
		os.Exit(1)
	}
}

// wantedRaces are the real races, those that matter most first.
func wantedRaces(banked, tried, only string) ([]races, error) {
	const script = "tests/calibration/race.js"
	all := []races{
		{name: "process", bank: banked, script: script, engine: "process", next: calibrating(wanted["process"])},
		{name: "docker", bank: banked, script: script, engine: "docker", next: calibrating(wanted["docker"])},
		{name: "steps", bank: tried, script: script, engine: "process", next: inTurn(stepRaces)},
	}
	if only == "" {
		return all, nil
	}
	some := slices.DeleteFunc(all, func(r races) bool { return r.name != only })
	if len(some) == 0 {
		return nil, fmt.Errorf("-only %q: say process, docker or steps", only)
	}
	return some, nil
}

// calibrate measures what is not there yet, tells of it, and writes the page.
func calibrate(say io.Writer, path, page string, races int) error {
	c, err := load(path)
	if err != nil {
		return err
	}
	for _, world := range slices.Sorted(maps.Keys(worlds())) {
		first := measure(world, min(firstRaces, races), ratios, minimums)
		missing := slices.ContainsFunc(emptyCells(world, races, ratios, minimums), func(wanted Cell) bool { return !slices.ContainsFunc(c.Synthetic, wanted.is) })
		if !missing && !slices.ContainsFunc(first, func(now Cell) bool { return !slices.Contains(c.First, now) }) {
			continue
		}
		began := time.Now()
		measured := measure(world, races, ratios, minimums)
		ofThisWorld := func(o Cell) bool { return o.World == world }
		c.Synthetic = append(slices.DeleteFunc(c.Synthetic, ofThisWorld), measured...)
		c.First = append(slices.DeleteFunc(c.First, ofThisWorld), first...)
		if err := save(path, c); err != nil {
			return err
		}
		for _, cell := range measured {
			_, _ = fmt.Fprintln(say, cell)
		}
		_, _ = fmt.Fprintf(say, "%s: %d races in %.0f s\n", world, races, time.Since(began).Seconds())
	}
	return errors.Join(rewrite(page, c.tables()), c.draw(filepath.Join(filepath.Dir(page), "img")))
}

// tell writes what the banks say beside the numbers of the synthetic races.
func tell(path, page, fairness, banked, tried string) error {
	c, err := load(path)
	if err != nil {
		return err
	}
	all, err := loadBank(banked)
	if err != nil {
		return err
	}
	apart, err := loadBank(tried)
	if err != nil {
		return err
	}
	c.Real, c.Steps = nil, nil
	for _, engine := range slices.Sorted(maps.Keys(wanted)) {
		c.Steps = append(c.Steps, sumSteps(engine, apart)...)
		if r := sum(engine, all); r.Races > 0 {
			c.Real = append(c.Real, r)
		}
	}
	if err := save(path, c); err != nil {
		return err
	}
	return errors.Join(rewrite(page, c.tables()), rewrite(fairness, c.stepsTable()))
}

// load reads the numbers; where there is no file there are none.
func load(path string) (c Calibration, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil && !os.IsNotExist(err) {
		return c, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

func (c Cell) String() string {
	return fmt.Sprintf("%-14s ratio %.2f, minimum effect %.2f: p95 covered %.1f%%, slower %.2f%%, same %.2f%%; wrong in %.2f%%; naive slower %.1f%%, rank test slower %.1f%%",
		c.World, c.Ratio, c.MinimumEffect, c.share(c.P95.Covered), c.share(c.P95.Slower), c.share(c.P95.Same), c.share(c.Wrong), c.share(c.Naive.Slower), c.share(c.RankTest.Slower))
}

// kind tells cells apart.
type kind struct {
	world          string
	ratio, minimum float64
}

func (c Cell) kind() kind { return kind{c.World, c.Ratio, c.MinimumEffect} }

// is says whether another cell holds at least the same races.
func (c Cell) is(o Cell) bool { return c.kind() == o.kind() && o.Races >= c.Races }

// share is n of the cell's races in percent.
func (c Cell) share(n int) float64 { return 100 * float64(n) / float64(c.Races) }

// save replaces the file as a whole, so that it can be interrupted.
func save(path string, c Calibration) error {
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil { //nolint:gosec // part of the documentation
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(path+".new", path)
}

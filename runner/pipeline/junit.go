package pipeline

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// JUnit writes races as suites of tests: one test for each app and primary measure. A test fails if the app is slower or worse than the baseline, as
// --fail-on regression counts it, and is skipped where nothing was decided. A race that did not come to its end is a test in error, and none of its others fails.
func JUnit(w io.Writer, races ...race.Race) error {
	var all junit.Testsuites
	for _, r := range races {
		all.AddSuite(suite(r))
	}
	if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"); err != nil {
		return err
	}
	if err := all.WriteXML(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func suite(r race.Race) junit.Testsuite {
	s := junit.Testsuite{Name: printable(r.Name)}
	if r.StartedAt != nil {
		s.SetTimestamp(*r.StartedAt)
	}
	s.AddProperty("race", printable(r.ID))
	s.AddProperty("baseline", printable(r.Baseline))
	if r.BaselineRace != nil {
		s.AddProperty("baseline_race", printable(r.BaselineRace.ID))
	}
	s.AddProperty("audit", printable(scoreboard.Fairness(r.Audit)))
	if r.Status != race.Finished {
		why := string(r.Status)
		if r.Error != nil {
			why += ": " + *r.Error
		}
		s.AddTestcase(junit.Testcase{Classname: s.Name, Name: "race", Error: &junit.Result{Message: printable(why)}})
	}
	for _, v := range r.Verdicts {
		if v.Primary {
			s.AddTestcase(testcase(r, v))
		}
	}
	s.Time = seconds(took(r))
	return s
}

func testcase(r race.Race, v race.Verdict) junit.Testcase {
	c := junit.Testcase{
		Classname: printable(r.Name + "." + v.App), Name: fmt.Sprintf("%s against %s", printable(scoreboard.ColumnOf(v.Measure, r.CustomMeasures...).Name), printable(scoreboard.Rival(r))), Time: seconds(took(r)),
	}
	words := strings.TrimSpace(scoreboard.Word(v.Measure, v.Outcome) + scoreboard.Asterisk(r.Audit) + " " + verdict.FormatRatio(v))
	details := printable(strings.Join(scoreboard.Warnings(v, nil, r.CustomMeasures...), "\n"))
	switch {
	case v.Outcome == race.Inconclusive || v.Outcome == race.Slower && r.Status != race.Finished:
		c.Skipped = &junit.Result{Message: words, Data: details}
	case v.Outcome == race.Slower:
		c.Failure = &junit.Result{Message: words, Type: "regression", Data: details}
	default:
		c.SystemOut = &junit.Output{Data: words}
	}
	return c
}

func took(r race.Race) time.Duration {
	if r.StartedAt == nil || r.FinishedAt == nil {
		return 0
	}
	return r.FinishedAt.Sub(*r.StartedAt)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// printable leaves out what XML 1.0 cannot hold.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0xfffe || r == 0xffff:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

package definition

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

const effectForm = "write a number like 0.02 (2%), or single measures: { latency_p95: 0.05 }"

// minimumEffect reads what a script says of the smallest effects: a number for all measures, or an object by measure.
func minimumEffect(raw json.RawMessage, set measure.Set) (e race.Effects, err error) {
	const where = extPath + ".minimum_effect"
	if isNull(raw) {
		return e, nil
	}
	if json.Unmarshal(raw, &e.All) == nil {
		return e, checkEffect(where, "", e.All, set)
	}
	var single map[string]json.RawMessage
	if json.Unmarshal(raw, &single) != nil {
		return e, race.Errorf(race.Invalid, effectForm, "%s: must be a number or an object by measure, not %s", where, short(raw)).At(fieldOf(where))
	}
	for _, id := range slices.Sorted(maps.Keys(single)) {
		size, given, err := value[float64](single, where, id, "a number like 0.02")
		if err != nil {
			return e, err
		}
		if !given {
			size = math.NaN()
		}
		if err := checkEffect(where+"."+id, id, size, set); err != nil {
			return e, err
		}
		e = with(e, id, size)
	}
	return e, nil
}

// Effects lays what flags say over the script's word: NUMBER takes the place of all of it, MEASURE=NUMBER of that measure's. own are the measures
// that there are beyond those of the contract.
func Effects(e race.Effects, flags []string, own ...race.CustomMeasure) (race.Effects, error) {
	set := measure.Of(own...)
	if slices.ContainsFunc(flags, func(f string) bool { return !strings.Contains(f, "=") }) {
		e = race.Effects{}
	}
	for _, f := range flags {
		id, number, single := strings.Cut(f, "=")
		if !single {
			id, number = "", f
		}
		size, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return e, race.Errorf(race.Invalid, "write it like --minimum-effect 0.02 or --minimum-effect latency_p95=0.05",
				"minimum effect %q is neither NUMBER nor MEASURE=NUMBER", f).At("minimum_effect")
		}
		if err := checkEffect("minimum effect "+f, id, size, set); err != nil {
			return e, err
		}
		if single {
			e = with(e, id, size)
		} else {
			e.All = size
		}
	}
	return e, nil
}

func with(e race.Effects, id string, size float64) race.Effects {
	of := maps.Clone(e.Of)
	if of == nil {
		of = map[string]float64{}
	}
	of[id] = size
	return race.Effects{All: e.All, Of: of}
}

// checkEffect says what is wrong with the smallest effect of a measure; id is "" for that of all.
func checkEffect(where, id string, size float64, set measure.Set) error {
	const above0below1 = "is %v; it must be above 0 and below 1 (0.02 is 2%%)"
	fail := func(hint, format string, args ...any) error {
		err := invalid(where, format, args...)
		return race.Errorf(race.Invalid, hint, "%w", err).At("minimum_effect")
	}
	share := true
	if id != "" {
		m, err := judged(id, set)
		if err != nil {
			return fail(race.HintOf(err), "%v", err)
		}
		share = m.Unit == measure.Ratio || !verdict.Of(m).Difference
		if !share && (!(size > 0) || math.IsInf(size, 0)) {
			return fail("", "is %v; %s is compared by its difference, so it must be above 0 in %s", size, id, m.Unit)
		}
	}
	if share && !(size > 0 && size < 1) {
		return fail("", above0below1, size)
	}
	return nil
}

// judged finds a measure that gets verdicts.
func judged(id string, set measure.Set) (measure.Measure, error) {
	m, err := set.ByID(id)
	switch {
	case err != nil || m.Better != measure.None:
	case m.Source == measure.Script:
		name := cmp.Or(m.Custom.Metric, id)
		err = race.Errorf(race.Invalid, fmt.Sprintf("say so: measures: { %s: { better: 'lower' } }", name), "%s has no direction: nobody knows whether more or less of it is better", id)
	default:
		err = race.Errorf(race.Invalid, "", "%s is shown and never judged: neither more nor less of it is better", id)
	}
	return m, err
}

// primary reads which measures decide.
func primary(m map[string]json.RawMessage, set measure.Set) ([]string, error) {
	ids, _, err := value[[]string](m, extPath, "primary", "a list of measures")
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, err := judged(id, set); err != nil {
			return nil, race.Errorf(race.Invalid, race.HintOf(err), "%s.primary: %w", extPath, err).At("primary")
		}
	}
	return ids, nil
}

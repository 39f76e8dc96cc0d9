package capacity_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/capacity"
)

// app holds rates below its limit, with an edge that is blurred by sigma (of the rate's logarithm); one try in lapses is decided by chance.
type app struct {
	limit, sigma float64
	lapse        float64
	rng          *rand.Rand
}

func (a app) holds(rate float64) bool {
	if a.rng.Float64() < a.lapse {
		return a.rng.IntN(2) == 0
	}
	return math.Log(rate)+a.sigma*a.rng.NormFloat64() < math.Log(a.limit)
}

func search(a app, start float64) *capacity.Search {
	s := capacity.New(start, time.Minute, 0)
	for {
		rate, _, ok := s.Next()
		if !ok {
			return s
		}
		s.Tell(a.holds(rate))
	}
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestASharpEdgeIsFoundFromWhereverTheSearchStarts(t *testing.T) {
	for _, start := range []float64{1, 3.7, 50, 199, 200, 201, 400, 3000} {
		s := search(app{limit: 200, rng: seeded(1)}, start)
		e := capacity.Of(s.Trials())
		require.InEpsilon(t, 200, e.Rate, .02, "from %v", start)
		require.Less(t, e.Low, 200., "from %v", start)
		require.Greater(t, e.High, 200., "from %v", start)
		require.Less(t, e.High/e.Low, 1.08, "from %v", start)
		require.LessOrEqual(t, len(s.Trials()), capacity.MaxTries)
	}
}

func TestTheSearchGrowsNarrowsAndConfirms(t *testing.T) {
	s := capacity.New(50, time.Minute, 0)
	var rates []float64
	var phases []race.TryPhase
	for {
		rate, phase, ok := s.Next()
		if !ok {
			break
		}
		rates, phases = append(rates, rate), append(phases, phase)
		s.Tell(rate < 200)
	}
	require.Equal(t, []float64{50, 100, 200, 141.4, 168.2, 183.4, 191.5}, rates[:7], "doubled, then halved between")
	require.Equal(t, race.TrySearch, phases[6])
	require.Equal(t, race.TryConfirm, phases[7])
	require.InEpsilon(t, 195.7, rates[7], .001, "the middle of the bracket")
	require.InEpsilon(t, 195.7*capacity.Step, rates[8], .001, "up from what was held")
	require.LessOrEqual(t, len(rates), 7+capacity.MaxConfirm)
	require.GreaterOrEqual(t, len(rates), 7+capacity.MinConfirm)
}

func TestAnAppThatHoldsNothingOrEverythingEndsTheSearch(t *testing.T) {
	s := search(app{limit: 1e-9, rng: seeded(1)}, 64)
	require.Len(t, s.Trials(), 7, "64 down to 1")
	s = capacity.New(64, 500*time.Millisecond, 0)
	s.Tell(false)
	s.Tell(false)
	_, _, ok := s.Next()
	require.False(t, ok, "16/s are 8 iterations in half a second")
	s = search(app{limit: 1e12, rng: seeded(1)}, 64)
	require.InDelta(t, capacity.Highest, s.Trials()[len(s.Trials())-1].Rate, 1)
	require.Less(t, len(s.Trials()), capacity.MaxTries)
}

func TestNoHigherRateIsTriedThanMayBeAskedFor(t *testing.T) {
	for _, limit := range []float64{1000, 299.9} { // of the app, beyond and just below
		a, s := app{limit: limit, rng: seeded(1)}, capacity.New(70, time.Minute, 300)
		for {
			rate, _, ok := s.Next()
			if !ok {
				break
			}
			require.LessOrEqual(t, rate, 300.)
			s.Tell(a.holds(rate))
		}
	}
}

func TestOneBadHeatDoesNotMisleadTheSearch(t *testing.T) {
	s := capacity.New(100, time.Minute, 0)
	for n := 0; ; n++ {
		rate, _, ok := s.Next()
		if !ok {
			break
		}
		s.Tell(rate < 200 && n > 0) // the first heat failed, whatever its rate was
	}
	e := capacity.Of(s.Trials())
	require.Greater(t, e.High, 190., "after %v", s.Trials())
	require.LessOrEqual(t, len(s.Trials()), capacity.MaxTries)
}

// TestTheIntervalHoldsWhatItPromises runs many searches whose truth is known. 100 of them count a coverage of 95% with a standard error of 2.2 points.
func TestTheIntervalHoldsWhatItPromises(t *testing.T) {
	const races = 100
	for _, c := range []struct {
		sigma, lapse float64
		error        float64 // standard deviation of the estimate, at most
	}{{.01, 0, .01}, {.03, 0, .025}, {.08, 0, .05}, {.01, .02, .10}} {
		covered, sum, tries := 0, 0., 0
		for i := range races {
			rng := seeded(uint64(i))
			a := app{limit: 100 * math.Exp(rng.Float64()), sigma: c.sigma, lapse: c.lapse, rng: rng}
			s := search(a, 25)
			e := capacity.Of(s.Trials())
			if e.Low <= a.limit && a.limit <= e.High {
				covered++
			}
			d := math.Log(e.Rate / a.limit)
			sum += d * d
			tries += len(s.Trials())
		}
		sd := math.Sqrt(sum / races)
		t.Logf("edge %.1f%%, %.0f%% of the heats by chance: the interval holds the truth in %.1f%%, the estimate is off by %.2f%% (root mean square), %.1f tries",
			100*c.sigma, 100*c.lapse, 100*float64(covered)/races, 100*sd, float64(tries)/races)
		require.GreaterOrEqual(t, float64(covered)/races, .86)
		require.LessOrEqual(t, sd, c.error)
	}
}

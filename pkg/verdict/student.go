package verdict

import "gonum.org/v1/gonum/stat/distuv"

// quantiles gives t(df, 1-alpha/2), the half-width in standard errors of the interval of confidence 1-alpha.
type quantiles func(df int, alpha float64) float64

// studentQuantiles remembers what it computed: a race asks for the same few again and again, and each costs microseconds.
func studentQuantiles() quantiles {
	type key struct {
		df    int
		alpha float64
	}
	known := map[key]float64{}
	return func(df int, alpha float64) float64 {
		k := key{df, alpha}
		q, ok := known[k]
		if !ok {
			q = -student(df).Quantile(alpha / 2)
			known[k] = q
		}
		return q
	}
}

// studentTails is the probability of a |t| above x.
func studentTails(df int, x float64) float64 { return 2 * student(df).CDF(-x) }

func student(df int) distuv.StudentsT { return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)} }

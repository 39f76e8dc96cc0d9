// Package capacity decides which rate of requests an app is to be tried at next, and what the tries say of the highest rate that it holds. It is
// pure: whether a rate was held is told to it.
//
// # The search
//
// From the starting rate on the rate is doubled until one is not held (or halved until one is), then the bracket is halved on a logarithmic scale until it is [Bracket] wide.
// Around its middle the tries that confirm go up and down like a staircase (Dixon and Mood 1948): a rate that was held is followed by a higher one, one that was not by a lower one.
// A step is [Step], and twice the last one where the direction stays the same for a third time and more, so that a search that was misled by one bad heat finds its way back
// (Kesten 1958 has the rule for stochastic approximation: shorter steps at reversals only). The confirming tries end at [MinConfirm], or later when the interval is [Precise], at [MaxConfirm] at the latest.
//
// # The estimate
//
// All tries together, the searching ones too, are answers of a yes-or-no experiment of which the chance of a yes falls with the rate, as in psychophysics and bioassay. With x the logarithm
// of the rate, the chance that it is held is
//
//	lapse + (1 - 2 lapse) · Φ((θ - x) / σ)
//
// with θ, the logarithm of the rate that is held as often as not, σ, how blurred the edge is, and [Lapse], the chance that a heat is decided by something else. The estimate is the median of the
// posterior of θ over a grid of θ and σ, the interval what lies between its 2.5% and 97.5% points (Watson and Pelli 1983 for the grid of θ, Kontsevich and Tyler 1999 for that of θ and slope;
// flat priors on both logarithms). Unlike a fitted curve it needs no overlap of held and broken rates, which a sharp edge never gives, and unlike the mean of reversals it has an interval.
//
// # References
//
// W. J. Dixon and A. M. Mood, A method for obtaining and analyzing sensitivity data, J. Am. Stat. Assoc. 43 (1948).
// H. Kesten, Accelerated stochastic approximation, Ann. Math. Statist. 29 (1958).
// A. B. Watson and D. G. Pelli, QUEST: a Bayesian adaptive psychometric method, Perception & Psychophysics 33 (1983).
// L. L. Kontsevich and C. W. Tyler, Bayesian adaptive estimation of psychometric slope and threshold, Vision Research 39 (1999).
package capacity

// Package verdict says how sure one can be that one app is faster than another. It is a pure function of the values that
// each app had in each heat; where they come from (race.json, Prometheus) is no concern of it.
//
// # The unit is the heat
//
// Requests of one heat are not independent: they share a process, its heap, the neighbours and the minute of the day. Treating each request,
// or each window of a second, as a sample makes the interval too narrow and a wrong verdict surer. So each heat gives one
// number per app and measure, paired with the baseline's of the same heat:
//
//	d = ln(app / baseline)       for measures that are positive by nature (times, costs, throughput)
//	d = app - baseline           for measures that may be zero or negative (error rates, growth of memory)
//
// The mean of d over n heats has the interval mean ± t(n-1, 1-α/2)·sd/√n (Student 1908); exp of it is the interval of the
// ratio, which is the ratio of geometric means. It is assumed that heats are independent, that their d come from one distribution,
// and that the mean of n of them is near enough to normal; the pairing takes away what both apps share (drift, a slow machine).
// The bootstrap, the usual alternative, covers 80% instead of 95% at 4 heats. Below [MinHeats] nothing is decided.
//
// # Four outcomes
//
// With the minimum effect e, δ = ln(1+e) (or an absolute margin for differences), and a measure of which less is better:
// slower if the whole interval lies above +δ, faster if it lies below -δ, same if it lies within [-δ, +δ], else inconclusive.
// Slower therefore means "worse by more than e", not merely "different"; same is a test of equivalence (Schuirmann 1987) at half of α a side.
//
// # Many questions at once
//
// Each question asked at 5% may be answered wrongly; a race of four apps asks nine. The primary family (p95, CPU per request and
// error rate, times the apps) is corrected by Holm's step-down (Holm 1979), written as intervals so that a reader sees what the
// outcome was read from. For each member, p is the smallest α at which its interval decides (lies wholly on one side of the marks ±δ, or
// between them). The members are put in order of p; the j-th of m is looked at with the confidence 1 - α/(m-j+1). While
// that interval decides, the next member is looked at with a little less confidence; the first that does not ends the descent, and it and all after it
// keep its level. decision_low and decision_high are the interval at that level: the outcome can always be read from them.
// A member without any pair of values cannot be decided wrongly and is not counted.
// (Holm's proof is about rejecting; here each member may also go wrong by its side. Shaffer 1980 shows that the step-down keeps the
// rate for sides too where members are independent; the test of this package checks it with members that are correlated.)
// Other measures are judged by their plain interval and carry Primary=false: they are to be shown, not alarmed on.
//
// Low and High are always the plain 95% interval.
//
// # Looking early
//
// A race that ends as soon as it is decided is judged after every heat from [MinHeats] on. [Looks] gives each look its level, so that all of
// them together are wrong no more often than one at the end would be. All primary measures must be decided at once for the race to end.
//
// So is any race judged that ended before its last heat ([EndedEarly]): who stopped it had seen how it stood, and may have waited for what he liked. Low and High
// of a race whose end was chosen hold less than 95%, whoever chose it; decision_low and decision_high hold what they promise.
//
// # An earlier race
//
// Two races are not paired by anything: the machine, its neighbours and the minute differ, and the same app's median moved by a quarter between two hours of one day.
// So an app is compared with itself in an earlier race only through a control, a lane that ran in both, by the difference of differences
//
//	mean of ln(app / control) now - mean of ln(app / control) then
//
// with the standard errors of both races added up (Welch 1947) and the degrees of freedom of the shorter one (Mickey and Brown 1966); a permutation test takes the place
// of sign flips. What moves between the races and does not touch app and control alike is in no interval. Without a control nothing is decided.
//
// # What stops a verdict
//
// Faster and slower are also withheld where the sign-flip test (Fisher 1935), which needs symmetry and not normality, does not confirm them at
// 2.5%; where an app that fails more would be called the better one, or by its latencies one that was spared requests for want of a virtual user (nor is it called the same); where the race failed its audit; and for memory
// where there was less than [MinMemorySeconds] of racing. Every such verdict says so in its warnings.
//
// # References
//
// Student (W. S. Gosset), The probable error of a mean, Biometrika 6 (1908).
// R. A. Fisher, The Design of Experiments (1935), §21.
// E. J. G. Pitman, Significance tests which may be applied to samples from any populations, J. R. Statist. Soc. Suppl. 4 (1937).
// B. L. Welch, The generalization of Student's problem when several different population variances are involved, Biometrika 34 (1947).
// M. R. Mickey and M. B. Brown, Bounds on the distribution functions of the Behrens-Fisher statistic, Ann. Math. Statist. 37 (1966).
// S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979).
// J. P. Shaffer, Control of directional errors with stagewise multiple test procedures, Ann. Statist. 8 (1980).
// D. J. Schuirmann, A comparison of the two one-sided tests procedure…, J. Pharmacokinet. Biopharm. 15 (1987).
// P. Armitage, C. K. McPherson and B. C. Rowe, Repeated significance tests on accumulating data, J. R. Statist. Soc. A 132 (1969).
// K. K. G. Lan and D. L. DeMets, Discrete sequential boundaries for clinical trials, Biometrika 70 (1983).
// C. Jennison and B. W. Turnbull, Group Sequential Methods with Applications to Clinical Trials (2000).
// T. Kalibera and R. Jones, Rigorous benchmarking in reasonable time, ISMM (2013): why the highest level that varies is the unit.
package verdict

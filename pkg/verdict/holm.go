package verdict

import (
	"cmp"
	"slices"
)

// levels sets the alpha of every question's decision interval: Holm's step-down within the primary family, the plain level elsewhere.
func levels(questions []question, alpha float64) {
	type member struct {
		index int
		p     float64
	}
	var family []member
	for i, q := range questions {
		switch {
		case !q.measure.Primary:
			questions[i].alpha = alpha
		case q.n() > 0:
			family = append(family, member{i, q.p()})
		}
	}
	slices.SortStableFunc(family, func(a, b member) int { return cmp.Compare(a.p, b.p) })
	descending := true
	level := alpha
	for j, m := range family {
		if descending {
			level = alpha / float64(len(family)-j)
		}
		questions[m.index].alpha = level
		descending = descending && m.p <= level
	}
}

package measure

import (
	"slices"
	"strings"
)

// maxNear is how many suggestions an error makes.
const maxNear = 3

// near lists those of some ids that somebody who wrote id may have meant: those that contain it or a word of it, and those a few letters away.
func near(id string, among []string) []string {
	type candidate struct {
		id       string
		distance int
	}
	id = strings.ToLower(strings.TrimSpace(id))
	var found []candidate
	for _, known := range among {
		d := distance(id, known)
		switch {
		case d <= 1+len(known)/5:
		case len(id) >= 3 && strings.Contains(known, id):
			d += len(known)
		default:
			continue
		}
		found = append(found, candidate{known, d})
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	ids := make([]string, 0, maxNear)
	for _, c := range found[:min(len(found), maxNear)] {
		ids = append(ids, c.id)
	}
	return ids
}

// distance is the number of single-letter edits between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

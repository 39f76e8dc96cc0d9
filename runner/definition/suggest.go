package definition

import (
	"fmt"
	"strings"
)

// didYouMean is a hint that names the known word closest to a misspelt one, "" if none is close.
func didYouMean(got string, known []string) string {
	best, least := "", 1+len([]rune(got))/3 // a third of the letters may be wrong
	for _, k := range known {
		if d := distance(strings.ToLower(got), strings.ToLower(k)); d <= least {
			best, least = k, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// distance is the number of letters to insert, delete or replace (Levenshtein), underscores and dashes apart.
func distance(a, b string) int {
	clean := strings.NewReplacer("_", "", "-", "")
	s, t := []rune(clean.Replace(a)), []rune(clean.Replace(b))
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i, c := range s {
		diagonal := row[0]
		row[0] = i + 1
		for j, d := range t {
			substituted := diagonal
			if c != d {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(t)]
}

// Command control is the sample app that the others are compared with: it answers at once. With the variable SPIN ("25us") it keeps its CPU busy for so
// long before each answer, for races of which the truth is to be known.
package main

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/photofinish/photofinish/testapps/internal/app"
)

func main() {
	spin, err := time.ParseDuration(cmp.Or(os.Getenv("SPIN"), "0s"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "control: SPIN must be a duration such as 25us: %v\n", err)
		os.Exit(1)
	}
	os.Exit(app.App{Name: "control", Port: 4000, Path: "/control", Work: answer(spin)}.Main())
}

func answer(spin time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for began := time.Now(); time.Since(began) < spin; {
		}
		_, _ = fmt.Fprintln(w, "control")
	}
}

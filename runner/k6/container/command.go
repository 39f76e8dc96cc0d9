package container

import (
	"slices"

	"github.com/photofinish/photofinish/runner/k6/stock"
)

// arguments are the command line of k6 for a script on its standard input.
func arguments(o *stock.Order) []string {
	return slices.Concat([]string{"run", "--quiet", "--address="}, o.Arguments, []string{"-"})
}

package flame

import (
	"cmp"
	"slices"

	"github.com/google/pprof/profile"

	"github.com/photofinish/photofinish/pkg/race"
)

// Side of a graph: one that compares has two.
type Side int

// The sides. A graph of one app has the left one only.
const (
	Left Side = iota
	Right
	sides
)

// The bounds of a graph. What lies beyond is counted for the function that called it.
const (
	// maxDepth: Go's own profiles hold at most 128 functions of a stack.
	maxDepth = 512
	// maxNodes are some 100 MB. Profiles of large services have some 10,000.
	maxNodes = 500_000
)

// Graph is a flame graph: functions below those that called them.
type Graph struct {
	root  *node
	nodes int
}

// Row is a function in a place of the graph. Value is with, Self without those that it called.
type Row struct {
	Level       int
	Label       string
	Value, Self [sides]float64
}

type node struct {
	name        string
	value, self [sides]float64
	children    []*node
	byName      map[string]*node
}

// Names of what is no function.
const (
	total = "total"
	other = "other" // functions too small to be shown
)

// New makes an empty graph.
func New() *Graph { return &Graph{root: &node{name: total}} }

// Add puts a profile on a side. Values are those of a sample type, each times per: 1/requests makes them those of one request.
func (g *Graph) Add(side Side, p *profile.Profile, sampleType string, per float64) error {
	at := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == sampleType })
	if at < 0 {
		return race.Errorf(race.Invalid, "", "the profile does not count %s", sampleType)
	}
	for _, s := range p.Sample {
		if v := float64(s.Value[at]) * per; v > 0 {
			g.add(side, v, stack(s))
		}
	}
	return nil
}

// stack names the functions of a sample, the outermost first.
func stack(s *profile.Sample) []string {
	var names []string
	for _, l := range slices.Backward(s.Location) {
		for _, line := range slices.Backward(l.Line) { // those that were inlined
			if line.Function != nil && len(names) < maxDepth {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

func (g *Graph) add(side Side, v float64, stack []string) {
	n := g.root
	n.value[side] += v
	for _, name := range stack {
		below := g.below(n, name)
		if below == nil {
			break
		}
		n = below
		n.value[side] += v
	}
	n.self[side] += v
}

// below is a function that another one calls, nil where the graph is full.
func (g *Graph) below(n *node, name string) *node {
	if c := n.byName[name]; c != nil {
		return c
	}
	if g.nodes++; g.nodes > maxNodes {
		return nil
	}
	if n.byName == nil {
		n.byName = map[string]*node{}
	}
	c := &node{name: name}
	n.byName[name], n.children = c, append(n.children, c)
	return c
}

// Total is the whole of a side.
func (g *Graph) Total(side Side) float64 { return g.root.value[side] }

// Level puts the difference of the sides under a name on the smaller one, so that shares of the whole are shares of the same on both: views that
// colour by shares then colour by the difference of the values themselves.
func (g *Graph) Level(left, right string) {
	switch more := g.root.value[Right] - g.root.value[Left]; {
	case more > 0:
		g.add(Left, more, []string{left})
	case more < 0:
		g.add(Right, -more, []string{right})
	}
}

// Rows lists the graph in depth-first order, the largest function first, at most so many (and one for what is left out below each): the smallest are
// left out.
func (g *Graph) Rows(most int) []Row {
	var rows []Row
	g.root.list(0, g.least(most), &rows)
	return rows
}

// least is the value of the smallest function that is still shown.
func (g *Graph) least(most int) float64 {
	var values []float64
	g.root.each(func(n *node) { values = append(values, n.both()) })
	if len(values) <= most {
		return 0
	}
	slices.SortFunc(values, func(a, b float64) int { return cmp.Compare(b, a) })
	return values[most-1]
}

func (n *node) both() float64 { return n.value[Left] + n.value[Right] }

func (n *node) each(visit func(*node)) {
	visit(n)
	for _, c := range n.children {
		c.each(visit)
	}
}

func (n *node) list(level int, least float64, rows *[]Row) {
	*rows = append(*rows, Row{Level: level, Label: n.name, Value: n.value, Self: n.self})
	slices.SortFunc(n.children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(b.both(), a.both()), cmp.Compare(a.name, b.name))
	})
	rest := Row{Level: level + 1, Label: other}
	for _, c := range n.children {
		if c.both() >= least {
			c.list(level+1, least, rows)
			continue
		}
		for side := range sides {
			rest.Value[side] += c.value[side]
			rest.Self[side] += c.value[side]
		}
	}
	if rest.Value != ([sides]float64{}) {
		*rows = append(*rows, rest)
	}
}

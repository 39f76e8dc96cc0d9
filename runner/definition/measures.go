package definition

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// The bounds of what a script may declare.
const (
	maxExpressions = 20   // each is a query for every heat
	maxExpr        = 4000 // characters
	maxTitle       = 60   // what a column's head can show
	maxUnit        = 20
)

// parseMeasures reads what a script says of its own measures.
func parseMeasures(raw json.RawMessage) ([]race.DeclaredMeasure, error) {
	const where = extPath + ".measures"
	m, err := fields(where, raw)
	if err != nil {
		return nil, err
	}
	var declared []race.DeclaredMeasure
	expressions := 0
	for _, name := range slices.Sorted(maps.Keys(m)) {
		d, err := parseMeasure(where+"."+name, name, m[name])
		if err != nil {
			return nil, err
		}
		if d.Expr != "" {
			expressions++
		}
		declared = append(declared, d)
	}
	if expressions > maxExpressions {
		return nil, invalid(where, "has %d expressions; at most %d are asked of Prometheus after each heat", expressions, maxExpressions)
	}
	return declared, nil
}

func parseMeasure(where, name string, raw json.RawMessage) (race.DeclaredMeasure, error) {
	d := race.DeclaredMeasure{Name: name}
	if !measure.ValidName(name) {
		return d, invalid(where, "%q is no name of a metric: letters, digits and _, not a digit first, at most 128", name)
	}
	m, err := fields(where, raw)
	if err != nil {
		return d, err
	}
	if err := onlyKeys(where, m, "title", "unit", "better", "expr"); err != nil {
		return d, err
	}
	for key, into := range map[string]*string{"title": &d.Title, "unit": &d.Unit, "better": &d.Better, "expr": &d.Expr} {
		if *into, err = text(m, where, key); err != nil {
			return d, err
		}
	}
	if err := oneLine(where+".title", d.Title, maxTitle); err != nil {
		return d, err
	}
	if err := oneLine(where+".unit", d.Unit, maxUnit); err != nil {
		return d, err
	}
	if d.Better != "" {
		if _, err := oneOf(where+".better", d.Better, "lower", "higher", "none"); err != nil {
			return d, err
		}
	}
	if d.Expr == "" {
		if measure.OwnOfK6(name) {
			return d, race.Errorf(race.Invalid, "the measures of the contract tell of k6's own metrics: "+strings.Join(measure.IDs(), ", "),
				"%s: is a metric of k6's own, not of the script's", where).At("measures")
		}
		return d, nil
	}
	if _, err := measure.ByID(name); err == nil || name == race.CapacityMeasure {
		return d, race.Errorf(race.Invalid, "give the expression another name", "%s: %s is a measure of the contract", where, name).At("measures")
	}
	return d, checkExpr(where+".expr", d.Expr)
}

// oneLine wants one line of text that fits where it is shown.
func oneLine(where, s string, most int) error {
	if len([]rune(s)) > most {
		return invalid(where, "is longer than %d characters", most)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return invalid(where, "must be one line of printable text")
	}
	return nil
}

// checkExpr proves that an expression is PromQL, and that each of its series can name its app.
func checkExpr(where, expr string) error {
	fail := func(hint string, format string, args ...any) error {
		return race.Errorf(race.Invalid, hint, "%w", invalid(where, format, args...)).At("measures")
	}
	if len(expr) > maxExpr {
		return fail("", "is longer than %d characters", maxExpr)
	}
	filled, err := promql.Fill(expr, "race", time.Minute)
	if err != nil {
		return fail(race.HintOf(err), "%v", err)
	}
	parsed, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(filled)
	if err != nil {
		return fail("", "is no PromQL: %v", err)
	}
	if parsed.Type() != parser.ValueTypeVector {
		return fail("ask for a value at a moment, such as rate(…[$window]) or sum by (app) (…)", "gives a %s, not an instant vector", parser.DocumentedType(parsed.Type()))
	}
	if !keeps(parsed, "app") {
		return fail("keep the label, as in sum by (app) (…)", "gives series without a label app, so nobody knows whose they are")
	}
	return nil
}

// keeps says whether the series of an expression may have a label, as far as the expression alone can tell: that of a selector may have any.
func keeps(e parser.Expr, label string) bool {
	switch e := e.(type) {
	case *parser.VectorSelector, *parser.MatrixSelector:
		return true
	case *parser.ParenExpr:
		return keeps(e.Expr, label)
	case *parser.UnaryExpr:
		return keeps(e.Expr, label)
	case *parser.SubqueryExpr:
		return keeps(e.Expr, label)
	case *parser.StepInvariantExpr:
		return keeps(e.Expr, label)
	case *parser.AggregateExpr:
		return aggregateKeeps(e, label)
	case *parser.BinaryExpr:
		return binaryKeeps(e, label)
	case *parser.Call:
		return callKeeps(e, label)
	}
	return false
}

func aggregateKeeps(e *parser.AggregateExpr, label string) bool {
	switch e.Op {
	case parser.TOPK, parser.BOTTOMK, parser.LIMITK, parser.LIMIT_RATIO:
		return keeps(e.Expr, label) // they choose whole series
	case parser.COUNT_VALUES:
		if s, ok := e.Param.(*parser.StringLiteral); ok && s.Val == label {
			return true
		}
	}
	return slices.Contains(e.Grouping, label) != e.Without && keeps(e.Expr, label)
}

func binaryKeeps(e *parser.BinaryExpr, label string) bool {
	left, right := keeps(e.LHS, label), keeps(e.RHS, label)
	switch {
	case e.VectorMatching == nil: // one side is a number
		return left || right
	case e.Op == parser.LOR:
		return left && right
	case e.Op == parser.LAND || e.Op == parser.LUNLESS:
		return left
	}
	included := slices.Contains(e.VectorMatching.Include, label)
	switch e.VectorMatching.Card {
	case parser.CardManyToOne:
		return left || included && right
	case parser.CardOneToMany:
		return right || included && left
	default:
	}
	return slices.Contains(e.VectorMatching.MatchingLabels, label) == e.VectorMatching.On && left && right
}

func callKeeps(e *parser.Call, label string) bool {
	switch e.Func.Name {
	case "absent", "absent_over_time", "vector", "time":
		return false // made of no series
	case "label_replace", "label_join":
		if s, ok := e.Args[1].(*parser.StringLiteral); ok && s.Val == label {
			return true
		}
	}
	return slices.ContainsFunc(e.Args, func(arg parser.Expr) bool { return keeps(arg, label) })
}

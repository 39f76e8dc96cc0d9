package race

// CustomMeasure is a measure of a race's own, beyond those of the contract: of a metric of its k6 script, or an expression of its definition.
type CustomMeasure struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`   // for people
	Unit   string     `json:"unit"`   // Grafana's id, or the unit itself where Grafana has none
	Better string     `json:"better"` // "lower", "higher", or "" for a measure that is shown and never judged
	Type   MetricType `json:"type"`
	// Metric is the k6 metric's name; "" of an expression.
	Metric string `json:"metric,omitempty"`
	// Time: the metric's values are times, in ms.
	Time bool `json:"time,omitempty"`
	// Stat is what of a Trend: mean, p50, p90, p95, p99 or max.
	Stat string `json:"stat,omitempty"`
	// Expr is the PromQL of an expression, with its placeholders.
	Expr string `json:"expr,omitempty"`
}

// DeclaredMeasure is what a definition says of a metric of its script, or of an expression.
type DeclaredMeasure struct {
	Name  string // of the k6 metric; the id of an expression
	Title string // for people; "" is Name
	Unit  string // "" is the type's own
	// Better is "lower", "higher" or "none"; "" is the type's own.
	Better string
	Expr   string // PromQL; "" declares a metric of k6
}

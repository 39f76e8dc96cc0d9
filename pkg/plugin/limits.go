package plugin

import "time"

// RoomyHeap is the heap (bytes) that this process may have before its garbage is collected as often as by Go's default. The first load of a race of
// four apps makes some 5 MB of garbage, and collecting it took a fifth of its own time (docs/performance.md).
const RoomyHeap = 64 << 20

// The guard rails. Each keeps one careless query from hurting Grafana, Prometheus or the browser.
const (
	// maxRaces of one query: overlaid races are told apart by eye, and each costs about 20 queries to Prometheus.
	maxRaces = 20
	// maxRecords of one table: two years of one race a day are no table any more, and each record is some 40 kB.
	maxRecords = 500
	// maxText characters of an id, an app or a measure in a query: errors repeat them. Ids of ours have 64 at most; who runs k6 alone may choose any.
	maxText = 256
	// maxListed races of one list: more is no list for people, and a variable's menu of more stalls the browser.
	maxListed = 1000
	// firstPage and listPage are how many records are asked of the runner at once, first and then; a record of 4 lanes and 12 heats is about 40 kB.
	// The first page is never remembered, so it is short.
	firstPage, listPage = 5, 25
	// The list is read until so many races in a row were over so long before the time range: one that was asked for before them may have taken longer.
	inARow    = 3
	outOfTurn = 24 * time.Hour
	// maxSeries of one answer: 100 apps with 12 measures are 1,200; a browser draws a few thousand lines before it stalls.
	maxSeries = 5000
	// maxValues of one answer: 10 million nullable numbers are 160 MB in this process, and again as much in Grafana.
	maxValues = 10_000_000
	// maxFunctions of one flame graph: more are narrower than a pixel, and a browser draws some 10,000 at once.
	maxFunctions = 10_000
	// maxAnswerSeries of one answer of Prometheus: a selector that meets so many has met something else than races.
	maxAnswerSeries = 50_000
	// maxInFlight queries to Prometheus: it evaluates 20 at once by default, and other people use it too.
	maxInFlight = 12
	// maxQueriesAtOnce of one request of Grafana: a dashboard's panel has a few, each fans out to Prometheus by itself.
	maxQueriesAtOnce = 4
	// memoryBytes bounds what is remembered of finished races: some hundred panels of 4 apps and 10 minutes.
	memoryBytes = 64 << 20
	// lateNow is how long before now a time range may end that reaches to now: Grafana says when that is, maybe by another clock, and then takes its time.
	lateNow = time.Minute
	// listBytes bounds what is remembered of a runner's list: some 300 races of 4 apps and 12 heats.
	listBytes = 32 << 20
	// recordFor is how long the record of an ended race is remembered: somebody may still override its audit.
	recordFor = 30 * time.Second
	// finishedFor is how long answers about a finished race are remembered: a remote write that was held up may still fill a gap.
	finishedFor = 10 * time.Minute
	// searchBack is how far before the time range a race is looked for that is asked for by its id: Prometheus keeps 15 days by default.
	searchBack = 30 * 24 * time.Hour
	// defaultTimeout of one query to Prometheus or one call to the runner, and the longest that the settings may ask for.
	defaultTimeout = 30 * time.Second
	maxTimeout     = 10 * time.Minute
	// maxRequestBody of a resource call: a definition of a race is a few kB.
	maxRequestBody = 1 << 20
)

// Package scoreboard is what every view of a race has in common: the colour of each app, the order of rows and columns,
// the words for outcomes, and numbers written with their units. The terminal, report.html and the frames for Grafana are
// drawn from it, so that they never differ.
package scoreboard

// Package scoreboard is what every view of a race has in common: the colour of each app, the order of rows and columns,
// the words for outcomes, and numbers written with their units. The terminal and report.html are drawn from it, so that they never differ.
package scoreboard

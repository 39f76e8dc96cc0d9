// Package main measures how far the verdicts can be believed: it races apps whose true ratio is known, thousands of times, and counts how often the
// interval holds the truth, how often an outcome is wrong, and how often a slowdown is found; beside it the same races are judged as people usually
// do. `go tool mage calibrate` runs it and writes docs/calibration.json. What is there already is not measured again, so it may be
// interrupted. Then it races real apps, control with itself and with a slower copy, as processes and in containers, and keeps each race in bank.jsonl,
// and those in which something is not as by default in steps.jsonl: these take hours of an idle machine, so `go run ./tests/calibration -for 90m` does some of them.
package main

// Package stage sets one race up: it reads the script, plans the race, chooses the engine, makes the places in which apps and k6 run and
// starts what measures. The command line and the server run their races on it; what happens on the stage is the coordinator's.
package stage

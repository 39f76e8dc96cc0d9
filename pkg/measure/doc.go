// Package measure is the catalogue of what Photofinish compares: one vocabulary for race.json, queries, verdicts and columns.
// The ids, their order and their units are part of the contract.
package measure

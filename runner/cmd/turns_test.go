package cmd_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestASlowFirstAnswerDoesNotLengthenTheTurnsOfAllHeats: the probe meets an app that has just been started, and its first answer may take far longer than those that count.
func TestASlowFirstAnswerDoesNotLengthenTheTurnsOfAllHeats(t *testing.T) {
	f := runRace(t.Context(), t, writeScript(t, "", "a: "+lane(portA, "", "cold=300ms"), "b: "+lane(portB, "")), "--mode", "turns")
	require.Equal(t, 0, f.code)
	require.Less(t, f.record.Turns.BlockMS, 600., "four times the first answer is 1.2 s")
	nothingLeft(t)
}

package cmd_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/store"
)

// smallDisk mounts a disk of a size, such as "64k".
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
			t.Fatalf("a full disk cannot be tried, since no small disk can be mounted: %v", err)
		}
		t.Skipf("NOT TESTED, a full disk: no small disk can be mounted: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fill writes until nothing more fits.
func fill(t *testing.T, disk string) {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	require.NoError(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}

const freeSpace = "  free some disk space, or choose a folder on another disk with --out\n"

func TestAFullDiskEndsTheRaceBeforeItStarts(t *testing.T) {
	temp, disk := ownTemp(t), smallDisk(t, "64k")
	fill(t, disk)
	out := filepath.Join(disk, "race")
	f := run(t.Context(), t, out, "race", writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")))
	require.Equal(t, 3, f.code)
	require.Equal(t, "photofinish: cannot write "+out+"/race.json: no space left on device\n"+freeSpace, f.stderr)
	require.NoDirExists(t, out)
	nothingLeftIn(t, temp)
}

func TestADiskThatFillsUpDuringTheRaceLeavesTheHeatsBefore(t *testing.T) {
	temp, disk := ownTemp(t), smallDisk(t, "1m")
	out := filepath.Join(disk, "race")
	r := startRunner(t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--mode", "together", "--out", out)
	r.dir = out
	r.measured(t, 1)
	fill(t, disk)
	require.Equal(t, 3, r.exit(t))
	require.Equal(t, "photofinish: cannot write "+out+"/race.json: no space left on device\n"+
		"cannot write "+out+"/report.html: no space left on device\n"+freeSpace, r.stderr.String())
	require.Len(t, r.record().Heats, 1)
	nothingLeftIn(t, temp)
}

func TestAReportThatDoesNotFitLeavesTheRecord(t *testing.T) {
	temp, disk := ownTemp(t), smallDisk(t, "64k")
	out := filepath.Join(disk, "race")
	f := run(t.Context(), t, out, "race", writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--mode", "together", "--heats", "1")
	require.Equal(t, 3, f.code)
	require.Equal(t, "photofinish: cannot write "+out+"/report.html: no space left on device\n"+freeSpace, f.stderr)
	record, err := store.Load(out)
	require.NoError(t, err)
	require.Equal(t, race.Finished, record.Status)
	left, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, left, 1, "no half of a report")
	nothingLeftIn(t, temp)
}

func TestARaceThatDoesNotFitOnTheDiskIsNotAccepted(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	disk := smallDisk(t, "8m")
	s := newServed(t, "data: "+disk+"\n")
	s.script("race.js", "1s", "")
	s.start()
	id := s.submit(`{"script":"race.js"}`)
	s.until(id, "finished")
	fill(t, disk)
	var refused map[string]any
	for refused == nil { // the database has some room of its own
		status, answer, err := s.send("POST", "/v1/races", `{"script":"race.js","heats":2,"name":"`+strings.Repeat("x", 200)+`"}`)
		require.NoError(t, err)
		if status != 202 {
			refused = answer
			require.Equal(t, 503, status)
		} else if status, _, err := s.send("POST", "/v1/races/"+answer["id"].(string)+"/stop", ""); status != 202 {
			require.NoError(t, err)
			require.Contains(t, []int{409, 503}, status)
		}
	}
	require.Contains(t, refused["message"], "disk is full")
	require.NotNil(t, refused["details"])
	require.Equal(t, "finished", s.ask(200, "GET", "/v1/races/"+id, "")["status"], "what is kept can be read")
	require.NoError(t, os.Remove(filepath.Join(disk, "filler")))
	s.until(s.submit(`{"script":"race.js","name":"again"}`), "finished")
}

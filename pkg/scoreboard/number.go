package scoreboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
)

// Milliseconds writes a latency.
func Milliseconds(ms float64) string { return ColumnOf("latency_p95").Value(&ms) }

// Rate writes what is per second, without saying so.
func Rate(v float64) string { return ColumnOf("request_rate").Value(&v) }

// Percent writes a share (0-1).
func Percent(share float64) string { return ColumnOf("error_rate").Value(&share) }

// Bytes writes an amount of memory.
func Bytes(b float64) string { return ColumnOf("memory_working_set").Value(&b) }

// Absent stands where a value is not known. Unknown is never zero.
const Absent = measure.Absent

// Clock writes a time span: "0:07", "12:30", "1:02:03".
func Clock(d time.Duration) string {
	s := int64(max(0, d).Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Thousands writes a count: "1,234,567".
func Thousands(n int64) string { return group(strconv.FormatInt(n, 10)) }

// group puts commas between the thousands of the number that text begins with.
func group(text string) string {
	start := 0
	if strings.HasPrefix(text, "-") {
		start = 1
	}
	end := start
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	for i := end - 3; i > start; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

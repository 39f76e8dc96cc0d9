package scoreboard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// None stands where a value is not known. Unknown is never zero.
const None = "–"

// Milliseconds writes a duration given in ms with about three digits: "0.512 ms", "12.3 ms", "1,204 ms".
func Milliseconds(ms float64) string { return digits(ms) + " ms" }

// Percent writes a share (0-1): "0.4 %". A share that is not zero never reads as zero.
func Percent(share float64) string {
	p := 100 * share
	switch a := math.Abs(p); {
	case a > 0 && a < .01:
		return "<0.01 %"
	case a > 0 && a < 1:
		return signed(strconv.FormatFloat(p, 'f', 2, 64)) + " %"
	}
	return signed(strconv.FormatFloat(p, 'f', 1, 64)) + " %"
}

// Bytes writes bytes in binary units: "14.1 MiB".
func Bytes(b float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for math.Abs(b) >= 1024 && i < len(units)-1 {
		b /= 1024
		i++
	}
	if i == 0 {
		return signed(strconv.FormatFloat(b, 'f', 0, 64)) + " B"
	}
	return digits(b) + " " + units[i]
}

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

// digits writes a number with about three significant digits, thousands apart. What is not zero never reads as zero.
func digits(v float64) string {
	decimals := 0
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a < .0005:
		return "<0.001"
	case a < 1:
		decimals = 3
	case a < 10:
		decimals = 2
	case a < 100:
		decimals = 1
	}
	return group(signed(strconv.FormatFloat(v, 'f', decimals, 64)))
}

// signed writes the minus as a minus sign, which is as wide as a digit.
func signed(s string) string {
	if strings.HasPrefix(s, "-") {
		if strings.Trim(s, "-0.") == "" {
			return s[1:]
		}
		return "−" + s[1:]
	}
	return s
}

// group puts commas between the thousands of the whole part.
func group(s string) string {
	whole, rest, _ := strings.Cut(s, ".")
	sign := ""
	for _, minus := range []string{"−", "-"} {
		if strings.HasPrefix(whole, minus) {
			sign, whole = minus, whole[len(minus):]
		}
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}

package measure

import (
	"math"
	"strconv"
)

// Absent is what is shown for a value that is not known.
const Absent = "-"

// significant is how many digits a formatted value carries: three are what a race of minutes can tell.
const significant = 3

// Format writes a value with its unit for people, e.g. "12.3 ms", "1.23 MB", "0.42 cores"; NaN and infinities are Absent.
// Bytes are decimal (1 kB = 1000 B).
func (m Measure) Format(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Absent
	}
	switch m.Unit {
	case Milliseconds:
		return duration(v)
	case MSPerRequest:
		return duration(v) + "/req"
	case PerSecond:
		return digits(v) + " req/s"
	case Ratio:
		return digits(v*100) + "%"
	case Bytes:
		return bytes(v)
	case BytesPerSecond:
		return bytes(v) + "/s"
	case BytesPerRequest:
		return bytes(v) + "/req"
	case Cores:
		return cores(v) + " cores"
	case Count:
		return digits(v)
	case CountsPerSecond:
		return digits(v) + "/s"
	default:
		return digits(v) + " " + string(m.Unit)
	}
}

// FormatPointer is Format for a value that may be missing.
func (m Measure) FormatPointer(v *float64) string {
	if v == nil {
		return Absent
	}
	return m.Format(*v)
}

func duration(ms float64) string {
	switch abs := math.Abs(ms); {
	case abs == 0:
		return "0 ms"
	case round(abs) >= 10_000:
		return digits(ms/1000) + " s"
	case round(abs) < 0.1:
		return digits(ms*1000) + " µs"
	default:
		return digits(ms) + " ms"
	}
}

func bytes(v float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	i := 0
	for ; i < len(units)-1 && round(math.Abs(v)) >= 1000; i++ {
		v /= 1000
	}
	if i == 0 && v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64) + " B"
	}
	return digits(v) + " " + units[i]
}

// cores shows whole millicores: less is noise of the kernel's accounting.
func cores(v float64) string {
	if math.Abs(v) < 10 {
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return digits(v)
}

// digits writes a number with three significant digits, and never fewer than its whole part has; a plain 0 for zero.
func digits(v float64) string {
	v = round(v)
	if v == 0 {
		return "0"
	}
	whole := int(math.Floor(math.Log10(math.Abs(v)))) + 1
	return strconv.FormatFloat(v, 'f', min(max(significant-whole, 0), 6), 64)
}

// round rounds to the digits that are shown, so that 999.9 is told in the unit of 1000. Numbers above 1000 keep their whole part.
func round(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, float64(significant-1)-math.Floor(math.Log10(math.Abs(v))))
	if scale < 1 {
		return math.Round(v)
	}
	return math.Round(v*scale) / scale
}

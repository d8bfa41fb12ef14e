package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// thousands writes a number with commas: 12,345.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural writes a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(n) + " " + thing + "s"
}

// percent writes a share; of nothing it is a dash.
func percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// ratio writes a mean to two places; of nothing it is a dash.
func ratio(sum float64, n int) string {
	if n == 0 {
		return "–"
	}
	return strconv.FormatFloat(sum/float64(n), 'f', 2, 64)
}

// round keeps coordinates short.
func round(x float64) float64 { return math.Round(100*x) / 100 }

// visible shows control characters by their pictures (U+2400 and on), and takes out those that would turn the text around them.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, s)
}

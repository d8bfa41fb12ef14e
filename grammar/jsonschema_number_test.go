package grammar

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestIntegerBounds(t *testing.T) {
	ends := []string{"", "-1000", "-999", "-123", "-100", "-99", "-10", "-9", "-1", "0", "1", "5", "9", "10", "15", "99", "100", "101", "999", "1000"}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		lo, hi := ends[rng.IntN(len(ends))], ends[rng.IntN(len(ends))]
		checkIntegers(t, lo, hi, -1050, 1050)
	}
}

// checkIntegers compares the grammar of a schema with the integers from first to last.
func checkIntegers(t *testing.T, lo, hi string, first, last int) {
	t.Helper()
	schema := `{"type":"integer"` + keyword("minimum", lo) + keyword("maximum", hi) + "}"
	in := func(n int) bool {
		return (lo == "" || rat(lo).Cmp(rat(fmt.Sprint(n))) <= 0) && (hi == "" || rat(hi).Cmp(rat(fmt.Sprint(n))) >= 0)
	}
	gbnf, err := FromJSONSchema([]byte(schema))
	if err != nil {
		if lo == "" || hi == "" || rat(lo).Cmp(rat(hi)) <= 0 {
			t.Errorf("%s: %v", schema, err)
		}
		return
	}
	accepts := accepter(t, gbnf)
	for n := first; n <= last; n++ {
		if got := accepts(fmt.Sprint(n)); got != in(n) {
			t.Fatalf("%s accepts %d: %v, want %v\n%s", schema, n, got, in(n), gbnf)
		}
	}
	for _, text := range []string{"-0", "00", "01", "-01", "+1", "1.0", "1e1", "", "-", "0x1"} {
		if accepts(text) {
			t.Errorf("%s accepts %q", schema, text)
		}
	}
}

func keyword(name, value string) string {
	if value == "" {
		return ""
	}
	return `,"` + name + `":` + value
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func TestIntegerExtremes(t *testing.T) {
	tests := []struct {
		bounds         string
		accept, reject []string
	}{
		{`"minimum":-9223372036854775808,"maximum":9223372036854775807`,
			[]string{"-9223372036854775808", "9223372036854775807", "-9223372036854775807", "8999999999999999999", "0"},
			[]string{"-9223372036854775809", "9223372036854775808", "10000000000000000000"}},
		{`"exclusiveMinimum":-9223372036854775808,"exclusiveMaximum":9223372036854775807`,
			[]string{"-9223372036854775807", "9223372036854775806"}, []string{"-9223372036854775808", "9223372036854775807"}},
		{`"minimum":1000000000000000000`, []string{"1000000000000000000", "9999999999999999999"}, []string{"999999999999999999", "10000000000000000000"}},
		{`"maximum":-1e18`, []string{"-1000000000000000000", "-9999999999999999999"}, []string{"-999999999999999999", "0", "-10000000000000000000"}},
		{`"minimum":0`, []string{"0", "999999999999999"}, []string{"-1", "1000000000000000"}},
		{`"minimum":1.5,"maximum":3.5`, []string{"2", "3"}, []string{"1", "4"}},
		{`"minimum":-3.5,"maximum":-1.5`, []string{"-2", "-3"}, []string{"-1", "-4"}},
		{`"minimum":2,"exclusiveMinimum":2,"maximum":5,"exclusiveMaximum":5.5`, []string{"3", "5"}, []string{"2", "6"}},
		{`"minimum":-0.0,"maximum":0`, []string{"0"}, []string{"-0", "1"}},
	}
	for _, test := range tests {
		checkBounds(t, "integer", test.bounds, test.accept, test.reject)
	}
}

// TestNumberBounds compares the grammar of bounds with all decimals of up to two places
// near them, spelled with and without zeros at the end.
func TestNumberBounds(t *testing.T) {
	ends := []string{"", "-1.25", "-1", "-0.5", "-0.05", "0", "0.05", "0.1", "0.25", "0.5", "0.99", "1", "1.5", "9.99", "10"}
	names := [][2]string{{"minimum", "maximum"}, {"exclusiveMinimum", "maximum"}, {"minimum", "exclusiveMaximum"}, {"exclusiveMinimum", "exclusiveMaximum"}}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		lo, hi := ends[rng.IntN(len(ends))], ends[rng.IntN(len(ends))]
		name := names[rng.IntN(len(names))]
		schema := `{"type":"number"` + keyword(name[0], lo) + keyword(name[1], hi) + "}"
		in := func(text string) bool {
			r := rat(text)
			if lo != "" {
				if c := rat(lo).Cmp(r); c > 0 || c == 0 && name[0] != "minimum" {
					return false
				}
			}
			if hi != "" {
				if c := rat(hi).Cmp(r); c < 0 || c == 0 && name[1] != "maximum" {
					return false
				}
			}
			return true
		}
		gbnf, err := FromJSONSchema([]byte(schema))
		if err != nil {
			if lo == "" || hi == "" || rat(lo).Cmp(rat(hi)) < 0 {
				t.Errorf("%s: %v", schema, err)
			}
			continue
		}
		accepts := accepter(t, gbnf)
		for n := -200; n <= 1100; n++ {
			text := big.NewRat(int64(n), 100).FloatString(2)
			short := strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
			for _, text := range []string{text, short, text + "00"} {
				want := in(text) && !(n == 0 && strings.HasPrefix(text, "-"))
				if got := accepts(text); got != want {
					t.Fatalf("%s accepts %s: %v, want %v\n%s", schema, text, got, want, gbnf)
				}
			}
		}
		for _, text := range []string{"-0", "-0.0", "00", "01.5", ".5", "1.", "1e0", "0.1234567890123456"} {
			if accepts(text) && (lo+hi != "" || text[0] != '1' && len(text) < 10) {
				t.Errorf("%s accepts %s\n%s", schema, text, gbnf)
			}
		}
	}
}

func TestNumberDigits(t *testing.T) {
	tests := []struct {
		bounds         string
		accept, reject []string
	}{
		{`"minimum":0,"maximum":1`, []string{"0", "1", "0.5", "0.000001", "1.0", "1.000000", "0.999999"}, []string{"1.000001", "0.0000001", "1.0000000"}},
		{`"exclusiveMinimum":0,"exclusiveMaximum":1`, []string{"0.000001", "0.999999"}, []string{"0", "0.0", "1", "1.0"}},
		{`"minimum":0.12345678,"maximum":0.12345679`, []string{"0.12345678", "0.123456785", "0.12345679"}, []string{"0.123456779", "0.1234567850"}},
		{`"exclusiveMinimum":0.5,"exclusiveMaximum":0.5000000001`, []string{"0.50000000001"}, []string{"0.5", "0.5000000001"}},
		{`"minimum":100000000000`, []string{"100000000000", "999999999999.999", "1000000000000", "999999999999999.999999"}, []string{"99999999999", "1000000000000000", "100000000000.0001"}},
		{`"maximum":-2.5`, []string{"-2.5", "-2.500000", "-999999999.999999", "-2.500001", "-1643723400.5", "-999999999999999"}, []string{"-2.499999", "2.5", "1643723400", "-1000000000000000"}},
		{`"minimum":0,"maximum":18446744073709551615`, []string{"18446744073709551615", "0"}, []string{"18446744073709551615.0", "18446744073709551616"}},
		{`"minimum":1e-3,"maximum":2E-3`, []string{"0.001", "0.0015", "0.002"}, []string{"0.0009", "0.0021"}},
	}
	for _, test := range tests {
		checkBounds(t, "number", test.bounds, test.accept, test.reject)
	}
}

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "e0", "-0.00e7": "e0", "1": "1e0", "10": "1e1", "-1.50": "-15e-1", "0.0012": "12e-4", "12e-4": "12e-4", "1.2E+3": "12e2",
		"1e99999999999999999999": "1e1099511627776", "1e-99999999999999999999": "1e-1099511627776",
	} {
		if got := parseDecimal(text).String(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// checkBounds checks which texts a type with bounds takes.
func checkBounds(t *testing.T, kind, bounds string, accept, reject []string) {
	t.Helper()
	gbnf := mustSchema(t, `{"type":"`+kind+`",`+bounds+`}`)
	accepts := accepter(t, gbnf)
	for _, text := range accept {
		if !accepts(text) {
			t.Errorf("%s rejects %s\n%s", bounds, text, gbnf)
		}
	}
	for _, text := range reject {
		if accepts(text) {
			t.Errorf("%s accepts %s\n%s", bounds, text, gbnf)
		}
	}
}

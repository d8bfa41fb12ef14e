package dataset

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// NoID is the value of [ReaderOptions.IDField] that says that no field is an id.
const NoID = "none"

// An ID is an id as an input's JSON has it: a string as it stands, or a number.
//
// The same rule holds for whatever an id comes from. Numbers that are whole are
// written as whole numbers, 7 for 7.0, others as the shortest decimal that is
// the same number. Strings, among them all that a table of text has, are taken as
// they stand; null and white space alone are no id. Parquet has further types:
// DECIMAL is written with its point, dates and times as ISO 8601 has them, a UUID
// in its usual form, and NaN is no id.
type ID string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (id *ID) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	text, ok := jsonID(value)
	if !ok {
		return &IDTypeError{Found: KindName(value.Kind(), "no JSON")}
	}
	*id = ID(text)
	return nil
}

// IDTypeError says that a value of another kind stands where an id should.
type IDTypeError struct{ Found string }

func (e *IDTypeError) Error() string { return "want " + IDTypes + ", found " + e.Found }

// IDTypes says what an id can be.
const IDTypes = "a string or a number"

// jsonID is the id that a JSON value is, "" where it is none; ok is false for a value of another kind.
func jsonID(value jsontext.Value) (id string, ok bool) {
	switch value.Kind() {
	case 'n':
		return "", true
	case '"':
		return stringID(unquote(value)), true
	case '0':
		return numberID(string(value))
	}
	return "", false
}

// stringID is the id that a string is, "" where it is none.
func stringID(s string) string {
	if IsBlank(s) {
		return ""
	}
	return s
}

// numberID is the id that a JSON number is. Whole numbers may have any length.
func numberID(number string) (id string, ok bool) {
	if !strings.ContainsAny(number, ".eE") {
		if number == "-0" {
			return "0", true
		}
		return number, true
	}
	f, err := strconv.ParseFloat(number, 64)
	return floatID(f, 64), err == nil
}

// floatID is the id that a finite number of so many bits is.
func floatID(f float64, bits int) string {
	if f == 0 {
		return "0"
	}
	if bits < 32 { // what strconv does not know has few digits
		bits = 32
	}
	if math.Abs(f) >= 1e21 || math.Abs(f) < 1e-7 { // as JavaScript writes numbers
		return strconv.FormatFloat(f, 'e', -1, bits)
	}
	return strconv.FormatFloat(f, 'f', -1, bits)
}

package dataset

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// A parquetForm says how the values of a column are written as text: numbers as
// ids are (see [numberID]), DECIMAL with its scale, dates and times in ISO 8601,
// a UUID in its usual form.
type parquetForm struct {
	text func(parquet.Value) (text string, ok bool) // ok is false for what stands for no value, NaN
	kind parquetKind
	bare bool // JSON needs no quotation marks around it
}

type parquetKind int

const (
	parquetString parquetKind = iota
	parquetNumber
	parquetTime // a date, too
	parquetUUID
	parquetBool
	parquetNull
)

// formOf finds the form of a leaf's values by its type.
func formOf(leaf *parquet.Column) parquetForm {
	var logical format.LogicalTypeValue
	if t := leaf.Type().LogicalType(); t != nil {
		logical = t.Value
	}
	kind := leaf.Type().Kind()
	switch t := logical.(type) {
	case *format.NullType:
		return parquetForm{text: func(parquet.Value) (string, bool) { return "", false }, kind: parquetNull}
	case *format.DecimalType:
		scale := int(t.Scale)
		return parquetForm{text: func(v parquet.Value) (string, bool) { return decimalText(unscaled(v), scale), true }, kind: parquetNumber, bare: true}
	case *format.DateType:
		return timeForm(func(v parquet.Value) string {
			return time.Unix(int64(v.Int32())*24*60*60, 0).UTC().Format(time.DateOnly)
		})
	case *format.TimeType:
		unit := unitOf(&t.Unit)
		return timeForm(func(v parquet.Value) string {
			return time.Unix(0, wholeNumber(v)*int64(unit)).UTC().Format("15:04:05.999999999")
		})
	case *format.TimestampType:
		unit, layout := unitOf(&t.Unit), "2006-01-02T15:04:05.999999999"
		if t.IsAdjustedToUTC {
			layout += "Z"
		}
		perSecond := int64(time.Second / unit)
		return timeForm(func(v parquet.Value) string {
			n := wholeNumber(v)
			return time.Unix(n/perSecond, n%perSecond*int64(unit)).UTC().Format(layout)
		})
	case *format.UUIDType:
		return parquetForm{text: func(v parquet.Value) (string, bool) { return uuidText(v.ByteArray()), true }, kind: parquetUUID}
	case *format.Float16Type:
		return floatForm(16, func(v parquet.Value) float64 { return float16(v.ByteArray()) })
	case *format.IntType:
		if !t.IsSigned && kind == parquet.Int32 {
			return numberForm(func(v parquet.Value) string { return strconv.FormatUint(uint64(v.Uint32()), 10) })
		} else if !t.IsSigned {
			return numberForm(func(v parquet.Value) string { return strconv.FormatUint(v.Uint64(), 10) })
		}
	}
	switch kind {
	case parquet.Boolean:
		return parquetForm{text: func(v parquet.Value) (string, bool) { return strconv.FormatBool(v.Boolean()), true }, kind: parquetBool, bare: true}
	case parquet.Int32, parquet.Int64:
		return numberForm(func(v parquet.Value) string { return strconv.FormatInt(wholeNumber(v), 10) })
	case parquet.Int96:
		return timeForm(func(v parquet.Value) string {
			n := v.Int96() // nanoseconds of the day, and a Julian day
			days := int64(n[2]) - 2440588
			return time.Unix(days*24*60*60, int64(uint64(n[0])|uint64(n[1])<<32)).UTC().Format("2006-01-02T15:04:05.999999999Z")
		})
	case parquet.Float:
		return floatForm(32, func(v parquet.Value) float64 { return float64(v.Float()) })
	case parquet.Double:
		return floatForm(64, func(v parquet.Value) float64 { return v.Double() })
	}
	return parquetForm{text: func(v parquet.Value) (string, bool) { return string(v.ByteArray()), true }}
}

func numberForm(text func(parquet.Value) string) parquetForm {
	return parquetForm{text: func(v parquet.Value) (string, bool) { return text(v), true }, kind: parquetNumber, bare: true}
}

func timeForm(text func(parquet.Value) string) parquetForm {
	return parquetForm{text: func(v parquet.Value) (string, bool) { return text(v), true }, kind: parquetTime}
}

func floatForm(bits int, number func(parquet.Value) float64) parquetForm {
	return parquetForm{kind: parquetNumber, bare: true, text: func(v parquet.Value) (string, bool) {
		f := number(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return "", false
		}
		return floatID(f, min(bits, 64)), true
	}}
}

func wholeNumber(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

func unitOf(u *format.TimeUnit) time.Duration {
	if u.Value == nil {
		return time.Millisecond
	}
	return u.Value.Duration()
}

// unscaled is a DECIMAL without its point: a whole number, or one in bytes, the highest first.
func unscaled(v parquet.Value) *big.Int {
	switch v.Kind() {
	case parquet.Int32, parquet.Int64:
		return big.NewInt(wholeNumber(v))
	}
	b := v.ByteArray()
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// decimalText puts the point into a DECIMAL, without zeros at the end.
func decimalText(n *big.Int, scale int) string {
	text := n.String()
	if scale <= 0 {
		return text
	}
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	if zeros := scale + 1 - len(text); zeros > 0 {
		text = strings.Repeat("0", zeros) + text
	}
	whole, fraction := text[:len(text)-scale], strings.TrimRight(text[len(text)-scale:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

func uuidText(b []byte) string {
	if len(b) != 16 {
		return hex.EncodeToString(b)
	}
	h := hex.EncodeToString(b)
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// float16 is a number in IEEE 754's half precision, the lower byte first.
func float16(b []byte) float64 {
	if len(b) != 2 {
		return math.NaN()
	}
	bits := binary.LittleEndian.Uint16(b)
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	f := math.Ldexp(fraction, -24)
	switch exponent {
	case 31:
		return math.NaN() // or infinite
	case 0:
	default:
		f = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits>>15 == 1 {
		f = -f
	}
	return f
}

// isListType reports whether a group is annotated as a list.
func isListType(node *parquet.Column) bool {
	t := node.Type().LogicalType()
	if t == nil {
		return false
	}
	_, ok := t.Value.(*format.ListType)
	return ok
}

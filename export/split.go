package export

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// A Split is one of the parts that records are dealt to.
type Split struct {
	Name  string
	Share float64 // of all records, above 0 and up to 1
}

// Splits deal records by their ids alone, so the same id comes to the same
// part whatever stands beside it and in whatever order.
type Splits struct {
	Parts []Split // with shares of 1 together; none is one part, "train"
	Seed  uint64
}

var splitName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

// ParseSplits reads NAME=SHARE, with a comma between two.
func ParseSplits(text string) ([]Split, error) {
	var parts []Split
	sum := 0.0
	for part := range strings.SplitSeq(text, ",") {
		name, number, found := strings.Cut(part, "=")
		if name = strings.TrimSpace(name); !found || !splitName.MatchString(name) {
			return nil, fmt.Errorf("%q: it must be NAME=SHARE, the name of letters, digits and _", part)
		}
		share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(share > 0 && share <= 1) {
			return nil, fmt.Errorf("%q: the share must be a number above 0 and up to 1", part)
		}
		if slices.ContainsFunc(parts, func(s Split) bool { return strings.EqualFold(s.Name, name) }) {
			return nil, fmt.Errorf("the part %s is there twice", name)
		}
		parts = append(parts, Split{name, share})
		sum += share
	}
	if math.Abs(sum-1) > 1e-6 {
		return nil, fmt.Errorf("the shares add up to %s; they must add up to 1", strconv.FormatFloat(sum, 'g', 6, 64))
	}
	return parts, nil
}

// of is the index of the part that a record belongs to: the first eight bytes
// of SHA-256 of "SEED:ID", as a fraction of 1, lie in its share. The sentences
// of one text have the text's id, so that none of them is trained on and
// another tested.
func (s Splits) of(id string) int {
	if len(s.Parts) < 2 {
		return 0
	}
	sum := sha256.Sum256(append(append(strconv.AppendUint(nil, s.Seed, 10), ':'), textID(id)...))
	at := float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
	for i, part := range s.Parts {
		if at -= part.Share; at < 0 {
			return i
		}
	}
	return len(s.Parts) - 1 // shares of a little less than 1
}

// textID is the id of a sentence's text, and else the id itself.
func textID(id string) string {
	text := dataset.SentenceTextID(id)
	number := strings.TrimPrefix(id[len(text):], "#")
	if text == "" || number == "" || strings.Trim(number, "0123456789") != "" {
		return id
	}
	return text
}

// ErrEmptyPart is a part of a split that no record was dealt to. datasets loads
// no folder with such a part, and nothing can be trained or tested on it.
var ErrEmptyPart = errors.New("no record was dealt to a part")

// check refuses parts without records.
func (s Splits) check(counts []int) error {
	for i, part := range s.Parts {
		if counts[i] == 0 && len(s.Parts) > 1 {
			return fmt.Errorf("%w: %s", ErrEmptyPart, part.Name)
		}
	}
	return nil
}

// dealt says how many records each part got.
func (s Splits) dealt(counts []int) notes {
	if len(s.Parts) < 2 {
		return nil
	}
	var list []string
	for i, part := range s.Parts {
		list = append(list, part.Name+" "+counted(counts[i], "record"))
	}
	return notes{strings.Join(list, ", ")}
}

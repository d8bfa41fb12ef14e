package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
)

// rejectSamples is how many ids are kept for each code.
const rejectSamples = 5

// Rejects counts what a reject log holds.
type Rejects struct {
	Records int
	Codes   []RejectCode // most frequent first
}

// RejectCode is one reason: how many rejected records have it, and the ids of the first of them.
type RejectCode struct {
	Code    string
	Records int
	IDs     []string
}

// ReadRejects reads a reject log. The name appears in errors.
func ReadRejects(src io.Reader, name string) (*Rejects, error) {
	total := 0
	byCode := make(map[string]*RejectCode)
	for lines := dataset.NewJSONReader(src, 0); ; {
		line, err := lines.Next()
		if err == io.EOF {
			return &Rejects{Records: total, Codes: sortedCodes(byCode)}, nil
		}
		var reject dataset.Reject
		if err == nil {
			err = json.Unmarshal(line, &reject)
		}
		if err == nil && len(reject.Reasons) == 0 {
			err = errors.New("no reasons, so it is no line of a reject log")
		}
		if err != nil {
			return nil, fmt.Errorf("reject log %s: %w", lines.At(name), err)
		}
		total++
		addReasons(byCode, reject.Reasons, reject.SrcID)
	}
}

// addReasons counts each code of one record once.
func addReasons(byCode map[string]*RejectCode, reasons []dataset.Reason, id string) {
	for i, reason := range reasons {
		if slices.ContainsFunc(reasons[:i], func(r dataset.Reason) bool { return r.Code == reason.Code }) {
			continue
		}
		c := byCode[reason.Code]
		if c == nil {
			c = &RejectCode{Code: reason.Code}
			byCode[reason.Code] = c
		}
		c.Records++
		if len(c.IDs) < rejectSamples {
			c.IDs = append(c.IDs, clip(id))
		}
	}
}

// clip shortens an id that would fill the page, and frees the line it was cut from.
func clip(id string) string {
	const most = 80
	if utf8.RuneCountInString(id) <= most {
		return strings.Clone(id)
	}
	return string([]rune(id)[:most]) + "…"
}

func sortedCodes(byCode map[string]*RejectCode) []RejectCode {
	codes := make([]RejectCode, 0, len(byCode))
	for _, c := range byCode {
		codes = append(codes, *c)
	}
	slices.SortFunc(codes, func(a, b RejectCode) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Code, b.Code))
	})
	return codes
}

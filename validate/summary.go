package validate

import (
	"slices"
	"strconv"
	"strings"
)

// Summary counts what a stream held.
type Summary struct {
	Records int                 `json:"records"` // lines
	Valid   int                 `json:"valid"`
	Invalid int                 `json:"invalid"`
	Fixed   int                 `json:"fixed"`   // valid records that were changed to be so
	Changes int                 `json:"changes"` // made to them
	Steps   []StepCount         `json:"steps"`   // the card's seven, in its order
	Codes   map[string]int      `json:"codes"`   // records that have each code of a problem
	Fixes   map[string]int      `json:"fixes"`   // changes of each code
	Samples map[string][]string `json:"samples"` // for each code of either kind the src_id of the first records, or "line N"
}

// StepCount says how many records came through one of the card's checks. Where
// a record's schema is at fault its content is not checked, and a record with
// too many problems is not checked to its end.
type StepCount struct {
	Step      string `json:"step"`
	Passed    int    `json:"passed"`
	Failed    int    `json:"failed"`
	Unchecked int    `json:"unchecked"`
}

// NewSummary returns the summary of no records.
func NewSummary() Summary {
	s := Summary{Codes: map[string]int{}, Fixes: map[string]int{}, Samples: map[string][]string{}}
	for _, step := range Steps() {
		s.Steps = append(s.Steps, StepCount{Step: step})
	}
	return s
}

// stepOf gives the place in Steps of each code of a problem.
var stepOf = func() map[string]int {
	places := map[string]int{}
	for _, c := range Codes() {
		places[c.Code] = slices.Index(Steps(), c.Step)
	}
	return places
}()

// add counts one result, keeping the ids of up to samples records for a code.
func (s *Summary) add(res *Result, samples int) {
	s.Records++
	if len(res.Problems) == 0 {
		s.Valid++
		for i := range s.Steps {
			s.Steps[i].Passed++
		}
		if len(res.Changes) > 0 {
			s.Fixed++
			s.Changes += len(res.Changes)
		}
		for i, c := range res.Changes {
			s.Fixes[c.Code]++
			if !slices.ContainsFunc(res.Changes[:i], func(b Change) bool { return b.Code == c.Code }) {
				s.sample(c.Code, res, samples)
			}
		}
		return
	}
	s.Invalid++
	var failed uint // bit i for Steps[i]
	toTheEnd := res.checked
	for i, p := range res.Problems {
		failed |= 1 << stepOf[p.Code]
		toTheEnd = toTheEnd && p.Code != CodeLimitProblems
		if slices.ContainsFunc(res.Problems[:i], func(b Problem) bool { return b.Code == p.Code }) {
			continue
		}
		s.Codes[p.Code]++
		s.sample(p.Code, res, samples)
	}
	for i := range s.Steps {
		switch step := &s.Steps[i]; {
		case failed&(1<<i) != 0:
			step.Failed++
		case toTheEnd || step.Step == stepLogging:
			step.Passed++
		default:
			step.Unchecked++
		}
	}
}

func (s *Summary) sample(code string, res *Result, samples int) {
	if len(s.Samples[code]) < samples {
		s.Samples[code] = append(s.Samples[code], res.name())
	}
}

// Merge adds what another stream held, keeping up to samples ids for a code.
func (s *Summary) Merge(other Summary, samples int) {
	s.Records += other.Records
	s.Valid += other.Valid
	s.Invalid += other.Invalid
	s.Fixed += other.Fixed
	s.Changes += other.Changes
	for i, step := range other.Steps {
		s.Steps[i].Passed += step.Passed
		s.Steps[i].Failed += step.Failed
		s.Steps[i].Unchecked += step.Unchecked
	}
	for code, n := range other.Codes {
		s.Codes[code] += n
	}
	for code, n := range other.Fixes {
		s.Fixes[code] += n
	}
	for code, ids := range other.Samples {
		all := append(s.Samples[code], ids...)
		s.Samples[code] = all[:min(samples, len(all))]
	}
}

// name is what the record is called in a summary, in memory of its own.
func (res *Result) name() string {
	if res.Record != nil && res.Record.SrcID != "" {
		return strings.Clone(clip(res.Record.SrcID))
	}
	return "line " + strconv.Itoa(res.Line)
}

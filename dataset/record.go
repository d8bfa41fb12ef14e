package dataset

import (
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Level is the value of every record's level field.
const Level = "level2"

// Provider is the value of the provider field in records that emospan makes.
const Provider = "emospan"

// Record is one tagged text.
type Record struct {
	SrcID       string   `json:"src_id"`
	Model       string   `json:"model"`
	Provider    string   `json:"provider"`
	Prompt      string   `json:"prompt"`
	Level       string   `json:"level"`
	Predictions []string `json:"predictions"`
	Text        string   `json:"text"`
	Data        Data     `json:"data"`
}

// Data is the tokenised text: Tokens and Labels have the same length, and
// Spans lie over token indices in ascending order without overlap.
type Data struct {
	Tokens []string `json:"tokens"`
	Labels []string `json:"labels"`
	Spans  []Span   `json:"spans"`
}

// Span is one run of tokens that carries an emotion. Start and End are token
// indices, both inclusive.
type Span struct {
	Type    string `json:"type"`
	Subtype string `json:"subtype"`
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Text    string `json:"text"`
	Attrs   Attrs  `json:"attrs"`
}

// AppendJSON appends the record to dst as one line of JSON without a newline.
// Equal records give equal bytes: keys in a fixed order, no white space,
// strings escaped only where JSON demands it, nil slices as [], and Confidence
// as a decimal with a point, so that a reader which infers a column's type
// from its first rows sees a float even in 0.0 and 1.0.
//
// Invalid UTF-8 and a Confidence that is not finite are errors; dst is then
// returned at its old length.
func (r *Record) AppendJSON(dst []byte) ([]byte, error) {
	w := jsonWriter{dst: dst}
	w.str(`{"src_id":`, r.SrcID)
	w.str(`,"model":`, r.Model)
	w.str(`,"provider":`, r.Provider)
	w.str(`,"prompt":`, r.Prompt)
	w.str(`,"level":`, r.Level)
	w.strs(`,"predictions":`, r.Predictions)
	w.str(`,"text":`, r.Text)
	w.strs(`,"data":{"tokens":`, r.Data.Tokens)
	w.strs(`,"labels":`, r.Data.Labels)
	w.raw(`,"spans":[`)
	for i := range r.Data.Spans {
		if i > 0 {
			w.raw(`,`)
		}
		w.span(&r.Data.Spans[i])
	}
	w.raw(`]}}`)
	if w.err != nil {
		return dst, fmt.Errorf("record %q: %w", r.SrcID, w.err)
	}
	return w.dst, nil
}

// jsonWriter appends members of a JSON object; the first error sticks.
type jsonWriter struct {
	dst     []byte
	err     error
	lenient bool // invalid UTF-8 becomes U+FFFD in place of an error
}

func (w *jsonWriter) raw(s string) { w.dst = append(w.dst, s...) }

func (w *jsonWriter) str(key, s string) {
	w.raw(key)
	var err error
	w.dst, err = jsontext.AppendQuote(w.dst, s)
	if err != nil && !w.lenient && w.err == nil {
		w.err = fmt.Errorf("invalid UTF-8 in %q", s)
	}
}

func (w *jsonWriter) int(key string, n int64) {
	w.raw(key)
	w.dst = strconv.AppendInt(w.dst, n, 10)
}

func (w *jsonWriter) strs(key string, list []string) {
	w.raw(key)
	w.raw(`[`)
	sep := ``
	for _, s := range list {
		w.str(sep, s)
		sep = `,`
	}
	w.raw(`]`)
}

func (w *jsonWriter) span(s *Span) {
	w.str(`{"type":`, s.Type)
	w.str(`,"subtype":`, s.Subtype)
	w.int(`,"start":`, int64(s.Start))
	w.int(`,"end":`, int64(s.End))
	w.str(`,"text":`, s.Text)
	a := &s.Attrs
	w.str(`,"attrs":{"valence":`, a.Valence)
	w.str(`,"intensity":`, a.Intensity)
	w.str(`,"certainty":`, a.Certainty)
	w.str(`,"temporality":`, a.Temporality)
	w.str(`,"source":`, a.Source)
	w.str(`,"emotion_group":`, a.EmotionGroup)
	w.int(`,"sentence_index":`, int64(a.SentenceIndex))
	w.int(`,"clause_index":`, int64(a.ClauseIndex))
	w.float(`,"confidence":`, a.Confidence)
	w.str(`,"target_text":`, a.TargetText)
	w.str(`,"target_relation":`, a.TargetRelation)
	for i := range a.Further {
		w.str(`,`, a.Further[i].Name)
		w.str(`:`, a.Further[i].Value)
	}
	w.raw(`}}`)
}

func (w *jsonWriter) float(key string, f float64) {
	w.raw(key)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		if w.err == nil {
			w.err = fmt.Errorf("confidence %v is not a JSON number", f)
		}
		return
	}
	w.dst = strconv.AppendFloat(w.dst, f, 'f', -1, 64)
	if f == math.Trunc(f) {
		w.raw(`.0`)
	}
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/emospan/emospan/validate"
	"github.com/go-json-experiment/json/jsontext"
)

// maxLabels bounds the different labels that are looked at, far above the emotions of any taxonomy.
const maxLabels = 1000

// logSurvey is what a first reading of a reject log tells.
type logSurvey struct {
	rejects int
	ids     dataset.IDSet
	seed    int64             // the highest
	decode  string            // the first one named
	ordered bool              // by their places, each of its own
	placed  int               // that have one
	last    int               // the last place
	labels  map[string]string // that came with texts, and the first id of each

	texts    int            // to be run again
	done     int            // that the output has already
	helpless map[string]int // by the code for which running again cannot help
}

func surveyLog(path string, places *placing) (*logSurvey, error) {
	s := &logSurvey{ordered: true, last: -1, labels: map[string]string{}, helpless: map[string]int{}}
	return s, eachReject(path, func(_ []byte, r *dataset.Reject) error {
		s.rejects++
		s.ids.Add(r.SrcID, path, s.rejects)
		s.seed = max(s.seed, r.Seed)
		if s.decode == "" {
			s.decode = r.Decode
		}
		if s.ordered {
			place, err := places.of(r)
			if err != nil && !errors.Is(err, errNoPlace) {
				return err
			}
			if place >= 0 {
				s.ordered = err == nil && place > s.last
				s.placed++
				s.last = place
			}
		}
		for _, label := range r.Labels {
			if _, ok := s.labels[label]; !ok && len(s.labels) < maxLabels {
				s.labels[label] = r.SrcID
			}
		}
		return nil
	})
}

// checkLabels refuses a log that a prompt about labels has nothing to ask about, or not what the taxonomy calls an emotion.
func (l *logSurvey) checkLabels(path string, prompt *tagger.Prompt, tax *dataset.Taxonomy) error {
	if len(l.labels) == 0 {
		return dataError("%s holds no labels, which --prompt %s asks about; tag those lines of the input again, or give another --prompt", path, prompt.Name)
	}
	for _, label := range slices.Sorted(maps.Keys(l.labels)) {
		if _, ok := tax.Emotion(label); !ok {
			return dataError("%s: the label %q of %q is no emotion of the taxonomy %s; give that of the run by --taxonomy", path, label, l.labels[label], tax.Name())
		}
	}
	return nil
}

// outputSurvey is what a first reading of the output tells.
type outputSurvey struct {
	records int
	texts   map[string]string                         // of the records whose ids the log has
	another func(r *dataset.Reject, flag string) bool // reports whether a flag is another than it was for a reject
}

func surveyOutput(path string, log *logSurvey, tax *dataset.Taxonomy) (*outputSurvey, error) {
	s := &outputSurvey{texts: map[string]string{}}
	return s, eachRecord(path, tax, func(_ []byte, r *dataset.Record) error {
		s.records++
		if log.ids.Has(r.SrcID) {
			s.texts[r.SrcID] = r.Text
		}
		return nil
	})
}

// has reports whether the sample is in the output already: an earlier retry came so far and no further.
func (s *outputSurvey) has(r *dataset.Reject) bool {
	text, ok := s.texts[r.SrcID]
	return ok && text == r.Text
}

// runs reports whether a sample is run again: it has a text, its id is not another record's, and nothing is helpless.
func (s *outputSurvey) runs(r *dataset.Reject) bool {
	_, taken := s.texts[r.SrcID]
	return r.Text != "" && !taken && s.helpless(r) == ""
}

// helpless is the code of a reject for which running it again cannot help, "" where there is none.
func (s *outputSurvey) helpless(r *dataset.Reject) string {
	for _, reason := range r.Reasons {
		if c := explain(reason.Code); !c.helps(func(flag string) bool { return s.another(r, flag) }) {
			return reason.Code
		}
	}
	return ""
}

// compare finds what there is to do.
func (l *logSurvey) compare(path string, there *outputSurvey) error {
	return eachReject(path, func(_ []byte, r *dataset.Reject) error {
		switch {
		case there.has(r):
			l.done++
		case there.runs(r):
			l.texts++
		default:
			if code := there.helpless(r); code != "" {
				l.helpless[code]++
			}
		}
		return nil
	})
}

// nothing says why no reject of a log is run again, and what would help.
func (l *logSurvey) nothing(path string) error {
	var why []string
	for _, code := range byCount(l.helpless) {
		c := explain(code)
		why = append(why, fmt.Sprintf("%s (%d): %s; %s", code, l.helpless[code], c.meaning, c.advice))
	}
	if len(why) == 0 {
		return dataError("none of the %d rejects of %s has a text and an id of its own to be run again by; mend those lines of the input and tag them", l.rejects, path)
	}
	return dataError("running the rejects of %s again cannot help: %s", path, strings.Join(why, "; "))
}

// eachReject calls f for every line of a reject log, until it returns an error; io.EOF ends it without one.
func eachReject(path string, f func(raw []byte, r *dataset.Reject) error) error {
	return eachLine(path, func(line int, raw []byte) error {
		r, err := dataset.ParseReject(raw)
		if err != nil {
			return dataError("%s:%d: %w; name a reject log, as tag and validate write them", path, line, err)
		}
		return f(raw, r)
	})
}

// eachRecord calls f for every record of an output. What it is given is used again for the next.
func eachRecord(path string, tax *dataset.Taxonomy, f func(raw []byte, r *dataset.Record) error) error {
	return eachLine(path, func(line int, raw []byte) error {
		r, err := parseRecord(path, line, raw, tax)
		if err != nil {
			return err
		}
		return f(raw, r)
	})
}

func parseRecord(path string, line int, raw []byte, tax *dataset.Taxonomy) (*dataset.Record, error) {
	r, problems := validate.Decode(raw, tax)
	if len(problems) > 0 {
		return nil, dataError("%s:%d is not a record (%s); emospan validate says what is wrong with it", path, line, problems[0].Code)
	}
	return r, nil
}

// liesInLines reports whether a file's values lie one a line, as what this program writes.
func liesInLines(path string) (bool, error) {
	src, err := dataset.OpenStream(path)
	if err != nil {
		return false, err
	}
	defer src.Close()
	values := dataset.NewJSONReader(src, 0)
	values.Next() // an error comes again
	return values.OneALine(), nil
}

func eachLine(path string, f func(line int, raw []byte) error) error {
	src, err := dataset.OpenStream(path)
	if err != nil {
		return err
	}
	defer src.Close()
	lines := dataset.NewJSONReader(src, 0)
	for {
		raw, err := lines.Next()
		if err == nil {
			err = f(lines.Line(), raw)
		} else if err != io.EOF {
			err = fmt.Errorf("%s: %w; mend the file", lines.At(path), err)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// merging writes an output anew with more records in it, and a log without them, and then puts them into place. Nothing that
// is there is touched before finish.
type merging struct {
	into    io.ReadCloser // the output as it was
	name    string
	lines   *dataset.JSONReader
	tax     *dataset.Taxonomy
	records int // in it
	copied  int

	ordered bool
	places  *placing
	rejects int // of the log that have a place and are done with
	kept    int

	out, log, sentences *dataset.Writer // the last is nil where the file of sentences stays where it is
	temp                []string        // names of them until finish
	sentencesFrom       string
	files               struct{ out, log, sentences, manifest string }
	old                 *dataset.Manifest // the output's
	counts              dataset.Manifest  // what its counts will be
}

func newMerging(o *retryOptions, old *dataset.Manifest, log *logSurvey, there *outputSurvey, tax *dataset.Taxonomy) (*merging, error) {
	m := &merging{name: o.into, sentencesFrom: o.sentences, tax: tax, records: there.records, old: old}
	m.files.out, m.files.log, m.files.manifest = o.into, o.log, o.manifest
	if o.out != "" {
		m.files.out, m.files.log, m.files.manifest = o.out, o.out+rejectsSuffix, o.out+manifestSuffix
	}
	// The accepted records have the numbers that the rejects leave, so there must be as many before the last of these.
	m.ordered = log.ordered && log.last-(log.placed-log.done-1) <= there.records
	m.counts.Emotions, m.counts.RejectCodes = map[string]int{}, map[string]int{}

	var err error
	if m.places, err = newPlacing(o, old); err != nil {
		return nil, err
	}
	if m.into, err = dataset.OpenStream(o.into); err != nil {
		m.places.close()
		return nil, err
	}
	m.lines = dataset.NewJSONReader(m.into, 0)
	if o.out != "" && m.places.sentences != nil {
		m.files.sentences = o.out + sentencesSuffix
	}
	err = followLinks(&m.files.log, &m.files.manifest, &m.files.sentences)
	if err == nil {
		err = checkManifest(m.files.manifest, true)
	}
	if err != nil {
		m.discard()
		return nil, err
	}
	for _, w := range []struct {
		path   string
		writer **dataset.Writer
	}{{m.files.out, &m.out}, {m.files.log, &m.log}, {m.files.sentences, &m.sentences}} {
		if w.path == "" {
			continue
		}
		// Beside its place, and with its ending, which decides the compression.
		name := filepath.Join(filepath.Dir(w.path), fmt.Sprintf(".retry-%d-%s", os.Getpid(), filepath.Base(w.path)))
		if *w.writer, err = createOutput(name, true); err != nil {
			m.discard()
			return nil, err
		}
		m.temp = append(m.temp, name)
	}
	return m, nil
}

// accept writes a record, which was rejected so far, behind those of the output that come before it.
func (m *merging) accept(was *dataset.Reject, r *dataset.Record) error {
	if err := m.done(was); err != nil {
		return err
	}
	m.counts.Accepted++
	tally(&m.counts, r, 1)
	return m.out.Write(r)
}

func (m *merging) reject(r *dataset.Reject) error {
	if err := m.done(r); err != nil {
		return err
	}
	m.counts.Rejected++
	tallyCodes(&m.counts, r.Reasons, 1)
	return m.log.Write(r)
}

// keep leaves a line of the log as it was.
func (m *merging) keep(raw []byte, r *dataset.Reject) error {
	if err := m.done(r); err != nil {
		return err
	}
	m.kept++
	m.counts.Rejected++
	tallyCodes(&m.counts, r.Reasons, 1)
	return m.log.Write(rawLine(raw))
}

// done copies the records before the place of a reject of the log: all of them where the log does not say where that is.
func (m *merging) done(r *dataset.Reject) error {
	if !m.ordered {
		return m.copy(m.records)
	}
	place, err := m.places.of(r)
	if err != nil {
		return fmt.Errorf("%w; the files changed while they were read: try again", err)
	}
	if place < 0 {
		return nil
	}
	m.rejects++
	return m.copy(place - (m.rejects - 1))
}

// copy goes on with the output as it was until n of its records are written.
func (m *merging) copy(n int) error {
	for m.copied < n {
		raw, err := m.lines.Next()
		if err != nil {
			return fmt.Errorf("%s: %w; it changed while it was read: try again", m.lines.At(m.name), err)
		}
		r, err := parseRecord(m.name, m.lines.Line(), raw, m.tax)
		if err != nil {
			return err
		}
		m.copied++
		m.counts.Accepted++
		tally(&m.counts, r, 1)
		if err := m.out.Write(rawLine(raw)); err != nil {
			return err
		}
	}
	return nil
}

// finish copies the rest and puts the files into place: the output first, so that a sample is in both rather than in none
// if the machine stops in between.
func (m *merging) finish(run *dataset.Manifest, retry dataset.Retry) error {
	if err := m.copy(m.records); err != nil {
		return err
	}
	if m.sentences != nil {
		if err := m.copySentences(); err != nil {
			return err
		}
	}
	for _, w := range []*dataset.Writer{m.out, m.log, m.sentences} {
		if w == nil {
			continue
		}
		if err := w.Sync(); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	for i, path := range []string{m.files.out, m.files.log, m.files.sentences}[:len(m.temp)] {
		if err := os.Rename(m.temp[i], path); err != nil {
			return fmt.Errorf("%w; what was there is as it was", err)
		}
	}
	m.temp = nil
	total := *m.old
	if total.Started.IsZero() { // there was none
		total = *run
	}
	total.Output, total.Records = m.files.out, m.counts.Accepted+m.counts.Rejected
	total.Accepted, total.Rejected, total.RejectCodes = m.counts.Accepted, m.counts.Rejected, m.counts.RejectCodes
	total.Spans, total.Emotions = m.counts.Spans, m.counts.Emotions
	total.Retries = append(total.Retries, retry)
	return total.WriteFile(m.files.manifest)
}

// copySentences writes the file of sentences anew beside another output: no sentence has moved.
func (m *merging) copySentences() error {
	return eachLine(m.sentencesFrom, func(_ int, raw []byte) error { return m.sentences.Write(rawLine(raw)) })
}

// discard removes what finish has not put into place.
func (m *merging) discard() {
	m.into.Close()
	m.places.close()
	for _, w := range []*dataset.Writer{m.out, m.log, m.sentences} {
		if w != nil {
			w.Close()
		}
	}
	for _, name := range m.temp {
		os.Remove(name)
	}
}

// rawLine is JSON that is written as it was read, on one line.
type rawLine []byte

func (l rawLine) AppendJSON(dst []byte) ([]byte, error) {
	if bytes.IndexByte(l, '\n') < 0 {
		return append(dst, l...), nil
	}
	value := jsontext.Value(bytes.Clone(l))
	err := value.Compact(jsontext.AllowDuplicateNames(true))
	return append(dst, value...), err
}

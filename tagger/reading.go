package tagger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/internal/linear"
)

// A StateModel is a Model that has the hidden states of the rows of a batch. A Calibration needs one.
type StateModel interface {
	Model
	// LayerCount is the number of the model's layers, StateWidth how many numbers the state after each has.
	LayerCount() int
	StateWidth() int
	// States returns the state after a layer for a row of the last batch, a view that is valid until the next Decode. The model has those of
	// the layers that it was opened for; nil for another.
	States(layer, row int) []float32
}

// A textReader passes texts through the model after a calibration's prefix. It belongs to a decoder, whose prefix is the calibration's.
type textReader struct {
	*Calibration
	model StateModel
	after []int32
	words []int32 // of WordScores, the first token of each
}

// newReader prepares the model to read by a calibration, and has the decoder hold its prefix.
func (t *Tagger) newReader(model Model, c *Calibration, progress func(done, total int)) (err error) {
	m, ok := model.(StateModel)
	if !ok {
		return fmt.Errorf("calibration %q: the model gives no hidden states", c.Name)
	}
	if err := c.CheckModel(m.LayerCount(), m.StateWidth()); err != nil {
		return err
	}
	r := &textReader{Calibration: c, model: m}
	start, err := model.Chat(nil, true, false)
	if err != nil {
		return err
	}
	prefix, err := model.Tokenize(c.Prefix)
	if err != nil {
		return err
	}
	if r.after, err = model.Tokenize(c.After); err != nil {
		return err
	}
	if len(r.after) == 0 {
		return fmt.Errorf("calibration %q: the model has no token for %q", c.Name, c.After)
	}
	if s := c.Emotions.WordScores; s != nil {
		for _, w := range s.Words {
			ids, err := model.Tokenize(w.Word)
			if err != nil || len(ids) == 0 {
				return cmp.Or(err, fmt.Errorf("calibration %q: the model has no token for %q", c.Name, w.Word))
			}
			r.words = append(r.words, ids[0])
		}
	}
	prefix = append(slices.Clone(start), prefix...)
	if w, ok := model.(Widener); ok && 2*len(prefix) > model.ContextSize() && w.WideSize() > model.ContextSize() {
		if err := w.Widen(true); err != nil { // for good: most records would ask for it
			return err
		}
		t.single = t.opts.Alike // all sequences now share one cache
	}
	if size := model.ContextSize(); len(prefix)+len(r.after)+answerRoom > size {
		return fmt.Errorf("calibration %q: its prefix takes %d tokens of a context of %d: no room is left for texts", c.Name, len(prefix), size)
	}
	t.reader = r
	t.decoder.prefix, t.decoder.held = prefix, make([]int, model.Sequences())
	return t.decoder.decodePrefix(progress)
}

// A piece is a part of a text that is read in one go.
type piece struct {
	from, to int // words of the document
	tokens   []int32
	first    int   // of tokens, the first of the text
	ends     []int // bytes of the piece at which the text's tokens end
}

// reading is a text that is being read, piece by piece. It belongs to a generation that has no output.
type reading struct {
	pieces   []piece
	done     []*Evidence
	rows     [][]float32 // of the tokens of the piece at hand
	reader   *textReader
	document *document
}

// pieces parts a text: where it is longer than those that the calibration was fitted to, into its sentences.
func (r *textReader) pieces(d *document) ([]piece, error) {
	var list []piece
	if r.Longest == 0 || d.wordCount() <= r.Longest {
		list = append(list, piece{from: 0, to: len(d.words)})
	} else {
		words := false
		for i := range d.words {
			if i == 0 || d.positions[i].Sentence != d.positions[i-1].Sentence && words {
				list = append(list, piece{from: i})
				words = false
			}
			list[len(list)-1].to = i + 1
			words = words || d.boundary[i]
		}
	}
	for i := range list {
		if err := r.tokenize(&list[i], d); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r *textReader) tokenize(p *piece, d *document) error {
	text := d.text[d.words[p.from].Start:d.words[p.to-1].End]
	ids, err := r.model.Tokenize(r.Before + text)
	if err != nil {
		return err
	}
	at := 0
	for i, id := range ids {
		at += len(r.model.Piece(id))
		if at <= len(r.Before) {
			p.first = i + 1
			continue
		}
		p.ends = append(p.ends, at-len(r.Before))
	}
	if p.first == len(ids) { // pieces that do not add up to the text
		p.first, p.ends = 0, make([]int, len(ids))
	}
	// Where a tokenizer changes the text, as by a space at its beginning, bytes are told from the end.
	shift := len(text) - p.ends[len(p.ends)-1]
	for i := range p.ends {
		p.ends[i] += shift
	}
	p.tokens = append(ids, r.after...)
	return nil
}

// read begins to read a text in a sequence.
func (t *Tagger) read(j *job) error {
	pieces, err := t.reader.pieces(j.doc)
	if err != nil {
		return err
	}
	size := t.decoder.wideSize()
	for _, p := range pieces {
		if n := len(t.decoder.prefix) + len(p.tokens); n > size {
			j.result.Reject = t.reject(j.in, nil, t.tooLong(strconv.Itoa(len(p.tokens)), len(t.reader.after)))
			return nil
		}
	}
	a := &answering{decoder: &t.decoder, sequence: j.seat, reading: &reading{pieces: pieces, reader: t.reader, document: j.doc}}
	j.answering = a
	return a.nextPiece()
}

// nextPiece puts the first piece that is left in the queue.
func (a *answering) nextPiece() (err error) {
	p := &a.reading.pieces[0]
	a.reading.rows = make([][]float32, len(p.tokens))
	a.base, a.prompt, err = a.begin(a.sequence, p.tokens)
	a.position, a.queue = a.base, a.prompt
	return err
}

// collect keeps the states of rows of the last batch: n, from row on, of the tokens from a position on.
func (a *answering) collect(row, n int, position int32) error {
	r := a.reading
	for i := range n {
		state := make([]float32, 0, r.reader.size())
		for _, layer := range r.reader.Layers {
			s := r.reader.model.States(layer, row+i)
			if len(s) != r.reader.Width {
				return errors.New("the model gave no hidden states")
			}
			state = append(state, s...)
		}
		r.rows[int(position-a.base)+i] = state
	}
	return nil
}

// pieceRead takes what is known of a piece once all its rows are there. It is done when there is no other.
func (a *answering) pieceRead(logits []float32) (done bool, err error) {
	r := a.reading
	p := r.pieces[0]
	last := len(p.tokens) - 1
	text := r.rows[p.first : len(p.tokens)-len(r.reader.after)]
	e := r.reader.newEvidence(r.document, p.from, p.to, text, p.ends, r.rows[last])
	if r.reader.words != nil {
		e.Values = wordValues(logits, r.reader.words)
	}
	r.done = append(r.done, e)
	if err := a.end(a.sequence); err != nil {
		return false, err
	}
	if r.pieces = r.pieces[1:]; len(r.pieces) > 0 {
		return false, a.nextPiece()
	}
	return true, nil
}

// finishReading makes the result of a text that is read.
func (t *Tagger) finishReading(j *job) {
	defer t.spendOnRecords(time.Now())
	r := j.reading
	j.answering = nil
	j.result.Evidence = r.done
	if t.opts.EvidenceOnly {
		return
	}
	t.settleRead(j, r)
}

// settleRead makes the record of a text from the readings of its pieces.
func (t *Tagger) settleRead(j *job, r *reading) {
	c := t.reader.Calibration
	var chosen []Score
	var spans []foundSpan
	for _, e := range r.done {
		scores := c.EmotionScores(e)
		some := c.Choose(scores, maxPredictions)
		if len(r.done) > 1 && len(some) == 1 && some[0].Emotion == c.Neutral {
			some = c.byWords(e, scores)
		}
		if j.doc.given != nil {
			some = slices.DeleteFunc(scores, func(s Score) bool { return !slices.Contains(j.doc.given, s.Emotion) })
		}
		for _, s := range some {
			if i := slices.IndexFunc(chosen, func(o Score) bool { return o.Emotion == s.Emotion }); i < 0 {
				chosen = append(chosen, s)
			} else if s.Probability > chosen[i].Probability {
				chosen[i] = s
			}
			if s.Emotion != c.Neutral && t.opts.Prompt.Task != LabelsOnly {
				spans = append(spans, c.readSpans(t.opts.Taxonomy, e, s)...)
			}
		}
	}
	if len(chosen) > 1 {
		chosen = slices.DeleteFunc(chosen, func(s Score) bool { return s.Emotion == c.Neutral })
	}
	slices.SortStableFunc(chosen, func(a, b Score) int { return cmp.Compare(b.Probability, a.Probability) })
	if j.doc.given == nil {
		chosen = chosen[:min(len(chosen), maxPredictions)]
	}
	// Of the sentences of a long text the one that is surest of an emotion has its first span.
	slices.SortStableFunc(spans, func(a, b foundSpan) int { return cmp.Compare(b.Attrs.Confidence, a.Attrs.Confidence) })
	kept := fitSpans(spans, chosen)
	predictions := slices.Clone(j.doc.given)
	for _, s := range chosen {
		if j.doc.given != nil {
			break
		}
		if t.opts.Prompt.Task == LabelsOnly || s.Emotion == c.Neutral || slices.ContainsFunc(kept, func(f foundSpan) bool { return f.emotion == s.Emotion }) {
			predictions = append(predictions, s.Emotion)
		}
	}
	if len(predictions) == 0 {
		predictions = []string{c.Neutral}
	}
	list := make([]dataset.Span, len(kept))
	for i, f := range kept {
		s, p := f.Span, j.doc.positions[f.Start]
		s.Text, s.Attrs.SentenceIndex, s.Attrs.ClauseIndex = j.doc.run(s.Start, s.End), p.Sentence, p.Clause
		list[i] = s
	}
	record := t.record(j.in)
	setSpans(record, j.doc, predictions, list)
	t.check(j, nil, record)
}

// A foundSpan is a span with its emotion.
type foundSpan struct {
	dataset.Span
	emotion string
}

// fitSpans keeps the spans of chosen emotions, as many as a record may have, none on another's words, in the text's order. Each emotion
// keeps its first before any keeps its second.
func fitSpans(spans []foundSpan, chosen []Score) []foundSpan {
	var kept []foundSpan
	add := func(s foundSpan) {
		for _, k := range kept {
			if s.Start <= k.End && k.Start <= s.End {
				return
			}
		}
		if len(kept) < maxSpans {
			kept = append(kept, s)
		}
	}
	for _, second := range []bool{false, true} {
		for _, score := range chosen {
			n := 0
			for _, s := range spans {
				if s.emotion != score.Emotion {
					continue
				}
				if n++; n > 1 == second {
					add(s)
				}
			}
		}
	}
	slices.SortFunc(kept, func(a, b foundSpan) int { return a.Start - b.Start })
	return kept
}

// A Score is how much speaks for an emotion.
type Score struct {
	Emotion     string
	Score       float64
	Probability float64
}

// EmotionScores gives the scores of all emotions.
func (c *Calibration) EmotionScores(e *Evidence) []Score {
	r := &c.Emotions
	scores := make([]float64, len(r.Names))
	if r.Map != nil {
		scores = r.Map.Scores(e.TextVector())
	}
	if r.WordScores != nil {
		r.WordScores.Add(e.Values, scores)
	}
	for i := range r.Bags {
		r.Bags[i].add(e.Text, scores)
	}
	list := make([]Score, len(scores))
	for i, s := range scores {
		list[i] = Score{r.Names[i], s, r.Sureness.Probability(s, r.Thresholds[i])}
	}
	return list
}

// Choose gives the emotions that the scores speak for, the surest first, most at most. Neutral stands alone.
func (c *Calibration) Choose(scores []Score, most int) []Score {
	numbers := make([]float64, len(scores))
	for i, s := range scores {
		numbers[i] = s.Score
	}
	var list []Score
	for _, i := range linear.Choose(numbers, c.Emotions.Thresholds, slices.Index(c.Emotions.Names, c.Neutral), most) {
		list = append(list, scores[i])
	}
	return list
}

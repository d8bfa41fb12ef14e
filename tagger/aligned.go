package tagger

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// alignedForm has the model write the card's whole JSON as schemaForm does, and lets it write nothing that contradicts the
// text or what it wrote before. Each stage is made from those before it:
//
//	prediction 1   {"predictions":["annoyance"],"data":{"
//	labels         tokens":["Stop","it","."],"labels":["B-EMO","I-EMO","O"],"spans":[{"
//	span 1         type":"EMO","subtype":"Annoyance","start":0,"end":1,"text":"Stop it","attrs":{…}}]}}
//
// There is a stage for each of the distinct predictions, and for each span, of which there are as many as labels that begin
// one: at least one beside an emotion, none beside neutral.
type alignedForm struct {
	schemaForm
	predictions, labels, span *frame
	first                     stage // the same for every text
}

func newAlignedForm(tax *dataset.Taxonomy) (*alignedForm, error) {
	f := &alignedForm{schemaForm: schemaForm{tax: tax}}
	var b strings.Builder
	attributeRules(&b, tax, dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource)
	rule(&b, "manner", `"\",\"intensity\":\"" intensity "\",\"certainty\":\"" certainty "\",\"temporality\":\"" temporality "\",\"source\":\"" source "\",\"emotion_group\":\""`)
	rule(&b, "confidence", `"0." [0-9] [0-9]`, `"1.00"`)
	targetRules(&b, tax)
	furtherRules(&b, tax)
	for _, part := range []struct {
		frame      **frame
		root, more string
	}{
		{&f.predictions, "prediction", ""},
		{&f.labels, "labels", labelRules(tax.SpanTypes())},
		{&f.span, "span", b.String()},
	} {
		var err error
		if *part.frame, err = newFrame("root ::= "+part.root+"\n"+part.more, part.root); err != nil {
			return nil, err
		}
	}
	f.first = f.prediction(nil)
	return f, nil
}

func (f *alignedForm) frames() []*frame { return []*frame{f.predictions, f.labels, f.span} }

func (f *alignedForm) stages(d *document) plan {
	a := &alignedAnswer{form: f, document: d}
	return a.next
}

// alignedAnswer is what an answer is known to hold.
type alignedAnswer struct {
	form        *alignedForm
	document    *document
	predictions []string
	decided     bool // no further prediction follows
	spans       []dataset.Span
	written     int // of spans, the one being written included
}

// next is the answer's plan.
func (a *alignedAnswer) next(before []byte) (stage, error) {
	switch {
	case before == nil && a.document.given != nil:
		a.predictions, a.decided = a.document.given, true
		return a.form.labelling(a.document, a.document.isNeutral(a.form.tax)), nil
	case before == nil:
		return a.form.first, nil
	case !a.decided:
		name, rest, ok := bytes.Cut(bytes.TrimPrefix(before, []byte(predictionsBegin)), []byte(`"`))
		if !ok {
			return stage{}, fmt.Errorf("%q names no prediction", before)
		}
		a.predictions = append(a.predictions, string(name))
		if a.decided = !bytes.HasPrefix(rest, []byte(`,"`)); !a.decided {
			return a.form.prediction(a.predictions), nil
		}
		return a.form.labelling(a.document, a.predictions[0] == a.form.tax.Neutral()), nil
	case a.spans == nil:
		a.spans = labelledSpans(a.document, before)
	}
	a.written++
	return a.form.describe(a.document, a.predictions, a.spans, a.written-1), nil
}

const predictionsBegin = `{"predictions":["`

// prediction chooses an emotion that is not among those before, and whether it is the last one.
func (f *alignedForm) prediction(before []string) stage {
	g := f.predictions.NewFilling()
	var left []string
	for _, e := range f.tax.Emotions() {
		if e.Name != f.tax.Neutral() && !slices.Contains(before, e.Name) {
			left = append(left, e.Name)
		}
	}
	last := g.Literal(`"],"data":{"`, grammar.End)
	after := last
	if len(left) > 1 && len(before)+1 < maxPredictions {
		after = g.Any(last, g.Literal(`","`, grammar.End))
	}
	var names []grammar.Place
	for _, name := range left {
		names = append(names, g.Literal(escape(name), after))
	}
	begin := ""
	if len(before) == 0 {
		begin = predictionsBegin
		names = append(names, g.Literal(escape(f.tax.Neutral()), last))
	}
	g.Hole("prediction", g.Literal(begin, g.Any(names...)))
	return stage{name: fmt.Sprint("prediction ", len(before)+1), frame: f.predictions, filling: g}
}

// labelling forces the tokens, before them the predictions where they are given, and has the tokens labelled, all O if neutral.
func (f *alignedForm) labelling(d *document, neutral bool) stage {
	g := f.labels.NewFilling()
	var start grammar.Place
	switch {
	case neutral:
		start = g.Literal(strings.Repeat(`O","`, len(d.words)-1)+`O"],"spans":[]}}`, grammar.End)
	case d.runs != nil:
		start = givenLabelling(g, d, f.tax.SpanTypes()[0])
	default:
		start = labels(g, d, f.tax.SpanTypes())
	}
	head := `tokens":` + string(appendStrings(nil, d.tokens())) + `,"labels":["`
	if d.given != nil {
		head = `{"predictions":` + string(appendStrings(nil, d.given)) + `,"data":{"` + head
	}
	g.Hole("labels", g.Literal(head, start))
	return stage{name: "labels", frame: f.labels, filling: g, last: neutral}
}

// describe chooses what there is to choose about the nth span.
func (f *alignedForm) describe(d *document, predictions []string, spans []dataset.Span, n int) stage {
	g := f.span.NewFilling()
	s := spans[n]
	last := n == len(spans)-1
	close := `"}},{"`
	if last {
		close = `"}}]}}`
	}
	end := g.Literal(close, grammar.End)
	for _, v := range slices.Backward(f.tax.Further()) {
		end = g.Literal(`","`+v.Name+`":"`, g.Rule(furtherRule(v), end))
	}
	relation := g.Literal(`","target_relation":"`, g.Rule("relation", end))
	q := newQuotes(d)
	target := g.Any(
		g.Literal(`","target_relation":"`+dataset.RelationNone, end),
		g.Rule("pronoun", relation),
		q.fill(g, func(int) grammar.Place { return relation })[0],
	)
	confidence := g.Rule("confidence", g.Literal(`,"target_text":"`, target))
	indices := g.Literal(`","sentence_index":`+strconv.Itoa(s.Attrs.SentenceIndex)+`,"clause_index":`+strconv.Itoa(s.Attrs.ClauseIndex)+`,"confidence":`, confidence)
	where := fmt.Sprintf(`","start":%d,"end":%d,"text":"%s","attrs":{"valence":"`, s.Start, s.End, escape(s.Text))
	if d.runs != nil {
		predictions = []string{d.runs[n].emotion}
	}
	var subtypes []grammar.Place
	for _, name := range predictions {
		e, _ := f.tax.Emotion(name)
		manner := g.Rule("manner", g.Literal(escape(e.Group), indices))
		var valences []grammar.Place
		for _, v := range e.Valences {
			valences = append(valences, g.Literal(escape(v), manner))
		}
		subtypes = append(subtypes, g.Literal(escape(e.Subtype)+where, g.Any(valences...)))
	}
	g.Hole("span", g.Literal(`type":"`+s.Type+`","subtype":"`, g.Any(subtypes...)))
	return stage{name: fmt.Sprint("span ", n+1), frame: f.span, filling: g, last: last}
}

// encode writes confidence with two decimals, as the grammar has it.
func (f *alignedForm) encode(r *dataset.Record) ([]byte, error) {
	bare := *r
	bare.Data.Spans = nil
	answer, err := f.schemaForm.encode(&bare)
	if err != nil {
		return nil, err
	}
	const end = `]}}`
	answer = answer[:len(answer)-len(end)]
	for i, s := range r.Data.Spans {
		if i > 0 {
			answer = append(answer, ',')
		}
		a := s.Attrs
		answer = fmt.Appendf(answer, `{"type":"%s","subtype":"%s","start":%d,"end":%d,"text":"%s","attrs":{"valence":"%s","intensity":"%s","certainty":"%s",`+
			`"temporality":"%s","source":"%s","emotion_group":"%s","sentence_index":%d,"clause_index":%d,"confidence":%.2f,"target_text":"%s","target_relation":"%s"`,
			s.Type, s.Subtype, s.Start, s.End, escape(s.Text), escape(a.Valence), escape(a.Intensity), escape(a.Certainty),
			escape(a.Temporality), escape(a.Source), escape(a.EmotionGroup), a.SentenceIndex, a.ClauseIndex, a.Confidence, escape(a.TargetText), escape(a.TargetRelation))
		for _, further := range a.Further {
			answer = fmt.Appendf(answer, `,"%s":"%s"`, further.Name, escape(further.Value))
		}
		answer = append(answer, "}}"...)
	}
	return append(answer, end...), nil
}

// limit: the language is finite, so it need only be kept from the longest answers. For each token of the text there may be a
// quoted token and a label, and it may stand in the text and the target of each span.
func (f *alignedForm) limit(textTokens int) int {
	return 24*textTokens + maxSpans*(360+furtherLength(f.tax)) + 160
}

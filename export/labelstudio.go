package export

import (
	"io"
	"strconv"

	"github.com/emospan/emospan/dataset"
)

// labelStudio writes Label Studio's basic JSON: an array of tasks with the
// records as predictions (https://labelstud.io/guide/predictions). The labeling
// configuration must have a Labels tag named "label" and a Choices tag named
// "emotion" for a Text tag named "text" that shows $text. Its editor counts
// offsets in code points (charsToCodePoints in its selection tools).
type labelStudio struct {
	notes
	out   elements
	names Names
	at    layout
}

type labelStudioTask struct {
	Data struct {
		Text  string `json:"text"`
		SrcID string `json:"src_id"`
	} `json:"data"`
	Predictions []labelStudioPrediction `json:"predictions"`
}

type labelStudioPrediction struct {
	ModelVersion string              `json:"model_version"`
	Result       []labelStudioResult `json:"result"`
}

type labelStudioResult struct {
	ID       string   `json:"id"`
	FromName string   `json:"from_name"`
	ToName   string   `json:"to_name"`
	Type     string   `json:"type"`
	Value    any      `json:"value"` // labelStudioChoices or labelStudioRegion
	Score    *float64 `json:"score,omitempty"`
}

// labelStudioChoices are made for the whole text.
type labelStudioChoices struct {
	Choices []string `json:"choices"`
}

type labelStudioRegion struct {
	Start  int      `json:"start"`
	End    int      `json:"end"`
	Text   string   `json:"text"`
	Labels []string `json:"labels"`
}

func newLabelStudio(w io.Writer, o Options) (Writer, error) {
	return &labelStudio{out: elements{w: w, array: true}, names: o.Names}, nil
}

func (l *labelStudio) Write(r *dataset.Record) error {
	if err := l.at.set(r); err != nil {
		return err
	}
	var task labelStudioTask
	task.Data.Text, task.Data.SrcID = r.Text, r.SrcID
	results := []labelStudioResult{{
		ID: "emotion", FromName: "emotion", ToName: "text", Type: "choices", Value: labelStudioChoices{r.Predictions},
	}}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		at := l.at.span(s)
		results = append(results, labelStudioResult{
			ID: "span" + strconv.Itoa(i), FromName: "label", ToName: "text", Type: "labels", Score: &s.Attrs.Confidence,
			Value: labelStudioRegion{at.from, at.to, s.Text, []string{l.names.of(s)}},
		})
	}
	task.Predictions = []labelStudioPrediction{{r.Model, results}}
	return l.out.add(task)
}

func (l *labelStudio) Close() error { return l.out.close() }

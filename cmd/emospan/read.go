package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"

	"github.com/emospan/emospan/calibrate"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
)

// A spansInput is a text with the spans to read; places are bytes, the end excluded.
type spansInput struct {
	ID    string      `json:"id"`
	Text  string      `json:"text"`
	Spans []spanPlace `json:"spans"`
}

type spanPlace struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// A textReading is what is read of a text and its spans.
type textReading struct {
	ID       string             `json:"id"`
	Emotions map[string]float64 `json:"emotions"` // probability of each
	Chosen   []string           `json:"chosen"`
	Spans    []spanReading      `json:"spans"`
}

type spanReading struct {
	spanPlace
	Values        map[string]string             `json:"values"`
	Probabilities map[string]map[string]float64 `json:"probabilities"`
}

func newRead() *cobra.Command {
	var o tagOptions
	cmd := &cobra.Command{
		Use:   "read FILE",
		Short: "Print how probable each value of each field is, for spans that are given",
		Long: `Print, for each line of FILE, the probability of each emotion, and for each span of the line the value
of each attribute with the probabilities of all. A line is a JSON object with a text and its spans, as
bytes with the end excluded: {"id":"7","text":"So glad!","spans":[{"start":3,"end":7}]}. Without
spans the attributes are those of the whole text. This takes a calibration, as tag --calibrate does.`,
		Example: `  emospan read spans.jsonl -o values.jsonl
  emospan read -m llama.gguf --calibrate mine.json spans.jsonl`,
		Args: takes(1, 1, "file", "emospan read spans.jsonl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			o.flags = map[string]string{"calibrate": o.calibrate}
			return runRead(cmd, &o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.model, "model", "m", "", "`NAME` in the store or path of a GGUF file (default: the bundle's, else "+defaultModelName+")")
	f.StringVarP(&o.out, "out", "o", "-", "output `FILE`, - for standard output")
	f.StringVar(&o.calibrate, "calibrate", autoCalibration, "`auto|FILE`: the model's own calibration or a file of emospan calibrate's")
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.IntVar(&o.threads, "threads", 0, "compute threads (default: the cores that this process may use)")
	f.IntVar(&o.parallel, "parallel", 0, "read `N` texts at a time (default: as tag)")
	f.BoolVar(&o.force, "force", false, "replace an existing output")
	return cmd
}

func runRead(cmd *cobra.Command, o *tagOptions) (err error) {
	ctx := cmd.Context()
	o.input, o.decode, o.prompt.name, o.device, o.confidence, o.logLevel, o.topP, o.split, o.fsync, o.progress, o.quiet = string(dataset.FormatAuto), string(tagger.Compact), tagger.Simple, deviceAuto, confidenceAuto, "error", 1, splitNone, fsyncInterval, "never", true
	if err := o.check(); err != nil {
		return err
	}
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return err
	}
	inputs, err := readSpans(o.files[0])
	if err != nil {
		return err
	}
	if _, err := os.Lstat(o.out); err == nil && o.out != "-" && !o.force {
		return errThere(o.out)
	}
	j := &job{opts: *o, stderr: cmd.ErrOrStderr(), taxonomy: tax}
	if j.gpu, err = surveyGPUs(o.device); err != nil {
		return err
	}
	engine, err := j.load(ctx)
	if err != nil {
		return err
	}
	defer engine.Close()
	c := j.calibration
	if c == nil {
		return fmt.Errorf("%s has no calibration; emospan calibrate -m %s makes one", j.model.Name, j.model.Name)
	}
	release := abortWith(ctx, engine)
	defer release()
	prompt, err := o.prompt.load()
	if err != nil {
		return err
	}
	whole := *c
	whole.Longest = 0 // the spans may stand anywhere
	t, err := tagger.New(engine, tagger.Options{ModelName: j.manifest.Model, Prompt: prompt, Taxonomy: tax, Decode: tagger.Compact, Calibration: &whole, EvidenceOnly: true})
	if err != nil {
		return err
	}
	texts := func(yield func(calibrate.Text, error) bool) {
		for i := range inputs {
			if !yield(calibrate.Text{Input: dataset.Input{ID: inputs[i].ID, Text: inputs[i].Text, Index: i}}, nil) {
				return
			}
		}
	}
	write := func(w io.Writer) error {
		b := bufio.NewWriter(w)
		err := readEvidence(ctx, t, iter.Seq2[calibrate.Text, error](texts), func(text calibrate.Text, e *tagger.Evidence) error {
			line, err := json.Marshal(readingOf(c, tax, &inputs[text.Index], e), json.Deterministic(true))
			if err == nil {
				_, err = b.Write(append(line, '\n'))
			}
			return err
		})
		if err != nil {
			return err
		}
		return b.Flush()
	}
	if o.out == "-" {
		err = write(cmd.OutOrStdout())
	} else {
		err = dataset.Replace(o.out, write)
	}
	if ctx.Err() != nil {
		return stoppedEarly(ctx)
	}
	return err
}

// readSpans reads the texts and spans of a file of JSON lines.
func readSpans(file string) ([]spansInput, error) {
	src, err := dataset.OpenStream(file)
	if err != nil {
		return nil, inputError(err)
	}
	defer src.Close()
	lines := dataset.NewJSONReader(src, dataset.DefaultMaxLine)
	var list []spansInput
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, dataError("%s: %w; mend the line", lines.At(file), err)
		}
		var in spansInput
		if err := json.Unmarshal(line, &in); err != nil {
			return nil, dataError("%s: %w; a line is an object with text and spans", lines.At(file), err)
		}
		for _, s := range in.Spans {
			if s.Start < 0 || s.End <= s.Start || s.End > len(in.Text) {
				return nil, dataError("%s: the span from %d to %d is none of a text of %d bytes; mend the line", lines.At(file), s.Start, s.End, len(in.Text))
			}
		}
		list = append(list, in)
	}
}

// readingOf reads a text's emotions and its spans' fields.
func readingOf(c *tagger.Calibration, tax *dataset.Taxonomy, in *spansInput, e *tagger.Evidence) textReading {
	r := textReading{ID: in.ID, Emotions: map[string]float64{}, Chosen: []string{}, Spans: []spanReading{}}
	scores := c.EmotionScores(e)
	for _, s := range scores {
		r.Emotions[s.Emotion] = rounded4(s.Probability)
	}
	for _, s := range c.Choose(scores, len(scores)) {
		r.Chosen = append(r.Chosen, s.Emotion)
	}
	spans := in.Spans
	if len(spans) == 0 {
		spans = []spanPlace{{0, len(in.Text)}}
	}
	for _, s := range spans {
		first, last := e.WordsAt(s.Start, s.End)
		vector := e.SpanVector(first, last)
		reading := spanReading{s, map[string]string{}, map[string]map[string]float64{}}
		for _, name := range tagger.FieldNames(tax) {
			all := tagger.FieldValues(tax, name)
			value, p := c.Field(name).Decide(vector, all)
			reading.Values[name], reading.Probabilities[name] = value, map[string]float64{}
			for i, v := range c.Field(name).Values {
				reading.Probabilities[name][v] = rounded4(p[i])
			}
		}
		r.Spans = append(r.Spans, reading)
	}
	return r
}

func rounded4(x float64) float64 { return math.Round(x*1e4) / 1e4 }

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/emospan/emospan/calibrate"
	"github.com/emospan/emospan/calibrate/corpus"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
)

func newCalibrate() *cobra.Command {
	var (
		o              tagOptions
		out, examples  string
		force, noLabel bool
	)
	cmd := &cobra.Command{
		Use:   "calibrate [FILE...]",
		Short: "Fit to a model how each field of a record is read from its states",
		Long: `Fit linear maps from a model's hidden states to the values of every field of a record: emotions, where
spans lie, valence, intensity, certainty, temporality, source, target. They are fitted to a corpus of
labelled texts that the program holds. FILEs add texts of your own: records as emospan tag
writes them, corrected by people, which have every field; or texts with labels, such as GoEmotions' TSV, which have the
emotions alone. The model is not changed.

The result goes beside the model, where emospan tag finds it; -o writes it to a file for tag --calibrate FILE.
A table says how well each field was read in texts that the maps were not fitted to.`,
		Example: `  emospan calibrate -m llama.gguf
  emospan calibrate -m smollm2-135m --input goemotions train.tsv -o smollm2.json
  emospan tag -m smollm2-135m --calibrate smollm2.json texts.txt -o tagged.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return runCalibrate(cmd, &o, out, examples, force, noLabel)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.model, "model", "m", "", "`NAME` in the store or path of a GGUF file (default: "+defaultModelName+")")
	f.StringVarP(&out, "out", "o", "", "`FILE` to write (default: beside the model, where tag finds it)")
	o.addInputFlags(f)
	f.BoolVar(&noLabel, "no-labels", false, "tell emotions without any labels, by how likely the words are that name them; FILEs show what texts are like")
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.StringVar(&examples, "examples", "", "`FILE` of example lines in place of the built-in ones, each as: \"a text\" expresses joy.")
	f.IntVar(&o.threads, "threads", 0, "compute threads (default: the cores that this process may use)")
	f.IntVar(&o.parallel, "parallel", 0, "read `N` texts at a time (default: as tag)")
	f.IntVar(&o.limit, "limit", 0, "read only the first `N` texts of the FILEs (0: all)")
	f.BoolVar(&force, "force", false, "replace an existing calibration")
	f.StringVar(&o.progress, "progress", "auto", "what is done, how far, and the time left: auto (in a terminal a line that is drawn anew, else a line a minute), always (drawn, even to a file) or never")
	return cmd
}

func runCalibrate(cmd *cobra.Command, o *tagOptions, out, examples string, force, noLabels bool) error {
	ctx := cmd.Context()
	o.decode, o.prompt.name, o.out, o.device, o.confidence, o.logLevel, o.topP, o.split, o.fsync = string(tagger.Compact), tagger.Simple, cmp.Or(out, "-"), deviceAuto, confidenceAuto, "error", 1, splitNone, fsyncInterval
	if err := o.check(); err != nil {
		return err
	}
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return err
	}
	store := models.OpenDefault()
	model, err := resolveModel(store, o.model)
	if err != nil {
		return err
	}
	if out == "" {
		if model.Part != nil {
			return usageError("no output: the model is part of this executable; name a file with -o")
		}
		if out, err = store.CalibrationPath(model); err != nil {
			return fmt.Errorf("%w; name a file with -o", err)
		}
	}
	if err := followLinks(&out); err != nil {
		return err
	}
	if _, err := os.Stat(out); err == nil && !force {
		return errThere(out)
	}
	c, err := readingContext(model, tax, examples)
	if err != nil {
		return err
	}
	records, err := corpus.Records(tax)
	if err != nil {
		return dataError("the built-in corpus: %w", err)
	}
	given, err := sortInputs(cmd.ErrOrStderr(), o, tax, noLabels)
	if err != nil {
		return err
	}
	j := &job{opts: *o, stderr: cmd.ErrOrStderr(), calibration: c, taxonomy: tax}
	if j.gpu, err = surveyGPUs(o.device); err != nil {
		return err
	}
	engine, err := j.load(ctx)
	if err != nil {
		return err
	}
	defer engine.Close()
	defer j.progress.end()
	release := abortWith(ctx, engine)
	defer release()
	prompt, err := o.prompt.load()
	if err != nil {
		return err
	}
	read := func(c *tagger.Calibration, texts iter.Seq2[calibrate.Text, error], emit func(calibrate.Text, *tagger.Evidence) error) error {
		for sequence := range int32(engine.Sequences()) { // an earlier tagger's
			if err := engine.RemoveKV(sequence, 0); err != nil {
				return err
			}
		}
		t, err := tagger.New(engine, tagger.Options{ModelName: j.manifest.Model, Prompt: prompt, Taxonomy: tax, Decode: tagger.Compact, Calibration: c, EvidenceOnly: true, Progress: j.readingPrompt})
		if err != nil {
			return err
		}
		return readEvidence(ctx, t, texts, emit)
	}
	given.records = append(given.records, records...)
	err = calibrate.Fit(ctx, read, c, tax, given.records, given.texts(ctx, o), calibrate.Options{Threads: mostThreads(o.threads), NoLabels: noLabels, Progress: j.fitting})
	if ctx.Err() != nil {
		return stoppedEarly(ctx)
	}
	if err != nil {
		return err
	}
	c.Name = dataset.ShownName(strings.TrimSuffix(strings.TrimSuffix(filepath.Base(out), ".json"), ".calibration"))
	c.Model, c.ModelSHA256 = j.manifest.Model, j.manifest.ModelSHA256
	c.Texts = given.describe(len(records))
	if err := c.WriteFile(out); err != nil {
		return fmt.Errorf("%w; name another file with -o", err)
	}
	j.progress.end()
	printMeasures(cmd.OutOrStdout(), c)
	fmt.Fprintf(j.stderr, "calibration %s, fitted to %s\n", printable(out), c.Texts)
	return nil
}

// readingContext is where the model's states are read: its header says how many layers it has.
func readingContext(m models.Model, tax *dataset.Taxonomy, examples string) (*tagger.Calibration, error) {
	g, err := openModel(m)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	d := g.Dimensions()
	c := tagger.ReadingContext(d.Layers, d.Embedding, tax)
	if len(c.Layers) == 0 {
		return nil, fmt.Errorf("%s has %d layers; a model with two or more can be calibrated", m.Name, d.Layers)
	}
	if examples != "" {
		data, err := os.ReadFile(examples)
		if err != nil {
			return nil, fmt.Errorf("--examples: %w; name a text file", err)
		}
		c.Prefix = string(data)
	}
	return c, nil
}

// givenTexts are the inputs of emospan calibrate.
type givenTexts struct {
	tax      *dataset.Taxonomy
	records  []dataset.Record // of those that have spans
	files    []string         // the others
	noLabels bool
	n        int // texts of files that were read
	own      int // records
}

// sortInputs reads the files that have records, and checks the others.
func sortInputs(stderr io.Writer, o *tagOptions, tax *dataset.Taxonomy, noLabels bool) (*givenTexts, error) {
	g := &givenTexts{tax: tax, noLabels: noLabels}
	for _, file := range o.files {
		records, ok, err := readRecords(file, tax)
		switch {
		case err != nil:
			return nil, err
		case ok:
			g.records = append(g.records, records...)
			continue
		}
		g.files = append(g.files, file)
	}
	g.own = len(g.records)
	o.files = g.files
	if !noLabels {
		o.labels = tax
	}
	for _, file := range g.files {
		if err := checkTexts(stderr, file, o); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// texts gives the texts of the files that have labels at most.
func (g *givenTexts) texts(ctx context.Context, o *tagOptions) iter.Seq2[calibrate.Text, error] {
	if len(g.files) == 0 {
		return nil
	}
	return func(yield func(calibrate.Text, error) bool) {
		err := eachText(ctx, o, func(in dataset.Input, bad *dataset.LineError) (bool, error) {
			switch {
			case bad != nil:
				return false, dataError("%w; mend the line", bad)
			case len(in.Labels) == 0 && !g.noLabels:
				return false, dataError("%s:%d: the text has no labels; give labels for all, or tell emotions without any by --no-labels", in.File, in.Line)
			}
			g.n++
			return yield(calibrate.Text{Input: in}, nil), nil
		})
		if err != nil {
			yield(calibrate.Text{}, err)
		}
	}
}

// describe says what a calibration was fitted to.
func (g *givenTexts) describe(corpus int) string {
	list := []string{fmt.Sprintf("the program's corpus (%d texts)", corpus)}
	if g.own > 0 {
		list = append(list, plural(g.own, "record"))
	}
	if g.n > 0 {
		var names []string
		for _, file := range g.files {
			names = append(names, dataset.ShownName(filepath.Base(file)))
		}
		kind := " with labels"
		if g.noLabels {
			kind = " without labels"
		}
		list = append(list, plural(g.n, "text")+kind+" of "+strings.Join(names, ", "))
	}
	return strings.Join(list, " and ")
}

// readEvidence passes texts through the model.
func readEvidence(ctx context.Context, t *tagger.Tagger, texts iter.Seq2[calibrate.Text, error], emit func(calibrate.Text, *tagger.Evidence) error) error {
	items, stop := make(chan tagger.Item, readAhead), make(chan struct{})
	queue := make(chan calibrate.Text, 4096) // texts in the model, in order
	defer close(stop)
	var readErr error // once items is closed
	go func() {
		defer close(items)
		for text, err := range texts {
			if err != nil {
				readErr = err
				return
			}
			select {
			case queue <- text:
			case <-stop:
				return
			}
			select {
			case items <- tagger.Item{Input: text.Input}:
			case <-ctx.Done():
				readErr = context.Cause(ctx)
				return
			case <-stop:
				return
			}
		}
	}()
	err := t.Run(items, false, func(_ tagger.Item, res tagger.Result) error {
		text := <-queue
		if len(res.Evidence) == 0 { // too long, or empty
			return context.Cause(ctx)
		}
		return emit(text, res.Evidence[0])
	})
	if err != nil {
		return err
	}
	return readErr
}

// fitting shows how far a calibration is.
func (j *job) fitting(what string, done, total int) {
	var part func() string
	switch {
	case total > 0:
		part = func() string { return fmt.Sprintf("%d/%d", done, total) }
	case done > 0:
		part = func() string { return fmt.Sprint(done) }
	}
	j.progress.phase(what, part)
}

// printMeasures prints how well each field was read.
func printMeasures(w io.Writer, c *tagger.Calibration) {
	fmt.Fprintf(w, "%-16s %9s %9s %9s %9s\n", "field", "examples", "macro-F1", "constant", "ECE")
	for _, m := range c.Measured {
		fmt.Fprintf(w, "%-16s %9d %9.3f %9.3f %9.3f  %s\n", m.Field, m.Examples, m.F1, m.Constant, m.CalibrationError, m.Note)
	}
}

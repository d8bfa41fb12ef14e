package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/bundle"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
)

// Values of --calibrate that are no files: to have the model's own looked up, and not to use the bundle's. A file of such a name is ./auto.
const (
	autoCalibration = "auto"
	noCalibration   = "none"
)

// wantedCalibration is --calibrate's value, which follows from the model where it was not given: a bundle that holds a calibration
// uses it. "" is none.
func wantedCalibration(flag string, m models.Model) string {
	if _, _, ok := content(bundle.Calibration); ok && flag == "" && m.Part != nil {
		return autoCalibration
	}
	if flag == noCalibration {
		return ""
	}
	return flag
}

// findCalibration gives the calibration that --calibrate names: a file, or the one that is built in for the model or for what it was
// converted from.
func findCalibration(ctx context.Context, name string, m models.Model, tax *dataset.Taxonomy) (*tagger.Calibration, error) {
	if name != autoCalibration {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("--calibrate: %w; name a file that emospan calibrate has written, or auto", err)
		}
		c, err := tagger.ParseCalibration(data, tax)
		if err != nil {
			return nil, fmt.Errorf("--calibrate %s: %w; name a file that emospan calibrate has written, or auto", name, err)
		}
		return c, nil
	}
	if _, data, ok := content(bundle.Calibration); ok && m.Part != nil {
		return tagger.ParseCalibration(data, tax)
	}
	hash, err := m.Hash(ctx)
	if err != nil {
		return nil, err
	}
	hashes := []string{hash}
	if m.Entry != nil && m.Entry.Converted != nil {
		hashes = append(hashes, m.Entry.Converted.SHA256)
	}
	c, err := tagger.BuiltinCalibration(tax, hashes...)
	if err == nil && c == nil {
		return nil, usageError("--calibrate: none is built in for %s; make one by emospan calibrate -m %s TEXTS -o FILE, then --calibrate FILE", m.Name, m.Name)
	}
	return c, err
}

func newCalibrate() *cobra.Command {
	var (
		o              tagOptions
		out, examples  string
		force, noLabel bool
	)
	cmd := &cobra.Command{
		Use:   "calibrate [FILE...]",
		Short: "Measure how a model speaks of emotions, for tag --calibrate",
		Long: `Read what a model makes of many texts in plain words, and write what tag --calibrate needs to tell
emotions by that: how likely each of many words usually is behind a text and, where the texts come
with labels, weights and thresholds that fit these best. A few thousand labelled texts like those to
be tagged are good, unlabelled ones are better than none. The model is not changed.`,
		Example: `  emospan calibrate -m smollm2-135m --input goemotions train.tsv --limit 4000 -o smollm2.json
  emospan tag -m smollm2-135m --calibrate smollm2.json texts.txt -o tagged.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			if out == "" {
				return usageError("no output: name a file with -o")
			}
			if err := followLinks(&out); err != nil {
				return err
			}
			if !force {
				if _, err := os.Stat(out); err == nil {
					return errThere(out)
				}
			}
			return runCalibrate(cmd, &o, out, examples, !noLabel)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.model, "model", "m", "", "`NAME` in the store or path of a GGUF file (default: "+defaultModelName+")")
	f.StringVarP(&out, "out", "o", "", "`FILE` to write")
	o.addInputFlags(f)
	f.BoolVar(&noLabel, "no-labels", false, "pass over the texts' labels")
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.StringVar(&examples, "examples", "", "`FILE` of example lines in place of the built-in ones, each as: \"a text\" expresses joy.")
	f.IntVar(&o.threads, "threads", 0, "compute threads (default: the cores that this process may use)")
	f.IntVar(&o.parallel, "parallel", 0, "score `N` texts at a time (default: as tag)")
	f.IntVar(&o.limit, "limit", 0, "read only the first `N` texts (0: all)")
	f.BoolVar(&force, "force", false, "replace an existing output")
	f.StringVar(&o.progress, "progress", "auto", "what the run does, then records, their rate and the time left: auto (in a terminal a line that is drawn anew, else a line a minute), always (drawn, even to a file) or never")
	return cmd
}

func runCalibrate(cmd *cobra.Command, o *tagOptions, out, examples string, labels bool) error {
	o.decode, o.prompt.name, o.out, o.device, o.confidence, o.logLevel, o.topP, o.split, o.fsync = string(tagger.Compact), tagger.Simple, out, deviceAuto, string(tagger.ConfidenceSelf), "error", 1, splitNone, fsyncInterval
	if err := o.check(); err != nil {
		return err
	}
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return err
	}
	if labels {
		o.labels = tax
	}
	prompt, err := o.prompt.load()
	if err != nil {
		return err
	}
	c := tagger.PlainCalibration(tax)
	if examples != "" {
		data, err := os.ReadFile(examples)
		if err != nil {
			return fmt.Errorf("--examples: %w; name a text file", err)
		}
		c.Prefix = string(data)
	}
	for _, file := range o.files {
		if err := checkTexts(cmd.ErrOrStderr(), file, o); err != nil {
			return err
		}
	}
	j := &job{opts: *o, stderr: cmd.ErrOrStderr(), calibration: c}
	if j.gpu, err = surveyGPUs(o.device); err != nil {
		return err
	}
	engine, err := j.load(cmd.Context())
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := j.prepare(cmd.Context(), engine, prompt, tax); err != nil {
		return err
	}
	j.startRecords()
	var readings []tagger.Reading
	var lengths []int
	labelled, counts := 0, map[string]int{}
	err = j.each(cmd.Context(), func(item tagger.Item, res tagger.Result) error {
		j.progress.add()
		if item.Bad != nil {
			return dataError("%w; mend the line", item.Bad)
		}
		if res.Values != nil {
			lengths = append(lengths, tagger.CountWords(item.Text, counts))
			readings = append(readings, tagger.Reading{Values: res.Values, Emotions: item.Labels})
			if len(item.Labels) > 0 {
				labelled++
			}
		}
		return nil
	})
	j.progress.end()
	if err != nil {
		return err
	}
	if labelled > 0 && labelled < len(readings) {
		return dataError("%d of %d texts have labels: give labels for all, or pass over them by --no-labels", labelled, len(readings))
	}
	if err := c.Estimate(readings); err != nil {
		return dataError("%w", err)
	}
	var names []string
	for _, file := range o.files {
		names = append(names, dataset.ShownName(filepath.Base(file)))
	}
	if err := j.estimateWords(cmd.Context(), c, counts, lengths); err != nil {
		return err
	}
	c.Name = dataset.ShownName(strings.TrimSuffix(filepath.Base(out), ".json"))
	c.Model, c.ModelSHA256 = j.manifest.Model, j.manifest.ModelSHA256
	c.Texts = fmt.Sprintf("%s of %s, %d with labels", plural(len(readings), "text"), strings.Join(names, ", "), labelled)
	if err := c.WriteFile(out); err != nil {
		return fmt.Errorf("%w; name another file with -o", err)
	}
	fmt.Fprintf(j.stderr, "%s, %d with labels\ncalibration %s\n", plural(len(readings), "text"), labelled, printable(out))
	return nil
}

// mostWords is how many words are read one by one: the most frequent of the texts.
const mostWords = 4000

// estimateWords has the calibration find spans, by what the model makes of the texts' words one by one. lengths are the texts', in words.
func (j *job) estimateWords(ctx context.Context, c *tagger.Calibration, counts map[string]int, lengths []int) error {
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
	words = words[:min(len(words), mostWords)]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	items := make(chan tagger.Item)
	go func() {
		defer close(items)
		for n, word := range words {
			select {
			case items <- tagger.Item{Input: dataset.Input{ID: strconv.Itoa(n), Text: word}}:
			case <-ctx.Done():
				return
			}
		}
	}()
	var readings []tagger.WordReading
	err := j.tagger.Run(items, false, func(item tagger.Item, res tagger.Result) error {
		if res.Values != nil {
			readings = append(readings, tagger.WordReading{Values: res.Values, Count: counts[item.Text]})
		}
		return context.Cause(ctx)
	})
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if err := c.EstimateWords(readings, lengths); err != nil {
		return dataError("%w", err)
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	rejectsSuffix  = ".rejects.jsonl"
	manifestSuffix = ".manifest.json"
)

// retryTemperature is what a greedy run is retried with: it would give the same answers again.
const retryTemperature = 0.7

// How a run decodes, and what was asked in it: what `retry-rejects` takes from `tag`, in the order of its help. The flags of
// the first group it finds in the manifest where they are not given.
var (
	retryInherits = []string{"model", "prompt", "prompt-file", "taxonomy", "decode", "calibrate", "confidence", "top-p", "deterministic"}
	retryOwn      = []string{"temperature", "seed", "threads", "parallel", "sizes", "device", "quiet", "progress", "log-level"}
)

// retryOptions are the flags of `retry-rejects`.
type retryOptions struct {
	tag                 tagOptions
	log, into, out      string
	manifest, sentences string               // beside the output
	calibration         *dataset.Calibration // that of the run, where this one is to use it too
	force               bool
}

func newRetryRejects() *cobra.Command {
	var o retryOptions
	cmd := &cobra.Command{
		Use:   "retry-rejects FILE",
		Short: "Run rejected samples again, and merge what passes",
		Long: `Run the samples of a reject log again and put those that pass into the output they belong to, each
where it would have stood. What is rejected again stays in the log, with the new answer; so does what
cannot pass by being run again, as a line that has no text or a text that is too long: that is said
first, with what would help. Labels that came with a text are in the log. Model, prompt, taxonomy and
form are those of the run, as its manifest has them, unless flags say otherwise; the seed is the next
one, and a run that was greedy is sampled with temperature 0.7 unless the model, the prompt or the
form is another.

Output, log and manifest are replaced when all is done, in one step each; with --out they are left as
they are and new ones are written. Ctrl-C finishes the records in flight and merges what there is.`,
		Example: `  emospan retry-rejects tagged.jsonl.rejects.jsonl
  emospan retry-rejects tagged.jsonl.rejects.jsonl --decode compact --seed 7
  emospan retry-rejects bad.jsonl --into fixed.jsonl -o whole.jsonl`,
		Args: takes(1, 1, "file", "emospan retry-rejects tagged.jsonl.rejects.jsonl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.log = args[0]
			o.tag.flags = map[string]string{}
			cmd.Flags().Visit(func(f *pflag.Flag) { o.tag.flags[f.Name] = f.Value.String() })
			if err := o.check(); err != nil {
				return err
			}
			return runRetry(cmd, &o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.into, "into", "", "the output `FILE` that the log belongs to (default: the log's name without "+rejectsSuffix+")")
	f.StringVarP(&o.out, "out", "o", "", "write the merged records to `FILE`, and a log and a manifest beside it (default: replace those there are)")
	tag := pflag.NewFlagSet("tag", pflag.ContinueOnError)
	o.tag.addFlags(tag)
	for _, name := range append(retryInherits[:len(retryInherits):len(retryInherits)], retryOwn...) {
		f.AddFlag(tag.Lookup(name))
	}
	f.BoolVar(&o.force, "force", false, "replace what --out names")
	return cmd
}

func (o *retryOptions) check() error {
	if o.log == "-" {
		return usageError("the reject log is read more than once; name a file")
	}
	of, named := strings.CutSuffix(o.log, rejectsSuffix)
	if named {
		o.log = beside(of, rejectsSuffix)
	}
	if err := checkInput(o.log); err != nil {
		return err
	}
	if o.into == "" {
		if of == "" || !named {
			return usageError("%s does not say which output it belongs to; name that with --into", o.log)
		}
		o.into = of
	}
	o.manifest, o.sentences = beside(o.into, manifestSuffix), beside(o.into, sentencesSuffix)
	if err := followLinks(&o.log, &o.into, &o.out, &o.manifest, &o.sentences); err != nil {
		return err
	}
	for _, file := range []string{o.log, o.into} {
		if err := checkInput(file); err != nil {
			return err
		}
		if !isRegular(file) {
			return usageError("%s is not a regular file; name one", file)
		}
	}
	if o.out == "" {
		for _, file := range []string{o.log, o.into} {
			if ok, err := liesInLines(file); err != nil {
				return err
			} else if !ok {
				return usageError("%s is no file of JSON lines, as which it would be replaced; name new files with --out", file)
			}
		}
	}
	if sameFile(o.log, o.into) {
		return usageError("%s is both the reject log and the output; name two files", o.log)
	}
	if o.out == "-" {
		return usageError("--out -: a log and a manifest are written beside it; name a file")
	}
	if o.out != "" {
		if err := checkWritten([]string{o.log, o.into}, written{"--out", o.out}); err != nil {
			return err
		}
		if _, err := os.Lstat(o.out); err == nil && !o.force {
			return errThere(o.out)
		}
	}
	// What no run could make sense of; the files are this command's own.
	o.tag.files, o.tag.out = []string{o.log}, "-"
	return o.tag.check()
}

// inherit takes from the manifest of the output what flags do not say, and what a retry changes from what the log says.
func (o *retryOptions) inherit(flags *pflag.FlagSet, old *dataset.Manifest, log *logSurvey) error {
	for _, name := range retryInherits {
		f := flags.Lookup(name)
		if f.Changed {
			continue
		}
		value, ok := old.Flags[name]
		if name == "decode" && !ok {
			value, ok = log.decode, log.decode != ""
		}
		if name == "prompt-file" && flags.Changed("prompt") {
			ok = false // --prompt names a built-in one
		}
		if !ok {
			continue
		}
		if err := f.Value.Set(value); err != nil {
			return fmt.Errorf("the manifest's --%s %s: %w; give --%s", name, value, err, name)
		}
	}
	if old.Model != "" && !flags.Changed("calibrate") {
		switch {
		case old.Calibration == nil:
			o.tag.calibrate = noCalibration
		case o.anotherRun(flags, old):
			o.tag.calibrate = autoCalibration // what tag would do: the run's is of another model, or nothing is read in the form
		default:
			o.calibration = old.Calibration
		}
	}
	if !flags.Changed("seed") {
		o.tag.seed = log.seed + 1
	}
	if !flags.Changed("temperature") {
		another := log.decode != "" && o.tag.decode != log.decode
		for _, name := range []string{"model", "prompt", "prompt-file", "taxonomy"} {
			another = another || flags.Changed(name)
		}
		o.tag.temperature = old.Temperature
		if old.Temperature == 0 && !another {
			o.tag.temperature = retryTemperature
		}
	}
	return nil
}

// anotherRun reports whether flags ask for another model, prompt, taxonomy or form than the run had.
func (o *retryOptions) anotherRun(flags *pflag.FlagSet, old *dataset.Manifest) bool {
	was := &dataset.Reject{Model: old.Model, Prompt: old.Prompt, Decode: old.Decode}
	return o.another(flags, was, "model") || o.another(flags, was, "prompt") || o.another(flags, was, "decode") || flags.Changed("prompt-file") || flags.Changed("taxonomy")
}

// another reports whether a flag is another than it was when a sample was rejected, as far as is known.
func (o *retryOptions) another(flags *pflag.FlagSet, r *dataset.Reject, flag string) bool {
	f := flags.Lookup(flag)
	was := map[string]string{"model": r.Model, "prompt": r.Prompt, "decode": r.Decode}[flag]
	if flag == "decode" { // the output's manifest may tell of another form than an earlier retry's
		return was != "" && f.Value.String() != was
	}
	return f.Changed && f.Value.String() != was
}

// retry is one run of `retry-rejects`.
type retry struct {
	job
	merge *merging
	fault error // of merging: nothing is replaced then
	ran   struct{ accepted, rejected int }
}

func runRetry(cmd *cobra.Command, o *retryOptions) (err error) {
	unlock, err := dataset.Lock(o.into)
	if errors.Is(err, dataset.ErrLocked) {
		return fmt.Errorf("a run is writing to %s; wait for its end", o.into)
	} else if err != nil {
		return err
	}
	defer unlock()
	old, err := dataset.ReadManifest(o.manifest)
	if errors.Is(err, fs.ErrNotExist) {
		old = &dataset.Manifest{}
	} else if err != nil {
		return fmt.Errorf("%w; without it the flags of the run are not known: mend or remove it", err)
	}
	places, err := newPlacing(o, old)
	if err != nil {
		return err
	}
	defer places.close()
	log, err := surveyLog(o.log, places)
	if err != nil {
		return err
	}
	if log.rejects == 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s holds no rejects: there is nothing to run again\n", printable(o.log))
		return nil
	}
	if err := o.inherit(cmd.Flags(), old, log); err != nil {
		return err
	}
	tax, err := loadTaxonomy(o.tag.taxonomy)
	if err != nil {
		return err
	}
	there, err := surveyOutput(o.into, log, tax)
	if err != nil {
		return err
	}
	there.another = func(r *dataset.Reject, flag string) bool { return o.another(cmd.Flags(), r, flag) }
	if err := log.compare(o.log, there); err != nil {
		return err
	}
	switch {
	case log.done == log.rejects:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s has every sample of %s: there is nothing to run again\n", printable(o.into), printable(o.log))
		return nil
	case log.texts == 0:
		return log.nothing(o.log)
	}
	if !o.tag.quiet {
		for _, code := range byCount(log.helpless) {
			c := explain(code)
			fmt.Fprintf(cmd.ErrOrStderr(), "not run again %d: %s: %s; %s\n", log.helpless[code], code, c.meaning, c.advice)
		}
	}
	prompt, err := o.tag.prompt.load()
	if err != nil {
		return err
	}
	if prompt.Task == tagger.Projected {
		if err := log.checkLabels(o.log, prompt, tax); err != nil {
			return err
		}
	}
	r := &retry{job: job{opts: o.tag, asRun: o.calibration, taxonomy: tax, stderr: cmd.ErrOrStderr(), colours: colour(cmd.ErrOrStderr())}}
	if r.merge, err = newMerging(o, old, log, there, tax); err != nil {
		return err
	}
	defer r.merge.discard()
	if r.gpu, err = surveyGPUs(o.tag.device); err != nil {
		return err
	}
	engine, err := r.load(cmd.Context())
	if err != nil {
		return err
	}
	defer engine.Close()
	if want := o.calibration; want != nil && (r.calibration == nil || r.calibration.SHA256 != want.SHA256) {
		return fmt.Errorf("the run used the calibration %s (SHA-256 %.12s), which is not what --calibrate %s finds now; name its file by --calibrate", dataset.ShownName(want.Name), want.SHA256, o.tag.calibrate)
	}
	if err := r.prepare(cmd.Context(), engine, prompt, tax); err != nil {
		return err
	}
	r.opts.out = r.merge.files.out
	if err := r.describe(prompt); err != nil {
		return err
	}
	r.printNotes()
	r.startRecords()
	runErr := r.run(cmd.Context(), o.log, there)
	r.progress.end()
	return r.finish(o, runErr)
}

// run puts the whole log through the tagger, so that everything comes back in its order: what is not run again as bad items.
func (r *retry) run(ctx context.Context, log string, there *outputSurvey) error {
	items, stop := make(chan tagger.Item), make(chan struct{})
	defer close(stop)
	var readErr error // once items is closed
	go func() {
		defer close(items)
		readErr = eachReject(log, func(raw []byte, reject *dataset.Reject) error {
			if there.has(reject) {
				return nil // merged before
			}
			item := tagger.Item{Input: dataset.Input{
				Index: reject.Index, File: reject.File, Line: reject.Line, ID: reject.SrcID, Text: reject.Text,
				Labels: reject.Labels, Generated: reject.Prompt == tagger.Level2LLMProjected,
			}}
			if ctx.Err() != nil || !there.runs(reject) {
				item.Text, item.Bad = string(raw), &dataset.LineError{}
			}
			select {
			case items <- item:
				return nil
			case <-stop:
				return io.EOF
			}
		})
	}()
	taken := 0
	err := r.tagger.Run(items, false, func(item tagger.Item, res tagger.Result) error {
		taken++
		r.progress.add()
		return r.take(item, res)
	})
	if err == nil {
		return cmp.Or(readErr, context.Cause(ctx))
	}
	if r.fault != nil {
		return err
	}
	// The model failed: what it has not seen stays in the log.
	skip := taken
	r.fault = eachReject(log, func(raw []byte, reject *dataset.Reject) error {
		if there.has(reject) {
			return nil
		}
		if skip--; skip >= 0 {
			return nil
		}
		return r.merge.keep(raw, reject)
	})
	return err
}

// take puts what became of an item where it belongs.
func (r *retry) take(item tagger.Item, res tagger.Result) error {
	r.fault = r.put(item, res)
	return r.fault
}

func (r *retry) put(item tagger.Item, res tagger.Result) error {
	switch {
	case item.Bad != nil:
		reject, err := dataset.ParseReject([]byte(item.Text))
		if err != nil {
			return err
		}
		return r.merge.keep([]byte(item.Text), reject)
	case res.Reject != nil:
		r.ran.rejected++
		res.Reject.File = item.File
		return r.merge.reject(res.Reject)
	}
	r.ran.accepted++
	return r.merge.accept(&dataset.Reject{SrcID: item.ID, Index: item.Index}, res.Record)
}

// finish puts the new files into their places, whatever ended the run, and says what was done.
func (r *retry) finish(o *retryOptions, runErr error) error {
	if r.fault != nil {
		return writeFailure(r.fault)
	}
	r.manifest.Records = r.ran.accepted + r.ran.rejected
	r.measure()
	m := &r.manifest
	err := r.merge.finish(m, dataset.Retry{
		Model: m.Model, ModelSHA256: m.ModelSHA256, Prompt: m.Prompt, PromptSHA256: m.PromptSHA256, Decode: m.Decode,
		Confidence: m.Confidence, Calibration: m.Calibration, Temperature: m.Temperature, TopP: m.TopP, Seed: m.Seed, Flags: m.Flags, Started: m.Started, Seconds: m.Seconds,
		Records: m.Records, Accepted: r.ran.accepted, Rejected: r.ran.rejected,
	})
	r.log(runErr)
	if err != nil {
		return errors.Join(writeFailure(err), runErr)
	}
	if !r.opts.quiet {
		r.summary()
	}
	switch {
	case errors.Is(runErr, errInterrupted):
		return fmt.Errorf("%w; %s merged, the others are still in the log", runErr, plural(r.ran.accepted, "record"))
	case runErr != nil:
		return runErr
	case r.ran.accepted == 0:
		return dataError("every sample was rejected again; try another --decode, --seed, --temperature or --model")
	}
	return nil
}

func (r *retry) summary() {
	m := r.merge
	all := r.ran.accepted + r.ran.rejected + m.kept
	order := "where they belong"
	if !m.ordered {
		order = "at the end: the log does not say where"
	}
	fmt.Fprintf(r.stderr, "%s: %d run again, %d accepted, %d rejected; %d kept as they were; %.1f s\n", plural(all, "reject"),
		r.ran.accepted+r.ran.rejected, r.ran.accepted, r.ran.rejected, m.kept, r.manifest.Seconds)
	printRejected(r.stderr, m.counts.RejectCodes)
	fmt.Fprintf(r.stderr, "%s, %s, temperature %g, seed %d\n", printable(r.manifest.Model), r.opts.decode, r.opts.temperature, r.opts.seed)
	fmt.Fprintf(r.stderr, "output   %s: %s, the new ones %s\n", printable(m.files.out), plural(m.counts.Accepted, "record"), order)
	fmt.Fprintf(r.stderr, "rejects  %s: %s\n", printable(m.files.log), plural(m.counts.Rejected, "reject"))
	fmt.Fprintf(r.stderr, "manifest %s\n", printable(m.files.manifest))
}

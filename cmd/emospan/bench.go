package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"
)

// benchOptions are the flags of `bench`.
type benchOptions struct {
	files []string

	model, synthetic        string
	out, format             string
	prompt                  promptOptions
	decode                  []string
	parallel                []int
	device                  string
	threads, repeats, limit int
	seconds                 float64
	compare, force, quiet   bool
	tune, anyThreads        bool
	progress                string
}

func newBench() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench [FILE...]",
		Short: "Measure a model on this machine: tokens and records a second, and where the time goes",
		Long: `Measure a model on this machine. First come pp512 and tg128 as llama-bench defines them: 512 tokens in
one batch, and 128 tokens one by one. Then the texts of the files, or of a built-in set, are tagged; what
comes out is counted and thrown away. The first form of --decode is measured with each number of
--parallel, the others with the number that tag would take, or the one given, and for half the time. No
text is begun when --seconds are over, but for as many as are decoded at a time.

"forwarded" are the tokens that passed through the model in tagging, without the prompt that all records
share. "limit" is the records a second that so many tokens a record would allow at pp512's rate. "idle" is
what none of model, masks, sampling and records took.

Of several numbers of --parallel the fastest is kept in the cache folder: tag then uses it for this model
and form. --tune tries more around it, one after the other: one cache or several, flash attention, other
batches, fewer threads.

The kernel counts how long threads that wanted a CPU had none, since other programs had it. Where that, with
what the host of a virtual machine gave to others, is over 5 % of the time, the figure is called noise.

The last table estimates how fast the model would be in other weight formats on this CPU.

--synthetic measures what a larger model would do before it is carried here: its weights are random, its
records mean nothing.`,
		Example: `  emospan bench
  emospan bench -m llama3:instruct --decode compact --parallel 1,4,8 -o after.json comments.txt
  emospan bench --synthetic llama3.2-1b --decode compact --parallel 8
  emospan bench --compare before.json after.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			if err := o.check(); err != nil {
				return err
			}
			if o.compare {
				return runBenchCompare(cmd, o)
			}
			return runBench(cmd, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.model, "model", "m", "", "`NAME` in the store or path of a GGUF file (default: "+defaultModelName+")")
	f.StringVar(&o.synthetic, "synthetic", "", "in place of a model one of random weights in the size of `SHAPE`, written where it is not yet there: "+strings.Join(models.SyntheticShapes(), ", "))
	f.StringVarP(&o.out, "out", "o", "-", "output `FILE`, - for standard output")
	f.StringVar(&o.format, "format", "", "md, csv, json or jsonl (default: what the output's name ends in, else md)")
	f.BoolVar(&o.compare, "compare", false, "measure nothing: show the ratios of two earlier reports in JSON, the files named")
	f.StringSliceVar(&o.decode, "decode", decodeNames(), "`FORMS` to measure: compact, aligned, schema")
	f.IntSliceVar(&o.parallel, "parallel", []int{1, 8, 16}, "`NUMBERS` of records at a time to measure with")
	f.BoolVar(&o.tune, "tune", false, "then try other sizes around the fastest, a minute or two more")
	o.prompt.addFlags(f)
	f.IntVar(&o.threads, "threads", 0, "compute threads (default: the cores that this process may use)")
	f.StringVar(&o.device, "device", deviceAuto, deviceUsage)
	f.IntVar(&o.repeats, "repeats", 5, "how often pp512 and tg128 are measured, after a warm-up")
	f.Float64Var(&o.seconds, "seconds", 20, "how long texts are begun in each measurement (0: until all are)")
	f.IntVar(&o.limit, "limit", 1000, "use only the first `N` texts")
	f.BoolVar(&o.force, "force", false, "replace an existing output")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress on standard error")
	f.StringVar(&o.progress, "progress", "auto", "say what is being measured: auto (where standard error is a terminal), always or never")
	return cmd
}

// check refuses what no measurement could make sense of, and fills in what follows from other flags.
func (o *benchOptions) check() error {
	if o.format == "" {
		o.format = "md"
		if ending := strings.TrimPrefix(filepath.Ext(o.out), "."); slices.Contains(reportFormats, ending) {
			o.format = ending
		}
	}
	for _, err := range []error{
		oneOf("format", o.format, reportFormats...),
		oneOf("device", o.device, deviceAuto, deviceCPU, deviceGPU),
		oneOf("progress", o.progress, "auto", "always", "never"),
		someOf("decode", o.decode, func(d string) error { return oneOf("decode", d, decodeNames()...) }),
		someOf("parallel", o.parallel, func(n int) error {
			if n < 1 || n > maxParallel {
				return usageError("--parallel %d: it must lie between 1 and %d", n, maxParallel)
			}
			return nil
		}),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case o.threads < 0 || o.threads > maxThreads:
		return usageError("--threads %d: it must lie between 1 and %d, or be 0 for all cores", o.threads, maxThreads)
	case o.repeats < 1 || o.repeats > 1000:
		return usageError("--repeats %d: it must lie between 1 and 1000", o.repeats)
	case !(o.seconds >= 0 && o.seconds <= 1e6):
		return usageError("--seconds %v: it must lie between 0 and 1000000", o.seconds)
	case o.limit < 1:
		return usageError("--limit %d: it must be at least 1", o.limit)
	case o.synthetic != "" && o.model != "":
		return usageError("--synthetic and --model both name what is measured; use one of them")
	case o.compare && len(o.files) != 2:
		return usageError("--compare takes two reports; name both: emospan bench --compare BEFORE.json AFTER.json")
	}
	if err := followLinks(&o.out); err != nil {
		return err
	}
	o.anyThreads, o.threads = o.threads == 0, mostThreads(o.threads)
	for _, file := range o.files {
		if sameFile(file, o.out) {
			return usageError("--out %s is also an input; name another file", o.out)
		}
	}
	return checkReportFile(o.out, o.force)
}

// someOf refuses a list that is empty, names a value twice or holds one that check refuses.
func someOf[T comparable](flag string, values []T, check func(T) error) error {
	if len(values) == 0 {
		return usageError("--%s is empty: name one value, or several with commas between", flag)
	}
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			return usageError("--%s has %v twice; name it once", flag, v)
		}
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

// A bench is what one call of `bench` measures with.
type bench struct {
	opts   benchOptions
	store  *models.Store
	model  models.Model
	gpu    gpuChoice
	open   func(m models.Model, sizes engineSizes) (*engine, error)
	prompt *tagger.Prompt
	tax    *dataset.Taxonomy
	texts  []dataset.Input
	say    func(format string, args ...any) // says what is measured now
}

func runBench(cmd *cobra.Command, o benchOptions) error {
	stderr := cmd.ErrOrStderr()
	b := &bench{opts: o, tax: dataset.Default(), say: func(string, ...any) {}}
	b.open = func(m models.Model, sizes engineSizes) (*engine, error) {
		sizes.gpu, sizes.gpuOnly = b.gpu.GPU, b.gpu.Demand
		e, err := openEngine(m, sizes)
		if err == nil && e.gpuFault != nil {
			b.say("%v; the CPU is used", e.gpuFault)
		}
		return e, err
	}
	if o.progress == "always" || o.progress == "auto" && !o.quiet && isTerminal(stderr) {
		b.say = func(format string, args ...any) {
			fmt.Fprintln(stderr, "bench:", printable(fmt.Sprintf(format, args...)))
		}
	}
	var err error
	if b.gpu, err = surveyGPUs(o.device); err != nil {
		return err
	}
	if b.prompt, err = o.prompt.load(); err != nil {
		return err
	}
	var bad int
	if b.texts, bad, err = readBenchTexts(cmd.Context(), o.files, o.limit); err != nil {
		return err
	}
	if bad > 0 {
		fmt.Fprintf(stderr, "emospan: warning: left out %s without a text\n", plural(bad, "line"))
	}
	b.store = models.OpenDefault()
	if o.synthetic != "" {
		sizes := defaultSizes(tagger.Decode(o.decode[0]), o.threads).with(slices.Max(o.parallel))
		b.model, err = syntheticModel(cmd.Context(), stderr, o.synthetic, syntheticFormat, sizes)
	} else {
		b.model, err = resolveModel(b.store, o.model)
	}
	if err != nil {
		return err
	}
	r, err := b.measure(cmd.Context())
	if err != nil {
		err = cause(cmd.Context(), err)
	}
	if errors.Is(err, errInterrupted) {
		return fmt.Errorf("%w; nothing was reported", err)
	}
	if err != nil {
		return err
	}
	if noise := r.noise(); noise != "" && !o.quiet && (o.out != "-" || o.format != "md") {
		fmt.Fprintln(stderr, "emospan: warning:", noise)
	}
	if err := keepSizes(r); err != nil {
		b.say("what was fastest is not kept: %v", err)
	}
	return writeReport(cmd.OutOrStdout(), o, r)
}

// measure makes the whole report.
func (b *bench) measure(ctx context.Context) (*benchReport, error) {
	r := &benchReport{Layout: reportLayout}
	if err := b.describe(ctx, r); err != nil {
		return nil, err
	}
	if err := b.compareFormats(ctx, r); err != nil {
		return nil, err
	}
	if err := b.measureSpeeds(ctx, r); err != nil {
		return nil, err
	}
	for i, decode := range b.opts.decode {
		decode, span := tagger.Decode(decode), b.opts.seconds
		own := defaultSizes(decode, b.opts.threads)
		var all []engineSizes
		for _, n := range b.opts.parallel {
			all = append(all, own.with(n))
		}
		if i > 0 {
			span /= 2
		}
		if i > 0 && len(all) > 1 { // a sweep is of one form
			best, err := b.bestSizes(decode)
			if err != nil {
				return nil, err
			}
			all = []engineSizes{best}
		}
		for _, sizes := range all {
			run, err := b.run(ctx, decode, sizes, span, r.promptSpeed())
			if err != nil {
				return nil, err
			}
			r.Runs = append(r.Runs, run)
		}
	}
	if b.opts.tune {
		return r, b.tuneSizes(ctx, r)
	}
	return r, nil
}

// bestSizes are those that tagging in a form would choose.
func (b *bench) bestSizes(decode tagger.Decode) (engineSizes, error) {
	g, err := openModel(b.model)
	if err != nil {
		return engineSizes{}, err
	}
	defer g.Close()
	s, _, err := chooseSizes(b.model, g, b.gpu.GPU, decode, nil, b.opts.threads, 0, "")
	return s, err
}

// run tags texts and says how fast.
func (b *bench) run(ctx context.Context, decode tagger.Decode, sizes engineSizes, seconds, promptSpeed float64) (benchRun, error) {
	b.say("tagging: %s, %s", decode, sizes)
	run, err := b.tag(ctx, decode, sizes, seconds)
	if err == nil {
		run.relate(promptSpeed)
		b.say("%.2f records/s, %.0f tokens/s forwarded", run.RecordsPerSecond, run.ForwardedPerSecond)
	}
	return run, err
}

// describe notes what is measured, and on what.
func (b *bench) describe(ctx context.Context, r *benchReport) error {
	variant, err := llama.Start()
	if err != nil {
		return err
	}
	if _, err := checkModel(b.model); err != nil { // before its file is read for the hash
		return err
	}
	s := &r.benchSetup
	s.Emospan, s.LlamaCPP = versionText(), llama.Revision
	s.CPU, s.CPUVariant, s.Device, s.Threads = cpuid.CPU.BrandName, variant, deviceCPU, b.opts.threads
	s.Model = b.model.Name
	s.Prompt, s.PromptSHA256 = b.prompt.Name, b.prompt.SHA256
	s.Texts, s.TextsSHA256 = len(b.texts), textsSHA256(b.texts)
	s.Started, s.LoadAverage = time.Now().UTC(), loadAverage()
	s.ModelSHA256, err = b.model.Hash(ctx)
	return err
}

// compareFormats fills in what is known of other weight formats on this CPU, measuring it where nothing is.
func (b *bench) compareFormats(ctx context.Context, r *benchReport) error {
	speeds, known := knownSpeeds()
	if !known {
		b.say("how fast this CPU is with each type of weights")
		var err error
		if speeds, err = measureSpeeds(ctx); err != nil {
			return err
		}
		if err := speeds.keep(); err != nil {
			b.say("that is not kept: %v", err)
		}
	}
	g, err := openModel(b.model)
	if err != nil {
		return err
	}
	defer g.Close()
	r.Quantisation, r.ModelSize, r.Parameters = g.FileType(), g.Size(), g.Parameters()
	r.WeightSpeeds = map[string]float64{}
	for kind, speed := range speeds {
		r.WeightSpeeds[kind.String()] = speed
	}
	m := b.model
	m.SHA256 = r.ModelSHA256 // by which conversions of a file outside the store are found
	r.Formats = formatReports(b.store, m, g, speeds)
	if best, ok := fastest(r.Formats); ok {
		r.Hint = best.hint()
	}
	return nil
}

// cause is why ctx ended, where it did: what was going on then failed for that reason. Else it is err.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// abortWith has c give up decoding when ctx ends. The function that it returns must be called before c is closed.
func abortWith(ctx context.Context, c interface{ Abort(bool) }) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.Abort(true)
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// checkReportFile refuses at once what writing the report would come to after all the work.
func checkReportFile(path string, force bool) error {
	if path == "" {
		return usageError("--out is empty: name a file, or - for standard output")
	}
	if path == "-" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory: name a file in it", path)
	case err == nil && !info.Mode().IsRegular():
		return nil
	case err == nil && !force:
		return errThere(path)
	}
	return checkFolder(path)
}

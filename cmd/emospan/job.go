package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
)

const defaultModelName = models.DefaultModel

// readAhead is how many texts are read before there is room for them.
const readAhead = 8

// flushEvery bounds how much finished work a killed run can lose.
const flushEvery = time.Second

// A job is one run of `tag`.
type job struct {
	opts    tagOptions
	stderr  io.Writer
	colours bool

	tagger      *tagger.Tagger
	out         *dataset.Writer
	rejected    *dataset.Writer // nil where rejects go to standard error
	sentences   *dataset.Writer // nil where no sentences are cut, or nobody wants to know their places
	bar         bar
	shown       int
	unsaved     []*dataset.Record // since the last flush, or longer
	flushed     time.Time
	manifest    dataset.Manifest
	sandbox     string // what the process is kept from
	sizes       engineSizes
	taxonomy    *dataset.Taxonomy
	calibration *tagger.Calibration // nil where the model writes the emotions
	alike       bool                // for tagger.Options
	faster      string              // what would make the model faster here, as far as is known
}

// errMaxRejects ends a run at --max-rejects.
var errMaxRejects = errors.New("too many rejects")

func runTag(cmd *cobra.Command, o tagOptions) (err error) {
	j := &job{opts: o, stderr: cmd.ErrOrStderr(), colours: colour(cmd.ErrOrStderr())}
	if j.sandbox, err = o.restrict(); err != nil {
		return err
	}
	if o.cpuProfile != "" {
		f, err := os.Create(o.cpuProfile)
		if err != nil {
			return fmt.Errorf("--cpuprofile: %w; name another file", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	// What can be refused is refused before the model is loaded.
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return err
	}
	j.taxonomy = tax
	prompt, err := o.prompt.load()
	if err != nil {
		return err
	}
	if prompt.Task == tagger.Projected {
		o.labels, j.opts.labels = tax, tax
	}
	for _, file := range o.files {
		if err := checkTexts(file, &o); err != nil {
			return err
		}
	}
	if !o.dryRun {
		if err := j.create(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, j.abort()) }()
	}

	engine, err := j.load(cmd.Context())
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := j.prepare(engine, prompt, tax); err != nil {
		return err
	}
	if o.dryRun {
		d := dryRun{memory: engine.memory}
		return errors.Join(d.count(cmd.Context(), j.tagger, &o), d.print(cmd.OutOrStdout()))
	}
	j.describe(prompt, tax)
	j.startBar()
	runErr := j.run(cmd.Context())
	j.bar.clear()
	return j.finish(runErr)
}

// create opens the outputs, so that one that cannot be written is known before any work is done.
func (j *job) create() (err error) {
	if j.out, err = createOutput(j.opts.out, j.opts.force); err != nil {
		return err
	}
	if j.opts.rejects != "" {
		// A log whose name follows from the output's belongs to it: where that is new or replaced, so is the log.
		_, named := j.opts.flags["rejects"]
		if j.rejected, err = createOutput(j.opts.rejects, j.opts.force || !named); err != nil {
			return errors.Join(err, j.out.Abort())
		}
	}
	if err := j.createSentences(); err != nil {
		return errors.Join(err, j.abort())
	}
	if j.opts.manifest != "" {
		_, named := j.opts.flags["manifest"]
		if err = checkManifest(j.opts.manifest, j.opts.force || !named); err != nil {
			return errors.Join(err, j.abort())
		}
	}
	return nil
}

// abort ends the outputs of a run that failed; after finish it does nothing.
func (j *job) abort() error {
	err := j.out.Abort()
	if j.rejected != nil {
		err = errors.Join(err, j.rejected.Abort())
	}
	if j.sentences != nil {
		err = errors.Join(err, j.sentences.Abort())
	}
	return err
}

// load finds, checks and loads the model.
func (j *job) load(ctx context.Context) (*engine, error) {
	store, err := openStore()
	if err != nil {
		return nil, err
	}
	model, err := resolveModel(store, j.opts.model)
	if err != nil {
		return nil, err
	}
	var why string
	if o := &j.opts; o.deterministic {
		why = "for --deterministic"
		j.sizes, j.alike, err = alikeSizes(model, tagger.Decode(o.decode), o.threads, o.parallel, o.sizes)
	} else {
		j.sizes, why, err = chooseSizes(model, tagger.Decode(o.decode), o.threads, o.parallel, o.sizes)
	}
	if err != nil {
		return nil, err
	}
	if wanted := wantedCalibration(j.opts.calibrate, model); wanted != "" && j.calibration == nil {
		if j.calibration, err = findCalibration(ctx, wanted, model, j.taxonomy); err != nil {
			return nil, err
		}
	}
	j.sizes.scored = j.calibration != nil
	if j.opts.logLevel == "debug" {
		fmt.Fprintf(j.stderr, "emospan: debug: %s: %s\n", j.sizes, why)
	}
	e, err := openEngine(model, j.sizes)
	j.log()
	if err != nil {
		return nil, err
	}
	if r, ok := fasterFormat(store, model); ok {
		j.faster = r.hint()
	}
	j.manifest.Model = model.Name
	if j.manifest.ModelSHA256, err = model.Hash(ctx); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// prepare has the model read the prompt that every record shares.
func (j *job) prepare(engine *engine, prompt *tagger.Prompt, tax *dataset.Taxonomy) (err error) {
	o := &j.opts
	j.tagger, err = tagger.New(engine, tagger.Options{
		ModelName: j.manifest.Model, Prompt: prompt, Taxonomy: tax, Decode: tagger.Decode(o.decode),
		Sampling: tagger.Sampling{Temperature: o.temperature, TopP: o.topP, Seed: o.seed}, Alike: j.alike,
		Confidence: tagger.Confidence(o.confidence), Calibration: j.calibration,
	})
	return err
}

// log passes on what llama.cpp said, from --log-level up.
func (j *job) log() {
	rank := map[string]int{"debug": 0, "info": 1, "warn": 2, "error": 3}
	level := map[byte]string{'D': "debug", 'I': "info", 'W': "warn", 'E': "error"}
	for _, line := range llama.TakeLog() {
		if name := level[line.Level]; rank[name] >= rank[j.opts.logLevel] {
			fmt.Fprintf(j.stderr, "llama.cpp: %s: %s\n", name, printable(line.Text))
		}
	}
}

func (j *job) describe(prompt *tagger.Prompt, tax *dataset.Taxonomy) {
	variant, _ := llama.Start()
	m := &j.manifest
	m.Emospan, m.LlamaCPP = versionText(), llama.Revision
	m.Prompt, m.PromptSHA256 = prompt.Name, prompt.SHA256
	m.GrammarSHA256, m.TaxonomySHA256 = j.tagger.GrammarSHA256(), tax.SHA256()
	m.BinarySHA256 = programSHA256(context.Background())
	m.Decode, m.Confidence, m.Temperature, m.TopP, m.Seed = j.opts.decode, j.opts.confidence, j.opts.temperature, j.opts.topP, j.opts.seed
	if c := j.calibration; c != nil {
		m.Calibration = &dataset.Calibration{Name: c.Name, SHA256: c.SHA256, Texts: c.Texts}
	}
	m.Input, m.Output, m.Flags = j.opts.files, j.opts.out, j.opts.flags
	m.Parallel, m.Threads, m.Sizes, m.Device, m.CPUVariant = j.sizes.Parallel, j.sizes.Threads, j.sizes.list(), "cpu", variant
	m.Sandbox = j.sandbox
	m.Emotions, m.RejectCodes = map[string]int{}, map[string]int{}
	m.Started = time.Now().UTC()
}

func (j *job) startBar() {
	mixed := j.opts.out == "-" && isTerminal(os.Stdout) // the records would run into the bar
	if j.opts.progress == "never" || j.opts.progress == "auto" && (j.opts.quiet || mixed || !isTerminal(j.stderr)) {
		return
	}
	total := 0
	for _, file := range j.opts.files {
		n, ok := countTexts(file, &j.opts)
		if !ok {
			total = -1
			break
		}
		total += n
	}
	if j.opts.limit > 0 && total > j.opts.limit {
		total = j.opts.limit
	}
	j.bar = newRecordBar(j.stderr, total)
}

// run tags every text, until the end, the limit or an interruption.
func (j *job) run(ctx context.Context) error {
	return j.each(ctx, func(item tagger.Item, res tagger.Result) error {
		if err := j.take(item, res); err != nil {
			return err
		}
		j.bar.add()
		return j.flush()
	})
}

// each tags every text and hands on what became of it.
func (j *job) each(ctx context.Context, f func(tagger.Item, tagger.Result) error) error {
	items, stop := make(chan tagger.Item, readAhead), make(chan struct{})
	defer close(stop)
	var readErr error // once items is closed
	go func() {
		defer close(items)
		readErr = eachText(ctx, &j.opts, func(in dataset.Input, bad *dataset.LineError) (bool, error) {
			select {
			case items <- tagger.Item{Input: in, Bad: bad}:
				return true, nil
			case <-ctx.Done():
				return false, context.Cause(ctx)
			case <-stop:
				return false, nil
			}
		})
		for ctx.Err() != nil && len(items) > 0 { // an interruption does not wait for these
			select {
			case <-items:
			default:
			}
		}
	}()
	live := slices.ContainsFunc(j.opts.files, func(file string) bool { return !isRegular(file) })
	if err := j.tagger.Run(items, live, f); err != nil {
		return err
	}
	return readErr
}

// take puts what became of an item where it belongs.
func (j *job) take(item tagger.Item, res tagger.Result) error {
	if err := j.placeSentence(item.Input); err != nil {
		return err
	}
	if bad := item.Bad; bad != nil {
		return j.reject(&dataset.Reject{
			SrcID: cmp.Or(bad.ID, dataset.DefaultID(bad.Index)), Line: bad.Line, Index: bad.Index, Model: j.manifest.Model, Prompt: j.manifest.Prompt,
			Decode: j.opts.decode, Seed: j.opts.seed, Reasons: []dataset.Reason{bad.Reason},
		})
	}
	if res.Reject != nil {
		return j.reject(res.Reject)
	}
	return j.accept(res.Record)
}

func (j *job) accept(r *dataset.Record) error {
	j.manifest.Records++
	j.manifest.Accepted++
	tally(&j.manifest, r, 1)
	j.unsaved = append(j.unsaved, r)
	if j.opts.show < 0 || j.shown < j.opts.show {
		j.shown++
		j.bar.clear()
		drawRecord(j.stderr, r, j.colours)
	}
	return j.out.Write(r)
}

// tally adds a record's spans and emotions to a manifest, or with -1 takes them back.
func tally(m *dataset.Manifest, r *dataset.Record, n int) {
	m.Spans += n * len(r.Data.Spans)
	for _, p := range r.Predictions {
		if m.Emotions[p] += n; m.Emotions[p] == 0 {
			delete(m.Emotions, p)
		}
	}
}

// takeBack makes the manifest count what is in the output: not the records that could not be written.
func (j *job) takeBack() {
	lost := j.manifest.Accepted - j.out.Records()
	for _, r := range j.unsaved[len(j.unsaved)-lost:] {
		tally(&j.manifest, r, -1)
	}
	j.manifest.Records -= lost
	j.manifest.Accepted -= lost
}

// tallyCodes adds a reject's codes to a manifest.
func tallyCodes(m *dataset.Manifest, reasons []dataset.Reason) {
	seen := map[string]bool{}
	for _, reason := range reasons {
		if !seen[reason.Code] {
			m.RejectCodes[reason.Code]++
			seen[reason.Code] = true
		}
	}
}

func (j *job) reject(r *dataset.Reject) error {
	j.manifest.Records++
	j.manifest.Rejected++
	tallyCodes(&j.manifest, r.Reasons)
	var err error
	if j.rejected != nil {
		err = j.rejected.Write(r)
	} else if line, e := r.AppendJSON(nil); e == nil {
		j.bar.clear()
		if isTerminal(j.stderr) {
			line = []byte(printable(string(line)))
		}
		_, err = fmt.Fprintf(j.stderr, "emospan: rejected: %s\n", line)
	} else {
		err = e
	}
	if err == nil && j.opts.maxRejects > 0 && j.manifest.Rejected >= j.opts.maxRejects {
		err = errMaxRejects
	}
	return err
}

// flush writes out what is finished, once a second. To standard output each record goes at once: someone may be reading.
func (j *job) flush() error {
	now := time.Now()
	if j.opts.out != "-" && now.Sub(j.flushed) < flushEvery {
		return nil
	}
	j.flushed = now
	if j.sentences != nil { // before the records that they are about
		if err := j.sentences.Flush(); err != nil {
			return err
		}
	}
	if err := j.out.Flush(); err != nil {
		return err
	}
	j.unsaved = j.unsaved[:0]
	if j.rejected != nil {
		return j.rejected.Flush()
	}
	return nil
}

// finish completes the outputs, whatever ended the run, writes the manifest and says what was done.
func (j *job) finish(runErr error) error {
	m := &j.manifest
	empty := m.Records == 0 && runErr == nil
	if empty {
		runErr = dataError("%s: no texts; name a file with one text a line, or JSON lines with a %q field", inputNames(j.opts.files), j.opts.textField)
	}
	if m.Records == 0 { // and the outputs are taken back
		if errors.Is(runErr, errInterrupted) {
			runErr = fmt.Errorf("%w; nothing was written", runErr)
		}
		return runErr
	}
	closeErr := j.out.Close()
	if j.rejected != nil {
		closeErr = errors.Join(closeErr, j.rejected.Close())
	}
	if j.sentences != nil {
		closeErr = errors.Join(closeErr, j.sentences.Close())
	}
	j.takeBack()
	j.measure()
	m.Interrupted = runErr != nil
	if j.opts.manifest != "" {
		if err := m.WriteFile(j.opts.manifest); err != nil {
			closeErr = errors.Join(closeErr, fmt.Errorf("%w; what is in the output is whole", err))
			j.opts.manifest = "" // not to be named as if it were there
		}
	}
	j.log()
	if !j.opts.quiet && m.Records > 0 {
		j.summary()
	}
	switch {
	case closeErr != nil:
		return writeFailure(closeErr)
	case errors.Is(runErr, errMaxRejects):
		return dataError("stopped after %d rejects (--max-rejects); %s says why", m.Rejected, cmp.Or(j.opts.rejects, "standard error"))
	case errors.Is(runErr, errInterrupted):
		return fmt.Errorf("%w; %s whole in the output", runErr, plural(m.Accepted, "record"))
	case runErr != nil:
		return runErr
	case m.Accepted == 0:
		return dataError("every record was rejected; %s says why", cmp.Or(j.opts.rejects, "standard error"))
	}
	return nil
}

func (j *job) measure() {
	m := &j.manifest
	m.Finished = time.Now().UTC()
	m.Seconds = m.Finished.Sub(m.Started).Seconds()
	total := j.tagger.Totals()
	m.PromptTokens, m.ForcedTokens, m.SampledTokens = total.Prompt, total.Forced, total.Sampled
	if m.Seconds > 0 {
		m.RecordsPerSecond = float64(m.Records) / m.Seconds
		m.TokensPerSecond = float64(total.Prompt+total.Forced+total.Sampled) / m.Seconds
	}
	m.MaskMicrosP50 = float64(j.tagger.MaskTime(0.5).Nanoseconds()) / 1e3
	m.MaskMicrosP99 = float64(j.tagger.MaskTime(0.99).Nanoseconds()) / 1e3
}

// summary says on standard error what was done and where it is.
func (j *job) summary() {
	m := &j.manifest
	state := ""
	if m.Interrupted {
		state = ", interrupted"
	}
	rate := func(tokens int) float64 { return float64(tokens) / max(m.Seconds, 1e-9) }
	fmt.Fprintf(j.stderr, "%s: %d accepted, %d rejected%s; %.1f s, %.2f records/s\n", plural(m.Records, "record"), m.Accepted, m.Rejected, state, m.Seconds, m.RecordsPerSecond)
	fmt.Fprintf(j.stderr, "tokens/s: %.1f prompt, %.1f forced, %.1f sampled; per record: %.1f, %.1f, %.1f\n",
		rate(m.PromptTokens), rate(m.ForcedTokens), rate(m.SampledTokens),
		float64(m.PromptTokens)/float64(m.Records), float64(m.ForcedTokens)/float64(m.Records), float64(m.SampledTokens)/float64(m.Records))
	fmt.Fprintf(j.stderr, "model %s on %s (variant %s, %s)\n", printable(m.Model), m.Device, m.CPUVariant, plural(m.Threads, "thread"))
	if j.faster != "" {
		fmt.Fprintf(j.stderr, "faster on this CPU: %s\n", printable(j.faster))
	}
	for _, file := range [][2]string{{"output  ", j.opts.out}, {"rejects ", j.opts.rejects}, {"offsets ", j.opts.sentences}, {"manifest", j.opts.manifest}} {
		if file[1] != "" && file[1] != "-" {
			fmt.Fprintf(j.stderr, "%s %s\n", file[0], printable(file[1]))
		}
	}
}

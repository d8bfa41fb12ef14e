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

// A job is one run of `tag`.
type job struct {
	opts    tagOptions
	stderr  io.Writer
	colours bool

	tagger      *tagger.Tagger
	out         *dataset.Writer
	rejected    *dataset.Writer // nil where rejects go to standard error
	sentences   *dataset.Writer // nil where no sentences are cut, or nobody wants to know their places
	progress    *progress
	language    *languageCheck // nil where nobody is told
	shown       int
	texts       *source // the inputs, where reading them has begun
	unsaved     unsaved
	begun       bool // the outputs are this run's
	flushed     time.Time
	checked     time.Time // the last checkpoint
	earlier     int       // records of earlier parts of the run
	parts       []dataset.Part
	started     time.Time
	before      loadReading // when tagging began
	manifest    dataset.Manifest
	model       models.Model
	sandbox     string // what the process is kept from
	gpu         gpuChoice
	sizes       engineSizes
	taxonomy    *dataset.Taxonomy
	calibration *tagger.Calibration  // nil where the model writes the emotions
	asRun       *dataset.Calibration // that of the run of which rejects are run again
	alike       bool                 // for tagger.Options
	notes       []string             // for printNotes
	faster      string               // what would make the model faster here, as far as is known
}

// errMaxRejects ends a run at --max-rejects.
var errMaxRejects = errors.New("too many rejects")

func runTag(cmd *cobra.Command, o tagOptions) (err error) {
	o.digest = new(dataset.TextsDigest)
	j := &job{opts: o, stderr: cmd.ErrOrStderr(), colours: colour(cmd.ErrOrStderr())}
	if err := j.place(); err != nil {
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
		if err := checkTexts(cmd.ErrOrStderr(), file, &o); err != nil {
			return err
		}
	}
	if !o.quiet {
		j.language = newLanguageCheck(j.stderr)
	}
	j.startProgress(cmd.Context())
	defer j.progress.end()
	if !o.dryRun {
		defer func() {
			if aerr := j.abort(); err == nil { // else it says the same again
				err = aerr
			}
		}()
		if o.resume {
			j.progress.phase("reading what an earlier run has left", nil)
		}
		if !o.resume {
			if err := j.create(); err != nil {
				return err
			}
		} else if finished, err := j.resume(cmd.Context(), prompt); finished || err != nil {
			return err
		}
	}

	engine, err := j.load(cmd.Context())
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := j.prepare(cmd.Context(), engine, prompt, tax); err != nil {
		return err
	}
	if o.dryRun {
		j.progress.phase("counting the texts and tagging a few", nil)
		d := dryRun{memory: engine.memory, device: gpuName(j.sizes.gpu), offload: engine.offload, language: j.language}
		err := d.count(cmd.Context(), j.tagger, &o)
		j.progress.end()
		return errors.Join(err, d.print(cmd.OutOrStdout()))
	}
	if err := j.describe(prompt); err != nil {
		return err
	}
	j.startRecords()
	runErr := j.run(cmd.Context())
	j.progress.end()
	return j.finish(runErr)
}

// find looks for the model and its calibration.
func (j *job) find(ctx context.Context) (store *models.Store, err error) {
	store = models.OpenDefault()
	if j.model, err = resolveModel(store, j.opts.model); err != nil {
		return nil, err
	}
	j.manifest.Model = j.model.Name
	return store, j.setCalibration(ctx)
}

// load finds, checks and loads the model.
func (j *job) load(ctx context.Context) (_ *engine, err error) {
	if j.progress == nil {
		j.startProgress(ctx)
	}
	defer func() {
		if err != nil {
			j.progress.end()
		}
	}()
	store, err := j.find(ctx)
	if err != nil {
		return nil, err
	}
	model := j.model
	g, err := openModel(model)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	var why string
	if o := &j.opts; o.deterministic {
		why = "for --deterministic"
		j.sizes, j.alike, err = alikeSizes(g, tagger.Decode(o.decode), o.threads, o.parallel, o.sizes)
	} else {
		j.sizes, why, err = chooseSizes(model, g, j.gpu.GPU, tagger.Decode(o.decode), j.calibration, o.threads, o.parallel, o.sizes)
	}
	if err != nil {
		return nil, err
	}
	j.sizes.reads, j.sizes.gpuOnly = j.calibration, j.gpu.Demand
	if j.opts.logLevel == "debug" {
		fmt.Fprintf(j.stderr, "emospan: debug: %s: %s\n", j.sizes, why)
	}
	e, err := j.loadEngine(ctx, model, g)
	j.log(err)
	if err != nil {
		return nil, err
	}
	j.placed(e)
	if r, ok := fasterFormat(store, model, g); ok {
		j.faster = r.hint()
	}
	if j.manifest.ModelSHA256 == "" {
		j.progress.phase("computing the SHA-256 of the model", nil)
		if j.manifest.ModelSHA256, err = model.Hash(ctx); err != nil {
			e.Close()
			return nil, err
		}
	}
	return e, nil
}

// prepare has the model read the prompt that every record shares.
func (j *job) prepare(ctx context.Context, engine *engine, prompt *tagger.Prompt, tax *dataset.Taxonomy) (err error) {
	o := &j.opts
	release := abortWith(ctx, engine)
	defer func() {
		if release(); ctx.Err() != nil {
			err = stoppedEarly(ctx)
		}
		if err != nil {
			j.progress.end()
		}
		j.log(err)
	}()
	j.tagger, err = tagger.New(engine, tagger.Options{
		ModelName: j.manifest.Model, Prompt: prompt, Taxonomy: tax, Decode: tagger.Decode(o.decode),
		Sampling: tagger.Sampling{Temperature: o.temperature, TopP: o.topP, Seed: o.seed}, Alike: j.alike,
		Confidence: tagger.Confidence(o.confidence), Calibration: j.calibration, Priors: true, Progress: j.readingPrompt,
	})
	return err
}

// identify says in the manifest what the records follow from, but for the model.
func (j *job) identify(prompt *tagger.Prompt) (err error) {
	m := &j.manifest
	m.Prompt, m.PromptSHA256, m.TaxonomySHA256 = prompt.Name, prompt.SHA256, j.taxonomy.SHA256()
	m.Decode, m.Confidence, m.Temperature, m.TopP, m.Seed = j.opts.decode, j.opts.confidence, j.opts.temperature, j.opts.topP, j.opts.seed
	if c := j.calibration; c != nil {
		m.Calibration = &dataset.Calibration{Name: c.Name, SHA256: c.SHA256, Texts: c.Texts}
	}
	m.Shard = j.opts.shard.String()
	m.Input, m.Output, m.Flags = j.opts.files, j.opts.out, j.opts.flags
	m.GrammarSHA256, err = tagger.GrammarSHA256(tagger.Decode(j.opts.decode), prompt.Task, j.taxonomy)
	return err
}

// describe fills in what the manifest can say before the first record.
func (j *job) describe(prompt *tagger.Prompt) error {
	variant, _ := llama.Start()
	m := &j.manifest
	m.Emospan, m.LlamaCPP = versionText(), llama.Revision
	m.BinarySHA256 = programSHA256(context.Background())
	m.Parallel, m.Threads, m.Sizes, m.Device, m.CPUVariant = j.sizes.Parallel, j.sizes.Threads, j.sizes.list(), gpuName(j.sizes.gpu), variant
	m.Sandbox = j.sandbox
	if m.Emotions == nil { // and no earlier part of the run was counted
		m.Emotions, m.RejectCodes = map[string]int{}, map[string]int{}
	}
	j.started, j.before = time.Now().UTC(), readLoad()
	m.Started = j.started
	if len(j.parts) > 0 {
		m.Started = j.parts[0].Started
	}
	return j.identify(prompt)
}

// take puts what became of an item where it belongs.
func (j *job) take(item tagger.Item, res tagger.Result) error {
	j.printNotes()
	if err := j.placeSentence(item.Input); err != nil {
		return err
	}
	if bad := item.Bad; bad != nil {
		return j.reject(&dataset.Reject{
			SrcID: rejectID(bad), File: j.oneOfSeveral(bad.File), Line: bad.Line, Index: bad.Index, Model: j.manifest.Model, Prompt: j.manifest.Prompt,
			Decode: j.opts.decode, Seed: j.opts.seed, Reasons: []dataset.Reason{bad.Reason},
		})
	}
	if res.Reject != nil {
		res.Reject.File = j.oneOfSeveral(item.File)
		return j.reject(res.Reject)
	}
	return j.accept(res.Record)
}

// oneOfSeveral is an input's name where it is not the only one.
func (j *job) oneOfSeveral(file string) string {
	if len(j.opts.files) == 1 {
		return ""
	}
	return file
}

func (j *job) accept(r *dataset.Record) error {
	j.manifest.Records++
	j.manifest.Accepted++
	tally(&j.manifest, r, 1)
	j.unsaved.records = append(j.unsaved.records, r)
	if j.opts.show < 0 || j.shown < int(j.opts.show) {
		j.shown++
		drawRecord(j.stderr, r, j.colours, columns(j.stderr))
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

// tallyCodes adds a reject's codes to a manifest, or with -1 takes them back.
func tallyCodes(m *dataset.Manifest, reasons []dataset.Reason, n int) {
	seen := map[string]bool{}
	for _, reason := range reasons {
		if !seen[reason.Code] {
			if m.RejectCodes[reason.Code] += n; m.RejectCodes[reason.Code] == 0 {
				delete(m.RejectCodes, reason.Code)
			}
			seen[reason.Code] = true
		}
	}
}

func (j *job) reject(r *dataset.Reject) error {
	j.manifest.Records++
	j.manifest.Rejected++
	tallyCodes(&j.manifest, r.Reasons, 1)
	var err error
	if j.rejected != nil {
		j.unsaved.rejects = append(j.unsaved.rejects, r)
		err = j.rejected.Write(r)
	} else if line, e := r.AppendJSON(nil); e == nil {
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

// finish completes the outputs, whatever ended the run, writes the manifest and says what was done.
func (j *job) finish(runErr error) error {
	m := &j.manifest
	dealt := runErr == nil && j.opts.digest.Texts() > 0 // and perhaps none of the texts to this shard
	if m.Records == 0 && runErr == nil && !dealt {
		runErr = dataError("%s: no texts; name a file with one text a line, or JSON lines with a %q field", inputNames(j.opts.files), j.opts.textField)
	}
	if m.Records == 0 && !dealt { // and the outputs are taken back
		if errors.Is(runErr, errInterrupted) {
			runErr = fmt.Errorf("%w; nothing was written", runErr)
		}
		return j.failure(runErr)
	}
	closeErr := j.closeOutputs()
	j.takeBack()
	j.measure()
	m.Interrupted = runErr != nil || closeErr != nil
	if runErr == nil {
		m.Texts, m.TextsSHA256 = j.opts.digest.Texts(), j.opts.digest.Sum()
	}
	if closeErr == nil && j.opts.fsync != fsyncNever {
		m.Synced = m.Records
	}
	if j.opts.manifest != "" {
		if err := j.writeManifest(); err != nil && closeErr == nil {
			closeErr = err
			j.opts.manifest = "" // not to be named as if it were there
		}
	}
	j.log(runErr)
	switch {
	case j.opts.quiet:
	case dealt && m.Records == 0:
		fmt.Fprintf(j.stderr, "shard %s has none of the %s\n", m.Shard, plural(m.Texts, "text"))
	case m.Records > 0:
		j.summary()
		if load := readLoad().since(j.before, j.sizes.Threads); load.busyLine() != "" {
			fmt.Fprintln(j.stderr, load.busyLine())
		}
	}
	switch {
	case closeErr != nil:
		return j.failure(closeErr)
	case errors.Is(runErr, errMaxRejects):
		return dataError("stopped after %d rejects (--max-rejects); %s says why", m.Rejected, cmp.Or(j.opts.rejects, "standard error"))
	case errors.Is(runErr, errInterrupted), errors.Is(runErr, llama.ErrGPUFailed), errors.Is(runErr, errModelFile):
		if j.opts.toFile {
			return fmt.Errorf("%w; %s whole in the output; --resume goes on with it", runErr, plural(m.Accepted, "record"))
		}
		return fmt.Errorf("%w; %s whole in the output", runErr, plural(m.Accepted, "record"))
	case runErr != nil:
		return runErr
	case m.Accepted == 0 && m.Records > 0:
		return dataError("every record was rejected; %s says why", cmp.Or(j.opts.rejects, "standard error"))
	}
	return nil
}

// measure sums up the parts of the run.
func (j *job) measure() {
	m := &j.manifest
	m.Finished = time.Now().UTC()
	total := j.tagger.Totals()
	m.Parts = append(slices.Clip(j.parts), dataset.Part{
		Emospan: m.Emospan, LlamaCPP: m.LlamaCPP, Parallel: m.Parallel, Threads: m.Threads, Device: m.Device,
		Started: j.started, Seconds: m.Finished.Sub(j.started).Seconds(), Records: m.Records - j.earlier,
		PromptTokens: total.Prompt, ForcedTokens: total.Forced, SampledTokens: total.Sampled,
	})
	records := 0
	m.Seconds, m.PromptTokens, m.ForcedTokens, m.SampledTokens = 0, 0, 0, 0
	for _, p := range m.Parts {
		records += p.Records
		m.Seconds += p.Seconds
		m.PromptTokens += p.PromptTokens
		m.ForcedTokens += p.ForcedTokens
		m.SampledTokens += p.SampledTokens
	}
	if m.Seconds > 0 {
		m.RecordsPerSecond = float64(records) / m.Seconds
		m.TokensPerSecond = float64(m.PromptTokens+m.ForcedTokens+m.SampledTokens) / m.Seconds
	}
	m.MaskMicrosP50 = float64(j.tagger.MaskTime(0.5).Nanoseconds()) / 1e3
	m.MaskMicrosP99 = float64(j.tagger.MaskTime(0.99).Nanoseconds()) / 1e3
}

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// tagOptions are the flags of `tag`.
type tagOptions struct {
	files []string

	model, out, rejects, manifest string
	input, textField, idField     string
	labelsField                   string
	delimiter, quoting            string
	labels                        *dataset.Taxonomy // what the input's labels are read as, nil where the prompt is given none
	split, sentences              string
	prompt                        promptOptions
	calibrate                     string
	taxonomy                      string
	decode, confidence            string
	temperature, topP             float64
	seed                          int64
	threads, parallel             int
	sizes                         string
	limit, maxRejects             int
	shardText                     string
	shard                         dataset.Shard
	digest                        *dataset.TextsDigest // of every text that is read; nil where nobody asks
	show                          showCount
	device                        string
	deterministic                 bool
	force, resume, flush          bool
	quiet, dryRun, noSandbox      bool
	fsync                         string
	toFile                        bool // the output is a regular file, or will be
	progress, logLevel            string
	cpuProfile                    string

	flags map[string]string // those that were set, for the manifest
}

func newTag() *cobra.Command {
	var o tagOptions
	cmd := &cobra.Command{
		Use:   "tag [FILE...]",
		Short: "Tag texts: one JSON record for each",
		Long: `Tag each text of the files, or of standard input, and write one checked record for each as a line of
JSON. A text whose answer fails a check is not written: it goes to the reject log with the model's
answer and the reasons. Beside the output a manifest says what made it and how fast. An output that is a
symbolic link is the file that it leads to, and those lie beside that.

As a filter it reads standard input and writes each record to standard output as soon as it is done, in
the order of the input. When the reader of standard output goes away the program ends as others do, by
SIGPIPE (141 in a shell), without a word; when that of a pipe named with -o does, with exit code 3.

A run that was stopped, killed or cut off by a full disk or a power cut goes on with --resume and the same
command: no record is lost and none comes twice.

Inputs are lines of text, JSON lines, a JSON array, CSV or TSV whose first row names the columns,
GoEmotions' TSV (text, label ids, id; no names), or Parquet. An id that two texts share is refused for
the second; docs/inputs.md says what an id is.
A sentence's id leads back to its text: ID#K is sentence K, from 0, of the text ID. Where it stands
there is a line of OUT.sentences.jsonl: of the text's UTF-8 the bytes from start to before end.`,
		Example: `  emospan tag texts.txt -o tagged.jsonl
  emospan tag --input jsonl --text-field body comments.jsonl -o tagged.jsonl.gz
  emospan tag --text-field review --split sentence reviews.csv -o tagged.jsonl
  emospan tag texts.txt -o tagged.jsonl --resume
  emospan tag --shard 0/8 texts.txt -o part0.jsonl
  echo "I can't wait for Friday!" | emospan tag --show`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			o.flags = map[string]string{}
			cmd.Flags().Visit(func(f *pflag.Flag) { o.flags[f.Name] = f.Value.String() })
			if err := o.check(); err != nil {
				return err
			}
			return runTag(cmd, o)
		},
	}
	cmd.Flags().SortFlags = false
	o.addFlags(cmd.Flags())
	return cmd
}

func (o *tagOptions) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.model, "model", "m", "", "`NAME` in the store or path of a GGUF file (default: the bundle's, else "+defaultModelName+")")
	f.StringVarP(&o.out, "out", "o", "-", "output `FILE`, - for standard output; compressed where it ends in .gz or .zst")
	f.StringVar(&o.rejects, "rejects", "", "reject log `FILE` (default: OUT.rejects.jsonl; standard error where the output is standard output)")
	f.StringVar(&o.manifest, "manifest", "", "manifest `FILE` (default: OUT.manifest.json)")
	o.addInputFlags(f)
	f.StringVar(&o.split, "split", splitNone, "one record for a text (none) or for each sentence of it (sentence), with the id ID#K, K from 0")
	f.StringVar(&o.sentences, "sentences", "", "`FILE` of where each sentence stands in its text (default: OUT.sentences.jsonl; none where the output is standard output)")
	o.prompt.addFlags(f)
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.StringVar(&o.decode, "decode", "compact", "what the model writes: compact (decisions as a short array), aligned (the whole JSON, kept to the text) or schema (the whole JSON)")
	f.StringVar(&o.calibrate, "calibrate", autoCalibration, "how each field is read from the model's states, `auto|none|FILE`: by what is built in for the model, held by the bundle, or left beside the model by emospan calibrate (auto); by a file of that command's; or not at all: the model writes the records (none, and auto in the form schema or with --prompt-file or --temperature)")
	f.StringVar(&o.confidence, "confidence", confidenceAuto, "what a span's confidence means: self (what the model writes), model (the probability of its emotion) or auto (model where there is a calibration, else self)")
	f.Float64Var(&o.temperature, "temperature", 0, "sampling temperature; 0 takes the likeliest token")
	f.Float64Var(&o.topP, "top-p", 1, "nucleus sampling: the fewest tokens whose probabilities reach this")
	f.Int64Var(&o.seed, "seed", 0, "seed of the sampling; each record's follows from it and the record's id")
	f.IntVar(&o.threads, "threads", 0, "compute threads (default: the cores that this process may use)")
	f.IntVar(&o.parallel, "parallel", 0, "decode `N` records at a time; their order stays (default: what bench found fastest here, else 16, or 1 in the aligned form; no more than the memory allows)")
	f.StringVar(&o.sizes, "sizes", "", "how they are decoded, a `LIST` of cache=one|each, batch=ROWS, flash=on|off and kv=f16|f32|q8_0 (default: what bench found fastest here)")
	f.BoolVar(&o.deterministic, "deterministic", false, "the same record for a text whatever is tagged beside it and whatever --parallel says, at some cost in speed")
	f.StringVar(&o.device, "device", deviceAuto, deviceUsage)
	f.IntVar(&o.limit, "limit", 0, "tag only the first `N` texts, each with all its sentences (0: all)")
	f.StringVar(&o.shardText, "shard", "", "tag part `I/N` of the texts, I from 0 to N-1: those whose number (from 0, behind --limit) divided by N leaves I; emospan merge joins the parts")
	f.IntVar(&o.maxRejects, "max-rejects", 0, "stop with exit code 1 after `N` rejects (0: no limit)")
	f.BoolVar(&o.dryRun, "dry-run", false, "count records and tokens, tag a few, and print the time and memory it would take")
	f.BoolVar(&o.force, "force", false, "replace an existing output")
	f.BoolVar(&o.flush, "flush", false, "write each record as soon as it and those before it are done, as to standard output and pipes in any case; else once a second")
	f.BoolVar(&o.resume, "resume", false, "go on with what an interrupted run of the same inputs, model and flags left in the output; begin where there is nothing")
	f.StringVar(&o.fsync, "fsync", fsyncInterval, "what outlasts a power cut: never (what the system has written by then), interval (all but the last five seconds) or always (each record)")
	f.Var(&o.show, "show", "print records as they come, spans marked and in a terminal wrapped: `N` of them, or all, as --show alone does")
	f.Lookup("show").NoOptDefVal = showAll
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no summary and no progress on standard error")
	f.StringVar(&o.progress, "progress", "auto", "what the run does, then records, their rate and the time left: auto (in a terminal a line that is drawn anew, else a line a minute), always (drawn, even to a file) or never")
	f.StringVar(&o.logLevel, "log-level", "error", "what llama.cpp says on standard error: debug, info, warn or error")
	f.BoolVar(&o.noSandbox, "no-sandbox", false, "keep all of the user's rights while the model runs (default: no files but those of this run, no sockets, no other programs)")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the Go side to `FILE`")
}

// check refuses what no run could make sense of, and fills in what follows from other flags.
func (o *tagOptions) check() error {
	for _, err := range []error{
		oneOf("input", o.input, inputFormats()...),
		o.checkInputFlags(),
		oneOf("split", o.split, splitNone, splitSentence),
		oneOf("decode", o.decode, decodeNames()...),
		oneOf("confidence", o.confidence, confidenceAuto, string(tagger.ConfidenceSelf), string(tagger.ConfidenceModel)),
		oneOf("device", o.device, deviceAuto, deviceCPU, deviceGPU),
		oneOf("fsync", o.fsync, fsyncNever, fsyncInterval, fsyncAlways),
		oneOf("progress", o.progress, "auto", "always", "never"),
		oneOf("log-level", o.logLevel, "debug", "info", "warn", "error"),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case !(o.temperature >= 0 && o.temperature <= 100):
		return usageError("--temperature %v: it must lie between 0 and 100", o.temperature)
	case !(o.topP > 0 && o.topP <= 1):
		return usageError("--top-p %v: it must lie above 0 and at most at 1", o.topP)
	case o.threads < 0 || o.threads > maxThreads:
		return usageError("--threads %d: it must lie between 1 and %d, or be 0 for all cores", o.threads, maxThreads)
	case o.parallel < 0 || o.parallel > maxParallel:
		return usageError("--parallel %d: it must lie between 1 and %d, or be 0 for as many as serve best", o.parallel, maxParallel)
	case o.limit < 0:
		return usageError("--limit %d: it must not be negative", o.limit)
	case o.maxRejects < 0:
		return usageError("--max-rejects %d: it must not be negative", o.maxRejects)
	case o.sentences != "" && o.split != splitSentence:
		return usageError("--sentences %s: there are none without --split sentence; add it", o.sentences)
	case o.resume && o.force:
		return usageError("--resume goes on with what is there, and --force replaces it; give one of them")
	case o.device == deviceGPU && llama.GPUBackend == "":
		return fmt.Errorf("--device gpu: %w, --device auto and cpu do without", llama.ErrNoGPUBackend)
	case o.device == deviceGPU && o.deterministic:
		return usageError("--deterministic holds for the CPU's arithmetic alone; leave out --device gpu")
	}
	if _, set := o.flags["shard"]; set {
		var err error
		if o.shard, err = dataset.ParseShard(o.shardText); err != nil {
			return usageError("--shard %s: it must be I/N, I from 0 to N-1 and N up to %d", o.shardText, dataset.MaxShards)
		}
	}
	if o.sizes != "" {
		if _, err := oneRecord(1).override(o.sizes); err != nil { // before anything is opened
			return err
		}
	}
	if len(o.files) == 0 {
		if isTerminal(os.Stdin) {
			return usageError("no texts: name a file or pipe them in; see emospan tag --help")
		}
		o.files = []string{"-"}
	}
	if o.out == "" {
		return usageError("--out is empty: name a file, or - for standard output")
	}
	if err := followLinks(&o.out); err != nil {
		return err
	}
	info, err := os.Stat(o.out)
	o.toFile = o.out != "-" && (err != nil || info.Mode().IsRegular())
	o.flush = o.flush || !o.toFile // to a pipe or a device: someone may be reading
	if o.toFile {                  // nothing lies beside a pipe
		if o.rejects == "" {
			o.rejects = o.out + rejectsSuffix
		}
		if o.manifest == "" {
			o.manifest = o.out + manifestSuffix
		}
		if o.sentences == "" && o.split == splitSentence {
			o.sentences = o.out + sentencesSuffix
		}
	}
	if err := followLinks(&o.rejects, &o.manifest, &o.sentences); err != nil {
		return err
	}
	if o.resume && !o.toFile {
		return usageError("--resume: there is nothing to go on with in %s; name a file with --out", outputName(o.out))
	}
	return o.checkFiles()
}

func outputName(out string) string {
	if out == "-" {
		return "standard output"
	}
	return out
}

// oneOf refuses a value that a flag does not have.
func oneOf(flag, value string, values ...string) error {
	if !slices.Contains(values, value) {
		return usageError("--%s %s: it must be one of %s", flag, value, strings.Join(values, ", "))
	}
	return nil
}

func inputFormats() []string {
	names := make([]string, len(dataset.Formats))
	for i, f := range dataset.Formats {
		names[i] = string(f)
	}
	return names
}

func decodeNames() []string {
	names := make([]string, len(tagger.Decodes))
	for i, d := range tagger.Decodes {
		names[i] = string(d)
	}
	return names
}

// checkFiles refuses files that one run would both read and write, or write twice.
func (o *tagOptions) checkFiles() error {
	return checkWritten(o.files, written{"--out", o.out}, written{"--rejects", o.rejects}, written{"--manifest", o.manifest}, written{"--sentences", o.sentences})
}

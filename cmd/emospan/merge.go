package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/spf13/cobra"
)

const sentencesSuffix = ".sentences.jsonl"

// mergeOptions are the flags of `merge`.
type mergeOptions struct {
	files        []string
	out          string
	taxonomy     string
	force, quiet bool
}

func newMerge() *cobra.Command {
	var o mergeOptions
	cmd := &cobra.Command{
		Use:   "merge FILE...",
		Short: "Join the outputs of all shards into one",
		Long: `Join the outputs of tag --shard 0/N to N-1/N, with their reject logs, sentence files and manifests, into
what one run of tag would have written: records and rejects stand in the order of the input. The files
may be named in any order; side files among them (a pattern may name them too) are passed over.

Before anything is written the manifests must show that all shards are there, each once and done to its
end, and that model, prompt, grammar, taxonomy, sampling, seed and input are the same. A shard that does
not hold what its manifest counts is refused, and then nothing is left behind. Records are copied byte
for byte; they are those of the single run where --deterministic is used, otherwise up to what other
neighbours in a batch change in a score's last digits.

Memory does not grow with the records. Each shard takes two open files, three with sentences.`,
		Example: `  emospan merge part0.jsonl part1.jsonl part2.jsonl -o tagged.jsonl
  emospan merge tagged.part*.jsonl -o tagged.jsonl.zst`,
		Args: takes(1, -1, "file", "emospan merge FILE FILE -o tagged.jsonl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			shards, err := o.check()
			if err != nil {
				return err
			}
			return runMerge(cmd, &o, shards)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.out, "out", "o", "", "output `FILE`; its reject log, sentences and manifest are written beside it; compressed where it ends in .gz or .zst")
	f.StringVar(&o.taxonomy, "taxonomy", "", "the taxonomy's `FILE` (default: the one that the shards' manifests name)")
	f.BoolVar(&o.force, "force", false, "replace an existing output")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no summary on standard error")
	return cmd
}

// A shardOutput is the output of one shard.
type shardOutput struct {
	path     string
	shard    dataset.Shard
	manifest *dataset.Manifest
}

// check reads the manifests and returns the shards in their order, or says why they do not make one dataset.
func (o *mergeOptions) check() ([]shardOutput, error) {
	switch o.out {
	case "":
		return nil, usageError("no output; name a file with -o")
	case "-":
		return nil, usageError("--out -: a reject log and a manifest are written beside it; name a file")
	}
	if err := followLinks(&o.out); err != nil {
		return nil, err
	}
	var inputs []string
	var shards []shardOutput
	for _, path := range o.files {
		if o.isSideFile(path) {
			continue
		}
		s, err := openManifest(path)
		if err != nil {
			return nil, err
		}
		shards = append(shards, s)
		inputs = append(inputs, path, s.path, s.path+rejectsSuffix, s.path+manifestSuffix, s.path+sentencesSuffix)
	}
	if err := checkShards(shards); err != nil {
		return nil, err
	}
	for _, suffix := range []string{"", rejectsSuffix, manifestSuffix, sentencesSuffix} {
		if err := checkWritten(inputs, written{"--out", o.out + suffix}); err != nil {
			return nil, err
		}
	}
	if info, err := os.Stat(o.out); err == nil && !info.Mode().IsRegular() {
		return nil, usageError("--out %s is not a regular file; name one", o.out)
	} else if err == nil && !o.force {
		return nil, errThere(o.out)
	}
	slices.SortFunc(shards, func(a, b shardOutput) int { return a.shard.Index - b.shard.Index })
	return shards, nil
}

// isSideFile reports whether a file stands beside another of those that were named.
func (o *mergeOptions) isSideFile(path string) bool {
	for _, suffix := range []string{rejectsSuffix, manifestSuffix, sentencesSuffix} {
		if out, ok := strings.CutSuffix(path, suffix); ok && slices.Contains(o.files, out) {
			return true
		}
	}
	return false
}

// openManifest reads the manifest of an output, and checks what it says of that alone.
func openManifest(path string) (s shardOutput, err error) {
	if path == "-" {
		return s, usageError("a shard's manifest stands beside it; name a file in place of -")
	}
	if err := checkInput(path); err != nil {
		return s, err
	}
	if !isRegular(path) {
		return s, usageError("%s is not a regular file; name one", path)
	}
	manifest := beside(path, manifestSuffix)
	s.path = strings.TrimSuffix(manifest, manifestSuffix)
	s.manifest, err = dataset.ReadManifest(manifest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, fmt.Errorf("%s has no manifest %s; put it beside the output, or run that shard again", path, path+manifestSuffix)
	case err != nil:
		return s, dataError("%w; run that shard again", err)
	case s.manifest.Shard == "":
		return s, dataError("%s is not a shard: its manifest names none; name outputs of emospan tag --shard I/N", path)
	}
	if s.shard, err = dataset.ParseShard(s.manifest.Shard); err != nil {
		return s, dataError("the manifest of %s: %w; run that shard again", path, err)
	}
	if m := s.manifest; m.Interrupted || m.TextsSHA256 == "" {
		return s, dataError("shard %s, %s, is not done to its end; run its emospan tag again with --resume", s.shard, path)
	}
	return s, nil
}

// checkShards refuses what are not all the shards of one run.
func checkShards(shards []shardOutput) error {
	first := shards[0]
	byIndex := map[int]string{}
	for _, s := range shards {
		if s.shard.Count != first.shard.Count {
			return dataError("%s is shard %s and %s is shard %s; name the outputs of one division", first.path, first.shard, s.path, s.shard)
		}
		if other, ok := byIndex[s.shard.Index]; ok {
			return dataError("shard %s is there twice, as %s and as %s; name one of them", s.shard, other, s.path)
		}
		byIndex[s.shard.Index] = s.path
	}
	var missing []string
	for i := range first.shard.Count {
		if _, ok := byIndex[i]; !ok {
			missing = append(missing, dataset.Shard{Index: i, Count: first.shard.Count}.String())
		}
	}
	if n := len(missing); n > 0 {
		list := strings.Join(missing[:min(n, 8)], ", ")
		if n > 8 {
			list += fmt.Sprintf(" and %d more", n-8)
		}
		return dataError("of %s there is no shard %s; run emospan tag --shard for each that is missing, and name all outputs", plural(first.shard.Count, "shard"), list)
	}
	for _, s := range shards {
		if d := first.manifest.ShardDifference(s.manifest); d != nil {
			return dataError("%s and %s differ in %s; run one of the shards again as the other was", first.path, s.path, d)
		}
	}
	return nil
}

func runMerge(cmd *cobra.Command, o *mergeOptions, shards []shardOutput) (err error) {
	whole := shards[0].manifest
	tax, err := loadTaxonomy(cmp.Or(o.taxonomy, whole.Flags["taxonomy"]))
	if err != nil {
		return err
	}
	if whole.TaxonomySHA256 != tax.SHA256() {
		return dataError("the shards were made with another taxonomy than %s; give theirs by --taxonomy", tax.Name())
	}
	m := &join{opts: o, texts: whole.Texts, tax: tax}
	defer m.discard()
	if err := m.open(shards); err != nil {
		return err
	}
	mode := hidden
	switch {
	case o.quiet:
	case isTerminal(cmd.ErrOrStderr()):
		mode = drawn
	default:
		mode = lines
	}
	p := newProgress(cmd.ErrOrStderr(), mode)
	p.records("merging", nil)
	p.expect(m.texts)
	err = m.run(cmd.Context(), p)
	p.end()
	if err != nil {
		return writeFailure(err)
	}
	total := dataset.MergeShards(m.manifests())
	total.Output = o.out
	if err := m.finish(total); err != nil {
		return writeFailure(err)
	}
	if o.quiet {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s of %s: %d accepted, %d rejected\n", plural(total.Records, "record"), plural(len(shards), "shard"), total.Accepted, total.Rejected)
	printRejected(cmd.ErrOrStderr(), total.RejectCodes)
	for i, what := range []string{"output  ", "rejects ", "offsets "} {
		if i < len(m.outputs) {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s %s\n", what, printable(m.outputs[i].path))
		}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "manifest %s\n", printable(o.out+manifestSuffix))
	return nil
}

// run copies every text's lines, in the order of the input.
func (m *join) run(ctx context.Context, p *progress) error {
	for number := range m.texts {
		if ctx.Err() != nil {
			return fmt.Errorf("%w; nothing was written", context.Cause(ctx))
		}
		if err := m.text(m.shards[number%len(m.shards)], number); err != nil {
			return err
		}
		p.add()
	}
	for _, s := range m.shards {
		if err := s.checkEnd(); err != nil {
			return err
		}
	}
	return nil
}

// An output is written beside its place, under a name with the same ending, which decides the compression.
type output struct {
	path, temp string
	*dataset.Writer
}

func newOutput(path string) (output, error) {
	if err := followLinks(&path); err != nil {
		return output{}, err
	}
	temp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".merge-%d-%s", os.Getpid(), filepath.Base(path)))
	w, err := createOutput(temp, true)
	return output{path, temp, w}, err
}

package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/spf13/cobra"
)

// roundingError is the weight error up to which a conversion has only rounded: half precision leaves 0.0002.
const roundingError = 0.001

func newModelsConvert() *cobra.Command {
	var c conversion
	var to string
	cmd := &cobra.Command{
		Use:   "convert NAME|FILE --to FORMAT",
		Short: "Make a copy of a model in another weight format",
		Long: `Make a copy of a model whose weights have another format, F16, Q8_0, Q4_K_M or Q4_0, and keep it in
the store. How fast a format is depends on the CPU: emospan models show --speed measures it.

F16 keeps what the source holds, up to rounding. Formats of fewer bits lose something, and so does packing
weights anew that were packed before: how far the weights are off is measured and printed, and what that
does to the model's expectations on a short text. Norms stay as they are, and embeddings may get more bits
than the rest, as llama.cpp's own tool has it.`,
		Example: "  emospan models convert smollm2-135m --to F16\n  emospan models convert llama3:instruct --to Q8_0 --as llama3:small",
		Args:    takes(1, 1, "model", "emospan models convert NAME --to FORMAT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usageError("--to is missing: name a format, one of %s; see emospan models convert --help", formatNames())
			}
			var err error
			if c.format, err = models.ParseFormat(to); err != nil {
				return usageError("--to %w; see emospan models convert --help", err)
			}
			c.store = models.OpenDefault()
			if c.source, err = resolveModel(c.store, args[0]); err != nil {
				return err
			}
			if c.source.Part != nil {
				return usageError("NAME is empty: name a model; see emospan models convert --help")
			}
			entry, err := c.run(cmd.Context(), cmd.ErrOrStderr())
			if err != nil {
				if cmd.Context().Err() != nil {
					return fmt.Errorf("the conversion of %s was interrupted, nothing of it was kept: %w", c.source.Name, cmd.Context().Err())
				}
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), entry.Path)
			return err
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`FORMAT` of the copy: "+formatNames())
	cmd.Flags().StringVar(&c.name, "as", "", "`NAME` of the copy in the store (default: the model's with the format's, as in smollm2-135m-f16)")
	cmd.Flags().BoolVar(&c.replace, "force", false, "replace a model of that name")
	cmd.Flags().IntVar(&c.threads, "threads", 0, "compute threads (default: the cores that this process may use)")
	return cmd
}

func formatNames() string {
	var names []string
	for _, f := range models.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// conversion is one run of models convert.
type conversion struct {
	store   *models.Store
	source  models.Model
	format  models.Format
	name    string // of the result
	replace bool
	threads int
}

func (c *conversion) run(ctx context.Context, stderr io.Writer) (models.Entry, error) {
	if c.threads < 0 || c.threads > maxThreads {
		return models.Entry{}, usageError("--threads %d: it must lie between 1 and %d, or be 0 for all cores", c.threads, maxThreads)
	}
	c.threads = mostThreads(c.threads)
	g, err := openGGUF(c.source.Path)
	if err != nil {
		return models.Entry{}, err
	}
	defer g.Close()
	if err := g.Usable(); err != nil {
		return models.Entry{}, fmt.Errorf("%s: %w", c.source.Path, err)
	}
	if g.FileType() == string(c.format) {
		return models.Entry{}, usageError("%s is in %s already; nothing to convert", c.source.Name, c.format)
	}
	if c.name == "" {
		c.name = convertedName(c.source.Name, g.FileType(), c.format)
	}
	if c.name == c.source.Name && c.source.Entry != nil {
		return models.Entry{}, usageError("the copy cannot have the name of its source, %s; name it with --as", c.name)
	}
	if err := c.store.CheckFree(c.name, c.replace); err != nil {
		return models.Entry{}, err
	}
	hash, err := c.source.Hash(ctx)
	if err != nil {
		return models.Entry{}, err
	}
	bar := newByteProgress(stderr, "converting "+printable(c.source.Name))
	entry, err := c.store.Make(ctx, c.name, g.ConvertedSize(c.format), c.replace, bar.set, func(path string) (models.Meta, error) {
		return c.make(ctx, g, hash, path)
	})
	bar.end()
	if err != nil {
		return models.Entry{}, err
	}
	return entry, c.report(stderr, g, entry)
}

// make writes the converted file and tells what became of the model.
func (c *conversion) make(ctx context.Context, source *models.GGUF, hash, path string) (models.Meta, error) {
	if err := llama.Quantize(ctx, c.source.Path, path, string(c.format), c.threads); err != nil {
		return models.Meta{}, err
	}
	result, err := models.OpenGGUF(path)
	if err != nil {
		return models.Meta{}, err
	}
	defer result.Close()
	off, err := models.WeightError(ctx, source, result, dequantize)
	if err != nil {
		return models.Meta{}, err
	}
	done := &models.Conversion{From: c.source.Name, SHA256: hash, Format: c.format, WeightError: off}
	if off > roundingError && max(source.Size(), result.Size()) < availableMemory() {
		if done.Agreement, err = modelAgreement(ctx, c.source.Path, path, c.threads); err != nil {
			return models.Meta{}, err
		}
	}
	meta := models.Meta{Source: fmt.Sprintf("%s, converted to %s", c.source.Name, c.format), Converted: done}
	if e := c.source.Entry; e != nil {
		meta.License, meta.ChatTemplate = e.License, e.ChatTemplate
	}
	return meta, nil
}

func dequantize(kind models.TensorType, packed []byte, out []float32) error {
	return llama.Dequantize(uint32(kind), packed, out)
}

// convertedName puts the format in the place of that which a name ends with, if any.
func convertedName(name, from string, to models.Format) string {
	if lower := strings.ToLower(name); strings.HasSuffix(lower, ".gguf") {
		name = name[:len(name)-len(".gguf")]
	}
	if rest, suffix := len(name)-len(from)-1, len(from); from != "" && rest > 0 && strings.EqualFold(name[rest+1:], from) &&
		suffix > 0 && strings.ContainsRune(".-_", rune(name[rest])) {
		name = name[:rest]
	}
	return name + "-" + strings.ToLower(string(to))
}

func (c *conversion) report(w io.Writer, source *models.GGUF, e models.Entry) error {
	result, err := models.OpenGGUF(e.Path)
	if err != nil {
		return err
	}
	defer result.Close()
	fmt.Fprintf(w, "made %s from %s: %s, %s instead of %s in %s (sha256 %s)\n", e.Name, printable(c.source.Name),
		c.format, bytesText(e.Size), bytesText(source.Size()), source.FileType(), e.SHA256)
	if kept := otherTypes(result, c.format); kept != "" {
		fmt.Fprintf(w, "not in %s: %s\n", c.format, kept)
	}
	for _, line := range lossLines(*e.Converted) {
		fmt.Fprintln(w, line)
	}
	return nil
}

// otherTypes names the matrices that are in another type than the format's own, and how many there are.
func otherTypes(g *models.GGUF, f models.Format) string {
	type group struct {
		name string
		n    int
	}
	var order []models.TensorType
	groups := map[models.TensorType]*group{}
	for _, t := range g.Tensors() {
		if len(t.Shape) < 2 || t.Type.String() == strings.TrimSuffix(string(f), "_M") {
			continue
		}
		if groups[t.Type] == nil {
			groups[t.Type] = &group{name: t.Name}
			order = append(order, t.Type)
		}
		groups[t.Type].n++
	}
	var parts []string
	for _, kind := range order {
		if gr := groups[kind]; gr.n == 1 {
			parts = append(parts, fmt.Sprintf("%s (%s)", printable(gr.name), kind))
		} else {
			parts = append(parts, fmt.Sprintf("%d matrices (%s)", gr.n, kind))
		}
	}
	return strings.Join(parts, ", ")
}

// lossLines says what a conversion lost.
func lossLines(c models.Conversion) []string {
	lines := []string{fmt.Sprintf("weights: %.2g %% off the source's (root mean square, relative)", 100*c.WeightError)}
	switch a := c.Agreement; {
	case c.WeightError <= roundingError:
		lines[0] += ": rounding, nothing else is lost"
	case a == nil:
		lines = append(lines, "what that does to the model was not measured: both models do not fit the memory that is free")
	default:
		lines = append(lines, fmt.Sprintf("on a text of %d tokens it expects the same next token as its source %d times (%.0f %%), perplexity %.4g instead of %.4g",
			a.Tokens, a.Same, 100*float64(a.Same)/float64(a.Tokens), a.After, a.Before))
	}
	return lines
}

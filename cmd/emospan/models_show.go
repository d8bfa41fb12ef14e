package main

import (
	"context"
	"fmt"
	"io"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
)

// modelReport is what `models show` prints.
type modelReport struct {
	Name         string `json:"name"`
	Path         string `json:"path"`
	SHA256       string `json:"sha256"`
	Size         int64  `json:"size"`
	Architecture string `json:"architecture"`
	Title        string `json:"title"`
	Parameters   int64  `json:"parameters"`
	Quantisation string `json:"quantisation"`
	Context      int    `json:"context"`
	Vocabulary   int    `json:"vocabulary"`
	ChatTemplate string `json:"chat_template"`
	License      string `json:"license"`
	Calibration  string `json:"calibration"` // what records are read by
	Usable       bool   `json:"usable"`
	Reason       string `json:"reason,omitempty"` // why not

	Converted *models.Conversion `json:"converted,omitempty"` // what it was made from
	Formats   []formatReport     `json:"formats,omitempty"`   // other weight formats on this CPU, once it has been measured
	Memory    []memoryNeed       `json:"memory"`
	Speed     *speedReport       `json:"speed,omitempty"` // once this CPU has been measured
}

// memoryNeed is what tagging so many records at a time takes, in bytes.
type memoryNeed struct {
	Parallel  int   `json:"parallel"`
	Weights   int64 `json:"weights"`
	KV        int64 `json:"kv"`
	Buffers   int64 `json:"buffers"`
	Total     int64 `json:"total"`
	Available int64 `json:"available"`
}

// speedReport is what the model's matrices would let through, all else left out.
type speedReport struct {
	TokensPerSecond float64 `json:"tokens_per_second"`
	Threads         int     `json:"threads"`
	Class           string  `json:"class"`
}

// speedClasses name the orders of magnitude of tokens a second. A text takes some forty of them in the compact form.
var speedClasses = []struct {
	name  string
	least float64
}{{"very fast", 1000}, {"fast", 200}, {"moderate", 40}, {"slow", 8}, {"very slow", 0}}

// speedOf estimates from the speeds of a thread; it is nil where they say nothing of the model's types.
func speedOf(g *models.GGUF, speeds typeSpeeds, threads int) *speedReport {
	cost, ok := speeds.cost(g.Tensors())
	if !ok {
		return nil
	}
	r := &speedReport{TokensPerSecond: 1e9 / cost * float64(threads), Threads: threads}
	for _, c := range speedClasses {
		if r.Class == "" && r.TokensPerSecond >= c.least {
			r.Class = c.name
		}
	}
	return r
}

// memoryOf estimates for each number of records, or for what tagging would choose where there is none.
func memoryOf(m models.Model, g *models.GGUF, parallel []int) (list []memoryNeed, err error) {
	sizes, _, err := chooseSizes(m, g, nil, tagger.Compact, nil, 0, 0, "")
	if err != nil {
		return nil, err
	}
	if len(parallel) == 0 {
		parallel = []int{sizes.Parallel}
	}
	available := availableMemory()
	for _, n := range parallel {
		e := estimateMemory(g, contextOptions(g.ContextLength(), sizes.with(n)))
		list = append(list, memoryNeed{n, e.Weights, e.KV, e.Total - e.Weights - e.KV, e.Total, available})
	}
	return list, nil
}

func newModelsShow() *cobra.Command {
	var asJSON, speed bool
	var parallel []int
	cmd := &cobra.Command{
		Use:   "show [NAME|FILE]",
		Short: "Describe a model, and the weight formats that this CPU is fast at",
		Long: `Describe a model. How fast it would be in other weight formats on this CPU is estimated from how fast the
CPU multiplies with each type of weights. --speed measures that, in about two seconds, and keeps it in the
user's cache folder; without it what was kept is shown. What the estimate leaves out is the same in every
format, so a real run gains a little less. The class of speed is from the same measurement, in tokens a second with all
threads: very fast from 1000, fast from 200, moderate from 40, slow from 8, very slow below.

The memory is what tag would take in the compact form, for the number of records at a time that it would choose or for
those of --parallel.`,
		Example: "  emospan models show\n  emospan models show smollm2-135m --speed\n  emospan models show llama3:instruct --parallel 1,8,16\n  emospan models show ./model.gguf --json",
		Args:    takes(0, 1, "model", "emospan models show NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, n := range parallel {
				if n < 1 || n > maxParallel {
					return usageError("--parallel %d: choose 1 to %d", n, maxParallel)
				}
			}
			store := models.OpenDefault()
			m, err := resolveModel(store, modelArg(args))
			if err != nil {
				return err
			}
			speeds, measured := knownSpeeds()
			if speed {
				if speeds, err = measureSpeeds(cmd.Context()); err != nil {
					return err
				}
				measured = true
				if err := speeds.keep(); err != nil {
					fmt.Fprintln(cmd.ErrOrStderr(), "emospan: warning: the measurement was not kept:", oneLine(err.Error()))
				}
			}
			r, err := describeModel(cmd, store, m, speeds, parallel)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			usable := "yes"
			if !r.Usable {
				usable = "no: " + r.Reason
			}
			rows := [][2]string{
				{"name", r.Name}, {"path", r.Path}, {"size", bytesText(r.Size)}, {"sha256", r.SHA256}, {"architecture", r.Architecture},
				{"title", r.Title}, {"parameters", fmt.Sprintf("%.1f million", float64(r.Parameters)/1e6)}, {"quantisation", r.Quantisation},
				{"context", fmt.Sprintf("%d tokens", r.Context)}, {"vocabulary", fmt.Sprintf("%d tokens", r.Vocabulary)},
				{"chat template", r.ChatTemplate}, {"licence", r.License}, {"usable", usable}, {"calibration", r.Calibration},
			}
			if r.Converted != nil {
				rows = append(rows, [2]string{"converted", "from " + r.Converted.From})
				for _, line := range lossLines(*r.Converted) {
					rows = append(rows, [2]string{"", line})
				}
			}
			for _, e := range r.Memory {
				rows = append(rows, [2]string{"memory", fmt.Sprintf("%s for %s at a time (weights %s, KV cache %s, buffers %s), %s available", bytesText(e.Total),
					plural(e.Parallel, "record"), bytesText(e.Weights), bytesText(e.KV), bytesText(e.Buffers), bytesText(e.Available))})
			}
			if v := r.Speed; v != nil {
				rows = append(rows, [2]string{"speed", fmt.Sprintf("%s: at most about %.0f tokens a second with %s", v.Class, v.TokensPerSecond, plural(v.Threads, "thread"))})
			}
			rows = append(rows, speedRows(m, r, measured)...)
			return table(cmd.OutOrStdout(), func(w io.Writer) {
				for _, row := range rows {
					fmt.Fprintf(w, "%s\t%s\n", row[0], printable(row[1]))
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntSliceVar(&parallel, "parallel", nil, "`N`,… records at a time to tell the memory for")
	cmd.Flags().BoolVar(&speed, "speed", false, "measure which weight formats this CPU is fast at")
	return cmd
}

// describeCalibration says what a model's records are read by, for the built-in taxonomy.
func describeCalibration(ctx context.Context, m models.Model) (string, error) {
	c, found, _, err := ownCalibration(ctx, m, dataset.Default())
	switch {
	case ctx.Err() != nil:
		return "", err
	case err != nil:
		return "unusable: " + err.Error(), nil
	case c == nil:
		return "none; emospan calibrate -m " + m.Name + " makes one", nil
	}
	return found.name + ", fitted to " + c.Texts, nil
}

func describeModel(cmd *cobra.Command, store *models.Store, m models.Model, speeds typeSpeeds, parallel []int) (modelReport, error) {
	g, err := openModel(m)
	if err != nil {
		return modelReport{}, err
	}
	defer g.Close()
	hash, err := m.Hash(cmd.Context())
	if err != nil {
		return modelReport{}, err
	}
	r := modelReport{
		Name: m.Name, Path: m.Path, SHA256: hash, Size: g.Size(), Architecture: g.Architecture(), Title: g.Name(),
		Parameters: g.Parameters(), Quantisation: g.FileType(), Context: g.ContextLength(), Vocabulary: g.VocabSize(),
		License: g.License(), Usable: true,
	}
	m.SHA256 = hash
	r.Formats = formatReports(store, m, g, speeds)
	if m.Entry != nil {
		r.Converted = m.Entry.Converted
		if r.License == "" {
			r.License = m.Entry.License
		}
	}
	template, err := templateOf(m, g)
	if err != nil {
		return modelReport{}, err
	}
	r.ChatTemplate = template.String()
	if r.Calibration, err = describeCalibration(cmd.Context(), m); err != nil {
		return modelReport{}, err
	}
	if _, err := checkHeader(m, g); err != nil {
		r.Usable, r.Reason = false, err.Error()
	}
	if r.Memory, err = memoryOf(m, g, parallel); err != nil {
		return modelReport{}, err
	}
	r.Speed = speedOf(g, speeds, mostThreads(0))
	return r, nil
}

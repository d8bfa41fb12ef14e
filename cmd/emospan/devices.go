package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/sandbox"
	"github.com/emospan/emospan/tagger"
	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"
)

// deviceReport is what `devices` prints.
type deviceReport struct {
	CPU      string          `json:"cpu"`
	Cores    int             `json:"cores"`   // logical ones that the machine has
	Threads  int             `json:"threads"` // those that this process may use: the default of --threads
	Variant  string          `json:"cpu_variant"`
	Error    string          `json:"error,omitempty"` // why no variant can be used
	Features []string        `json:"features"`
	Variants []variantReport `json:"variants"`
	Devices  []llama.Device  `json:"devices"`
	Allowed  int             `json:"cpus_allowed"` // logical cores in the affinity mask
	Limit    float64         `json:"cpu_limit"`    // cores that the control group's quota comes to, 0 without one
	Memory   memoryReport    `json:"memory"`
	NUMA     []numaNode      `json:"numa_nodes"`
	Backend  string          `json:"gpu_backend"` // what the executable has for GPUs, empty where nothing
	GPUs     []gpuReport     `json:"gpus"`
	GPU      string          `json:"gpu"`             // which is used, or why none
	Model    *modelPlace     `json:"model,omitempty"` // where --model would run
	Sandbox  sandbox.State   `json:"sandbox"`
}

type memoryReport struct {
	Total     int64 `json:"total"`     // bytes, of the machine
	Available int64 `json:"available"` // bytes that this process can have now, its control group's limit included
}

type variantReport struct {
	Name   string `json:"name"`
	Usable bool   `json:"usable"`
	Chosen bool   `json:"chosen"`
	Reason string `json:"reason,omitempty"`
}

// modelPlace says how much of a model would run on the GPU.
type modelPlace struct {
	Name      string `json:"name"`
	GPULayers int    `json:"gpu_layers"` // the output head counts as one
	Layers    int    `json:"layers"`     // all, and the head
	GPUMemory int64  `json:"gpu_memory"` // bytes of it that these take
	Reason    string `json:"reason,omitempty"`
}

func newDevices() *cobra.Command {
	var asJSON bool
	var device, model string
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "Show the CPU, the variant chosen for it and why, and what else can compute",
		Long: `Show the CPU's features, which of the executable's CPU variants may run here and which one is
chosen, and the devices that models run on; how many cores this process may use (its affinity mask and
its control group's limit, which are the default of --threads), memory, NUMA nodes, and what keeps a run
of tag from other files and the network. EMOSPAN_CPU=NAME forces a variant.

An executable with a GPU back end (make GPU=vulkan) lists each GPU that the driver offers, which is used,
and why the others are not, or why there is none; with --model also how many of its layers fit. --device
gpu makes it an error if there is none to use.`,
		Example: "  emospan devices\n  emospan devices -m llama3:instruct\n  EMOSPAN_CPU=sse42 emospan devices --json",
		Args:    takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("device", device, deviceAuto, deviceCPU, deviceGPU); err != nil {
				return err
			}
			report, err := surveyDevices(device, model)
			if asJSON {
				if perr := printJSON(cmd.OutOrStdout(), report); perr != nil {
					return perr
				}
				return err
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "CPU       %s, %d logical cores, %d for this process%s\n", report.CPU, report.Cores, report.Threads, report.limits())
			fmt.Fprintf(out, "memory    %s available of %s\n", bytesText(report.Memory.Available), bytesText(report.Memory.Total))
			for _, n := range report.NUMA {
				fmt.Fprintf(out, "NUMA      node %d: cores %s, %s\n", n.ID, n.Cores, bytesText(n.Memory))
			}
			for _, v := range report.Variants {
				mark, note := " ", v.Reason
				if v.Usable {
					note = "usable"
				}
				if v.Chosen {
					mark, note = "*", "chosen: the best that this CPU and this executable share"
					if os.Getenv(llama.EnvCPU) != "" {
						note = "chosen by " + llama.EnvCPU
					}
				}
				fmt.Fprintf(out, "variant %s %-11s %s\n", mark, v.Name, note)
			}
			if len(report.Features) > 0 {
				fmt.Fprintf(out, "uses      %s\n", strings.Join(report.Features, " "))
			}
			for _, d := range report.Devices {
				fmt.Fprintf(out, "device    %s (%s): %s, %s free of %s\n", d.Name, d.Type, d.Description, bytesText(int64(d.MemoryFree)), bytesText(int64(d.MemoryTotal)))
			}
			for _, g := range report.GPUs {
				mark, note := " ", g.Reason
				if g.Chosen {
					mark, note = "*", "chosen"
				}
				fmt.Fprintf(out, "GPU %d   %s %s (%s), %s free of %s: %s\n", g.Index, mark, printable(g.Name), g.Type, bytesText(int64(g.MemoryFree)), bytesText(int64(g.MemoryTotal)), note)
			}
			fmt.Fprintf(out, "GPU       %s\n", printable(report.GPU))
			if m := report.Model; m != nil {
				fmt.Fprintf(out, "model     %s: %s\n", printable(m.Name), m)
			}
			fmt.Fprintf(out, "sandbox   %s\n", report.Sandbox)
			return err
		},
	}
	cmd.Flags().StringVarP(&model, "model", "m", "", "tell how much of the model, a `NAME` in the store or a GGUF file, a GPU would compute")
	cmd.Flags().StringVar(&device, "device", deviceAuto, deviceUsage)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func surveyDevices(device, model string) (deviceReport, error) {
	variant, err := llama.Start()
	r := deviceReport{
		CPU: cpuid.CPU.BrandName, Cores: onlineCores("/"), Threads: runtime.GOMAXPROCS(0), Variant: variant,
		Features: []string{}, Devices: []llama.Device{}, Allowed: runtime.NumCPU(), Limit: cpuLimit("/"),
		Memory: memoryReport{Total: totalMemory("/"), Available: availableMemory()}, NUMA: numaNodes("/"),
		Backend: llama.GPUBackend, GPUs: []gpuReport{}, GPU: "none used: no CPU variant to begin with", Sandbox: sandbox.Supported(),
	}
	for _, c := range llama.Choices() {
		r.Variants = append(r.Variants, variantReport{c.Name, c.Usable, c.Name == variant, c.Reason})
	}
	if err != nil {
		r.Error = err.Error()
		return r, err
	}
	r.Features, r.Devices = llama.Features(), llama.Devices()
	if r.Memory.Total == 0 { // without /proc
		for _, d := range r.Devices {
			r.Memory.Total = max(r.Memory.Total, int64(d.MemoryTotal))
		}
	}
	choice, err := surveyGPUs(device)
	r.GPUs, r.GPU = append(r.GPUs, choice.Reports...), choice.String()
	if choice.GPU != nil {
		r.Sandbox = sandbox.State{Reason: "off while a GPU computes, whose driver opens what it likes: only --device cpu has one"}
	}
	if err == nil && model != "" {
		r.Model, err = placeModel(model, &choice)
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r, err
}

// placeModel reckons where tag would run the model in its usual form.
func placeModel(name string, choice *gpuChoice) (*modelPlace, error) {
	m, err := resolveModel(models.OpenDefault(), name)
	if err != nil {
		return nil, err
	}
	g, err := openModel(m)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	if err := g.Usable(); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path, err)
	}
	sizes, _, err := chooseSizes(m, g, choice.GPU, tagger.Compact, nil, 0, 0, "")
	if err != nil {
		return nil, err
	}
	part := offloaded(g, sizes, availableMemory())
	p := &modelPlace{Name: m.Name, GPULayers: part.Layers, Layers: part.Of, GPUMemory: part.Bytes}
	if choice.GPU != nil && part.Layers == 0 {
		p.Reason = fmt.Sprintf("too little memory on %s for a layer of it", choice.GPU.Name)
		return p, choice.demanded(p.Reason)
	}
	return p, nil
}

func (p *modelPlace) String() string {
	switch {
	case p.Reason != "":
		return "on the CPU: " + p.Reason
	case p.GPULayers == 0:
		return "on the CPU"
	}
	return fmt.Sprintf("%d of %d layers on the GPU, the output head counted as one: %s of its memory", p.GPULayers, p.Layers, bytesText(p.GPUMemory))
}

// limits says why the process may use fewer cores than there are.
func (r *deviceReport) limits() string {
	var why []string
	if r.Allowed < r.Cores {
		why = append(why, fmt.Sprintf("the affinity mask leaves %d", r.Allowed))
	}
	if r.Limit > 0 {
		why = append(why, fmt.Sprintf("the control group's limit is %.4g", r.Limit))
	}
	if len(why) == 0 {
		return ""
	}
	return " (" + strings.Join(why, ", ") + ")"
}

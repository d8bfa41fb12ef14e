package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/sandbox"
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
	GPUs     []llama.Device  `json:"gpus"`
	GPU      string          `json:"gpu"` // which is used, or why none
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

func newDevices() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "Show the CPU, the variant chosen for it and why, and what else can compute",
		Long: `Show the CPU's features, which of the executable's CPU variants may run here and which one is
chosen, and the devices that models run on; how many cores this process may use (its affinity mask and
its control group's limit, which are the default of --threads), memory, NUMA nodes, and what keeps a run
of tag from other files and the network. EMOSPAN_CPU=NAME forces a variant.`,
		Example: "  emospan devices\n  EMOSPAN_CPU=sse42 emospan devices --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := surveyDevices()
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
			fmt.Fprintf(out, "GPU       %s\n", report.GPU)
			fmt.Fprintf(out, "sandbox   %s\n", report.Sandbox)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func surveyDevices() (deviceReport, error) {
	variant, err := llama.Start()
	r := deviceReport{
		CPU: cpuid.CPU.BrandName, Cores: onlineCores("/"), Threads: runtime.GOMAXPROCS(0), Variant: variant,
		Features: []string{}, Devices: []llama.Device{}, Allowed: runtime.NumCPU(), Limit: cpuLimit("/"),
		Memory: memoryReport{Total: totalMemory("/"), Available: availableMemory()}, NUMA: numaNodes("/"),
		GPUs: []llama.Device{}, GPU: "none used: this executable has no GPU back end", Sandbox: sandbox.Supported(),
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
	return r, nil
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

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/emospan/emospan/llama"
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
chosen, and the devices that models run on. EMOSPAN_CPU=NAME forces a variant.`,
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
			fmt.Fprintf(out, "CPU       %s, %d logical cores, %d for this process\n", report.CPU, report.Cores, report.Threads)
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
			if err == nil {
				fmt.Fprintln(out, "GPU       none used: this executable has no GPU back end")
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func surveyDevices() (deviceReport, error) {
	variant, err := llama.Start()
	r := deviceReport{
		CPU: cpuid.CPU.BrandName, Cores: runtime.NumCPU(), Threads: runtime.GOMAXPROCS(0), Variant: variant,
		Features: []string{}, Devices: []llama.Device{},
	}
	for _, c := range llama.Choices() {
		r.Variants = append(r.Variants, variantReport{c.Name, c.Usable, c.Name == variant, c.Reason})
	}
	if err != nil {
		r.Error = err.Error()
		return r, err
	}
	r.Features, r.Devices = llama.Features(), llama.Devices()
	return r, nil
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
)

// A comparison is two reports beside each other.
type comparison struct {
	Before      string       `json:"before"` // the files
	After       string       `json:"after"`
	Differences []difference `json:"differences"` // of the setups, and machines that were busy: where there are any, the ratios are not of emospan alone
	Ratios      []figure     `json:"ratios"`
}

// A difference is something that was not the same in both.
type difference struct {
	What   string `json:"what"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// A figure is one that both reports have.
type figure struct {
	Test     string  `json:"test"`
	Decode   string  `json:"decode"`   // "" for a speed test
	Parallel int     `json:"parallel"` // 0 for a speed test
	Figure   string  `json:"figure"`   // its name in a report
	Before   float64 `json:"before"`
	After    float64 `json:"after"`
	Ratio    float64 `json:"ratio"` // after ÷ before, 0 where before is
}

func runBenchCompare(cmd *cobra.Command, o benchOptions) error {
	before, err := readReport(o.files[0])
	if err != nil {
		return err
	}
	after, err := readReport(o.files[1])
	if err != nil {
		return err
	}
	c := compareReports(before, after)
	if len(c.Ratios) == 0 {
		return dataError("%s and %s measured nothing alike; measure the same forms, so many at a time, in both", o.files[0], o.files[1])
	}
	c.Before, c.After = o.files[0], o.files[1]
	var out bytes.Buffer
	switch o.format {
	case "json":
		err = printJSON(&out, c)
	case "jsonl":
		err = writeJSONLines(&out, c.rows())
	case "csv":
		err = writeCSV(&out, c.rows())
	default:
		c.writeMarkdown(&out)
	}
	if err != nil {
		return err
	}
	return writeOutput(cmd.OutOrStdout(), o, out.Bytes())
}

// compareReports pairs what both reports measured, in the order of the second.
func compareReports(before, after *benchReport) *comparison {
	c := &comparison{Differences: differences(&before.benchSetup, &after.benchSetup)}
	if a, b := noisyText(before), noisyText(after); a != "idle" || b != "idle" {
		c.Differences = append(c.Differences, difference{machineDifference, a, b})
	}
	add := func(f figure) {
		f.Ratio = ratio(f.After, f.Before)
		c.Ratios = append(c.Ratios, f)
	}
	for _, b := range after.Speeds {
		for _, a := range before.Speeds {
			if a.Test == b.Test {
				add(figure{Test: b.Test, Figure: "tokens_per_second", Before: a.TokensPerSecond, After: b.TokensPerSecond})
			}
		}
	}
	for _, b := range after.Runs {
		for _, a := range before.Runs {
			if a.Test != b.Test || a.Decode != b.Decode || a.Parallel != b.Parallel {
				continue
			}
			for _, f := range comparedFigures {
				add(figure{Test: b.Test, Decode: b.Decode, Parallel: b.Parallel, Figure: f.name, Before: f.of(&a), After: f.of(&b)})
			}
		}
	}
	return c
}

var comparedFigures = []struct {
	name string
	of   func(*benchRun) float64
}{
	{"records_per_second", func(r *benchRun) float64 { return r.RecordsPerSecond }},
	{"accepted_per_second", func(r *benchRun) float64 { return r.AcceptedPerSecond }},
	{"forwarded_tokens_per_second", func(r *benchRun) float64 { return r.ForwardedPerSecond }},
	{"forwarded_tokens_per_record", func(r *benchRun) float64 { return r.ForwardedPerRecord }},
	{"forwarded_of_pp512", func(r *benchRun) float64 { return r.ForwardedOfPP512 }},
	{"mask_us_p50", func(r *benchRun) float64 { return r.MaskMicrosP50 }},
	{"mask_us_p99", func(r *benchRun) float64 { return r.MaskMicrosP99 }},
	{"first_record_seconds", func(r *benchRun) float64 { return r.FirstRecordSeconds }},
	{"peak_rss_bytes", func(r *benchRun) float64 { return float64(r.PeakRSS) }},
}

// differences lists what of two setups bears on the figures and is not the same.
func differences(a, b *benchSetup) []difference {
	list := []difference{}
	for _, d := range []difference{
		{"emospan", a.Emospan, b.Emospan},
		{"llama_cpp", a.LlamaCPP, b.LlamaCPP},
		{"cpu", a.CPU, b.CPU},
		{"cpu_variant", a.CPUVariant, b.CPUVariant},
		{"device", a.Device, b.Device},
		{"threads", strconv.Itoa(a.Threads), strconv.Itoa(b.Threads)},
		{"model_sha256", a.ModelSHA256, b.ModelSHA256},
		{"quantisation", a.Quantisation, b.Quantisation},
		{"flash_attention", a.FlashAttention, b.FlashAttention},
		{"prompt_sha256", a.PromptSHA256, b.PromptSHA256},
		{"texts_sha256", a.TextsSHA256, b.TextsSHA256},
	} {
		if d.Before != d.After {
			list = append(list, d)
		}
	}
	return list
}

// machineDifference is listed where one of the machines, or both, had other work.
const machineDifference = "machine"

// noisyText says whether a report's figures are noise.
func noisyText(r *benchReport) string {
	if r.noise() != "" {
		return "busy"
	}
	return "idle"
}

func (c *comparison) rows() []any {
	rows := make([]any, len(c.Ratios))
	for i, f := range c.Ratios {
		rows[i] = f
	}
	return rows
}

func (c *comparison) writeMarkdown(w io.Writer) {
	rows := [][]string{{"", c.Before, c.After, "ratio"}}
	for _, d := range c.Differences {
		what := "differs"
		if d.What == machineDifference {
			what = "noise"
		}
		rows = append(rows, []string{d.What, fmt.Sprintf("%.16s", d.Before), fmt.Sprintf("%.16s", d.After), what})
	}
	for _, f := range c.Ratios {
		name := f.Test + ": " + f.Figure
		if f.Decode != "" {
			name = fmt.Sprintf("%s, %d at a time: %s", f.Decode, f.Parallel, f.Figure)
		}
		rows = append(rows, []string{name, number(f.Before), number(f.After), fmt.Sprintf("%.3f", f.Ratio)})
	}
	writeTable(w, rows)
}

// number writes a figure so that what differs by a percent looks different.
func number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.4g", v)
}

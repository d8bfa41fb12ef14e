package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"
)

// writeMarkdown writes the report for a reader: what was measured, the model's rates, a column for each way to tag, and the
// weight formats.
func (r *benchReport) writeMarkdown(w io.Writer) {
	writeTable(w, [][]string{
		{"", "measured"},
		{"emospan", r.Emospan + ", llama.cpp " + r.LlamaCPP},
		{"on", fmt.Sprintf("%s (%s, variant %s), %s", r.CPU, r.Device+onGPU(r.GPULayers), r.CPUVariant, plural(r.Threads, "thread"))},
		{"model", fmt.Sprintf("%s: %.1f million parameters, %s, %s", r.Model, float64(r.Parameters)/1e6, r.Quantisation, bytesText(r.ModelSize))},
		{"SHA-256", r.ModelSHA256},
		{"load average", loadText(r.LoadAverage)},
		{"texts", fmt.Sprintf("%d, prompt %s", r.Texts, r.Prompt)},
	})
	if noise := r.noise(); noise != "" {
		fmt.Fprintf(w, "\nWarning: %s.\n", noise)
	}
	rows := [][]string{{"test", "tokens/s"}}
	for _, s := range r.Speeds {
		rows = append(rows, []string{s.Test, fmt.Sprintf("%.2f ± %.2f", s.TokensPerSecond, s.TokensPerSecondSD)})
	}
	fmt.Fprintln(w)
	writeTable(w, rows)
	fmt.Fprintf(w, "\nOf %s, flash attention %s, as llama-bench measures them.\n\n", plural(r.Speeds[0].Repeats, "repetition"), r.FlashAttention)
	r.writeRuns(w)
	r.writeTuning(w)
	r.writeFormats(w)
}

// writeRuns has a line for each figure and a column for each run.
func (r *benchReport) writeRuns(w io.Writer) {
	rows := [][]string{{"tagging"}}
	for _, run := range r.Runs {
		rows[0] = append(rows[0], fmt.Sprintf("%s, %d at a time", run.Decode, run.Parallel))
	}
	for _, figure := range runFigures {
		row := []string{figure.name}
		for _, run := range r.Runs {
			row = append(row, figure.text(&run))
		}
		rows = append(rows, row)
	}
	writeTable(w, rows)
}

// writeTuning has a line for each of the sizes that --tune tried.
func (r *benchReport) writeTuning(w io.Writer) {
	if len(r.Tuning) == 0 {
		return
	}
	rows := [][]string{{"tuning, " + r.Tuning[0].Decode, "records/s"}}
	for _, run := range r.Tuning {
		rows = append(rows, []string{run.sizes.String(), fmt.Sprintf("%.3f", run.RecordsPerSecond)})
	}
	fmt.Fprintln(w)
	writeTable(w, rows)
}

var runFigures = []struct {
	name string
	text func(*benchRun) string
}{
	{"records (accepted + rejected)", func(r *benchRun) string { return fmt.Sprintf("%d (%d + %d)", r.Records, r.Accepted, r.Rejected) }},
	{"seconds", func(r *benchRun) string { return fmt.Sprintf("%.2f", r.Seconds) }},
	{"records/s", func(r *benchRun) string { return fmt.Sprintf("%.3f", r.RecordsPerSecond) }},
	{"accepted records/s", func(r *benchRun) string { return fmt.Sprintf("%.3f", r.AcceptedPerSecond) }},
	{"tokens/s: prompt, forced, sampled", func(r *benchRun) string {
		return fmt.Sprintf("%.1f, %.1f, %.1f", r.PromptTokensPerSecond, r.ForcedTokensPerSecond, r.SampledTokensPerSecond)
	}},
	{"tokens a record: prompt, forced, sampled", func(r *benchRun) string {
		return fmt.Sprintf("%.1f, %.1f, %.1f", r.PromptTokensPerRecord, r.ForcedTokensPerRecord, r.SampledTokensPerRecord)
	}},
	{"forwarded tokens/s", func(r *benchRun) string { return fmt.Sprintf("%.1f", r.ForwardedPerSecond) }},
	{"forwarded tokens a record", func(r *benchRun) string { return fmt.Sprintf("%.1f", r.ForwardedPerRecord) }},
	{"forwarded tokens/s ÷ pp512", func(r *benchRun) string { return fmt.Sprintf("%.2f", r.ForwardedOfPP512) }},
	{"limit, records/s", func(r *benchRun) string { return fmt.Sprintf("%.3f", r.Limit) }},
	{"time in the model", func(r *benchRun) string { return percent(r.ModelShare) }},
	{"masks and forced runs", func(r *benchRun) string { return percent(r.MaskShare) }},
	{"sampling", func(r *benchRun) string { return percent(r.SamplingShare) }},
	{"records: reading, making, checking", func(r *benchRun) string { return percent(r.RecordShare) }},
	{"idle", func(r *benchRun) string { return percent(r.IdleShare) }},
	{"processor time ÷ (seconds × threads)", func(r *benchRun) string { return shareText(r.CPUShare) }},
	{"of the CPU time it wanted, others had", func(r *benchRun) string { return shareText(r.WaitShare) }},
	{"mask µs: p50, p99", func(r *benchRun) string { return fmt.Sprintf("%.1f, %.1f", r.MaskMicrosP50, r.MaskMicrosP99) }},
	{"loading s, then the prompt's prefix", func(r *benchRun) string {
		return fmt.Sprintf("%.2f, %.2f (%d tokens)", r.LoadSeconds, r.PrefixSeconds, r.PrefixTokens)
	}},
	{"first record after s", func(r *benchRun) string { return fmt.Sprintf("%.2f", r.FirstRecordSeconds) }},
	{"peak memory", func(r *benchRun) string { return bytesText(r.PeakRSS) }},
}

func loadText(average *float64) string {
	if average == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.2f in the minute before, of %s", *average, plural(runtime.NumCPU(), "CPU"))
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func (r *benchReport) writeFormats(w io.Writer) {
	if len(r.Formats) == 0 {
		return
	}
	rows := [][]string{{"weights", "speed", "size", "loses", "how to get it"}}
	for _, f := range r.Formats {
		loses, how := "precision", f.Command
		if f.Exact {
			loses = "nothing but rounding"
		}
		if f.Model != "" {
			how = "-m " + f.Model
		}
		rows = append(rows, []string{string(f.Format), fmt.Sprintf("%.1fx", f.Speed), bytesText(f.Size), loses, how})
	}
	fmt.Fprintln(w)
	writeTable(w, rows)
	fmt.Fprintf(w, "\nSpeeds are of %s's on this CPU, estimated from its matrices alone.\n", r.Quantisation)
	if r.Hint != "" {
		fmt.Fprintf(w, "Faster: %s.\n", printable(r.Hint))
	}
}

// writeTable writes rows as a Markdown table whose columns are aligned for a terminal too: the first to the left, the others to the
// right. The first row is the head.
func writeTable(w io.Writer, rows [][]string) {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			row[i] = strings.ReplaceAll(printable(cell), "|", `\|`)
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			gap := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				fmt.Fprint(w, "| ", cell, gap, " |")
			} else {
				fmt.Fprint(w, " ", gap, cell, " |")
			}
		}
		fmt.Fprintln(w)
		if n > 0 {
			continue
		}
		for i, n := range width {
			if i == 0 {
				fmt.Fprint(w, "|", strings.Repeat("-", n+2), "|")
			} else {
				fmt.Fprint(w, strings.Repeat("-", n+1), ":|")
			}
		}
		fmt.Fprintln(w)
	}
}

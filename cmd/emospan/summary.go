package main

import "fmt"

// summary says on standard error what was done and where it is.
func (j *job) summary() {
	m := &j.manifest
	state := ""
	if m.Interrupted {
		state = ", interrupted"
	}
	rate := func(tokens int) float64 { return float64(tokens) / max(m.Seconds, 1e-9) }
	fmt.Fprintf(j.stderr, "%s: %d accepted, %d rejected%s; %.1f s, %.2f records/s\n", plural(m.Records, "record"), m.Accepted, m.Rejected, state, m.Seconds, m.RecordsPerSecond)
	printRejected(j.stderr, m.RejectCodes)
	if len(j.parts) > 0 {
		fmt.Fprintf(j.stderr, "resumed behind %s; part %d of the run\n", plural(j.earlier, "record"), len(m.Parts))
	}
	fmt.Fprintf(j.stderr, "tokens/s: %.1f prompt, %.1f forced, %.1f sampled; per record: %.1f, %.1f, %.1f\n",
		rate(m.PromptTokens), rate(m.ForcedTokens), rate(m.SampledTokens),
		float64(m.PromptTokens)/float64(m.Records), float64(m.ForcedTokens)/float64(m.Records), float64(m.SampledTokens)/float64(m.Records))
	fmt.Fprintf(j.stderr, "model %s on %s (variant %s, %s)\n", printable(m.Model), printable(m.Device)+onGPU(m.GPULayers), m.CPUVariant, plural(m.Threads, "thread"))
	if j.faster != "" {
		fmt.Fprintf(j.stderr, "faster on this CPU: %s\n", printable(j.faster))
	}
	for _, file := range [][2]string{{"output  ", j.opts.out}, {"rejects ", j.opts.rejects}, {"offsets ", j.opts.sentences}, {"manifest", j.opts.manifest}} {
		if file[1] != "" && file[1] != "-" {
			fmt.Fprintf(j.stderr, "%s %s\n", file[0], printable(file[1]))
		}
	}
}

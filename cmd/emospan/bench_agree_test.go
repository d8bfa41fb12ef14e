package main

import (
	"encoding/json"
	"flag"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

var (
	agreeRounds   = flag.Int("agree.rounds", 3, "how often BenchmarkAgree measures each side")
	agreeNoise    = flag.Float64("agree.noise", 1.25, "the factor by which BenchmarkAgree lets pp512 and tg128 differ from llama-bench's")
	agreeFloor    = flag.Float64("agree.floor", 0.45, "the least share of llama-bench's pp512 that BenchmarkAgree lets tagging come to")
	agreeParallel = flag.Int("agree.parallel", 1, "records at a time for BenchmarkAgree's tagging")
	agreeModel    = flag.String("agree.model", "", "name or file of BenchmarkAgree's model (default: the default model)")
)

// BenchmarkAgree measures in turn with llama-bench, built from the same tree, and fails where pp512 or tg128 differ by more
// than noise, or where tagging in the compact form passes fewer tokens a second through the model than the floor allows.
// The ratios are taken within rounds, so that a machine which is slower for a while is so for both sides.
func BenchmarkAgree(b *testing.B) {
	store := models.OpenDefault()
	model, err := resolveModel(store, *agreeModel)
	if err != nil {
		b.Fatal(err)
	}
	bench := newTestBench(b, model, benchTexts()...)
	bench.opts.threads = runtime.GOMAXPROCS(0)
	for b.Loop() {
		ratios := map[string][]float64{}
		for round := range *agreeRounds {
			var ours benchReport
			if err := bench.measureSpeeds(b.Context(), &ours); err != nil {
				b.Fatal(err)
			}
			run, err := bench.tag(b.Context(), tagger.Compact, defaultSizes(tagger.Compact, bench.opts.threads).with(*agreeParallel), 4)
			if err != nil {
				b.Fatal(err)
			}
			theirs := llamaBench(b, model.Path, bench.opts.threads, ours.FlashAttention)
			for _, s := range ours.Speeds {
				ratios[s.Test] = append(ratios[s.Test], s.TokensPerSecond/theirs[s.Test])
				b.Logf("round %d: %s %.1f tokens/s, llama-bench %.1f", round+1, s.Test, s.TokensPerSecond, theirs[s.Test])
			}
			ratios["tagging"] = append(ratios["tagging"], run.ForwardedPerSecond/theirs[promptTest])
			b.Logf("round %d: tagging forwards %.1f tokens/s, %.2f records/s", round+1, run.ForwardedPerSecond, run.RecordsPerSecond)
		}
		for name, r := range ratios {
			slices.Sort(r)
			median := r[len(r)/2]
			b.ReportMetric(median, name+"-of-llama-bench")
			switch {
			case name == "tagging" && median < *agreeFloor:
				b.Errorf("tagging forwards %.2f of llama-bench's pp512, the floor is %.2f (rounds: %.2f)", median, *agreeFloor, r)
			case name != "tagging" && (median > *agreeNoise || median < 1 / *agreeNoise):
				b.Errorf("%s is %.2f of llama-bench's, further off than noise, a factor of %.2f (rounds: %.2f)", name, median, *agreeNoise, r)
			}
		}
		b.ReportMetric(0, "ns/op")
	}
}

// llamaBench has llama-bench measure each speed test once, after its warm-up, and returns tokens per second.
func llamaBench(b *testing.B, model string, threads int, flash string) map[string]float64 {
	b.Helper()
	program := filepath.Join(root, "bin", "peers", "llama-bench")
	size := strconv.Itoa(speedBatch)
	args := []string{"-m", model, "-t", strconv.Itoa(threads), "-fa", flash, "-b", size, "-ub", size, "-r", "1", "-o", "json"}
	for _, test := range speedTests {
		kind := "-n"
		if test.batch > 1 {
			kind = "-p"
		}
		args = append(args, kind, strconv.Itoa(test.tokens))
	}
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		b.Fatalf("%s: %v; make peers builds it", program, err)
	}
	var tests []struct {
		Prompt int     `json:"n_prompt"`
		Gen    int     `json:"n_gen"`
		Rate   float64 `json:"avg_ts"`
	}
	if err := json.Unmarshal(out, &tests); err != nil {
		b.Fatalf("%s wrote %q: %v", program, out, err)
	}
	rates := map[string]float64{}
	for _, t := range tests {
		name := "pp" + strconv.Itoa(t.Prompt)
		if t.Gen > 0 {
			name = "tg" + strconv.Itoa(t.Gen)
		}
		rates[name] = t.Rate
	}
	for _, test := range speedTests {
		if rates[test.name] <= 0 {
			b.Fatalf("%s did not measure %s: %s", program, test.name, out)
		}
	}
	return rates
}

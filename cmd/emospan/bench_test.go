package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// newTestBench measures with a file, one thread and no progress.
func newTestBench(t testing.TB, m models.Model, texts ...string) *bench {
	t.Helper()
	prompt, err := tagger.BuiltinPrompt("level_2")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		opts: benchOptions{threads: 1, repeats: 1, parallel: []int{1}}, model: m, open: openEngine,
		prompt: prompt, tax: dataset.Default(), say: func(string, ...any) {},
	}
	for i, text := range texts {
		b.texts = append(b.texts, dataset.Input{ID: dataset.DefaultID(i), Index: i, Text: text})
	}
	return b
}

// TestBenchAccount holds a run's figures against each other and against what tagging the same texts says.
func TestBenchAccount(t *testing.T) {
	texts := []string{"The kettle whistles and nobody minds.", "", "So glad that it is over!", "My dog barked all night."}
	model := models.Model{Name: "tiny", Path: fixtures.tiny}
	for _, parallel := range []int{1, 3} {
		b := newTestBench(t, model, texts...)
		r, err := b.tag(t.Context(), tagger.Compact, oneRecord(1).with(parallel), 0)
		if err != nil {
			t.Fatal(err)
		}
		r.relate(1000)

		e, err := openEngine(model, oneRecord(1).with(parallel))
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		plain, err := tagger.New(e, tagger.Options{ModelName: "tiny", Prompt: b.prompt, Taxonomy: b.tax, Decode: tagger.Compact, Priors: true})
		if err != nil {
			t.Fatal(err)
		}
		var rejected int
		items := make(chan tagger.Item, len(b.texts))
		for _, in := range b.texts {
			items <- tagger.Item{Input: in}
		}
		close(items)
		err = plain.Run(items, false, func(_ tagger.Item, res tagger.Result) error {
			if res.Reject != nil {
				rejected++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := plain.Totals()
		if got := (tagger.Counts{Prompt: r.PromptTokens, Forced: r.ForcedTokens, Sampled: r.SampledTokens}); got != want || want.Sampled == 0 {
			t.Errorf("%d at a time: tokens %+v, tagging counts %+v", parallel, got, want)
		}
		if r.Records != len(texts) || r.Rejected != rejected || rejected == 0 || r.Accepted != r.Records-r.Rejected {
			t.Errorf("%d at a time: %d records, %d accepted, %d rejected; tagging rejects %d of %d", parallel, r.Records, r.Accepted, r.Rejected, rejected, len(texts))
		}
		// The answers' last tokens are not decoded; the prefix is not counted.
		if all := want.Prompt + want.Forced + want.Sampled; r.ForwardedTokens <= want.Prompt || r.ForwardedTokens > all || r.Batches == 0 || r.Batches > r.ForwardedTokens {
			t.Errorf("%d at a time: %d tokens forwarded in %d batches; prompts have %d, with answers %d", parallel, r.ForwardedTokens, r.Batches, want.Prompt, all)
		}
		for name, share := range map[string]float64{"model": r.ModelShare, "masks": r.MaskShare, "sampling": r.SamplingShare, "records": r.RecordShare} {
			if share <= 0 || share >= 1 {
				t.Errorf("%d at a time: the share of %s is %v", parallel, name, share)
			}
		}
		near := func(what string, got, want float64) {
			if math.Abs(got-want) > 1e-9*math.Abs(want) {
				t.Errorf("%d at a time: %s is %v, want %v", parallel, what, got, want)
			}
		}
		near("the sum of the shares", r.ModelShare+r.MaskShare+r.SamplingShare+r.RecordShare+r.IdleShare, 1)
		near("records a second", r.RecordsPerSecond*r.Seconds, float64(r.Records))
		near("tokens a second", r.TokensPerSecond*r.Seconds, float64(want.Prompt+want.Forced+want.Sampled))
		near("sampled tokens a record", r.SampledTokensPerRecord*float64(r.Records), float64(want.Sampled))
		near("the limit", r.Limit*float64(r.ForwardedTokens)/float64(r.Records), 1000)
		near("the share of pp512", r.ForwardedOfPP512*1000*r.Seconds, float64(r.ForwardedTokens))
		if whole := r.LoadSeconds + r.PrefixSeconds; r.FirstRecordSeconds <= whole || r.FirstRecordSeconds >= whole+r.Seconds+1 {
			t.Errorf("%d at a time: the first record came after %v s, after loading in %v s", parallel, r.FirstRecordSeconds, whole)
		}
		if info, err := os.Stat(fixtures.tiny); err != nil || r.PeakRSS < info.Size() {
			t.Errorf("%d at a time: a peak of %d bytes, %v", parallel, r.PeakRSS, err)
		}
	}
}

func TestMeanSD(t *testing.T) {
	for _, tt := range []struct {
		values   []float64
		mean, sd float64
	}{
		{[]float64{5}, 5, 0},
		{[]float64{3, 3, 3}, 3, 0},
		{[]float64{2, 4, 4, 4, 5, 5, 7, 9}, 5, math.Sqrt(32. / 7)},
		{[]float64{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}, 1e9 + 10, math.Sqrt(30)},
	} {
		if mean, sd := meanSD(tt.values); math.Abs(mean-tt.mean) > 1e-6 || math.Abs(sd-tt.sd) > 1e-6 {
			t.Errorf("%v: %v ± %v, want %v ± %v", tt.values, mean, sd, tt.mean, tt.sd)
		}
	}
}

// TestCompareReports pairs what is alike, says what differs and leaves out the rest.
func TestCompareReports(t *testing.T) {
	report := func(threads int, pp512 float64, runs ...benchRun) *benchReport {
		return &benchReport{
			Layout: reportLayout, benchSetup: benchSetup{Model: "a", Threads: threads},
			Speeds: []benchSpeed{{Test: "pp512", TokensPerSecond: pp512}, {Test: "tg128"}}, Runs: runs,
		}
	}
	run := func(decode string, parallel int, rate float64) benchRun {
		return benchRun{Test: runTest, Decode: decode, Parallel: parallel, RecordsPerSecond: rate, PeakRSS: 100}
	}
	c := compareReports(
		report(1, 100, run("compact", 1, 2), run("compact", 8, 3), run("schema", 1, 1)),
		report(2, 150, run("compact", 8, 6), run("compact", 1, 1), run("aligned", 1, 1)))
	if len(c.Differences) != 1 || c.Differences[0] != (difference{"threads", "1", "2"}) {
		t.Errorf("differences %+v", c.Differences)
	}
	got := map[string]float64{}
	for _, f := range c.Ratios {
		got[strings.TrimSpace(f.Test+" "+f.Decode+" "+f.Figure)+strings.Repeat("'", f.Parallel)] = f.Ratio
	}
	for name, want := range map[string]float64{
		"pp512  tokens_per_second": 1.5, "tg128  tokens_per_second": 0,
		"tag compact records_per_second'": 0.5, "tag compact records_per_second''''''''": 2, "tag compact peak_rss_bytes'": 1,
	} {
		if ratio, ok := got[name]; !ok || ratio != want {
			t.Errorf("%s: %v %v, want %v", name, ratio, ok, want)
		}
	}
	if want := 2 + 2*len(comparedFigures); len(c.Ratios) != want {
		t.Errorf("%d ratios, want %d: %+v", len(c.Ratios), want, c.Ratios)
	}
}

// TestWriteCSV: rows that do not have the same names share a head, and cells may hold what parts cells.
func TestWriteCSV(t *testing.T) {
	type common struct {
		Name string `json:"name"`
	}
	rows := []any{
		struct {
			common
			A int `json:"a"`
		}{common{`x, "y"` + "\n"}, 1},
		struct {
			common
			B float64 `json:"b"`
			C bool    `json:"c"`
		}{common{"<z>"}, 0.25, true},
	}
	var out bytes.Buffer
	if err := writeCSV(&out, rows); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"name", "a", "b", "c"}, {`x, "y"` + "\n", "1", "", ""}, {"<z>", "", "0.25", "true"}}
	if len(got) != len(want) {
		t.Fatalf("%q, want %q", got, want)
	}
	for i := range want {
		if strings.Join(got[i], "|") != strings.Join(want[i], "|") {
			t.Errorf("line %d: %q, want %q", i, got[i], want[i])
		}
	}
}

func TestWriteTable(t *testing.T) {
	var out strings.Builder
	writeTable(&out, [][]string{{"", "µs"}, {"a|b", "1 ± 2"}, {"\x1b[2J", "3"}})
	want := "" +
		"|      |    µs |\n" +
		"|------|------:|\n" +
		"| a\\|b | 1 ± 2 |\n" +
		"| \uFFFD[2J |     3 |\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestBenchInterrupt stops a measurement in each of its parts: there is no report, not even an empty one.
func TestBenchInterrupt(t *testing.T) {
	for _, tt := range []struct{ part, repeats, signal string }{
		{"pp512: ", "1000", "INT"},
		{"tagging: ", "1", "INT"},
		{"tagging: ", "1", "TERM"},
	} {
		t.Run(tt.part+tt.signal, func(t *testing.T) {
			dir := manyTexts(t)
			cmd := exec.Command("emospan", "bench", "-m", fixtures.tiny, "--threads", "1", "--repeats", tt.repeats, "--seconds", "0",
				"--limit", "100000", "--decode", "compact", "--parallel", "1", "--progress", "always", "-o", "report.json", "in.txt")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GORACE="+raceOptions, "XDG_CACHE_HOME="+dir)
			pipe, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stderr := bufio.NewReader(pipe)
			for line := ""; !strings.HasPrefix(line, "bench: "+tt.part); {
				if line, err = stderr.ReadString('\n'); err != nil {
					t.Fatalf("%q was never measured: %v", tt.part, err)
				}
			}
			if err := cmd.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}[tt.signal]); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(stderr)
			if err != nil {
				t.Fatal(err)
			}
			if code := exitCodeOf(t, cmd.Wait()); code != 130 {
				t.Errorf("exit code %d, want 130", code)
			}
			if got, want := string(rest), "emospan: interrupted; nothing was reported\n"; got != want {
				t.Errorf("standard error ends in %q, want %q", got, want)
			}
			if left, err := filepath.Glob(filepath.Join(dir, "report*")); err != nil || len(left) > 0 {
				t.Errorf("it leaves %q, %v", left, err)
			}
		})
	}
}

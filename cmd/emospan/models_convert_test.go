package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/emospan/emospan/models"
)

func TestConvertedName(t *testing.T) {
	for _, test := range []struct{ name, from, want string }{
		{"smollm2-135m", "Q4_1", "smollm2-135m-q8_0"},
		{"llama3:instruct", "Q4_0", "llama3:instruct-q8_0"},
		{"smollm2-135m-f16", "F16", "smollm2-135m-q8_0"},
		{"Meta-Llama-3-8B-Instruct.Q4_0.gguf", "Q4_0", "Meta-Llama-3-8B-Instruct-q8_0"},
		{"model.GGUF", "", "model-q8_0"},
		{"F16", "F16", "F16-q8_0"},
		{"-F16", "F16", "-F16-q8_0"},
	} {
		if got := convertedName(test.name, test.from, "Q8_0"); got != test.want {
			t.Errorf("%s in %s: %s, want %s", test.name, test.from, got, test.want)
		}
	}
}

func TestFastest(t *testing.T) {
	format := func(name models.Format, speed float64, fits bool) formatReport {
		return formatReport{Format: name, Speed: speed, Fits: fits, Exact: name == exactFormat}
	}
	for name, test := range map[string]struct {
		list []formatReport
		want models.Format // "" for none
	}{
		"nothing known":              {nil, ""},
		"no large gain":              {[]formatReport{format("F16", 1.2, true), format("Q4_0", 0.9, true)}, ""},
		"the exact one":              {[]formatReport{format("Q4_0", 2.3, true), format("F16", 2.1, true)}, "F16"},
		"much faster than the exact": {[]formatReport{format("Q4_0", 2.9, true), format("F16", 2.1, true)}, "Q4_0"},
		"too large":                  {[]formatReport{format("Q4_0", 2.3, true), format("Q8_0", 1.9, true), format("F16", 2.1, false)}, "Q8_0"},
		"nothing fits":               {[]formatReport{format("F16", 2.1, false)}, ""},
	} {
		best, ok := fastest(test.list)
		if ok != (test.want != "") || best.Format != test.want {
			t.Errorf("%s: %+v, %v, want %q", name, best, ok, test.want)
		}
	}
}

// TestFasterFormat follows a large model of Q4_1's speed through measuring and converting.
func TestFasterFormat(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	store := models.Open(fixtures.store)
	m, err := store.Resolve("")
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := fasterFormat(store, m, header(t, m.Path)); ok {
		t.Errorf("before anything was measured: %+v", r)
	}
	speeds := typeSpeeds{}
	for name, speed := range map[string]float64{"F16": 30, "Q8_0": 20, "Q4_0": 31, "Q4_1": 10, "Q5_0": 10, "Q4_K": 10, "Q6_K": 10} {
		kind, ok := models.ParseTensorType(name)
		if !ok {
			t.Fatal(name)
		}
		speeds[kind] = speed
	}
	if err := speeds.keep(); err != nil {
		t.Fatal(err)
	}
	r, ok := fasterFormat(store, m, header(t, m.Path))
	if !ok || r.Format != "F16" || r.Speed < 2.99 || r.Speed > 3.01 || !r.Exact || r.Size < 250<<20 {
		t.Fatalf("got %+v, %v", r, ok)
	}
	if r.Model == "" && r.hint() != "emospan models convert smollm2-135m --to F16 (F16, about 3.0x as fast, 258.3 MiB)" {
		t.Errorf("the hint is %q", r.hint())
	}
	r.Model = "smollm2-135m-f16"
	if r.hint() != "-m smollm2-135m-f16 (F16, about 3.0x as fast, 258.3 MiB)" {
		t.Errorf("the hint is %q", r.hint())
	}
	delete(speeds, models.F16)
	q4_1, _ := models.ParseTensorType("Q4_1")
	delete(speeds, q4_1)
	if err := speeds.keep(); err != nil {
		t.Fatal(err)
	}
	if r, ok := fasterFormat(store, m, header(t, m.Path)); ok {
		t.Errorf("without the speed of the model's own type: %+v", r)
	}
}

func TestShellWord(t *testing.T) {
	for path, want := range map[string]string{"a/b.gguf": "a/b.gguf", "my model.gguf": "'my model.gguf'", "it's.gguf": `'it'\''s.gguf'`} {
		if got := shellWord(models.Model{Name: "b.gguf", Path: path}); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := shellWord(models.Model{Name: "llama3:instruct", Path: "a/b.gguf", Entry: &models.Entry{}}); got != "llama3:instruct" {
		t.Errorf("a model of the store is %s", got)
	}
}

// TestConvertInterrupted stops a conversion in the middle: nothing of it stays.
func TestConvertInterrupted(t *testing.T) {
	source, err := models.Open(fixtures.store).Resolve("")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command("emospan", "models", "convert", source.Path, "--to", "Q4_K_M", "--as", "never", "--threads", "1")
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions, "EMOSPAN_MODELS="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for written := int64(0); written < 8<<20; {
		select {
		case err := <-done:
			t.Fatalf("it ended with %v before it was stopped: %s", err, stderr.String())
		default:
		}
		files, err := filepath.Glob(filepath.Join(dir, ".tmp-*.gguf"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				written = info.Size()
			}
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := exitCodeOf(t, <-done); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if want := "emospan: the conversion of smollm2-135m.gguf was interrupted, nothing of it was kept: "; !strings.HasPrefix(stderr.String(), want) ||
		strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("standard error: %s", stderr.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != ".lock" {
		t.Errorf("the store holds %v, %v", left, err)
	}
}

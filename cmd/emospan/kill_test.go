package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emospan/emospan/dataset"
)

var (
	killed   = flag.Int("kills", 8, "how many runs TestKilled kills")
	killSeed = flag.Uint64("kills.seed", 0, "when (0: as the clock has it)")
)

// reliabilityTexts is an input of n lines: texts of several sentences, some too long for the model, some lines that are none.
func reliabilityTexts(n int, badLines bool) []byte {
	var b bytes.Buffer
	for i := range n {
		switch {
		case i%29 == 11:
			fmt.Fprintf(&b, `{"id":"long %d","text":"%s"}`, i, strings.Repeat("and again ", 3000))
		case badLines && i%13 == 5:
			b.WriteString(`{"text":7}`)
		default:
			fmt.Fprintf(&b, `{"text":"The tram was late %d times this week. Nobody minded, %d of us sang!"}`, i, i%7)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// wholeRun is what an uninterrupted run wrote: its files by what follows the output's name.
type wholeRun struct {
	files    map[string][]byte
	manifest dataset.Manifest
	rejected []bool // of each text, or sentence, in the inputs' order
}

var sideFiles = []string{"", ".rejects.jsonl", ".sentences.jsonl"}

// tagWhole makes the output that interrupted runs are held against.
func tagWhole(t *testing.T, dir string, args ...string) *wholeRun {
	t.Helper()
	cmd := tagCommand(dir, append([]string{"-q", "--deterministic", "-o", "whole.jsonl", "--force"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w := &wholeRun{files: map[string][]byte{}}
	for _, side := range sideFiles {
		if data, err := os.ReadFile(filepath.Join(dir, "whole.jsonl"+side)); err == nil {
			w.files[side] = data
		}
	}
	m, err := dataset.ReadManifest(filepath.Join(dir, "whole.jsonl.manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	w.manifest = *m
	refused := map[string]bool{} // by sentence, or by number
	for line := range bytes.Lines(w.files[".rejects.jsonl"]) {
		r, err := dataset.ParseReject(line)
		if err != nil {
			t.Fatal(err)
		}
		refused[r.SrcID], refused[strconv.Itoa(r.Index)] = true, true
	}
	if places := w.files[".sentences.jsonl"]; places != nil {
		for line := range bytes.Lines(places) {
			var s dataset.Sentence
			if err := json.Unmarshal(line, &s); err != nil {
				t.Fatal(err)
			}
			w.rejected = append(w.rejected, refused[s.SrcID])
		}
	} else {
		for i := range m.Records {
			w.rejected = append(w.rejected, refused[strconv.Itoa(i)])
		}
	}
	if len(w.rejected) != m.Records || m.Rejected == 0 || m.Accepted == 0 {
		t.Fatalf("%d of %d records, %d rejected", len(w.rejected), m.Records, m.Rejected)
	}
	return w
}

// safe is how many bytes of a file hold what the first n texts came to.
func (w *wholeRun) safe(side string, n int) (size int) {
	lines := 0
	for _, rejected := range w.rejected[:n] {
		if side == ".sentences.jsonl" || rejected == (side == ".rejects.jsonl") {
			lines++
		}
	}
	for line := range bytes.Lines(w.files[side]) {
		if lines--; lines < 0 {
			break
		}
		size += len(line)
	}
	return size
}

// check holds an output against the whole one: all of it, or at least a beginning of it.
func (w *wholeRun) check(t *testing.T, out string, finished bool) {
	t.Helper()
	for side, want := range w.files {
		var got []byte
		name := out + side
		if src, err := dataset.OpenStream(name); err == nil {
			got, err = io.ReadAll(src)
			src.Close()
			if err != nil && finished {
				t.Fatalf("%s: %v", name, err)
			}
		} else if finished {
			t.Fatal(err)
		}
		if !finished {
			got = bytes.TrimRight(got, "\x00") // of a power cut that no run has mended yet
		}
		if finished && !bytes.Equal(got, want) || !bytes.HasPrefix(want, got) {
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			t.Fatalf("%s has %d bytes, the uninterrupted run's %d; they differ from byte %d on: %.80q, %.80q", name, len(got), len(want), at, got[at:], want[at:])
		}
	}
	if !finished {
		return
	}
	m, err := dataset.ReadManifest(out + manifestSuffix)
	if err != nil {
		t.Fatal(err)
	}
	a, b := w.manifest, *m
	if a.Records != b.Records || a.Accepted != b.Accepted || a.Rejected != b.Rejected || a.Spans != b.Spans || fmt.Sprint(a.Emotions, a.RejectCodes) != fmt.Sprint(b.Emotions, b.RejectCodes) || b.Interrupted {
		t.Fatalf("manifest %+v, of the uninterrupted run %+v", b, a)
	}
}

// powerCut takes from files what had not been synced, some of it or all, and may leave zeros there.
func (w *wholeRun) powerCut(t *testing.T, out string, rng *rand.Rand) (cut int) {
	t.Helper()
	synced := 0
	if m, err := dataset.ReadManifest(out + manifestSuffix); err == nil {
		synced = m.Synced
	}
	for side := range w.files {
		info, err := os.Stat(out + side)
		if err != nil {
			continue
		}
		least := w.safe(side, synced)
		if int(info.Size()) < least {
			t.Fatalf("%s%s has %d bytes; the %d records that the manifest calls synced take %d", out, side, info.Size(), synced, least)
		}
		size := least + rng.IntN(int(info.Size())-least+1)
		if size < int(info.Size()) {
			cut++
		}
		if err := os.Truncate(out+side, int64(size)); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(3) == 0 {
			if err := os.Truncate(out+side, int64(size+rng.IntN(5000))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cut
}

// TestKilled stops runs at random moments, resumes them until they are done, and compares what they wrote with what
// uninterrupted ones did.
func TestKilled(t *testing.T) {
	long(t)
	kills, seed := *killed, *killSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-kills %d -kills.seed %d", kills, seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	texts := 60 + 10*min(kills, 60)
	for name, data := range map[string][]byte{"in.jsonl": reliabilityTexts(texts, true), "sentences.jsonl": reliabilityTexts(texts/2, false)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	whole := tagWhole(t, dir, "in.jsonl")
	split := []string{"--split", "sentence", "sentences.jsonl"}
	sentences := tagWhole(t, dir, split...)
	ways := []struct {
		out  string
		args []string
		want *wholeRun
	}{
		{"plain.jsonl", []string{"in.jsonl"}, whole},
		{"split.jsonl", split, sentences},
		{"gzip.jsonl.gz", []string{"in.jsonl"}, whole},
		{"zstd.jsonl.zst", []string{"in.jsonl"}, whole},
	}
	counts := map[string]int{}
	for i, way := range ways {
		k := &killing{t: t, rng: rng, dir: dir, out: way.out, args: way.args, want: way.want, counts: counts}
		for k.kills < (kills+i)/len(ways) {
			if k.kill() {
				k.check(true)
				k.remove() // there are more kills to come
			}
		}
		k.finish()
	}
	t.Logf("%d starts, stopped by %v", counts["starts"], counts)
}

// killing is an output whose runs are killed.
type killing struct {
	t      *testing.T
	rng    *rand.Rand
	dir    string
	out    string
	args   []string
	want   *wholeRun
	counts map[string]int
	kills  int
}

func (k *killing) path() string { return filepath.Join(k.dir, k.out) }

func (k *killing) command() (*exec.Cmd, *bytes.Buffer) {
	k.counts["starts"]++
	fsync := []string{fsyncNever, fsyncInterval, fsyncAlways, fsyncAlways}[k.rng.IntN(4)]
	parallel := strconv.Itoa(1 + k.rng.IntN(16))
	cmd := tagCommand(k.dir, append([]string{"-q", "--deterministic", "--resume", "--fsync", fsync, "--parallel", parallel, "-o", k.out}, k.args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	return cmd, &stderr
}

// kill starts a run and stops it; it is true where that came too late.
func (k *killing) kill() (finished bool) {
	cmd, stderr := k.command()
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	// Half of the time among the first writes, which are where most can go wrong.
	if k.rng.IntN(2) == 0 {
		for wait := time.Now(); time.Since(wait) < 5*time.Second; time.Sleep(time.Millisecond) {
			if m, err := os.Stat(k.path() + manifestSuffix); err == nil && m.ModTime().After(wait) {
				break
			}
			if cmd.Process.Signal(syscall.Signal(0)) != nil {
				break
			}
		}
		time.Sleep(time.Duration(k.rng.IntN(200)) * time.Millisecond)
	} else {
		time.Sleep(time.Duration(k.rng.IntN(1500)) * time.Millisecond)
	}
	how := []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGSTOP}[k.rng.IntN(6)]
	cmd.Process.Signal(how)
	if how == syscall.SIGSTOP {
		time.Sleep(time.Duration(k.rng.IntN(100)) * time.Millisecond)
		cmd.Process.Signal(syscall.SIGCONT)
		time.Sleep(time.Duration(k.rng.IntN(300)) * time.Millisecond)
		cmd.Process.Signal(syscall.SIGKILL)
	}
	cmd.Wait()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() || status.ExitStatus() == exitInterrupted:
	case status.ExitStatus() == exitDone:
		return true
	default:
		k.t.Fatalf("%v: %s", cmd.ProcessState, stderr)
	}
	k.kills++
	k.counts[how.String()]++
	k.check(false)
	if !strings.HasPrefix(filepath.Ext(k.out), ".j") || k.rng.IntN(2) == 0 {
		return false // of a compressed file's bytes it is not known which are which records
	}
	if k.want.powerCut(k.t, k.path(), k.rng) > 0 {
		k.counts["power cuts"]++
	}
	return false
}

func (k *killing) check(finished bool) {
	k.t.Helper()
	k.want.check(k.t, k.path(), finished)
}

func (k *killing) finish() {
	cmd, stderr := k.command()
	if err := cmd.Run(); err != nil {
		k.t.Fatalf("%s, after %d kills: %v: %s", k.out, k.kills, err, stderr)
	}
	k.check(true)
}

func (k *killing) remove() {
	all, err := filepath.Glob(k.path() + "*")
	if err != nil {
		k.t.Fatal(err)
	}
	for _, name := range all {
		if err := os.Remove(name); err != nil {
			k.t.Fatal(err)
		}
	}
}

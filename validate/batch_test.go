package validate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/emospan/emospan/dataset"
)

// mixedLines are good and bad lines of every kind, some of them long, some twice.
func mixedLines(t testing.TB, n int) []byte {
	rng := rand.New(rand.NewPCG(5, 6))
	var b bytes.Buffer
	for i := range n {
		r := randomRecord(rng, dataset.Default())
		r.SrcID = fmt.Sprint("id", rng.IntN(4*n))
		for range rng.IntN(3) {
			spoil(rng, r)
		}
		line, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		switch rng.IntN(40) {
		case 0:
			line = nil
		case 1:
			line = line[:len(line)-2]
		case 2:
			line = bytes.Repeat([]byte("x"), 10_000)
		case 3:
			line = bytes.Replace(line, []byte(`"data":{`), []byte(`"data":{"labels_of":"`+strings.Repeat("y", rng.IntN(9000))+`",`), 1)
		}
		b.Write(line)
		if i < n-1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// TestStreamWorkers holds results and summary to be the same however many goroutines check, and however the source comes.
func TestStreamWorkers(t *testing.T) {
	input := mixedLines(t, 3000)
	lines := bytes.Split(input, []byte("\n"))
	blank := 0
	for _, line := range lines {
		if len(line) == 0 {
			blank++
		}
	}
	type outcome struct {
		text string
		sum  Summary
	}
	for _, fix := range []bool{false, true} {
		var want outcome
		for i, tt := range []struct {
			workers int
			src     io.Reader
		}{
			{1, bytes.NewReader(input)}, {2, bytes.NewReader(input)}, {7, bytes.NewReader(input)},
			{2, iotest.OneByteReader(bytes.NewReader(input))}, {3, iotest.HalfReader(bytes.NewReader(input))},
			{0, iotest.DataErrReader(bytes.NewReader(input))},
		} {
			var b strings.Builder
			sum, err := Stream(tt.src, dataset.Default(), StreamOptions{
				Name: "in", MaxLine: 8000, Workers: tt.workers, Fix: fix,
				Each: func(r Result) error {
					if line := lines[r.Line-1]; len(line) <= 8000 && !bytes.Equal(line, r.Raw) || len(line) > 8000 && r.Raw != nil {
						return fmt.Errorf("line %d is %q", r.Line, r.Raw)
					}
					fmt.Fprintf(&b, "%d %v %v\n", r.Line, r.Problems, r.Changes)
					if len(r.Problems) == 0 {
						written, err := r.Record.AppendJSON(nil)
						fmt.Fprintf(&b, "%s %v\n", written, err)
					}
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := outcome{b.String(), sum}
			if i == 0 {
				want = got
				if sum.Records != len(lines)-blank || blank == 0 || sum.Valid < 500 || sum.Invalid < 200 || fix == (sum.Fixed < 100) {
					t.Errorf("no mixture: %+v of %d", sum, len(lines))
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("fix %v: %d workers and %T say otherwise", fix, tt.workers, tt.src)
			}
		}
	}
}

// TestStreamSpeaksAtOnce: what a slow source has sent so far is checked while it is silent.
func TestStreamSpeaksAtOnce(t *testing.T) {
	r, w := io.Pipe()
	seen, done := make(chan int), make(chan error)
	go func() {
		_, err := Stream(r, dataset.Default(), StreamOptions{Each: func(res Result) error { seen <- res.Line; return nil }})
		done <- err
	}()
	for i := range 3 {
		if _, err := io.WriteString(w, cardExample+"\n"); err != nil {
			t.Fatal(err)
		}
		select {
		case line := <-seen:
			if line != i+1 {
				t.Errorf("line %d", line)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no verdict on a line that is there")
		}
	}
	w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestStreamContext(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	go io.WriteString(w, cardExample+"\n")
	sum, err := Stream(r, dataset.Default(), StreamOptions{Context: ctx, Each: func(Result) error { cancel(stop); return nil }})
	if err != stop || sum.Records != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestStreamLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	stop := errors.New("stop")
	for range 20 {
		input := strings.Repeat("{}\n", 100_000)
		Stream(strings.NewReader(input), dataset.Default(), StreamOptions{Each: func(Result) error { return stop }})
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// repeated reads lines again and again, each time with another id, until it has given n.
type repeated struct {
	lines [][]byte // each begins with the src_id member, whose value is one zero
	n     int
	given int
	buf   []byte
}

func (r *repeated) Read(p []byte) (int, error) {
	for len(r.buf) == 0 {
		if r.given == r.n {
			return 0, io.EOF
		}
		r.buf = fmt.Appendf(r.buf[:0], `{"src_id":"l2_%d"`, r.given)
		r.buf = append(r.buf, r.lines[r.given%len(r.lines)][len(`{"src_id":"l2_0"`):]...)
		r.given++
	}
	n := copy(p, r.buf)
	r.buf = r.buf[:copy(r.buf, r.buf[n:])]
	return n, nil
}

func newRepeated(t testing.TB, n int) *repeated {
	rng := rand.New(rand.NewPCG(7, 8))
	r := &repeated{n: n}
	for range 1000 {
		line, err := plainRecord(rng).AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		r.lines = append(r.lines, append(line, '\n'))
	}
	return r
}

// plainRecord is like those that are tagged: 4 to 24 words, one or two spans.
func plainRecord(rng *rand.Rand) *dataset.Record {
	words := strings.Fields("the a my her old new bus garden meeting neighbour soup again never really so was is made lost found quite late today happy sad")
	var text strings.Builder
	r := &dataset.Record{SrcID: "l2_0", Model: "smollm2-135m", Provider: "emospan", Prompt: "level_2", Level: "level2", Predictions: []string{"joy"}}
	n := 4 + rng.IntN(21)
	for i := range n {
		word := words[rng.IntN(len(words))]
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(word)
		r.Data.Tokens, r.Data.Labels = append(r.Data.Tokens, word), append(r.Data.Labels, "O")
	}
	text.WriteByte('.')
	r.Text = text.String()
	r.Data.Tokens, r.Data.Labels = append(r.Data.Tokens, "."), append(r.Data.Labels, "O")
	for start := rng.IntN(3); start < n && len(r.Data.Spans) <= rng.IntN(2); start += 4 {
		end := min(start+rng.IntN(3), n-1)
		r.Data.Spans = append(r.Data.Spans, dataset.Span{
			Type: "EMO", Subtype: "Joy", Start: start, End: end, Text: strings.Join(r.Data.Tokens[start:end+1], " "),
			Attrs: dataset.Attrs{Valence: "pos", Intensity: "med", Certainty: "asserted", Temporality: "present", Source: "self", EmotionGroup: "positive_affect",
				Confidence: float64(rng.IntN(100)) / 100, TargetText: r.Data.Tokens[n-1], TargetRelation: "cause"},
		})
		r.Data.Labels[start] = "B-EMO"
		for i := start + 1; i <= end; i++ {
			r.Data.Labels[i] = "I-EMO"
		}
	}
	return r
}

// BenchmarkStream checks a million records at a time, made on the way, and says how much memory the process took; run it
// with -benchtime 1x.
func BenchmarkStream(b *testing.B) {
	for _, tt := range []struct {
		name    string
		n       int
		workers int
		fix     bool
	}{
		{"100k", 100_000, 0, false}, {"1M", 1_000_000, 0, false}, {"1M/one", 1_000_000, 1, false}, {"1M/fix", 1_000_000, 0, true},
	} {
		b.Run(tt.name, func(b *testing.B) {
			var most uint64
			before := processorTime(b)
			for b.Loop() {
				runtime.GC()
				sum, err := Stream(newRepeated(b, tt.n), dataset.Default(), StreamOptions{Workers: tt.workers, Fix: tt.fix, Each: func(r Result) error {
					if r.Line%10_000 == 0 {
						most = max(most, heap())
					}
					return nil
				}})
				if err != nil || sum.Valid != tt.n {
					b.Fatal(sum, err)
				}
			}
			b.ReportMetric(float64(tt.n*b.N)/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(tt.n*b.N), "cpu-ns/record")
			b.ReportMetric(float64(most)/(1<<20), "peak-heap-MiB")
		})
	}
}

// processorTime is that of all cores, which other processes' work does not change.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// BenchmarkRecord says what each part of checking one record takes.
func BenchmarkRecord(b *testing.B) {
	src := newRepeated(b, 0)
	tax := dataset.Default()
	r := new(dataset.Record)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			line := src.lines[i%len(src.lines)]
			if i++; !first(decodeInto(r, line[:len(line)-1], dataset.Default())) {
				b.Fatal("not decoded")
			}
		}
	})
	b.Run("decode-faulty", func(b *testing.B) {
		b.ReportAllocs()
		line := bytes.Replace(src.lines[0], []byte(`"data":`), []byte(`"lang":"en","data":`), 1)
		for b.Loop() {
			decodeInto(r, line, dataset.Default())
		}
	})
	b.Run("fix", func(b *testing.B) { // the shape of a projected set
		b.ReportAllocs()
		line := bytes.Replace(src.lines[0], []byte(`"labels":[`), []byte(`"labels":{"EMO":[`), 1)
		line = bytes.Replace(line, []byte(`],"spans":[{`), []byte(`]},"spans":[{"cause":[],`), 1)
		line = bytes.Replace(line, []byte(`"predictions"`), []byte(`"original_llm_predictions"`), 1)
		for b.Loop() {
			res := Result{Raw: line}
			if res.check(r, tax, true); len(res.Problems) > 0 || len(res.Changes) < 3 {
				b.Fatal(res.Problems, res.Changes)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		decodeInto(r, src.lines[0][:len(src.lines[0])-1], dataset.Default())
		for b.Loop() {
			if len(Record(r, tax)) > 0 {
				b.Fatal("not valid")
			}
		}
	})
}

func first(ok bool, _ []Problem) bool { return ok }

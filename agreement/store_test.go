package agreement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// spillFrom has stores keep so many bytes in memory until the test ends.
func spillFrom(t *testing.T, size int) {
	before := spillSize
	spillSize = size
	t.Cleanup(func() { spillSize = before })
}

// randomRecord makes a record of a few words, some with attributes or with labels that are not those of the spans.
func randomRecord(rng *rand.Rand, id string) string {
	spans := []string{"0-1 joy, 3-3 fear, 6-7 joy", "2-2 anger, 4-5 joy", "", "7-7 love", "0-5 grief", "1-1 joy, 2-2 joy, 3-7 fear"}
	line := testRecord(id, 8+rng.IntN(4), spans[rng.IntN(len(spans))])
	swap := func(chance int, old, new string) {
		if rng.IntN(chance) == 0 {
			line = strings.Replace(line, old, new, 1)
		}
	}
	swap(2, `"valence":""`, `"valence":"pos"`)
	swap(2, `"target_text":""`, `"target_text":"the Bus"`)
	swap(2, `"intensity":""`, `"intensity":"high"`)
	swap(2, `"confidence":0.0`, fmt.Sprintf(`"confidence":%.2f`, rng.Float64()))
	swap(2, `"clause_index":0`, fmt.Sprintf(`"clause_index":%d`, rng.IntN(300)))
	swap(3, `"B-EMO"`, `"I-EMO"`)
	swap(3, `"predictions":[]`, `"predictions":["neutral"]`)
	swap(6, `"predictions":["`, `"predictions":["zeal","`)
	swap(2, `"predictions":["love"]`, `"predictions":["zeal"]`)
	return line
}

// randomFiles makes a reference and a file of one of the formats, of which parts match.
func randomFiles(t *testing.T, rng *rand.Rand, format string, n int) (reference, file string) {
	var ref, predicted strings.Builder
	for i := range n {
		id := fmt.Sprintf("t%d", i)
		if rng.IntN(5) == 0 {
			id = fmt.Sprintf("t%d", rng.IntN(n)) // of another one, mostly of another text
		}
		spans := []string{"0-2 joy, 1-3 fear", "4-4 anger", "", "2-5 trust", "0-7 sadness, 6-7 joy"}[rng.IntN(5)]
		switch format {
		case "records":
			fmt.Fprintln(&ref, randomRecord(rng, id))
			fmt.Fprintln(&predicted, randomRecord(rng, fmt.Sprintf("t%d", i)))
		case "goemotions":
			fmt.Fprintf(&ref, "%d so it is\t%d,%d\t%s\n", rng.IntN(n), rng.IntN(28), rng.IntN(28), id)
			fmt.Fprintf(&predicted, `{"src_id":"t%d","text":"%d so it is","labels":[%d,"zeal"]}`+"\n", i, rng.IntN(n), rng.IntN(28))
		case "offsets":
			fmt.Fprintln(&ref, testOffsets(id, 8+rng.IntN(4), spans))
			fmt.Fprintln(&predicted, randomRecord(rng, fmt.Sprintf("t%d", i)))
		case "sentences":
			line := testRecord(id, 8, []string{"0-1 joy, 3-3 fear, 6-7 joy", "2-2 anger, 4-5 joy", "", "7-7 love"}[rng.IntN(4)])
			fmt.Fprintln(&ref, randomRecord(rng, id))
			fmt.Fprint(&predicted, sentencesOf(t, line, 2, 4))
		}
	}
	return ref.String(), predicted.String()
}

// TestSpill: the figures are the same whether the reference lies in memory, in a file, or in both because the file cannot be written further.
func TestSpill(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, format := range []string{"records", "goemotions", "offsets", "sentences"} {
		for _, by := range []By{ByAuto, ByID, ByText} {
			reference, file := randomFiles(t, rng, format, 400)
			t.Run(fmt.Sprint(format, " by ", by), func(t *testing.T) { testSpill(t, reference, file, by, format) })
		}
	}
}

func testSpill(t *testing.T, reference, file string, by By, format string) {
	compare := func(size int) (figures string, s *store) {
		spillFrom(t, size)
		ref, err := ReadReference(context.Background(), strings.NewReader(reference), "ref", testBook(t), "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ref.Close() })
		c, err := ref.Compare(context.Background(), strings.NewReader(file), "file", Options{
			By: by, Bootstrap: Bootstrap{Replicates: 20, Seed: 1}, JoinSentences: format == "sentences",
		})
		if err != nil {
			t.Fatal(err)
		}
		if c.Pairing.Matched < 50 || (c.Spans == nil) != (format == "goemotions") {
			t.Fatalf("%+v, %s", c.Pairing, c.SpansWhy)
		}
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(out), &ref.entries
	}
	want, s := compare(1 << 30)
	if s.file != nil {
		t.Fatal("a small reference lies in a file")
	}
	for _, size := range []int{0, s.keptBytes * 2 / 5} {
		got, s := compare(size)
		if s.file == nil || len(s.starts) < 3 || (size > 0) != (len(s.kept) > 0) {
			t.Errorf("%d blocks in the file, %d in memory", len(s.starts)-1, len(s.kept))
		}
		if got != want {
			t.Errorf("in memory up to %d bytes:\n%s\nwant\n%s", size, got, want)
		}
	}
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	if got, s := compare(0); s.file != nil || got != want {
		t.Errorf("without a temporary folder: file %v\n%s\nwant\n%s", s.file, got, want)
	}
}

// TestEntries: an annotation is decoded as it was, but for what a reference does not keep.
func TestEntries(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	book := testBook(t)
	var irregular, leftOut int
	got := new(Annotation)
	for i := range 500 {
		line := randomRecord(rng, fmt.Sprintf("t%d", i))
		if i%3 == 0 {
			line = testOffsets("", 8, "0-2 joy, 1-3 fear, 5-7 trust")
		}
		want := new(Annotation)
		if err := NewReader(strings.NewReader(line), "f", book, LevelEmotion).Next(want); err != nil {
			t.Fatal(err)
		}
		entry := appendEntry(nil, want)
		decodeEntry(entry, got)
		h := head{text: want.text}
		if want.ID != "" {
			h.id = hash([]byte(want.ID))
		}
		if headOf(entry) != h {
			t.Fatalf("head %v, want %v", headOf(entry), h)
		}
		want.onlyLeftOut = want.Labels == 0 && len(want.LeftOut) > 0
		want.ID, want.LeftOut, want.ends = "", nil, nil
		if want.irregular {
			irregular++
		}
		if want.onlyLeftOut {
			leftOut++
		}
		if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", *want) {
			t.Fatalf("%s:\n got %+v\nwant %+v", line, *got, *want)
		}
	}
	if irregular < 20 || leftOut < 20 {
		t.Errorf("%d irregular, %d of which all labels are left out", irregular, leftOut)
	}
}

// testStore fills a store with entries that are their numbers, some of them long.
func testStore(s *store, entries int) {
	for i := range entries {
		s.add([]byte(strings.Repeat(fmt.Sprint(i, " "), 1+i%7)))
	}
}

func checkStore(t *testing.T, s *store, order []int) {
	t.Helper()
	in := storeReader{store: s}
	for _, i := range order {
		if got, err := in.entry(i); err != nil || string(got) != strings.Repeat(fmt.Sprint(i, " "), 1+i%7) {
			t.Fatalf("entry %d: %q, %v", i, got, err)
		}
	}
}

// TestStore reads entries in any order, from several goroutines.
func TestStore(t *testing.T) {
	for _, size := range []int{0, 500, 1 << 20} {
		for _, entries := range []int{1, blockEntries, 5*blockEntries + 3} {
			spillFrom(t, size)
			var s store
			testStore(&s, entries)
			s.seal()
			var readers sync.WaitGroup
			for seed := range uint64(3) {
				readers.Go(func() { checkStore(t, &s, rand.New(rand.NewPCG(seed, 0)).Perm(entries)) })
			}
			readers.Wait()
			if err := s.close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestFullDisk: what cannot be written any more stays in memory.
func TestFullDisk(t *testing.T) {
	spillFrom(t, 500)
	var s store
	testStore(&s, 200)
	filed := len(s.starts) - 1
	if filed < 2 {
		t.Fatal("nothing is in the file")
	}
	// The same bytes in a file that takes no more.
	path := filepath.Join(t.TempDir(), "full")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, io.NewSectionReader(s.file, 0, 1<<20)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	s.file.Close()
	if s.file, err = os.Open(path); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for i := 200; i < 600; i++ {
		s.add([]byte(strings.Repeat(fmt.Sprint(i, " "), 1+i%7)))
	}
	s.seal()
	if len(s.starts)-1 != filed || !s.stuck || len(s.kept) == 0 {
		t.Errorf("%d blocks in the file, want %d; %d in memory", len(s.starts)-1, filed, len(s.kept))
	}
	checkStore(t, &s, rand.New(rand.NewPCG(4, 0)).Perm(600))
}

// TestReadBack: of a file that ends early, holds other bytes or cannot be read there are no figures.
func TestReadBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	reference, file := randomFiles(t, rng, "records", 200)
	for want, damage := range map[string]func(f *os.File) error{
		"it ends early":                          func(f *os.File) error { return f.Truncate(1000) },
		"it holds other bytes than were written": func(f *os.File) error { _, err := f.WriteAt([]byte{0xff, 0xff}, 2000); return err },
		os.ErrClosed.Error():                     func(f *os.File) error { return f.Close() },
	} {
		spillFrom(t, 0)
		ref, err := ReadReference(context.Background(), strings.NewReader(reference), "ref", testBook(t), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := damage(ref.entries.file); err != nil {
			t.Fatal(err)
		}
		c, err := ref.Compare(context.Background(), strings.NewReader(file), "file", Options{})
		if c != nil || !errors.Is(err, ErrReadBack) || !strings.HasPrefix(err.Error(), "ref: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		ref.Close()
	}
}

// TestTemporaryFile: the file has no name while it is used, and is given back at the end and after an error.
func TestTemporaryFile(t *testing.T) {
	spillFrom(t, 0)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	rng := rand.New(rand.NewPCG(5, 6))
	reference, _ := randomFiles(t, rng, "records", 100)
	ref, err := ReadReference(context.Background(), strings.NewReader(reference), "ref", testBook(t), "")
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 || ref.entries.file == nil {
		t.Errorf("left %v, %v", left, err)
	}
	if err := ref.Close(); err != nil {
		t.Error(err)
	}
	if err := ref.entries.file.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file was open behind Close: %v", err)
	}
	before := openFiles(t)
	if _, err := ReadReference(context.Background(), strings.NewReader(reference+"{\n"), "ref", testBook(t), ""); err == nil {
		t.Error("a damaged line was read")
	}
	if after := openFiles(t); !reflect.DeepEqual(before, after) {
		t.Errorf("open files %v, before %v", after, before)
	}
}

// openFiles are the names of the open files, where the system tells them.
func openFiles(t *testing.T) map[string]int {
	t.Helper()
	names := map[string]int{}
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil && strings.Contains(name, "emospan-compare-") {
			names[name]++
		}
	}
	return names
}

// TestHalfHashes: entries whose hashes begin alike are told apart by the rest.
func TestHalfHashes(t *testing.T) {
	r := &Reference{book: testBook(t)}
	const half = 7 << 32
	for i, text := range []uint64{half | 1, half | 2, half | 1, half | 2, 9 << 32} {
		r.add(&Annotation{Line: i, First: noClass, text: text})
	}
	r.entries.seal()
	if err := r.index(); err != nil {
		t.Fatal(err)
	}
	m := r.Matcher(ByAuto)
	var got []int
	for _, text := range []uint64{half | 2, half | 3, half | 1, half | 2, half | 2, half | 1, half | 1, 9 << 32, 8 << 32} {
		found, err := m.Match(&Annotation{text: text})
		if err != nil {
			t.Fatal(err)
		}
		line := -1
		if found != nil {
			line = found.Line
		}
		got = append(got, line)
	}
	if want := []int{1, -1, 0, 3, -1, 2, -1, 4, -1}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if c := m.Pairing(); c.Duplicates != 2 || c.Unmatched != 2 || c.Matched != 5 {
		t.Errorf("%+v", c)
	}
}

// TestOneTextManyTimes: each is taken once, in the order of the file, however many there are.
func TestOneTextManyTimes(t *testing.T) {
	var b strings.Builder
	const n = 5 * manyTaken
	for i := range n {
		fmt.Fprintf(&b, "so it is\t1\tt%d\n", i)
	}
	ref, err := ReadReference(context.Background(), strings.NewReader(b.String()), "ref", testBook(t), "")
	if err != nil {
		t.Fatal(err)
	}
	m := ref.Matcher(ByAuto)
	match := func(id string) int {
		found, err := m.Match(&Annotation{ID: id, text: hash([]byte("soitis"))})
		if err != nil {
			t.Fatal(err)
		}
		if found == nil {
			return 0
		}
		return found.Line
	}
	if line := match(fmt.Sprintf("t%d", n/2)); line != n/2+1 {
		t.Fatalf("by id: line %d", line)
	}
	for i := range n {
		want := i + 1
		if i == n/2 {
			continue
		}
		if line := match(""); line != want {
			t.Fatalf("line %d, want %d", line, want)
		}
	}
	if line := match(""); line != 0 || m.Pairing().Duplicates != 1 {
		t.Errorf("line %d when all are taken, %+v", line, m.Pairing())
	}
	if len(m.next) != 1 {
		t.Errorf("%d texts", len(m.next))
	}
}

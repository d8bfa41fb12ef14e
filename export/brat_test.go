package export

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestBrat reads the folder as brat's page on its format has it: each annotation on a line of its own, a span's fragments joined by a space.
func TestBrat(t *testing.T) {
	records := append(samples(t), randomRecords(t, bratFolder)...)
	path := filepath.Join(t.TempDir(), "set")
	out := inFolder(t, path, Brat, Options{}, records)
	if got := names(t, path); !slices.Equal(got, []string{"000", "001", "annotation.conf", "documents.tsv"}) {
		t.Errorf("%q", got)
	}
	ids := strings.Split(strings.TrimSuffix(content(t, filepath.Join(path, bratIDs)), "\n"), "\n")
	if len(ids) != len(records)+1 || ids[0] != "document\tsrc_id" {
		t.Fatalf("%d lines of ids, %q", len(ids), ids[0])
	}
	torn, broken := 0, 0
	for i, r := range records {
		name, id, _ := strings.Cut(ids[i+1], "\t")
		if unquoted, err := strconv.Unquote(id); err == nil {
			id = unquoted
		}
		text := content(t, filepath.Join(path, name+".txt"))
		if id != r.SrcID || text != r.Text {
			t.Fatalf("%s: id %q, text %q", r.SrcID, id, text)
		}
		spans := map[string]charSpan{}
		attributes := map[string]int{}
		for line := range strings.Lines(content(t, filepath.Join(path, name+".ann"))) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), isLineBreak) {
				t.Fatalf("%s: %q", r.SrcID, line)
			}
			fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
			words := strings.Fields(fields[1])
			switch fields[0][0] {
			case 'T':
				s := charSpan{start: -1, label: words[0]}
				var parts []string
				for place := range strings.SplitSeq(strings.TrimPrefix(fields[1], words[0]+" "), ";") {
					var from, to int
					if n, err := fmt.Sscanf(place, "%d %d", &from, &to); n != 2 || err != nil {
						t.Fatal(line)
					}
					if s.start < 0 {
						s.start = from
					} else {
						torn++
					}
					s.end = to
					parts = append(parts, string([]rune(text)[from:to]))
				}
				if got := strings.Join(parts, " "); got != fields[2] {
					t.Fatalf("%s: the text is %q, the fragments %q", r.SrcID, fields[2], got)
				}
				spans[fields[0]] = s
			case 'A':
				attributes[words[1]]++
			}
		}
		for k, want := range wantSpans(r) {
			got, there := spans[fmt.Sprint("T", k+1)]
			if strings.TrimFunc(r.Data.Spans[k].Text, isLineBreak) == "" {
				broken++
				continue
			}
			// A line break at either end of a span has no place in an annotation.
			if !there || got.label != want.label || strings.TrimFunc(string([]rune(text)[want.start:want.end]), isLineBreak) != string([]rune(text)[got.start:got.end]) {
				t.Fatalf("%s: span %+v, want %+v of %q", r.SrcID, got, want, text)
			}
			if attributes[fmt.Sprint("T", k+1)] != len(dataset.Default().Attributes()) {
				t.Fatalf("%s: attributes %v", r.SrcID, attributes)
			}
		}
	}
	notes := strings.Join(out.Notes(), "\n")
	if torn == 0 || !strings.Contains(notes, "over a line break, written as several fragments") || !strings.Contains(notes, "with carriage returns") {
		t.Errorf("%d fragments, %d broken, notes %q", torn, broken, notes)
	}
}

func TestBratOwns(t *testing.T) {
	for name, want := range map[string]bool{
		"documents.tsv": true, "train/documents.tsv": true, "000/000001.txt": true, "train/000/000001.ann": true, "1000/1000001.ann": true,
		"notes.txt": false, "000/mine.ann": false, "a/b/000/000001.ann": false, "000/000001.jpg": false,
	} {
		if bratOwns(name, false) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

package export

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/parquet-go/parquet-go"
)

var thirds = []Split{{"train", 0.5}, {"dev", 0.25}, {"test", 0.25}}

// inFolder exports records to a folder.
func inFolder(t *testing.T, path, format string, o Options, records []*dataset.Record) *Folder {
	t.Helper()
	f, _ := Lookup(format)
	o.Taxonomy = cmp.Or(o.Taxonomy, dataset.Default())
	out, err := CreateFolder(path, true, f, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := out.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSplitFolder: each part is what the records of that part alone give, in any order of the input the same records.
func TestSplitFolder(t *testing.T) {
	records := append(samples(t), randomRecords(t, 200)...)
	backwards := slices.Clone(records)
	slices.Reverse(backwards)
	splits := Splits{thirds, 7}
	for _, f := range Formats() {
		if f.IsFolder() {
			continue
		}
		path := filepath.Join(t.TempDir(), "set")
		out := inFolder(t, path, f.Name, Options{Splits: splits}, records)
		want := []string{}
		if name := f.CompanionName(); name != "" {
			want = append(want, name)
		}
		for i, part := range thirds {
			own := slices.DeleteFunc(slices.Clone(records), func(r *dataset.Record) bool { return splits.of(r.SrcID) != i })
			data, _ := write(t, f.Name, Options{}, own)
			if got := content(t, filepath.Join(path, part.Name+f.ext)); got != string(data) || len(own) < 20 {
				t.Errorf("%s: %s is not what its %d records give", f.Name, part.Name, len(own))
			}
			want = append(want, part.Name+f.ext)
		}
		if slices.Sort(want); !slices.Equal(names(t, path), want) {
			t.Errorf("%s: %q, want %q", f.Name, names(t, path), want)
		}
		if notes := out.Notes(); !strings.HasPrefix(notes[0], "train ") {
			t.Errorf("%s: notes %q", f.Name, notes)
		}
	}
	path := filepath.Join(t.TempDir(), "set")
	inFolder(t, path, CoNLL, Options{Splits: splits, IDs: true}, records)
	forwards := content(t, filepath.Join(path, "dev.conll"))
	inFolder(t, path, CoNLL, Options{Splits: splits, IDs: true}, backwards)
	blocks := func(s string) []string {
		list := strings.Split(strings.TrimSuffix(s, "\n\n"), "\n\n")
		slices.Sort(list)
		return list
	}
	if !slices.Equal(blocks(forwards), blocks(content(t, filepath.Join(path, "dev.conll")))) {
		t.Error("the order of the input changes what is dealt")
	}
}

func TestSplitFolderPlace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "set")
	records := samples(t)
	o := Options{Taxonomy: dataset.Default(), Splits: Splits{thirds, 1}}
	inFolder(t, path, Doccano, o, records)
	f, _ := Lookup(Doccano)
	if _, err := CreateFolder(path, false, f, o); !errors.Is(err, dataset.ErrExists) {
		t.Errorf("an old folder: %v", err)
	}
	inFolder(t, path, Doccano, o, records)
	for _, name := range []string{"train.csv", "notes.txt", "sub/train.jsonl"} {
		mine := filepath.Join(path, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(mine), 0o777), os.WriteFile(mine, nil, 0o666)); err != nil {
			t.Fatal(err)
		}
		if _, err := CreateFolder(path, true, f, o); err == nil || !strings.Contains(err.Error(), filepath.Dir(name)) && !strings.Contains(err.Error(), name) {
			t.Errorf("a folder with %s: %v", name, err)
		}
		if err := os.RemoveAll(filepath.Join(path, strings.Split(name, "/")[0])); err != nil {
			t.Fatal(err)
		}
	}
	out, err := CreateFolder(path, true, f, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Write(records[0]), out.Discard()); err != nil {
		t.Error(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"set"}) {
		t.Errorf("left behind: %q", got)
	}
	// A part without records is refused, since datasets and training fail over it.
	few, err := CreateFolder(filepath.Join(dir, "few"), true, f, o)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := CreateHub(filepath.Join(dir, "hub"), true, o, CardOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(few.Write(records[0]), hub.Write(records[0])); err != nil {
		t.Fatal(err)
	}
	if err := few.Commit(); !errors.Is(err, ErrEmptyPart) {
		t.Errorf("a part without records: %v", err)
	}
	if err := hub.Commit(0); !errors.Is(err, ErrEmptyPart) {
		t.Errorf("a part without records: %v", err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"set"}) {
		t.Errorf("left behind: %q", got)
	}
}

// TestHubSplit: the README counts each part, and their files hold all records.
func TestHubSplit(t *testing.T) {
	records := append(samples(t), randomRecords(t, 100)...)
	path := filepath.Join(t.TempDir(), "set")
	h := hub(t, path, Options{Splits: Splits{thirds, 3}, Languages: []string{"en", "no"}}, CardOptions{}, records, 0)
	card := content(t, filepath.Join(path, hubCard))
	seen := 0
	for i, part := range thirds {
		rows, err := parquet.ReadFile[parquetRecord[parquetAttrs]](filepath.Join(path, hubTable("data", part.Name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if (Splits{thirds, 3}).of(row.SrcID) != i {
				t.Errorf("%s is in %s", row.SrcID, part.Name)
			}
		}
		tokens, err := parquet.ReadFile[parquetTokens](filepath.Join(path, hubTable("tokens", part.Name)))
		if err != nil || len(tokens) != len(rows) {
			t.Errorf("%s: %d rows of tokens, %v", part.Name, len(tokens), err)
		}
		seen += len(rows)
	}
	for _, want := range []string{
		"\nlanguage:\n- \"en\"\n- \"no\"\n", "  - split: dev\n    path: data/dev-00000-of-00001.parquet\n", "  - name: dev\n    num_bytes: ",
		"| texts of the split `dev` | ", "with the seed 3:", "The language of the texts was stated, not detected",
	} {
		if !strings.Contains(card, want) {
			t.Errorf("the README lacks %q", want)
		}
	}
	if seen != len(records) || len(h.Notes()) != 1 {
		t.Errorf("%d of %d records, notes %q", seen, len(records), h.Notes())
	}
}

func TestCompanions(t *testing.T) {
	for _, tt := range []struct{ format, file string }{
		{LabelStudio, "label-studio.config.xml"}, {Doccano, "doccano.labels.json"}, {Argilla, "argilla.settings.json"}, {Brat, "brat.annotation.conf"},
	} {
		f, _ := Lookup(tt.format)
		data, err := f.Companion(Options{Taxonomy: dataset.Default()})
		if err != nil || f.CompanionUse() == "" {
			t.Errorf("%s: %v", tt.format, err)
		}
		golden(t, tt.file, data)
	}
	// The text stands first, since the labels of a taxonomy fill a screen.
	f, _ := Lookup(LabelStudio)
	data, _ := f.Companion(Options{Taxonomy: dataset.Default(), Names: ByType})
	var view struct {
		Children []struct{ XMLName xml.Name } `xml:",any"`
	}
	if err := xml.Unmarshal(data, &view); err != nil || len(view.Children) != 3 || view.Children[0].XMLName.Local != "Text" {
		t.Errorf("%v: %+v", err, view)
	}
	f, _ = Lookup(Doccano)
	data, _ = f.Companion(Options{Taxonomy: dataset.Default(), Names: ByType})
	var labels []map[string]string
	if err := json.Unmarshal(data, &labels); err != nil || len(labels) != 1 || labels[0]["text"] != "EMO" {
		t.Errorf("%v: %+v", err, labels)
	}
	if f, _ := Lookup(CoNLL); f.CompanionName() != "" {
		t.Error("conll has a companion")
	}
}

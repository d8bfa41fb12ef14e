package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/parquet-go/parquet-go"
)

// A shardedRow is a row as all formats can have it; an empty text or id is a bad row, or one without.
type shardedRow struct {
	Text string `parquet:"text"`
	ID   string `parquet:"id,optional"`
}

// writeShardedInputs writes the same kind of rows in every format, bad ones among them, and returns each input's files.
func writeShardedInputs(t *testing.T, dir string) map[string][]string {
	t.Helper()
	texts := []string{"The first of all. And its second sentence!", "A kettle whistles.", "Nobody minds; why? Because it is spring.", "“Well” then… 😀"}
	var txt, jsonl, csv, goemotions strings.Builder
	var rows []shardedRow
	csv.WriteString("id,text\n")
	for i := range 23 {
		r := shardedRow{Text: texts[i%len(texts)], ID: "row-" + strconv.Itoa(i)}
		switch i {
		case 4, 11:
			r.ID = ""
		case 7:
			r.ID = "row-2" // taken
		case 9:
			r.Text = ""
		}
		rows = append(rows, r)
		fmt.Fprintln(&txt, r.Text) // blank lines take no number
		if i == 13 {
			jsonl.WriteString("{\"text\":5}\n\n")
		}
		line := map[string]string{"text": r.Text}
		if r.ID != "" {
			line["id"] = r.ID
		}
		data, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		jsonl.WriteString(string(data) + "\n")
		fmt.Fprintf(&csv, "%s,\"%s\"\n", r.ID, r.Text)
		fmt.Fprintf(&goemotions, "%s\t%d\t%s\n", r.Text, i%28, r.ID)
	}
	inputs := map[string][]string{}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		inputs[name] = []string{path}
		return path
	}
	one := write("in.txt", txt.String())
	two := write("in.jsonl", jsonl.String())
	write("in.csv", csv.String())
	write("in.tsv", strings.ReplaceAll(strings.ReplaceAll(csv.String(), ",\"", "\t\""), "id,text", "id\ttext"))
	write("in.goemotions", goemotions.String())
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(jsonl.String())); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	write("in.jsonl.gz", packed.String())
	path := filepath.Join(dir, "in.parquet")
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	inputs["in.parquet"] = []string{path}
	inputs["two files"] = []string{one, two}
	return inputs
}

// TestShard deals each kind of input to shards, cut into sentences and limited or not: each text, with its number, id and line as in
// the whole run, goes to one shard, in order, and all runs have read the same.
func TestShard(t *testing.T) {
	for name, files := range writeShardedInputs(t, t.TempDir()) {
		for _, split := range []string{splitNone, splitSentence} {
			for _, limit := range []int{0, 1, 10} {
				options := tagOptions{files: files, split: split, limit: limit, input: "auto"}
				if name == "in.goemotions" {
					options.input = "goemotions"
				}
				whole, digest := shardTexts(t, options)
				if count := digest.Texts(); count != limit && limit > 0 || limit == 0 && count < 20 {
					t.Errorf("%s: %d texts were read", name, count)
				}
				if len(whole) == 0 || split == splitSentence && limit == 0 && len(whole) <= digest.Texts() {
					t.Errorf("%s, split %s: %d records of %d texts", name, split, len(whole), digest.Texts())
				}
				for _, count := range []int{1, 2, 3, 8, 40} {
					var shards [][]text
					for index := range count {
						options.shard = dataset.Shard{Index: index, Count: count}
						texts, same := shardTexts(t, options)
						if same.Sum() != digest.Sum() || same.Texts() != digest.Texts() {
							t.Errorf("%s, shard %v: read other texts", name, options.shard)
						}
						shards = append(shards, texts)
					}
					var dealt []text
					for number := range digest.Texts() {
						s := &shards[number%count]
						for len(*s) > 0 && textNumber((*s)[0]) == number {
							dealt = append(dealt, (*s)[0])
							*s = (*s)[1:]
						}
					}
					for index, rest := range shards {
						if len(rest) > 0 {
							t.Errorf("%s, shard %d/%d: %d texts are another's or out of order", name, index, count, len(rest))
						}
					}
					if !reflect.DeepEqual(dealt, whole) {
						t.Errorf("%s, split %s, limit %d: %d shards hold %d texts, not the %d of the whole", name, split, limit, count, len(dealt), len(whole))
					}
				}
			}
		}
	}
}

// shardTexts reads what a run would tag.
func shardTexts(t *testing.T, o tagOptions) (texts []text, digest *dataset.TextsDigest) {
	t.Helper()
	o.digest = new(dataset.TextsDigest)
	err := eachText(context.Background(), &o, func(in dataset.Input, bad *dataset.LineError) (bool, error) {
		got := text{Input: in}
		if bad != nil {
			got.err = bad
		}
		texts = append(texts, got)
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts, o.digest
}

// textNumber is the record number of the text that something was read from.
func textNumber(t text) int {
	if bad, ok := t.err.(*dataset.LineError); ok {
		return bad.Index
	}
	return t.Index
}

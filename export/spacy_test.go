package export

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestMurmur64A has values of spaCy's own StringStore().add.
func TestMurmur64A(t *testing.T) {
	for s, want := range map[string]uint64{
		"coffee": 3197928453018144401, "apple": 8566208034543834098, "日本": 2324319125191504834, "a": 11901859001352538922, "12345678": 9871996032675327904,
	} {
		if got := murmur64A(s, 1); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func TestSpaCyFile(t *testing.T) {
	records := samples(t)
	data, _ := write(t, SpaCy, Options{}, records)
	bin := docBin(t, data)
	if bin["version"] != "0.1" {
		t.Errorf("version %v", bin["version"])
	}
	for _, column := range []string{"cats", "user_data", "flags", "span_groups"} {
		if n := len(bin[column].([]any)); n != len(records) {
			t.Errorf("%s: %d for %d documents", column, n, len(records))
		}
	}
	names := map[uint64]string{}
	for _, s := range bin["strings"].([]any) {
		names[spacyID(s.(string))] = s.(string)
	}
	for i, r := range records {
		cats := bin["cats"].([]any)[i].(map[string]any)
		ones := 0
		for _, v := range cats {
			if v == float32(1) {
				ones++
			}
		}
		for _, p := range r.Predictions {
			if cats[p] != float32(1) {
				t.Errorf("%s: %s is %v", r.SrcID, p, cats[p])
			}
		}
		if ones != len(r.Predictions) || len(cats) != len(dataset.Default().Emotions()) {
			t.Errorf("%s: %d of %d categories", r.SrcID, ones, len(cats))
		}
		user, rest := unpack(t, bin["user_data"].([]any)[i].([]byte))
		if len(rest) > 0 || fmt.Sprint(user) != fmt.Sprint(map[string]any{"src_id": r.SrcID}) {
			t.Errorf("user data %v", user)
		}
		list, rest := unpack(t, bin["span_groups"].([]any)[i].([]byte))
		group, more := unpack(t, list.([]any)[0].([]byte))
		if len(rest)+len(more) > 0 || len(list.([]any)) != 1 || group.(map[string]any)["name"] != "sc" {
			t.Fatalf("span groups %v", list)
		}
		found := []charSpan{}
		for _, packed := range group.(map[string]any)["spans"].([]any) {
			b := packed.([]byte)
			at := func(i int) int { return int(binary.BigEndian.Uint32(b[24+4*i:])) }
			label := names[binary.BigEndian.Uint64(b[16:])]
			if len(b) != 40 || at(0) >= at(1) {
				t.Errorf("%s: span %v", r.SrcID, b)
			}
			found = append(found, charSpan{at(2), at(3), label})
		}
		if want := wantSpans(r); !slices.Equal(found, want) {
			t.Errorf("%s: spans %v, want %v", r.SrcID, found, want)
		}
	}
	again, _ := write(t, SpaCy, Options{}, records)
	if !bytes.Equal(again, data) {
		t.Error("the same records gave other bytes")
	}
}

//go:build cgo

package llama

import (
	"slices"
	"testing"
)

func TestStart(t *testing.T) {
	variant, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	if !Linked(variant) || Linked("no-such-variant") {
		t.Errorf("%s is chosen but not linked, or what there is not is", variant)
	}
	i := slices.IndexFunc(Choices(), func(c Choice) bool { return c.Name == variant })
	if i < 0 || !Choices()[i].Usable {
		t.Errorf("%s is chosen but not usable", variant)
	}
	if !slices.ContainsFunc(Devices(), func(d Device) bool { return d.Type == CPU && d.MemoryTotal > 0 }) {
		t.Errorf("no CPU among the devices %+v", Devices())
	}
	// ggml's own word that the variant was compiled for what its name says.
	want := map[string]string{"sse42": "SSSE3", "avx2": "AVX2", "avx512": "AVX512", "avx512vnni": "AVX512_VNNI", "avx512bf16": "AVX512_BF16", "amx": "AMX_INT8"}[variant]
	if !slices.Contains(Features(), want) {
		t.Errorf("variant %s reports %v, want %s among them", variant, Features(), want)
	}
	if again, err := Start(); again != variant || err != nil {
		t.Errorf("a second Start gave %q, %v", again, err)
	}
}

func TestTakeLog(t *testing.T) {
	TakeLog()
	load(t, tinyModel(t), LoadOptions{})
	lines := TakeLog()
	if len(lines) == 0 {
		t.Fatal("loading a model logged nothing")
	}
	for _, l := range lines {
		if !slices.Contains([]byte("DIWE"), l.Level) || l.Text == "" {
			t.Errorf("log line %+v", l)
		}
	}
	if again := TakeLog(); len(again) != 0 {
		t.Errorf("%d lines were given twice", len(again))
	}
}

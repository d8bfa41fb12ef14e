package llama

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

func all(string) bool { return true }

// cpu gives the features of a CPU that has every variant's up to and including the named one.
func cpu(upTo string) func(...cpuid.FeatureID) bool {
	var has []cpuid.FeatureID
	for _, v := range Variants {
		has = append(has, v.Requires...)
		if v.Name == upTo {
			break
		}
	}
	if upTo == "" {
		has = nil
	}
	return func(ids ...cpuid.FeatureID) bool {
		for _, id := range ids {
			if !slices.Contains(has, id) {
				return false
			}
		}
		return true
	}
}

func TestChoose(t *testing.T) {
	only := func(names ...string) func(string) bool {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	for _, c := range []struct {
		name     string
		supports func(...cpuid.FeatureID) bool
		linked   func(string) bool
		forced   string
		want     string
		err      string // part of the error
	}{
		{"the best of all", cpu("amx"), all, "", "amx", ""},
		{"a Haswell", cpu("avx2"), all, "", "avx2", ""},
		{"a Nehalem", cpu("sse42"), all, "", "sse42", ""},
		{"too old", cpu(""), all, "", "", "needs a CPU with SSE4.2"},
		{"a build for AVX2 on a Nehalem", cpu("sse42"), only("avx2"), "", "", "built for avx2 and this CPU lacks AVX,"},
		{"one variant linked", cpu("amx"), only("avx2"), "", "avx2", ""},
		{"forced down", cpu("amx"), all, "sse42", "sse42", ""},
		{"forced beyond the CPU", cpu("avx2"), all, "avx512", "", "lacks AVX512F"},
		{"forced beyond the executable", cpu("amx"), only("avx2"), "avx512", "", "not in this executable"},
		{"forced to what there is not", cpu("amx"), all, "sse5", "", "no such CPU variant"},
		{"nothing linked", cpu("amx"), only(), "", "", "holds no CPU variant"},
	} {
		got, err := choose(Survey(c.supports, c.linked), c.forced)
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.err)
		case got != c.want:
			t.Errorf("%s: chose %q, want %q", c.name, got, c.want)
		}
	}
}

// The build script, the shim and this package must list the same variants in the same order.
func TestVariantLists(t *testing.T) {
	var want []string
	for _, v := range Variants {
		want = append(want, v.Name)
	}
	script, err := os.ReadFile("native/build.sh")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^variants=\((.*)\)$`).FindSubmatch(script)
	if list == nil || !slices.Equal(strings.Fields(string(list[1])), want) {
		t.Errorf("native/build.sh lists %q, want %q", list, want)
	}
	shim, err := os.ReadFile("shim.cpp")
	if err != nil {
		t.Fatal(err)
	}
	var inShim []string
	for _, m := range regexp.MustCompile(`(?m)^VARIANT\((\w+)\)$`).FindAllSubmatch(shim, -1) {
		inShim = append(inShim, string(m[1]))
	}
	if !slices.Equal(inShim, want) {
		t.Errorf("shim.cpp declares %q, want %q", inShim, want)
	}
}

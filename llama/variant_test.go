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

// cpu tells what a CPU lacks that has every feature of its architecture's variants up to and including the named one.
func cpu(arch, upTo string) func(cpuid.FeatureID) string {
	var has []cpuid.FeatureID
	for _, v := range variants[arch] {
		if upTo == "" {
			break
		}
		has = append(has, v.Requires...)
		if v.Name == upTo {
			break
		}
	}
	return func(f cpuid.FeatureID) string {
		if slices.Contains(has, f) {
			return ""
		}
		return f.String()
	}
}

func TestChoose(t *testing.T) {
	only := func(names ...string) func(string) bool {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	for _, c := range []struct {
		name   string
		arch   string
		has    string // the highest variant that the CPU runs
		linked func(string) bool
		forced string
		want   string
		err    string // part of the error
	}{
		{"the best of all", "amd64", "amx", all, "", "amx", ""},
		{"a Haswell", "amd64", "avx2", all, "", "avx2", ""},
		{"a Nehalem", "amd64", "sse42", all, "", "sse42", ""},
		{"too old", "amd64", "", all, "", "", "needs a CPU with SSE4.2"},
		{"a build for AVX2 on a Nehalem", "amd64", "sse42", only("avx2"), "", "", "built for avx2 and this CPU lacks AVX,"},
		{"one variant linked", "amd64", "amx", only("avx2"), "", "avx2", ""},
		{"forced down", "amd64", "amx", all, "sse42", "sse42", ""},
		{"forced beyond the CPU", "amd64", "avx2", all, "avx512", "", "lacks AVX512F"},
		{"forced beyond the executable", "amd64", "amx", only("avx2"), "avx512", "", "not in this executable"},
		{"forced to what there is not", "amd64", "amx", all, "sse5", "", "no such CPU variant"},
		{"nothing linked", "amd64", "amx", only(), "", "", "holds no CPU variant"},
		{"the best of all ARM's", "arm64", "sve2", all, "", "sve2", ""},
		{"a Cortex-A53", "arm64", "neon", all, "", "neon", ""},
		{"a Neoverse N1", "arm64", "fp16", all, "", "fp16", ""},
		{"no Advanced SIMD", "arm64", "", all, "", "", "needs a CPU with Advanced SIMD"},
		{"forced beyond the ARM", "arm64", "fp16", all, "sve", "", "lacks I8MM, SVE;"},
		{"an architecture without variants", "riscv64", "", all, "", "", "no CPU variant for"},
	} {
		got, err := choose(survey(variants[c.arch], cpu(c.arch, c.has), c.linked), c.forced)
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

// ggml has kernels for vectors of three lengths.
func TestVectorLengths(t *testing.T) {
	for bits, want := range map[int]string{0: "have 0)", 128: "", 256: "", 384: "have 384)", 512: "", 2048: "have 2048)"} {
		if got := lackingOfSVE(bits); (got == "") != (want == "") || !strings.HasSuffix(got, want) {
			t.Errorf("%d bits: lacking %q, want %q", bits, got, want)
		}
	}
}

// The build script, the shim and this package must list the same variants in the same order.
func TestVariantLists(t *testing.T) {
	var want []string
	for _, arch := range []string{"amd64", "arm64"} {
		for _, v := range variants[arch] {
			want = append(want, v.Name)
		}
	}
	script, err := os.ReadFile("native/build.sh")
	if err != nil {
		t.Fatal(err)
	}
	var inScript []string
	for _, arch := range []string{"amd64", "arm64"} {
		for _, m := range regexp.MustCompile(`(?m)^`+arch+`_variants=\((.*)\)$`).FindAllSubmatch(script, -1) {
			inScript = append(inScript, strings.Fields(string(m[1]))...)
		}
	}
	if !slices.Equal(inScript, want) {
		t.Errorf("native/build.sh lists %q, want %q", inScript, want)
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

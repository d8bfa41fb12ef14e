package llama

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// A Variant is one build of ggml's CPU back end, compiled for an instruction set.
type Variant struct {
	Name     string            // as EMOSPAN_CPU and native/build.sh spell it
	Requires []cpuid.FeatureID // what the CPU must have, and the operating system must save, beyond the variants before it
}

// variants holds the list of each architecture, by Go's name for it.
var variants = map[string][]Variant{
	"amd64": {
		{"sse42", []cpuid.FeatureID{cpuid.SSE3, cpuid.SSSE3, cpuid.SSE4, cpuid.SSE42, cpuid.POPCNT}},
		{"avx2", []cpuid.FeatureID{cpuid.AVX, cpuid.AVX2, cpuid.FMA3, cpuid.F16C, cpuid.BMI2}},
		{"avx512", []cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512CD, cpuid.AVX512VL, cpuid.AVX512DQ, cpuid.AVX512BW}},
		{"avx512vnni", []cpuid.FeatureID{cpuid.AVX512VBMI, cpuid.AVX512VNNI}},
		{"avx512bf16", []cpuid.FeatureID{cpuid.AVX512BF16}},
		{"amx", []cpuid.FeatureID{cpuid.AMXTILE, cpuid.AMXINT8, cpuid.AMXBF16}},
	},
	// Matrices of 8-bit integers come before the scalable vectors: there are CPUs with the first alone, hardly any with the second alone.
	"arm64": {
		{"neon", []cpuid.FeatureID{cpuid.FP, cpuid.ASIMD}},
		{"dotprod", []cpuid.FeatureID{cpuid.ASIMDDP}},
		{"fp16", []cpuid.FeatureID{cpuid.FPHP, cpuid.ASIMDHP}},
		{"i8mm", []cpuid.FeatureID{cpuid.I8MM}},
		{"sve", []cpuid.FeatureID{cpuid.SVE}},
		{"sve2", []cpuid.FeatureID{cpuid.SVE2}},
	},
}

// Variants lists the CPU variants of this architecture, lowest first; there are some for amd64 and arm64. A later one is never
// slower where its CPU runs it, so the last usable one is chosen. Which of them an executable holds is decided when it is built
// (native/build.sh); [Linked] tells.
var Variants = variants[runtime.GOARCH]

// EnvCPU names the environment variable that forces a CPU variant.
const EnvCPU = "EMOSPAN_CPU"

// A Choice says for one variant whether it may run here, and if not, why.
type Choice struct {
	Variant
	Usable bool
	Reason string // the missing features, or that the executable lacks the variant; empty where usable
	linked bool
}

// least is what the lowest variants take, in words.
var least = map[string]string{"sse42": "SSE4.2", "neon": "Advanced SIMD"}

// lacks begins the reason of a variant that the CPU cannot run.
const lacks = "this CPU lacks "

// lacking says what this machine lacks of a feature, nothing where it has it. klauspost/cpuid counts AVX and AVX-512 as present
// only where the operating system saves their registers, which ggml's own check does not ask.
func lacking(f cpuid.FeatureID) string {
	switch {
	case !cpuid.CPU.Supports(f):
		return f.String()
	case f == cpuid.SVE:
		return lackingOfSVE(sveBits())
	}
	return ""
}

// lackingOfSVE goes by the length of the vectors: with another than these ggml's products come out as nothing at all.
func lackingOfSVE(bits int) string {
	switch bits {
	case 128, 256, 512:
		return ""
	}
	return fmt.Sprintf("SVE of 128, 256 or 512 bits (its vectors have %d)", bits)
}

// survey reports on every variant of a list, given what the CPU lacks of a feature and what the executable holds.
func survey(list []Variant, lacking func(cpuid.FeatureID) string, linked func(name string) bool) []Choice {
	choices := make([]Choice, 0, len(list))
	var missing []string
	for _, v := range list {
		for _, f := range v.Requires {
			if what := lacking(f); what != "" {
				missing = append(missing, what)
			}
		}
		c := Choice{Variant: v, linked: linked(v.Name)}
		switch {
		case len(missing) > 0:
			c.Reason = lacks + strings.Join(missing, ", ")
		case !c.linked:
			c.Reason = "not in this executable (make release builds all variants)"
		default:
			c.Usable = true
		}
		choices = append(choices, c)
	}
	return choices
}

// choose picks the highest usable variant, or the forced one.
func choose(choices []Choice, forced string) (string, error) {
	if forced != "" {
		for _, c := range choices {
			switch {
			case c.Name != forced:
			case c.Usable:
				return c.Name, nil
			default:
				return "", fmt.Errorf("%s=%s: %s; unset it to let emospan choose", EnvCPU, forced, c.Reason)
			}
		}
		return "", fmt.Errorf("%s=%s: no such CPU variant; there are %s", EnvCPU, forced, strings.Join(names(choices), ", "))
	}
	for i := len(choices) - 1; i >= 0; i-- {
		if choices[i].Usable {
			return choices[i].Name, nil
		}
	}
	if len(choices) == 0 {
		return "", fmt.Errorf("emospan has no CPU variant for %s, only for amd64 and arm64", runtime.GOARCH)
	}
	if lowest := choices[0]; strings.HasPrefix(lowest.Reason, lacks) {
		return "", fmt.Errorf("%s; emospan needs a CPU with %s", lowest.Reason, least[lowest.Name])
	}
	for _, c := range choices {
		if c.linked {
			return "", fmt.Errorf("this executable was built for %s and %s; use the one that make release builds, or build on this machine", c.Name, c.Reason)
		}
	}
	return "", fmt.Errorf("this executable holds no CPU variant; build it with make")
}

func names(choices []Choice) []string {
	var s []string
	for _, c := range choices {
		s = append(s, c.Name)
	}
	return s
}

// HostVariant names the best variant for this machine as if every one were linked, or the one that EMOSPAN_CPU forces.
// native/build.sh asks it which single variant to build.
func HostVariant() (string, error) {
	return choose(survey(Variants, lacking, func(string) bool { return true }), os.Getenv(EnvCPU))
}

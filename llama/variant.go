package llama

import (
	"fmt"
	"os"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// A Variant is one build of ggml's CPU back end, compiled for an instruction set.
type Variant struct {
	Name     string            // as EMOSPAN_CPU and native/build.sh spell it
	Requires []cpuid.FeatureID // what the CPU must have, and the operating system must save, beyond the variants before it
}

// Variants lists the CPU variants of x86-64, lowest first. A later one is never slower where its CPU runs it, so the last
// usable one is chosen. Which of them an executable holds is decided when it is built (native/build.sh); [Linked] tells.
var Variants = []Variant{
	{"sse42", []cpuid.FeatureID{cpuid.SSE3, cpuid.SSSE3, cpuid.SSE4, cpuid.SSE42, cpuid.POPCNT}},
	{"avx2", []cpuid.FeatureID{cpuid.AVX, cpuid.AVX2, cpuid.FMA3, cpuid.F16C, cpuid.BMI2}},
	{"avx512", []cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512CD, cpuid.AVX512VL, cpuid.AVX512DQ, cpuid.AVX512BW}},
	{"avx512vnni", []cpuid.FeatureID{cpuid.AVX512VBMI, cpuid.AVX512VNNI}},
	{"avx512bf16", []cpuid.FeatureID{cpuid.AVX512BF16}},
	{"amx", []cpuid.FeatureID{cpuid.AMXTILE, cpuid.AMXINT8, cpuid.AMXBF16}},
}

// EnvCPU names the environment variable that forces a CPU variant.
const EnvCPU = "EMOSPAN_CPU"

// A Choice says for one variant whether it may run here, and if not, why.
type Choice struct {
	Variant
	Usable bool
	Reason string // the missing features, or that the executable lacks the variant; empty where usable
	linked bool
}

// lacks begins the reason of a variant that the CPU cannot run.
const lacks = "this CPU lacks "

// Survey reports on every variant, given what the CPU has and what the executable holds.
// features is [cpuid.CPUInfo.Supports] for the machine at hand; klauspost/cpuid counts AVX and AVX-512 as present only where
// the operating system saves their registers, which ggml's own check does not ask.
func Survey(supports func(...cpuid.FeatureID) bool, linked func(name string) bool) []Choice {
	choices := make([]Choice, 0, len(Variants))
	var missing []string
	for _, v := range Variants {
		for _, f := range v.Requires {
			if !supports(f) {
				missing = append(missing, f.String())
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
	if lowest := choices[0]; strings.HasPrefix(lowest.Reason, lacks) {
		return "", fmt.Errorf("%s; emospan needs a CPU with SSE4.2", lowest.Reason)
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
	return choose(Survey(cpuid.CPU.Supports, func(string) bool { return true }), os.Getenv(EnvCPU))
}

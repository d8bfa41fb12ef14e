package main

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/emospan/emospan/llama"
)

func TestNotPortable(t *testing.T) {
	variants := []llama.Variant{{Name: "sse42"}, {Name: "avx2"}, {Name: "avx512"}}
	only := func(names ...string) func(string) bool {
		return func(name string) bool { return slices.Contains(names, name) }
	}
	for _, c := range []struct {
		linked func(string) bool
		libc   string
		want   string
	}{
		{only("sse42", "avx2", "avx512"), "", ""},
		{only("sse42"), "", ""},
		{only("avx512"), "", "runs only on CPUs of the class avx512 or a higher one"},
		{only("avx2", "avx512"), "glibc 2.36 or later", "runs only on CPUs of the class avx2 or a higher one and needs glibc 2.36 or later"},
		{only("sse42", "avx2"), "glibc 2.36 or later", "needs glibc 2.36 or later"},
		{only(), "", ""},
	} {
		if got := notPortable(variants, c.linked, c.libc); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// The test's own executable is linked by cgo, so it is not static.
func TestNeededLibc(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := neededLibc(self); !regexp.MustCompile(`^glibc 2\.[0-9]+ or later$`).MatchString(got) {
		t.Errorf("%q", got)
	}
	if got := neededLibc("portable_test.go"); got != "" {
		t.Errorf("a text needs %s", got)
	}
}

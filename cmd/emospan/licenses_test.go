package main

import (
	"bytes"
	"strings"
	"testing"
)

// The licence texts name every module that is linked; a build without them says so.
func TestLicenses(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run([]string{"version", "--licenses"}, strings.NewReader(""), &stdout, &stderr)
	if entries, err := licenseFiles.ReadDir("licenses"); err != nil || len(entries) < 2 {
		if code != exitUnusable || !strings.Contains(stderr.String(), "built without licence texts; build it with make") {
			t.Errorf("exit code %d, %s", code, stderr.String())
		}
		return
	}
	if code != exitDone || stderr.Len() > 0 {
		t.Fatalf("exit code %d, %s", code, stderr.String())
	}
	text := stdout.String()
	works := []string{"emospan", "llama.cpp", "GNU C Library", "GNU C++ and GCC run-time libraries"}
	list := command(t, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/emospan")
	for _, name := range append(works, strings.Split(list, "\n")...) {
		if name == "" { // a package of Go's own
			continue
		}
		if head := "\n" + strings.Repeat("=", 80) + "\n" + name + "\n\n"; !strings.Contains(text, head) {
			t.Errorf("no licence text of %s", name)
		}
	}
}

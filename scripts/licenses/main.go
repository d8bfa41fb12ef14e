// Licenses gathers the licence texts of everything that ends up in the executable, for emospan version --licenses:
//
//	licenses LLAMA-CPP-TREE OUT.gz [GPU]
//
// These are emospan, the Go modules that are linked, Go itself, llama.cpp, and the C and C++ libraries, whose texts the
// distribution keeps beside the compiler; with the GPU back end "vulkan" the headers of Vulkan too. OUT is written only where it changes.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// A work is something with licence texts of its own.
type work struct {
	name  string
	texts []string
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("licenses: ")
	if len(os.Args) < 3 || len(os.Args) > 4 {
		log.Fatal("usage: licenses LLAMA-CPP-TREE OUT.gz [GPU]")
	}
	packed, err := pack(gather(os.Args[1], len(os.Args) == 4 && os.Args[3] == "vulkan"))
	if err != nil {
		log.Fatal(err)
	}
	out := os.Args[2]
	if old, err := os.ReadFile(out); err == nil && bytes.Equal(old, packed) {
		return
	}
	// A name that begins with a dot: the go command, which another build may be running, does not embed it.
	tmp := filepath.Join(filepath.Dir(out), fmt.Sprintf(".%d", os.Getpid()))
	if err := os.WriteFile(tmp, packed, 0o644); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(tmp, out); err != nil {
		log.Fatal(err)
	}
}

func gather(llama string, vulkan bool) []work {
	works := []work{{"emospan", files(".")}}
	works = append(works, modules()...)
	works = append(works,
		work{"Go " + strings.TrimPrefix(runtime.Version(), "go"), files(output("go", "env", "GOROOT"))},
		work{"llama.cpp", append(files(llama), files(filepath.Join(llama, "licenses"))...)},
		work{"GNU C Library", system("LGPL-2.1-or-later, see https://www.gnu.org/software/libc", "libc6-dev")},
		work{"GNU C++ and GCC run-time libraries", system("GPL-3.0-or-later with the GCC Runtime Library Exception, see https://gcc.gnu.org", "gcc-"+gcc()+"-base")},
	)
	if vulkan {
		works = append(works, work{"Vulkan's headers", system("Apache-2.0, see https://github.com/KhronosGroup/Vulkan-Headers", "libvulkan-dev")})
	}
	for _, w := range works {
		if len(w.texts) == 0 {
			log.Fatalf("%s has no licence text", w.name)
		}
	}
	return works
}

// modules lists the modules of the packages that are linked.
func modules() []work {
	lines := strings.Split(output("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", "./cmd/emospan"), "\n")
	slices.Sort(lines)
	var works []work
	for _, line := range slices.Compact(lines) {
		if name, dir, ok := strings.Cut(line, "\t"); ok {
			works = append(works, work{name, files(dir)})
		}
	}
	return works
}

// licence matches the names under which licences and notices are kept, and folder those of a folder of them, where a work keeps the
// licences of code that it took over.
var (
	licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense|patents)`)
	folder  = regexp.MustCompile(`(?i)^third[-_]?party[-_]licen[cs]es$`)
)

func files(dir string) (texts []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries { // by name
		if e.IsDir() && folder.MatchString(e.Name()) {
			texts = append(texts, files(filepath.Join(dir, e.Name()))...)
		}
		if e.Type().IsRegular() && (licence.MatchString(e.Name()) || folder.MatchString(filepath.Base(dir))) {
			text, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				log.Fatal(err)
			}
			texts = append(texts, string(text))
		}
	}
	return texts
}

// system reads a Debian package's copyright file; elsewhere the text is but a name.
func system(name, pkg string) []string {
	if text, err := os.ReadFile("/usr/share/doc/" + pkg + "/copyright"); err == nil {
		return []string{string(text)}
	}
	return []string{name + "\n"}
}

func gcc() string { return strings.Split(output("gcc", "-dumpversion"), ".")[0] }

func output(name string, args ...string) string {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		log.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

func pack(works []work) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression) // without time or name: the same texts, the same bytes
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(z, "This executable holds:\n\n")
	for _, w := range works {
		fmt.Fprintf(z, "  %s\n", w.name)
	}
	for _, w := range works {
		fmt.Fprintf(z, "\n%s\n%s\n\n", strings.Repeat("=", 80), w.name)
		for _, text := range w.texts {
			fmt.Fprintf(z, "%s\n", strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n"))
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

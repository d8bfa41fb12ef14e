package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// ollamaStore is a store as Ollama 0.17 lays it out, with llama3:instruct.
func ollamaStore(t *testing.T, file []byte) (s *Store, dir string) {
	t.Helper()
	dir = t.TempDir()
	putOllama(t, dir, "registry.ollama.ai/library/llama3/instruct", file, "{{ .System }}<|im_start|>{{ .Prompt }}")
	return &Store{dir: t.TempDir(), ollama: []string{filepath.Join(dir, "elsewhere"), dir}}, dir
}

// putOllama adds a model under the four parts of its name.
func putOllama(t *testing.T, dir, name string, file []byte, template string) {
	t.Helper()
	layer := func(kind string, content []byte) string {
		writeAt(t, filepath.Join(dir, "blobs", "sha256-"+hexSum(content)), content)
		return fmt.Sprintf(`{"mediaType":"application/vnd.ollama.image.%s","digest":"sha256:%s","size":%d}`, kind, hexSum(content), len(content))
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":%s,"layers":[%s,%s,%s,%s]}`,
		`{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:00","size":2}`,
		layer("model", file), layer("template", []byte(template)), layer("params", []byte(`{"stop":["x"]}`)), layer("license", []byte("free")))
	writeAt(t, filepath.Join(dir, "manifests", filepath.FromSlash(name)), []byte(manifest))
}

func writeAt(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestOllama(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	s, dir := ollamaStore(t, file)
	other := synthetic(t, smallShape, 2)
	putOllama(t, dir, "registry.ollama.ai/library/llama3/latest", other, "")
	putOllama(t, dir, "registry.ollama.ai/someone/tuned/v1.2", other, "")
	putOllama(t, dir, "hf.co/Some-One/Tuned_GGUF/Q4_K_M", other, "")
	putOllama(t, dir, "localhost:5000/team/tuned/latest", other, "")
	for name, want := range map[string]Model{
		"llama3:instruct":           {Name: "llama3:instruct", Digest: hexSum(file), Template: "{{ .System }}<|im_start|>{{ .Prompt }}"},
		"library/llama3:instruct":   {Name: "llama3:instruct", Digest: hexSum(file), Template: "{{ .System }}<|im_start|>{{ .Prompt }}"},
		"llama3":                    {Name: "llama3:latest", Digest: hexSum(other)},
		"someone/tuned:v1.2":        {Name: "someone/tuned:v1.2", Digest: hexSum(other)},
		"localhost:5000/team/tuned": {Name: "localhost:5000/team/tuned:latest", Digest: hexSum(other)},
		"hf.co/Some-One/Tuned_GGUF:Q4_K_M": {
			Name: "hf.co/Some-One/Tuned_GGUF:Q4_K_M", Digest: hexSum(other)},
		"registry.ollama.ai/library/llama3:latest": {Name: "llama3:latest", Digest: hexSum(other)},
	} {
		want.Path = filepath.Join(dir, "blobs", "sha256-"+want.Digest)
		m, err := s.Resolve(name)
		if err != nil || m != want {
			t.Errorf("Resolve(%q) = %+v, %v, want %+v", name, m, err, want)
		}
		if sum, err := m.Hash(t.Context()); err != nil || sum != want.Digest {
			t.Errorf("Hash of %s: %s, %v", name, sum, err)
		}
	}
	for _, name := range []string{"llama3:other", "else/llama3:instruct", "../library/llama3:instruct", "a/b/c/d", "llama3:", ":instruct", "/llama3", "llama3:in struct", ""} {
		if m, err := s.Ollama(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("Ollama(%q) = %+v, %v, want none", name, m, err)
		}
	}
	var names []string
	list, damaged := s.OllamaModels()
	for _, e := range list {
		if info, err := os.Stat(e.Path); err != nil || info.Size() != e.Size || e.Source != "ollama" {
			t.Errorf("listed: %+v, %v", e, err)
		}
		names = append(names, e.Name)
	}
	slices.Sort(names)
	if want := []string{"hf.co/Some-One/Tuned_GGUF:Q4_K_M", "llama3:instruct", "llama3:latest", "localhost:5000/team/tuned:latest", "someone/tuned:v1.2"}; !slices.Equal(names, want) || len(damaged) > 0 {
		t.Errorf("listed %q, %v", names, damaged)
	}

	// What the user's own store has goes before.
	mine, err := s.Add(t.Context(), "llama3:instruct", writeFile(t, "mine.gguf", other), Meta{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Resolve("llama3:instruct"); err != nil || m.Path != mine.Path {
		t.Errorf("%+v, %v, want %s", m, err, mine.Path)
	}
}

func TestOllamaCopied(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	s, _ := ollamaStore(t, file)
	m, err := s.Ollama("llama3:instruct")
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.AddModel(t.Context(), "llama3:instruct", m, Meta{Source: "ollama llama3:instruct"})
	if err != nil || e.SHA256 != hexSum(file) || e.Source != "ollama llama3:instruct" {
		t.Errorf("%+v, %v", e, err)
	}
	// A byte of the weights changed: the size is right, the digest is not.
	file[len(file)-1] ^= 1
	writeAt(t, m.Path, file)
	const want = "is damaged: "
	if _, err := s.AddModel(t.Context(), "again", m, Meta{Source: "ollama"}); err == nil || !strings.Contains(err.Error(), want+"it has sha256") {
		t.Errorf("copied: %v", err)
	}
	if _, err := m.Hash(t.Context()); err == nil || !strings.Contains(err.Error(), want+"its file") {
		t.Errorf("in place: %v", err)
	}
	if got := files(t, s); !slices.Equal(got, []string{"llama3%3Ainstruct.gguf", "llama3%3Ainstruct.json"}) {
		t.Errorf("left behind: %q", got)
	}
}

func TestOllamaDamaged(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	sum := hexSum(file)
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, manifest, blobs string)
		want   string
	}{
		{"empty manifest", func(t *testing.T, manifest, _ string) { writeAt(t, manifest, nil) }, "is not valid JSON"},
		{"cut manifest", func(t *testing.T, manifest, _ string) { edit(t, manifest, "]}", "") }, "is not valid JSON"},
		{"large manifest", func(t *testing.T, manifest, _ string) { writeAt(t, manifest, make([]byte, 2<<20)) }, "cannot be read: "},
		{"other schema", func(t *testing.T, manifest, _ string) { edit(t, manifest, `"schemaVersion":2`, `"schemaVersion":1`) }, "schema version 1, expected 2"},
		{"no layers", func(t *testing.T, manifest, _ string) { writeAt(t, manifest, []byte(`{"schemaVersion":2}`)) }, "not a GGUF file"},
		{"layers of another type", func(t *testing.T, manifest, _ string) { edit(t, manifest, "image.model", "image.tensor") }, "not a GGUF file"},
		{"an adapter", func(t *testing.T, manifest, _ string) { edit(t, manifest, "image.params", "image.adapter") }, "an adapter (LoRA)"},
		{"two models", func(t *testing.T, manifest, _ string) { edit(t, manifest, "image.params", "image.model") }, "several files"},
		{"short digest", func(t *testing.T, manifest, _ string) { edit(t, manifest, sum, sum[1:]) }, "expected sha256: and 64 digits"},
		{"a path for a digest", func(t *testing.T, manifest, _ string) { edit(t, manifest, "sha256:"+sum, "../../../../etc/passwd") }, "expected sha256: and 64 digits"},
		{"missing blob", func(t *testing.T, _, blobs string) { remove(t, filepath.Join(blobs, "sha256-"+sum)) }, "is missing"},
		{"missing template", func(t *testing.T, _, blobs string) {
			remove(t, filepath.Join(blobs, "sha256-"+hexSum([]byte("{{ .System }}<|im_start|>{{ .Prompt }}"))))
		}, "its template"},
		{"short blob", func(t *testing.T, _, blobs string) { writeAt(t, filepath.Join(blobs, "sha256-"+sum), file[:1000]) }, "has 1000 bytes, expected"},
		{"a folder for a blob", func(t *testing.T, _, blobs string) {
			remove(t, filepath.Join(blobs, "sha256-"+sum))
			if err := os.Mkdir(filepath.Join(blobs, "sha256-"+sum), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "is not a regular file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, dir := ollamaStore(t, file)
			test.damage(t, filepath.Join(dir, "manifests", "registry.ollama.ai", "library", "llama3", "instruct"), filepath.Join(dir, "blobs"))
			m, err := s.Resolve("llama3:instruct")
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%+v, %v, want %q", m, err, test.want)
			}
			if list, damaged := s.OllamaModels(); len(list) != 0 || len(damaged) != 1 {
				t.Errorf("listed %v, %v", list, damaged)
			}
		})
	}
}

func edit(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q: %v", path, old, err)
	}
	writeAt(t, path, []byte(strings.ReplaceAll(string(text), old, new)))
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// A store of the system's service, whose folders are closed to other users.
func TestOllamaUnreadable(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	for _, closed := range []string{"", "manifests", "manifests/registry.ollama.ai/library/llama3/instruct", "blobs", "blobs/sha256-" + hexSum(file)} {
		t.Run(closed, func(t *testing.T) {
			s, dir := ollamaStore(t, file)
			asNobody(t)
			if err := os.Chmod(filepath.Join(dir, closed), 0); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(filepath.Join(dir, closed), 0o755)
			if m, err := s.Resolve("llama3:instruct"); err == nil || !strings.Contains(err.Error(), "the store of Ollama cannot be read: ") || !strings.Contains(err.Error(), "OLLAMA_MODELS") {
				t.Errorf("%+v, %v", m, err)
			}
			if list, damaged := s.OllamaModels(); len(list) != 0 || len(damaged) == 0 {
				t.Errorf("listed %v, %v", list, damaged)
			}
			// A store that can be read is looked at all the same.
			open, dir := ollamaStore(t, file)
			open.ollama = append(s.ollama, dir)
			if m, err := open.Resolve("llama3:instruct"); err != nil || m.Digest != hexSum(file) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

// asNobody has this test's system calls on files be made without root's
// rights, for the test's duration, on a thread of its own.
func asNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	drop := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&drop, &caps[0]); err != nil {
		t.Fatal(err)
	}
	const override = 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	caps[0].Effective &^= override
	if err := unix.Capset(&drop, &caps[0]); err != nil {
		t.Fatal(err)
	}
}

// FuzzOllama: a manifest of Ollama's may hold anything: it names a file within the store, or is refused.
func FuzzOllama(f *testing.F) {
	dir := f.TempDir()
	name := ollamaName{host: "registry.ollama.ai", namespace: "library", model: "m", tag: "latest"}
	path := filepath.Join(dir, "manifests", name.host, name.namespace, name.model, name.tag)
	blob := "sha256-" + strings.Repeat("0", 64)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.MkdirAll(filepath.Join(dir, "blobs"), 0o755), os.WriteFile(filepath.Join(dir, "blobs", blob), []byte("GGUF"), 0o644)); err != nil {
		f.Fatal(err)
	}
	layer := `{"mediaType":"application/vnd.ollama.image.%s","digest":"sha256:` + strings.Repeat("0", 64) + `","size":4}`
	f.Add([]byte(`{"schemaVersion":2,"layers":[` + fmt.Sprintf(layer, "model") + `,` + fmt.Sprintf(layer, "template") + `]}`))
	f.Add([]byte(`{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:../../x","size":-1}]}`))
	f.Fuzz(func(t *testing.T, manifest []byte) {
		if err := os.WriteFile(path, manifest, 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := ollamaModel(dir, name)
		if err == nil && m.Path != filepath.Join(dir, "blobs", blob) {
			t.Errorf("it names %q", m.Path)
		}
	})
}

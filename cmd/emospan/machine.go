package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/klauspost/cpuid/v2"
)

// A machine is what a measurement holds for: one CPU, CPU variant and llama.cpp.
type machine struct {
	CPU      string `json:"cpu"`
	Variant  string `json:"cpu_variant"`
	LlamaCpp string `json:"llama_cpp"`
}

func thisMachine() (machine, error) {
	variant, err := llama.Start()
	return machine{CPU: cpuid.CPU.BrandName, Variant: variant, LlamaCpp: llama.Revision}, err
}

// file names the file in which a measurement of something is kept for the machine.
func (m machine) file(what string, of ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{m.CPU, m.Variant, m.LlamaCpp}, of...), "\x00")))
	return fmt.Sprintf("%s-%s-%x.json", what, m.Variant, sum[:6])
}

// recall reads into v what remember kept under a name; it is false where there is nothing, or nothing that can be read.
func recall(name string, v any) bool {
	dir, err := os.UserCacheDir()
	if err != nil {
		return false
	}
	text, err := os.ReadFile(filepath.Join(dir, "emospan", name))
	return err == nil && json.Unmarshal(text, v) == nil
}

// remember keeps v in the user's cache folder. It writes beside the file and renames, as another process may read it.
func remember(name string, v any) (err error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, "emospan")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	_, werr := tmp.Write(append(text, '\n'))
	if err := errors.Join(werr, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(dir, name))
}

package main

import (
	"debug/elf"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/llama"
)

// notPortable says what keeps an executable from running on other machines of its architecture, "" where nothing does: a CPU class, as it holds no
// variant for lower ones, and shared libraries, as it is not static.
func notPortable(variants []llama.Variant, linked func(string) bool, libc string) string {
	var why []string
	lowest := slices.IndexFunc(variants, func(v llama.Variant) bool { return linked(v.Name) })
	if lowest > 0 {
		why = append(why, "runs only on CPUs of the class "+variants[lowest].Name+" or a higher one")
	}
	if libc != "" {
		why = append(why, "needs "+libc)
	}
	return strings.Join(why, " and ")
}

// neededLibc names the C library that an executable is linked against, and the version of it that it needs; "" where it is static or not ELF.
func neededLibc(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return ""
	}
	newest := []int{0}
	symbols, _ := f.ImportedSymbols()
	for _, s := range symbols {
		version, ok := strings.CutPrefix(s.Version, "GLIBC_")
		if !ok {
			continue
		}
		var parts []int
		for part := range strings.SplitSeq(version, ".") {
			n, err := strconv.Atoi(part)
			if err != nil {
				break
			}
			parts = append(parts, n)
		}
		if slices.Compare(parts, newest) > 0 {
			newest = parts
		}
	}
	if len(newest) < 2 {
		return "this system's shared libraries"
	}
	return fmt.Sprintf("glibc %d.%d or later", newest[0], newest[1])
}

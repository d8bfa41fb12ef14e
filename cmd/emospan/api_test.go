package main

import (
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateAPI = flag.Bool("api.update", false, "write testdata/api anew")

// TestAPI holds what the packages for other programs export against lists of it, so that no change goes unnoticed. A line that goes
// or changes may break a program, one that comes does not: see CHANGELOG.md. Run it with -api.update to accept what it shows.
func TestAPI(t *testing.T) {
	names := []string{"dataset", "grammar", "tagger", "validate"}
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, name := range names {
		args = append(args, module+"/"+name)
	}
	exports := map[string]string{} // the compiler's export data by import path
	for line := range strings.Lines(command(t, "go", args...)) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			exports[path] = file
		}
	}
	imports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, name := range names {
		pkg, err := imports.Import(module + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(exported(pkg), "\n") + "\n"
		golden := filepath.Join("testdata", "api", name+".txt")
		if *updateAPI {
			if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		was, is := strings.Split(string(want), "\n"), strings.Split(got, "\n")
		for _, line := range was {
			if !slices.Contains(is, line) {
				t.Errorf("package %s no longer has: %s", name, line)
			}
		}
		for _, line := range is {
			if !slices.Contains(was, line) {
				t.Errorf("package %s has something new: %s", name, line)
			}
		}
	}
}

// exported lists what a package exports, a line for each constant, variable, function, type, field and method.
func exported(pkg *types.Package) (lines []string) {
	qualify := types.RelativeTo(pkg)
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	typeString := func(t types.Type) string { return types.TypeString(t, qualify) }
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Const:
			add("const %s %s = %s", name, typeString(obj.Type()), obj.Val().ExactString())
		case *types.TypeName:
			if obj.IsAlias() {
				add("type %s = %s", name, typeString(types.Unalias(obj.Type())))
				continue
			}
			switch under := obj.Type().Underlying().(type) {
			case *types.Struct:
				add("type %s struct", name)
				for i := range under.NumFields() {
					if f := under.Field(i); f.Exported() {
						add("field %s.%s %s %s", name, f.Name(), typeString(f.Type()), under.Tag(i))
					}
				}
			default:
				add("type %s %s", name, typeString(under))
			}
			if types.IsInterface(obj.Type()) {
				continue
			}
			methods := types.NewMethodSet(types.NewPointer(obj.Type()))
			for m := range methods.Methods() {
				if f := m.Obj().(*types.Func); f.Exported() {
					add("method (%s) %s%s", typeString(f.Signature().Recv().Type()), f.Name(), strings.TrimPrefix(typeString(m.Type()), "func"))
				}
			}
		default:
			add("%s", types.ObjectString(obj, qualify))
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

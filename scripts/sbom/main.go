// Sbom completes the CycloneDX bill of materials that cyclonedx-gomod makes of an executable's Go modules (standard input) with
// what Go does not know of, and writes it to standard output:
//
//	sbom -llama REVISION -sdist SHA256 -time RFC3339 -sha256 EXECUTABLE'S [-vulkan VERSION]
//
// That is llama.cpp, the C and C++ libraries and, where the GPU back end was built with them, Vulkan's headers. Nothing in it depends on when or where it is made.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"os/exec"
	"strings"
)

type object = map[string]any

func main() {
	log.SetFlags(0)
	log.SetPrefix("sbom: ")
	llama := flag.String("llama", "", "commit of llama.cpp")
	sdist := flag.String("sdist", "", "SHA-256 of the source archive that it was taken from, empty for a tree of the builder's")
	when := flag.String("time", "", "time of the commit")
	sum := flag.String("sha256", "", "SHA-256 of the executable")
	vulkan := flag.String("vulkan", "", "version of Vulkan's headers, empty for none")
	flag.Parse()

	var bom object
	if err := json.NewDecoder(os.Stdin).Decode(&bom); err != nil {
		log.Fatal(err)
	}
	metadata, ok := bom["metadata"].(object)
	if !ok {
		log.Fatal("no metadata")
	}
	component, ok := metadata["component"].(object)
	if !ok {
		log.Fatal("no component in the metadata")
	}
	metadata["timestamp"] = *when
	component["type"] = "application"
	component["hashes"] = hash(*sum)
	components, ok := bom["components"].([]any)
	if !ok {
		log.Fatal("no components")
	}
	parent, _ := component["bom-ref"].(string)
	added := []object{
		part("llama.cpp", *llama, "MIT", "pkg:github/ggml-org/llama.cpp@"+*llama, *sdist),
		part("glibc", version("getconf", "GNU_LIBC_VERSION"), "LGPL-2.1-or-later", "", ""),
		part("libstdc++", version("gcc", "-dumpfullversion"), "GPL-3.0-or-later WITH GCC-exception-3.1", "", ""),
	}
	if *vulkan != "" {
		added = append(added, part("Vulkan-Headers", *vulkan, "Apache-2.0", "", ""))
	}
	var refs []any
	for _, c := range added {
		components = append(components, c)
		refs = append(refs, c["bom-ref"])
	}
	bom["components"] = components
	if err := depend(bom, parent, refs); err != "" {
		log.Fatal(err)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(bom); err != nil { // keys in order
		log.Fatal(err)
	}
}

// depend adds dependencies of the executable.
func depend(bom object, parent string, refs []any) string {
	list, _ := bom["dependencies"].([]any)
	for _, d := range list {
		if d, ok := d.(object); ok && d["ref"] == parent {
			on, _ := d["dependsOn"].([]any)
			d["dependsOn"] = append(on, refs...)
			return ""
		}
	}
	return "the executable has no dependencies"
}

func part(name, version, license, purl, sum string) object {
	c := object{"bom-ref": name + "@" + version, "type": "library", "name": name, "version": version}
	if strings.Contains(license, " WITH ") {
		c["licenses"] = []object{{"expression": license}}
	} else {
		c["licenses"] = []object{{"license": object{"id": license}}}
	}
	if purl != "" {
		c["purl"], c["bom-ref"] = purl, purl
	}
	if sum != "" {
		c["hashes"] = hash(sum)
	}
	return c
}

func hash(sum string) []object { return []object{{"alg": "SHA-256", "content": sum}} }

func version(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	fields := strings.Fields(string(out))
	return fields[len(fields)-1]
}

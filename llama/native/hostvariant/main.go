// Hostvariant prints the CPU variant that suits this machine, for build.sh. It builds without cgo.
package main

import (
	"fmt"
	"os"

	"github.com/emospan/emospan/llama"
)

func main() {
	name, err := llama.HostVariant()
	if err != nil {
		fmt.Fprintln(os.Stderr, "hostvariant:", err)
		os.Exit(1)
	}
	fmt.Println(name)
}

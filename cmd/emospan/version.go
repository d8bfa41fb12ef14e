package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/emospan/emospan/llama"
	"github.com/spf13/cobra"
)

// version is the release; a build from a checkout adds the commit where Go knows it.
const version = "0.1.0"

func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return version + "+" + s.Value[:12]
		}
	}
	return version
}

func printVersion(w io.Writer) error {
	revision := llama.Revision
	if revision == "" {
		revision = "none (built without cgo)"
	}
	_, err := fmt.Fprintf(w, "emospan %s\nllama.cpp %s\n%s %s/%s\n", versionText(), revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func newVersion() *cobra.Command {
	var asJSON, licenses bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version and the llama.cpp revision, or the licences of what is inside",
		Example: "  emospan version\n  emospan version --json\n  emospan version --licenses",
		Args:    takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if licenses {
				return printLicenses(cmd.OutOrStdout())
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{
					"emospan": versionText(), "llama_cpp": llama.Revision, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			return printVersion(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&licenses, "licenses", false, "print the licence texts of everything in this executable")
	return cmd
}

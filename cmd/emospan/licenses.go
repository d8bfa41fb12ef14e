package main

import (
	"compress/gzip"
	"embed"
	"errors"
	"io"
	"io/fs"
)

// licenseFiles holds the licence texts where the build has put them. Its folder is never empty, so the package builds without
// them too.
//
//go:embed licenses
var licenseFiles embed.FS

// printLicenses writes the licence texts of everything in the executable.
func printLicenses(w io.Writer) error {
	packed, err := licenseFiles.Open("licenses/licenses.txt.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("this executable was built without licence texts; build it with make")
	}
	if err != nil {
		return err
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, z)
	return err
}

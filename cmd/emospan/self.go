package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"github.com/emospan/emospan/bundle"
	"github.com/emospan/emospan/models"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// selfPath names the file that this process runs from: the kernel's link where there is a /proc, which holds even if the file was
// moved, else the name by which it was started.
var selfPath = sync.OnceValues(func() (string, error) {
	const link = "/proc/self/exe"
	if _, err := os.Stat(link); err == nil {
		return link, nil
	}
	vector, err := unix.Auxv()
	if err != nil {
		return "", err
	}
	const execName = 31 // AT_EXECFN
	for _, entry := range vector {
		if name := entry[1]; entry[0] == execName {
			return filepath.Abs(unix.BytePtrToString(*(**byte)(unsafe.Pointer(&name)))) // on the stack that the kernel made
		}
	}
	return "", errors.New("the kernel does not name this process's file")
})

// ownBundle reads what this executable holds beside the program, nil where that is nothing.
var ownBundle = sync.OnceValues(func() (*bundle.Bundle, error) {
	path, err := selfPath()
	if err != nil {
		return nil, nil
	}
	b, err := openBundle(path)
	if errors.Is(err, bundle.ErrNone) || errors.Is(err, os.ErrPermission) {
		return nil, nil
	}
	return b, err
})

// bundled is ownBundle once checkOwnBundle has let the command run.
func bundled() *bundle.Bundle {
	b, _ := ownBundle()
	return b
}

// checkOwnBundle refuses to run anything from a damaged bundle but what tells about it.
func checkOwnBundle(cmd *cobra.Command, _ []string) error {
	_, err := ownBundle()
	if err == nil || cmd.Name() == "bundle" || cmd.Name() == "version" || cmd.Name() == "help" {
		return nil
	}
	return fmt.Errorf("this executable is a damaged bundle: %w; copy it again from where it came", err)
}

// openBundle reads an executable's bundle. The file stays open as long as the process: its model is read from it.
func openBundle(path string) (*bundle.Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b, err := bundle.Read(f, info.Size(), path)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

// programSHA256 is the hash of the program, without what a bundle adds to it, "" where it cannot be read.
func programSHA256(ctx context.Context) string {
	if b := bundled(); b != nil {
		return b.Program.SHA256
	}
	path, err := selfPath()
	if err != nil {
		return ""
	}
	sum, _ := models.HashFile(ctx, path)
	return sum
}

// content is a file of the executable's own bundle.
func content(role bundle.Role) (name string, data []byte, ok bool) {
	if b := bundled(); b != nil {
		return b.Content(role)
	}
	return "", nil, false
}

//go:build !linux

package llama

// sveBits is 0: only Linux is asked.
func sveBits() int { return 0 }

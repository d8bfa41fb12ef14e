package llama

import "golang.org/x/sys/unix"

// sveBits is how long the scalable vectors of this process are, 0 where there are none.
func sveBits() int {
	const bytes = 0xffff // PR_SVE_VL_LEN_MASK
	n, err := unix.PrctlRetInt(unix.PR_SVE_GET_VL, 0, 0, 0, 0)
	if err != nil {
		return 0
	}
	return n & bytes * 8
}

//go:build !unix

package dataset

type mapping struct{ bytes []byte }

func newMapping(int) *mapping { return nil }

func (*mapping) free() {}

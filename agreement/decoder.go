package agreement

import "encoding/binary"

// A decoder reads numbers from what is its own package's encoding; on anything
// else it may panic.
type decoder []byte

func (d *decoder) byte() byte {
	b := (*d)[0]
	*d = (*d)[1:]
	return b
}

func (d *decoder) uint32() uint32 {
	v := binary.LittleEndian.Uint32(*d)
	*d = (*d)[4:]
	return v
}

func (d *decoder) uint64() uint64 {
	v := binary.LittleEndian.Uint64(*d)
	*d = (*d)[8:]
	return v
}

func (d *decoder) uvarint() uint64 {
	if b := (*d)[0]; b < 0x80 { // most are, and this is inlined
		*d = (*d)[1:]
		return uint64(b)
	}
	return d.long()
}

func (d *decoder) long() uint64 {
	v, n := binary.Uvarint(*d)
	*d = (*d)[n:]
	return v
}

func (d *decoder) number() int { return int(d.uvarint()) }

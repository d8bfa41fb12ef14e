package agreement

// A tag is one token's BIO label: 'B' or 'I' and the span type's number, or 'O'.
type tag struct {
	prefix byte
	kind   uint8
}

// tag reads a label; ok is false where it is none of O, B-TYPE and I-TYPE.
func (b *Codebook) tag(label string) (t tag, ok bool) {
	if label == "O" {
		return tag{prefix: 'O'}, true
	}
	if len(label) < 3 || label[0] != 'B' && label[0] != 'I' || label[1] != '-' {
		return tag{}, false
	}
	kind, ok := b.kinds[label[2:]]
	return tag{label[0], kind}, ok
}

// chunks returns the entities that seqeval finds in BIO tags, over token
// indices. Its default is conlleval's: an entity also begins with an I that
// continues nothing. Strictly, as mode="strict" and scheme=IOB2 have it, such
// an I belongs to no entity.
func chunks(dst []entity, tags []tag, strict bool) []entity {
	for i := 0; i < len(tags); {
		first := tags[i]
		start := i
		i++
		if first.prefix == 'O' || strict && first.prefix == 'I' {
			continue
		}
		for i < len(tags) && tags[i] == (tag{'I', first.kind}) {
			i++
		}
		dst = append(dst, entity{first.kind, int32(start), int32(i)})
	}
	return dst
}

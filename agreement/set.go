package agreement

import (
	"iter"
	"math/bits"
)

// maxClasses is how many classes a Set can hold.
const maxClasses = 64

// A Set is a set of classes by their numbers in a [Codebook]: emotions, Ekman's
// classes or groups.
type Set uint64

// noClass is the number of a label that is none of the codebook's.
const noClass = 0xff

func setOf(class uint8) Set {
	if class == noClass {
		return 0
	}
	return 1 << class
}

// Has reports whether class is in the set.
func (s Set) Has(class uint8) bool { return s&setOf(class) != 0 }

// Len is the number of classes in the set.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// All yields the classes of the set in ascending order.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(bits.TrailingZeros64(uint64(s))) {
				return
			}
		}
	}
}

// project returns the set of what each class comes to.
func (s Set) project(to []uint8) Set {
	var projected Set
	for class := range s.All() {
		projected |= setOf(to[class])
	}
	return projected
}

// masi is the distance between two sets of Passonneau (2006), "Measuring
// agreement on set-valued items": one less the Jaccard index times 1 for equal
// sets, 2/3 where one holds the other, 1/3 where they overlap otherwise, 0
// where they have nothing in common. Two empty sets are equal.
func masi(a, b Set) float64 {
	if a == b {
		return 0
	}
	common := a & b
	monotony := 1. / 3
	switch common {
	case 0:
		return 1
	case a, b:
		monotony = 2. / 3
	}
	return 1 - monotony*float64(common.Len())/float64((a|b).Len())
}

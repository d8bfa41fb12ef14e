// GCC 12's _tile_loadconfig says that it reads eight bytes of the 64 that it reads, so the compiler drops the stores of the rest: each
// tile has no rows then, and the first load into one is an illegal instruction. Included before every file of the amx variant.
#ifdef __AMX_TILE__
#include <immintrin.h>
static inline void emospan_tile_loadconfig(const void *config) {
	__asm__ volatile("ldtilecfg %0" : : "m"(*static_cast<const char (*)[64]>(config)));
}
#define _tile_loadconfig emospan_tile_loadconfig
#endif

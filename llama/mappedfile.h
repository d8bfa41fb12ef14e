// A mapped file that can no longer be read: somebody has cut it short, or its disk has failed.
#ifndef EMOSPAN_MAPPEDFILE_H
#define EMOSPAN_MAPPEDFILE_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// Whether C code has read a page of a mapped file that could not be had, since the program began. It read zeros in its place, so what
// it computed since is worth nothing.
bool es_mapped_file_lost(void);

#ifdef __cplusplus
}
#endif
#endif

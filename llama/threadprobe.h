// What a thread of ggml's may do, for a test of the sandbox; in builds with the tag threadprobe alone.
#ifndef EMOSPAN_THREADPROBE_H
#define EMOSPAN_THREADPROBE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A thread's id and the errno of each attempt, 0 where it succeeded.
typedef struct {
	int32_t thread, open_error, create_error, socket_error;
} es_attempt;

// Has a graph computed by so many threads, each of which tries to open a file, to create one and to make a socket. Returns 0, or -1.
int es_probe_threads(int32_t threads, const char *open_path, const char *create_path, es_attempt *out);

#ifdef __cplusplus
}
#endif
#endif

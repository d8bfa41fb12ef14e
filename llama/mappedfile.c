//go:build cgo

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "mappedfile.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_bool lost;
static long page_size;

// on_bus puts a page of zeros where a mapped file has none any more, so that the thread can go on to the end of its computation,
// which then reports the fault. It makes system calls alone, since it may run inside any function. Where no page can be put there
// the program ends as if there were no handler.
static void on_bus(int number, siginfo_t *info, void *context) {
	(void)context;
	int saved = errno;
	uintptr_t at = (uintptr_t)info->si_addr & ~(uintptr_t)(page_size - 1);
	if (info->si_code == BUS_ADRERR &&
	    mmap((void *)at, (size_t)page_size, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
		atomic_store(&lost, true);
	} else {
		signal(number, SIG_DFL); // and the instruction that failed is tried again
	}
	errno = saved;
}

// Go's runtime starts after this. It then installs a handler of its own, which leaves to this one the faults of C code alone.
__attribute__((constructor)) static void handle_bus(void) {
	struct sigaction action;
	page_size = sysconf(_SC_PAGESIZE);
	action.sa_sigaction = on_bus;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

bool es_mapped_file_lost(void) { return atomic_load_explicit(&lost, memory_order_relaxed); }

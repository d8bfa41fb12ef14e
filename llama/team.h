// The threads that ggml computes a graph with; for the .cpp files alone.
//
// ggml's CPU code is compiled for OpenMP, of which it calls five functions: one that runs a function on several threads, a
// barrier, "am I the thread that does this once", and two that say who asks. team.cpp implements these, in place of the
// compiler's own OpenMP library, so that waiting is the project's choice. A thread that waits spins for a moment, since on an
// idle machine the others arrive within microseconds, and then sleeps, since on a busy one a thread that is waited for has
// lost its core for milliseconds: a thread that goes on spinning would burn the share of the machine that both need.
#ifndef EMOSPAN_TEAM_H
#define EMOSPAN_TEAM_H

#include <cstdint>
#include <memory>

struct es_team; // the calling thread and n-1 of its own

struct es_team_delete {
	void operator()(es_team *t) const;
};
using es_team_ptr = std::unique_ptr<es_team, es_team_delete>;

// Starts a team of n threads, the caller's included. Throws std::system_error where the system refuses one.
es_team_ptr es_team_new(uint32_t n);

// Has what this thread computes while the value lives be computed by a team, which computes for one thread at a time.
class es_team_use {
public:
	explicit es_team_use(es_team *t);
	~es_team_use();
	es_team_use(const es_team_use &) = delete;
	es_team_use &operator=(const es_team_use &) = delete;

private:
	es_team *before;
};

#endif

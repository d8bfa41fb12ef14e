//go:build cgo

#include "team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdint>
#include <ctime>
#include <exception>
#include <thread>
#include <vector>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

using job = void (*)(void *);

// How long a thread spins before it sleeps, in nanoseconds. Measured by make bench-busy with 5, 10, 20, 50 and 300 µs: 10 µs
// is as fast as endless spinning on an idle machine, and comes close to a fair share on a busy one (docs/throughput.md, "Beside other programs").
constexpr int64_t spin_ns = 10000;

int64_t now_ns() {
	timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * int64_t(1000000000) + t.tv_nsec;
}

void relax() {
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	asm volatile("isb");
#endif
}

// A number that threads wait to see changed.
struct gate {
	std::atomic<uint32_t> value{0};
	std::atomic<uint32_t> sleepers{0};

	// Returns the value once it differs from seen.
	uint32_t wait(uint32_t seen) {
		uint32_t v;
		if ((v = value.load(std::memory_order_acquire)) != seen) {
			return v;
		}
		const int64_t end = now_ns() + spin_ns;
		do {
			for (int i = 0; i < 32; i++) {
				if ((v = value.load(std::memory_order_acquire)) != seen) {
					return v;
				}
				relax();
			}
		} while (now_ns() < end);
		// A sleeper counts itself before it looks again, and open() looks for sleepers after it has changed the value: one
		// of the two sees the other.
		sleepers.fetch_add(1);
		while ((v = value.load()) == seen) {
			sleep(seen);
		}
		sleepers.fetch_sub(1);
		return v;
	}

	void open(uint32_t v) {
		value.store(v);
		if (sleepers.load() > 0) {
			wake();
		}
	}

private:
#ifdef __linux__
	// Returns when the value is not seen, when it is woken, or for no reason.
	void sleep(uint32_t seen) { syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0); }
	void wake() { syscall(SYS_futex, &value, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0); }
#else
	void sleep(uint32_t) { std::this_thread::sleep_for(std::chrono::microseconds(50)); }
	void wake() {}
#endif
};

constexpr uint32_t size_bits = 10; // of a round's number these say how many threads take part; the rest counts rounds
constexpr uint32_t max_size = (1 << size_bits) - 1;

} // namespace

struct es_team {
	job run = nullptr; // what this round's threads call, with data
	void *data = nullptr;
	alignas(64) gate round;   // opened for each parallel region; 0 threads end the team
	alignas(64) gate barrier; // opened when all of a region's threads have arrived
	alignas(64) std::atomic<uint32_t> arrived{0};
	std::vector<std::thread> threads; // those beside the caller, which is thread 0

	void work(uint32_t index);
	void parallel(job f, void *d, uint32_t size);
	void meet(uint32_t size);
	~es_team();
};

namespace {

// Who a thread is in the region that it computes.
struct membership {
	es_team *team = nullptr;
	uint32_t index = 0, size = 0; // size is 0 outside of a region
};
thread_local membership self;
thread_local es_team *current = nullptr; // computes the next region that this thread comes to

} // namespace

void es_team::work(uint32_t index) {
	for (uint32_t seen = 0;;) {
		seen = round.wait(seen);
		const uint32_t size = seen & max_size;
		if (size == 0) {
			return;
		}
		if (index < size) {
			self = {this, index, size};
			run(data);
			self = {};
			meet(size);
		}
	}
}

// Calls f on size threads, one of them the caller, and returns when all have.
void es_team::parallel(job f, void *d, uint32_t size) {
	run = f, data = d;
	const uint32_t number = (round.value.load(std::memory_order_relaxed) >> size_bits) + 1;
	round.open(number << size_bits | size);
	self = {this, 0, size};
	f(d);
	self = {};
	meet(size);
}

// Returns when size threads have called it.
void es_team::meet(uint32_t size) {
	const uint32_t seen = barrier.value.load(std::memory_order_acquire);
	if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 < size) {
		barrier.wait(seen);
		return;
	}
	arrived.store(0, std::memory_order_relaxed);
	barrier.open(seen + 1);
}

es_team::~es_team() {
	round.open(((round.value.load() >> size_bits) + 1) << size_bits);
	for (std::thread &t : threads) {
		t.join();
	}
}

void es_team_delete::operator()(es_team *t) const { delete t; }

es_team_ptr es_team_new(uint32_t n) {
	es_team_ptr t(new es_team);
	for (uint32_t i = 1; i < std::min(n, max_size); i++) {
		t->threads.emplace_back([team = t.get(), i] { team->work(i); });
	}
	return t;
}

es_team_use::es_team_use(es_team *t) : before(current) { current = t; }
es_team_use::~es_team_use() { current = before; }

// The names and types are those that GCC's code calls (libgomp's manual, "Implementing PARALLEL construct" and those that follow).
extern "C" {

void GOMP_parallel(job f, void *data, unsigned n, unsigned) {
	es_team_ptr own; // where no context computes: an AMX variant rearranges weights so while a model is loaded
	es_team *team = current;
	if (!team && self.size == 0 && n != 1) {
		try {
			own = es_team_new(n > 0 ? n : std::thread::hardware_concurrency());
			team = own.get();
		} catch (const std::exception &) { // the system has no more threads to give: this one does it all
		}
	}
	if (team && self.size == 0) {
		const uint32_t size = team->threads.size() + 1;
		team->parallel(f, data, n > 0 ? std::min(n, size) : size);
		return;
	}
	const membership outer = self; // a region within a region is its thread's alone
	self = {nullptr, 0, 1};
	f(data);
	self = outer;
}

void GOMP_barrier(void) {
	if (self.size > 1) {
		self.team->meet(self.size);
	}
}

bool GOMP_single_start(void) { return self.index == 0; }
int omp_get_num_threads(void) { return self.size > 0 ? static_cast<int>(self.size) : 1; }
int omp_get_thread_num(void) { return static_cast<int>(self.index); }

} // extern "C"

// What keeps C++ exceptions from leaving the C functions of this package; for the .cpp files alone.
#ifndef EMOSPAN_GUARD_H
#define EMOSPAN_GUARD_H

#include <exception>

#include "shim.h"

// Runs f; an exception becomes the last error and the value given for failure.
template <typename R, typename F> R guard(R failure, F f) {
	try {
		return f();
	} catch (const std::exception &e) {
		es_set_error(e.what());
	} catch (...) {
		es_set_error("unknown C++ exception");
	}
	return failure;
}

#endif

#pragma once

#include <cstdint>
#include <functional>

namespace likewise {

// Runs body(index, worker) for every index in [0, count) on at most `threads` threads, the calling
// one included; returns when all are done. Indices are handed out in order, one at a time.
// `worker` is in [0, threads): workspaces can be kept per worker. A call from inside a body runs on
// that body's thread alone, unless the outer call had one thread or one index anyway. The first
// exception of a body stops the rest and is thrown again here, once no body runs any more.
// Several Python threads may call at once; they share one pool. After fork() the child starts anew.
void parallel_for(int64_t count, int threads,
                  const std::function<void(int64_t index, int worker)>& body);

// Of `threads` those worth using for that much arithmetic: waking others costs some 20
// microseconds.
inline int worthwhile_threads(double operations, int threads) {
  return operations < 3e5 ? 1 : threads;
}

// Long bodies call this now and then (at least every 0.1 s of work; it costs some 30 nanoseconds
// between looks). Throws Interrupted once the user asked to stop or another body has thrown.
void poll_interrupt();

// Runs `work` on a thread of its own while this one polls, for long calls into libraries that do
// not. Interrupted, it throws at once and leaves the work behind, which must therefore own all that
// it touches; the process waits for its end before it exits. Exceptions of the work are thrown
// here.
void run_interruptibly(const std::function<void()>& work);

// `pending` says whether the user asked to stop; called on the thread that called parallel_for
// (or poll_interrupt), at most every 100 ms. Set once, by the bindings.
void set_interrupt_hook(bool (*pending)());

}  // namespace likewise

#pragma once

#include <cstddef>
#include <functional>

#include "cuda_runtime.h"

// What tests and the stand-ins for libraries ask of the simulator.

namespace cusim {

struct Stats {
  size_t launches, blocks, threads, barriers, warp_ops, live_bytes, peak_bytes;
};
extern Stats stats;

// What the simulator complained about so far, "" for nothing.
const char* report();

// Forgets errors and pending work.
void reset();

// The n-th allocation from now on fails; -1: none does.
void fail_allocation(long n);

bool is_device(const void* pointer);

// Whether the kernels run under ThreadSanitizer.
bool thread_sanitizer();

// Queues work on a stream, as a library does.
void on_stream(cudaStream_t stream, std::function<void()> work);

}  // namespace cusim

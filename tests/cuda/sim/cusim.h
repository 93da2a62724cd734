#pragma once

#include <cstddef>
#include <functional>

#include "cuda_runtime.h"

// What tests and the stand-ins for libraries ask of the simulator.

namespace cusim {

struct Stats {
  size_t launches, blocks, threads, barriers, warp_ops, devices_set, live_bytes, peak_bytes;
  size_t contexts;  // of libraries, in all
};
extern Stats stats;

// What the simulator complained about so far, "" for nothing.
const char* report();

// Forgets errors and pending work.
void reset();

// The n-th allocation from now on fails; -1: none does.
void fail_allocation(long n);

bool is_device(const void* pointer);  // of any device

int current_device();

// Whether all these bytes are memory of the current device.
bool is_here(const void* data, size_t bytes);

// Between these two what is queued on streams is kept, in its order, and done by replay(), as often
// as that is called. As where CUDA captures a graph nothing may wait, and allocates only who has
// set the thread's mode of capture to relaxed; memory that is freed stays until reset().
void begin_capture();
void end_capture();
void replay();
bool may_allocate();

// Whether the kernels run under ThreadSanitizer.
bool thread_sanitizer();

// Queues work on a stream of the current device, as a library does.
void on_stream(cudaStream_t stream, std::function<void()> work);

}  // namespace cusim

#pragma once

#include <functional>
#include <random>
#include <vector>

#include "cuda_runtime.h"
#include "sanitizers.h"

// What the files of the simulator share.

namespace cusim {

long setting(const char* variable, long otherwise);

// Adds a line to the report.
__attribute__((format(printf, 1, 2))) void complain(const char* format, ...);

// Remembers an error for cudaGetLastError and returns it.
cudaError_t fail_with(cudaError_t error);

extern cudaError_t sticky_error;  // of a kernel: every later call returns it
void forget_errors();             // and empties the report
extern std::mt19937 generator;

// False, with a complaint, while a capture forbids it.
bool may_wait();
void keep_for_replays(void* memory);  // that is freed
extern bool capturing;

// What the simulator does by itself on a device, which becomes the current one for it.
class OnDevice {
 public:
  explicit OnDevice(int device);
  ~OnDevice();
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_;
};

// Bytes of shared memory that a block may ask for on this architecture.
int most_shared_bytes();

struct Launch {
  std::function<void()> body;
  dim3 grid, block;
  size_t dynamic_bytes;
  size_t most_static_bytes;  // what dynamic shared memory leaves of the limit
  // For ThreadSanitizer: blocks acquire `begin` and release `end`, so that they are ordered with
  // what comes before and after the launch and not with each other.
  char begin[8], end[8];
  std::vector<void*>* fibers;  // ThreadSanitizer's, of the stream
  size_t fibers_taken = 0;
};

// False where the kernel did something that no kernel may; the report says what.
bool run_block(Launch& launch, uint3 at);

// Host code may touch device memory while one of these lives (CUSIM_PROTECT).
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

enum class Memory { unknown, host, device };
Memory memory_of(const void* pointer);
int device_of(const void* pointer);  // -1: of none
cudaError_t allocate_on(int device, void** p, size_t bytes);
void limit_allocations(long n);
cudaError_t free_device_memory(void* pointer);  // at once

constexpr int kHost = -1;

// Complains unless `bytes` bytes from p lie in one allocation of that device (kHost: or in none).
bool in_range(const void* p, size_t bytes, int device, const char* what);

}  // namespace cusim

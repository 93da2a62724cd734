// Tests of the simulator itself: one small case per rule. `cuda_selftest N` runs case N, and says
// what must be noticed; cases marked "race" are for ThreadSanitizer.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/cuda/kernel.cuh"
#include "cusim.h"

namespace {

using likewise::cuda::kAllLanes;
using likewise::cuda::launch;

// A lane reads what its neighbour wrote. A shuffle orders lanes, not memory.
__global__ void pass_in_warp(int* out, bool sync) {
  SHARED_ARRAY(int, shared, 32);
  shared[threadIdx.x] = int(threadIdx.x);
  if (sync) {
    __syncwarp();
  } else {
    __shfl_sync(kAllLanes, 1, 0);
  }
  out[threadIdx.x] = shared[(threadIdx.x + 31) % 32];
}

// The halves of a warp go different ways.
__global__ void use_half_masks(int* out) {
  int value = int(threadIdx.x);
  if (threadIdx.x < 16) {
    value = __shfl_xor_sync(0x0000ffffu, value, 1);
  } else {
    value = __shfl_xor_sync(0xffff0000u, value, 2);
    value = __shfl_xor_sync(0xffff0000u, value, 2);
  }
  out[threadIdx.x] = value + __popc(__ballot_sync(kAllLanes, value > 3));
}

// The block that comes last adds up.
__global__ void sum_by_last_block(int* parts, int* counter, int* out, bool fenced) {
  SHARED_ARRAY(int, last, 1);
  if (threadIdx.x == 0) {
    parts[blockIdx.x] = int(blockIdx.x) + 1;
    if (fenced) __threadfence();
    last[0] = atomicAdd(counter, 1) == int(gridDim.x) - 1;
    if (fenced) __threadfence();
  }
  __syncthreads();
  if (!last[0] || threadIdx.x > 0) return;
  int sum = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) sum += parts[b];
  *out = sum;
}

__global__ void wait_for_some(int* out) {
  if (threadIdx.x < 40) __syncthreads();
  out[threadIdx.x] = 1;
}

__global__ void shuffle_without_one(int* out) {
  if (threadIdx.x != 5) out[threadIdx.x] = __shfl_sync(kAllLanes, 1, 0);
}

__global__ void copy_from_neighbour(int* a) { a[threadIdx.x + 1] = a[threadIdx.x]; }

__global__ void fill(int* a, int value) { a[threadIdx.x] = value; }

__global__ void reduce(int* out, unsigned* most) {
  out[threadIdx.x] = __reduce_min_sync(kAllLanes, -int(threadIdx.x));
  most[threadIdx.x] = __reduce_max_sync(kAllLanes, threadIdx.x * 3u);
}

__global__ void use_both_kinds(int* out) {
  SHARED_ARRAY(int, fixed, 256);
  SharedArena arena;
  arena.take<int>(64)[threadIdx.x] = fixed[threadIdx.x] = 1;
  out[threadIdx.x] = 1;
}

template <class T>
T* zeros(size_t n) {
  T* p = nullptr;
  cudaMalloc(&p, n * sizeof(T));
  cudaMemsetAsync(p, 0, n * sizeof(T));
  cudaDeviceSynchronize();
  return p;
}

int value_at(const int* device, int index) {
  int value = 0;
  cudaMemcpy(&value, device + index, sizeof value, cudaMemcpyDeviceToHost);
  return value;
}

cudaStream_t new_stream() {
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  return stream;
}

int failures = 0;

// What a launch answers, which launch() throws.
template <class... Expected, class... Given>
cudaError_t started(void (*kernel)(Expected...), dim3 grid, dim3 block, cudaStream_t stream,
                    Given... arguments) {
  cudaLaunchConfig_t config;
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Expected>(arguments)...);
}

#define REQUIRE(condition) \
  if (!(condition)) std::printf("failed: %s\n%s", #condition, cusim::report()), ++failures

bool reported(const char* text) { return std::strstr(cusim::report(), text) != nullptr; }

void warp_sync_orders_memory() {
  int* const out = zeros<int>(32);
  REQUIRE(started(pass_in_warp, 1, 32, nullptr, out, true) == cudaSuccess);
  REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
  REQUIRE(value_at(out, 3) == 2);
}
void race_shuffle_orders_nothing() {
  launch(pass_in_warp, 1, 32, 0, nullptr, zeros<int>(32), false);
  cudaDeviceSynchronize();
}
void halves_of_a_warp() {
  int* const out = zeros<int>(32);
  launch(use_half_masks, 1, 32, 0, nullptr, out);
  REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
  REQUIRE(value_at(out, 0) == 1 + 28 && value_at(out, 17) == 17 + 28);
}
void last_block(bool fenced) {
  int* const out = zeros<int>(1);
  launch(sum_by_last_block, 8, 32, 0, nullptr, zeros<int>(8), zeros<int>(1), out, fenced);
  REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
  REQUIRE(value_at(out, 0) == 36);
}
void fenced_blocks() { last_block(true); }
void race_blocks_without_fence() { last_block(false); }
void divergent_barrier() {
  launch(wait_for_some, 1, 64, 0, nullptr, zeros<int>(64));
  REQUIRE(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  REQUIRE(reported("__syncthreads"));
  REQUIRE(cudaDeviceSynchronize() == cudaErrorLaunchFailure);  // for good
}
void lane_that_does_not_come() {
  launch(shuffle_without_one, 1, 32, 0, nullptr, zeros<int>(32));
  REQUIRE(cudaDeviceSynchronize() == cudaErrorLaunchFailure);
  REQUIRE(reported("deadlock"));
}
void race_neighbours() {
  launch(copy_from_neighbour, 1, 32, 0, nullptr, zeros<int>(33));
  cudaDeviceSynchronize();
}
void two_streams(bool ordered) {
  const cudaStream_t a = new_stream(), b = new_stream();
  int* const out = zeros<int>(32);
  launch(fill, 1, 32, 0, a, out, 1);
  if (ordered) {
    cudaEvent_t event = nullptr;
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    cudaEventRecord(event, a);
    cudaStreamWaitEvent(b, event);
  }
  launch(fill, 1, 32, 0, b, out, 2);
  REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
  if (ordered) REQUIRE(value_at(out, 0) == 2);
}
void event_orders_streams() { two_streams(true); }
void race_streams() { two_streams(false); }
void race_pinned_memory_before_a_wait() {
  const cudaStream_t stream = new_stream();
  int* const out = zeros<int>(32);
  void* pinned = nullptr;
  cudaMallocHost(&pinned, 128);
  int* const host = static_cast<int*>(pinned);
  host[0] = -7;
  launch(fill, 1, 32, 0, stream, out, 5);
  cudaMemcpyAsync(host, out, 128, cudaMemcpyDeviceToHost, stream);
  REQUIRE(host[0] == -7);
  cudaStreamSynchronize(stream);
  REQUIRE(host[0] == 5);
  cudaFreeHost(pinned);
}
void host_pointer_in_a_launch() {
  int on_host = 0;
  REQUIRE(started(fill, 1, 32, nullptr, &on_host, 1) == cudaErrorIllegalAddress);
}
void bad_sizes() {
  int* const out = zeros<int>(32);
  REQUIRE(started(fill, 1, 2048, nullptr, out, 1) == cudaErrorInvalidConfiguration);
  REQUIRE(cudaMemcpy(out, out, 1000, cudaMemcpyDeviceToDevice) == cudaErrorInvalidValue);
}
// 48 KiB are for both kinds of shared memory together, unless more was asked for.
cudaError_t run_with_shared(size_t bytes, bool asks) {
  int* const out = zeros<int>(32);
  cudaLaunchConfig_t config;
  config.blockDim = 32;
  config.dynamicSmemBytes = bytes;
  if (asks) {
    cudaFuncSetAttribute(reinterpret_cast<const void*>(use_both_kinds),
                         cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes));
  }
  cudaLaunchKernelEx(&config, use_both_kinds, out);
  return cudaDeviceSynchronize();
}
void shared_memory_without_asking() {
  REQUIRE(run_with_shared(48 * 1024 - 1024, false) == cudaSuccess);
  REQUIRE(run_with_shared(48 * 1024 - 1023, false) == cudaErrorLaunchFailure);
  REQUIRE(reported("static shared memory"));
}
void shared_memory_when_asked() {
  REQUIRE(run_with_shared(48 * 1024, true) == cudaSuccess);
  REQUIRE(run_with_shared(227 * 1024 - 1024, true) == cudaSuccess);
  REQUIRE(run_with_shared(227 * 1024 - 1023, true) == cudaErrorLaunchFailure);
}
// A second device has streams, memory and limits of its own.
void what_is_another_devices() {
  setenv("CUSIM_DEVICES", "2", 1);
  int* const first = zeros<int>(32);
  cudaStream_t stream = new_stream();
  REQUIRE(cudaSetDevice(1) == cudaSuccess);
  int* const second = zeros<int>(32);
  REQUIRE(started(fill, 1, 32, nullptr, second, 7) == cudaSuccess);
  REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
  REQUIRE(value_at(second, 31) == 7);
  REQUIRE(started(fill, 1, 32, stream, second, 1) == cudaErrorInvalidResourceHandle);
  REQUIRE(cudaMemsetAsync(first, 0, 4) == cudaErrorInvalidValue);
  REQUIRE(started(fill, 1, 32, nullptr, first, 1) == cudaErrorIllegalAddress);
}
void warp_reductions() {
  int* const out = zeros<int>(32);
  unsigned* const most = zeros<unsigned>(32);
  launch(reduce, 1, 32, 0, nullptr, out, most);
  REQUIRE(cudaDeviceSynchronize() == cudaSuccess);
  REQUIRE(value_at(out, 0) == -31);
  REQUIRE(value_at(reinterpret_cast<int*>(most), 0) == 93);
}

struct Case {
  const char* name;
  void (*run)();
};
constexpr Case kCases[] = {
    {"warp_sync_orders_memory", warp_sync_orders_memory},
    {"race_shuffle_orders_nothing", race_shuffle_orders_nothing},
    {"halves_of_a_warp", halves_of_a_warp},
    {"fenced_blocks", fenced_blocks},
    {"race_blocks_without_fence", race_blocks_without_fence},
    {"divergent_barrier", divergent_barrier},
    {"lane_that_does_not_come", lane_that_does_not_come},
    {"race_neighbours", race_neighbours},
    {"event_orders_streams", event_orders_streams},
    {"race_streams", race_streams},
    {"race_pinned_memory_before_a_wait", race_pinned_memory_before_a_wait},
    {"host_pointer_in_a_launch", host_pointer_in_a_launch},
    {"bad_sizes", bad_sizes},
    {"shared_memory_without_asking", shared_memory_without_asking},
    {"shared_memory_when_asked", shared_memory_when_asked},
    {"what_is_another_devices", what_is_another_devices},
    {"warp_reductions", warp_reductions},
};

}  // namespace

int main(int, char** arguments) {
  for (const Case& c : kCases) {
    if (!arguments[1]) {
      std::printf("%s\n", c.name);
    } else if (!std::strcmp(arguments[1], c.name)) {
      c.run();
      return failures ? 1 : 0;
    }
  }
  return arguments[1] ? 3 : 0;
}

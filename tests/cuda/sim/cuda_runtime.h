#pragma once

// A stand-in on CPUs for the part of the CUDA language and runtime that likewise uses; for tests
// alone. With this directory first on the include path the unchanged .cu files compile as C++.
//
// A CUDA thread is a fiber, blocks run one after the other, streams are queues that run as late as
// the rules allow. Lanes of a warp run independently. ThreadSanitizer sees the fibers, with the
// order that CUDA promises and no more, so that a missing barrier is a race it reports.
//
// CUSIM_ARCH=80|90|100|120    limits of shared memory
// CUSIM_ORDER=0|1|2           blocks and threads forward, backward, at random
// CUSIM_SEED=n                of what is random
// CUSIM_ASYNC=lazy|eager|random   when streams run
// CUSIM_DEVICES=n             number of devices: what is one's, another may not touch
// CUSIM_DRIVER=12080          the driver's version of CUDA
// CUSIM_OOM_AFTER=n           allocations that succeed; CUSIM_MEM: bytes of a device's memory
// CUSIM_PROTECT=1             host code that touches device memory is killed
// CUSIM_VERBOSE=1             complaints go to stderr as well

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define CUSIM 1
#define __global__ [[maybe_unused]] static  // kernels are launched from their own file
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ \
  shared_memory_is_spelled_SHARED_ARRAY_or_SharedArena  // no type: does not compile
#define warpSize 32

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidMemcpyDirection = 21,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorNoKernelImageForDevice = 209,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorNotReady = 600,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900
};
enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault
};
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeRelaxed = 2 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMaxSharedMemoryPerBlockOptin = 97
};
struct CUstream_st;
struct CUevent_st;
struct CUmemPoolHandle_st;
using cudaStream_t = CUstream_st*;
using cudaEvent_t = CUevent_st*;
using cudaMemPool_t = CUmemPoolHandle_st*;
#define cudaStreamLegacy (reinterpret_cast<cudaStream_t>(0x1))
#define cudaStreamPerThread (reinterpret_cast<cudaStream_t>(0x2))
#define cudaStreamNonBlocking 1u
#define cudaEventDisableTiming 2u
enum cudaMemAllocationType { cudaMemAllocationTypePinned = 1 };
enum cudaMemLocationType { cudaMemLocationTypeDevice = 1 };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
struct cudaMemLocation {
  cudaMemLocationType type;
  int id;
};
struct cudaMemPoolProps {
  cudaMemAllocationType allocType;
  cudaMemLocation location;
};
struct cudaLaunchAttribute {
  int id;
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  cudaLaunchAttribute* attrs = nullptr;
  unsigned numAttrs = 0;
};

extern "C" {
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaGetDevice(int*);
cudaError_t cudaSetDevice(int);
cudaError_t cudaDeviceGetAttribute(int*, cudaDeviceAttr, int);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaDriverGetVersion(int*);
cudaError_t cudaRuntimeGetVersion(int*);
cudaError_t cudaGetLastError();
const char* cudaGetErrorString(cudaError_t);
const char* cudaGetErrorName(cudaError_t);
cudaError_t cudaMalloc(void**, size_t);
cudaError_t cudaFree(void*);
cudaError_t cudaMemGetInfo(size_t*, size_t*);
cudaError_t cudaMemPoolCreate(cudaMemPool_t*, const cudaMemPoolProps*);
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*);
cudaError_t cudaMemPoolDestroy(cudaMemPool_t);
cudaError_t cudaMallocFromPoolAsync(void**, size_t, cudaMemPool_t, cudaStream_t);
cudaError_t cudaFreeAsync(void*, cudaStream_t);
cudaError_t cudaMallocHost(void**, size_t);
cudaError_t cudaFreeHost(void*);
cudaError_t cudaMemcpy(void*, const void*, size_t, cudaMemcpyKind);
cudaError_t cudaMemcpyAsync(void*, const void*, size_t, cudaMemcpyKind, cudaStream_t = nullptr);
cudaError_t cudaMemsetAsync(void*, int, size_t, cudaStream_t = nullptr);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned = 0);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t = nullptr);
cudaError_t cudaEventSynchronize(cudaEvent_t);
}
template <class T>
cudaError_t cudaMalloc(T** p, size_t bytes) {
  return cudaMalloc(reinterpret_cast<void**>(p), bytes);
}

extern uint3 threadIdx, blockIdx;  // set whenever a fiber is entered
extern dim3 blockDim, gridDim;

namespace cusim {

enum class WarpOp {
  shuffle,
  shuffle_up,
  shuffle_down,
  shuffle_xor,
  ballot,
  any,
  all,
  sync,
  reduce_min,
  reduce_max,
  reduce_add
};

struct Site {  // where in the source
  const char* file;
  int line;
  bool operator==(const Site& o) const { return line == o.line && !std::strcmp(file, o.file); }
};

// All lanes named in mask meet here; the last one to come computes every lane's result.
struct WarpCall {
  WarpOp op;
  unsigned mask;
  int size, argument, width;
  bool is_signed;
  Site site;
};
void warp_op(const WarpCall& call, const void* in, void* out);

enum class Barrier { plain, count, all, any };
int block_barrier(Barrier kind, bool predicate, Site site);

void* static_shared(const void* key, size_t bytes);
void* dynamic_shared(size_t bytes, size_t align);  // every piece its own heap block
void fence();

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> body,
                   const std::vector<const void*>& pointers);
cudaError_t set_shared_limit(const void* kernel, int bytes);

template <class T>
T shuffle(WarpOp op, unsigned mask, T value, int argument, int width, Site site) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  T out;
  warp_op({op, mask, int(sizeof(T)), argument, width, false, site}, &value, &out);
  return out;
}
inline unsigned vote(WarpOp op, unsigned mask, bool predicate, Site site) {
  const unsigned value = predicate;
  unsigned out;
  warp_op({op, mask, 4, 0, 32, false, site}, &value, &out);
  return out;
}
template <class T>
T reduce(WarpOp op, unsigned mask, T value, Site site) {
  static_assert(sizeof(T) == 4 && std::is_integral_v<T>);
  T out;
  warp_op({op, mask, 4, 0, 32, std::is_signed_v<T>, site}, &value, &out);
  return out;
}
inline int width_or_32(int width = 32) { return width; }
inline unsigned mask_or_all(unsigned mask = 0xffffffffu) { return mask; }

// Relaxed, as on the device.
template <class T, class F>
T atomic_update(T* p, F f) {
  using Bits = std::conditional_t<sizeof(T) == 4, unsigned, unsigned long long>;
  Bits* const q = reinterpret_cast<Bits*>(p);
  Bits old = __atomic_load_n(q, __ATOMIC_RELAXED), bits;
  T before, after;
  do {
    std::memcpy(&before, &old, sizeof before);
    after = f(before);
    std::memcpy(&bits, &after, sizeof bits);
  } while (!__atomic_compare_exchange_n(q, &old, bits, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return before;
}

}  // namespace cusim

template <class... Expected, class... Given>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Expected...),
                               Given&&... given) {
  static_assert(sizeof...(Expected) == sizeof...(Given), "number of kernel arguments");
  static_assert((std::is_trivially_copyable_v<std::remove_cv_t<Expected>> && ...));
  static_assert((!std::is_reference_v<Expected> && ...), "kernel arguments are values");
  const std::tuple<std::remove_cv_t<Expected>...> arguments{
      static_cast<Expected>(std::forward<Given>(given))...};
  std::vector<const void*> pointers;
  const auto note = [&pointers](const auto& value) {
    if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(value)>>) {
      pointers.push_back(static_cast<const void*>(value));
    }
  };
  std::apply([&](const auto&... values) { (note(values), ...); }, arguments);
  return cusim::launch(
      *config, reinterpret_cast<const void*>(kernel), [=] { std::apply(kernel, arguments); },
      pointers);
}
inline cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  return cusim::set_shared_limit(kernel, value);
}

#define CUSIM_SITE (cusim::Site{__FILE__, __LINE__})
#define __syncthreads() \
  static_cast<void>(cusim::block_barrier(cusim::Barrier::plain, false, CUSIM_SITE))
#define __syncthreads_count(p) cusim::block_barrier(cusim::Barrier::count, (p) != 0, CUSIM_SITE)
#define __syncthreads_and(p) cusim::block_barrier(cusim::Barrier::all, (p) != 0, CUSIM_SITE)
#define __syncthreads_or(p) cusim::block_barrier(cusim::Barrier::any, (p) != 0, CUSIM_SITE)
#define __threadfence() cusim::fence()

#define CUSIM_SHUFFLE(op, m, v, a, ...) \
  cusim::shuffle(cusim::WarpOp::op, m, v, a, cusim::width_or_32(__VA_ARGS__), CUSIM_SITE)
#define __shfl_sync(m, v, a, ...) CUSIM_SHUFFLE(shuffle, m, v, a, __VA_ARGS__)
#define __shfl_up_sync(m, v, a, ...) CUSIM_SHUFFLE(shuffle_up, m, v, a, __VA_ARGS__)
#define __shfl_down_sync(m, v, a, ...) CUSIM_SHUFFLE(shuffle_down, m, v, a, __VA_ARGS__)
#define __shfl_xor_sync(m, v, a, ...) CUSIM_SHUFFLE(shuffle_xor, m, v, a, __VA_ARGS__)
#define __ballot_sync(m, p) cusim::vote(cusim::WarpOp::ballot, m, (p) != 0, CUSIM_SITE)
#define __any_sync(m, p) static_cast<int>(cusim::vote(cusim::WarpOp::any, m, (p) != 0, CUSIM_SITE))
#define __all_sync(m, p) static_cast<int>(cusim::vote(cusim::WarpOp::all, m, (p) != 0, CUSIM_SITE))
#define __reduce_min_sync(m, v) cusim::reduce(cusim::WarpOp::reduce_min, m, v, CUSIM_SITE)
#define __reduce_max_sync(m, v) cusim::reduce(cusim::WarpOp::reduce_max, m, v, CUSIM_SITE)
#define __reduce_add_sync(m, v) cusim::reduce(cusim::WarpOp::reduce_add, m, v, CUSIM_SITE)
#define __syncwarp(...)                                                                    \
  cusim::warp_op(                                                                          \
      {cusim::WarpOp::sync, cusim::mask_or_all(__VA_ARGS__), 0, 0, 32, false, CUSIM_SITE}, \
      nullptr, nullptr)

template <class T>
T atomicAdd(T* p, std::type_identity_t<T> value) {
  return cusim::atomic_update(p, [=](T old) { return T(old + value); });
}
template <class T>
T atomicMin(T* p, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  return cusim::atomic_update(p, [=](T old) { return value < old ? value : old; });
}
template <class T>
T atomicMax(T* p, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>);
  return cusim::atomic_update(p, [=](T old) { return value > old ? value : old; });
}
template <class T>
T atomicOr(T* p, std::type_identity_t<T> value) {
  return cusim::atomic_update(p, [=](T old) { return T(old | value); });
}

inline float __uint_as_float(unsigned bits) { return std::bit_cast<float>(bits); }
inline unsigned __float_as_uint(float value) { return std::bit_cast<unsigned>(value); }
inline long long __double_as_longlong(double value) { return std::bit_cast<long long>(value); }
inline double __longlong_as_double(long long bits) { return std::bit_cast<double>(bits); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T min(T a, std::type_identity_t<T> b) {
  return b < a ? b : a;
}
template <class T>
T max(T a, std::type_identity_t<T> b) {
  return a < b ? b : a;
}

#define SHARED_ARRAY(T, name, n) \
  static char cusim_key_##name;  \
  T(&name)[n] = *reinterpret_cast<T(*)[n]>(cusim::static_shared(&cusim_key_##name, sizeof(T) * (n)))

struct SharedArena {
  template <class T>
  T* take(size_t n) {
    return static_cast<T*>(cusim::dynamic_shared(n * sizeof(T), alignof(T)));
  }
};

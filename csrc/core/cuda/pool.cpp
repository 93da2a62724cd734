#include "core/cuda/pool.h"

#include <cstdint>
#include <string>

namespace likewise::cuda {

Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream"); }

Stream::~Stream() { cudaStreamDestroy(stream_); }

Pool::Pool(cudaStream_t stream) : stream_(stream) {
  cudaMemPoolProps properties = {};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location.type = cudaMemLocationTypeDevice;
  check(cudaGetDevice(&properties.location.id), "device");
  check(cudaMemPoolCreate(&pool_, &properties), "memory pool");
  uint64_t kept = UINT64_MAX;  // waits do not hand memory back to the driver
  check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &kept), "memory pool");
}

Pool::~Pool() { cudaMemPoolDestroy(pool_); }

void* Pool::take(size_t bytes) {
  void* data = nullptr;
  const cudaError_t error = cudaMallocFromPoolAsync(&data, bytes, pool_, stream_);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw OutOfMemoryError("the CUDA device is out of memory: " + std::to_string(bytes) +
                           " bytes were asked for, " + std::to_string(free_bytes()) + " are free");
  }
  check(error, "memory");
  return data;
}

void Pool::give_back(void* data) { cudaFreeAsync(data, stream_); }

size_t free_bytes() {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "memory");
  return free;
}

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "core/cuda/context.h"

// Device memory where no library of the caller's gives any.

namespace likewise::cuda {

// More was asked for than the device has left; the text says how much.
class OutOfMemoryError : public DeviceError {
 public:
  using DeviceError::DeviceError;
};

// A stream of its own, in no order with others.
class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

// Memory of the current device that is taken and given back in the order of one stream: what comes
// back is used again by what the stream runs later, without a wait. All of it must have come back
// before the pool goes.
class Pool {
 public:
  explicit Pool(cudaStream_t stream);
  ~Pool();
  Pool(const Pool&) = delete;

  // Aligned to 256. Throws OutOfMemoryError.
  void* take(size_t bytes);
  void give_back(void* data);

  cudaStream_t stream() const { return stream_; }

 private:
  cudaStream_t stream_;
  cudaMemPool_t pool_ = nullptr;
};

// Bytes of the current device that nobody has taken.
size_t free_bytes();

}  // namespace likewise::cuda

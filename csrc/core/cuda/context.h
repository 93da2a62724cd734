#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "core/cuda/launch.h"

namespace likewise::cuda {

class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What kernels report of one call, in device memory; every byte is 0xFF before the call.
struct CallStatus {
  unsigned long long assignment;  // lowered to item << 2 | AssignmentStatus of one without solution
  unsigned long long unconverged;  // lowered to the first item whose decomposition failed
};

// Temporary memory that a function takes for work that it can split: as many parts at a time as
// fit.
constexpr int64_t kWorkBytes = int64_t{256} << 20;

// Where one call runs and where its temporary memory comes from.
struct Context {
  cudaStream_t stream;
  // Bytes of the caller's library on the current device, aligned to 256. They stay until the call
  // returns, and are not given to anybody else before the stream has come so far.
  std::function<void*(size_t bytes)> allocate;
  CallStatus* status;  // null where nobody will look

  template <class T>
  T* temporary(size_t n) const {
    return static_cast<T*>(allocate(n * sizeof(T)));
  }
};

// "" where this device (-1: the current one) can be used, else why not. Asks for compute capability
// 8.0.
std::string why_not(int device);

// The device is the current one as long as this lives. Setting a device makes a context on it, half
// a GB of its memory: nothing is set, and nothing set back, that is so already.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device);
  ~CurrentDevice();
  CurrentDevice(const CurrentDevice&) = delete;

 private:
  int before_ = 0;
  bool changed_;
};

}  // namespace likewise::cuda

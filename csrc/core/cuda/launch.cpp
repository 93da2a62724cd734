#include "core/cuda/launch.h"

#include <map>
#include <mutex>
#include <utility>

namespace likewise::cuda {

void allow_shared(const void* kernel, size_t bytes) {
  static std::mutex mutex;
  static std::map<std::pair<int, const void*>, size_t> allowed;
  int device = 0;
  check(cudaGetDevice(&device), "device");
  const std::lock_guard lock(mutex);
  size_t& most = allowed[{device, kernel}];
  if (bytes <= most) return;  // never lowered: another thread may be about to launch it
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)),
        "shared memory");
  most = bytes;
}

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace likewise::cuda {

// Throws DeviceError (core/cuda/context.h) for anything but success, in words.
void check(cudaError_t error, const char* what);

// Lets this kernel have so much dynamic shared memory on the current device. Without it 48 KiB are
// the limit, those of static arrays included.
void allow_shared(const void* kernel, size_t bytes);

}  // namespace likewise::cuda

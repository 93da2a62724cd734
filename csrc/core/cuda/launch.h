#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace likewise::cuda {

// Lets this kernel have so much dynamic shared memory on the current device. Without it 48 KiB are
// the limit, those of static arrays included.
cudaError_t allow_shared(const void* kernel, size_t bytes);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <string>
#include <vector>

// cuBLAS, opened when it is first needed and not linked: the extension imports on any machine, and
// uses the very copy that torch or CuPy has loaded. Declared is only what the engine calls; the
// enumerations of cuBLAS are plain integers.

namespace likewise::cuda {

struct BlasContext;

enum class BlasOp : int { none = 0, transpose = 1 };

// Pedantic keeps float32 products in float32; the default of cuBLAS may not.
constexpr int kPedanticMath = 2;

struct Blas {
  int (*create)(BlasContext**);
  int (*set_stream)(BlasContext*, cudaStream_t);
  int (*set_math_mode)(BlasContext*, int);
  int (*sgemm)(BlasContext*, int, int, int, int, int, const float*, const float*, int, long long,
               const float*, int, long long, const float*, float*, int, long long, int);
  int (*dgemm)(BlasContext*, int, int, int, int, int, const double*, const double*, int, long long,
               const double*, int, long long, const double*, double*, int, long long, int);
};

// Where to look after what is loaded already, before the system's own places.
void set_library_directories(std::vector<std::string> directories);

// Throws DeviceError with what was tried where there is none.
const Blas& blas();

// One per thread and device, made on first use; its calls run on this stream from now on.
BlasContext* blas_context(cudaStream_t stream);

// Throws DeviceError for anything but success, in words.
void check_blas(int status, const char* what);

}  // namespace likewise::cuda

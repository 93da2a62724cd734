#pragma once

#include <cuda_runtime.h>

#include <string>
#include <vector>

// cuBLAS and cuSOLVER, opened when they are first needed and not linked: the extension imports on
// any machine, and uses the very copies that torch or CuPy has loaded. Declared is only what the
// engine calls; the enumerations of these libraries are plain integers.

namespace likewise::cuda {

struct BlasContext;

enum class BlasOp : int { none = 0, transpose = 1 };

// Pedantic keeps float32 products in float32, which the default of cuBLAS may not; it would also
// keep float64 products off the tensor cores, which are exact and twice as fast.
constexpr int kDefaultMath = 0, kPedanticMath = 2;

struct Blas {
  int (*create)(BlasContext**);
  int (*set_stream)(BlasContext*, cudaStream_t);
  int (*set_math_mode)(BlasContext*, int);
  int (*sgemm)(BlasContext*, int, int, int, int, int, const float*, const float*, int, long long,
               const float*, int, long long, const float*, float*, int, long long, int);
  int (*dgemm)(BlasContext*, int, int, int, int, int, const double*, const double*, int, long long,
               const double*, int, long long, const double*, double*, int, long long, int);
};

struct SolverContext;
struct SolverOptions;

constexpr int kFloat64 = 1;  // of the types that cuSOLVER knows

struct Solver {
  int (*create)(SolverContext**);
  int (*create_options)(SolverOptions**);
  int (*set_stream)(SolverContext*, cudaStream_t);
  // (context, options, with vectors, triangle, n, type, matrices, ld, type, values, type, bytes on
  // the device, bytes on the host, count)
  int (*eigen_bytes)(SolverContext*, SolverOptions*, int, int, int64_t, int, const void*, int64_t,
                     int, const void*, int, size_t*, size_t*, int64_t);
  // The same, with these bytes, and a finding per matrix before the count.
  int (*eigen)(SolverContext*, SolverOptions*, int, int, int64_t, int, void*, int64_t, int, void*,
               int, void*, size_t, void*, size_t, int*, int64_t);
};

// Where to look after what is loaded already, before the system's own places.
void set_library_directories(std::vector<std::string> directories);

// Throws DeviceError with what was tried where there is none.
const Blas& blas();

// That of this thread on the current device; its calls run on this stream from now on. Contexts are
// made on first use, also while a graph is captured, and go to another thread when theirs ends.
BlasContext* blas_context(cudaStream_t stream);

// Throws DeviceError for anything but success, in words.
void check_blas(int status, const char* what);

// Null where there is none, or one older than CUDA 12.6.2, which decomposes no batches.
const Solver* solver();

// As those of cuBLAS. Only where there is a solver.
struct SolverCall {
  SolverContext* context;
  SolverOptions* options;
};
SolverCall solver_context(cudaStream_t stream);
void check_solver(int status, const char* what);

}  // namespace likewise::cuda

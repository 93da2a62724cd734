// Stands for cuBLAS: a library of its own, which the engine's loader opens by its path. Work is
// queued on the simulated stream; pointers, sizes and overlaps are checked.

#include <deque>

#include "cusim.h"
#include "linalg/blas.h"

struct BlasContext {
  int device, math = 0;
  cudaStream_t stream = nullptr;
};

namespace {

constexpr int kSuccess = 0, kNotInitialized = 1, kInvalidValue = 7, kExecutionFailed = 13;
constexpr int kNotSupported = 15;  // said of mathematics that the engine should not ask for
constexpr int kDefaultMath = 0, kPedanticMath = 2;

template <class T>
struct Operand {
  const T* data;
  int ld;
  long long step;
  int rows, cols;  // as stored

  const T* end(int batch) const {
    return data + step * (batch - 1) + static_cast<long long>(ld) * (cols - 1) + rows;
  }
  bool is_here(int batch) const {
    return cusim::is_here(data, size_t(end(batch) - data) * sizeof(T));
  }
};

template <class T>
int gemm(BlasContext* context, int op_a, int op_b, int m, int n, int k, T alpha, Operand<T> a,
         Operand<T> b, T beta, T* c, int ldc, long long step_c, int batch) {
  if (m < 0 || n < 0 || k < 0 || batch < 0 || batch > 65535 || a.ld < a.rows || b.ld < b.rows ||
      ldc < m || step_c < static_cast<long long>(ldc) * n) {
    return kInvalidValue;
  }
  if (m == 0 || n == 0 || batch == 0) return kSuccess;
  if (context->device != cusim::current_device()) return kExecutionFailed;
  if (context->math != (sizeof(T) == 4 ? kPedanticMath : kDefaultMath)) return kNotSupported;
  const Operand<T> out{c, ldc, step_c, m, n};
  for (const Operand<T>& in : {a, b}) {
    if (!in.is_here(batch)) return kExecutionFailed;
    if (in.data < out.end(batch) && c < in.end(batch)) return kExecutionFailed;
  }
  if (!out.is_here(batch)) return kExecutionFailed;
  cusim::on_stream(context->stream, [=] {
    const char *const ta = op_a ? "T" : "N", *const tb = op_b ? "T" : "N";
    for (int q = 0; q < batch; ++q) {
      likewise::blas::gemm<T>(ta, tb, &m, &n, &k, &alpha, a.data + q * a.step, &a.ld,
                              b.data + q * b.step, &b.ld, &beta, c + q * step_c, &ldc);
    }
  });
  return kSuccess;
}

}  // namespace

extern "C" {
int cublasCreate_v2(BlasContext** context) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || !cusim::may_allocate()) return kNotInitialized;
  static std::deque<BlasContext> contexts;  // the engine keeps them until the process ends
  cusim::stats.contexts++;
  *context = &contexts.emplace_back(BlasContext{cusim::current_device()});
  return kSuccess;
}
int cublasSetStream_v2(BlasContext* context, cudaStream_t stream) {
  context->stream = stream;
  return kSuccess;
}
int cublasSetMathMode(BlasContext* context, int mode) {
  context->math = mode;
  return kSuccess;
}

int cublasSgemmStridedBatched(BlasContext* context, int op_a, int op_b, int m, int n, int k,
                              const float* alpha, const float* a, int lda, long long step_a,
                              const float* b, int ldb, long long step_b, const float* beta,
                              float* c, int ldc, long long step_c, int batch) {
  return gemm<float>(context, op_a, op_b, m, n, k, *alpha,
                     {a, lda, step_a, op_a ? k : m, op_a ? m : k},
                     {b, ldb, step_b, op_b ? n : k, op_b ? k : n}, *beta, c, ldc, step_c, batch);
}
int cublasDgemmStridedBatched(BlasContext* context, int op_a, int op_b, int m, int n, int k,
                              const double* alpha, const double* a, int lda, long long step_a,
                              const double* b, int ldb, long long step_b, const double* beta,
                              double* c, int ldc, long long step_c, int batch) {
  return gemm<double>(context, op_a, op_b, m, n, k, *alpha,
                      {a, lda, step_a, op_a ? k : m, op_a ? m : k},
                      {b, ldb, step_b, op_b ? n : k, op_b ? k : n}, *beta, c, ldc, step_c, batch);
}
}

// Stands for cuSOLVER as cublas.cpp for cuBLAS: batched symmetric eigenvalues. With
// CUSIM_UNCONVERGED=k matrix k of every call is not decomposed.

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <numeric>
#include <vector>

#include "cusim.h"
#include "internal.h"

struct SolverContext {
  int device;
  cudaStream_t stream = nullptr;
};
struct SolverOptions {};

namespace {

constexpr int kSuccess = 0, kNotInitialized = 1, kInvalidValue = 3, kExecutionFailed = 6;
constexpr int kFloat64 = 1;
constexpr int64_t kRefusedItems = 32768;
constexpr size_t kHostBytes = 64;

bool possible(const SolverOptions* options, int mode, int triangle, int64_t n, int64_t ld,
              int64_t batch) {
  return options && (mode == 0 || mode == 1) && (triangle == 0 || triangle == 1) && n > 0 &&
         ld >= n && batch > 0 && batch < kRefusedItems &&
         n * ld <= std::numeric_limits<int32_t>::max() / batch;
}

size_t device_bytes(int64_t n, int64_t batch) { return size_t(batch) * size_t(n + 7) * 16; }

// Cyclic Jacobi rotations: LAPACK keeps numbers between calls, which ThreadSanitizer sees.
// Eigenvectors go to columns of a where they are wanted, elsewhere it is destroyed.
int decompose(double* a, int64_t n, int64_t ld, double* values, int mode, int triangle) {
  std::vector<double> s(size_t(n * n)), v(size_t(n * n));
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const int64_t row = triangle == 0 ? std::max(i, j) : std::min(i, j);
      s[i * n + j] = a[row + ld * (i + j - row)];
      v[i * n + j] = i == j ? 1 : 0;
      squares += s[i * n + j] * s[i * n + j];
    }
  }
  const double negligible = 1e-17 * std::sqrt(squares);
  bool busy = true;
  for (int sweep = 0; sweep < 40 && busy; ++sweep) {
    busy = false;
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        const double along = s[p * n + q];
        if (!(std::abs(along) > negligible)) continue;
        busy = true;
        const double zeta = (s[q * n + q] - s[p * n + p]) / (2 * along);
        const double t = (zeta < 0 ? -1 : 1) / (std::abs(zeta) + std::sqrt(1 + zeta * zeta));
        const double c = 1 / std::sqrt(1 + t * t), sine = c * t;
        const auto turn = [=](double& x, double& y) {
          const double before = x;
          x = c * x - sine * y;
          y = sine * before + c * y;
        };
        for (int64_t k = 0; k < n; ++k) turn(s[k * n + p], s[k * n + q]);
        for (int64_t k = 0; k < n; ++k) turn(s[p * n + k], s[q * n + k]);
        for (int64_t k = 0; k < n; ++k) turn(v[p * n + k], v[q * n + k]);
        s[p * n + q] = s[q * n + p] = 0;
      }
    }
  }
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::sort(order.begin(), order.end(),
            [&](int64_t i, int64_t j) { return s[i * n + i] < s[j * n + j]; });
  for (int64_t j = 0; j < n; ++j) {
    values[j] = s[order[j] * n + order[j]];
    for (int64_t i = 0; i < n; ++i) a[i + ld * j] = mode ? v[order[j] * n + i] : std::nan("");
  }
  return busy ? 1 : 0;
}

}  // namespace

extern "C" {
int cusolverDnCreate(SolverContext** context) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || !cusim::may_allocate()) return kNotInitialized;
  static std::deque<SolverContext> contexts;  // the engine keeps them until the process ends
  cusim::stats.contexts++;
  *context = &contexts.emplace_back(SolverContext{cusim::current_device()});
  return kSuccess;
}
int cusolverDnCreateParams(SolverOptions** options) {
  static SolverOptions made;
  *options = &made;
  return kSuccess;
}
int cusolverDnSetStream(SolverContext* context, cudaStream_t stream) {
  context->stream = stream;
  return kSuccess;
}

int cusolverDnXsyevBatched_bufferSize(SolverContext*, SolverOptions* options, int mode,
                                      int triangle, int64_t n, int type_a, const void*, int64_t ld,
                                      int type_w, const void*, int type, size_t* on_device,
                                      size_t* on_host, int64_t batch) {
  if (type_a != kFloat64 || type_w != kFloat64 || type != kFloat64) return kInvalidValue;
  if (!possible(options, mode, triangle, n, ld, batch)) return kInvalidValue;
  *on_device = device_bytes(n, batch);
  *on_host = kHostBytes;
  return kSuccess;
}

int cusolverDnXsyevBatched(SolverContext* context, SolverOptions* options, int mode, int triangle,
                           int64_t n, int type_a, void* a, int64_t ld, int type_w, void* w,
                           int type, void* on_device, size_t bytes_on_device, void* on_host,
                           size_t bytes_on_host, int* info, int64_t batch) {
  if (type_a != kFloat64 || type_w != kFloat64 || type != kFloat64) return kInvalidValue;
  if (!possible(options, mode, triangle, n, ld, batch)) return kInvalidValue;
  if (bytes_on_device < device_bytes(n, batch) || bytes_on_host < kHostBytes) return kInvalidValue;
  if (!on_host || cusim::is_device(on_host)) return kInvalidValue;
  if (context->device != cusim::current_device() ||
      !cusim::is_here(a, size_t(ld * n * batch) * sizeof(double)) ||
      !cusim::is_here(w, size_t(n * batch) * sizeof(double)) ||
      !cusim::is_here(info, size_t(batch) * sizeof(int)) ||
      !cusim::is_here(on_device, bytes_on_device)) {
    return kExecutionFailed;
  }
  const long unconverged = cusim::setting("CUSIM_UNCONVERGED", -1);
  cusim::on_stream(context->stream, [=] {
    auto* const matrices = static_cast<double*>(a);
    auto* const values = static_cast<double*>(w);
    for (int64_t k = 0; k < batch; ++k) {
      info[k] = k == unconverged
                    ? int(n)
                    : decompose(matrices + k * ld * n, n, ld, values + k * n, mode, triangle);
    }
  });
  return kSuccess;
}
}

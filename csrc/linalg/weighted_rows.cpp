#include "linalg/weighted_rows.h"

#include <algorithm>
#include <numeric>

#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 64;

}  // namespace

template <class T>
void weighted_rows(int64_t n, int64_t d, double factor, const std::vector<double>& w, const T* x,
                   int threads, T* out) {
  std::vector<std::vector<T>> workspaces(size_t(std::max(threads, 1)));
  parallel_for((n + kRowsPerTask - 1) / kRowsPerTask, threads, [&](int64_t task, int worker) {
    const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, n - first);
    std::vector<T>& rows = workspaces[worker];
    rows.resize(size_t(count * n));
    for (int64_t k = 0; k < count * n; ++k) rows[k] = T(factor * w[first * n + k]);
    gemm<T>(Op::none, Op::none, count, d, n, T(1), rows.data(), n, x, d, T(0), out + first * d, d);
    poll_interrupt();
  });
}

void to_laplacian(int64_t n, std::vector<double>& w) {
  for (int64_t i = 0; i < n; ++i) {
    double* row = w.data() + i * n;
    row[i] = 0;
    const double sum = std::accumulate(row, row + n, 0.0);
    for (int64_t j = 0; j < n; ++j) row[j] = -row[j];
    row[i] = sum;
  }
}

template void weighted_rows<float>(int64_t, int64_t, double, const std::vector<double>&,
                                   const float*, int, float*);
template void weighted_rows<double>(int64_t, int64_t, double, const std::vector<double>&,
                                    const double*, int, double*);

}  // namespace likewise

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "kernels/cpu/bandwidth.h"
#include "kernels/cpu/panel.h"

namespace likewise {
namespace {

constexpr int64_t kBlockElements = 1 << 14;

template <class T>
struct Workspace {
  std::vector<double> sum;
  std::vector<T> origin, low, high, gathered, centred;
};

// The power of two that brings differences of up to `spread` to [1, 2).
template <class T>
double scale_for(double spread) {
  if (spread == 0) return 1;
  constexpr int kLimit = std::numeric_limits<T>::max_exponent - 2;
  return std::ldexp(1.0, std::clamp(-std::ilogb(spread), -kLimit, kLimit));
}

template <class T>
KernelFacts summarize(const MatrixRef<const T>& x, T* mean, double* norms, Workspace<T>& w) {
  const int64_t step = std::max<int64_t>(1, kBlockElements / x.cols);
  w.sum.assign(size_t(x.cols), 0.0);
  w.low.resize(size_t(x.cols));
  for (int64_t j = 0; j < x.cols; ++j) w.low[j] = x(0, j);
  w.origin = w.high = w.low;
  for (int64_t row = 0; row < x.rows; row += step) {
    const int64_t count = std::min(step, x.rows - row);
    const Rows<T> rows = contiguous_rows(x, row, count, 0, x.cols, w.gathered);
    row_kernels<T>().column_statistics(rows.data, rows.ld, count, x.cols, w.origin.data(),
                                       w.sum.data(), w.low.data(), w.high.data());
    poll_interrupt();
  }

  KernelFacts facts;
  double spread = 0;
  for (int64_t j = 0; j < x.cols; ++j) {
    // The mean of equal numbers may be rounded away from them; here it must not be.
    const bool constant = w.low[j] == w.high[j];
    const double origin = double(w.origin[j]);
    const double from_origin = constant ? 0 : w.sum[j] / double(x.rows);
    mean[j] = T(origin + from_origin);
    mean[x.cols + j] = T((origin - double(mean[j])) + from_origin);
    facts.constant_units += constant;
    spread = std::max(spread, double(w.high[j]) - double(w.low[j]));
  }
  facts.scale = scale_for<T>(spread);

  const KernelItem<T> item{x, mean, norms, facts.scale, 0};
  w.centred.resize(size_t(step * x.cols));
  for (int64_t row = 0; row < x.rows; row += step) {
    const int64_t count = std::min(step, x.rows - row);
    centred_rows(item, row, count, 0, x.cols, w.centred.data(), x.cols, w.gathered);
    row_kernels<T>().squared_norms(w.centred.data(), x.cols, count, x.cols, norms + row);
    poll_interrupt();
  }
  return facts;
}

}  // namespace

template <class T>
std::vector<KernelFacts> prepare_kernel_items(const std::vector<MatrixRef<const T>>& x,
                                              const std::vector<T*>& mean,
                                              const std::vector<double*>& norms,
                                              const KernelOptions& options, int threads) {
  const int64_t count = int64_t(x.size());
  std::vector<KernelFacts> facts(x.size());
  std::vector<Workspace<T>> workspaces(std::max(threads, 1));
  parallel_for(count, threads, [&](int64_t k, int worker) {
    facts[k] = summarize(x[k], mean[k], norms[k], workspaces[worker]);
  });
  if (options.function != KernelFunction::rbf) return facts;

  // Few items: the threads share the tiles of one; many: each takes an item.
  parallel_for(count, count >= threads ? threads : 1, [&](int64_t k, int) {
    if (options.median) {
      const KernelItem<T> item{x[k], mean[k], norms[k], facts[k].scale, 0};
      facts[k].sigma = options.bandwidth * median_distance(item, threads);
    } else {
      facts[k].sigma = options.bandwidth * facts[k].scale;
    }
  });
  return facts;
}

#define LIKEWISE_INSTANTIATE(T)                                                                    \
  template std::vector<KernelFacts> prepare_kernel_items<T>(                                       \
      const std::vector<MatrixRef<const T>>&, const std::vector<T*>&, const std::vector<double*>&, \
      const KernelOptions&, int);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

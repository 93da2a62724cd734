#include <algorithm>
#include <cmath>
#include <limits>

#include "core/near_one.h"
#include "core/parallel.h"
#include "kernels/prepared.h"

namespace likewise {
namespace {

constexpr int64_t kBlockElements = 1 << 14;

template <class T>
struct Workspace {
  std::vector<double> sum;
  std::vector<T> origin, low, high, gathered, centred;
};

// Fills mean, norms and scale; returns the number of constant units.
template <class T>
int64_t summarize(KernelItem<T>& item, T* mean, double* norms, Workspace<T>& w) {
  const MatrixRef<const T>& x = item.x;
  const int64_t step = std::clamp<int64_t>(kBlockElements / x.cols, 1, x.rows);
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

  int64_t constant_units = 0;
  bool finite = true;
  double spread = 0;
  for (int64_t j = 0; j < x.cols; ++j) {
    // The mean of equal numbers may be rounded away from them; here it must not be.
    const bool constant = w.low[j] == w.high[j];
    const double origin = double(w.origin[j]);
    const double from_origin = constant ? 0 : w.sum[j] / double(x.rows);
    mean[j] = T(origin + from_origin);
    mean[x.cols + j] = T((origin - double(mean[j])) + from_origin);
    finite = finite && std::isfinite(w.sum[j]);
    constant_units += constant;
    spread = std::max(spread, double(w.high[j]) - double(w.low[j]));
  }
  item.scale = near_one(spread, std::numeric_limits<T>::max_exponent - 2);

  w.centred.resize(size_t(step * x.cols));
  for (int64_t row = 0; row < x.rows; row += step) {
    const int64_t count = std::min(step, x.rows - row);
    centred_rows(item, row, count, 0, x.cols, w.centred.data(), x.cols, w.gathered);
    row_kernels<T>().squared_norms(w.centred.data(), x.cols, count, x.cols, norms + row);
    poll_interrupt();
  }
  return finite ? constant_units : -1;
}

}  // namespace

template <class T>
PreparedItems<T> prepare_items(const std::vector<MatrixRef<const T>>& x,
                               const KernelOptions& options, int threads, int64_t* constant_units) {
  const int64_t count = int64_t(x.size()), n = x[0].rows;
  int64_t width = 0;
  for (const MatrixRef<const T>& view : x) width += view.cols;
  PreparedItems<T> out;
  out.means.resize(size_t(2 * width));
  out.norms.resize(size_t(count * n));
  out.items.reserve(x.size());
  T* mean = out.means.data();
  for (const MatrixRef<const T>& view : x) {
    out.items.push_back({view, mean, out.norms.data() + int64_t(out.items.size()) * n});
    mean += 2 * view.cols;
  }
  std::vector<Workspace<T>> workspaces(size_t(std::clamp<int64_t>(threads, 1, count)));
  parallel_for(count, threads, [&](int64_t k, int worker) {
    const int64_t at = out.items[k].mean - out.means.data();
    constant_units[k] = summarize(out.items[k], out.means.data() + at, out.norms.data() + k * n,
                                  workspaces[worker]);
  });
  if (options.function != KernelFunction::rbf) return out;

  // Few items: the threads share the tiles of one; many: each takes an item.
  parallel_for(count, count >= threads ? threads : 1, [&](int64_t k, int) {
    KernelItem<T>& item = out.items[k];
    if (constant_units[k] < 0) {
      item.sigma = std::numeric_limits<double>::quiet_NaN();
    } else {
      item.sigma =
          options.bandwidth * (options.median ? median_distance(item, threads) : item.scale);
    }
  });
  return out;
}

template PreparedItems<float> prepare_items<float>(const std::vector<MatrixRef<const float>>&,
                                                   const KernelOptions&, int, int64_t*);
template PreparedItems<double> prepare_items<double>(const std::vector<MatrixRef<const double>>&,
                                                     const KernelOptions&, int, int64_t*);

}  // namespace likewise

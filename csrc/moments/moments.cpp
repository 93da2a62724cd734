#include "moments/moments.h"

#include <algorithm>
#include <cmath>

#include "core/dtype.h"
#include "core/parallel.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

// Columns of a product that one thread makes at a time: few where threads share the work, many
// where none do, since every tile packs its sides anew (a fifth of the time with 256 columns).
constexpr int64_t kTile = 256, kTileAlone = 1024;
constexpr int64_t kDoubles = 1 << 23;  // of augmented data at a time

template <class T>
std::vector<int64_t> starts(const std::vector<MatrixRef<const T>>& items) {
  std::vector<int64_t> out{0};
  for (const MatrixRef<const T>& item : items) out.push_back(out.back() + item.cols);
  return out;
}

double power_above(double size) {
  if (!std::isfinite(size)) return 1;  // the sums will not be finite in any unit
  int exponent = -1000;
  if (size > 0) std::frexp(size, &exponent);
  return std::ldexp(1.0, std::clamp(exponent, -1000, 1000));
}

// Augmented data of one side.
template <class T>
class Augmented {
 public:
  Augmented(const std::vector<MatrixRef<const T>>& items, const GrownFrame& frame)
      : items_(items), frame_(frame), starts_(starts(items)) {}

  int64_t width() const { return 1 + int64_t(items_.size()) + starts_.back(); }

  // What becomes of column or row k of sums when units grow.
  std::vector<double> growth() const {
    std::vector<double> out{1};
    for (size_t k = 0; k < items_.size(); ++k) out.push_back(frame_.ratio[k] * frame_.ratio[k]);
    for (size_t k = 0; k < items_.size(); ++k) {
      out.insert(out.end(), size_t(items_[k].cols), frame_.ratio[k]);
    }
    return out;
  }

  void fill(int64_t first, int64_t step, int64_t count, int threads,
            std::vector<double>& out) const {
    const int64_t items = int64_t(items_.size()), ld = width();
    out.resize(size_t(count * ld));
    for (int64_t r = 0; r < count; ++r) out[r * ld] = 1;
    parallel_for(items, worthwhile_threads(double(count * ld), threads), [&](int64_t k, int) {
      const MatrixRef<const T>& x = items_[k];
      const double* const shift = frame_.shift + starts_[k];
      const double inverse = 1 / frame_.unit[k];
      for (int64_t r = 0; r < count; ++r) {
        double* const row = &out[r * ld];
        double* const u = row + 1 + items + starts_[k];
        double square = 0;
        for (int64_t j = 0; j < x.cols; ++j) {
          u[j] = (double(x(first + r * step, j)) - shift[j]) * inverse;
          square += u[j] * u[j];
        }
        row[1 + k] = square;
      }
      poll_interrupt();
    });
  }

 private:
  const std::vector<MatrixRef<const T>>& items_;
  const GrownFrame& frame_;
  std::vector<int64_t> starts_;
};

// total (m x n) += X'Y for count rows of X and Y; with `symmetric` the two are the same.
void add_product(const std::vector<double>& x, int64_t m, const std::vector<double>& y, int64_t n,
                 int64_t count, bool symmetric, int threads, double* total) {
  const int used = worthwhile_threads(double(m) * double(n) * double(count), threads);
  const int64_t most = used == 1 ? kTileAlone : kTile;
  const int64_t rows = (m + most - 1) / most, cols = (n + most - 1) / most;
  const int64_t tall = (m + rows - 1) / rows, wide = (n + cols - 1) / cols;
  parallel_for(rows * cols, used, [&](int64_t tile, int) {
    const int64_t i = tile / cols * tall, j = tile % cols * wide;
    if (symmetric && j > i) return;
    const int64_t height = std::min(tall, m - i), width = std::min(wide, n - j);
    double* const to = total + i * n + j;
    if (symmetric && i == j) {
      gram<double>(Op::transpose, height, count, 1, &x[i], m, 1, to, n);
    } else {
      gemm<double>(Op::transpose, Op::none, height, width, count, 1, &x[i], m, &y[j], n, 1, to, n);
    }
    poll_interrupt();
  });
}

}  // namespace

void begin_frame(const Arrays& given, int threads, double* shift, double* unit) {
  std::fill_n(unit, given.size(), kLeastUnit);
  dispatch_float(given[0].dtype, [&](auto zero) {
    const auto items = matrices<decltype(zero)>(given);
    const std::vector<int64_t> start = starts(items);
    parallel_for(int64_t(items.size()), threads, [&](int64_t k, int) {
      const auto& x = items[k];
      double* const mean = shift + start[k];
      std::fill_n(mean, x.cols, 0.0);
      const double share = 1 / double(x.rows);  // of each sample: sums do not overflow
      for (int64_t i = 0; i < x.rows; ++i) {
        for (int64_t j = 0; j < x.cols; ++j) mean[j] += (double(x(i, j)) - double(x(0, j))) * share;
      }
      for (int64_t j = 0; j < x.cols; ++j) mean[j] += double(x(0, j));
    });
  });
}

void grow_units(const Arrays& given, const double* shift, int threads, double* unit,
                double* ratio) {
  dispatch_float(given[0].dtype, [&](auto zero) {
    const auto items = matrices<decltype(zero)>(given);
    const std::vector<int64_t> start = starts(items);
    parallel_for(int64_t(items.size()), threads, [&](int64_t k, int) {
      const auto& x = items[k];
      double most = 0;
      for (int64_t i = 0; i < x.rows; ++i) {
        for (int64_t j = 0; j < x.cols; ++j) {
          most = std::max(most, std::abs(double(x(i, j)) - shift[start[k] + j]));
        }
      }
      const double before = unit[k];
      unit[k] = std::max(before, power_above(most));
      ratio[k] = before / unit[k];
    });
  });
}

void divide_by_units(const Arrays& given, const double* unit, int threads, const Arrays& outs) {
  dispatch_float(given[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items = matrices<T>(given);
    parallel_for(int64_t(items.size()), threads, [&](int64_t k, int) {
      const auto& x = items[k];
      const double inverse = 1 / unit[k];
      T* to = static_cast<T*>(outs[k].data);
      for (int64_t i = 0; i < x.rows; ++i) {
        for (int64_t j = 0; j < x.cols; ++j) *to++ = T(double(x(i, j)) * inverse);
      }
    });
  });
}

void add_moments(const Arrays& given_a, const Arrays& given_b, int64_t first, int64_t step,
                 const GrownFrame& frame_a, const GrownFrame& frame_b, int threads, double* total) {
  dispatch_float(given_a[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto a = matrices<T>(given_a), b = matrices<T>(given_b);
    const bool symmetric = b.empty();
    const Augmented<T> left(a, frame_a), right(symmetric ? a : b, symmetric ? frame_a : frame_b);
    const int64_t m = left.width(), n = right.width(), samples = a[0].rows;
    const std::vector<double> of_rows = left.growth(), of_columns = right.growth();
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) total[i * n + j] *= of_rows[i] * of_columns[j];
    }
    const int64_t all = first < samples ? (samples - first - 1) / step + 1 : 0;
    const int64_t some = std::clamp<int64_t>(kDoubles / (m + n), 1, std::max<int64_t>(all, 1));
    std::vector<double> x, y;
    for (int64_t done = 0; done < all; done += some) {
      const int64_t count = std::min(some, all - done), from = first + done * step;
      left.fill(from, step, count, threads, x);
      if (!symmetric) right.fill(from, step, count, threads, y);
      add_product(x, m, symmetric ? x : y, n, count, symmetric, threads, total);
    }
    if (symmetric) symmetrize<double>(m, total, m);
  });
}

}  // namespace likewise

#include "procrustes/procrustes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <string>

#include "core/dtype.h"
#include "core/parallel.h"
#include "linalg/bidiagonal.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Below this 1 - similarity the chord is computed from the rotation. An error e of the similarity
// is an error e / angle of the angle: 1e-14 / 0.014 in double, 1e-8 / 0.045 with float products.
template <class T>
constexpr double kRefineBelow = sizeof(T) == 4 ? 1e-3 : 1e-4;

template <class T>
struct Workspace {
  BidiagonalReduction<T> reduction;
  std::vector<double> product, s, u, vt, rotation, x, residual;
};

// |X Q - Y|^2 for the best Q with orthonormal rows or columns, from the SVD of the product.
// Returns NaN if that does not converge.
template <class T>
double chord_from_rotation(const Item<T>& x, const Item<T>& y, int64_t rows, const double* product,
                           int64_t ld, Workspace<T>& w) {
  const int64_t m = x.cols, n = y.cols, r = std::min(m, n);
  w.product.resize(size_t(m * n));
  for (int64_t i = 0; i < m; ++i) std::copy_n(product + i * ld, n, w.product.data() + i * n);
  w.s.resize(r);
  w.u.resize(size_t(m * r));
  w.vt.resize(size_t(r * n));
  w.rotation.resize(size_t(m * n));
  if (!svd<double>(m, n, w.product.data(), n, w.s.data(), w.u.data(), w.vt.data())) return kNaN;
  gemm<double>(Op::none, Op::none, m, n, r, 1, w.u.data(), r, w.vt.data(), n, 0, w.rotation.data(),
               n);

  // The narrower item is rotated into the space of the wider one, where its norm is kept.
  const Item<T>& narrow = m <= n ? x : y;
  const Item<T>& wide = m <= n ? y : x;
  w.x.assign(narrow.data, narrow.data + rows * narrow.cols);
  w.residual.assign(wide.data, wide.data + rows * wide.cols);
  gemm<double>(Op::none, m <= n ? Op::none : Op::transpose, rows, wide.cols, narrow.cols, 1,
               w.x.data(), narrow.cols, w.rotation.data(), n, -1, w.residual.data(), wide.cols);
  double sum = 0;
  for (const double v : w.residual) sum += v * v;
  return sum;
}

// Squared distance of the two aligned unit-norm items, 2 - 2 * similarity. NaN data give NaN;
// a decomposition that does not converge sets `failed`.
template <class T>
double squared_chord(const Item<T>& x, const Item<T>& y, int64_t rows, const double* product,
                     int64_t ld, Workspace<T>& w, bool& failed) {
  const double similarity = nuclear_norm(w.reduction.reduce(x.cols, y.cols, product, ld, 1.0));
  if (!(1 - similarity < kRefineBelow<T>)) return 2 - 2 * similarity;
  const double chord2 = chord_from_rotation(x, y, rows, product, ld, w);
  failed = chord2 != chord2;
  return chord2;
}

double score_of(double chord2, double norm_x, double norm_y, const ProcrustesOptions& options) {
  switch (options.score) {
    case ProcrustesScore::angular:
      return 2 * std::asin(std::min(1.0, std::sqrt(chord2) / 2));
    case ProcrustesScore::similarity:
      return 1 - chord2 / 2;
    default:
      if (options.scale) return std::sqrt(chord2);
      // |aU - bV|^2 = (a - b)^2 + a b |U - V|^2 for unit-norm U and V; hypot cannot overflow.
      return std::hypot(norm_x - norm_y, std::sqrt(norm_x) * std::sqrt(norm_y) * std::sqrt(chord2));
  }
}

}  // namespace

template <class T>
void procrustes_scores(const ShapeList<T>& a, const ShapeList<T>& b_given, int64_t rows,
                       Pairing pairing, const ProcrustesOptions& options, int threads,
                       double* scores) {
  const ShapeList<T>& b = pairing == Pairing::symmetric ? a : b_given;
  const int64_t width = b.items.size();
  std::vector<Workspace<T>> workspaces(std::max(threads, 1));
  std::mutex mutex;
  std::string failures;

  auto visit = [&](int64_t i, int64_t j, double* product, int64_t ld, int worker) {
    double score = kNaN;
    if (a.norms[i] > 0 && b.norms[j] > 0) {
      bool failed = false;
      const double chord2 =
          squared_chord(a.items[i], b.items[j], rows, product, ld, workspaces[worker], failed);
      if (failed) {
        const std::lock_guard lock(mutex);
        failures += (failures.empty() ? "" : ", ") + std::to_string(i);
        if (pairing != Pairing::paired) failures += " with " + std::to_string(j);
      }
      score = score_of(chord2, a.norms[i], b.norms[j], options);
    }
    if (pairing == Pairing::paired) {
      scores[i] = score;
    } else {
      scores[i * width + j] = score;
      if (pairing == Pairing::symmetric) scores[j * width + i] = score;
    }
  };
  for_each_product<T, double>(a.items, b.items, rows, pairing, threads, visit);
  if (pairing == Pairing::symmetric) {
    for (int64_t i = 0; i < width; ++i) {
      scores[i * width + i] = a.norms[i] > 0 ? score_of(0, a.norms[i], a.norms[i], options) : kNaN;
    }
  }
  if (!failures.empty()) {
    throw ConvergenceError("the singular value decomposition did not converge for item " +
                           failures);
  }
}

namespace {

bool same_item_everywhere(const ArrayRef& array) {
  for (int k = 0; k < array.ndim - 2; ++k) {
    if (array.strides[k] != 0 && array.shape[k] != 1) return false;
  }
  return true;
}

// Prepares item 0 alone if the batch repeats it (broadcasting), every item otherwise.
template <class T>
std::vector<PreparedShape<T>> prepare_batch(const ArrayRef& array, const ProcrustesOptions& options,
                                            int threads) {
  const MatrixBatch<const T> batch(array);
  const int64_t count = same_item_everywhere(array) ? 1 : batch.count();
  std::vector<PreparedShape<T>> prepared(count);
  parallel_for(count, threads,
               [&](int64_t i, int) { prepared[i] = prepare_shape<T>(batch[i], options); });
  for (int64_t i = 0; i < count; ++i) {
    if (!prepared[i].converged) {
      throw ConvergenceError("the singular value decomposition did not converge for item " +
                             std::to_string(i));
    }
  }
  return prepared;
}

template <class T>
ShapeList<T> repeated_list(const std::vector<PreparedShape<T>>& prepared, int64_t count,
                           ProcrustesCounts& counts) {
  ShapeList<T> list;
  for (int64_t i = 0; i < count; ++i) {
    const PreparedShape<T>& shape = prepared[prepared.size() == 1 ? 0 : i];
    list.items.push_back({shape.data.data(), shape.cols});
    list.norms.push_back(shape.norm);
  }
  for (const PreparedShape<T>& shape : prepared) {
    if (shape.norm > 0) {
      counts.constant_units += shape.constant_units;
    } else {
      ++counts.constant_items;
    }
  }
  return list;
}

}  // namespace

ProcrustesCounts procrustes_batch(const ArrayRef& x, const ArrayRef& y,
                                  const ProcrustesOptions& options, int threads, double* scores) {
  require_same_dtype(x, y, "procrustes");
  ProcrustesCounts counts;
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const int64_t count = MatrixBatch<const T>(x).count();
    if (count == 0) return;
    const auto prepared_x = prepare_batch<T>(x, options, threads);
    const auto prepared_y = prepare_batch<T>(y, options, threads);
    procrustes_scores<T>(repeated_list(prepared_x, count, counts),
                         repeated_list(prepared_y, count, counts), x.shape[x.ndim - 2],
                         Pairing::paired, options, threads, scores);
  });
  return counts;
}

template void procrustes_scores<float>(const ShapeList<float>&, const ShapeList<float>&, int64_t,
                                       Pairing, const ProcrustesOptions&, int, double*);
template void procrustes_scores<double>(const ShapeList<double>&, const ShapeList<double>&, int64_t,
                                        Pairing, const ProcrustesOptions&, int, double*);

}  // namespace likewise

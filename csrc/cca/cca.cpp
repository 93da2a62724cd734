#include "cca/cca.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/distinct.h"
#include "core/dtype.h"
#include "core/failures.h"
#include "core/parallel.h"
#include "linalg/bidiagonal.h"
#include "linalg/linalg.h"
#include "linalg/reordered.h"
#include "procrustes/prepare.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Whitened representations.
template <class T>
struct Variates {
  std::vector<Item<T>> items;  // Frobenius norm 1
  std::vector<double> norms;   // what they had to be divided by
  // Of weighted means: inner products of the whitened columns with the units.
  std::vector<MatrixRef<const double>> loadings;

  void add(const PreparedShape<T>& shape) {
    items.push_back({shape.data.data(), shape.cols});
    norms.push_back(shape.reshaped_norm);
    const int64_t units = int64_t(shape.loadings.size()) / std::max<int64_t>(shape.cols, 1);
    loadings.push_back({shape.loadings.data(), shape.cols, units, units, 1});
  }
  bool is_usable(int64_t k) const { return norms[k] != 0 && std::isfinite(norms[k]); }
};

template <class T>
std::vector<PreparedShape<T>> whitened(const std::vector<MatrixRef<const T>>& items,
                                       const CanonicalOptions& options, int threads) {
  ShapeOptions shape;
  shape.alpha = 0;
  shape.regularization = options.regularization;
  shape.variance = options.variance;
  shape.directions = options.weighted;
  std::vector<PreparedShape<T>> shapes = prepare_shapes<T>(items, shape, threads);
  for (PreparedShape<T>& one : shapes) {
    // Differences may fit although their norm does not.
    if (one.norm != 0) one.norm = one.reshaped_norm;
  }
  return shapes;
}

template <class T>
Variates<T> variates(const std::vector<PreparedShape<T>>& shapes) {
  Variates<T> list;
  for (const PreparedShape<T>& shape : shapes) list.add(shape);
  return list;
}

struct Workspace {
  BidiagonalReduction<double> reduction;
  std::vector<double> product, values, left, right, projection;
};

// The product without the gaps between its rows, times `factor`.
void copy_product(const double* m, int64_t rows, int64_t cols, int64_t ld, double factor,
                  std::vector<double>& out) {
  out.resize(size_t(rows * cols));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) out[i * cols + j] = m[i * ld + j] * factor;
  }
}

// Mean of `values` weighted by sum_j |(vectors' loadings)_kj|; `vectors` holds the k-th singular
// vector in column k (Op::transpose) or in row k (Op::none).
double weighted_mean(Op op, const std::vector<double>& vectors, int64_t dimension, int64_t count,
                     const MatrixRef<const double>& loadings, Workspace& w) {
  w.projection.resize(size_t(count * loadings.cols));
  gemm<double>(op, Op::none, count, loadings.cols, dimension, 1.0, vectors.data(),
               op == Op::transpose ? count : dimension, loadings.data, loadings.row_stride, 0.0,
               w.projection.data(), loadings.cols);
  double sum = 0, total = 0;
  for (int64_t k = 0; k < count; ++k) {
    double weight = 0;
    for (int64_t j = 0; j < loadings.cols; ++j) {
      weight += std::abs(w.projection[k * loadings.cols + j]);
    }
    sum += weight * w.values[k];
    total += weight;
  }
  return sum / total;
}

// Calls body(i, j, product, ld, workspace, name) for the wanted pairs of usable items, and
// missing(i, j) for others. False: their SVD failed.
template <class T, class Body, class Missing>
void for_each_pair(const Variates<T>& a, const Variates<T>& b, int64_t rows, Pairing pairing,
                   int threads, const Body& body, const Missing& missing) {
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  Failures failures;
  const bool paired = pairing == Pairing::paired;
  const Variates<T>& right = pairing == Pairing::symmetric_with_self ? a : b;
  const auto visit = [&](int64_t i, int64_t j, double* m, int64_t ld, int worker) {
    if (!a.is_usable(i) || !right.is_usable(j)) {
      missing(i, j);
    } else if (!body(i, j, m, ld, workspaces[worker])) {
      failures.add("item " + std::to_string(i) + (paired ? "" : " with " + std::to_string(j)));
    }
    poll_interrupt();
  };
  for_each_product<T>(a.items, b.items, rows, pairing, threads, visit);
  failures.raise(kShapeSvd);
}

// Calls store(i, j, score, score of j with i) for the wanted pairs.
template <class T, class Store>
void score(const Variates<T>& a, const Variates<T>& b, int64_t rows, Pairing pairing, bool weighted,
           int threads, const Store& store) {
  const bool symmetric = pairing == Pairing::symmetric_with_self;
  const Variates<T>& right = symmetric ? a : b;
  for_each_pair(
      a, b, rows, pairing, threads,
      [&](int64_t i, int64_t j, double* m, int64_t ld, Workspace& w) {
        const int64_t p = a.items[i].cols, q = right.items[j].cols, r = std::min(p, q);
        const double factor = a.norms[i] * right.norms[j];
        if (!weighted) {
          const double mean = nuclear_norm(w.reduction.reduce(p, q, m, ld, factor)) / double(r);
          store(i, j, mean, mean);
          return true;
        }
        copy_product(m, p, q, ld, factor, w.product);
        w.values.resize(size_t(r));
        w.left.resize(size_t(p * r));
        w.right.resize(size_t(r * q));
        if (!svd<double>(p, q, w.product.data(), q, w.values.data(), w.left.data(),
                         w.right.data())) {
          return false;
        }
        const double mean = weighted_mean(Op::transpose, w.left, p, r, a.loadings[i], w);
        store(i, j, mean,
              symmetric ? weighted_mean(Op::none, w.right, q, r, a.loadings[j], w) : mean);
        return true;
      },
      [&](int64_t i, int64_t j) { store(i, j, kNaN, kNaN); });
}

// Calls body(a, b, rows): both sides of all pairs, whitened.
template <class Body>
void with_variates(const ArrayRef& x, const ArrayRef& y, const CanonicalOptions& options,
                   int threads, const Counts& counts, const Body& body) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const DistinctItems<T> left(x), right(y);
    const auto shapes_x = whitened<T>(left.items, options, threads);
    const auto shapes_y = whitened<T>(right.items, options, threads);
    Variates<T> a, b;
    const int64_t pairs = left.places();
    for (int64_t k = 0; k < pairs; ++k) {
      const int64_t i = left.at(k), j = right.at(k);
      a.add(shapes_x[i]);
      b.add(shapes_y[j]);
      count_shape(counts, k, left.items[i].cols, shapes_x[i]);
      count_shape(counts, pairs + k, right.items[j].cols, shapes_y[j]);
    }
    body(a, b, left.items[0].rows);
  });
}

}  // namespace

void cca_scores(const Arrays& a, const Arrays& b, const CanonicalOptions& options, int threads,
                double* scores, const Counts& counts) {
  dispatch_float(a[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = matrices<T>(a), items_b = matrices<T>(b);
    const auto left = whitened<T>(items_a, options, threads);
    const auto right = whitened<T>(items_b, options, threads);
    count_shapes(counts, 0, items_a, left);
    count_shapes(counts, int64_t(a.size()), items_b, right);
    const bool symmetric = b.empty();
    const int64_t width = int64_t(symmetric ? a.size() : b.size());
    score(variates(left), variates(right), items_a[0].rows,
          symmetric ? Pairing::symmetric_with_self : Pairing::cross, options.weighted, threads,
          [&](int64_t i, int64_t j, double score, double mirrored) {
            if (symmetric) scores[j * width + i] = mirrored;
            scores[i * width + j] = score;
          });
  });
}

void cca_pairs(const ArrayRef& x, const ArrayRef& y, const CanonicalOptions& options, int threads,
               double* scores, const Counts& counts) {
  with_variates(x, y, options, threads, counts, [&](const auto& a, const auto& b, int64_t rows) {
    score(a, b, rows, Pairing::paired, options.weighted, threads,
          [&](int64_t i, int64_t, double score, double) { scores[i] = score; });
  });
}

void canonical_correlations(const ArrayRef& x, const ArrayRef& y, const CanonicalOptions& options,
                            int threads, double* out, const Counts& counts) {
  const int64_t k = std::min(x.shape[x.ndim - 1], y.shape[y.ndim - 1]);
  with_variates(x, y, options, threads, counts, [&](const auto& a, const auto& b, int64_t rows) {
    for_each_pair(
        a, b, rows, Pairing::paired, threads,
        [&](int64_t i, int64_t, double* m, int64_t ld, Workspace& w) {
          const int64_t p = a.items[i].cols, q = b.items[i].cols, r = std::min(p, q);
          copy_product(m, p, q, ld, a.norms[i] * b.norms[i], w.product);
          w.values.resize(size_t(r));
          if (!singular_values<double>(p, q, w.product.data(), q, w.values.data())) return false;
          std::fill_n(out + i * k, k, 0.0);
          std::copy_n(w.values.data(), std::min(r, k), out + i * k);
          return true;
        },
        [&](int64_t i, int64_t) { std::fill_n(out + i * k, k, kNaN); });
  });
}

void cca_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                   const CanonicalOptions& options, int threads, double* scores) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items = matrices<T>({x, y});
    const auto shapes = whitened<T>(items, options, threads);
    Variates<T> left;
    left.add(shapes[0]);
    for_each_reordered<T>(
        shapes[1].data.data(), items[1].rows, shapes[1].cols, orders, k,
        [&](const std::vector<Item<T>>& copies, int64_t first) {
          const Variates<T> right{
              copies, std::vector<double>(copies.size(), shapes[1].reshaped_norm), {}};
          score(left, right, items[1].rows, Pairing::cross, options.weighted, threads,
                [&](int64_t, int64_t j, double score, double) { scores[first + j] = score; });
        });
  });
}

}  // namespace likewise

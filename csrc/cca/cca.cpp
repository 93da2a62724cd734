#include "cca/cca.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/failures.h"
#include "core/parallel.h"
#include "linalg/bidiagonal.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr char kSvd[] = "the singular value decomposition";

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

}  // namespace

template <class T>
void cca_scores(const VariateList<T>& a, const VariateList<T>& b_given, int64_t rows,
                bool symmetric, bool weighted, int threads, double* scores) {
  const VariateList<T>& b = symmetric ? a : b_given;
  const int64_t width = int64_t(b.items.size());
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  Failures failures;
  const auto visit = [&](int64_t i, int64_t j, double* m, int64_t ld, int worker) {
    Workspace& w = workspaces[worker];
    double score = kNaN, mirrored = kNaN;
    if (!a.is_constant(i) && !b.is_constant(j)) {
      const int64_t p = a.items[i].cols, q = b.items[j].cols, r = std::min(p, q);
      const double factor = a.norms[i] * b.norms[j];
      if (!weighted) {
        score = mirrored = nuclear_norm(w.reduction.reduce(p, q, m, ld, factor)) / double(r);
      } else {
        copy_product(m, p, q, ld, factor, w.product);
        w.values.resize(size_t(r));
        w.left.resize(size_t(p * r));
        w.right.resize(size_t(r * q));
        if (svd<double>(p, q, w.product.data(), q, w.values.data(), w.left.data(),
                        w.right.data())) {
          score = weighted_mean(Op::transpose, w.left, p, r, a.loadings[i], w);
          if (symmetric) mirrored = weighted_mean(Op::none, w.right, q, r, a.loadings[j], w);
        } else {
          failures.add("item " + std::to_string(i) + " with " + std::to_string(j));
        }
      }
    }
    if (symmetric) scores[j * width + i] = mirrored;
    scores[i * width + j] = score;
    poll_interrupt();
  };
  for_each_product<T, double>(a.items, b.items, rows,
                              symmetric ? Pairing::symmetric_with_self : Pairing::cross, threads,
                              visit);
  failures.raise(kSvd);
}

template <class T>
void canonical_correlations(const VariateList<T>& a, const VariateList<T>& b, int64_t rows,
                            int64_t k, int threads, double* out) {
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  Failures failures;
  const auto visit = [&](int64_t i, int64_t, double* m, int64_t ld, int worker) {
    Workspace& w = workspaces[worker];
    double* correlations = out + i * k;
    if (a.is_constant(i) || b.is_constant(i)) {
      std::fill_n(correlations, k, kNaN);
      return;
    }
    const int64_t p = a.items[i].cols, q = b.items[i].cols, r = std::min(p, q);
    copy_product(m, p, q, ld, a.norms[i] * b.norms[i], w.product);
    w.values.resize(size_t(r));
    if (!singular_values<double>(p, q, w.product.data(), q, w.values.data())) {
      failures.add("item " + std::to_string(i));
    }
    std::fill_n(correlations, k, 0.0);
    std::copy_n(w.values.data(), std::min(r, k), correlations);
    poll_interrupt();
  };
  for_each_product<T, double>(a.items, b.items, rows, Pairing::paired, threads, visit);
  failures.raise(kSvd);
}

#define LIKEWISE_INSTANTIATE(T)                                                                  \
  template void cca_scores<T>(const VariateList<T>&, const VariateList<T>&, int64_t, bool, bool, \
                              int, double*);                                                     \
  template void canonical_correlations<T>(const VariateList<T>&, const VariateList<T>&, int64_t, \
                                          int64_t, int, double*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

#include "procrustes/procrustes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/dtype.h"
#include "core/failures.h"
#include "core/parallel.h"
#include "linalg/reordered.h"
#include "procrustes/gap.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr char kSvd[] = "the singular value decomposition";

}  // namespace

template <class T>
void procrustes_scores(const ShapeList<T>& a, const ShapeList<T>& b_given, int64_t rows,
                       bool symmetric, const ProcrustesOptions& options, int threads,
                       double* scores) {
  const ShapeList<T>& b = symmetric ? a : b_given;
  const int64_t width = int64_t(b.items.size());
  std::vector<ProcrustesGap<T>> gaps(std::max(threads, 1));
  Failures failures;
  const bool refine = options.score != ProcrustesScore::similarity;
  auto visit = [&](int64_t i, int64_t j, double* m, int64_t ld, int worker) {
    double gap = kNaN;
    if (a.norms[i] != 0 && b.norms[j] != 0 &&
        !gaps[worker].run(a.items[i], b.items[j], rows, m, ld, refine, gap)) {
      failures.add("item " + std::to_string(i) + " with " + std::to_string(j));
    }
    const double score = procrustes_score(gap, a.norms[i], b.norms[j], options);
    scores[i * width + j] = score;
    if (symmetric) scores[j * width + i] = score;
    poll_interrupt();
  };
  for_each_product<T, double>(a.items, b.items, rows,
                              symmetric ? Pairing::symmetric : Pairing::cross, threads, visit);
  failures.raise(kSvd);
  if (!symmetric) return;
  for (int64_t i = 0; i < width; ++i) {
    const bool usable = a.norms[i] != 0 && std::isfinite(a.norms[i]);
    scores[i * width + i] = procrustes_score(usable ? 0 : kNaN, a.norms[i], a.norms[i], options);
  }
}

namespace {

// One side of the pairs that a thread works on.
template <class T>
class Side {
 public:
  void prepare(const MatrixRef<const T>& x, const ProcrustesOptions& options) {
    if (x.data == source_) return;
    preparation_.run(x, options, shape_);
    source_ = x.data;
  }
  const PreparedShape<T>& shape() const { return shape_; }
  Item<T> item() const { return {shape_.data.data(), shape_.cols}; }

 private:
  ShapePreparation<T> preparation_;
  PreparedShape<T> shape_;
  const T* source_ = nullptr;
};

template <class T>
struct PairWorkspace {
  Side<T> x, y;
  ProductWorkspace<T, double> product;
  ProcrustesGap<T> gap;
};

template <class T>
void score_pairs(const MatrixBatch<const T>& x, const MatrixBatch<const T>& y,
                 const ProcrustesOptions& options, int threads, double* scores,
                 const ShapeCounts& counts) {
  const int64_t count = x.count();
  std::vector<PairWorkspace<T>> workspaces(
      std::clamp<int64_t>(threads, 1, std::max<int64_t>(count, 1)));
  Failures failures;
  parallel_for(count, threads, [&](int64_t k, int worker) {
    PairWorkspace<T>& w = workspaces[worker];
    const MatrixRef<const T> matrix_x = x[k], matrix_y = y[k];
    w.x.prepare(matrix_x, options);
    w.y.prepare(matrix_y, options);
    counts.set(k, matrix_x.cols, w.x.shape());
    counts.set(count + k, matrix_y.cols, w.y.shape());
    double gap = kNaN;
    bool converged = w.x.shape().converged && w.y.shape().converged;
    if (converged && w.x.shape().cols > 0 && w.y.shape().cols > 0) {
      const double* m = product<T, double>(w.x.item(), w.y.item(), matrix_x.rows, w.product);
      converged = w.gap.run(w.x.item(), w.y.item(), matrix_x.rows, m, w.y.shape().cols,
                            options.score != ProcrustesScore::similarity, gap);
    }
    if (!converged) failures.add("item " + std::to_string(k));
    scores[k] = procrustes_score(gap, w.x.shape().norm, w.y.shape().norm, options);
  });
  failures.raise(kSvd);
}

}  // namespace

bool ShapeCounts::any() const {
  const auto found = [](int64_t count) { return count != 0; };
  return std::any_of(constant_units, constant_units + items, found) ||
         std::any_of(dropped_directions, dropped_directions + items, found);
}

template <class T>
std::vector<PreparedShape<T>> prepare_shapes(const std::vector<MatrixRef<const T>>& items,
                                             const ShapeOptions& options, int threads) {
  std::vector<PreparedShape<T>> prepared(items.size());
  std::vector<ShapePreparation<T>> preparations(size_t(std::max(threads, 1)));
  Failures failures;
  parallel_for(int64_t(items.size()), threads, [&](int64_t i, int worker) {
    preparations[worker].run(items[i], options, prepared[i]);
    if (!prepared[i].converged) failures.add("item " + std::to_string(i));
  });
  failures.raise(kSvd);
  return prepared;
}

template <class T>
ShapeList<T> list_of(const std::vector<PreparedShape<T>>& shapes) {
  ShapeList<T> list;
  for (const PreparedShape<T>& shape : shapes) {
    list.items.push_back({shape.data.data(), shape.cols});
    list.norms.push_back(shape.norm);
  }
  return list;
}

template <class T>
void procrustes_reordered(const PreparedShape<T>& x, const PreparedShape<T>& y, int64_t rows,
                          const int32_t* orders, int64_t k, const ProcrustesOptions& options,
                          int threads, double* scores) {
  const ShapeList<T> left{{{x.data.data(), x.cols}}, {x.norm}};
  for_each_reordered<T>(y.data.data(), rows, y.cols, orders, k,
                        [&](const std::vector<Item<T>>& copies, int64_t first) {
                          const std::vector<double> norms(copies.size(), y.norm);
                          procrustes_scores<T>(left, {copies, norms}, rows, false, options, threads,
                                               scores + first);
                        });
}

void procrustes_pairs(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                      int threads, double* scores, const ShapeCounts& counts) {
  require_same_dtype(x, y, "procrustes_pairs");
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    score_pairs<T>(MatrixBatch<const T>(x), MatrixBatch<const T>(y), options, threads, scores,
                   counts);
  });
}

#define LIKEWISE_INSTANTIATE(T)                                                                    \
  template void procrustes_scores<T>(const ShapeList<T>&, const ShapeList<T>&, int64_t, bool,      \
                                     const ProcrustesOptions&, int, double*);                      \
  template void procrustes_reordered<T>(const PreparedShape<T>&, const PreparedShape<T>&, int64_t, \
                                        const int32_t*, int64_t, const ProcrustesOptions&, int,    \
                                        double*);                                                  \
  template std::vector<PreparedShape<T>> prepare_shapes<T>(const std::vector<MatrixRef<const T>>&, \
                                                           const ShapeOptions&, int);              \
  template ShapeList<T> list_of<T>(const std::vector<PreparedShape<T>>&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

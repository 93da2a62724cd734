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
#include "procrustes/prepare.h"

namespace likewise {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Prepared items of one list; all have the same number of rows.
template <class T>
struct ShapeList {
  std::vector<Item<T>> items;
  std::vector<double> norms;  // 0 marks a constant representation

  void add(const PreparedShape<T>& shape) {
    items.push_back({shape.data.data(), shape.cols});
    norms.push_back(shape.norm);
  }
};

template <class T>
ShapeList<T> list_of(const std::vector<PreparedShape<T>>& shapes) {
  ShapeList<T> list;
  for (const PreparedShape<T>& shape : shapes) list.add(shape);
  return list;
}

template <class T>
void score_lists(const ShapeList<T>& a, const ShapeList<T>& b_given, int64_t rows,
                 const ProcrustesOptions& options, int threads, double* scores) {
  const bool symmetric = b_given.items.empty();
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
  for_each_product<T>(a.items, b.items, rows, symmetric ? Pairing::symmetric : Pairing::cross,
                      threads, visit);
  failures.raise(kShapeSvd);
  if (!symmetric) return;
  for (int64_t i = 0; i < width; ++i) {
    const bool usable = a.norms[i] != 0 && std::isfinite(a.norms[i]);
    scores[i * width + i] = procrustes_score(usable ? 0 : kNaN, a.norms[i], a.norms[i], options);
  }
}

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
  ProductWorkspace<T> product;
  ProcrustesGap<T> gap;
};

}  // namespace

void procrustes_scores(const Arrays& a, const Arrays& b, const ProcrustesOptions& options,
                       int threads, double* scores, const Counts& counts) {
  dispatch_float(a[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items_a = matrices<T>(a), items_b = matrices<T>(b);
    const auto left = prepare_shapes<T>(items_a, options, threads);
    const auto right = prepare_shapes<T>(items_b, options, threads);
    count_shapes(counts, 0, items_a, left);
    count_shapes(counts, int64_t(a.size()), items_b, right);
    score_lists<T>(list_of(left), list_of(right), items_a[0].rows, options, threads, scores);
  });
}

void procrustes_reordered(const ArrayRef& x, const ArrayRef& y, const int32_t* orders, int64_t k,
                          const ProcrustesOptions& options, int threads, double* scores) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto items = matrices<T>({x, y});
    const auto shapes = prepare_shapes<T>(items, options, threads);
    const int64_t rows = items[0].rows;
    ShapeList<T> left;
    left.add(shapes[0]);
    for_each_reordered<T>(shapes[1].data.data(), rows, shapes[1].cols, orders, k,
                          [&](const std::vector<Item<T>>& copies, int64_t first) {
                            const ShapeList<T> right{
                                copies, std::vector<double>(copies.size(), shapes[1].norm)};
                            score_lists<T>(left, right, rows, options, threads, scores + first);
                          });
  });
}

void procrustes_pairs(const ArrayRef& x, const ArrayRef& y, const ProcrustesOptions& options,
                      int threads, double* scores, const Counts& counts) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const MatrixBatch<const T> xs(x), ys(y);
    const int64_t count = xs.count();
    std::vector<PairWorkspace<T>> workspaces(
        std::clamp<int64_t>(threads, 1, std::max<int64_t>(count, 1)));
    Failures failures;
    parallel_for(count, threads, [&](int64_t k, int worker) {
      PairWorkspace<T>& w = workspaces[worker];
      const MatrixRef<const T> matrix_x = xs[k], matrix_y = ys[k];
      w.x.prepare(matrix_x, options);
      w.y.prepare(matrix_y, options);
      const PreparedShape<T>&a = w.x.shape(), &b = w.y.shape();
      count_shape(counts, k, matrix_x.cols, a);
      count_shape(counts, count + k, matrix_y.cols, b);
      double gap = kNaN;
      bool converged = a.converged && b.converged;
      if (converged && a.cols > 0 && b.cols > 0) {
        const double* m = product<T>(w.x.item(), w.y.item(), matrix_x.rows, w.product);
        converged = w.gap.run(w.x.item(), w.y.item(), matrix_x.rows, m, b.cols,
                              options.score != ProcrustesScore::similarity, gap);
      }
      if (!converged) failures.add("item " + std::to_string(k));
      scores[k] = procrustes_score(gap, a.norm, b.norm, options);
    });
    failures.raise(kShapeSvd);
  });
}

}  // namespace likewise

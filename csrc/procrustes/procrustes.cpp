#include "procrustes/procrustes.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>

#include "core/dtype.h"
#include "core/failures.h"
#include "core/parallel.h"
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
    fresh_ = x.data != source_;
    if (!fresh_) return;
    preparation_.run(x, options, shape_);
    source_ = x.data;
  }
  const PreparedShape<T>& shape() const { return shape_; }
  Item<T> item() const { return {shape_.data.data(), shape_.cols}; }
  bool fresh() const { return fresh_; }

 private:
  ShapePreparation<T> preparation_;
  PreparedShape<T> shape_;
  const T* source_ = nullptr;
  bool fresh_ = false;
};

template <class T>
struct PairWorkspace {
  Side<T> x, y;
  ProductWorkspace<T, double> product;
  ProcrustesGap<T> gap;
};

template <class T>
ProcrustesCounts score_batch(const MatrixBatch<const T>& x, const MatrixBatch<const T>& y,
                             const ProcrustesOptions& options, int threads, double* scores) {
  const int64_t count = x.count();
  std::vector<PairWorkspace<T>> workspaces(
      std::clamp<int64_t>(threads, 1, std::max<int64_t>(count, 1)));
  std::atomic<int64_t> constant_units = 0, dropped_directions = 0, constant_items = 0;
  std::atomic<bool> finite = true;
  Failures failures;
  parallel_for(count, threads, [&](int64_t k, int worker) {
    PairWorkspace<T>& w = workspaces[worker];
    const MatrixRef<const T> matrix_x = x[k], matrix_y = y[k];
    w.x.prepare(matrix_x, options);
    w.y.prepare(matrix_y, options);
    for (const Side<T>* side : {&w.x, &w.y}) {
      if (!side->fresh()) continue;
      if (!std::isfinite(side->shape().norm)) finite = false;
      if (side->shape().cols == 0) {
        ++constant_items;
      } else {
        constant_units += side->shape().constant_units;
        dropped_directions += side->shape().dropped_directions;
      }
    }
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
  return {constant_units, dropped_directions, constant_items, finite};
}

}  // namespace

ProcrustesCounts procrustes_batch(const ArrayRef& x, const ArrayRef& y,
                                  const ProcrustesOptions& options, int threads, double* scores) {
  require_same_dtype(x, y, "procrustes");
  return dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    return score_batch<T>(MatrixBatch<const T>(x), MatrixBatch<const T>(y), options, threads,
                          scores);
  });
}

template void procrustes_scores<float>(const ShapeList<float>&, const ShapeList<float>&, int64_t,
                                       bool, const ProcrustesOptions&, int, double*);
template void procrustes_scores<double>(const ShapeList<double>&, const ShapeList<double>&, int64_t,
                                        bool, const ProcrustesOptions&, int, double*);

}  // namespace likewise

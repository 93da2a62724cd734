#include "neighbours/cuda/neighbours.h"

#include <algorithm>

#include "core/cuda/centred.h"
#include "core/cuda/scratch.h"
#include "core/instantiate.h"
#include "linalg/cuda/gemm.h"
#include "neighbours/cuda/nearest.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostItems = 32768;  // of one launch

// The neighbours that all samples of all items have.
template <class T>
class Lists {
 public:
  Lists(const Context& context, int64_t count, int64_t rows, const NeighbourOptions& options,
        NeighbourScore score, const NeighbourFindings& findings)
      : context_(context),
        rows_(rows),
        options_(options),
        findings_(findings),
        index_(context.temporary<int32_t>(size_t(count * rows * options.k))),
        similarity_(score == NeighbourScore::cknna
                        ? context.temporary<double>(size_t(count * rows * options.k))
                        : nullptr) {}

  // The next `count` representations (rows x cols), one behind the other.
  void add(const T* x, int64_t count, int64_t cols) {
    const Context& context = scratch_.next();
    const Samples samples =
        options_.euclidean ? measured(context, x, count, cols) : directed(context, x, count, cols);
    // As many items at a time as fit with all their rows, or one in blocks of rows.
    const int64_t entry = int64_t(sizeof(T) + sizeof(double));
    const int64_t fitting = std::max<int64_t>(1, kWorkBytes / (rows_ * entry));
    const int64_t block = std::min(rows_, fitting);
    const int64_t items = std::clamp<int64_t>(fitting / block, 1, std::min(count, kMostItems));
    T* const products = context.template temporary<T>(size_t(items * block * rows_));
    double* const work = context.template temporary<double>(size_t(items * block * rows_));
    for (int64_t k = 0; k < count; k += items) {
      for (int64_t first = 0; first < rows_; first += block) {
        find(samples, k, std::min(items, count - k), first, std::min(block, rows_ - first),
             products, work);
      }
    }
    count_ += count;
  }

  int64_t count() const { return count_; }
  const int32_t* index(int64_t item) const { return index_ + item * rows_ * options_.k; }
  const double* similarity(int64_t item) const { return similarity_ + item * rows_ * options_.k; }

 private:
  struct Samples {
    const T* multiplied;
    Dissimilarities<T> of;  // of all items
  };

  template <class Out>
  Centred<Out> centred(const Context& context, int64_t count, int64_t cols) const {
    const size_t columns = size_t(count * cols);
    return {context.template temporary<Out>(columns * size_t(rows_)),
            context.template temporary<double>(size_t(count)),
            context.template temporary<double>(columns), findings_.constant_units + count_,
            context.template temporary<double>(columns)};
  }

  template <class Out>
  ItemFacts facts(const Centred<Out>& of, int64_t count, int64_t cols) const {
    return {
        of.unit, of.spreads, findings_.constant_units + count_, findings_.status + count_, count,
        rows_,   cols};
  }

  // Of distances: centred samples are multiplied.
  Samples measured(const Context& context, const T* x, int64_t count, int64_t cols) const {
    const Centred<T> to = centred<T>(context, count, cols);
    centre<T>(x, count, rows_, cols, true, to, context.stream);
    const ItemFacts items = facts(to, count, cols);
    double* const half_norms = context.template temporary<double>(size_t(count * rows_));
    take_half_norms<T>(items, to.out, half_norms, context.stream);
    return {to.out, {nullptr, nullptr, x, to.unit, half_norms, items.status, rows_, cols}};
  }

  // Of cosines: points are.
  Samples directed(const Context& context, const T* x, int64_t count, int64_t cols) const {
    Centred<double> to = centred<double>(context, count, cols);
    centre<T>(x, count, rows_, cols, true, to, context.stream);
    if (!options_.center) {  // units are constant as they were found to be
      to.constant_units = context.template temporary<int64_t>(size_t(count));
      centre<T>(x, count, rows_, cols, false, to, context.stream);
    }
    const ItemFacts items = facts(to, count, cols);
    double* const moved = context.template temporary<double>(size_t(count * rows_));
    T* const narrow = narrowed(context, to.out, size_t(count * rows_ * cols));
    take_directions<T>(items, options_.center, to.out, moved, narrow, context.stream);
    return {narrow, {to.out, moved, nullptr, nullptr, nullptr, items.status, rows_, cols}};
  }

  // Where points are to be written once more, as T.
  static T* narrowed(const Context& context, double* points, size_t size) {
    if constexpr (sizeof(T) == sizeof(double))
      return points;
    else
      return context.template temporary<T>(size);
  }

  // Of rows [first, first + height) of items [begin, begin + items) of these.
  void find(const Samples& samples, int64_t begin, int64_t items, int64_t first, int64_t height,
            T* products, double* work) const {
    const int64_t cols = samples.of.cols, size = rows_ * cols;
    const T* const data = samples.multiplied + begin * size;
    gemm<T>(blas_context(context_.stream), BlasOp::none, BlasOp::transpose, height, rows_, cols,
            T(1), {data + first * cols, cols, size}, {data, cols, size},
            {products, rows_, height * rows_}, items);
    Dissimilarities<T> of = samples.of;
    const auto from_item = [&](auto& pointer, int64_t step) {
      if (pointer) pointer += begin * step;
    };
    from_item(of.points, size);
    from_item(of.moved, rows_);
    from_item(of.samples, size);
    from_item(of.unit, 1);
    from_item(of.half_norms, rows_);
    from_item(of.status, 1);
    const int64_t at = (count_ + begin) * rows_ * options_.k;
    find_nearest<T>({of, products, work, items, first, height, options_.k, index_ + at,
                     similarity_ ? similarity_ + at : nullptr},
                    context_.stream);
  }

  const Context& context_;
  Scratch scratch_{context_};
  int64_t rows_, count_ = 0;
  const NeighbourOptions options_;
  const NeighbourFindings findings_;
  int32_t* index_;
  double* similarity_;
};

// The side `b` of all pairs begins at this item of the lists.
template <class T>
void score_pairs(const Context& context, const Lists<T>& lists, int64_t b, int64_t rows,
                 const PairAxes& axes, bool symmetric, NeighbourScore score, int64_t k,
                 const NeighbourFindings& out) {
  const bool alignment = score == NeighbourScore::cknna;
  const int64_t terms = alignment ? kAlignmentTerms : kSharedTerms, parts = overlap_parts(rows);
  int64_t count = 1;
  for (int d = 0; d < axes.ndim; ++d) count *= axes.shape[d];
  const int64_t most = std::max(count, alignment ? lists.count() : 0);
  const int64_t numbers = parts * terms + (alignment ? rows : 0);
  const int64_t fitting = kWorkBytes / (numbers * int64_t(sizeof(double)));
  const int64_t block = std::clamp<int64_t>(fitting, 1, std::min(most, kMostItems));
  double* const sums = context.temporary<double>(size_t(block * parts * terms));
  double* const row_sums = alignment ? context.temporary<double>(size_t(block * rows)) : nullptr;
  const auto for_each_block = [&](NeighbourPairs pairs, int64_t size, auto&& body) {
    for (pairs.first = 0; pairs.first < size; pairs.first += block) {
      pairs.count = std::min(block, size - pairs.first);
      body(pairs);
    }
  };
  const auto align = [&](const NeighbourPairs& pairs, int64_t item_b, OverlapScores to) {
    align_neighbours(pairs, lists.similarity(0), lists.similarity(item_b), row_sums, sums,
                     context.stream);
    score_alignments(pairs, to, context.stream);
  };
  const OverlapScores to{sums, nullptr, nullptr, out.status, out.status + b, out.scores};
  const NeighbourPairs all{lists.index(0),         lists.index(b), rows, k, axes, 0, 0,
                           symmetric && !alignment};
  if (!alignment) {
    for_each_block(all, count, [&](const NeighbourPairs& pairs) {
      share_neighbours(pairs, score == NeighbourScore::jaccard, sums, context.stream);
      score_shared(pairs, to, context.stream);
    });
    return;
  }
  double* const own = context.temporary<double>(size_t(lists.count()));
  const NeighbourPairs selves{
      lists.index(0), lists.index(0), rows, k, {1, {lists.count()}, {1}, {1}}, 0, 0, false};
  for_each_block(selves, lists.count(), [&](const NeighbourPairs& pairs) {
    align(pairs, 0, {sums, nullptr, nullptr, out.status, out.status, own});
  });
  for_each_block(all, count, [&](const NeighbourPairs& pairs) {
    align(pairs, b, {sums, own, own + b, out.status, out.status + b, out.scores});
  });
}

}  // namespace

template <class T>
void neighbour_scores(const Context& context, const std::vector<Matrix<T>>& a,
                      const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                      NeighbourScore score, const NeighbourOptions& options,
                      const NeighbourFindings& out) {
  const int64_t count_a = int64_t(a.size()), count_b = symmetric ? count_a : int64_t(b.size());
  if (count_a * count_b == 0) return;
  Lists<T> lists(context, symmetric ? count_a : count_a + count_b, rows, options, score, out);
  for (const Matrix<T>& item : a) lists.add(item.data, 1, item.cols);
  if (!symmetric) {
    for (const Matrix<T>& item : b) lists.add(item.data, 1, item.cols);
  }
  const PairAxes grid{2, {count_a, count_b}, {1, 0}, {0, 1}};
  score_pairs<T>(context, lists, symmetric ? 0 : count_a, rows, grid, symmetric, score, options.k,
                 out);
}

template <class T>
void neighbour_pairs(const Context& context, const Batch<T>& x, const Batch<T>& y, int64_t rows,
                     const PairAxes& pairs, NeighbourScore score, const NeighbourOptions& options,
                     const NeighbourFindings& out) {
  if (x.count * y.count == 0) return;
  Lists<T> lists(context, x.count + y.count, rows, options, score, out);
  lists.add(x.data, x.count, x.cols);
  lists.add(y.data, y.count, y.cols);
  score_pairs<T>(context, lists, x.count, rows, pairs, false, score, options.k, out);
}

LIKEWISE_INSTANTIATE(neighbour_scores);
LIKEWISE_INSTANTIATE(neighbour_pairs);

}  // namespace likewise::cuda

#include "neighbours/cuda/neighbours.h"

#include <algorithm>

#include "core/cuda/centred.h"
#include "core/cuda/scratch.h"
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
                        ? context.temporary<T>(size_t(count * rows * options.k))
                        : nullptr) {}

  // The next `count` representations (rows x cols), one behind the other.
  void add(const T* x, int64_t count, int64_t cols) {
    const Context& context = scratch_.next();
    SampleRows<T> samples = centred(context, x, count, cols);
    samples.half_norms =
        options_.euclidean ? context.template temporary<T>(size_t(count * rows_)) : nullptr;
    check(finish_rows<T>(samples, context.stream), "launch");
    // As many items at a time as fit with all their rows, or one in blocks of rows.
    const int64_t fitting = std::max<int64_t>(1, kWorkBytes / (rows_ * int64_t(sizeof(T))));
    const int64_t block = std::min(rows_, fitting);
    const int64_t items = std::clamp<int64_t>(fitting / block, 1, std::min(count, kMostItems));
    T* const products = context.template temporary<T>(size_t(items * block * rows_));
    for (int64_t k = 0; k < count; k += items) {
      for (int64_t first = 0; first < rows_; first += block) {
        find(samples, k, std::min(items, count - k), first, std::min(block, rows_ - first),
             products);
      }
    }
    count_ += count;
  }

  int64_t count() const { return count_; }
  const int32_t* index(int64_t item) const { return index_ + item * rows_ * options_.k; }
  const T* similarity(int64_t item) const { return similarity_ + item * rows_ * options_.k; }

 private:
  SampleRows<T> centred(const Context& context, const T* x, int64_t count, int64_t cols) const {
    const size_t columns = size_t(count * cols);
    int64_t* const constant_units = findings_.constant_units + count_;
    Centred<T> to{context.template temporary<T>(columns * size_t(rows_)),
                  context.template temporary<double>(size_t(count)),
                  context.template temporary<double>(columns), constant_units,
                  context.template temporary<double>(columns)};
    check(centre<T>(x, count, rows_, cols, true, to, context.stream), "launch");
    if (!options_.center) {  // units are constant as they were found to be
      to.constant_units = context.template temporary<int64_t>(size_t(count));
      check(centre<T>(x, count, rows_, cols, false, to, context.stream), "launch");
    }
    return {to.out, nullptr, to.unit, constant_units, findings_.status + count_,
            count,  rows_,   cols};
  }

  // Of rows [first, first + height) of items [begin, begin + items) of these.
  void find(const SampleRows<T>& samples, int64_t begin, int64_t items, int64_t first,
            int64_t height, T* products) const {
    const int64_t cols = samples.cols, size = rows_ * cols;
    const T* const data = samples.data + begin * size;
    gemm<T>(blas_context(context_.stream), BlasOp::none, BlasOp::transpose, height, rows_, cols,
            T(1), {data + first * cols, cols, size}, {data, cols, size},
            {products, rows_, height * rows_}, items);
    const int64_t at = (count_ + begin) * rows_;
    check(find_nearest<T>(
              {products, samples.half_norms ? samples.half_norms + begin * rows_ : nullptr, items,
               rows_, first, height, options_.k, index_ + at * options_.k,
               similarity_ ? similarity_ + at * options_.k : nullptr},
              context_.stream),
          "launch");
  }

  const Context& context_;
  Scratch scratch_{context_};
  int64_t rows_, count_ = 0;
  const NeighbourOptions options_;
  const NeighbourFindings findings_;
  int32_t* index_;
  T* similarity_;
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
      check(body(pairs), "launch");
    }
  };
  const auto align = [&](const NeighbourPairs& pairs, int64_t item_b, OverlapScores to) {
    const cudaError_t error = align_neighbours<T>(
        pairs, lists.similarity(0), lists.similarity(item_b), row_sums, sums, context.stream);
    return error == cudaSuccess ? score_alignments(pairs, to, context.stream) : error;
  };
  const OverlapScores to{sums, nullptr, nullptr, out.status, out.status + b, out.scores};
  const NeighbourPairs all{lists.index(0),         lists.index(b), rows, k, axes, 0, 0,
                           symmetric && !alignment};
  if (!alignment) {
    for_each_block(all, count, [&](const NeighbourPairs& pairs) {
      const cudaError_t error =
          share_neighbours(pairs, score == NeighbourScore::jaccard, sums, context.stream);
      return error == cudaSuccess ? score_shared(pairs, to, context.stream) : error;
    });
    return;
  }
  double* const own = context.temporary<double>(size_t(lists.count()));
  const NeighbourPairs selves{
      lists.index(0), lists.index(0), rows, k, {1, {lists.count()}, {1}, {1}}, 0, 0, false};
  for_each_block(selves, lists.count(), [&](const NeighbourPairs& pairs) {
    return align(pairs, 0, {sums, nullptr, nullptr, out.status, out.status, own});
  });
  for_each_block(all, count, [&](const NeighbourPairs& pairs) {
    return align(pairs, b, {sums, own, own + b, out.status, out.status + b, out.scores});
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

#define LIKEWISE_INSTANTIATE(T)                                                                   \
  template void neighbour_scores<T>(const Context&, const std::vector<Matrix<T>>&,                \
                                    const std::vector<Matrix<T>>&, int64_t, bool, NeighbourScore, \
                                    const NeighbourOptions&, const NeighbourFindings&);           \
  template void neighbour_pairs<T>(const Context&, const Batch<T>&, const Batch<T>&, int64_t,     \
                                   const PairAxes&, NeighbourScore, const NeighbourOptions&,      \
                                   const NeighbourFindings&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

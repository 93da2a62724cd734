#include "rsa/cuda/rsa.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "core/cuda/centred.h"
#include "core/cuda/grid.h"
#include "core/cuda/scratch.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/products.h"
#include "linalg/cuda/reordered.h"
#include "rsa/cuda/ranks.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostBytes = int64_t{256} << 20;  // of temporary memory at a time
constexpr int64_t kMostRows = 1024;  // of one product of samples: half of a whole one is not wanted

int64_t condensed(int64_t samples) { return samples * (samples - 1) / 2; }

// As many of `count` things of so many bytes as fit, one at least.
int64_t fitting(int64_t bytes, int64_t count) {
  return std::clamp<int64_t>(kMostBytes / bytes, 1, std::max<int64_t>(count, 1));
}

void zero(int64_t* values, int64_t count, cudaStream_t stream) {
  check(cudaMemsetAsync(values, 0, size_t(count) * sizeof *values, stream), "memset");
}

// What becomes of an RDM: it stays, or ranks of its entries, or its second moments.
enum class Form { values, ranks, moments };

template <class T, Form form>
using Stored = std::conditional_t<form == Form::ranks, int32_t,
                                  std::conditional_t<form == Form::moments, double, T>>;

// Vectors of all items, filled item by item.
template <class T, Form form>
class Rdms {
 public:
  using S = Stored<T, form>;

  Rdms(const Context& context, int64_t count, int64_t rows, const RsaOptions& options,
       const RsaFindings& out)
      : context_(context),
        options_(options),
        out_(out),
        count_(count),
        rows_(rows),
        entries_(condensed(rows)),
        size_(form == Form::moments ? rows * (rows + 1) / 2 : entries_),
        parts_(form == Form::ranks ? 1 : vector_parts(size_)),
        group_(std::min(fitting(entries_ * kBytes, count), kMostVectors)),
        data_(context.temporary<S>(size_t(count * size_))),
        items_(context.temporary<RdmItem>(size_t(count))),
        partial_(context.temporary<double>(size_t(count * parts_))),
        shifts_(context.temporary<double>(size_t(count))),
        factors_(context.temporary<double>(size_t(count))) {
    if constexpr (form == Form::ranks) {
      if (entries_ > std::numeric_limits<int32_t>::max()) {
        throw DeviceError("ranks of more than 2^31 - 1 entries: RDMs of more than 65536 samples");
      }
      const size_t entries = size_t(group_ * entries_), tiles = size_t(group_) * sort_tiles();
      using Key = typename SortKey<T>::type;
      space_ = {{context.temporary<Key>(entries), context.temporary<Key>(entries)},
                {context.temporary<int32_t>(entries), context.temporary<int32_t>(entries)},
                context.temporary<unsigned>(tiles * kSortDigits),
                context.temporary<double>(tiles),
                context.temporary<unsigned>(size_t(group_))};
    }
    if constexpr (form == Form::moments) {
      row_means_ = context.temporary<double>(size_t(group_ * rows));
      group_partial_ = context.temporary<double>(size_t(group_ * vector_parts(entries_)));
    }
    if constexpr (form != Form::values) buffer_ = context.temporary<T>(size_t(group_ * entries_));
  }

  // The next `count` representations (rows x cols), one behind the other.
  void add(const T* x, int64_t count, int64_t cols) {
    while (count > 0) {
      const int64_t some = std::min(count, group_ - pending_), at = done_ + pending_;
      rdms<T>(scratch_.next(), x, some, rows_, cols, options_.dissimilarity, slot(),
              out_.without + at, items_ + at);
      x += some * rows_ * cols;
      count -= some;
      pending_ += some;
      if (pending_ == group_) flush();
    }
  }

  // Once all are there.
  void finish() {
    flush();
    if constexpr (form == Form::values) {
      if (options_.comparison == RdmComparison::corr) {
        check(vector_means<S>({data_, size_, nullptr, nullptr}, count_, partial_, shifts_,
                              context_.stream),
              "launch");
        shifted_ = true;
      }
    }
    if constexpr (form != Form::ranks) {
      const PairAxes each{1, {count_}, {1}, {1}};
      check(pair_products<S>(vectors(), vectors(), each, 0, count_, partial_, context_.stream),
            "launch");
    }
    const Squares squares = form != Form::ranks                              ? Squares::sums
                            : options_.comparison == RdmComparison::spearman ? Squares::ranks
                                                                             : Squares::all_ranks;
    check(conclude({partial_, parts_, size_, items_, factors_, out_.without, out_.constant_units},
                   count_, squares, context_.stream),
          "launch");
  }

  int64_t size() const { return size_; }
  // From item `first` on.
  Vectors<S> vectors(int64_t first = 0) const {
    return {data_ + first * size_, size_, shifted_ ? shifts_ + first : nullptr, factors_ + first};
  }

 private:
  // Of one entry while its RDM is worked on.
  static constexpr int64_t kBytes =
      int64_t(sizeof(T)) +
      (form == Form::ranks ? 2 * int64_t(sizeof(T) + sizeof(int32_t)) : int64_t{0});

  size_t sort_tiles() const { return size_t(cuda::sort_tiles(entries_)); }

  // Where the next RDM goes.
  T* slot() {
    if constexpr (form == Form::values) {
      return data_ + (done_ + pending_) * size_;
    } else {
      return buffer_ + pending_ * entries_;
    }
  }

  // Makes vectors of the RDMs in the buffer.
  void flush() {
    if (pending_ == 0) return;
    if constexpr (form == Form::ranks) {
      check(rank_vectors<T>(buffer_, pending_, size_, space_, data_ + done_ * size_,
                            partial_ + done_, context_.stream),
            "launch");
    }
    if constexpr (form == Form::moments) {
      Vectors<T> entries{buffer_, entries_, nullptr, nullptr};
      if (options_.comparison == RdmComparison::corr_cov) {
        check(vector_means<T>(entries, pending_, group_partial_, shifts_, context_.stream),
              "launch");
        entries.shifts = shifts_;
      }
      check(second_moments<T>(entries, pending_, rows_, row_means_, data_ + done_ * size_,
                              context_.stream),
            "launch");
    }
    done_ += pending_;
    pending_ = 0;
  }

  const Context& context_;
  Scratch scratch_{context_};
  const RsaOptions options_;
  const RsaFindings out_;
  int64_t count_, rows_, entries_, size_, parts_, group_, done_ = 0, pending_ = 0;
  S* data_;
  RdmItem* items_;
  double *partial_, *shifts_, *factors_;
  T* buffer_ = nullptr;
  SortSpace<T> space_{};
  double *row_means_ = nullptr, *group_partial_ = nullptr;
  bool shifted_ = false;
};

// Calls body(form) with a constant of type Form.
template <class Body>
void dispatch_form(RdmComparison comparison, Body&& body) {
  switch (comparison) {
    case RdmComparison::cosine:
    case RdmComparison::corr:
      return body(std::integral_constant<Form, Form::values>{});
    case RdmComparison::spearman:
    case RdmComparison::rho_a:
      return body(std::integral_constant<Form, Form::ranks>{});
    case RdmComparison::cosine_cov:
    case RdmComparison::corr_cov:
      return body(std::integral_constant<Form, Form::moments>{});
  }
}

}  // namespace

template <class T>
void rdms(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
          Dissimilarity dissimilarity, T* out, int64_t* without, RdmItem* items) {
  if (count == 0) return;
  const bool distances = is_distance(dissimilarity);
  const int64_t size = rows * cols, most_rows = std::min(rows, kMostRows);
  const int64_t element = int64_t(sizeof(T));
  const int64_t group = std::min(fitting((size + most_rows * rows) * element, count), kMostVectors);
  const int64_t height = std::min(most_rows, fitting(group * rows * element, rows));
  T* const samples = context.temporary<T>(size_t(group * size));
  T* const products = context.temporary<T>(size_t(group * height * rows));
  double* norms = nullptr;
  if (distances) norms = context.temporary<double>(size_t(group * rows));
  if (distances && !items) items = context.temporary<RdmItem>(size_t(count));
  double* spreads = nullptr;
  if (items) spreads = context.temporary<double>(size_t(group * cols));
  zero(without, count, context.stream);
  for (int64_t k = 0; k < count; k += group) {
    const int64_t some = std::min(group, count - k);
    const T* const from = x + k * size;
    RdmItem* const facts = items ? items + k : nullptr;
    if (facts) {
      check(column_spreads<T>(from, some, rows, cols, true, spreads, context.stream), "launch");
      check(describe_items(spreads, some, cols, facts, context.stream), "launch");
    }
    check(standardise<T>(from, some, rows, cols, dissimilarity,
                         {samples, norms, facts, without + k}, context.stream),
          "launch");
    for (int64_t first = 0; first < rows; first += height) {
      const int64_t here = std::min(height, rows - first), width = rows - first;
      const Matrices<const T> left{samples + first * cols, cols, size};
      gemm<T>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, here, width, cols,
              T(1), left, left, {products, width, here * width}, some);
      check(condense<T>({products, from, norms, facts, out + k * condensed(rows), some, rows, cols,
                         first, here},
                        dissimilarity, context.stream),
            "launch");
    }
  }
}

template <class T>
void rsa_scores(const Context& context, const std::vector<Matrix<T>>& a,
                const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                const RsaOptions& options, const RsaFindings& out) {
  const int64_t count_a = int64_t(a.size()), count_b = symmetric ? count_a : int64_t(b.size());
  const int64_t count = symmetric ? count_a : count_a + count_b;
  if (count_a * count_b == 0) return;
  dispatch_form(options.comparison, [&](auto form) {
    Rdms<T, form.value> items(context, count, rows, options, out);
    for (const auto* list : {&a, &b}) {
      for (const Matrix<T>& item : *list) items.add(item.data, 1, item.cols);
    }
    items.finish();
    const int64_t size = items.size(), block = fitting(count * int64_t(sizeof(double)), size);
    double* const values = context.temporary<double>(size_t(count * block));
    double* const parts = context.temporary<double>(size_t(product_parts(count_a, count_b, block)));
    check(
        cudaMemsetAsync(out.scores, 0, size_t(count_a * count_b) * sizeof(double), context.stream),
        "memset");
    for (int64_t first = 0; first < size; first += block) {
      const int64_t width = std::min(block, size - first);
      check(expand(items.vectors(), count, first, width, values, context.stream), "launch");
      add_all_products<double>(context, values, count_a,
                               symmetric ? values : values + count_a * width, count_b, width, parts,
                               out.scores);
    }
    if (symmetric) check(mirror_upper(out.scores, count_a, context.stream), "launch");
  });
}

template <class T>
void rsa_pairs(const Context& context, const Batch<T>& x, const Batch<T>& y, int64_t rows,
               const PairAxes& axes, const RsaOptions& options, const RsaFindings& out) {
  int64_t pairs = 1;
  for (int axis = 0; axis < axes.ndim; ++axis) pairs *= axes.shape[axis];
  if (pairs == 0) return;
  dispatch_form(options.comparison, [&](auto form) {
    Rdms<T, form.value> items(context, x.count + y.count, rows, options, out);
    items.add(x.data, x.count, x.cols);
    items.add(y.data, y.count, y.cols);
    items.finish();
    const auto a = items.vectors(), b = items.vectors(x.count);
    const int64_t parts = vector_parts(items.size());
    const int64_t block = fitting(parts * int64_t(sizeof(double)), pairs);
    double* const partial = context.temporary<double>(size_t(block * parts));
    for (int64_t first = 0; first < pairs; first += block) {
      const int64_t some = std::min(block, pairs - first);
      check(pair_products(a, b, axes, first, some, partial, context.stream), "launch");
      check(pair_scores(partial, parts, a.factors, b.factors, axes, first, some, out.scores,
                        context.stream),
            "launch");
    }
  });
}

template <class T>
void rsa_reordered(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t rows,
                   const int32_t* orders, int64_t count, const RsaOptions& options,
                   const RsaFindings& out) {
  if (count == 0) return;
  dispatch_form(options.comparison, [&](auto form) {
    if constexpr (form.value == Form::moments) {
      throw DeviceError("second moments are not compared in other orders");
    } else {
      using S = Stored<T, form.value>;
      Rdms<T, form.value> items(context, 2, rows, options, out);
      items.add(x.data, 1, x.cols);
      items.add(y.data, 1, y.cols);
      items.finish();
      const auto a = items.vectors(), b = items.vectors(1);
      const int64_t block = fitting(rows * int64_t(sizeof(double)), count);
      double* const row_sums = context.temporary<double>(size_t(block * rows));
      double* const products = context.temporary<double>(size_t(block));
      for (int64_t first = 0; first < count; first += block) {
        const int64_t some = std::min(block, count - first);
        check(
            reordered_products<S>(Condensed<S>{a.data, a.shifts}, {b.data, b.shifts}, rows,
                                  orders + first * rows, some, row_sums, products, context.stream),
            "launch");
        check(pair_scores(products, 1, a.factors, b.factors, {1, {some}, {0}, {0}}, 0, some,
                          out.scores + first, context.stream),
              "launch");
      }
    }
  });
}

#define LIKEWISE_INSTANTIATE(T)                                                                 \
  template void rdms<T>(const Context&, const T*, int64_t, int64_t, int64_t, Dissimilarity, T*, \
                        int64_t*, RdmItem*);                                                    \
  template void rsa_scores<T>(const Context&, const std::vector<Matrix<T>>&,                    \
                              const std::vector<Matrix<T>>&, int64_t, bool, const RsaOptions&,  \
                              const RsaFindings&);                                              \
  template void rsa_pairs<T>(const Context&, const Batch<T>&, const Batch<T>&, int64_t,         \
                             const PairAxes&, const RsaOptions&, const RsaFindings&);           \
  template void rsa_reordered<T>(const Context&, const Matrix<T>&, const Matrix<T>&, int64_t,   \
                                 const int32_t*, int64_t, const RsaOptions&, const RsaFindings&);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

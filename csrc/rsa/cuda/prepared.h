#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/cuda/scratch.h"
#include "core/ties.h"
#include "rsa/cuda/rdms.h"
#include "rsa/cuda/rsa.h"
#include "rsa/cuda/sort_space.h"
#include "rsa/cuda/taus.h"
#include "rsa/cuda/vectors.h"

// RDMs as comparisons see them.

namespace likewise::cuda {

// What becomes of an RDM: it stays (as a vector, or as distances), or ranks of its entries (with
// their order), or its second moments (as vectors, or as covariances).
enum class Form { values, distances, ranks, ordered_ranks, moments, covariances };

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
    case RdmComparison::tau_a:
    case RdmComparison::tau_b:
      return body(std::integral_constant<Form, Form::ordered_ranks>{});
    case RdmComparison::cosine_cov:
    case RdmComparison::corr_cov:
      return body(std::integral_constant<Form, Form::moments>{});
    case RdmComparison::bures:
    case RdmComparison::bures_metric:
      return body(std::integral_constant<Form, Form::covariances>{});
    case RdmComparison::neg_riem_dist:
      return body(std::integral_constant<Form, Form::distances>{});
  }
}

constexpr bool has_entries(Form form) { return form == Form::values || form == Form::distances; }
constexpr bool has_ranks(Form form) { return form == Form::ranks || form == Form::ordered_ranks; }
constexpr bool has_moments(Form form) { return form == Form::moments || form == Form::covariances; }

// Scores are the same of multiples of an RDM.
inline bool is_scale_free(RdmComparison comparison) {
  return comparison != RdmComparison::bures_metric;
}

template <Form form>
using Stored = std::conditional_t<has_ranks(form), int32_t, double>;

// Vectors of all items, filled group by group.
template <Form form>
class PreparedRdms {
 public:
  using S = Stored<form>;

  PreparedRdms(const Context& context, int64_t count, int64_t rows, RdmComparison comparison,
               const ItemFindings& out)
      : context_(context),
        comparison_(comparison),
        out_(out),
        count_(count),
        rows_(rows),
        entries_(condensed_size(rows)),
        size_(has_moments(form) ? rows * (rows + 1) / 2 : entries_),
        parts_(has_ranks(form) ? 1 : vector_parts(size_)),
        group_(std::min(fitting(entries_ * kBytes, count), kMostVectors)),
        data_(context.temporary<S>(size_t(count * size_))),
        items_(context.temporary<RdmItem>(size_t(count))),
        partial_(context.temporary<double>(size_t(count * parts_))),
        shifts_(context.temporary<double>(size_t(count))),
        factors_(context.temporary<double>(size_t(count))) {
    if constexpr (has_ranks(form)) space_ = sort_space<double>(context, group_, entries_);
    if constexpr (form == Form::ordered_ranks) {
      order_ = context.temporary<int32_t>(size_t(count * size_));
      tied_ = context.temporary<unsigned long long>(size_t(count));
      check(cudaMemsetAsync(tied_, 0, size_t(count) * sizeof *tied_, context.stream), "memset");
    }
    if constexpr (has_moments(form)) {
      row_means_ = context.temporary<double>(size_t(group_ * rows));
      group_partial_ = context.temporary<double>(size_t(group_ * vector_parts(entries_)));
    }
    if constexpr (!has_entries(form))
      buffer_ = context.temporary<double>(size_t(group_ * entries_));
  }

  // RDMs of the next `count` representations (rows x cols), one behind the other.
  template <class T>
  void add(const T* x, int64_t count, int64_t cols, Dissimilarity dissimilarity) {
    add_groups(count, kTieTolerance<double>, [&](int64_t first, int64_t some) {
      const int64_t at = done_ + pending_;
      rdms<T>(scratch_.next(), x + first * rows_ * cols, some, rows_, cols, dissimilarity,
              is_scale_free(comparison_), slot(), out_.without + at, items_ + at);
    });
  }

  // The next `count` RDMs.
  template <class T>
  void add_rdms(const T* rdms, int64_t count) {
    add_groups(count, kTieTolerance<T>, [&](int64_t first, int64_t some) {
      const int64_t at = done_ + pending_;
      check(copy_rdms<T>(rdms + first * entries_, some, entries_, is_scale_free(comparison_),
                         slot(), context_.stream),
            "launch");
      // Nothing is known of units and samples.
      check(cudaMemsetAsync(items_ + at, 0, size_t(some) * sizeof(RdmItem), context_.stream),
            "memset");
      check(cudaMemsetAsync(out_.without + at, 0, size_t(some) * sizeof(int64_t), context_.stream),
            "memset");
    });
  }

  // Once all are there.
  void finish() {
    flush();
    if constexpr (form == Form::values) {
      if (centres()) {
        check(vector_means({data_, size_, nullptr, nullptr}, count_, partial_, shifts_,
                           context_.stream),
              "launch");
        shifted_ = true;
      }
    }
    if constexpr (!has_ranks(form)) {
      const PairAxes each{1, {count_}, {1}, {1}};
      check(pair_products<S>(vectors(), vectors(), each, 0, count_, partial_, context_.stream),
            "launch");
    }
    const bool breaks_ties =
        comparison_ == RdmComparison::rho_a || comparison_ == RdmComparison::tau_a;
    const Squares squares = !has_ranks(form) ? Squares::sums
                            : breaks_ties    ? Squares::all_ranks
                                             : Squares::ranks;
    check(conclude({partial_, parts_, size_, items_, factors_, out_.without, out_.constant_units,
                    out_.flat},
                   count_, squares, context_.stream),
          "launch");
    if constexpr (form == Form::distances) {  // noise makes up for zeros
      check(cudaMemsetAsync(out_.flat, 0, size_t(count_) * sizeof *out_.flat, context_.stream),
            "memset");
    }
  }

  int64_t size() const { return size_; }
  int64_t samples() const { return rows_; }
  int64_t count() const { return count_; }
  RdmComparison comparison() const { return comparison_; }
  // From item `first` on, here and below.
  Vectors<S> vectors(int64_t first = 0) const {
    return {data_ + first * size_, size_, shifted_ ? shifts_ + first : nullptr, factors_ + first};
  }
  int64_t* clipped(int64_t first) const { return out_.clipped ? out_.clipped + first : nullptr; }
  double tolerance() const { return tolerance_; }
  const RdmItem* facts(int64_t first) const { return items_ + first; }
  RankedRdms ranks(int64_t first) const {
    static_assert(form == Form::ordered_ranks);
    return {data_ + first * size_, order_ + first * size_, tied_ + first, factors_ + first, size_};
  }

 private:
  // Of one entry while its RDM is worked on.
  static constexpr int64_t kBytes =
      int64_t(sizeof(double)) +
      (has_ranks(form) ? 2 * int64_t(sizeof(double) + sizeof(int32_t)) : int64_t{0});

  // Calls make(first, some) for parts of `count` items that have room, and works on full groups,
  // whose entries tie within one tolerance.
  template <class Make>
  void add_groups(int64_t count, double tolerance, Make&& make) {
    if (tolerance != tolerance_) flush();
    tolerance_ = tolerance;
    for (int64_t first = 0; first < count;) {
      const int64_t some = std::min(count - first, group_ - pending_);
      make(first, some);
      first += some;
      pending_ += some;
      if (pending_ == group_) flush();
    }
  }

  // Where the next RDM goes.
  double* slot() {
    if constexpr (has_entries(form)) {
      return data_ + (done_ + pending_) * size_;
    } else {
      return buffer_ + pending_ * entries_;
    }
  }

  bool centres() const {
    return comparison_ == RdmComparison::corr || comparison_ == RdmComparison::corr_cov;
  }

  // Makes vectors of the RDMs in the buffer.
  void flush() {
    if (pending_ == 0) return;
    const int64_t some = std::exchange(pending_, 0);
    if (centres()) {
      check(find_flat(slot(), some, entries_, tolerance_, items_ + done_, context_.stream),
            "launch");
    }
    if constexpr (has_ranks(form)) {
      check(rank_vectors(buffer_, some, size_, tolerance_, space_, data_ + done_ * size_,
                         partial_ + done_, context_.stream),
            "launch");
    }
    if constexpr (form == Form::ordered_ranks) {
      check(cudaMemcpyAsync(order_ + done_ * size_, space_.positions[0],
                            size_t(some * size_) * sizeof(int32_t), cudaMemcpyDeviceToDevice,
                            context_.stream),
            "copy");
      check(add_tied_within(ranks(done_), some, tied_ + done_, context_.stream), "launch");
    }
    if constexpr (has_moments(form)) {
      Vectors<double> entries{buffer_, entries_, nullptr, nullptr};
      if (centres()) {
        check(vector_means(entries, some, group_partial_, shifts_, context_.stream), "launch");
        entries.shifts = shifts_;
      }
      check(
          second_moments(entries, some, rows_, row_means_, data_ + done_ * size_, context_.stream),
          "launch");
    }
    done_ += some;
  }

  const Context& context_;
  Scratch scratch_{context_};
  const RdmComparison comparison_;
  const ItemFindings out_;
  int64_t count_, rows_, entries_, size_, parts_, group_, done_ = 0, pending_ = 0;
  S* data_;
  RdmItem* items_;
  double *partial_, *shifts_, *factors_;
  double* buffer_ = nullptr;
  double tolerance_ = 0;
  SortSpace<double> space_{};
  int32_t* order_ = nullptr;
  unsigned long long* tied_ = nullptr;
  double *row_means_ = nullptr, *group_partial_ = nullptr;
  bool shifted_ = false;
};

}  // namespace likewise::cuda

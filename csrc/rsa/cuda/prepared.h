#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/cuda/scratch.h"
#include "core/ties.h"
#include "rsa/cuda/rdms.h"
#include "rsa/cuda/rsa.h"
#include "rsa/cuda/sort_space.h"
#include "rsa/cuda/vectors.h"

// RDMs as comparisons see them.

namespace likewise::cuda {

// What becomes of an RDM: it stays, or ranks of its entries, or its second moments.
enum class Form { values, ranks, moments };

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
    case RdmComparison::tau_a:
    case RdmComparison::tau_b:
      break;
  }
  throw InternalError("devices compare no pairs of entries");
}

template <Form form>
using Stored = std::conditional_t<form == Form::ranks, int32_t, double>;

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
        size_(form == Form::moments ? rows * (rows + 1) / 2 : entries_),
        parts_(form == Form::ranks ? 1 : vector_parts(size_)),
        group_(std::min(fitting(entries_ * kBytes, count), kMostVectors)),
        data_(context.temporary<S>(size_t(count * size_))),
        items_(context.temporary<RdmItem>(size_t(count))),
        partial_(context.temporary<double>(size_t(count * parts_))),
        shifts_(context.temporary<double>(size_t(count))),
        factors_(context.temporary<double>(size_t(count))) {
    if constexpr (form == Form::ranks) space_ = sort_space(context, group_, entries_);
    if constexpr (form == Form::moments) {
      row_means_ = context.temporary<double>(size_t(group_ * rows));
      group_partial_ = context.temporary<double>(size_t(group_ * vector_parts(entries_)));
    }
    if constexpr (form != Form::values)
      buffer_ = context.temporary<double>(size_t(group_ * entries_));
  }

  // RDMs of the next `count` representations (rows x cols), one behind the other.
  template <class T>
  void add(const T* x, int64_t count, int64_t cols, Dissimilarity dissimilarity) {
    add_groups(count, kTieTolerance<double>, [&](int64_t first, int64_t some) {
      const int64_t at = done_ + pending_;
      rdms<T>(scratch_.next(), x + first * rows_ * cols, some, rows_, cols, dissimilarity, true,
              slot(), out_.without + at, items_ + at);
    });
  }

  // The next `count` RDMs.
  template <class T>
  void add_rdms(const T* rdms, int64_t count) {
    add_groups(count, kTieTolerance<T>, [&](int64_t first, int64_t some) {
      const int64_t at = done_ + pending_;
      copy_rdms<T>(rdms + first * entries_, some, entries_, slot(), context_.stream);
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
        vector_means({data_, size_, nullptr, nullptr}, count_, partial_, shifts_, context_.stream);
        shifted_ = true;
      }
    }
    if constexpr (form != Form::ranks) {
      const PairAxes each{1, {count_}, {1}, {1}};
      pair_products<S>(vectors(), vectors(), each, 0, count_, partial_, context_.stream);
    }
    const Squares squares = form != Form::ranks                   ? Squares::sums
                            : comparison_ == RdmComparison::rho_a ? Squares::all_ranks
                                                                  : Squares::ranks;
    conclude(
        {partial_, parts_, size_, items_, factors_, out_.without, out_.constant_units, out_.flat},
        count_, squares, context_.stream);
  }

  int64_t size() const { return size_; }
  // From item `first` on, here and below.
  Vectors<S> vectors(int64_t first = 0) const {
    return {data_ + first * size_, size_, shifted_ ? shifts_ + first : nullptr, factors_ + first};
  }

 private:
  // Of one entry while its RDM is worked on.
  static constexpr int64_t kBytes =
      int64_t(sizeof(double)) +
      (form == Form::ranks ? 2 * int64_t(sizeof(double) + sizeof(int32_t)) : int64_t{0});

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
    if constexpr (form == Form::values) {
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
      find_flat(slot(), some, entries_, tolerance_, items_ + done_, context_.stream);
    }
    if constexpr (form == Form::ranks) {
      rank_vectors(buffer_, some, size_, tolerance_, space_, data_ + done_ * size_,
                   partial_ + done_, context_.stream);
    }
    if constexpr (form == Form::moments) {
      Vectors<double> entries{buffer_, entries_, nullptr, nullptr};
      if (centres()) {
        vector_means(entries, some, group_partial_, shifts_, context_.stream);
        entries.shifts = shifts_;
      }
      second_moments(entries, some, rows_, row_means_, data_ + done_ * size_, context_.stream);
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
  SortSpace space_{};
  double *row_means_ = nullptr, *group_partial_ = nullptr;
  bool shifted_ = false;
};

}  // namespace likewise::cuda

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "rsa/options.h"

// RDMs as comparisons see them: ranks, or vectors of unit norm whose inner products are scores.

namespace likewise {

bool is_ranked(RdmComparison comparison);
bool is_centred(RdmComparison comparison);   // of entries about their mean
bool has_moments(RdmComparison comparison);  // of the inner products of samples behind an RDM

// Elements of what a comparison keeps of an RDM: its entries and, of second moments, the diagonal.
int64_t compared_size(RdmComparison comparison, int64_t samples);

// Facts on one RDM.
struct Compared {
  bool finite = true;
  bool flat = false;  // all entries are equal, and the comparison needs a difference
  double norm = 0;    // NaN of those that are not finite or flat
};

// Makes the condensed RDM at the front of `vector` (compared_size) what a comparison by inner
// products other than of ranks compares, of unit norm: off-diagonal elements of second moments
// times the root of 2. Entries closer than `tolerance` of the larger are equal.
Compared standardise(RdmComparison comparison, int64_t samples, double tolerance, double* vector);

class ComparedRdms {
 public:
  // `write(k, rdm)` fills the condensed RDM of item k, on any thread; false: it has no score. Holds
  // 4 bytes per entry of ranks, 8 of others, and one RDM per thread while it is made.
  ComparedRdms(RdmComparison comparison, int64_t samples, int64_t count, double tolerance,
               int threads, const std::function<bool(int64_t k, double* rdm)>& write);

  // Whether item k is finite and has a score, and whether it is such an RDM and flat.
  bool is_usable(int64_t k) const { return usable_[k] != 0; }
  bool is_flat(int64_t k) const { return flat_[k] != 0; }

  // Scores of the first `rows` items with the others, or with themselves if there are no others;
  // NaN of what is not usable or flat.
  void score_all(int64_t rows, int threads, double* scores) const;
  // Scores of the items a[k] with b[k].
  void score_pairs(const std::vector<int64_t>& a, const std::vector<int64_t>& b, int threads,
                   double* scores) const;

  // What is compared of item k, entry by entry.
  void expand(int64_t k, double* out) const;

 private:
  template <class S>
  void multiply_all(const S* data, int64_t rows, int threads, double* scores) const;
  double product(int64_t i, int64_t j) const;
  double tau(int64_t i, int64_t j) const;
  bool counts_pairs() const {
    return comparison_ == RdmComparison::tau_a || comparison_ == RdmComparison::tau_b;
  }
  void keep_ranks(int64_t k, double ties);

  RdmComparison comparison_;
  int64_t count_, entries_, size_;
  std::unique_ptr<int32_t[]> ranks_;
  std::unique_ptr<double[]> values_;
  std::vector<double> factors_;
  std::vector<char> usable_, flat_;
};

}  // namespace likewise

#pragma once

#include <cstdint>
#include <vector>

#include "core/view.h"
#include "rsa/options.h"

// Scores of representations by their RDMs. NaN of a constant representation or one that is not
// finite, and of RDMs whose entries are all equal where the comparison needs a difference.

namespace likewise {

// What is found in the items of a call; of pairs all x, then all y.
struct RsaCounts {
  int64_t* constant_units;
  int64_t* flat;     // 1: all entries of its RDM are equal, and the comparison needs a difference
  int64_t* without;  // samples without direction of items that have scores
  int64_t items;

  bool any() const;
};

// scores (a x b) of all pairs; an empty b stands for a.
template <class T>
void rsa_scores(const std::vector<MatrixRef<const T>>& a, const std::vector<MatrixRef<const T>>& b,
                const RsaOptions& options, int threads, double* scores, const RsaCounts& counts);

// Those of x[k] with y[k] for all items of two batches with equal batch axes.
void rsa_pairs(const ArrayRef& x, const ArrayRef& y, const RsaOptions& options, int threads,
               double* scores, const RsaCounts& counts);

// Scores (k) of x with y, its rows in each of k orders of them, for comparisons by inner products
// of entries or ranks.
template <class T>
void rsa_reordered(const MatrixRef<const T>& x, const MatrixRef<const T>& y, const int32_t* orders,
                   int64_t k, const RsaOptions& options, int threads, double* scores);

// Scores (p x q) of condensed RDMs in rows; `flat` (p + q) as above.
template <class T>
void compare_rdms(const MatrixRef<const T>& p, const MatrixRef<const T>& q,
                  RdmComparison comparison, int threads, double* scores, int64_t* flat);

// out (rows): what a comparison of entries or ranks sees of condensed RDMs in rows, NaN where that
// is nothing.
template <class T>
void compared_rdms(const MatrixRef<const T>& rdms, RdmComparison comparison, int threads,
                   double* out);

// Units that are equal in all samples.
template <class T>
int64_t constant_units(const MatrixRef<const T>& x);

}  // namespace likewise

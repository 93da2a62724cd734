#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/matrix.h"
#include "core/cuda/pairs.h"
#include "rsa/options.h"

namespace likewise::cuda {

// What one call finds, in device memory; the items are those of a, then of b.
struct ItemFindings {
  int64_t* without;         // samples without direction of every item that has a score
  int64_t* constant_units;  // of every item
  int64_t* flat;            // whether its RDM has no score, all of its entries being equal
};
struct RsaFindings {
  double* scores;
  ItemFindings items;
};

// Scores of all pairs, row-major. `b` is ignored with `symmetric`, which compares a with itself.
//
// RDMs become vectors that stay (in double, as int32 ranks, or as second moments in double), and
// blocks of their columns go into one product in double. All other temporary memory is bounded.
//
// Estimate for an H100, Spearman of 200 items, n = 2000, d = 512, float32, not measured: products
// of samples 2 n^2 d = 4 GFLOP per item (40 ms for all at 20 TFLOP/s), ranks 4 digits of 20 bytes
// for 2 million entries per item (32 ms for all at 1 TB/s), products of ranks 2 * 200^2 * 2e6 in
// double (4 ms at 40 TFLOP/s).
template <class T>
void rsa_scores(const Context& context, const std::vector<Matrix<T>>& a,
                const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                const RsaOptions& options, const RsaFindings& out);

// The same of the pairs of these axes.
template <class T>
void rsa_pairs(const Context& context, const Batch<T>& x, const Batch<T>& y, int64_t rows,
               const PairAxes& axes, const RsaOptions& options, const RsaFindings& out);

// The same of x with y, its samples in each of `count` orders (count x rows): an order of the
// samples is one of the entries of the RDM, which is made and ranked once. For comparisons by inner
// products of RDMs or their ranks. Findings about two items.
template <class T>
void rsa_reordered(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t rows,
                   const int32_t* orders, int64_t count, const RsaOptions& options,
                   const RsaFindings& out);

// Scores (count_p x count_q) of condensed RDMs of `rows` samples; flat as in ItemFindings.
template <class T>
void compare_rdms(const Context& context, const T* p, int64_t count_p, const T* q, int64_t count_q,
                  int64_t rows, RdmComparison comparison, double* scores, int64_t* flat);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/pairs.h"
#include "rsa/cuda/rdm.h"

// Condensed RDMs, or what a comparison makes of them, as vectors of one length: their lengths and
// their inner products. Sums run in double over parts of each vector, always in the same order.

namespace likewise::cuda {

constexpr int64_t kMostVectors = 32768;  // of one launch

inline int64_t vector_parts(int64_t size) {
  constexpr int64_t kPart = 4096, kMostParts = 256;
  const int64_t parts = (size + kPart - 1) / kPart;
  return parts < kMostParts ? parts : kMostParts;
}

// Element k of vector i stands for (data[i * size + k] - shifts[i]) * factors[i]; without shifts,
// those are 0. Only what is said to uses the factors.
template <class S>
struct Vectors {
  const S* data;
  int64_t size;
  const double *shifts, *factors;
};

// shifts[i] = the mean of vector i, exact where all of its elements are equal.
void vector_means(const Vectors<double>& vectors, int64_t count, double* partial, double* shifts,
                  cudaStream_t stream);

// partial[pair * vector_parts(size) + p]: inner products, without factors, of pairs [first, first +
// count), part by part.
template <class S>
void pair_products(const Vectors<S>& a, const Vectors<S>& b, const PairAxes& axes, int64_t first,
                   int64_t count, double* partial, cudaStream_t stream);

// Their sums times both factors, to scores + first.
void pair_scores(const double* partial, int64_t parts, const double* factors_a,
                 const double* factors_b, const PairAxes& axes, int64_t first, int64_t count,
                 double* scores, cudaStream_t stream);

// What squared lengths are made of.
enum class Squares : int {
  sums,       // parts of their sum
  ranks,      // the ties among ranks (one part)
  all_ranks,  // the same, and ties count as if they were broken
};

// factors[i] = 1 / length of vector i; NaN for one that is not finite or has no length, for a flat
// one, and for a constant representation. Items of which no score uses the RDM have no samples
// without direction. flat[i]: a finite RDM has no score, its entries being all equal.
struct Conclusion {
  const double* partial;  // count x parts
  int64_t parts, size;
  const RdmItem* items;
  double* factors;
  int64_t *without, *constant_units, *flat;
};
void conclude(const Conclusion& vectors, int64_t count, Squares squares, cudaStream_t stream);

// out (count x width): elements [first, first + width) of all vectors, times their factors.
template <class S>
void expand(const Vectors<S>& vectors, int64_t count, int64_t first, int64_t width, double* out,
            cudaStream_t stream);

// Second moments G = -1/2 C D C of `count` condensed RDMs D of n samples minus their shifts: rows
// of the upper triangle with its diagonal, what is off it times sqrt(2), so that products of
// vectors are those of matrices. row_means (count x n) is work.
void second_moments(const Vectors<double>& rdms, int64_t count, int64_t n, double* row_means,
                    double* out, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cstdint>
#include <functional>

#include "core/cuda/context.h"

namespace likewise::cuda {

// Nuclear norms of `count` matrices (rows x cols, contiguous), none of them empty.
//
// |A|_* = <P, A> with the polar factor P = U V', found by products alone: quintic minimax
// polynomials of the singular values, each the best on the interval that the last one leaves (Amsel
// et al., "The Polar Express", arXiv 2505.16932), their argument shrunk by 1.03 against rounding,
// then cubic steps. An error e of P costs <P, A> only e^2. Singular values below 1e-6 (float32) or
// 1e-14 (float64) of |A|_F may be missed, and add less than that each.
//
// Estimate for an H100, 1000 matrices of 512 x 512 in float32 without TF32, not measured: 12
// TFLOP at 50 TFLOP/s, 0.25 s. TF32 in all but the last two steps would be 70 ms, and loses too
// much: by emulation up to 4e-6 where a X is added in float32, 1.6e-4 where it is in the product.
// Noise that turns P is not taken back by later steps.
//
// With LIKEWISE_NUCLEAR_NORMS=values in the environment those of float32 are sums of singular
// values (svdvals) instead: which of the two is faster at which size the first run on a GPU is to
// say (benchmarks/gpu/measure.py), and this switch goes then.
//
// `visit`, if there is one, gets the polar factors (rows x cols) of the items [first, first +
// items) after their norms, and must be done with them on the stream before it returns.
template <class T>
using PolarVisitor = std::function<void(int64_t first, int64_t items, const T* factors)>;
template <class T>
void nuclear_norms(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
                   double* out, const PolarVisitor<T>& visit = nullptr);

// The polar factors (rows x cols) with orthonormal columns, or rows, and |A|_*. deficient[k] is 1
// where a factor is not orthonormal up to rounding: there are singular values below 1e-6 (float32)
// or 1e-11 (float64) of |A|_F, which rounding has touched, or numbers that are not finite.
//
// One matrix of 512 x 512: 15 steps (24 in float64) of three products, 12 GFLOP, in 60 dependent
// launches; 1 ms where one block's rotations took 12-25 ms a sweep, of 511 rounds with a barrier
// and two trips to the second-level cache each, ten times. Derived, not measured.
template <class T>
void polar_factors(const Context& context, const T* a, int64_t count, int64_t rows, int64_t cols,
                   T* factors, double* norms, int* deficient);

}  // namespace likewise::cuda

#include "rsa/cuda/riemannian.h"

#include <algorithm>

#include "core/cuda/scratch.h"
#include "linalg/cuda/cholesky.h"
#include "linalg/cuda/eigen.h"
#include "linalg/cuda/gemm.h"
#include "linalg/cuda/svd.h"
#include "rsa/cuda/pencils.h"
#include "rsa/cuda/rdms.h"
#include "rsa/cuda/simplex.h"
#include "rsa/cuda/vectors.h"

namespace likewise::cuda {
namespace {

// Values (count x side), in any order, of symmetric matrices, which are overwritten: with their
// signs from cuSOLVER, without from rotations.
void eigenvalues(const Context& context, double* matrices, int64_t count, int64_t side,
                 double* values) {
  if (has_eigen(side)) {
    symmetric_eigen(context, matrices, count, side, values, false, WithoutEigen::nan);
  } else {
    svdvals<double>(context, matrices, count, side, side, values);
  }
}

// out = W X W' of `count` matrices, X being one for all (step 0) or one each. `work` is as large
// as `out`, which may be X if there is one each.
void congruences(const Context& context, const double* inverses, const double* x, int64_t step,
                 int64_t count, int64_t side, double* work, double* out) {
  const int64_t size = side * side;
  const Matrices<const double> w{inverses, side, size};
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, side, side, side, 1.0, w,
               {x, side, step}, {work, side, size}, count);
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, side, side, side, 1.0,
               {work, side, size}, w, {out, side, size}, count);
}

// Of items that others are compared with.
struct References {
  const double *inverses, *noises;  // W and W N W'
};

References references(const Context& context, const RiemannianItems& items) {
  const int64_t count = items.count, side = items.side, size = side * side;
  double* const inverses = context.temporary<double>(size_t(count * size));
  double* const noises = context.temporary<double>(size_t(count * size));
  double* const noise = context.temporary<double>(size_t(size));
  check(noise_covariance(side, noise, context.stream), "launch");
  const int64_t bytes = (2 * size + side * (kCholeskyPanel + 1)) * int64_t(sizeof(double));
  const int64_t group = std::min(fitting(bytes, count), kMostVectors);
  Scratch scratch(context);
  for (int64_t first = 0; first < count; first += group) {
    const int64_t some = std::min(group, count - first);
    const Context& inner = scratch.next();
    const double* const moments = items.moments + first * size;
    double* const work = inner.temporary<double>(size_t(some * size));
    double* const roots = inner.temporary<double>(size_t(some * size));
    double* const values = inner.temporary<double>(size_t(some * side));
    int64_t* const indefinite = inner.temporary<int64_t>(size_t(some));
    check(cudaMemsetAsync(indefinite, 0, size_t(some) * sizeof *indefinite, inner.stream),
          "memset");
    check(cudaMemcpyAsync(work, moments, size_t(some * size) * sizeof(double),
                          cudaMemcpyDeviceToDevice, inner.stream),
          "copy");
    eigenvalues(inner, work, some, side, values);
    cholesky(inner, moments, some, side, roots, indefinite);
    check(find_low_rank(values, indefinite, some, side, items.faults + first, inner.stream),
          "launch");
    check(invert_lower(roots, some, side, inverses + first * size, inner.stream), "launch");
    congruences(inner, inverses + first * size, noise, 0, some, side, work, noises + first * size);
  }
  return {inverses, noises};
}

}  // namespace

RiemannianItems riemannian_items(const Context& context, const double* rdms, const RdmItem* facts,
                                 int64_t count, int64_t n) {
  const int64_t side = n - 1, size = side * side;
  double* const moments = context.temporary<double>(size_t(count * size));
  int* const faults = context.temporary<int>(size_t(count));
  for (int64_t first = 0; first < count; first += kMostVectors) {
    check(moments_about_first(rdms + first * condensed_size(n), facts + first,
                              std::min(kMostVectors, count - first), n, moments + first * size,
                              faults + first, context.stream),
          "launch");
  }
  return {moments, faults, count, side};
}

void riemannian_scores(const Context& context, const RiemannianItems& a, const RiemannianItems& b,
                       const PairAxes& axes, int64_t pairs, double* scores) {
  const int64_t side = a.side, size = side * side;
  const References with = references(context, b);
  const int64_t group = std::min(fitting(3 * size * int64_t(sizeof(double)), pairs), kMostVectors);
  double* const signals = context.temporary<double>(size_t(group * size));
  double* const inverses = context.temporary<double>(size_t(group * size));
  double* const matrices = context.temporary<double>(size_t(group * size));
  double* const values = context.temporary<double>(size_t(group * side));
  Simplex* const searches = context.temporary<Simplex>(size_t(group));
  Scratch scratch(context);
  for (int64_t first = 0; first < pairs; first += group) {
    const int64_t some = std::min(group, pairs - first);
    check(gather_pencils(a.moments, with.inverses, axes, first, some, side, signals, inverses,
                         context.stream),
          "launch");
    congruences(context, inverses, signals, size, some, side, matrices, signals);
    check(start_simplexes({signals, a.faults, b.faults, first, side, !has_eigen(side), searches,
                           scores, context.status ? &context.status->rank : nullptr},
                          axes, some, context.stream),
          "launch");
    for (int step = 0; step < kMostEvaluations; ++step) {
      check(combine_pencils(signals, with.noises, axes, first, some, side, searches, matrices,
                            context.stream),
            "launch");
      eigenvalues(scratch.next(), matrices, some, side, values);
      check(step_simplexes(values, some, side, searches, scores + first, context.stream), "launch");
    }
  }
}

}  // namespace likewise::cuda

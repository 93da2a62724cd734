#include "rsa/cuda/bures.h"

#include <algorithm>

#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "linalg/cuda/svd.h"
#include "procrustes/cuda/procrustes.h"
#include "rsa/cuda/rdms.h"

namespace likewise::cuda {
namespace {

ProcrustesOptions options_of(bool metric) {
  ProcrustesOptions options;
  options.center = false;
  options.scale = !metric;
  options.score = metric ? ProcrustesScore::euclidean : ProcrustesScore::similarity;
  return options;
}

// Nobody reads them: roots without variance have no factor, doubles give every angle.
ShapeFindings findings(const Context& context, int64_t items, double* scores) {
  int64_t* const close = context.temporary<int64_t>(1);
  check(cudaMemsetAsync(close, 0, sizeof *close, context.stream), "memset");
  return {scores, context.temporary<int64_t>(size_t(items)),
          context.temporary<int64_t>(size_t(items)), close};
}

std::vector<Matrix<double>> matrices_of(const BuresItems& items) {
  std::vector<Matrix<double>> out;
  for (int64_t k = 0; k < items.count; ++k) {
    out.push_back({items.roots + k * items.n * items.n, items.n});
  }
  return out;
}

}  // namespace

BuresItems bures_items(const Context& context, const Vectors<double>& moments, int64_t count,
                       int64_t n, const Clipping& clipping) {
  const int64_t size = n * n;
  double* const roots = context.temporary<double>(size_t(count * size));
  const int64_t group = std::min(fitting(3 * size * int64_t(sizeof(double)), count), kMostVectors);
  Scratch scratch(context);
  for (int64_t first = 0; first < count; first += group) {
    const int64_t some = std::min(group, count - first);
    const Context& inner = scratch.next();
    const double* const factors = moments.factors + first;
    double* const shifted = inner.temporary<double>(size_t(some * size));
    check(shifted_moments({moments.data + first * moments.size, moments.size, nullptr, factors},
                          some, n, shifted, context.stream),
          "launch");
    const JacobiSvd<double> svd = decompose<double>(inner, shifted, some, n, n);
    check(scaled_vectors(svd.columns, svd.values, factors, some, n, clipping.from(first),
                         roots + first * size, context.stream),
          "launch");
  }
  return {roots, moments.factors, count, n};
}

void bures_scores(const Context& context, const BuresItems& a, const BuresItems& b, bool symmetric,
                  bool metric, double* scores) {
  procrustes_scores<double>(
      context, matrices_of(a), symmetric ? std::vector<Matrix<double>>{} : matrices_of(b), a.n,
      symmetric, options_of(metric), findings(context, a.count + b.count, scores));
  const PairAxes all{2, {a.count, b.count}, {1, 0}, {0, 1}};
  check(
      conclude_bures(a.factors, b.factors, all, a.count * b.count, metric, scores, context.stream),
      "launch");
}

void bures_pairs(const Context& context, const BuresItems& a, const BuresItems& b,
                 const PairAxes& axes, int64_t pairs, bool metric, double* scores) {
  const int64_t n = a.n, size = n * n;
  const auto repeated = [&](const double* roots, const int64_t* steps) {
    DeviceRef view{roots, ElementType::float64, axes.ndim + 1, {}, {}};
    for (int axis = 0; axis < axes.ndim; ++axis) {
      view.shape[axis] = axes.shape[axis];
      view.strides[axis] = steps[axis] * size;
    }
    view.shape[axes.ndim] = size;
    view.strides[axes.ndim] = 1;
    double* const copy = context.temporary<double>(size_t(pairs * size));
    check(copy_elements<double>(view, copy, context.stream), "copy");
    return Matrix<double>{copy, n};
  };
  procrustes_pairs<double>(context, repeated(a.roots, axes.step_a), repeated(b.roots, axes.step_b),
                           pairs, n, options_of(metric), findings(context, 2 * pairs, scores));
  check(conclude_bures(a.factors, b.factors, axes, pairs, metric, scores, context.stream),
        "launch");
}

}  // namespace likewise::cuda

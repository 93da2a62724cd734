#include "rsa/cuda/precision.h"

#include <algorithm>

#include "core/cuda/centred.h"
#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "linalg/cuda/cholesky.h"
#include "linalg/cuda/gemm.h"
#include "rsa/cuda/rdms.h"

namespace likewise::cuda {
namespace {

// L of precision = L L'; null for none.
const double* root_of(const Context& context, const double* precision, int64_t cols,
                      int64_t* faults) {
  if (!precision) return nullptr;
  double* const root = context.temporary<double>(size_t(cols * cols));
  check(count_asymmetric(precision, cols, faults, context.stream), "launch");
  cholesky(context, precision, 1, cols, root, faults + 1);
  return root;
}

// Samples of `count` items whose Euclidean distances are those of x with this precision, times the
// unit of `repeats` items (null for 1).
template <class T>
double* whitened(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
                 const double* root, const double* units, int64_t repeats) {
  const int64_t size = rows * cols;
  double* const samples = context.temporary<double>(size_t(count * size));
  check(subtract_first<T>(x, count, rows, cols, units, repeats, samples, context.stream), "launch");
  if (!root) return samples;
  double* const out = context.temporary<double>(size_t(count * size));
  gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::none, count * rows, cols, cols,
               1.0, {samples, cols, 0}, {root, cols, 0}, {out, cols, count * size}, 1);
  return out;
}

}  // namespace

template <class T>
void mahalanobis_rdms(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
                      const double* precision, int64_t* faults, T* out) {
  const double* const root = root_of(context, precision, cols, faults);
  const int64_t size = rows * cols, pairs = condensed_size(rows);
  const int64_t group = fitting((2 * size + pairs) * int64_t(sizeof(double)), count);
  int64_t* const without = context.temporary<int64_t>(size_t(group));
  Scratch scratch(context);
  for (int64_t k = 0; k < count; k += group) {
    const int64_t some = std::min(group, count - k);
    const Context& inner = scratch.next();
    const double* const samples =
        whitened<T>(inner, x + k * size, some, rows, cols, root, nullptr, 1);
    double* const found = inner.temporary<double>(size_t(some * pairs));
    rdms<double>(inner, samples, some, rows, cols, Dissimilarity::euclidean, false, found, without,
                 nullptr);
    const DeviceRef view{found, ElementType::float64, 1, {some * pairs}, {1}};
    check(copy_elements<T>(view, out + k * pairs, context.stream), "copy");
  }
}

template <class T>
void crossnobis_rdms(const Context& context, const T* x, int64_t count, int64_t repeats,
                     int64_t rows, int64_t cols, const double* precision, int64_t* faults, T* out) {
  const double* const root = root_of(context, precision, cols, faults);
  const int64_t size = rows * cols, pairs = condensed_size(rows);
  const int64_t group = fitting(repeats * (2 * size + pairs) * int64_t(sizeof(double)), count);
  int64_t* const without = context.temporary<int64_t>(size_t(group * repeats));
  Scratch scratch(context);
  const auto squares = [&](const Context& inner, const double* samples, int64_t items) {
    double* const found = inner.temporary<double>(size_t(items * pairs));
    rdms<double>(inner, samples, items, rows, cols, Dissimilarity::sqeuclidean, false, found,
                 without, nullptr);
    return found;
  };
  for (int64_t k = 0; k < count; k += group) {
    const int64_t some = std::min(group, count - k);
    const Context& inner = scratch.next();
    const T* const from = x + k * repeats * size;
    double* const spreads = inner.temporary<double>(size_t(some * repeats * cols));
    double* const units = inner.temporary<double>(size_t(some));
    check(column_spreads<T>(from, some * repeats, rows, cols, false, spreads, inner.stream),
          "launch");
    check(units_of_spreads(spreads, some, repeats * cols, units, inner.stream), "launch");
    const double* const samples =
        whitened<T>(inner, from, some * repeats, rows, cols, root, units, repeats);
    double* const means = inner.temporary<double>(size_t(some * size));
    check(mean_of_repeats(samples, some, repeats, size, means, context.stream), "launch");
    const double* const within = squares(inner, samples, some * repeats);
    const double* const of_mean = squares(inner, means, some);
    check(across_repeats<T>(within, of_mean, units, some, repeats, pairs, out + k * pairs,
                            context.stream),
          "launch");
  }
}

#define LIKEWISE_INSTANTIATE(T)                                                                  \
  template void mahalanobis_rdms<T>(const Context&, const T*, int64_t, int64_t, int64_t,         \
                                    const double*, int64_t*, T*);                                \
  template void crossnobis_rdms<T>(const Context&, const T*, int64_t, int64_t, int64_t, int64_t, \
                                   const double*, int64_t*, T*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

#include "rsa/cuda/rdms.h"

#include <algorithm>

#include "core/cuda/centred.h"
#include "linalg/cuda/gemm.h"
#include "rsa/cuda/vectors.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostRows = 1024;  // of one product of samples: half of a whole one is not wanted

}  // namespace

int64_t fitting(int64_t bytes, int64_t count) {
  return std::clamp<int64_t>(kWorkBytes / bytes, 1, std::max<int64_t>(count, 1));
}

template <class T>
void rdms(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
          Dissimilarity dissimilarity, T* out, int64_t* without, RdmItem* items) {
  if (count == 0) return;
  const bool distances = is_distance(dissimilarity);
  const int64_t size = rows * cols, most_rows = std::min(rows, kMostRows);
  const int64_t element = int64_t(sizeof(T));
  const int64_t group = std::min(fitting((size + most_rows * rows) * element, count), kMostVectors);
  const int64_t height = std::min(most_rows, fitting(group * rows * element, rows));
  T* const samples = context.temporary<T>(size_t(group * size));
  T* const products = context.temporary<T>(size_t(group * height * rows));
  double* norms = nullptr;
  if (distances) norms = context.temporary<double>(size_t(group * rows));
  if (distances && !items) items = context.temporary<RdmItem>(size_t(count));
  double* spreads = nullptr;
  if (items) spreads = context.temporary<double>(size_t(group * cols));
  check(cudaMemsetAsync(without, 0, size_t(count) * sizeof *without, context.stream), "memset");
  for (int64_t k = 0; k < count; k += group) {
    const int64_t some = std::min(group, count - k);
    const T* const from = x + k * size;
    RdmItem* const facts = items ? items + k : nullptr;
    if (facts) {
      check(column_spreads<T>(from, some, rows, cols, true, spreads, context.stream), "launch");
      check(describe_items(spreads, some, cols, facts, context.stream), "launch");
    }
    check(standardise<T>(from, some, rows, cols, dissimilarity,
                         {samples, norms, facts, without + k}, context.stream),
          "launch");
    for (int64_t first = 0; first < rows; first += height) {
      const int64_t here = std::min(height, rows - first), width = rows - first;
      const Matrices<const T> left{samples + first * cols, cols, size};
      gemm<T>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, here, width, cols,
              T(1), left, left, {products, width, here * width}, some);
      check(condense<T>({products, from, norms, facts, out + k * condensed_size(rows), some, rows,
                         cols, first, here},
                        dissimilarity, context.stream),
            "launch");
    }
  }
}

#define LIKEWISE_INSTANTIATE(T)                                                                 \
  template void rdms<T>(const Context&, const T*, int64_t, int64_t, int64_t, Dissimilarity, T*, \
                        int64_t*, RdmItem*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

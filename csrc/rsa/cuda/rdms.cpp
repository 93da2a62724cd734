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

template <class T, class Out>
void rdms(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
          Dissimilarity dissimilarity, bool in_units, Out* out, int64_t* without, RdmItem* items) {
  if (count == 0) return;
  const bool distances = is_distance(dissimilarity);
  const int64_t size = rows * cols, most_rows = std::min(rows, kMostRows);
  const int64_t element = int64_t(sizeof(double));
  const int64_t group = std::min(fitting((size + most_rows * rows) * element, count), kMostVectors);
  const int64_t height = std::min(most_rows, fitting(group * rows * element, rows));
  double* const products = context.temporary<double>(size_t(group * height * rows));
  if (distances && !items) items = context.temporary<RdmItem>(size_t(count));
  double* spreads = nullptr;
  if (items) spreads = context.temporary<double>(size_t(group * cols));
  SampleFacts* samples = nullptr;
  double* centres = nullptr;
  if (!distances) {
    samples = context.temporary<SampleFacts>(size_t(group * rows));
    centres = context.temporary<double>(size_t(group * cols));
  }
  Points points{context.temporary<double>(size_t(group * size)),
                context.temporary<double>(size_t(group * rows)), nullptr, samples, centres};
  check(cudaMemsetAsync(without, 0, size_t(count) * sizeof *without, context.stream), "memset");
  for (int64_t k = 0; k < count; k += group) {
    const int64_t some = std::min(group, count - k);
    const T* const from = x + k * size;
    if (items) {
      points.items = items + k;
      column_spreads<T>(from, some, rows, cols, true, spreads, context.stream);
      describe_items(spreads, some, cols, items + k, context.stream);
    }
    if (!distances) {
      describe_samples<T>(from, some, rows, cols, dissimilarity == Dissimilarity::correlation,
                          samples, without + k, context.stream);
      mean_directions<T>(from, samples, some, rows, cols, centres, context.stream);
    }
    place_points<T>(from, some, rows, cols, dissimilarity, points, context.stream);
    for (int64_t first = 0; first < rows; first += height) {
      const int64_t here = std::min(height, rows - first), width = rows - first;
      const Matrices<const double> left{points.out + first * cols, cols, size};
      gemm<double>(blas_context(context.stream), BlasOp::none, BlasOp::transpose, here, width, cols,
                   1, left, left, {products, width, here * width}, some);
      condense<T, Out>({products, from, points, out + k * condensed_size(rows), some, rows, cols,
                        first, here, in_units},
                       dissimilarity, context.stream);
    }
  }
}

template decltype(rdms<float, float>) rdms<float, float>;
template decltype(rdms<float, double>) rdms<float, double>;
template decltype(rdms<double, double>) rdms<double, double>;

}  // namespace likewise::cuda

#include "kernels/projected.h"

#include <limits>
#include <numeric>

#include "core/parallel.h"
#include "kernels/distances.h"
#include "linalg/linalg.h"

namespace likewise {
namespace {

constexpr int64_t kRowsPerTask = 64;
constexpr double kRoundingUnits = 64;

double squared_norm(const std::vector<double>& a) {
  return std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
}

}  // namespace

template <class T>
void ProjectedKernel<T>::prepare(const MatrixRef<const T>& x, const KernelOptions& given,
                                 int threads, bool slopes) {
  options = &given;
  rows = x.rows;
  cols = x.cols;
  prepared = prepare_items<T>({x}, given, threads, &constant_units);
  if (constant_units < 0) return;
  samples.resize(size_t(rows * cols));
  scaled = scaled_kernel(item(), given);
  std::vector<T> buffer;
  centred_rows(item(), 0, rows, 0, cols, samples.data(), cols, buffer);
  multiply(threads);
  if (constant_units == cols) status = kKernelConstant;
  apply_kernel(slopes);
  project();
  square = squared_norm(kernel);
  // A projection of this size is rounding of what it was made of.
  const double rounding = kRoundingUnits * std::numeric_limits<double>::epsilon();
  if (status == kKernelOk && given.normalize && square <= rounding * rounding * size) {
    status = kKernelNotPositive;
  }
}

// kernel = inner products of the samples.
template <class T>
void ProjectedKernel<T>::multiply(int threads) {
  kernel.resize(size_t(rows * rows));
  parallel_for((rows + kRowsPerTask - 1) / kRowsPerTask, threads, [&](int64_t task, int) {
    const int64_t first = task * kRowsPerTask, count = std::min(kRowsPerTask, rows - first);
    const int64_t width = first + count;  // up to the diagonal block
    std::vector<T> products(size_t(count * width));
    gemm<T>(Op::none, Op::transpose, count, width, cols, T(1), samples.data() + first * cols, cols,
            samples.data(), cols, T(0), products.data(), width);
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(products.data() + i * width, width, kernel.data() + (first + i) * rows);
    }
    poll_interrupt();
  });
  symmetrize(rows, kernel.data(), rows);
}

template <class T>
void ProjectedKernel<T>::apply_kernel(bool slopes) {
  const KernelFunction function = options->function;
  if (function == KernelFunction::linear) return;
  if (function == KernelFunction::rbf) {
    if (status == kKernelOk && !(item().sigma > 0)) status = kKernelNoBandwidth;
    take_distances();
    if (slopes) squares = kernel;
  }
  slope.resize(slopes ? kernel.size() : 0);
  for (size_t k = 0; k < kernel.size(); ++k) {
    kernel[k] = scaled.value(kernel[k], slopes ? &slope[k] : nullptr);
  }
}

// kernel = squared distances, from products.
template <class T>
void ProjectedKernel<T>::take_distances() {
  std::vector<T> buffer;
  const double* const norms = item().norms;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const double both = norms[i] + norms[j];
      const double safe =
          std::max(kSmallDistance * both, least_safe_distance<T>(scaled.gamma, both));
      double& distance = kernel[i * rows + j];
      distance = both - 2 * distance;
      if (distance < safe) distance = squared_distance(item(), i, j, buffer);
      kernel[j * rows + i] = distance;
    }
    kernel[i * rows + i] = 0;
    poll_interrupt();
  }
}

// kernel = C(kernel); size is the square of what that is made of.
template <class T>
void ProjectedKernel<T>::project() {
  const bool biased = options->estimator == HsicEstimator::biased;
  const double n = double(rows);
  std::vector<double> sums(static_cast<size_t>(rows));
  for (int64_t i = 0; i < rows; ++i) {
    double* row = kernel.data() + i * rows;
    if (!biased) row[i] = 0;
    sums[i] = std::accumulate(row, row + rows, 0.0);
  }
  size = squared_norm(kernel);
  const double total = std::accumulate(sums.begin(), sums.end(), 0.0);
  const double of_rows = 1 / (biased ? n : n - 2);
  const double of_all = total / (biased ? n * n : (n - 1) * (n - 2));
  for (int64_t i = 0; i < rows; ++i) {
    double* row = kernel.data() + i * rows;
    for (int64_t j = 0; j < rows; ++j) row[j] += of_all - (sums[i] + sums[j]) * of_rows;
    if (!biased) row[i] = 0;
  }
}

template struct ProjectedKernel<float>;
template struct ProjectedKernel<double>;

}  // namespace likewise

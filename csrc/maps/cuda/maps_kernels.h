#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// The columns of a representation (rows x cols) about their means, in double.
struct CentredColumns {
  double* data;
  double* mean;       // (cols)
  double* deviation;  // (cols): of the population, exactly 0 where all values are equal
};
template <class T>
cudaError_t centre_columns(const T* x, int64_t rows, int64_t cols, const CentredColumns& out,
                           cudaStream_t stream);

// out = x - mean of the columns.
template <class T>
cudaError_t subtract_mean(const T* x, const double* mean, int64_t rows, int64_t cols, double* out,
                          cudaStream_t stream);

// out = x + mean of the columns.
template <class T>
cudaError_t add_mean(const double* x, const double* mean, int64_t rows, int64_t cols, T* out,
                     cudaStream_t stream);

// sums (cols): of the products of the columns of a and b (rows x cols); a null b counts as ones.
cudaError_t column_products(const double* a, const double* b, int64_t rows, int64_t cols,
                            double* sums, cudaStream_t stream);

// x *= numerator[0] / denominator[0], a null numerator counting as 1; zeros unless the denominator
// is positive.
cudaError_t scale_by_ratio(double* x, int64_t size, const double* numerator,
                           const double* denominator, cudaStream_t stream);

// plan (dx, dy) = 1 / min(dx, dy) for the partners of the units of x, -1 being none; else 0.
cudaError_t plan_of_partners(const int64_t* partners, int64_t dx, int64_t dy, double* plan,
                             cudaStream_t stream);

// weights (dx, dy) = plan / sums of its columns, between units of these deviations; zeros for those
// that do not vary and for columns without a share. Null sums count as ones.
cudaError_t weigh_plan(const double* plan, const double* sums, const double* deviation_x,
                       const double* deviation_y, int64_t dx, int64_t dy, double* weights,
                       cudaStream_t stream);

// Correlation and determination (cols) of predictions (rows x cols). Correlations of what is
// constant are 0; a constant target is determined if it is met (1) or not (0), two samples being
// the fewest.
template <class T>
cudaError_t score_columns(const T* predictions, const T* targets, int64_t rows, int64_t cols,
                          double* correlation, double* determination, cudaStream_t stream);

}  // namespace likewise::cuda

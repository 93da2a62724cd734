// What linear maps need beside products and decompositions. Centring reads every element three
// times, scoring four times, everything else once: bytes over bandwidth.

#include "core/cuda/columns.cuh"
#include "maps/cuda/maps_kernels.h"

namespace likewise::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes, 2)
    centre_kernel(const T* __restrict__ x, int64_t rows, int64_t cols, CentredColumns out) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool inside = column < cols;
  const T* const from = x + (inside ? column : 0);
  const double first = double(from[0]);  // equal values differ from it by exact zeros
  double mean = 0, largest = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double difference = double(from[i * cols]) - first;
    mean += difference;
    largest = Largest::of(fabs(difference), largest);
  }
  mean = over_stripes<Sum>(mean, shared) / double(rows);
  const double unit = unit_for(over_stripes<Largest>(largest, shared));
  double squares = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double value = double(from[i * cols]) - first - mean;
    if (inside) out.data[i * cols + column] = value;
    squares += value * unit * (value * unit);
  }
  squares = over_stripes<Sum>(squares, shared);
  if (!inside || threadIdx.y > 0) return;
  out.mean[column] = first + mean;
  out.deviation[column] = unit == 0 ? 0 : sqrt(squares / double(rows)) / unit;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    subtract_kernel(const T* __restrict__ x, const double* __restrict__ mean, int64_t size,
                    int64_t cols, double* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    out[k] = double(x[k]) - mean[k % cols];
  }
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    add_kernel(const double* __restrict__ x, const double* __restrict__ mean, int64_t size,
               int64_t cols, T* __restrict__ out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    out[k] = T(x[k] + mean[k % cols]);
  }
}

__global__ void __launch_bounds__(kColumns* kStripes)
    product_kernel(const double* __restrict__ a, const double* __restrict__ b, int64_t rows,
                   int64_t cols, double* __restrict__ sums) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const int64_t at = column < cols ? column : 0;
  double sum = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    sum += b ? a[i * cols + at] * b[i * cols + at] : a[i * cols + at];
  }
  sum = over_stripes<Sum>(sum, shared);
  if (column < cols && threadIdx.y == 0) sums[column] = sum;
}

__global__ void __launch_bounds__(kMostThreads)
    ratio_kernel(double* __restrict__ x, int64_t size, const double* __restrict__ numerator,
                 const double* __restrict__ denominator) {
  const double below = denominator[0], above = numerator ? numerator[0] : 1;
  const double ratio = below <= 0 ? 0 : above / below;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    x[k] *= ratio;
  }
}

__global__ void __launch_bounds__(kMostThreads)
    partner_kernel(const int64_t* __restrict__ partners, int64_t dx, int64_t dy,
                   double* __restrict__ plan) {
  const double share = 1 / double(dx < dy ? dx : dy);
  const int64_t step = int64_t(gridDim.x) * blockDim.x, size = dx * dy;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    plan[k] = partners[k / dy] == k % dy ? share : 0;
  }
}

__global__ void __launch_bounds__(kMostThreads, 2)
    weigh_kernel(const double* __restrict__ plan, const double* __restrict__ sums,
                 const double* __restrict__ deviation_x, const double* __restrict__ deviation_y,
                 int64_t dx, int64_t dy, double* __restrict__ weights) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x, size = dx * dy;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < size; k += step) {
    const double own = deviation_x[k / dy], sum = sums ? sums[k % dy] : 1;
    weights[k] = own == 0 || sum <= 0 ? 0 : plan[k] / sum / own * deviation_y[k % dy];
  }
}

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes, 2)
    score_kernel(const T* __restrict__ predictions, const T* __restrict__ targets, int64_t rows,
                 int64_t cols, double* __restrict__ correlation,
                 double* __restrict__ determination) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const int64_t at = column < cols ? column : 0;
  const T *const p = predictions + at, *const y = targets + at;
  const double first_p = double(p[0]), first_y = double(y[0]);
  double mean_p = 0, mean_y = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    mean_p += double(p[i * cols]) - first_p;
    mean_y += double(y[i * cols]) - first_y;
  }
  mean_p = over_stripes<Sum>(mean_p, shared) / double(rows);
  mean_y = over_stripes<Sum>(mean_y, shared) / double(rows);
  double squares_p = 0, squares_y = 0, inner = 0, errors = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const double moved_p = double(p[i * cols]) - first_p - mean_p;
    const double moved_y = double(y[i * cols]) - first_y - mean_y;
    const double error = double(y[i * cols]) - double(p[i * cols]);
    squares_p += moved_p * moved_p;
    squares_y += moved_y * moved_y;
    inner += moved_p * moved_y;
    errors += error * error;
  }
  squares_p = over_stripes<Sum>(squares_p, shared);
  squares_y = over_stripes<Sum>(squares_y, shared);
  inner = over_stripes<Sum>(inner, shared);
  errors = over_stripes<Sum>(errors, shared);
  if (column >= cols || threadIdx.y > 0) return;
  const double norms = sqrt(squares_p * squares_y);
  const double met = errors == 0 ? 1 : 0;
  correlation[column] = norms <= 0 ? 0 : inner / norms;
  determination[column] = rows < 2 ? NAN : squares_y == 0 ? met : 1 - errors / squares_y;
}

}  // namespace

template <class T>
cudaError_t centre_columns(const T* x, int64_t rows, int64_t cols, const CentredColumns& out,
                           cudaStream_t stream) {
  return launch(centre_kernel<T>, blocks_of_columns(cols, 1), dim3(kColumns, kStripes), 0, stream,
                x, rows, cols, out);
}

template <class T>
cudaError_t subtract_mean(const T* x, const double* mean, int64_t rows, int64_t cols, double* out,
                          cudaStream_t stream) {
  const int64_t size = rows * cols;
  return launch(subtract_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, mean, size,
                cols, out);
}

template <class T>
cudaError_t add_mean(const double* x, const double* mean, int64_t rows, int64_t cols, T* out,
                     cudaStream_t stream) {
  const int64_t size = rows * cols;
  return launch(add_kernel<T>, blocks_for(size), threads_for(size), 0, stream, x, mean, size, cols,
                out);
}

cudaError_t column_products(const double* a, const double* b, int64_t rows, int64_t cols,
                            double* sums, cudaStream_t stream) {
  return launch(product_kernel, blocks_of_columns(cols, 1), dim3(kColumns, kStripes), 0, stream, a,
                b, rows, cols, sums);
}

cudaError_t scale_by_ratio(double* x, int64_t size, const double* numerator,
                           const double* denominator, cudaStream_t stream) {
  return launch(ratio_kernel, blocks_for(size), threads_for(size), 0, stream, x, size, numerator,
                denominator);
}

cudaError_t plan_of_partners(const int64_t* partners, int64_t dx, int64_t dy, double* plan,
                             cudaStream_t stream) {
  return launch(partner_kernel, blocks_for(dx * dy), threads_for(dx * dy), 0, stream, partners, dx,
                dy, plan);
}

cudaError_t weigh_plan(const double* plan, const double* sums, const double* deviation_x,
                       const double* deviation_y, int64_t dx, int64_t dy, double* weights,
                       cudaStream_t stream) {
  return launch(weigh_kernel, blocks_for(dx * dy), threads_for(dx * dy), 0, stream, plan, sums,
                deviation_x, deviation_y, dx, dy, weights);
}

template <class T>
cudaError_t score_columns(const T* predictions, const T* targets, int64_t rows, int64_t cols,
                          double* correlation, double* determination, cudaStream_t stream) {
  return launch(score_kernel<T>, blocks_of_columns(cols, 1), dim3(kColumns, kStripes), 0, stream,
                predictions, targets, rows, cols, correlation, determination);
}

#define LIKEWISE_INSTANTIATE(T)                                                                 \
  template cudaError_t centre_columns<T>(const T*, int64_t, int64_t, const CentredColumns&,     \
                                         cudaStream_t);                                         \
  template cudaError_t subtract_mean<T>(const T*, const double*, int64_t, int64_t, double*,     \
                                        cudaStream_t);                                          \
  template cudaError_t add_mean<T>(const double*, const double*, int64_t, int64_t, T*,          \
                                   cudaStream_t);                                               \
  template cudaError_t score_columns<T>(const T*, const T*, int64_t, int64_t, double*, double*, \
                                        cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

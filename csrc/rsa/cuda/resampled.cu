// Entries of draws are gathered from rows of one RDM, which stays in the second level cache: bytes
// over bandwidth of what is written. What is said of samples and draws is read once or less.

#include "core/cuda/kernel.cuh"
#include "rsa/cuda/resampled.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostDraws = 32768;  // of one launch
constexpr int kRowThreads = 64;

// Block i is that of sample i.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    copy_kernel(const T* __restrict__ x, int64_t cols, bool cosine, bool distances,
                double* __restrict__ out) {
  const T* const row = x + blockIdx.x * cols;
  const T origin = cosine ? T(0) : row[0];
  bool finite = true, flat = true;
  for (int64_t j = threadIdx.x; j < cols; j += blockDim.x) {
    finite = finite && fabs(row[j]) < T(INFINITY);
    flat = flat && row[j] == origin;
  }
  finite = __syncthreads_and(finite);
  flat = __syncthreads_and(flat);
  if (threadIdx.x == 0) out[blockIdx.x] = !finite ? NAN : flat && !distances ? 1 : 0;
}

// Block (i, k) fills what row i of draw k has above the diagonal.
template <class T>
__global__ void __launch_bounds__(kRowThreads)
    resample_kernel(Drawn<T> from, const int32_t* __restrict__ draws, double* __restrict__ out) {
  const int64_t n = from.rows, i = blockIdx.x;
  const int32_t* const samples = draws + blockIdx.y * n;
  double* const to = out + blockIdx.y * (n * (n - 1) / 2) + i * (2 * n - i - 1) / 2 - i - 1;
  const int64_t p = samples[i];
  for (int64_t j = i + 1 + threadIdx.x; j < n; j += blockDim.x) {
    const int64_t q = samples[j], low = p < q ? p : q, high = p < q ? q : p;
    to[j] = low == high ? from.copies[p] : from.rdm[low * (2 * n - low - 1) / 2 + high - low - 1];
  }
}

// A block per draw; most find a difference at once.
template <class T>
__global__ void __launch_bounds__(32)
    describe_kernel(Drawn<T> from, const int32_t* __restrict__ draws, RdmItem* __restrict__ items) {
  const int32_t* const samples = draws + blockIdx.x * from.rows;
  const T* const first = from.x + samples[0] * from.cols;
  bool equal = true;
  for (int64_t i = 1; i < from.rows && equal; ++i) {
    const T* const row = from.x + samples[i] * from.cols;
    for (int64_t j = threadIdx.x; j < from.cols; j += blockDim.x) {
      equal = equal && row[j] == first[j];
    }
    equal = __all_sync(kAllLanes, equal);
  }
  if (threadIdx.x == 0) items[blockIdx.x] = {1, 0, equal, false};
}

}  // namespace

template <class T>
cudaError_t copy_dissimilarities(const T* x, int64_t rows, int64_t cols,
                                 Dissimilarity dissimilarity, double* out, cudaStream_t stream) {
  return launch(copy_kernel<T>, dim3(unsigned(rows)), threads_for(cols), 0, stream, x, cols,
                dissimilarity == Dissimilarity::cosine, is_distance(dissimilarity), out);
}

template <class T>
cudaError_t resample_rdms(const Drawn<T>& from, const int32_t* draws, int64_t count, double* out,
                          cudaStream_t stream) {
  const int64_t n = from.rows, size = n * (n - 1) / 2;
  for (int64_t first = 0; first < count; first += kMostDraws) {
    const int64_t some = count - first < kMostDraws ? count - first : kMostDraws;
    const cudaError_t error =
        launch(resample_kernel<T>, dim3(unsigned(n - 1), unsigned(some)), dim3(kRowThreads), 0,
               stream, from, draws + first * n, out + first * size);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

template <class T>
cudaError_t describe_draws(const Drawn<T>& from, const int32_t* draws, int64_t count,
                           RdmItem* items, cudaStream_t stream) {
  return launch(describe_kernel<T>, dim3(unsigned(count)), dim3(32), 0, stream, from, draws, items);
}

#define LIKEWISE_INSTANTIATE(T)                                                                    \
  template cudaError_t copy_dissimilarities<T>(const T*, int64_t, int64_t, Dissimilarity, double*, \
                                               cudaStream_t);                                      \
  template cudaError_t resample_rdms<T>(const Drawn<T>&, const int32_t*, int64_t, double*,         \
                                        cudaStream_t);                                             \
  template cudaError_t describe_draws<T>(const Drawn<T>&, const int32_t*, int64_t, RdmItem*,       \
                                         cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

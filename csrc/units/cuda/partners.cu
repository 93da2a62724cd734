// Partners of units. The best ones read every similarity at most twice: bytes over bandwidth.

#include "core/cuda/largest.cuh"
#include "core/ties.h"
#include "units/cuda/partners.h"

namespace likewise::cuda {
namespace {

// A warp per row.
template <class T>
__global__ void __launch_bounds__(kMostThreads)
    greedy_kernel(const T* __restrict__ similarity, int64_t rows, int64_t cols, Partners out) {
  const int lane = int(threadIdx.x) & 31;
  const int64_t row = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) >> 5;
  if (row >= rows) return;  // for whole warps
  const T* const values = similarity + row * cols;
  const double best = double(largest_of(values, cols));
  const int64_t where = first_at_least(values, cols, best - kTieTolerance<T> * fabs(best));
  if (lane > 0) return;
  out.greedy[row] = where < cols ? where : -1;
  out.greedy_similarity[row] = where < cols ? double(values[where]) : double(NAN);
  out.one_to_one[row] = -1;
  out.one_to_one_similarity[row] = NAN;
  if (row == 0) out.counts[0] = out.counts[1] = 0;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    assigned_kernel(const T* __restrict__ similarity, int64_t cols,
                    const int64_t* __restrict__ row_ind, const int64_t* __restrict__ col_ind,
                    int64_t pairs, double threshold, Partners out) {
  const int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (k >= pairs || row_ind[k] < 0) return;
  const int64_t row = row_ind[k], column = col_ind[k];
  const double found = double(similarity[row * cols + column]);
  out.one_to_one[row] = column;
  out.one_to_one_similarity[row] = found;
  auto* const counts = reinterpret_cast<unsigned long long*>(out.counts);
  if (found >= threshold) atomicAdd(counts, 1ull);
  if (out.greedy[row] == column) atomicAdd(counts + 1, 1ull);
}

}  // namespace

template <class T>
cudaError_t greedy_partners(const T* similarity, int64_t rows, int64_t cols, const Partners& out,
                            cudaStream_t stream) {
  const int64_t blocks = (32 * rows + kMostThreads - 1) / kMostThreads;
  return launch(greedy_kernel<T>, dim3(unsigned(blocks)), threads_for(32 * rows), 0, stream,
                similarity, rows, cols, out);
}

template <class T>
cudaError_t assigned_partners(const T* similarity, int64_t cols, const int64_t* row_ind,
                              const int64_t* col_ind, int64_t pairs, double threshold,
                              const Partners& out, cudaStream_t stream) {
  const int64_t blocks = (pairs + kMostThreads - 1) / kMostThreads;
  return launch(assigned_kernel<T>, dim3(unsigned(blocks)), threads_for(pairs), 0, stream,
                similarity, cols, row_ind, col_ind, pairs, threshold, out);
}

#define LIKEWISE_INSTANTIATE(T)                                                                \
  template cudaError_t greedy_partners<T>(const T*, int64_t, int64_t, const Partners&,         \
                                          cudaStream_t);                                       \
  template cudaError_t assigned_partners<T>(const T*, int64_t, const int64_t*, const int64_t*, \
                                            int64_t, double, const Partners&, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

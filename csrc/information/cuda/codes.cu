// Bins of activations. Edges read a few values of a sorted unit; codes read every value once and
// write a byte: bytes over bandwidth.

#include "core/cuda/kernel.cuh"
#include "information/cuda/codes.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostUnits = 32768;  // of one launch
constexpr unsigned kBlocksPerUnit = 64;

template <class T>
struct SortedUnit {
  const T* values;
  const int32_t* order;
  __device__ double operator[](int64_t place) const { return double(values[order[place]]); }
};

// How many values are below zero (`with`: or zero); none is NaN.
template <class T>
__device__ int64_t up_to_zero(const SortedUnit<T>& sorted, int64_t samples, bool with) {
  int64_t low = 0, high = samples;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    const double value = sorted[middle];
    if (value < 0 || (with && value == 0)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Rounded on its own, as NumPy's quantile does: an edge out of a contracted a * b + c could be on
// the other side of a value.
__device__ double product(double a, double b) { return fma(a, b, 0.0); }

template <class T>
__device__ double quantile(const SortedUnit<T>& sorted, int64_t samples, double share) {
  const int64_t below_zero = up_to_zero(sorted, samples, false);
  const int64_t zeros = up_to_zero(sorted, samples, true) - below_zero;
  const int64_t last = samples - zeros - 1;  // of the values that are not zero
  if (last < 0) return 0;
  const double place = product(double(last), share), whole = floor(place);
  int64_t lower = int64_t(whole), upper = lower < last ? lower + 1 : last;
  lower += lower < below_zero ? 0 : zeros;
  upper += upper < below_zero ? 0 : zeros;
  const double a = sorted[lower], b = sorted[upper];
  const double difference = b - a, weight = place - whole;
  return weight < 0.5 ? a + product(difference, weight) : b - product(difference, 1 - weight);
}

template <class T>
__global__ void __launch_bounds__(kMostThreads, 4)  // 64 registers: fewer spill
    edge_kernel(SortedUnits<T> units, int64_t bins, double* __restrict__ edges,
                ConstantCounters constant) {
  const int64_t unit = blockIdx.x, begin = unit * units.samples;
  const SortedUnit<T> sorted{units.values + begin, units.order + begin};
  const double first = sorted[0], last = sorted[units.samples - 1];
  const bool unknown = first != first || last != last;  // NaN is at an end
  for (int64_t k = threadIdx.x; k < bins - 2; k += blockDim.x) {
    const double share = double(k + 1) / double(bins - 1);
    edges[unit * (bins - 2) + k] = unknown ? NAN : quantile(sorted, units.samples, share);
  }
  if (threadIdx.x > 0 || first != last) return;
  const int64_t item = (constant.first + unit) / constant.units_per_item;
  auto* const counter =
      reinterpret_cast<unsigned long long*>(constant.numbers + constant.step * item);
  atomicAdd(counter, 1ull);
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    code_kernel(const T* __restrict__ values, int64_t samples, const double* __restrict__ edges,
                int count, uint8_t* __restrict__ codes, int64_t* __restrict__ unknown) {
  const size_t begin = size_t(blockIdx.y) * samples;
  const double* const mine = edges + size_t(blockIdx.y) * count;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t k = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; k < samples; k += step) {
    const double value = double(values[begin + k]);
    int low = 0, high = count;
    while (low < high) {
      const int middle = (low + high) / 2;
      if (mine[middle] <= value || value != value) {  // NaN is beyond all edges
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (value != value)
      atomicMax(reinterpret_cast<unsigned long long*>(unknown) + blockIdx.y, 1ull);
    codes[begin + k] = uint8_t(value == 0 ? 0 : 1 + low);
  }
}

}  // namespace

template <class T>
cudaError_t bin_edges(const SortedUnits<T>& units, int64_t bins, double* edges,
                      const ConstantCounters& constant, cudaStream_t stream) {
  return launch(edge_kernel<T>, dim3(unsigned(units.count)), threads_for(bins - 2), 0, stream,
                units, bins, edges, constant);
}

template <class T>
cudaError_t unit_codes(const T* values, int64_t count, int64_t samples, const double* edges,
                       int64_t bins, uint8_t* codes, int64_t* unknown, cudaStream_t stream) {
  const unsigned blocks = blocks_for(samples).x;
  for (int64_t first = 0; first < count; first += kMostUnits) {
    const int64_t some = count - first < kMostUnits ? count - first : kMostUnits;
    const dim3 grid(blocks < kBlocksPerUnit ? blocks : kBlocksPerUnit, unsigned(some));
    const cudaError_t error = launch(code_kernel<T>, grid, threads_for(samples), 0, stream,
                                     values + first * samples, samples, edges + first * (bins - 2),
                                     int(bins - 2), codes + first * samples, unknown + first);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

#define LIKEWISE_INSTANTIATE(T)                                                                    \
  template cudaError_t bin_edges<T>(const SortedUnits<T>&, int64_t, double*,                       \
                                    const ConstantCounters&, cudaStream_t);                        \
  template cudaError_t unit_codes<T>(const T*, int64_t, int64_t, const double*, int64_t, uint8_t*, \
                                     int64_t*, cudaStream_t);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

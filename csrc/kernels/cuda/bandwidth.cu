// The median distance by its digits: numbers that are not negative sort as their bits do. Every
// digit reads all distances once: bytes over bandwidth, 4 times in float32 and 8 times in float64.

#include "core/cuda/order.cuh"
#include "core/instantiate.h"
#include "kernels/cuda/bandwidth.h"
#include "kernels/cuda/kernel_value.cuh"

namespace likewise::cuda {
namespace {

// Below this share of the norms a distance is computed from the difference.
constexpr double kSmall = 1e-2;

__device__ unsigned long long bits_of(float value) { return __float_as_uint(value); }
__device__ unsigned long long bits_of(double value) {
  return static_cast<unsigned long long>(__double_as_longlong(value));
}

template <class T>
__global__ void __launch_bounds__(kMostThreads) distance_kernel(DistanceRows<T> block) {
  const int64_t p = block.first + blockIdx.x;
  T* const values = block.values + size_t(blockIdx.x) * block.rows;
  for (int64_t q = threadIdx.x; q < block.rows; q += blockDim.x) {
    const double norms = block.norms[p] + block.norms[q];
    double square = norms - 2 * double(values[q]);
    if (square < kSmall * norms) {
      square = squared_difference(block.x, block.cols, *block.unit, p, q);
    }
    values[q] = T(square);
  }
}

__global__ void __launch_bounds__(kDigits) start_kernel(Selection* selection, int64_t size) {
  selection->counts[threadIdx.x] = 0;
  if (threadIdx.x > 0) return;
  selection->prefix = 0;
  selection->place = (size - 1) / 2;
  selection->equal = size;
  selection->above = ~0ull;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    count_kernel(const T* __restrict__ values, int64_t rows, int64_t first, int digit,
                 Selection* selection) {
  SHARED_ARRAY(unsigned, counts, kDigits);
  constexpr int kBits = 8 * int(sizeof(T));
  const int64_t p = first + blockIdx.x;
  const T* const row = values + size_t(blockIdx.x) * rows;
  const unsigned long long prefix = selection->prefix;
  const int shift = kBits - 8 * (digit + 1);
  for (unsigned k = threadIdx.x; k < kDigits; k += blockDim.x) counts[k] = 0;
  __syncthreads();
  for (int64_t q = threadIdx.x; q < p; q += blockDim.x) {
    const auto bits = bits_of(row[q]);
    const bool begins = digit == 0 || bits >> (shift + 8) == prefix;
    if (begins) atomicAdd(&counts[bits >> shift & 255], 1u);
  }
  __syncthreads();
  for (unsigned k = threadIdx.x; k < kDigits; k += blockDim.x) {
    if (counts[k] == 0) continue;
    atomicAdd(&selection->counts[k], static_cast<unsigned long long>(counts[k]));
  }
}

// A warp: 8 loads of each lane and 5 shuffles, where one thread followed up to 256 loads.
__global__ void __launch_bounds__(32) pick_kernel(Selection* selection) {
  const auto wanted = static_cast<unsigned long long>(selection->place + 1);
  __syncwarp();  // one lane writes it below
  find_digit<kDigits>(selection->counts, wanted, false,
                      [=](int digit, unsigned long long before, unsigned long long here) {
                        selection->place = int64_t(wanted - before) - 1;
                        selection->equal = int64_t(here);
                        selection->prefix =
                            selection->prefix << 8 | static_cast<unsigned long long>(digit);
                      });
  __syncwarp();
  for (int k = int(threadIdx.x); k < kDigits; k += 32) selection->counts[k] = 0;
}

template <class T>
__global__ void __launch_bounds__(kMostThreads)
    above_kernel(const T* __restrict__ values, int64_t rows, int64_t first, Selection* selection) {
  const int64_t p = first + blockIdx.x;
  const T* const row = values + size_t(blockIdx.x) * rows;
  const unsigned long long found = selection->prefix;
  unsigned long long least = ~0ull;
  for (int64_t q = threadIdx.x; q < p; q += blockDim.x) {
    const auto bits = bits_of(row[q]);
    if (bits > found && bits < least) least = bits;
  }
  if (least != ~0ull) atomicMin(&selection->above, least);
}

template <class T>
__device__ double number_of(unsigned long long bits) {
  if (sizeof(T) == 4) return double(__uint_as_float(unsigned(bits)));
  return __longlong_as_double(static_cast<long long>(bits));
}

template <class T>
__global__ void finish_kernel(const Selection* selection, int64_t size, double* middle) {
  const bool same = size % 2 == 1 || selection->place + 1 < selection->equal;
  middle[0] = number_of<T>(selection->prefix);
  middle[1] = same ? middle[0] : number_of<T>(selection->above);
}

}  // namespace

template <class T>
void squared_distance_rows(const DistanceRows<T>& block, cudaStream_t stream) {
  launch(distance_kernel<T>, dim3(unsigned(block.count)), threads_for(block.rows), 0, stream,
         block);
}

void start_selection(Selection* selection, int64_t size, cudaStream_t stream) {
  launch(start_kernel, dim3(1), dim3(kDigits), 0, stream, selection, size);
}

template <class T>
void count_digits(const T* values, int64_t rows, int64_t first, int64_t count, int digit,
                  Selection* selection, cudaStream_t stream) {
  launch(count_kernel<T>, dim3(unsigned(count)), threads_for(rows), 0, stream, values, rows, first,
         digit, selection);
}

void pick_digit(Selection* selection, cudaStream_t stream) {
  launch(pick_kernel, dim3(1), dim3(32), 0, stream, selection);
}

template <class T>
void find_above(const T* values, int64_t rows, int64_t first, int64_t count, Selection* selection,
                cudaStream_t stream) {
  launch(above_kernel<T>, dim3(unsigned(count)), threads_for(rows), 0, stream, values, rows, first,
         selection);
}

template <class T>
void finish_selection(const Selection* selection, int64_t size, double* middle,
                      cudaStream_t stream) {
  launch(finish_kernel<T>, dim3(1), dim3(1), 0, stream, selection, size, middle);
}

LIKEWISE_INSTANTIATE(squared_distance_rows);
LIKEWISE_INSTANTIATE(count_digits);
LIKEWISE_INSTANTIATE(find_above);
LIKEWISE_INSTANTIATE(finish_selection);

}  // namespace likewise::cuda

// RDMs around a matrix product in double, 2 n^2 d operations per item: every sample is read five
// times and written once, every inner product read and every entry written once: bytes over
// bandwidth.

#include "core/cuda/columns.cuh"
#include "core/instantiate.h"
#include "rsa/cuda/rdm.h"

namespace likewise::cuda {
namespace {

constexpr double kEpsilon = 2.220446049250313e-16;
// As in rsa/samples.h: below this share of the norms, or (angles) this size, a square is computed
// from the samples.
constexpr double kShare = 1e-2, kLeastAngle = 1e-17;

__global__ void __launch_bounds__(kColumns* kStripes)
    describe_kernel(const double* __restrict__ spreads, int64_t cols, RdmItem* __restrict__ items) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const size_t item = blockIdx.x;
  const int64_t thread = int64_t(threadIdx.y) * kColumns + threadIdx.x;
  double largest = 0, constant = 0;
  for (int64_t j = thread; j < cols; j += kColumns * kStripes) {
    const double spread = spreads[item * cols + j];
    largest = Largest::of(spread, largest);
    constant += spread == 0;
  }
  largest = over_block<Largest>(largest, shared);
  constant = over_block<Sum>(constant, shared);
  if (thread > 0) return;
  const double unit = unit_for(largest);
  // Entries of other samples than those with NaN or infinity stay numbers.
  items[item] = {unit > 0 ? unit : 1, int64_t(constant), largest == 0, false};
}

__device__ double warp_largest(double value) {
  for (int step = 16; step > 0; step /= 2) {
    value = Largest::of(value, __shfl_xor_sync(kAllLanes, value, step));
  }
  return value;
}

// A warp per sample.
template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    sample_kernel(const T* __restrict__ x, int64_t count, int64_t rows, int64_t cols, bool centred,
                  SampleFacts* __restrict__ facts, int64_t* __restrict__ without) {
  const int64_t row = int64_t(blockIdx.x) * kStripes + threadIdx.y;
  if (row >= count * rows) return;
  const T* const from = x + row * cols;
  double high = double(from[0]), negative_low = -high;
  for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
    high = Largest::of(double(from[j]), high);
    negative_low = Largest::of(-double(from[j]), negative_low);
  }
  high = warp_largest(high);
  const double low = -warp_largest(negative_low);
  SampleFacts out{1, 0, 0, 0};
  const double scale = unit_for(Largest::of(high, -low));
  if (!(scale >= 0)) {
    out.length = NAN;
  } else if (scale == 0 || (centred && low == high)) {
    if (without && threadIdx.x == 0) {
      atomicAdd(reinterpret_cast<unsigned long long*>(without + row / rows), 1ull);
    }
  } else {
    out.scale = scale;
    // Differences of numbers within a factor of two of each other are exact.
    const bool narrow = low > 0 ? high <= 2 * low : high < 0 && low >= 2 * high;
    if (centred && narrow) out.shift = double(from[0]) * scale;
    for (int pass = 0; centred && pass < 2; ++pass) {  // the second takes what the first rounded
      double sum = 0;
      for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
        sum += double(from[j]) * scale - out.shift - out.mean;
      }
      out.mean += warp_sum(sum) / double(cols);
    }
    double squares = 0;
    for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
      const double value = double(from[j]) * scale - out.shift - out.mean;
      squares += value * value;
    }
    out.length = sqrt(warp_sum(squares));
  }
  if (threadIdx.x == 0) facts[row] = out;
}

template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    direction_kernel(const T* __restrict__ x, const SampleFacts* __restrict__ facts, int64_t rows,
                     int64_t cols, double* __restrict__ centres) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const size_t item = blockIdx.y;
  const int64_t j = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  double sum = 0, counted = 0;
  for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
    const SampleFacts sample = facts[item * rows + i];
    if (!(sample.length > 0) || j >= cols) continue;
    sum += (double(x[(item * rows + i) * cols + j]) * sample.scale - sample.shift) / sample.length;
    ++counted;
  }
  sum = over_stripes<Sum>(sum, shared);
  counted = over_stripes<Sum>(counted, shared);
  if (threadIdx.y == 0 && j < cols) centres[item * cols + j] = counted > 0 ? sum / counted : 0;
}

// With c the mean direction, the point of a sample a of length L is a / L - c, of which a - L c has
// one rounding.
template <class T>
struct Residual {
  const T* sample;
  const double* centre;
  SampleFacts facts;
  __device__ double at(int64_t j) const {
    if (facts.length == 0) return -centre[j];
    return fma(-facts.length, centre[j], double(sample[j]) * facts.scale - facts.shift);
  }
  __device__ double length() const { return facts.length == 0 ? 1 : facts.length; }
};

// A warp per sample.
template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    point_kernel(const T* __restrict__ x, int64_t count, int64_t rows, int64_t cols, bool distances,
                 bool centred, Points to) {
  const int64_t row = int64_t(blockIdx.x) * kStripes + threadIdx.y, item = row / rows;
  if (row >= count * rows) return;
  const T *const from = x + row * cols, *const first = x + item * rows * cols;
  double* const out = to.out + row * cols;
  double squares = 0;
  if (distances) {
    const double unit = to.items[item].unit;
    for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
      const double value = (double(from[j]) - double(first[j])) * unit;
      out[j] = value;
      squares += value * value;
    }
  } else {
    const Residual<T> residual{from, to.centres + item * cols, to.facts[row]};
    double mean = 0;
    for (int pass = 0; centred && pass < 2; ++pass) {
      double sum = 0;
      for (int64_t j = threadIdx.x; j < cols; j += kColumns) sum += residual.at(j) - mean;
      mean += warp_sum(sum) / double(cols);
    }
    for (int64_t j = threadIdx.x; j < cols; j += kColumns) {
      const double value = (residual.at(j) - mean) / residual.length();
      out[j] = value;
      squares += value * value;
    }
  }
  squares = warp_sum(squares);
  if (threadIdx.x == 0) to.norms[row] = squares;
}

// Twice the dissimilarity of two samples with directions, near `square`: what is left of a without
// its part along b, which e = a - s b takes with one rounding of each element, and the rest of it,
// a rounding of s, by Pythagoras.
template <class T>
__device__ double square_of_angle(const T* a, const T* b, const SampleFacts& of_a,
                                  const SampleFacts& of_b, int64_t cols, bool centred,
                                  double square) {
  const double slope = (1 - square / 2) * of_a.length / of_b.length;
  const auto element_b = [&](int64_t j) { return double(b[j]) * of_b.scale - of_b.shift; };
  const auto rest = [&](int64_t j) {
    return fma(-slope, element_b(j), double(a[j]) * of_a.scale - of_a.shift);
  };
  double size = 0, mean = 0;
  for (int64_t j = 0; j < cols; ++j) {
    const double e = rest(j);
    size += e * e;
    mean += e;
  }
  mean = centred ? mean / double(cols) : 0;
  double whole = 0, along = 0;
  for (int64_t j = 0; j < cols; ++j) {
    const double e = rest(j) - mean;
    whole += e * e;
    along += e * (element_b(j) - of_b.mean);
  }
  along /= of_b.length;
  const double across = whole - along * along;
  // Parallel samples: all of it is rounding.
  if (across <= kEpsilon * (double(cols + 16) * along * along + 4 * kEpsilon * size)) return 0;
  return 2 * across / (of_a.length * of_a.length) / (2 - square / 2);
}

template <class T, class Out>
__global__ void __launch_bounds__(kMostThreads)
    condense_kernel(RdmRows<T, Out> block, bool distances, bool squared, bool centred) {
  const size_t item = blockIdx.y;
  const int64_t rows = block.rows, cols = block.cols, width = rows - block.first;
  const int64_t i = block.first + blockIdx.x;
  const Points& points = block.points;
  const double* const products = block.products + (item * block.height + blockIdx.x) * width;
  Out* const out = block.out + item * (rows * (rows - 1) / 2) + i * (2 * rows - i - 1) / 2;
  for (int64_t j = i + 1 + threadIdx.x; j < rows; j += blockDim.x) {
    const size_t at_a = item * rows + i, at_b = item * rows + j;
    const double norms = points.norms[at_a] + points.norms[at_b];
    double square = norms - 2 * products[j - block.first];
    const T *const a = block.x + at_a * cols, *const b = block.x + at_b * cols;
    if (!distances) {
      const SampleFacts of_a = points.facts[at_a], of_b = points.facts[at_b];
      if (of_a.length * of_b.length == 0) {
        square = 2;
      } else if (square < kShare * norms || square < kLeastAngle) {
        square = square_of_angle(a, b, of_a, of_b, cols, centred, square);
      }
      out[j - i - 1] = Out(square / 2);
      continue;
    }
    const double unit = points.items[item].unit, scale = block.in_units ? 1 : unit;
    if (square < kShare * norms) {
      square = 0;
      for (int64_t t = 0; t < cols; ++t) {
        const double step = (double(a[t]) - double(b[t])) * unit;
        square += step * step;
      }
    }
    out[j - i - 1] = Out(squared ? square / scale / scale : sqrt(square) / scale);
  }
}

// A block per RDM.
template <class T>
__global__ void __launch_bounds__(kColumns* kStripes)
    copy_kernel(const T* __restrict__ rdms, int64_t size, double* __restrict__ out) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const size_t begin = size_t(blockIdx.x) * size;
  const int64_t thread = int64_t(threadIdx.y) * kColumns + threadIdx.x;
  double largest = 0;
  for (int64_t k = thread; k < size; k += kColumns * kStripes) {
    largest = Largest::of(fabs(double(rdms[begin + k])), largest);
  }
  largest = over_block<Largest>(largest, shared);
  const bool far = largest > 0 && largest < INFINITY && !(largest > 1e-100 && largest < 1e100);
  const double unit = far ? unit_for(largest) : 1;
  for (int64_t k = thread; k < size; k += kColumns * kStripes) {
    out[begin + k] = double(rdms[begin + k]) * unit;
  }
}

__global__ void __launch_bounds__(kColumns* kStripes)
    flat_kernel(const double* __restrict__ rdms, int64_t size, double tolerance,
                RdmItem* __restrict__ items) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const double* const rdm = rdms + size_t(blockIdx.x) * size;
  double high = rdm[0], negative_low = -high;
  for (int64_t k = int64_t(threadIdx.y) * kColumns + threadIdx.x; k < size;
       k += kColumns * kStripes) {
    high = Largest::of(rdm[k], high);
    negative_low = Largest::of(-rdm[k], negative_low);
  }
  high = over_block<Largest>(high, shared);
  negative_low = over_block<Largest>(negative_low, shared);
  if (threadIdx.x + threadIdx.y > 0) return;
  items[blockIdx.x].flat = high + negative_low <= tolerance * Largest::of(high, negative_low);
}

}  // namespace

void describe_items(const double* spreads, int64_t count, int64_t cols, RdmItem* items,
                    cudaStream_t stream) {
  launch(describe_kernel, dim3(unsigned(count)), dim3(kColumns, kStripes), 0, stream, spreads, cols,
         items);
}

template <class T>
void describe_samples(const T* x, int64_t count, int64_t rows, int64_t cols, bool centred,
                      SampleFacts* facts, int64_t* without, cudaStream_t stream) {
  const dim3 grid(unsigned((count * rows + kStripes - 1) / kStripes));
  launch(sample_kernel<T>, grid, dim3(kColumns, kStripes), 0, stream, x, count, rows, cols, centred,
         facts, without);
}

template <class T>
void mean_directions(const T* x, const SampleFacts* facts, int64_t count, int64_t rows,
                     int64_t cols, double* centres, cudaStream_t stream) {
  launch(direction_kernel<T>, blocks_of_columns(cols, count), dim3(kColumns, kStripes), 0, stream,
         x, facts, rows, cols, centres);
}

template <class T>
void place_points(const T* x, int64_t count, int64_t rows, int64_t cols,
                  Dissimilarity dissimilarity, const Points& to, cudaStream_t stream) {
  const dim3 grid(unsigned((count * rows + kStripes - 1) / kStripes));
  launch(point_kernel<T>, grid, dim3(kColumns, kStripes), 0, stream, x, count, rows, cols,
         is_distance(dissimilarity), dissimilarity == Dissimilarity::correlation, to);
}

template <class T, class Out>
void condense(const RdmRows<T, Out>& block, Dissimilarity dissimilarity, cudaStream_t stream) {
  const dim3 grid(unsigned(block.height), unsigned(block.count));
  launch(condense_kernel<T, Out>, grid, threads_for(block.rows - block.first), 0, stream, block,
         is_distance(dissimilarity), dissimilarity == Dissimilarity::sqeuclidean,
         dissimilarity == Dissimilarity::correlation);
}

template <class T>
void copy_rdms(const T* rdms, int64_t count, int64_t size, double* out, cudaStream_t stream) {
  launch(copy_kernel<T>, dim3(unsigned(count)), dim3(kColumns, kStripes), 0, stream, rdms, size,
         out);
}

void find_flat(const double* rdms, int64_t count, int64_t size, double tolerance, RdmItem* items,
               cudaStream_t stream) {
  launch(flat_kernel, dim3(unsigned(count)), dim3(kColumns, kStripes), 0, stream, rdms, size,
         tolerance, items);
}

LIKEWISE_INSTANTIATE(describe_samples);
LIKEWISE_INSTANTIATE(mean_directions);
LIKEWISE_INSTANTIATE(place_points);
template decltype(condense<float, double>) condense<float, double>;
template decltype(condense<double, double>) condense<double, double>;
LIKEWISE_INSTANTIATE(copy_rdms);
template decltype(condense<float, float>) condense<float, float>;

}  // namespace likewise::cuda

// One-sided Jacobi SVD of matrices that fit into shared memory, a block each. A few lanes turn a
// pair of columns, all pairs of a round at a time. Squared lengths are carried along, and summed
// afresh before every sweep: what is left to sum per pair is one inner product.

#include "core/instantiate.h"
#include "linalg/cuda/jacobi.cuh"
#include "linalg/cuda/jacobi_shared.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostBytes = 99 * 1024 - 1024;  // of sm_120, less what is not dynamic

// A column of the matrix with that of the right vectors behind it. Odd multiples of eight: columns
// that lie one behind the other start in different banks.
__host__ __device__ inline int64_t stride_of(int64_t rows) { return ((rows + 7) / 8 | 1) * 8; }

template <class T>
size_t shared_bytes(int64_t m, int64_t n, bool vectors) {
  return SharedSize()
      .add<T>(size_t(n * stride_of(vectors ? m + n : m)))
      .template add<T>(size_t(2 * n))
      .bytes;
}

// In every lane the sum over its `lanes` neighbours, a power of two.
template <class T>
__device__ T sum_of_lanes(T value, int lanes) {
  for (int step = lanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

// The columns of one matrix in shared memory, and how the threads share them.
template <class T>
struct Columns {
  T* data;
  T* lengths;  // squared, of 2 x n columns: those of even and those of odd rounds
  int m, rows, n, stride, lanes;

  __device__ int lane() const { return int(threadIdx.x) % lanes; }
  __device__ int group() const { return int(threadIdx.x) / lanes; }
  __device__ int groups() const { return int(blockDim.x) / lanes; }

  __device__ void measure() const {
    for (int first = 0; first < n; first += groups()) {
      const int j = first + group();
      T sum = 0;
      for (int i = lane(); j < n && i < m; i += lanes) {
        sum += data[j * stride + i] * data[j * stride + i];
      }
      sum = sum_of_lanes(sum, lanes);
      if (j < n && lane() == 0) lengths[j] = sum;
    }
  }

  // Turns the pairs of a round that belong to this thread's group. Whether there were some.
  __device__ int turn(int round, int players, T negligible) const {
    const T* const before = lengths + round % 2 * n;
    T* const after = lengths + (round + 1) % 2 * n;
    int turned = 0;
    for (int first = 0; first < players / 2; first += groups()) {
      const int k = first + group();
      const ColumnPair pair = pair_of_round(round, k, players);
      const bool pauses = k >= players / 2 || pair.q >= n;
      T* const p = data + (pauses ? 0 : pair.p * stride);
      T* const q = data + (pauses ? 0 : pair.q * stride);
      T gamma = 0;
      for (int i = lane(); i < m && !pauses; i += lanes) gamma += p[i] * q[i];
      gamma = sum_of_lanes(gamma, lanes);
      if (k >= players / 2) continue;
      T alpha = before[pair.p], beta = pauses ? T(0) : before[pair.q];
      if (!pauses && is_to_be_turned(alpha, beta, gamma, m, negligible)) {
        const Rotation<T> rotation(alpha, beta, gamma);
        for (int i = lane(); i < rows; i += lanes) rotation.turn(p[i], q[i]);
        alpha = fmax(alpha - rotation.tangent * gamma, T(0));
        beta = fmax(beta + rotation.tangent * gamma, T(0));
        turned = 1;
      }
      if (lane() == 0) {
        after[pair.p] = alpha;
        if (!pauses) after[pair.q] = beta;
      }
    }
    return turned;
  }
};

template <class T>
__global__ void __launch_bounds__(kMostThreads, 3)
    shared_kernel(const T* __restrict__ a, bool transposed, JacobiSvd<T> svd, int lanes) {
  SHARED_ARRAY(T, partial, 32);
  SharedArena arena;
  const bool vectors = svd.right != nullptr;
  const int m = int(svd.m), n = int(svd.n), rows = vectors ? m + n : m;
  const int stride = int(stride_of(rows));
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  const int64_t item = blockIdx.x;
  T* const data = arena.take<T>(size_t(n) * stride);
  const Columns<T> columns{data, arena.take<T>(size_t(2) * n), m, rows, n, stride, lanes};

  const T* const from = a + item * n * m;
  const T largest = largest_magnitude(from, int64_t(n) * m, partial);
  const bool usable = largest >= 0;
  const T scale = scale_for(largest);
  for (int k = thread; k < n * m; k += threads) {
    const int j = transposed ? k / m : k % n, i = transposed ? k % m : k / n;
    data[j * stride + i] = from[k] / scale;
  }
  for (int k = thread; k < n * (rows - m); k += threads) {
    data[k / n * stride + m + k % n] = k / n == k % n ? T(1) : T(0);
  }
  __syncthreads();
  columns.measure();
  __syncthreads();
  T total = 0;
  for (int j = 0; j < n; ++j) total += columns.lengths[j];
  const T negligible = rounding<T>() * rounding<T>() * total;
  // All have read the lengths before the first round's barrier, and that round leaves them alone.

  const int players = n + n % 2;
  int busy = usable && n > 1;
  for (int sweep = 0; sweep < kMostSweeps && busy; ++sweep) {
    int turned = 0;
    for (int round = 0; round < players - 1; ++round) {
      turned |= columns.turn(round, players, negligible);
      busy = __syncthreads_or(turned);
    }
    columns.measure();
    __syncthreads();
  }
  const bool good = usable && !busy;
  if (!good && thread == 0 && svd.failure) {
    atomicMin(svd.failure, static_cast<unsigned long long>(item));
  }
  const T* const lengths = columns.lengths;
  T* const values = svd.values + item * n;
  for (int j = thread; j < n; j += threads) {
    values[j] = !good ? T(NAN) : lengths[j] > negligible ? sqrt(lengths[j]) * scale : T(0);
  }
  if (!vectors) return;
  T* const left = svd.columns + item * n * m;
  T* const right = svd.right + item * n * n;
  for (int k = thread; k < n * m; k += threads) {
    const T square = lengths[k / m], x = data[k / m * stride + k % m];
    left[k] = !good ? T(NAN) : square > negligible ? x / sqrt(square) : T(0);
  }
  for (int k = thread; k < n * n; k += threads) {
    right[k] = good ? data[k / n * stride + m + k % n] : T(NAN);
  }
}

}  // namespace

template <class T>
bool fits_shared_memory(int64_t m, int64_t n, bool vectors) {
  return m <= kMostBytes && shared_bytes<T>(m, n, vectors) <= size_t(kMostBytes);
}

template <class T>
void jacobi_svd_shared(const T* a, bool transposed, const JacobiSvd<T>& svd, cudaStream_t stream) {
  const bool vectors = svd.right != nullptr;
  if (!fits_shared_memory<T>(svd.m, svd.n, vectors)) check(cudaErrorInvalidValue, "launch");
  // More lanes for long columns, as long as one turn of the block takes all pairs.
  const int64_t pairs = (svd.n + 1) / 2;
  int lanes = 8;
  while (lanes < 32 && svd.m >= 16 * lanes && 2 * lanes * pairs <= kMostThreads) lanes *= 2;
  launch(shared_kernel<T>, dim3(unsigned(svd.count)), threads_for(pairs * lanes),
         shared_bytes<T>(svd.m, svd.n, vectors), stream, a, transposed, svd, lanes);
  if (vectors) complete_columns(svd, stream);
}

LIKEWISE_INSTANTIATE(fits_shared_memory);
LIKEWISE_INSTANTIATE(jacobi_svd_shared);

}  // namespace likewise::cuda

// Batched transport with uniform marginals: one block solves one problem by successive shortest
// paths with column duals alone, sending whole units, as the assignment kernel does it with pairs.
//
// Units are kept dense, column after column: a column that is scanned reads its senders as one
// coalesced run. Searches do not multiply, and ties go to the lowest index: a GPU and the simulator
// agree bit for bit, whatever the number of threads.
//
// Derived for an H100, 1000 problems of 512 x 768 correlations, not measured: by the simulator's
// count 1200 searches with 18000 rows and 27000 columns, 85 MB (float32), 28 ms of bandwidth for
// all. Costs, and units, of a thread are on their way four together, and the cost by which a row
// came in with them: two trips to memory a row where there were seven in turn, one a column where
// there were four; .6 us each and .3 us to find the nearest, 46 ms a wave of blocks, where it was
// 140. A greedy start would save one step of each row, 512 of 45000.

#include <numeric>

#include "core/cuda/nearest.cuh"
#include "core/instantiate.h"
#include "transport/cuda/flow.h"

namespace likewise::cuda {
namespace {

constexpr short kNone = -1;
constexpr short kRoot = -2;  // entry of the row where a path begins

// The arrays of one problem; all but the costs and units in shared memory.
template <class T>
struct Problem {
  const T* cost;
  short* units;
  int rows, cols;
  T sign;
  double* column_dual = nullptr;
  double* distance = nullptr;
  double* partial_distance = nullptr;
  int* partial_key = nullptr;
  int* in_tree = nullptr;  // one number: rows of the tree of paths, beside the root
  int* pushed = nullptr;   // one number
  short* predecessor = nullptr;
  short* room = nullptr;   // units that a column can still take
  short* entry = nullptr;  // the column by which a row came into the tree
  short* tree = nullptr;

  __device__ double reduced(int row, int column) const {
    return double(sign * cost[size_t(row) * cols + column]) - column_dual[column];
  }
  __device__ short& sent(int row, int column) const { return units[size_t(column) * rows + row]; }
};

template <class T>
__device__ void take_arrays(SharedArena& arena, Problem<T>& p) {
  p.column_dual = arena.take<double>(p.cols);
  p.distance = arena.take<double>(p.cols);
  p.partial_distance = arena.take<double>(2 * 32);
  p.partial_key = arena.take<int>(2 * 32);
  p.in_tree = arena.take<int>(1);
  p.pushed = arena.take<int>(1);
  p.predecessor = arena.take<short>(p.cols);
  p.room = arena.take<short>(p.cols);
  p.entry = arena.take<short>(p.rows);
  p.tree = arena.take<short>(p.rows);
}

size_t problem_bytes(int rows, int cols) {
  return SharedSize()
      .add<double>(cols)
      .add<double>(cols)
      .add<double>(2 * 32)
      .add<int>(2 * 32)
      .add<int>(1)
      .add<int>(1)
      .add<short>(cols)
      .add<short>(cols)
      .add<short>(rows)
      .add<short>(rows)
      .bytes;
}

// Column minima as first duals, and nothing sent. Whether this thread met a cost that no problem
// may have.
template <class T>
__device__ bool start(const Problem<T>& p, short demand) {
  bool invalid = false;
  for (int j = int(threadIdx.x); j < p.cols; j += int(blockDim.x)) {
    T least = INFINITY;
    for (int i = 0; i < p.rows; ++i) {
      const T c = p.sign * p.cost[size_t(i) * p.cols + j];
      invalid |= !(c > -INFINITY);
      least = c < least ? c : least;
    }
    p.column_dual[j] = least < INFINITY ? double(least) : 0.0;
    p.room[j] = demand;
  }
  const size_t size = size_t(p.rows) * p.cols;
  for (size_t k = threadIdx.x; k < size; k += blockDim.x) p.units[k] = 0;
  return invalid;
}

// Paths that go on from a row, for the columns of this thread; the row came in by `column` (-1: it
// is the root) at the distance `least`. Of equally short ones the lowest row is kept, in whatever
// order rows come.
template <class T>
__device__ void scan(const Problem<T>& p, int row, int column, double least, unsigned scanned) {
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  const T* const costs = p.cost + size_t(row) * p.cols;
  double offset = 0;
  for (int first = thread, k = 0; first < p.cols; first += kAtOnce * threads, k += kAtOnce) {
    const AtOnce<T> some(costs, first, threads, p.cols);
    if (k == 0 && column >= 0) offset = p.reduced(row, column) - least;  // behind the loads above
    some.each(first, threads, p.cols, [&](int j, int q, T c) {
      if (scanned >> (k + q) & 1) return;
      const double through = double(p.sign * c) - p.column_dual[j] - offset;
      const double distance = p.distance[j];
      if (through < distance || (through == distance && row < p.predecessor[j])) {
        p.distance[j] = through;
        p.predecessor[j] = short(row);
      }
    });
  }
}

template <class T>
__device__ Nearest nearest_column(const Problem<T>& p, unsigned scanned, int& parity) {
  Nearest best{INFINITY, kNoRow};
  for (int j = int(threadIdx.x), k = 0; j < p.cols; j += int(blockDim.x), ++k) {
    if (scanned >> k & 1) continue;
    const Nearest here{p.distance[j], int(p.room[j] == 0) << kFullBit | j};
    if (nearer(here, best)) best = here;
  }
  return block_nearest(best, p.partial_distance, p.partial_key, parity);
}

// As many of `most` units as fit along the path that ends in this column; by one thread.
template <class T>
__device__ int push(const Problem<T>& p, int sink, int most) {
  int units = most < p.room[sink] ? most : p.room[sink];
  for (int i = p.predecessor[sink]; p.entry[i] != kRoot; i = p.predecessor[p.entry[i]]) {
    const int sent = p.sent(i, p.entry[i]);
    units = sent < units ? sent : units;
  }
  p.room[sink] = short(p.room[sink] - units);
  int j = sink;
  while (true) {
    const int i = p.predecessor[j];
    p.sent(i, j) = short(p.sent(i, j) + units);
    if (p.entry[i] == kRoot) return units;
    j = p.entry[i];
    p.sent(i, j) = short(p.sent(i, j) - units);
  }
}

// Sends units of `root` along a shortest path to a column with room, at most `left` of them.
// Returns how many are left then, in every thread; no fewer if there is no such column.
template <class T>
__device__ int augment(const Problem<T>& p, int root, int left, int& parity) {
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  for (int j = thread; j < p.cols; j += threads) {
    p.distance[j] = INFINITY;
    p.predecessor[j] = 0;
  }
  for (int i = thread; i < p.rows; i += threads) p.entry[i] = i == root ? kRoot : kNone;
  if (thread == 0) *p.in_tree = 0;
  unsigned scanned = 0;  // bit k: the k-th column of this thread
  int known = 0, sink = kNone;
  double least = 0;
  scan(p, root, -1, 0, scanned);
  while (true) {
    const Nearest best = nearest_column(p, scanned, parity);
    least = best.distance;
    if (!(least < INFINITY)) break;
    const int column = best.key & ((1 << kFullBit) - 1);
    if (column % threads == thread) scanned |= 1u << (column / threads);
    if (best.key >> kFullBit == 0) {
      sink = column;
      break;
    }
    for (int first = thread; first < p.rows; first += kAtOnce * threads) {
      const AtOnce<short> some(&p.sent(0, column), first, threads, p.rows);
      some.each(first, threads, p.rows, [&](int i, int, short sent) {
        if (sent == 0 || p.entry[i] != kNone) return;
        p.entry[i] = short(column);
        p.tree[atomicAdd(p.in_tree, 1)] = short(i);
      });
    }
    __syncthreads();
    for (const int end = *p.in_tree; known < end; ++known) {
      scan(p, p.tree[known], column, least, scanned);
    }
  }
  if (sink == kNone) return left;
  for (int j = thread, k = 0; j < p.cols; j += threads, ++k) {
    if (scanned >> k & 1) p.column_dual[j] += p.distance[j] - least;
  }
  if (thread == 0) *p.pushed = push(p, sink, left);
  __syncthreads();
  return left - *p.pushed;
}

// The least reduced costs of rows, as tight as rounding allows, go to p.distance, which is free.
template <class T>
__device__ void find_row_duals(const Problem<T>& p) {
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  for (int i = warp; i < p.rows; i += int(blockDim.x) >> 5) {
    double least = INFINITY;
    for (int j = lane; j < p.cols; j += 32) {
      const double reduced = p.reduced(i, j);
      least = reduced < least ? reduced : least;
    }
    for (int step = 16; step > 0; step /= 2) {
      const double other = __shfl_xor_sync(kAllLanes, least, step);
      least = other < least ? other : least;
    }
    if (lane == 0) p.distance[i] = least;
  }
  __syncthreads();
}

// In every thread the sum of units * value(row, column), in a fixed order. A barrier must lie
// between two of them.
template <class T, class Value>
__device__ double sum_over_units(const Problem<T>& p, const Value& value) {
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  double sum = 0;
  for (int j = warp; j < p.cols; j += int(blockDim.x) >> 5) {
    for (int i = lane; i < p.rows; i += 32) {
      const int units = p.sent(i, j);
      if (units > 0) sum += double(units) * value(i, j);
    }
  }
  return block_sum(sum, p.partial_distance);
}

template <class T>
__device__ void write_numbers(const Problem<T>& p, double unit, size_t problem,
                              const FlowOutputs& out) {
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  const double total =
      sum_over_units(p, [&](int i, int j) { return double(p.cost[size_t(i) * p.cols + j]); });
  if (thread == 0) out.cost[problem] = total * unit;
  if (!out.gap) return;
  find_row_duals(p);
  const double slack =
      sum_over_units(p, [&](int i, int j) { return p.reduced(i, j) - p.distance[i]; });
  if (thread == 0) out.gap[problem] = slack * unit;
  // + 0: no negative zeros
  double* const row_dual = out.row_dual + problem * p.rows;
  double* const column_dual = out.column_dual + problem * p.cols;
  for (int i = thread; i < p.rows; i += threads) row_dual[i] = double(p.sign) * p.distance[i] + 0.0;
  for (int j = thread; j < p.cols; j += threads) {
    column_dual[j] = double(p.sign) * p.column_dual[j] + 0.0;
  }
}

// Three blocks per multiprocessor: for four of them ptxas spills registers.
template <class T>
__global__ void __launch_bounds__(kMostThreads, 3)
    flow_kernel(const T* __restrict__ costs, int rows, int cols, T sign, UniformMarginals marginals,
                FlowOutputs out) {
  const size_t problem = blockIdx.x, size = size_t(rows) * cols;
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  Problem<T> p{costs + problem * size, out.units + problem * size, rows, cols, sign};
  SharedArena arena;
  take_arrays(arena, p);
  const bool invalid = start(p, marginals.demand);
  int status = __syncthreads_or(invalid) ? kInvalidCost : kAssigned;
  int parity = 0;
  for (int i = 0; i < rows && status == kAssigned; ++i) {
    int left = marginals.supply;
    while (left > 0 && status == kAssigned) {
      const int before = left;
      left = augment(p, i, left, parity);
      if (left == before) status = kInfeasible;
    }
  }
  if (status == kAssigned) return write_numbers(p, marginals.unit, problem, out);
  if (thread == 0) {
    if (out.failure) {
      atomicMin(out.failure, static_cast<unsigned long long>(problem << 2 | unsigned(status)));
    }
    out.cost[problem] = NAN;
    if (out.gap) out.gap[problem] = NAN;
  }
  if (!out.gap) return;
  for (int i = thread; i < rows; i += threads) out.row_dual[problem * rows + i] = NAN;
  for (int j = thread; j < cols; j += threads) out.column_dual[problem * cols + j] = NAN;
}

}  // namespace

UniformMarginals::UniformMarginals(int rows, int cols) {
  const int common = std::gcd(rows, cols);
  supply = short(cols / common);
  demand = short(rows / common);
  unit = 1 / (double(demand) * double(cols));
}

template <class T>
void solve_flows(const T* cost, int64_t count, int rows, int cols, bool maximize,
                 const FlowOutputs& out, cudaStream_t stream) {
  if (rows > cols || cols > kMostTransported) check(cudaErrorInvalidValue, "launch");
  if (count == 0) return;
  launch(flow_kernel<T>, dim3(unsigned(count)), dim3(unsigned(threads_for_columns(cols))),
         problem_bytes(rows, cols), stream, cost, rows, cols, T(maximize ? -1 : 1),
         UniformMarginals(rows, cols), out);
}

LIKEWISE_INSTANTIATE(solve_flows);

}  // namespace likewise::cuda

// Batched linear assignment: one block solves one problem by shortest augmenting paths with column
// duals alone (Jonker and Volgenant, Computing 38, 1987).
//
// A step reads one row of costs, coalesced, and takes the least tentative distance of the block:
// two shuffle reductions and one barrier. The four costs of a thread and the one by which the row
// came in are on their way together: one trip to memory a step, where there were five one after the
// other. There is no multiplication, hence nothing to contract: a
// GPU and the simulator agree bit for bit. Ties go to a free column, then to the lowest index,
// whatever the number of threads.
//
// Counted on 512 x 512: 4400 steps of 2 KiB where costs are normal (6500 without the start by
// bids), 10300 (11400) where they are distances in a plane. Derived for an H100, 1000 problems, not
// measured: all blocks are resident at once, 9 to 21 GB of rows at 3 TB/s are 3 to 7 ms; a step's
// chain, memory .6 us, ten shuffles and a barrier .3 us, makes 4 to 10 ms.

#include "assignment/cuda/lap.h"
#include "core/cuda/nearest.cuh"
#include "core/instantiate.h"

namespace likewise::cuda {
namespace {

// The arrays of one problem, in shared memory.
struct Problem {
  double* column_dual;
  double* distance;
  double* partial_distance;  // of the warps, for two steps in turns
  int* partial_key;
  int* row_of_column;
  short* predecessor;
  short* column_of_row;
};

__device__ Problem take_problem(SharedArena& arena, int rows, int cols) {
  Problem p;
  p.column_dual = arena.take<double>(cols);
  p.distance = arena.take<double>(cols);
  p.partial_distance = arena.take<double>(2 * 32);
  p.partial_key = arena.take<int>(2 * 32);
  p.row_of_column = arena.take<int>(cols);
  p.predecessor = arena.take<short>(cols);
  p.column_of_row = arena.take<short>(rows);
  return p;
}

size_t problem_bytes(int rows, int cols) {
  return SharedSize()
      .add<double>(cols)
      .add<double>(cols)
      .add<double>(2 * 32)
      .add<int>(2 * 32)
      .add<int>(cols)
      .add<short>(cols)
      .add<short>(rows)
      .bytes;
}

// Column minima as first duals (square problems alone: a column that is left over keeps 0).
// Whether this thread met a cost that no problem may have.
template <class T>
__device__ bool start_duals(const T* cost, int rows, int cols, T sign, const Problem& p) {
  bool invalid = false;
  for (int j = int(threadIdx.x); j < cols; j += int(blockDim.x)) {
    T least = INFINITY;
    for (int i = 0; i < rows; ++i) {
      const T c = sign * cost[size_t(i) * cols + j];
      invalid |= !(c > -INFINITY);
      least = c < least ? c : least;
    }
    p.column_dual[j] = rows == cols && least < INFINITY ? double(least) : 0.0;
    p.row_of_column[j] = kNoRow;
  }
  return invalid;
}

// Every row asks for its cheapest column; the lowest of those that ask gets it.
template <class T>
__device__ void assign_greedily(const T* cost, int rows, int cols, T sign, const Problem& p) {
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  for (int i = warp; i < rows; i += int(blockDim.x) >> 5) {
    Nearest best{INFINITY, kNoRow};
    for (int j = lane; j < cols; j += 32) {
      const Nearest here{double(sign * cost[size_t(i) * cols + j]) - p.column_dual[j], j};
      if (nearer(here, best)) best = here;
    }
    best = warp_nearest(best);
    if (lane > 0) continue;
    const bool asks = best.distance < INFINITY;
    p.column_of_row[i] = short(asks ? best.key : -1);
    if (asks) atomicMin(&p.row_of_column[best.key], i);
  }
  __syncthreads();
  for (int i = int(threadIdx.x); i < rows; i += int(blockDim.x)) {
    const int j = p.column_of_row[i];
    if (j >= 0 && p.row_of_column[j] != i) p.column_of_row[i] = -1;
  }
  __syncthreads();
}

// Free rows, ascending, in p.predecessor, which is free itself. How many.
__device__ int list_free_rows(int rows, const Problem& p) {
  if (threadIdx.x < 32) {
    int listed = 0;
    for (int first = 0; first < rows; first += 32) {
      const int i = first + int(threadIdx.x);
      const bool free = i < rows && p.column_of_row[i] < 0;
      const unsigned all = __ballot_sync(kAllLanes, free);
      if (free) p.predecessor[listed + __popc(all & ((1u << threadIdx.x) - 1))] = short(i);
      listed += __popc(all);
    }
    if (threadIdx.x == 0) p.partial_key[32] = listed;
  }
  __syncthreads();
  return p.partial_key[32];
}

// Free rows bid for their cheapest column what the second cheapest is worse by, a warp each; the
// highest bid of a wave of warps gets the column, whose dual falls by it: the row's pair stays its
// cheapest. Rows that lose theirs bid in the next round. Bids of 0 would only move ties about.
template <class T>
__device__ void bid(const T* cost, int rows, int cols, T sign, const Problem& p) {
  constexpr int kRounds = 8;
  const int lane = int(threadIdx.x) & 31, warp = int(threadIdx.x) >> 5;
  const int warps = int(blockDim.x) >> 5;
  for (int round = 0; round < kRounds; ++round) {
    const int count = list_free_rows(rows, p);
    if (count == 0) break;
    for (int begin = 0; begin < count; begin += warps) {
      const int row = begin + warp < count ? p.predecessor[begin + warp] : kNoRow;
      Nearest best{INFINITY, kNoRow};
      double second = INFINITY;
      for (int first = lane; first < cols && row != kNoRow; first += kAtOnce * 32) {
        const AtOnce<T> some(cost + size_t(row) * cols, first, 32, cols);
        some.each(first, 32, cols, [&](int j, int, T c) {
          const Nearest here{double(sign * c) - p.column_dual[j], j};
          const bool is_best = nearer(here, best);
          const double other = is_best ? best.distance : here.distance;
          second = other < second ? other : second;
          if (is_best) best = here;
        });
      }
      for (int step = 16; step > 0; step /= 2) {
        const Nearest other{__shfl_xor_sync(kAllLanes, best.distance, step),
                            __shfl_xor_sync(kAllLanes, best.key, step)};
        const double after = __shfl_xor_sync(kAllLanes, second, step);
        const bool is_best = nearer(other, best);
        const double loser = is_best ? best.distance : other.distance;
        second = after < second ? after : second;
        second = loser < second ? loser : second;
        if (is_best) best = other;
      }
      const double offer = second < INFINITY ? second - best.distance : 0;  // INFINITY: no bid
      if (lane == 0) {
        p.partial_distance[warp] = offer;
        p.partial_key[warp] = best.key;
      }
      __syncthreads();
      bool wins = lane == 0 && offer > 0;
      for (int w = 0; w < warps && wins; ++w) {
        const double other = p.partial_key[w] == best.key ? p.partial_distance[w] : 0;
        wins = other < offer || (other == offer && w >= warp);
      }
      if (wins) {
        const int loser = p.row_of_column[best.key];
        if (loser != kNoRow) p.column_of_row[loser] = -1;
        p.row_of_column[best.key] = row;
        p.column_of_row[row] = short(best.key);
        p.column_dual[best.key] -= offer;
      }
      __syncthreads();
    }
  }
}

// The shortest path from a free row to a free column, and the exchange of pairs along it. False in
// every thread where there is none.
template <class T>
__device__ bool augment(const T* cost, int cols, T sign, int start, int& parity, const Problem& p) {
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  for (int j = thread; j < cols; j += threads) p.distance[j] = INFINITY;
  unsigned scanned = 0;  // bit k: the k-th column of this thread
  int row = start, column = -1, sink = -1;
  double least = 0;
  while (true) {
    const T* costs = cost + size_t(row) * cols;
    Nearest best{INFINITY, kNoRow};
    double offset = 0;
    for (int first = thread, k = 0; first < cols; first += kAtOnce * threads, k += kAtOnce) {
      const AtOnce<T> some(costs, first, threads, cols);
      if (k == 0 && column >= 0) {  // behind the loads above
        offset = double(sign * costs[column]) - p.column_dual[column] - least;
      }
      some.each(first, threads, cols, [&](int j, int q, T c) {
        if (scanned >> (k + q) & 1) return;
        const double through = double(sign * c) - p.column_dual[j] - offset;
        double distance = p.distance[j];
        if (through < distance) {
          p.distance[j] = distance = through;
          p.predecessor[j] = short(row);
        }
        const Nearest here{distance, int(p.row_of_column[j] != kNoRow) << kFullBit | j};
        if (nearer(here, best)) best = here;
      });
    }
    best = block_nearest(best, p.partial_distance, p.partial_key, parity);
    least = best.distance;
    if (!(least < INFINITY)) break;
    column = best.key & ((1 << kFullBit) - 1);
    if (column % threads == thread) scanned |= 1u << (column / threads);
    row = p.row_of_column[column];
    if (row == kNoRow) {
      sink = column;
      break;
    }
  }
  __syncthreads();  // everyone has read row_of_column before thread 0 writes it
  if (sink < 0) return false;
  for (int j = thread, k = 0; j < cols; j += threads, ++k) {
    if (scanned >> k & 1) p.column_dual[j] += p.distance[j] - least;
  }
  if (thread == 0) {
    int column = sink, owner;
    do {
      owner = p.predecessor[column];
      p.row_of_column[column] = owner;
      const int next = p.column_of_row[owner];
      p.column_of_row[owner] = short(column);
      column = next;
    } while (owner != start);
  }
  __syncthreads();
  return true;
}

// Pairs by ascending row of the caller's matrix.
__device__ void write_pairs(int rows, int cols, bool transposed, const Problem& p, int64_t* row_ind,
                            int64_t* col_ind) {
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  if (!transposed) {
    for (int i = thread; i < rows; i += threads) {
      row_ind[i] = i;
      col_ind[i] = p.column_of_row[i];
    }
    return;
  }
  if (thread >= 32) return;
  int written = 0;
  for (int first = 0; first < cols; first += 32) {
    const int j = first + thread;
    const bool assigned = j < cols && p.row_of_column[j] != kNoRow;
    const unsigned all = __ballot_sync(kAllLanes, assigned);
    if (assigned) {
      const int at = written + __popc(all & ((1u << thread) - 1));
      row_ind[at] = j;
      col_ind[at] = p.row_of_column[j];
    }
    written += __popc(all);
  }
}

// The sum of the costs of the pairs, by the first warp, in a fixed order.
template <class T>
__device__ void write_cost(const T* cost, int rows, int cols, const Problem& p, double* total) {
  if (threadIdx.x >= 32) return;
  double sum = 0;
  for (int i = int(threadIdx.x); i < rows; i += 32) {
    sum += double(cost[size_t(i) * cols + p.column_of_row[i]]);
  }
  sum = warp_sum(sum);
  if (threadIdx.x == 0) *total = sum;
}

// Dual variables of the rows as tight as rounding allows, and the gap: the sum of the slacks of the
// pairs. p.distance is free by now.
template <class T>
__device__ void write_duals(const T* cost, int rows, int cols, T sign, const Problem& p,
                            double* row_dual, double* column_dual, double* gap) {
  const int thread = int(threadIdx.x), lane = thread & 31, warp = thread >> 5;
  for (int i = warp; i < rows; i += int(blockDim.x) >> 5) {
    double least = INFINITY;
    for (int j = lane; j < cols; j += 32) {
      const double reduced = double(sign * cost[size_t(i) * cols + j]) - p.column_dual[j];
      least = reduced < least ? reduced : least;
    }
    for (int step = 16; step > 0; step /= 2) {
      const double other = __shfl_xor_sync(kAllLanes, least, step);
      least = other < least ? other : least;
    }
    if (lane == 0) p.distance[i] = least;
  }
  __syncthreads();
  for (int i = thread; i < rows; i += int(blockDim.x)) row_dual[i] = double(sign) * p.distance[i];
  for (int j = thread; j < cols; j += int(blockDim.x)) {
    column_dual[j] = double(sign) * p.column_dual[j];
  }
  if (warp > 0) return;
  double slack = 0;
  for (int i = lane; i < rows; i += 32) {
    const int j = p.column_of_row[i];
    slack += double(sign * cost[size_t(i) * cols + j]) - p.column_dual[j] - p.distance[i];
  }
  slack = warp_sum(slack);
  if (lane == 0) *gap = slack;
}

// Four blocks per multiprocessor: for more of them ptxas would spill registers.
template <class T>
__global__ void __launch_bounds__(kMostThreads, 4)
    assignment_kernel(const T* __restrict__ costs, int rows, int cols, T sign, bool transposed,
                      AssignmentOutputs out) {
  const size_t problem = blockIdx.x;
  const int thread = int(threadIdx.x), threads = int(blockDim.x);
  const T* cost = costs + problem * rows * cols;
  int64_t* const row_ind = out.row_ind + problem * rows;
  int64_t* const col_ind = out.col_ind + problem * rows;
  SharedArena arena;
  const Problem p = take_problem(arena, rows, cols);
  const bool invalid = start_duals(cost, rows, cols, sign, p);
  int status = __syncthreads_or(invalid) ? kInvalidCost : kAssigned;
  if (status == kAssigned) {
    assign_greedily(cost, rows, cols, sign, p);
    bid(cost, rows, cols, sign, p);
    int parity = 0;
    for (int i = 0; i < rows && status == kAssigned; ++i) {
      if (p.column_of_row[i] >= 0) continue;  // alike in all threads: written before a barrier
      if (!augment(cost, cols, sign, i, parity, p)) status = kInfeasible;
    }
  }
  if (thread == 0 && out.failure && status != kAssigned) {
    atomicMin(out.failure, static_cast<unsigned long long>(problem << 2 | unsigned(status)));
  }
  double* const row_dual =
      out.row_dual ? out.row_dual + problem * (transposed ? cols : rows) : nullptr;
  double* const column_dual =
      out.column_dual ? out.column_dual + problem * (transposed ? rows : cols) : nullptr;
  double* const short_dual = transposed ? column_dual : row_dual;
  double* const long_dual = transposed ? row_dual : column_dual;
  if (status == kAssigned) {
    write_pairs(rows, cols, transposed, p, row_ind, col_ind);
    if (out.cost) write_cost(cost, rows, cols, p, out.cost + problem);
    if (out.gap) {
      write_duals(cost, rows, cols, sign, p, short_dual, long_dual, out.gap + problem);
    }
    return;
  }
  for (int i = thread; i < rows; i += threads) row_ind[i] = col_ind[i] = -1;
  if (thread == 0 && out.cost) out.cost[problem] = NAN;
  if (!out.gap) return;
  for (int i = thread; i < rows; i += threads) short_dual[i] = NAN;
  for (int j = thread; j < cols; j += threads) long_dual[j] = NAN;
  if (thread == 0) out.gap[problem] = NAN;
}

}  // namespace

template <class T>
void solve_assignments(const T* cost, int64_t count, int rows, int cols, bool maximize,
                       bool transposed, const AssignmentOutputs& out, cudaStream_t stream) {
  if (rows > cols || cols > kMostAssigned) check(cudaErrorInvalidValue, "launch");
  if (count == 0) return;
  launch(assignment_kernel<T>, dim3(unsigned(count)), dim3(unsigned(threads_for_columns(cols))),
         problem_bytes(rows, cols), stream, cost, rows, cols, T(maximize ? -1 : 1), transposed,
         out);
}

LIKEWISE_INSTANTIATE(solve_assignments);

}  // namespace likewise::cuda

// Coordinate descent, one block per target. An update of a weight reads a row of the Gram matrix
// at the working set, which costs 32 bytes of the second-level cache per unit (8 where the set is
// dense), and one barrier; after a round every weight that moved costs a whole row, 8 bytes per
// unit. Small sets are bound by the barrier, larger ones by these bytes.

#include "core/cuda/kernel.cuh"
#include "regression/cuda/lasso_kernels.h"
#include "regression/lasso_schedule.h"

namespace likewise::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kUnitsPerThread = 4;

struct Evaluation {
  double objective, gap, loss, correlation, used;
};

// One target. Every thread knows the same scalars. Thread k % blockDim.x alone touches the residual
// of unit k, and entry k of `local`, `weights` and `moved`, but for units that enter the set.
struct Solver {
  int64_t units;
  const double *gram, *cross;
  double squares;
  double* residual;                 // X'(y - Xw) of all units
  double *local, *weights, *moved;  // of the set: residual; weight; change of it in a round
  int32_t *set, *member;            // units of the set, and whether a unit is one
  double *partial, *pivot;          // shared: 2 x 32 and 2 x 2 values, used in turn
  int count = 0, turn = 0, step = 0;

  // In every thread the sum over the block.
  __device__ double sum(double value) { return block_sum(value, partial + 32 * (turn++ & 1)); }

  __device__ double largest(double value) {
    double* const of_warps = partial + 32 * (turn++ & 1);
    for (int half = 16; half > 0; half /= 2) {
      value = fmax(value, __shfl_xor_sync(kAllLanes, value, half));
    }
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
    __syncthreads();
    for (unsigned w = 0; w < blockDim.x / 32; ++w) value = fmax(value, of_warps[w]);
    return value;
  }

  // False if the numbers are not all finite.
  __device__ bool start() {
    double zero = squares * 0;
    for (int64_t j = threadIdx.x; j < units; j += blockDim.x) {
      residual[j] = cross[j];
      member[j] = 0;
      zero += cross[j] * 0 + gram[j * units + j] * 0;  // its square bounds a row of the matrix
    }
    return sum(zero) == 0;
  }

  // Sweeps over the working set until no weight changes much, then brings all residuals up to
  // date. Returns the number of sweeps.
  __device__ int64_t descend(double penalty, double least) {
    for (int k = int(threadIdx.x); k < count; k += int(blockDim.x)) {
      local[k] = residual[set[k]];
      moved[k] = weights[k];
      if (k == 0) publish(0);
    }
    __syncthreads();
    int64_t sweeps = 0;
    for (bool moving = count > 0; moving && sweeps < kMostSweeps; ++sweeps) {
      moving = sweep(penalty, least);
    }
    for (int k = int(threadIdx.x); k < count; k += int(blockDim.x))
      moved[k] = weights[k] - moved[k];
    __syncthreads();
    for (int64_t j = threadIdx.x; j < units; j += blockDim.x) {
      double value = residual[j];
      for (int k = 0; k < count; ++k) {
        if (moved[k] != 0) value -= gram[set[k] * units + j] * moved[k];
      }
      residual[j] = value;
    }
    return sweeps;
  }

  // Every weight once, in the order of the set; whether any changed by more than this share.
  __device__ bool sweep(double penalty, double least) {
    double largest_change = 0, largest_weight = 0;
    for (int i = 0; i < count; ++i) {
      const double* const row = gram + set[i] * units;
      const double diagonal = row[set[i]];
      const double* const now = pivot + 2 * (step++ & 1);
      const double slope = now[0], old = now[1], target = slope + diagonal * old;
      const double shrunk = target > penalty    ? target - penalty
                            : target < -penalty ? target + penalty
                                                : 0;
      const double weight = shrunk / diagonal, change = weight - old;
      const int next = i + 1 < count ? i + 1 : 0;
      for (int k = int(threadIdx.x); k < count; k += int(blockDim.x)) {
        if (change != 0) local[k] -= row[set[k]] * change;
        if (k == i) weights[k] = weight;
        if (k == next) publish(k);
      }
      __syncthreads();
      largest_change = fmax(largest_change, fabs(change));
      largest_weight = fmax(largest_weight, fabs(weight));
    }
    return largest_change > least * largest_weight;
  }

  // By the thread whose entry it is, for the step to come.
  __device__ void publish(int k) {
    double* const to = pivot + 2 * (step & 1);
    to[0] = local[k];
    to[1] = weights[k];
  }

  __device__ static unsigned long long size_of(double value) {  // sizes in order
    return static_cast<unsigned long long>(__double_as_longlong(fabs(value)));
  }

  // Units larger than `size`, and of that size those before `end`.
  struct Cut {
    unsigned long long size;
    int64_t end;
  };
  __device__ bool enters(int64_t j, double bound, const Cut& cut) const {
    const unsigned long long size = size_of(residual[j]);
    return fabs(residual[j]) > bound && !member[j] &&
           (size > cut.size || (size == cut.size && j < cut.end));
  }
  __device__ int64_t number(double bound, const Cut& cut) {
    int found = 0;
    for (int64_t j = threadIdx.x; j < units; j += blockDim.x) found += enters(j, bound, cut);
    return int64_t(sum(double(found)));
  }

  // The cut that the `most` worst violators pass, found bit by bit.
  __device__ Cut worst(double bound, int64_t most) {
    Cut cut{0, 0};
    for (int bit = 62; bit >= 0; --bit) {
      const unsigned long long size = cut.size | 1ull << bit;
      if (number(bound, {size, units}) >= most) cut.size = size;
    }
    for (int bit = 30; bit >= 0; --bit) {
      const int64_t end = cut.end | int64_t{1} << bit;
      if (number(bound, {cut.size, end}) <= most) cut.end = end;
    }
    return cut;
  }

  // Takes in the units that violate the optimality of weight 0, in ascending order: the worst of
  // them, if they are more than there are in the set already. False if there are none.
  __device__ bool grow(double penalty) {
    const double bound = penalty * (1 + kSlack);
    const int64_t most = count > kFirstUnits ? count : kFirstUnits;
    Cut cut{0, units};
    const int64_t violators = number(bound, cut);
    if (violators == 0) return false;
    if (violators > most) cut = worst(bound, most);
    const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (int64_t begin = 0; begin < units; begin += blockDim.x) {
      const int64_t j = begin + threadIdx.x;
      const bool entering = j < units && enters(j, bound, cut);
      const unsigned with = __ballot_sync(kAllLanes, entering);
      double* const of_warps = partial + 32 * (turn++ & 1);
      if (lane == 0) of_warps[warp] = __popc(with);
      __syncthreads();
      int place = count + __popc(with & ((1u << lane) - 1));
      for (unsigned w = 0; w < blockDim.x / 32; ++w) {
        if (w < warp) place += int(of_warps[w]);
        count += int(of_warps[w]);
      }
      if (!entering) continue;
      set[place] = int32_t(j);
      weights[place] = 0;
      member[j] = 1;
    }
    __syncthreads();
    return true;
  }

  // With r = y - Xw and X'r at hand: the dual point is r scaled back until |X'r| <= penalty.
  __device__ Evaluation evaluate(double penalty) {
    double steepest = 0, with_target = 0, with_residual = 0, size = 0, used = 0;
    for (int64_t j = threadIdx.x; j < units; j += blockDim.x) {
      steepest = fmax(steepest, fabs(residual[j]));
    }
    for (int k = int(threadIdx.x); k < count; k += int(blockDim.x)) {
      with_target += weights[k] * cross[set[k]];
      with_residual += weights[k] * residual[set[k]];
      size += fabs(weights[k]);
      used += weights[k] != 0;
    }
    steepest = largest(steepest);
    with_target = sum(with_target);
    with_residual = sum(with_residual);
    size = sum(size);
    const double residual_squares = fmax(squares - with_target - with_residual, 0.0);
    const double predicted = with_target - with_residual;  // |Xw|^2
    const double scale = steepest > penalty ? penalty / steepest : 1;
    const double objective = residual_squares / 2 + penalty * size;
    const double dual = scale * (squares - with_target) - scale * scale * residual_squares / 2;
    double correlation = 0;
    if (predicted > 0 && squares > 0) {
      correlation = fmin(fmax(with_target / sqrt(predicted * squares), -1.0), 1.0);
    }
    return {objective, fmax(objective - dual, 0.0), residual_squares / 2, correlation, sum(used)};
  }

  // The path's next penalty, to a gap of at most `tolerance` if that can be had.
  __device__ Evaluation solve(double penalty, double tolerance) {
    Evaluation found{};
    int64_t sweeps = 0;
    for (double change = kFirstChange; change > kLastChange; change /= 10) {
      do {
        sweeps += descend(penalty, change);
      } while (grow(penalty) && sweeps < kMostSweeps);
      found = evaluate(penalty);
      if (!(found.gap > tolerance) || sweeps >= kMostSweeps) break;
    }
    return found;
  }

  __device__ void write_weights(double* out) const {
    for (int64_t j = threadIdx.x; j < units; j += blockDim.x) {
      if (!member[j]) out[j] = 0;
    }
    for (int k = int(threadIdx.x); k < count; k += int(blockDim.x)) out[set[k]] = weights[k];
  }
};

__device__ void write(const LassoFits& fits, int64_t model, int64_t at, const Evaluation& found) {
  if (!fits.objective) return;
  const bool nothing = fits.widths.nothing_varies(model);
  fits.objective[at] = found.objective;
  fits.gap[at] = found.gap;
  fits.loss[at] = nothing ? NAN : found.loss;
  fits.correlation[at] = nothing ? NAN : found.correlation;
  fits.used[at] = found.used;
}

__global__ void __launch_bounds__(kThreads, 4)
    lasso_kernel(LassoProblem p, LassoWork work, LassoFits fits, unsigned long long* missed) {
  SHARED_ARRAY(double, partial, 2 * 32);
  SHARED_ARRAY(double, pivot, 2 * 2);
  const int64_t model = blockIdx.y, target = blockIdx.x;
  const int64_t moments = model * p.targets + target, d = p.units;
  const size_t own = size_t(model) * gridDim.x + blockIdx.x;
  double* const numbers = work.numbers + own * 4 * d;
  int32_t* const units = work.units + own * 2 * d;
  Solver solver{d,
                p.gram + model * d * d,
                p.cross + moments * d,
                p.squares[moments],
                numbers,
                numbers + d,
                numbers + 2 * d,
                numbers + 3 * d,
                units,
                units + d,
                partial,
                pivot};
  const bool usable = solver.start();
  for (int64_t a = 0; a < p.penalty_count; ++a) {
    const int64_t at = (model * p.penalty_count + p.places[a]) * fits.step + target;
    double* const coefficients = fits.coefficients + at * d;
    Evaluation found{NAN, NAN, NAN, NAN, double(d)};  // NaN is not zero
    if (usable) {
      const double tolerance = p.tolerance * solver.squares / 2;
      found = solver.solve(p.penalties[a], tolerance);
      solver.write_weights(coefficients);
      if (threadIdx.x == 0) {
        atomicMax(missed + 2 * model + 1, Solver::size_of(found.gap));
        if (found.gap > tolerance) atomicAdd(missed + 2 * model, 1ull);
      }
    } else {
      for (int64_t j = threadIdx.x; j < d; j += blockDim.x) coefficients[j] = NAN;
    }
    if (threadIdx.x == 0) write(fits, model, at, found);
  }
}

}  // namespace

void solve_lasso(const LassoProblem& problem, const LassoWork& work, const LassoFits& fits,
                 unsigned long long* missed, cudaStream_t stream) {
  const dim3 most = threads_for((problem.units + kUnitsPerThread - 1) / kUnitsPerThread);
  const dim3 threads(most.x < kThreads ? most.x : kThreads);
  launch(lasso_kernel, dim3(unsigned(problem.count), unsigned(problem.models)), threads, 0, stream,
         problem, work, fits, missed);
}

}  // namespace likewise::cuda

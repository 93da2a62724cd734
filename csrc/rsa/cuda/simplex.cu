// A step is logarithms of `side` values, a warp per pair, and some 100 operations of one lane that
// wait for each other: 3 us as long as all pairs fit at once, 1 ms for 400 steps.

#include "core/cuda/kernel.cuh"
#include "core/cuda/pairs.cuh"
#include "rsa/cuda/pencils.h"
#include "rsa/cuda/simplex.h"

namespace likewise::cuda {
namespace {

constexpr double kFirstStep = 0.00025, kTolerance = 1e-4;
constexpr double kTiny = 2.2250738585072014e-308;

__device__ void copy_point(const double (&from)[2], double (&to)[2]) {
  to[0] = from[0];
  to[1] = from[1];
}

// The next trial; without one left to evaluate the search is over.
__device__ void propose(Simplex& search, double x, double y, SimplexPhase phase) {
  if (search.evaluations == kMostEvaluations) {
    search.done = true;
    return;
  }
  search.trial[0] = x;
  search.trial[1] = y;
  search.signal = exp(x);
  search.noise = exp(y);
  search.shift = search.signal * search.scale;
  search.phase = phase;
}

// The point (1 + t) centre - t worst, the centre being that of the two better corners.
__device__ void propose_on_line(Simplex& search, double t, SimplexPhase phase) {
  const auto coordinate = [&](int axis) {
    const double centre = (search.points[0][axis] + search.points[1][axis]) / 2;
    return (1 + t) * centre - t * search.points[2][axis];
  };
  propose(search, coordinate(0), coordinate(1), phase);
}

__device__ void propose_shrunk(Simplex& search, int corner) {
  double* const point = search.points[corner];
  const double* const best = search.points[0];
  for (int axis = 0; axis < 2; ++axis) point[axis] = best[axis] + (point[axis] - best[axis]) / 2;
  search.corner = corner;
  propose(search, point[0], point[1], SimplexPhase::shrink);
}

__device__ void order_corners(Simplex& search, int low, int high) {
  if (!(search.values[high] < search.values[low])) return;
  const double value = search.values[low];
  search.values[low] = search.values[high];
  search.values[high] = value;
  double point[2];
  copy_point(search.points[low], point);
  copy_point(search.points[high], search.points[low]);
  copy_point(point, search.points[high]);
}

// After a round: equal corners stay in their order.
__device__ void begin_round(Simplex& search) {
  order_corners(search, 0, 1);
  order_corners(search, 1, 2);
  order_corners(search, 0, 1);
  double width = 0, spread = 0;
  for (int corner = 1; corner < 3; ++corner) {
    for (int axis = 0; axis < 2; ++axis) {
      width = fmax(width, fabs(search.points[corner][axis] - search.points[0][axis]));
    }
    spread = fmax(spread, search.values[corner] - search.values[0]);
  }
  if (width <= kTolerance && spread <= kTolerance) {
    search.done = true;
    return;
  }
  propose_on_line(search, 1, SimplexPhase::reflect);
}

__device__ void replace_worst(Simplex& search, const double (&point)[2], double value) {
  copy_point(point, search.points[2]);
  search.values[2] = value;
  begin_round(search);
}

__device__ void advance(Simplex& search, double value) {
  ++search.evaluations;
  const double worst = search.values[2];
  switch (search.phase) {
    case SimplexPhase::begin:
      search.values[search.corner++] = value;
      if (search.corner == 3) return begin_round(search);
      return propose(search, search.points[search.corner][0], search.points[search.corner][1],
                     SimplexPhase::begin);
    case SimplexPhase::reflect:
      copy_point(search.trial, search.reflected);
      search.reflected_value = value;
      if (value < search.values[0]) return propose_on_line(search, 2, SimplexPhase::expand);
      if (value < search.values[1]) return replace_worst(search, search.reflected, value);
      if (value < worst) return propose_on_line(search, 0.5, SimplexPhase::contract_outside);
      return propose_on_line(search, -0.5, SimplexPhase::contract_inside);
    case SimplexPhase::expand:
      if (value < search.reflected_value) return replace_worst(search, search.trial, value);
      return replace_worst(search, search.reflected, search.reflected_value);
    case SimplexPhase::contract_outside:
      if (value <= search.reflected_value) return replace_worst(search, search.trial, value);
      return propose_shrunk(search, 1);
    case SimplexPhase::contract_inside:
      if (value < worst) return replace_worst(search, search.trial, value);
      return propose_shrunk(search, 1);
    case SimplexPhase::shrink:
      search.values[search.corner] = value;
      if (search.corner == 2) return begin_round(search);
      return propose_shrunk(search, 2);
  }
}

__global__ void __launch_bounds__(kMostThreads) start_kernel(SimplexStart start, PairAxes axes) {
  SHARED_ARRAY(double, partial, 32);
  const size_t k = blockIdx.x;
  const int64_t size = start.side * start.side, pair = start.first + int64_t(k);
  const double* const signal = start.signals + k * size;
  double sum = 0;
  for (int64_t at = threadIdx.x; at < size; at += blockDim.x) sum += signal[at] * signal[at];
  sum = block_sum(sum, partial);
  if (threadIdx.x != 0) return;
  const ItemPair items = items_of(axes, pair);
  const int fault_a = start.faults_a[items.a], fault_b = start.faults_b[items.b];
  const bool finite = ((fault_a | fault_b) & kNotFinite) == 0;
  const bool low_rank = finite && (fault_b & kLowRank) != 0;
  if (low_rank && start.rank) atomicMin(start.rank, static_cast<unsigned long long>(start.side));
  Simplex search = {};
  search.points[1][0] = kFirstStep;
  search.points[2][1] = kFirstStep;
  search.scale = start.shifted ? sqrt(sum) : 0;
  search.done = !finite || low_rank || ((fault_a | fault_b) & kConstant) != 0;
  if (search.done) start.scores[pair] = NAN;
  propose(search, 0, 0, SimplexPhase::begin);
  start.searches[k] = search;
}

__global__ void __launch_bounds__(32)
    step_kernel(const double* __restrict__ eigenvalues, int64_t side,
                Simplex* __restrict__ searches, double* __restrict__ scores) {
  const size_t k = blockIdx.x;
  if (searches[k].done) return;
  const double shift = searches[k].shift;
  const double* const values = eigenvalues + k * side;
  double sum = 0;
  for (int64_t at = threadIdx.x; at < side; at += 32) {
    const double value = values[at] - shift, logarithm = log(value <= kTiny ? kTiny : value);
    sum += logarithm * logarithm;
  }
  sum = warp_sum(sum);
  __syncwarp();  // all have read the state: shuffles do not order memory
  if (threadIdx.x != 0) return;
  Simplex search = searches[k];
  advance(search, sqrt(sum));
  searches[k] = search;
  if (!search.done) return;
  // NaN if there have been no eigenvalues.
  scores[k] = -fmin(search.values[0], fmin(search.values[1], search.values[2]));
}

}  // namespace

cudaError_t start_simplexes(const SimplexStart& start, const PairAxes& axes, int64_t count,
                            cudaStream_t stream) {
  return launch(start_kernel, dim3(unsigned(count)), threads_for(start.side * start.side), 0,
                stream, start, axes);
}

cudaError_t step_simplexes(const double* eigenvalues, int64_t count, int64_t side,
                           Simplex* searches, double* scores, cudaStream_t stream) {
  return launch(step_kernel, dim3(unsigned(count)), dim3(32), 0, stream, eigenvalues, side,
                searches, scores);
}

}  // namespace likewise::cuda

// Weights of pairs of samples read both RDMs twice, 32 n^2 bytes, and every sample is read twice
// around a product of 2 n^2 d operations: bytes over bandwidth.

#include "core/cuda/kernel.cuh"
#include "rsa/cuda/rdm_gradient.h"

namespace likewise::cuda {
namespace {

// Element (i, j) of the upper triangle of n rows, without the diagonal or with it.
__device__ int64_t place(int64_t i, int64_t j, int64_t n, bool diagonal) {
  const int64_t low = i < j ? i : j, high = i < j ? j : i;
  return diagonal ? low * (2 * n - low + 1) / 2 + high - low
                  : low * (2 * n - low - 1) / 2 + high - low - 1;
}

__device__ double unit_element(const Vectors<double>& v, int64_t k) {
  return (v.data[k] - (v.shifts ? *v.shifts : 0)) * *v.factors;
}

__global__ void __launch_bounds__(kMostThreads) entry_kernel(RdmWeights w) {
  SHARED_ARRAY(double, partial, 32);
  const int64_t i = blockIdx.x;
  const double score = *w.score, factor = *w.own.factors;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < w.rows; j += blockDim.x) {
    double weight = 0;
    if (i != j) {
      const int64_t k = place(i, j, w.rows, w.moments);
      weight = (unit_element(w.other, k) - score * unit_element(w.own, k)) * factor;
      // -1/2 C G C = -1/2 G of a centred G, in which every entry of the RDM stands twice; vectors
      // of moments have sqrt(2) times an entry of G.
      if (w.moments) weight *= -sqrt(0.5);
    }
    w.out[i * w.rows + j] = weight;
    sum += weight;
  }
  sum = block_sum(sum, partial);
  if (threadIdx.x == 0) w.sums[i] = sum;
}

// Gradients by the points of d^2 = |p_i - p_j|^2, of d or of d^2 / 2: 2 (p_i - p_j), (p_i - p_j) /
// d or p_i - p_j.
__global__ void __launch_bounds__(kMostThreads)
    sample_kernel(SampleWeights w, bool distances, bool squared) {
  SHARED_ARRAY(double, partial, 32);
  SHARED_ARRAY(double, partial_row, 32);
  const int64_t i = blockIdx.x;
  double mean = 0, sum = 0;
  if (w.centred) {
    for (int64_t j = threadIdx.x; j < w.rows; j += blockDim.x) mean += w.sums[j];
    mean = block_sum(mean, partial) / (double(w.rows) * double(w.rows - 1));
  }
  double* const row = w.weights + i * w.rows;
  for (int64_t j = threadIdx.x; j < w.rows; j += blockDim.x) {
    if (i == j) continue;
    double weight = row[j] - mean;
    if (squared) weight *= 2;
    if (distances && !squared) {
      const double distance = w.rdm[place(i, j, w.rows, false)];
      weight = distance == 0 ? 0 * weight : weight / distance;
    }
    if (distances) weight *= w.item->unit;  // the points are that much larger than the samples
    row[j] = -weight;
    sum += weight;
  }
  sum = block_sum(sum, partial_row);
  if (threadIdx.x == 0) row[i] = sum;
}

// With u = z / |z|, a gradient v by u is (v - (v'u) u) / |z| by z, which has no mean where the u
// have none.
__global__ void __launch_bounds__(kMostThreads)
    project_kernel(const double* __restrict__ x, const SampleFacts* __restrict__ samples,
                   int64_t cols, double* __restrict__ gradients) {
  SHARED_ARRAY(double, partial, 32);
  const size_t begin = size_t(blockIdx.x) * cols;
  const SampleFacts facts = samples[blockIdx.x];
  const auto unit = [&](int64_t j) {
    return (x[begin + j] * facts.scale - facts.shift - facts.mean) / facts.length;
  };
  double along = 0;
  for (int64_t j = threadIdx.x; j < cols; j += blockDim.x) along += gradients[begin + j] * unit(j);
  along = block_sum(along, partial);
  for (int64_t j = threadIdx.x; j < cols; j += blockDim.x) {
    const double gradient = gradients[begin + j];
    const double projected = (gradient - along * unit(j)) / facts.length * facts.scale;
    gradients[begin + j] = facts.length == 0 ? 0 * gradient : projected;
  }
}

}  // namespace

void weigh_entries(const RdmWeights& weights, cudaStream_t stream) {
  launch(entry_kernel, dim3(unsigned(weights.rows)), threads_for(weights.rows), 0, stream, weights);
}

void weigh_samples(const SampleWeights& weights, Dissimilarity dissimilarity, cudaStream_t stream) {
  launch(sample_kernel, dim3(unsigned(weights.rows)), threads_for(weights.rows), 0, stream, weights,
         is_distance(dissimilarity), dissimilarity == Dissimilarity::sqeuclidean);
}

void project_rows(const double* x, const SampleFacts* facts, int64_t rows, int64_t cols,
                  double* gradients, cudaStream_t stream) {
  launch(project_kernel, dim3(unsigned(rows)), threads_for(cols), 0, stream, x, facts, cols,
         gradients);
}

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "rsa/cuda/rdm.h"
#include "rsa/cuda/vectors.h"

// From the cosine of two RDMs to the samples of one of them, in double.

namespace likewise::cuda {

// Gradients of the score by the entries of the RDM that `own` was made of.
struct RdmWeights {
  Vectors<double> own, other;  // one vector each, with factors 1 / length
  const double* score;         // their cosine
  int64_t rows;
  bool moments;  // the vectors are second moments, see second_moments
  double* out;   // rows x rows, symmetric
  double* sums;  // rows
};
void weigh_entries(const RdmWeights& weights, cudaStream_t stream);

// In place: rows x rows weights whose product with the points is the gradient by the samples
// (distances), or by those of unit norm.
struct SampleWeights {
  double* weights;
  const double* sums;  // of their rows
  bool centred;        // the score does not see the mean of the entries
  const double* rdm;   // condensed, in units, of the euclidean distance
  const RdmItem* item;
  int64_t rows;
};
void weigh_samples(const SampleWeights& weights, Dissimilarity dissimilarity, cudaStream_t stream);

// In place, from gradients by the samples of unit norm (rows x cols) to those by the samples x.
// 0 for samples without direction.
void project_rows(const double* x, const SampleFacts* facts, int64_t rows, int64_t cols,
                  double* gradients, cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "procrustes/cuda/procrustes_kernels.h"

// What gradients of Procrustes and shape scores need beside products and decompositions, in double.
// The formulas are those of procrustes/gradient.cpp.

namespace likewise::cuda {

// Of an item of unit norm (rows x cols), made of one of this norm, with these singular values: what
// they are in the data, what they become by alpha, and the norm of the latter. For alpha = 0 they
// are those of columns of unit norm, and stay so. For alpha = 1 values that may be rounding become
// 0; below, those that do not exist are 0, as many more than `existing`, whose scaled ones are for
// directions of 0.
struct Spectrum {
  double* values;           // rank; in place: of the data
  double* scaled;           // rank: of the reshaped item of unit norm
  double* z_norm;           // of the reshaped item before that
  double* norm;             // becomes 0 where nothing exists
  const int64_t* existing;  // null for alpha = 1
  int64_t rank, rows, cols;
  double alpha;
};
void reshape_spectrum(const Spectrum& spectrum, cudaStream_t stream);

// kept[k] = whether value k of a product (rows x cols) is more than rounding; their sum.
struct Directions {
  const double* values;
  int64_t rank, rows, cols;
  double *kept, *similarity;
};
void find_directions(const Directions& directions, cudaStream_t stream);

// The gradient by an item is rotated * (the other one, rotated to it) + own * (itself), pulled back
// where it was reshaped, + data * (the centred data of unit norm).
struct ShapeSlopes {
  double rotated, own, data;
};

// Of both sides, from their similarity and the squared distance of the aligned items. NaN without a
// score, 0 at congruence.
struct ShapeRelation {
  const double *similarity, *squared_distance, *norm_x, *norm_y, *z_norm_x, *z_norm_y;
  ShapeSlopes* slopes;  // 2
};
void relate_shapes(const ShapeRelation& relation, GapScore score, cudaStream_t stream);

// out = slopes.rotated * rotated + slopes.own * own.
void combine_items(const double* rotated, const double* own, const ShapeSlopes* slopes,
                   int64_t size, double* out, cudaStream_t stream);

// out += slopes.data * data.
void add_data(const double* data, const ShapeSlopes* slopes, int64_t size, double* out,
              cudaStream_t stream);

// With M = W'H (rank x rank) of singular vectors W and a gradient H:
// (m_ij - m_ji) / (s_i + s_j) - m_ij / s_j to `turned`; 0 for values that are 0.
void turn_within(const double* within, const double* values, int64_t rank, double* turned,
                 cudaStream_t stream);

// gradient (rows x rank) = alpha H + (1 - alpha) (turned + H / s), in place of H.
void unshape(const double* turned, const double* values, int64_t rows, int64_t rank, double alpha,
             double* gradient, cudaStream_t stream);

}  // namespace likewise::cuda

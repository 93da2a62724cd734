#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "rsa/options.h"

namespace likewise::cuda {

// What one look at a representation tells, and one at its RDM.
struct RdmItem {
  double unit;  // power of two that its distances are multiplied by
  int64_t constant_units;
  bool constant;  // all units are
  bool flat;      // all entries of its RDM tie, of which differences were to be compared
};

// From the spreads of its columns about the first sample (count x cols).
void describe_items(const double* spreads, int64_t count, int64_t cols, RdmItem* items,
                    cudaStream_t stream);

// Element x of a sample is x scale - shift, exactly but for a factor and (correlation) a constant,
// and has this mean (cosine: 0) and length about it. 0 for a sample without direction, NaN for what
// is not finite.
struct SampleFacts {
  double scale, shift, mean, length;
};

// Of the samples of `count` representations (rows x cols), for correlations (`centred`) or cosines.
// Those without direction are added to without (count), unless that is null: nobody will look.
template <class T>
void describe_samples(const T* x, int64_t count, int64_t rows, int64_t cols, bool centred,
                      SampleFacts* facts, int64_t* without, cudaStream_t stream);

// centres (count x cols): means of all samples over their lengths.
template <class T>
void mean_directions(const T* x, const SampleFacts* facts, int64_t count, int64_t rows,
                     int64_t cols, double* centres, cudaStream_t stream);

// Samples of `count` representations (rows x cols) as points whose squared distances make the
// dissimilarities, see rsa/samples.h: those of distances are measured from the first sample, which
// keeps whole numbers whole, in units of the item; those of angles from the mean direction.
struct Points {
  double *out, *norms;       // count x rows x cols; count x rows: squared
  const RdmItem* items;      // of distances alone
  const SampleFacts* facts;  // count x rows, of angles alone
  const double* centres;     // count x cols, of angles alone
};
template <class T>
void place_points(const T* x, int64_t count, int64_t rows, int64_t cols,
                  Dissimilarity dissimilarity, const Points& to, cudaStream_t stream);

// Entries of pairs i < j of condensed RDMs (count x rows (rows - 1) / 2), i in
// [first, first + height), from inner products of points: those of sample i with samples
// [first, rows). Small ones are made of the samples themselves.
template <class T, class Out>
struct RdmRows {
  const double* products;  // count x height x (rows - first)
  const T* x;              // count x rows x cols, as they came
  Points points;
  Out* out;
  int64_t count, rows, cols, first, height;
  bool in_units;  // distances stay in units of the item
};
template <class T, class Out>
void condense(const RdmRows<T, Out>& block, Dissimilarity dissimilarity, cudaStream_t stream);

// out = RDMs (count x size) in double, times the power of two that brings the largest entry near 1
// where squares could overflow or vanish.
template <class T>
void copy_rdms(const T* rdms, int64_t count, int64_t size, double* out, cudaStream_t stream);

// items[k].flat = whether all entries of RDM k (count x size) tie.
void find_flat(const double* rdms, int64_t count, int64_t size, double tolerance, RdmItem* items,
               cudaStream_t stream);

}  // namespace likewise::cuda

#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "core/cuda/context.h"
#include "rsa/cuda/rsa.h"
#include "rsa/cuda/vectors.h"

namespace likewise::cuda {

// Bounds on the score of the true RDM by `count` condensed RDMs of `samples`; see rsa_noise_ceiling
// in Python. One number each.
template <class T>
void rdm_ceiling(const Context& context, const T* rdms, int64_t count, int64_t samples,
                 RdmComparison comparison, double* lower, double* upper);

// out (count + 1, size): means of the other vectors, for every one of `count`, and the mean of all.
// Elements are as Vectors tells, whole numbers without their factors, as far as these are numbers.
template <class S>
cudaError_t pool(const Vectors<S>& vectors, int64_t count, double* out, cudaStream_t stream);

// out (count x cols): the largest correlation with the mean of x (count x repeats x rows x cols)
// over repeats; see noise_ceiling in Python.
template <class T>
cudaError_t noise_ceilings(const T* x, int64_t count, int64_t repeats, int64_t rows, int64_t cols,
                           T* out, cudaStream_t stream);

}  // namespace likewise::cuda

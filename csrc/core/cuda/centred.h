#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

// What centring leaves of `count` representations (rows x cols): out = (x - mean) * unit.
template <class T>
struct Centred {
  T* out;                   // count x rows x cols
  double* unit;             // count: powers of two; 0 for a constant representation
  double* squares;          // count x cols: of the columns of out
  int64_t* constant_units;  // count: columns of equal values (of zeros if not centring)
  double* spreads;          // count x cols: work
};

// spreads[item * cols + j] = largest distance of column j from its first value; without `center`,
// from 0. NaN where there is one.
template <class T>
void column_spreads(const T* x, int64_t count, int64_t rows, int64_t cols, bool center,
                    double* spreads, cudaStream_t stream);

// Differences from the first row are scaled so that the largest is between 1 and 2: squares neither
// overflow nor vanish, and constant columns are exact zeros. NaN everywhere in an item with numbers
// that are not finite. Without `center` the mean counts as 0.
template <class T, class Out = T>
void centre(const T* x, int64_t count, int64_t rows, int64_t cols, bool center,
            const Centred<Out>& out, cudaStream_t stream);

// Divides every item by its Frobenius norm, which goes to norms (count) in units of the data.
// Constant items stay zero.
template <class T>
void normalise(const Centred<T>& centred, int64_t count, int64_t rows, int64_t cols, double* norms,
               cudaStream_t stream);

}  // namespace likewise::cuda

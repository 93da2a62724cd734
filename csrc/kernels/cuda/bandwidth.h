#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace likewise::cuda {

constexpr int kDigits = 256;  // a digit has 8 bits

// The search for the number at one place of a sorted list that nobody sorts: the digits found so
// far, and the place among the numbers that begin with them.
struct Selection {
  unsigned long long prefix;
  int64_t place;
  int64_t equal;             // numbers that begin with the prefix
  unsigned long long above;  // bits of the least number that is larger
  unsigned long long counts[kDigits];
};

// Rows [first, first + count) of squared distances, in place of the inner products of x (rows x
// cols), centred and times the unit. Small ones are computed from the difference itself: equal
// samples are at 0.
template <class T>
struct DistanceRows {
  T* values;
  const T* x;
  const double *unit, *norms;
  int64_t rows, cols, first, count;
};
template <class T>
void squared_distance_rows(const DistanceRows<T>& block, cudaStream_t stream);

// Starts the search for the lower of the two middle numbers of `size`.
void start_selection(Selection* selection, int64_t size, cudaStream_t stream);

// Counts the next digit (0 is the highest) of the distances of pairs q < p in these rows.
template <class T>
void count_digits(const T* values, int64_t rows, int64_t first, int64_t count, int digit,
                  Selection* selection, cudaStream_t stream);

// Adds the digit at whose place the number is, and clears the counts.
void pick_digit(Selection* selection, cudaStream_t stream);

// Lowers selection->above to the least of these that is larger than the number found.
template <class T>
void find_above(const T* values, int64_t rows, int64_t first, int64_t count, Selection* selection,
                cudaStream_t stream);

// middle[0] and middle[1]: the two middle ones of `size` numbers.
template <class T>
void finish_selection(const Selection* selection, int64_t size, double* middle,
                      cudaStream_t stream);

}  // namespace likewise::cuda

#include "information/cuda/information.h"

#include <algorithm>
#include <limits>

#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"
#include "information/cuda/codes.h"
#include "rsa/cuda/sort_space.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostUnits = 32768;             // of one sort
constexpr int64_t kMostPairs = int64_t{1} << 30;  // of one launch

// The units (count * cols x rows) of `count` representations, one behind the other.
template <class T>
const T* units_of(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols) {
  if (rows > std::numeric_limits<int32_t>::max()) {
    throw DeviceError("mutual information of more than 2^31 - 1 samples");
  }
  T* const values = context.temporary<T>(size_t(count * cols * rows));
  constexpr ElementType kType = sizeof(T) == 4 ? ElementType::float32 : ElementType::float64;
  const DeviceRef transposed{x, kType, 3, {count, cols, rows}, {rows * cols, 1, cols}};
  check(copy_elements<T>(transposed, values, context.stream), "copy");
  return values;
}

template <class T>
void find_edges(const Context& context, const T* values, int64_t units, int64_t rows, int64_t bins,
                double* edges, const ConstantCounters& constant) {
  const int64_t most = std::min(units, kMostUnits);
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / sort_bytes<T>(rows), 1, most);
  const SortSpace<T> space = sort_space<T>(context, chunk, rows);
  for (int64_t first = 0; first < units; first += chunk) {
    const int64_t some = std::min(chunk, units - first);
    const T* const here = values + first * rows;
    check(sort_vectors<T>(here, some, rows, space, context.stream), "launch");
    check(bin_edges<T>({here, space.positions[0], some, rows}, bins, edges + first * (bins - 2),
                       {constant.numbers, constant.step, first, constant.units_per_item},
                       context.stream),
          "launch");
  }
}

template <class T>
void find_codes(const Context& context, const T* values, int64_t units, int64_t rows,
                const double* edges, int64_t bins, uint8_t* codes, int64_t* unknown) {
  check(cudaMemsetAsync(unknown, 0, size_t(units) * sizeof(int64_t), context.stream), "memset");
  check(unit_codes<T>(values, units, rows, edges, bins, codes, unknown, context.stream), "launch");
}

}  // namespace

template <class T>
void bin_units(const Context& context, const T* x, int64_t count, int64_t rows, int64_t cols,
               int64_t bins, uint8_t* codes, int64_t* unknown, int64_t* constant_units,
               int64_t step) {
  const int64_t units = count * cols;
  const T* const values = units_of(context, x, count, rows, cols);
  double* const edges = context.temporary<double>(size_t(units * (bins - 2)));
  find_edges<T>(context, values, units, rows, bins, edges, {constant_units, step, 0, cols});
  find_codes<T>(context, values, units, rows, edges, bins, codes, unknown);
}

template <class T>
void edges_of_units(const Context& context, const T* x, int64_t rows, int64_t cols, int64_t bins,
                    double* edges) {
  int64_t* const constant = context.temporary<int64_t>(1);  // nobody asks how many
  check(cudaMemsetAsync(constant, 0, sizeof(int64_t), context.stream), "memset");
  const T* const values = units_of(context, x, 1, rows, cols);
  find_edges<T>(context, values, cols, rows, bins, edges, {constant, 1, 0, cols});
}

template <class T>
void codes_of_units(const Context& context, const T* x, int64_t rows, int64_t cols,
                    const double* edges, int64_t bins, uint8_t* codes, int64_t* unknown) {
  const T* const values = units_of(context, x, 1, rows, cols);
  find_codes<T>(context, values, cols, rows, edges, bins, codes, unknown);
}

void count_pairs(const Context& context, const CodedPairs& codes, int64_t bins, int64_t* counts) {
  const int64_t pairs = codes.dx * codes.dy;
  for (int64_t first = 0; first < pairs; first += kMostPairs) {
    check(add_joint_counts(codes, first, std::min(kMostPairs, pairs - first), bins,
                           counts + first * bins * bins, context.stream),
          "launch");
  }
}

void inform_pairs(const Context& context, const int64_t* counts, int64_t pairs, int64_t bins,
                  bool correct, double* out) {
  for (int64_t first = 0; first < pairs; first += kMostPairs) {
    check(information_of_counts(counts + first * bins * bins, std::min(kMostPairs, pairs - first),
                                bins, correct, out + first, context.stream),
          "launch");
  }
}

template <class T>
void mutual_information(const Context& context, const UnitShapes& shapes, const T* x, const T* y,
                        int64_t bins, bool correct, double* out, int64_t* constant_units) {
  const auto [count, rows, dx, dy] = shapes;
  if (count == 0) return;
  check(cudaMemsetAsync(constant_units, 0, size_t(2 * count) * sizeof(int64_t), context.stream),
        "memset");
  uint8_t* const codes_x = context.temporary<uint8_t>(size_t(count * rows * dx));
  uint8_t* const codes_y = context.temporary<uint8_t>(size_t(count * rows * dy));
  int64_t* const unknown_x = context.temporary<int64_t>(size_t(count * dx));
  int64_t* const unknown_y = context.temporary<int64_t>(size_t(count * dy));
  Scratch scratch(context);
  bin_units<T>(scratch.next(), x, count, rows, dx, bins, codes_x, unknown_x, constant_units, 2);
  bin_units<T>(scratch.next(), y, count, rows, dy, bins, codes_y, unknown_y, constant_units + 1, 2);
  const int64_t pairs = count * dx * dy, bytes = bins * bins * int64_t(sizeof(int64_t));
  const int64_t chunk = std::clamp<int64_t>(kWorkBytes / bytes, 1, std::min(pairs, kMostPairs));
  int64_t* const counts = context.temporary<int64_t>(size_t(chunk * bins * bins));
  for (int64_t first = 0; first < pairs; first += chunk) {
    const int64_t some = std::min(chunk, pairs - first);
    check(cudaMemsetAsync(counts, 0, size_t(some * bytes), context.stream), "memset");
    check(add_joint_counts({codes_x, codes_y, dx, dy, rows, unknown_x, unknown_y}, first, some,
                           bins, counts, context.stream),
          "launch");
    check(information_of_counts(counts, some, bins, correct, out + first, context.stream),
          "launch");
  }
}

#define LIKEWISE_INSTANTIATE(T)                                                                  \
  template void bin_units<T>(const Context&, const T*, int64_t, int64_t, int64_t, int64_t,       \
                             uint8_t*, int64_t*, int64_t*, int64_t);                             \
  template void edges_of_units<T>(const Context&, const T*, int64_t, int64_t, int64_t, double*); \
  template void codes_of_units<T>(const Context&, const T*, int64_t, int64_t, const double*,     \
                                  int64_t, uint8_t*, int64_t*);                                  \
  template void mutual_information<T>(const Context&, const UnitShapes&, const T*, const T*,     \
                                      int64_t, bool, double*, int64_t*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise::cuda

// Parts of cross-validation. Bytes over bandwidth: every element is read four times per fold and
// written once.

#include "core/cuda/columns.cuh"
#include "regression/cuda/folds.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostMatrices = 32768;  // of one launch, times folds

// The middle of up to nine of `size` values: that of equal ones, and no single one carries it away.
template <class Value>
__device__ double middle_of(int64_t size, const Value& value) {
  const int64_t step = size / 9 > 1 ? size / 9 : 1;
  const int count = int(size < 9 ? size : 9);
  double middle = value(0);
  for (int a = 0; a < count; ++a) {
    const double here = value(a * step);
    int place = 0;
    for (int b = 0; b < count; ++b) {
      const double other = value(b * step);
      place += other < here || (other == here && b < a);
    }
    if (place == (count - 1) / 2) middle = here;
  }
  return middle;
}

// Of a column x, `cols` elements apart, the rows inside or outside [begin, end).
struct Part {
  const double* x;
  int64_t rows, cols, begin, end;
  bool inside;
  double reference;

  __device__ Part(const double* x, int64_t rows, int64_t cols, int64_t begin, int64_t end,
                  bool inside)
      : x(x), rows(rows), cols(cols), begin(begin), end(end), inside(inside), reference(0) {
    if (size() == 0) return;
    reference = middle_of(size(), [&](int64_t k) {
      return x[(inside ? begin + k : k < begin ? k : k + end - begin) * cols];
    });
  }
  __device__ bool has(int64_t row) const { return (row >= begin && row < end) == inside; }
  __device__ double difference(int64_t row) const { return x[row * cols] - reference; }
  __device__ int64_t size() const { return inside ? end - begin : rows - (end - begin); }

  __device__ double mean_difference(double* shared) const {
    double sum = 0;
    for (int64_t i = threadIdx.y; i < rows; i += kStripes) sum += has(i) ? difference(i) : 0;
    return over_stripes<Sum>(sum, shared) / double(size() > 0 ? size() : 1);
  }
};

__global__ void __launch_bounds__(kColumns* kStripes)
    middle_kernel(const double* __restrict__ x, int64_t rows, int64_t cols,
                  double* __restrict__ out, int64_t* __restrict__ constant_units) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool exists = column < cols;
  const int64_t at = int64_t(blockIdx.y) * rows * cols + (exists ? column : 0);
  const double middle = middle_of(rows, [&](int64_t k) { return x[at + k * cols]; });
  double unit = 1;
  if (constant_units) {
    double largest = 0;
    for (int64_t i = threadIdx.y; i < rows; i += kStripes) {
      largest = Largest::of(fabs(x[at + i * cols] - middle), largest);
    }
    largest = over_stripes<Largest>(largest, shared);
    unit = unit_for(largest);
    if (exists && largest == 0 && threadIdx.y == 0) {
      atomicAdd(reinterpret_cast<unsigned long long*>(constant_units + blockIdx.y), 1ull);
    }
  }
  for (int64_t i = threadIdx.y; i < rows && exists; i += kStripes) {
    out[at + i * cols] = (x[at + i * cols] - middle) * unit;
  }
}

__global__ void __launch_bounds__(kColumns* kStripes)
    split_kernel(const double* __restrict__ x, FoldShape shape, int64_t cols, bool intercept,
                 FoldParts parts, int64_t most_trained, int64_t most_left_out) {
  SHARED_ARRAY(double, shared, kColumns* kStripes);
  const int64_t column = int64_t(blockIdx.x) * kColumns + threadIdx.x;
  const bool exists = column < cols;
  const int64_t at = exists ? column : 0;
  const int64_t fold = blockIdx.y % shape.folds;
  const double* const from = x + blockIdx.y / shape.folds * shape.rows * cols + at;
  const int64_t begin = shape.begin(fold), end = shape.begin(fold + 1);
  const Part trained{from, shape.rows, cols, begin, end, false};
  const Part left{from, shape.rows, cols, begin, end, true};
  const double mean = trained.mean_difference(shared), own_mean = left.mean_difference(shared);
  double* const to_train = parts.train + int64_t(blockIdx.y) * most_trained * cols + at;
  double* const to_left = parts.left_out + int64_t(blockIdx.y) * most_left_out * cols + at;
  double train_squares = 0;
  for (int64_t i = threadIdx.y; i < shape.rows && exists; i += kStripes) {
    const bool left_out = left.has(i);
    const bool own = left_out && parts.apart;
    const double value = !intercept ? from[i * cols]
                         : own      ? left.difference(i) - own_mean
                                    : trained.difference(i) - mean;
    if (left_out) {
      to_left[(i - begin) * cols] = value;
    } else {
      to_train[(i < begin ? i : i - (end - begin)) * cols] = value;
      train_squares += value * value;
    }
  }
  for (int64_t i = trained.size() + threadIdx.y; i < most_trained && exists; i += kStripes) {
    to_train[i * cols] = 0;
  }
  for (int64_t i = left.size() + threadIdx.y; i < most_left_out - parts.apart && exists;
       i += kStripes) {
    to_left[i * cols] = 0;
  }
  if (parts.apart && exists && threadIdx.y == 0) {
    const double apart = left.reference - trained.reference + (own_mean - mean);
    to_left[(most_left_out - 1) * cols] = intercept && left.size() > 0 ? apart : 0;
  }
  if (!parts.squares) return;  // the whole block
  train_squares = over_stripes<Sum>(train_squares, shared);
  double squares = 0;
  for (int64_t i = begin + threadIdx.y; i < end; i += kStripes) {
    const double value = left.difference(i) - own_mean;
    squares += value * value;
  }
  squares = over_stripes<Sum>(squares, shared);
  if (exists && threadIdx.y == 0) {
    parts.train_squares[int64_t(blockIdx.y) * cols + column] = train_squares;
    parts.squares[int64_t(blockIdx.y) * cols + column] = squares;
  }
}

}  // namespace

void move_to_middle(const double* x, int64_t count, int64_t rows, int64_t cols, double* out,
                    int64_t* constant_units, cudaStream_t stream) {
  for (int64_t first = 0; first < count; first += kMostMatrices) {
    const int64_t items = count - first < kMostMatrices ? count - first : kMostMatrices;
    launch(middle_kernel, blocks_of_columns(cols, items), dim3(kColumns, kStripes), 0, stream,
           x + first * rows * cols, rows, cols, out + first * rows * cols,
           constant_units ? constant_units + first : nullptr);
  }
}

void split_folds(const double* x, int64_t count, const FoldShape& shape, int64_t cols,
                 bool intercept, const FoldParts& parts, cudaStream_t stream) {
  const int64_t trained = shape.most_trained(), left = shape.most_left_out() + parts.apart;
  const int64_t most = kMostMatrices / shape.folds > 1 ? kMostMatrices / shape.folds : 1;
  for (int64_t first = 0; first < count; first += most) {
    const int64_t items = count - first < most ? count - first : most;
    const int64_t done = first * shape.folds;
    const FoldParts part{parts.train + done * trained * cols, parts.left_out + done * left * cols,
                         parts.squares ? parts.train_squares + done * cols : nullptr,
                         parts.squares ? parts.squares + done * cols : nullptr, parts.apart};
    launch(split_kernel, blocks_of_columns(cols, items * shape.folds), dim3(kColumns, kStripes), 0,
           stream, x + first * shape.rows * cols, shape, cols, intercept, part, trained, left);
  }
}

}  // namespace likewise::cuda

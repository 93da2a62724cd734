#pragma once

// Both engines on the same representations: of the device is expected what the CPU finds.

#include <deque>
#include <initializer_list>

#include "core/counts.h"
#include "core/cuda/matrix.h"
#include "core/view.h"
#include "driver.h"

namespace likewise::cuda::driver {

template <class T>
ArrayRef array_of(std::vector<T>& data, std::initializer_list<int64_t> shape) {
  ArrayRef out;
  out.data = data.data();
  out.dtype = sizeof(T) == 4 ? DType::float32 : DType::float64;
  out.ndim = int(shape.size());
  std::copy(shape.begin(), shape.end(), out.shape.begin());
  int64_t stride = 1;
  for (int axis = out.ndim - 1; axis >= 0; --axis) {
    out.strides[axis] = stride;
    stride *= out.shape[axis];
  }
  return out;
}

// A list of representations.
template <class T>
class Items {
 public:
  explicit Items(int64_t samples) : rows(samples) {}

  void add(const std::vector<T>& x) {
    const int64_t cols = int64_t(x.size()) / rows;
    hosts_.push_back(x);
    devices_.emplace_back(x);
    here.push_back(array_of(hosts_.back(), {rows, cols}));
    there.push_back({devices_.back().get(), cols});
  }

  const int64_t rows;
  Arrays here;
  std::vector<Matrix<T>> there;

 private:
  std::deque<std::vector<T>> hosts_;
  std::deque<OnDevice<T>> devices_;
};

// Up to four items that share some of a signal: far from zero; as wide, with a constant unit and
// one that repeats another but for a factor; wider than a warp; constant.
template <class T>
Items<T> planted(int64_t rows, size_t count = 4) {
  Items<T> out(rows);
  const std::vector<T> signal = normal<T>(size_t(rows));
  for (const int64_t cols : {5, 5, 35, 3}) {
    const size_t item = out.here.size();
    if (item == count) break;
    std::vector<T> x = normal<T>(size_t(rows * cols));
    for (int64_t i = 0; i < rows; ++i) {
      T* const row = x.data() + i * cols;
      row[0] += 2 * signal[size_t(i)];
      for (int64_t j = 0; j < cols; ++j) {
        if (item == 0) row[j] = T(100) + 8 * row[j];
        if (item == 3) row[j] = T(j);
      }
      if (item == 1) row[2] = T(0.1), row[4] = 3 * row[1];
    }
    out.add(x);
  }
  return out;
}

// Representations (rows x cols) one behind the other.
template <class T>
struct Stack {
  std::vector<T> host;
  int64_t count, rows, cols;
  OnDevice<T> device{host};

  ArrayRef here() { return array_of(host, {count, rows, cols}); }
  Matrix<T> there() const { return {device.get(), cols}; }
  Batch<T> batch() const { return {device.get(), count, cols}; }
};

// Of normal numbers about 1, in the second item a constant unit, the last one constant.
template <class T>
Stack<T> stack(int64_t count, int64_t rows, int64_t cols) {
  std::vector<T> x = normal<T>(size_t(count * rows * cols));
  for (int64_t k = 0; k < count * rows * cols; ++k) {
    const int64_t item = k / (rows * cols);
    x[size_t(k)] += 1;
    if (item == 1 && k % cols == 1) x[size_t(k)] = T(0.1);
    if (item == count - 1) x[size_t(k)] = T(k % cols);
  }
  return {x, count, rows, cols};
}

// As many items, whose first unit shares a lot with that of x.
template <class T>
Stack<T> related(const Stack<T>& x, int64_t cols) {
  std::vector<T> y = stack<T>(x.count, x.rows, cols).host;
  for (int64_t k = 0; k < x.count * x.rows; ++k)
    y[size_t(k * cols)] += 3 * x.host[size_t(k * x.cols)];
  return {y, x.count, x.rows, cols};
}

// Calls there(context, scores, counts) and here(scores, counts), which fill or add to the same.
template <class There, class Here>
void compare(size_t size, int64_t kinds, int64_t items, double tolerance, There&& there,
             Here&& here) {
  std::vector<double> scores(size);
  std::vector<int64_t> counts(size_t(kinds * items));
  const OnDevice<double> found(scores);
  const OnDevice<int64_t> found_counts(counts);
  Call call;
  const Context context = call.context();
  there(context, found.get(), Counts{found_counts.get(), kinds, items});
  here(scores.data(), Counts{counts.data(), kinds, items});
  agree(found.values(), scores, tolerance, "score");
  agree(found_counts.values(), counts, 0, "counts");
}

// All pairs of a list with itself, and with another one if that has any: there(scores, counts,
// context, a, b, rows, symmetric), `here` as the CPU's functions are.
template <class T, class Options, class There, class Here>
void compare_grids(const Items<T>& a, const Items<T>& b, const Options& options, int64_t kinds,
                   double tolerance, There&& there, Here&& here) {
  const Items<T> nothing(a.rows);
  for (const bool symmetric : {true, false}) {
    if (!symmetric && b.here.empty()) continue;
    const Items<T>& other = symmetric ? nothing : b;
    const size_t items = a.here.size() + other.here.size();
    const size_t size = a.here.size() * (symmetric ? a : b).here.size();
    compare(
        size, kinds, int64_t(items), tolerance,
        [&](const Context& context, double* scores, const Counts& counts) {
          there(scores, counts, context, a.there, other.there, a.rows, symmetric);
        },
        [&](double* scores, const Counts& counts) {
          here(a.here, other.here, options, 1, scores, counts);
        });
  }
}

// Pairs: there(scores, counts, context, x, y, count, rows).
template <class T, class Options, class There, class Here>
void compare_pairs(Stack<T>& x, Stack<T>& y, const Options& options, int64_t kinds,
                   double tolerance, There&& there, Here&& here) {
  compare(
      size_t(x.count), kinds, 2 * x.count, tolerance,
      [&](const Context& context, double* scores, const Counts& counts) {
        there(scores, counts, context, x.there(), y.there(), x.count, x.rows);
      },
      [&](double* scores, const Counts& counts) {
        here(x.here(), y.here(), options, 1, scores, counts);
      });
}

// Gradients of three kinds of counts at most, by both sides at once and by each alone.
template <class T, class Options, class There, class Here>
void compare_gradients(Stack<T>& x, Stack<T>& y, const Options& options, double tolerance,
                       There&& there, Here&& here) {
  std::vector<T> by_x(x.host.size()), by_y(y.host.size());
  std::vector<double> unused(size_t(x.count), 0);
  std::vector<int64_t> counts(size_t(6 * x.count), 0);
  here(x.here(), y.here(), options, 1, unused.data(), Counts{counts.data(), 3, 2 * x.count},
       by_x.data(), by_y.data());
  for (const int wanted : {1, 2, 3}) {
    const OnDevice<T> found_x(by_x.size()), found_y(by_y.size());
    Call call;
    there(call.context(), x.there(), y.there(), x.count, x.rows, options,
          wanted & 1 ? found_x.get() : nullptr, wanted & 2 ? found_y.get() : nullptr);
    if (wanted & 1) agree(found_x.values(), by_x, tolerance, "gradient by x");
    if (wanted & 2) agree(found_y.values(), by_y, tolerance, "gradient by y");
  }
}

}  // namespace likewise::cuda::driver

#pragma once

// What the checks of the kernels share. They run without Python: for sanitizers, the mutation test,
// and compute-sanitizer on a real GPU.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "core/cuda/context.h"
#include "linalg/cuda/libraries.h"
#ifdef CUSIM
#include "cusim.h"
#endif

namespace likewise::cuda::driver {

// A file of checks registers them under the name of its kernel file.
struct Topic {
  Topic(const char* topic, void (*checks)());
  const char* name;
  void (*run)();
};

// Where the largest launches are left out: they take long there.
inline bool thread_sanitizer() {
#ifdef CUSIM
  return cusim::thread_sanitizer();
#else
  return false;
#endif
}

inline int wrong = 0;
inline std::mt19937 generator(5);
inline cudaStream_t stream = nullptr;

inline void expect(bool good, const char* what) {
  if (!good) std::printf("WRONG %s\n", what), ++wrong;
}

inline void need(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("ERROR %s: %s\n", what, cudaGetErrorName(error));
#ifdef CUSIM
  std::printf("%s", cusim::report());
#endif
  std::exit(2);
}

// Device memory with a copy of these values, or undefined.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(size_t n) : size_(n) {
    need(cudaMalloc(&data_, std::max<size_t>(n, 1) * sizeof(T)), "malloc");
  }
  explicit OnDevice(const std::vector<T>& values) : OnDevice(values.size()) {
    need(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice), "upload");
  }
  ~OnDevice() { cudaFree(data_); }
  OnDevice(const OnDevice&) = delete;
  T* get() const { return data_; }
  std::vector<T> values() const {
    need(cudaStreamSynchronize(stream), "run");
    std::vector<T> out(size_);
    need(cudaMemcpy(out.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost), "download");
    return out;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

template <class T>
std::vector<T> normal(size_t n) {
  std::normal_distribution<double> distribution;
  std::vector<T> out(n);
  for (T& x : out) x = T(distribution(generator));
  return out;
}

// The least cost of all one-to-one pairings of rows <= cols, by the Hungarian algorithm.
template <class T>
double least_cost(const T* cost, int rows, int cols) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> u(rows + 1), v(cols + 1);
  std::vector<int> owner(cols + 1), way(cols + 1);
  for (int i = 1; i <= rows; ++i) {
    std::vector<double> least(cols + 1, kInfinity);
    std::vector<char> used(cols + 1);
    owner[0] = i;
    int column = 0;
    do {
      used[column] = 1;
      const int row = owner[column];
      int next = 0;
      double delta = kInfinity;
      for (int j = 1; j <= cols; ++j) {
        if (used[j]) continue;
        const double reduced = double(cost[(row - 1) * cols + j - 1]) - u[row] - v[j];
        if (reduced < least[j]) least[j] = reduced, way[j] = column;
        if (least[j] < delta) delta = least[j], next = j;
      }
      for (int j = 0; j <= cols; ++j) {
        if (used[j]) {
          u[owner[j]] += delta, v[j] -= delta;
        } else {
          least[j] -= delta;
        }
      }
      column = next;
    } while (owner[column]);
    for (; column; column = way[column]) owner[column] = owner[way[column]];
  }
  double total = 0;
  for (int j = 1; j <= cols; ++j) {
    if (owner[j]) total += double(cost[(owner[j] - 1) * cols + j - 1]);
  }
  return total;
}

// The least (sign 1) or largest (-1) cost of a transport with uniform marginals: an assignment of
// every row, as often as it sends units, to every column, as often as it takes some.
template <class T>
double least_transport(const T* cost, int rows, int cols, double sign) {
  const int units = std::lcm(rows, cols);
  std::vector<double> repeated(size_t(units) * units);
  for (int i = 0; i < units; ++i) {
    for (int j = 0; j < units; ++j) {
      repeated[size_t(i) * units + j] = sign * double(cost[i % rows * cols + j % cols]);
    }
  }
  return sign * least_cost(repeated.data(), units, units) / units;
}

// Correlation of column i of x with column j of y, both (rows x .), in double.
template <class T>
double correlation(const T* x, const T* y, int rows, int dx, int dy, int i, int j) {
  double mean_x = 0, mean_y = 0, xy = 0, xx = 0, yy = 0;
  for (int r = 0; r < rows; ++r) {
    mean_x += double(x[r * dx + i]) / rows;
    mean_y += double(y[r * dy + j]) / rows;
  }
  for (int r = 0; r < rows; ++r) {
    const double a = double(x[r * dx + i]) - mean_x, b = double(y[r * dy + j]) - mean_y;
    xy += a * b, xx += a * a, yy += b * b;
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

// A context for one call, whose temporary memory goes with it.
class Call {
 public:
  Call() {
#ifdef LIKEWISE_FAKE_LIBRARIES
    set_library_directories({LIKEWISE_FAKE_LIBRARIES});
#endif
  }
  ~Call() {
    for (void* data : temporaries_) cudaFree(data);
  }
  Call(const Call&) = delete;
  Context context() {
    return {stream,
            [this](size_t bytes) {
              void* data = nullptr;
              need(cudaMalloc(&data, bytes), "malloc");
              temporaries_.push_back(data);
              return data;
            },
            nullptr};
  }

 private:
  std::vector<void*> temporaries_;
};

}  // namespace likewise::cuda::driver

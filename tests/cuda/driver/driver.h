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

[[noreturn]] inline void fail(const char* error) {
  std::printf("ERROR %s\n", error);
#ifdef CUSIM
  std::printf("%s", cusim::report());
#endif
  std::exit(2);
}

// What launches kernels does so by itself.
inline void need(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("%s: ", what);
  fail(cudaGetErrorName(error));
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
  OnDevice& operator=(const OnDevice&) = delete;
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

// Where the device's numbers are the expected ones: NaN for NaN, and others within a tolerance
// times the largest that is expected.
template <class Found, class Expected>
void agree(const std::vector<Found>& found, const std::vector<Expected>& expected, double tolerance,
           const char* what) {
  double largest = 0;
  for (const Expected value : expected) {
    if (std::isfinite(double(value))) largest = std::max(largest, std::abs(double(value)));
  }
  bool good = found.size() == expected.size();
  for (size_t k = 0; good && k < expected.size(); ++k) {
    const double a = double(found[k]), b = double(expected[k]);
    good = std::isnan(b) ? std::isnan(a) : a == b || std::abs(a - b) <= tolerance * largest;
    if (!good) std::printf("%zu: %.17g, expected %.17g\n", k, a, b);
  }
  expect(good, what);
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

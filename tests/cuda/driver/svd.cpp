#include "linalg/cuda/svd.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Matrices that do not fit into shared memory: of full rank, lacking one direction
// where few rotations make up for it, with NaN.
constexpr int kItems = 3;

template <class T>
struct Matrices {
  int rows, cols, m, n;
  std::vector<T> host;
  OnDevice<T> there;

  Matrices(int r, int c)
      : rows(r), cols(c), m(std::max(r, c)), n(std::min(r, c)), host(made()), there(host) {}

  std::vector<T> made() const {
    std::vector<T> out = normal<T>(size_t(kItems) * rows * cols);
    const int size = rows * cols;
    for (int k = 0; k < m && n < 64; ++k) {  // the last of the shorter side repeats the first
      T* const item = out.data() + size;
      if (rows >= cols) item[k * cols + cols - 1] = item[k * cols];
      if (rows < cols) item[(rows - 1) * cols + k] = item[k];
    }
    out[size_t(2) * size + 7] = T(std::nan(""));
    return out;
  }
};

template <class T>
bool near(double a, double b, double scale) {
  return std::abs(a - b) <= (sizeof(T) == 4 ? 1e-5 : 1e-12) * scale;
}

// Rows a[i], b[j] of these lengths, `step` apart.
template <class T>
double product(const T* a, const T* b, int length, int step) {
  double sum = 0;
  for (int k = 0; k < length; ++k) sum += double(a[k * step]) * double(b[k * step]);
  return sum;
}

template <class T>
void decompositions(int rows, int cols) {
  const Matrices<T> a(rows, cols);
  const int m = a.m, n = a.n;
  Call call;
  Context context = call.context();
  const OnDevice<unsigned long long> status(std::vector<unsigned long long>{~0ull, ~0ull, ~0ull});
  context.status = reinterpret_cast<CallStatus*>(status.get());
  const JacobiSvd<T> svd = decompose<T>(context, a.there.get(), kItems, rows, cols);
  const OnDevice<T> values(kItems * n), u(kItems * m * n), v(kItems * n * n);
  const auto fetch = [&](const T* from, const OnDevice<T>& to, size_t size) {
    need(cudaMemcpyAsync(to.get(), from, size * sizeof(T), cudaMemcpyDeviceToDevice, stream),
         "copy");
    return to.values();
  };
  const auto s = fetch(svd.values, values, size_t(kItems) * n);
  const auto longer = fetch(svd.columns, u, size_t(kItems) * m * n);
  const auto shorter = fetch(svd.right, v, size_t(kItems) * n * n);
  expect(status.values()[1] == 2, "the one that failed");
  for (int q = 0; q < 2; ++q) {
    const T *const left = longer.data() + q * m * n, *const right = shorter.data() + q * n * n;
    for (int j = 0; j < n; ++j) {
      for (int k = 0; k < n; ++k) {
        expect(near<T>(product(left + j * m, left + k * m, m, 1), j == k, 5), "longer vectors");
        expect(near<T>(product(right + j * n, right + k * n, n, 1), j == k, 5), "shorter vectors");
      }
      for (int i = 0; i < m; ++i) {
        double rebuilt = 0;
        for (int k = 0; k < n; ++k) {
          rebuilt += double(left[k * m + i]) * double(s[q * n + k]) * double(right[k * n + j]);
        }
        const int at = rows >= cols ? i * cols + j : j * cols + i;
        expect(near<T>(rebuilt, double(a.host[q * m * n + at]), n), "product of the factors");
      }
    }
  }
  bool all_nan = true;
  for (int k = 0; k < n; ++k) all_nan = all_nan && std::isnan(s[2 * n + k]);
  expect(all_nan, "NaN");
}

template <class T>
void polar_decompositions(int rows, int cols) {
  const Matrices<T> a(rows, cols);
  Call call;
  const OnDevice<T> factors(a.host.size()), stretches(size_t(kItems) * cols * cols);
  polar<T>(call.context(), a.there.get(), kItems, rows, cols, factors.get(), stretches.get());
  const auto u = factors.values(), p = stretches.values();
  const bool tall = rows >= cols;
  for (int q = 0; q < 2; ++q) {
    const T *const factor = u.data() + q * rows * cols, *const stretch = p.data() + q * cols * cols;
    for (int i = 0; i < a.n; ++i) {
      for (int j = 0; j < a.n; ++j) {
        const double along = tall ? product(factor + i, factor + j, rows, cols)
                                  : product(factor + i * cols, factor + j * cols, cols, 1);
        expect(near<T>(along, i == j, 5), "orthonormal factor");
      }
    }
    for (int i = 0; i < cols; ++i) {
      for (int j = 0; j < i; ++j) {
        expect(near<T>(double(stretch[i * cols + j]), double(stretch[j * cols + i]), 5),
               "symmetric factor");
      }
    }
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j) {
        double rebuilt = 0;
        for (int k = 0; k < cols; ++k) {
          rebuilt += double(factor[i * cols + k]) * double(stretch[k * cols + j]);
        }
        expect(near<T>(rebuilt, double(a.host[(q * rows + i) * cols + j]), cols), "U P");
      }
    }
  }
  expect(std::isnan(u.back()) && std::isnan(p.back()), "NaN");
}

// From a matrix to itself turned: by the reflection I - 2 e e' / d, e of ones.
template <class T>
void rotations(int d) {
  const Matrices<T> a(d, d);
  std::vector<T> turned(a.host);
  for (int row = 0; row < kItems * d; ++row) {
    T* const to = turned.data() + row * d;
    double sum = 0;
    for (int j = 0; j < d; ++j) sum += double(to[j]);
    for (int j = 0; j < d; ++j) to[j] = T(double(to[j]) - 2 * sum / d);
  }
  const OnDevice<T> b(turned), found(a.host.size()), scales(kItems);
  Call call;
  orthogonal_procrustes<T>(call.context(), a.there.get(), b.get(), kItems, d, d, found.get(),
                           scales.get());
  const auto r = found.values(), scale = scales.values();
  for (int q = 0; q < 2; ++q) {
    double squares = 0;
    for (int k = 0; k < d * d; ++k) squares += std::pow(double(a.host[q * d * d + k]), 2);
    expect(near<T>(double(scale[q]), squares, squares), "scale");
    for (int i = 0; i < d; ++i) {
      for (int j = 0; j < d; ++j) {
        const T* const rotation = r.data() + q * d * d;
        expect(near<T>(product(rotation + i, rotation + j, d, d), i == j, 5), "rotation");
        double there = 0;
        for (int k = 0; k < d; ++k) {
          there += double(a.host[(q * d + i) * d + k]) * double(rotation[k * d + j]);
        }
        expect(near<T>(there, double(turned[(q * d + i) * d + j]), 50 * d), "rotated sample");
      }
    }
  }
  expect(std::isnan(r.back()) && std::isnan(scale.back()), "NaN");
}

void by_polar_factors() {
  decompositions<double>(150, 66);
  decompositions<double>(20, 800);
  decompositions<float>(70, 240);
  polar_decompositions<double>(150, 66);
  polar_decompositions<float>(40, 700);
  rotations<double>(80);
}

const Topic topic("svd", by_polar_factors);

}  // namespace
}  // namespace likewise::cuda::driver

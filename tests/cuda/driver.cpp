// Runs every kernel on small inputs and checks the answers, without Python: for sanitizers, the
// mutation test, and compute-sanitizer on a real GPU. Exits with 0 (good), 1 (wrong answer) or
// 2 (an error was reported).

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "assignment/cuda/lap.h"
#include "assignment/cuda/match.h"
#include "core/cuda/elements.h"
#include "linalg/cuda/jacobi.h"
#include "linalg/cuda/libraries.h"
#include "linalg/cuda/polar.h"
#include "linalg/cuda/polar_kernels.h"
#ifdef CUSIM
#include "cusim.h"
#endif

namespace {

using namespace likewise::cuda;

int wrong = 0;
double largest_gap = 0;
std::mt19937 generator(5);
cudaStream_t stream = nullptr;

void expect(bool good, const char* what) {
  if (!good) std::printf("WRONG %s\n", what), ++wrong;
}

void need(cudaError_t error, const char* what) {
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

enum class Costs { any, ties, products, forbidden, equal, offset };

template <class T>
std::vector<T> costs(Costs kind, int count, int rows, int cols) {
  std::vector<T> out = normal<T>(size_t(count) * rows * cols);
  for (size_t k = 0; k < out.size(); ++k) {
    const int i = int(k) / cols % rows, j = int(k) % cols;
    if (kind == Costs::ties) out[k] = T(generator() % 4);
    if (kind == Costs::products) out[k] = T((i + 1) * (j + 1));
    if (kind == Costs::equal) out[k] = 7;
    if (kind == Costs::offset) out[k] += T(1e6);
    if (kind == Costs::forbidden && i != j && generator() % 2) {
      out[k] = std::numeric_limits<T>::infinity();
    }
  }
  return out;
}

template <class T>
void assign(Costs kind, int rows, int cols, bool transposed) {
  constexpr int kCount = 2;
  const std::vector<T> host = costs<T>(kind, kCount, rows, cols);
  const OnDevice<T> cost(host);
  const int m = transposed ? cols : rows, n = transposed ? rows : cols;
  const OnDevice<int64_t> row_ind(kCount * rows), col_ind(kCount * rows);
  const OnDevice<double> total(kCount), u(kCount * m), v(kCount * n), gap(kCount);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(solve_assignments<T>(
           cost.get(), kCount, rows, cols, false, transposed,
           {row_ind.get(), col_ind.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
           stream),
       "assignment");
  const auto r = row_ind.values(), c = col_ind.values();
  const auto sums = total.values(), row_dual = u.values(), column_dual = v.values();
  const auto gaps = gap.values();
  expect(failure.values()[0] == ~0ull, "status of an assignment");
  for (int q = 0; q < kCount; ++q) {
    const T* const problem = host.data() + size_t(q) * rows * cols;
    const double least = least_cost(problem, rows, cols);
    expect(std::abs(sums[q] - least) <= 1e-9 * (1 + std::abs(least)), "cost of an assignment");
    expect(gaps[q] >= 0 && gaps[q] <= 1e-9 * (1 + std::abs(least)), "gap of an assignment");
    double slacks = 0;  // of the pairs, which is what the gap adds up
    for (int k = 0; k < rows; ++k) {
      const int64_t i = r[q * rows + k], j = c[q * rows + k];
      const double entry = double(transposed ? problem[j * cols + i] : problem[i * cols + j]);
      const double u_k = row_dual[q * m + i], v_k = column_dual[q * n + j];
      slacks += transposed ? entry - u_k - v_k : entry - v_k - u_k;
      if (kind == Costs::equal) expect(i == k && j == k, "identity of equal costs");
    }
    expect(std::abs(gaps[q] - slacks) <= 1e-12 * slacks, "sum of slacks");
    largest_gap = std::max(largest_gap, gaps[q]);
    std::vector<char> seen(static_cast<size_t>(n));
    for (int k = 0; k < rows; ++k) {
      const int64_t i = r[q * rows + k], j = c[q * rows + k];
      const bool inside = i >= 0 && i < m && j >= 0 && j < n;
      expect(inside && !seen[j] && (k == 0 || r[q * rows + k - 1] < i), "pairs of an assignment");
      if (inside) seen[j] = 1;
    }
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        const double entry = double(transposed ? problem[j * cols + i] : problem[i * cols + j]);
        const double slack = entry - row_dual[q * m + i] - column_dual[q * n + j];
        expect(slack >= -1e-9, "duals of an assignment");
      }
    }
  }
}

void refuse_assignments() {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> host = normal<double>(3 * 40 * 40);
  for (int i = 0; i < 40; ++i) host[1600 + 40 * i + 7] = infinity;  // a column nobody may have
  host[3200 + 41] = std::nan("");
  const OnDevice<double> cost(host);
  const OnDevice<int64_t> row_ind(120), col_ind(120);
  const OnDevice<double> total(3), u(120), v(120), gap(3);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(solve_assignments<double>(
           cost.get(), 3, 40, 40, false, false,
           {row_ind.get(), col_ind.get(), total.get(), u.get(), v.get(), gap.get(), failure.get()},
           stream),
       "assignment");
  const auto c = col_ind.values();
  const auto sums = total.values(), gaps = gap.values(), row_dual = u.values();
  expect(failure.values()[0] == (1 << 2 | kInfeasible), "first failure of a batch");
  expect(c[0] >= 0 && std::isfinite(sums[0]), "a good problem beside bad ones");
  for (int k = 40; k < 120; ++k) expect(c[k] == -1 && std::isnan(row_dual[k]), "refused pairs");
  expect(std::isnan(sums[1]) && std::isnan(gaps[2]), "refused costs");
}

void copy_and_look() {
  constexpr int kRows = 37, kCols = 70;  // read as the transpose of every second column
  std::vector<double> host = normal<double>(kRows * kCols * 2);
  const OnDevice<double> in(host);
  const OnDevice<float> out(kRows * kCols);
  const DeviceRef view{in.get(), ElementType::float64, 2, {kCols, kRows}, {2, 2 * kCols}};
  need(copy_elements<float>(view, out.get(), stream), "copy");
  const auto copied = out.values();
  for (int i = 0; i < kCols; ++i) {
    for (int j = 0; j < kRows; ++j) {
      expect(copied[i * kRows + j] == float(host[j * 2 * kCols + 2 * i]), "copied element");
    }
  }
  const std::vector<uint16_t> halves{0x3c00, 0xc000, 0x0001, 0x7c00, 0x0000, 0x3555};
  const OnDevice<uint16_t> bits(halves);
  const OnDevice<float> widened(halves.size());
  need(copy_elements<float>({bits.get(), ElementType::float16, 1, {6}, {1}}, widened.get(), stream),
       "widen");
  const std::vector<float> wide = widened.values();
  expect(wide[0] == 1 && wide[1] == -2 && wide[2] == std::ldexp(1.0f, -24), "half precision");
  expect(std::isinf(wide[3]) && wide[4] == 0 && std::abs(wide[5] - 1.0f / 3) < 1e-3, "halves");

  for (const double odd : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
    host[3999] = odd;
    host[4000] = std::nan("");
    for (const int size : {3999, 5180}) {
      const OnDevice<double> x(host);
      const OnDevice<unsigned long long> first(std::vector<unsigned long long>{~0ull});
      need(find_nonfinite<double>(x.get(), size, first.get(), stream), "look");
      expect(first.values()[0] == (size > 3999 ? 3999 : ~0ull), "first that is not finite");
    }
  }
}

void assignments() {
  for (const Costs kind : {Costs::any, Costs::ties, Costs::products, Costs::forbidden}) {
    assign<float>(kind, 30, 30, false);
    assign<double>(kind, 20, 41, kind == Costs::any);
    assign<double>(kind, 20, 70, kind == Costs::ties);
  }
  assign<float>(Costs::any, 70, 100, true);
  assign<float>(Costs::equal, 33, 40, false);
  assign<double>(Costs::offset, 60, 60, false);
  expect(largest_gap > 0, "a gap to look at");
  refuse_assignments();
}

// Helpers of the polar iteration, one by one, and the nuclear norms of rotations and of products.
template <class T>
void polar_kernels() {
  constexpr int kCount = 3, kSide = 19, kSize = kSide * kSide;
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
  std::vector<T> host = normal<T>(kCount * kSize);
  std::fill_n(host.begin() + kSize, kSize, T(0));
  const OnDevice<T> x(host), scaled(host.size()), z(host);
  const OnDevice<double> norms(kCount), products(kCount);
  need(divide_by_norm<T>(x.get(), kCount, kSize, scaled.get(), norms.get(), stream), "norm");
  need(add_polynomial<T>(z.get(), x.get(), kCount, kSide, T(2), T(3), stream), "polynomial");
  need(inner_products<T>(scaled.get(), z.get(), norms.get(), kCount, kSize, products.get(), stream),
       "products");
  const auto unit = scaled.values(), sums = z.values();
  const auto lengths = norms.values(), found = products.values();
  for (int q = 0; q < kCount; ++q) {
    double squares = 0, product = 0;
    for (int k = 0; k < kSize; ++k) squares += std::pow(double(host[q * kSize + k]), 2);
    const double norm = std::sqrt(squares);
    expect(std::abs(lengths[q] - norm) <= tolerance * (1 + norm), "norm");
    for (int k = 0; k < kSize; ++k) {
      const double value = double(host[q * kSize + k]);
      const double sum = 4 * value + (k / kSide == k % kSide ? 2 : 0);
      expect(std::abs(double(unit[q * kSize + k]) - (q == 1 ? 0 : value / norm)) <= tolerance,
             "element of unit norm");
      expect(std::abs(double(sums[q * kSize + k]) - sum) <= tolerance * 20, "polynomial");
      product += value * sum;
    }
    expect(std::abs(found[q] - product) <= tolerance * (1 + std::abs(product)), "inner product");
  }
  for (const double odd : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    host[kSize + 300] = T(odd);
    const OnDevice<T> bad(host);
    need(divide_by_norm<T>(bad.get(), kCount, kSize, scaled.get(), norms.get(), stream), "norm");
    const auto after = norms.values();
    expect(std::isfinite(after[0]) && std::isnan(after[1]), "norm of what is not finite");
    expect(std::isnan(scaled.values()[kSize]), "element beside one that is not finite");
  }
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

// Units of x, some of them twice and some constant, with a reordered y; a constant representation;
// one with NaN.
template <class T>
void match(likewise::Matching matching, int dx, int dy) {
  constexpr int kCount = 4, kRows = 21;
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-11;
  std::vector<T> host_x = normal<T>(kCount * kRows * dx), host_y = normal<T>(kCount * kRows * dy);
  for (int q = 0; q < kCount; ++q) {
    for (int r = 0; r < kRows; ++r) {
      T* const x = &host_x[(q * kRows + r) * dx];
      T* const y = &host_y[(q * kRows + r) * dy];
      x[2] = T(3);
      y[1] = y[3] = x[0];
      for (int i = 0; i < dx && q == 2; ++i) x[i] = T(i);
    }
  }
  host_x[(3 * kRows + 5) * dx + 2] = T(std::nan(""));  // in a unit that is constant else
  host_y[(3 * kRows + 5) * dy + 7] = T(std::nan(""));
  const OnDevice<T> x(host_x), y(host_y);
  const OnDevice<double> score(kCount);
  const OnDevice<int64_t> assignment(kCount * dx), constant(2 * kCount);
  Call call;
  match_units<T>(call.context(), matching, {kCount, kRows, dx, dy}, x.get(), y.get(), score.get(),
                 assignment.get(), constant.get());
  const auto scores = score.values();
  const auto partners = assignment.values(), constants = constant.values();
  expect(constants == std::vector<int64_t>({1, 0, 1, 0, dx, 0, 0, 0}), "constant units");
  expect(std::isnan(scores[2]) && std::isnan(scores[3]), "score of nothing");
  for (int i = 0; i < dx; ++i) expect(partners[2 * dx + i] == -1, "partner in nothing");
  expect(partners[3 * dx + 4] == -1, "partner of NaN");
  for (int q = 0; q < 2; ++q) {
    const T *a = &host_x[q * kRows * dx], *b = &host_y[q * kRows * dy];
    std::vector<T> cost(size_t(dx) * dy);
    double sum = 0, best = 0;
    int matched = 0;
    for (int i = 0; i < dx; ++i) {
      int first = 0;
      for (int j = 0; j < dy; ++j) {
        const double here = correlation(a, b, kRows, dx, dy, i, j);
        cost[dx <= dy ? i * dy + j : j * dx + i] = T(-here);
        if (here > correlation(a, b, kRows, dx, dy, i, first) + tolerance) first = j;
      }
      best += correlation(a, b, kRows, dx, dy, i, first);
      const int64_t partner = partners[q * dx + i];
      if (partner >= 0) sum += correlation(a, b, kRows, dx, dy, i, int(partner)), ++matched;
      if (matching == likewise::Matching::semi && i != 2) expect(partner == first, "first partner");
    }
    const int pairs = std::min(dx, dy);
    const bool semi = matching == likewise::Matching::semi;
    const double most =
        semi ? best / dx : -least_cost(cost.data(), pairs, std::max(dx, dy)) / pairs;
    expect(matched == (semi ? dx : pairs), "number of partners");
    expect(std::abs(scores[q] - most) <= tolerance, "score of a matching");
    expect(std::abs(sum / matched - most) <= tolerance, "partners of a matching");
  }
}

void matches() {
  for (const auto matching : {likewise::Matching::permutation, likewise::Matching::semi}) {
    match<float>(matching, 9, 40);
    match<double>(matching, 40, 11);
    match<double>(matching, 33, 33);
  }
}

template <class T>
void nuclear_norms_of_known_matrices() {
  Call call;
  const Context context = call.context();
  constexpr int kRows = 40, kCols = 9, kCount = 2;
  std::vector<T> host(kCount * kRows * kCols, T(0));
  for (int j = 0; j < kCols; ++j) host[j * kCols + (j + 4) % kCols] = T(j + 1);  // singular values
  host[kRows * kCols + 7] = T(-3);
  for (const bool wide : {false, true}) {
    std::vector<T> given = host;
    for (int q = 0; q < kCount && wide; ++q) {
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kCols; ++j) {
          given[q * kRows * kCols + j * kRows + i] = host[q * kRows * kCols + i * kCols + j];
        }
      }
    }
    const OnDevice<T> a(given);
    const OnDevice<double> norms(kCount);
    nuclear_norms<T>(context, a.get(), kCount, wide ? kCols : kRows, wide ? kRows : kCols,
                     norms.get());
    const auto found = norms.values();
    expect(std::abs(found[0] - 45) < 1e-4 && std::abs(found[1] - 3) < 1e-5, "nuclear norm");
  }
}

void polars() {
  polar_kernels<float>();
  polar_kernels<double>();
  nuclear_norms_of_known_matrices<float>();
  nuclear_norms_of_known_matrices<double>();
}

// Matrices of rank 5, of zeros, with NaN; n odd and even.
template <class T>
void decompose(int m, int n) {
  constexpr int kCount = 4;
  const double tolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;
  std::vector<T> host = normal<T>(size_t(kCount) * n * m);
  for (int j = 5; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      host[j * m + i] = 0;
      for (int k = 0; k < 5; ++k) host[j * m + i] += host[k * m + i] * T(std::sin(7 * j + k));
    }
  }
  std::fill_n(host.begin() + n * m, n * m, T(0));
  for (int k = 0; k < n * m; ++k) host[2 * n * m + k] *= T(sizeof(T) == 4 ? 1e25 : 1e250);
  host[3 * n * m + m / 2] = T(std::nan(""));
  const OnDevice<T> columns(host), right(size_t(kCount) * n * n), values(size_t(kCount) * n);
  const OnDevice<T> sorted(size_t(kCount) * n), sums(kCount), scaled(host);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  need(jacobi_svd<T>({columns.get(), right.get(), values.get(), failure.get(), kCount, m, n},
                     stream),
       "svd");
  need(sort_descending<T>(values.get(), kCount, n, sorted.get(), stream), "sort");
  need(sum_values<T>(values.get(), kCount, n, sums.get(), stream), "sum");
  need(scale_rows<T>(scaled.get(), values.get(), kCount, n, m, stream), "scale");
  const auto u = columns.values(), v = right.values(), s = values.values();
  const auto down = sorted.values(), total = sums.values(), times = scaled.values();
  expect(failure.values()[0] == 3, "the one that failed");
  for (int q = 0; q < 3; ++q) {
    const double size = q == 2 ? (sizeof(T) == 4 ? 1e25 : 1e250) : 1;
    double sum = 0;
    for (int j = 0; j < n; ++j) {
      sum += double(s[q * n + j]);
      expect(j == 0 || down[q * n + j] <= down[q * n + j - 1], "order of singular values");
      int found = 0;
      for (int k = 0; k < n; ++k) found += s[q * n + k] == down[q * n + j];
      expect(found > 0, "sorted singular value");
      for (int i = 0; i < m; ++i) {
        const double entry = double(host[(q * n + j) * m + i]);
        double rebuilt = 0;
        for (int k = 0; k < n; ++k) {
          rebuilt += double(u[(q * n + k) * m + i]) * double(s[q * n + k]) *
                     double(v[(q * n + k) * n + j]);
        }
        expect(std::abs(rebuilt - entry) <= tolerance * size * n, "product of the factors");
        expect(times[(q * n + j) * m + i] == T(host[(q * n + j) * m + i] * s[q * n + j]),
               "scaled row");
      }
      for (int k = 0; k < n; ++k) {
        double left = 0, side = 0;
        for (int i = 0; i < m; ++i)
          left += double(u[(q * n + j) * m + i]) * double(u[(q * n + k) * m + i]);
        for (int i = 0; i < n; ++i)
          side += double(v[(q * n + j) * n + i]) * double(v[(q * n + k) * n + i]);
        expect(std::abs(left - (j == k)) <= tolerance * 5, "left singular vectors");
        expect(std::abs(side - (j == k)) <= tolerance * 5, "right singular vectors");
      }
    }
    expect(std::abs(double(total[q]) - sum) <= tolerance * sum, "sum of singular values");
    if (q == 0 && n > 5) expect(down[5] <= T(tolerance) * down[0] && down[4] > 0, "rank");
    if (q == 1) expect(down[n] == 0, "singular values of zeros");
  }
  expect(std::isnan(s[3 * n]) && std::isnan(u[3 * n * m]) && std::isnan(v[3 * n * n]), "NaN");
}

void decompositions() {
  decompose<float>(9, 1);
  decompose<float>(33, 8);
  decompose<double>(40, 19);
  decompose<double>(18, 18);
}

struct Topic {
  const char* name;  // as the kernel file
  void (*run)();
};
constexpr Topic kTopics[] = {{"lap", assignments},
                             {"elements", copy_and_look},
                             {"polar", polars},
                             {"match", matches},
                             {"jacobi", decompositions}};

}  // namespace

// Runs one topic, or all of them.
int main(int, char** arguments) {
  need(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  for (const Topic& topic : kTopics) {
    if (!arguments[1] || !std::strcmp(arguments[1], topic.name)) topic.run();
  }
  need(cudaStreamDestroy(stream), "stream");
#ifdef CUSIM
  if (cusim::stats.live_bytes) std::printf("LEAK %zu bytes\n", cusim::stats.live_bytes), ++wrong;
#endif
  std::printf(wrong ? "%d wrong\n" : "good\n", wrong);
  return wrong ? 1 : 0;
}

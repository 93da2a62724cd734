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
#include "core/cuda/elements.h"
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

struct Topic {
  const char* name;  // as the kernel file
  void (*run)();
};
constexpr Topic kTopics[] = {{"lap", assignments}, {"elements", copy_and_look}};

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

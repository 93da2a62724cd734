#include "kernels/cuda/kernels.h"

#include "both.h"
#include "kernels/cuda/gradient.h"
#include "kernels/cuda/gram_gradient.h"

namespace likewise::cuda::driver {
namespace {

KernelOptions options_of(KernelFunction function, HsicEstimator estimator, bool normalize) {
  KernelOptions out;
  out.function = function;
  out.estimator = estimator;
  out.normalize = normalize;
  return out;
}

KernelOptions fixed_bandwidth(bool normalize) {
  KernelOptions out = options_of(KernelFunction::rbf, HsicEstimator::biased, normalize);
  out.median = false;
  out.bandwidth = 2.5;
  return out;
}

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 2e-5 : 1e-11;

template <class T>
void scores(const Items<T>& a, const Items<T>& b, const KernelOptions& options) {
  compare_grids<T>(
      a, b, options, 2, kTolerance<T>,
      [&](double* found, const Counts& counts, const auto&... lists) {
        kernel_scores<T>(lists..., options, {found, counts.row(1), counts.row(0)});
      },
      likewise::kernel_scores);
}

// Of a list that has `more` items, and of pairs.
template <class T>
void scores(int64_t rows, const KernelOptions& options, const std::vector<std::vector<T>>& more) {
  Items<T> a = planted<T>(rows);
  for (const std::vector<T>& item : more) a.add(item);
  scores<T>(a, planted<T>(rows, 2), options);
  Stack<T> x = stack<T>(3, rows, 3), y = stack<T>(3, rows, 8);
  compare_pairs(
      x, y, options, 2, kTolerance<T>,
      [&](double* found, const Counts& counts, const auto&... pairs) {
        kernel_pairs<T>(pairs..., options, {found, counts.row(1), counts.row(0)});
      },
      likewise::kernel_pairs);
}

// Equal samples but one: no median distance, and an unbiased HSIC with itself that is not above 0.
template <class T>
std::vector<T> stuck(int64_t rows) {
  std::vector<T> out(size_t(rows) * 3, T(1));
  out[4] = T(5);
  return out;
}

// Samples in two heaps a thousand deviations apart; one sample beside which all others vanish.
template <class T>
std::vector<std::vector<T>> hard(int64_t rows) {
  std::vector<T> apart = normal<T>(size_t(rows) * 2), alone = normal<T>(size_t(rows) * 2);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < 2; ++j) {
      alone[size_t(i * 2 + j)] *= T(i == 3 ? 1024 : 1);
      apart[size_t(i * 2 + j)] += T(i < 3 * rows / 4 ? 0 : 4096);
    }
  }
  return {apart, alone, stuck<T>(rows)};
}

template <class T>
std::vector<T> huge(int64_t rows) {
  std::vector<T> out = normal<T>(size_t(rows) * 2);
  for (T& value : out) value *= sizeof(T) == 4 ? T(1e12) : T(1e90);
  return out;
}

void medians() {
  const KernelOptions options = options_of(KernelFunction::rbf, HsicEstimator::unbiased, true);
  scores<float>(9, options, hard<float>(9));      // 36 distances
  scores<double>(11, options, hard<double>(11));  // 55
  Items<float> ties(thread_sanitizer() ? 40 : 260);
  std::vector<float> whole = normal<float>(size_t(ties.rows));
  for (float& value : whole) value = std::round(2 * value);
  ties.add(whole);
  scores<float>(ties, Items<float>(ties.rows), options);
}

void grams() {
  const auto linear = KernelFunction::linear, polynomial = KernelFunction::polynomial;
  const auto biased = HsicEstimator::biased, unbiased = HsicEstimator::unbiased;
  const KernelOptions hsic = options_of(linear, biased, false);
  scores<float>(8, hsic, {huge<float>(8)});
  scores<double>(8, hsic, {huge<double>(8)});
  scores<double>(9, options_of(linear, unbiased, true), hard<double>(9));
  scores<double>(9, options_of(polynomial, unbiased, true), hard<double>(9));
  scores<float>(8, options_of(polynomial, biased, false), {});
  scores<double>(9, options_of(KernelFunction::rbf, biased, true), hard<double>(9));
  scores<double>(thread_sanitizer() ? 17 : 40, fixed_bandwidth(false), {});
}

// Where there is no score, there is no gradient: of what is constant, has no median distance or is
// not a number.
template <class T>
void gradients(int64_t rows, const KernelOptions& options) {
  std::vector<T> samples = stack<T>(5, rows, 2).host;
  std::fill_n(samples.begin() + 4 * rows, 2 * rows, T(3));  // equal ones but one
  samples[size_t(4 * rows)] = 1;
  samples[size_t(6 * rows + 3)] = std::numeric_limits<T>::quiet_NaN();
  Stack<T> x{samples, 5, rows, 2}, y = stack<T>(5, rows, 3);
  compare_gradients<T>(x, y, options, sizeof(T) == 4 ? 1e-6 : 1e-9, kernel_gradients<T>,
                       likewise::kernel_gradients);
}

// Squared distances of which several are the middle ones; rows of two launches.
template <class T>
void first_pairs() {
  constexpr int kRows = 40;
  std::vector<T> values(kRows * kRows, T(7));
  for (const int at : {9 * kRows + 8, 36 * kRows + 35, 20 * kRows + 3}) values[at] = T(0.5);
  for (const int at : {36 * kRows + 34, 30 * kRows + 29}) values[at] = T(0.25);
  for (const int at : {5 * kRows + 6, 4 * kRows + 4}) values[at] = T(0.5);  // of no pair q < p
  const OnDevice<T> there(values);
  const OnDevice<double> middle(std::vector<double>{0.25, 0.5});
  const OnDevice<unsigned long long> pairs(std::vector<unsigned long long>(2, ~0ull));
  find_pairs<T>(there.get() + 25 * kRows, kRows, 25, 15, middle.get(), pairs.get(), stream);
  find_pairs<T>(there.get(), kRows, 0, 25, middle.get(), pairs.get(), stream);
  agree(pairs.values(), std::vector<double>{30 * kRows + 29, 9 * kRows + 8}, 0, "first pairs");
}

void gram_gradients() {
  const auto linear = KernelFunction::linear, rbf = KernelFunction::rbf;
  const auto biased = HsicEstimator::biased, unbiased = HsicEstimator::unbiased;
  const int64_t rows = thread_sanitizer() ? 8 : 33;  // more than a warp
  gradients<double>(rows, options_of(linear, biased, true));
  gradients<float>(8, options_of(linear, unbiased, true));
  gradients<double>(8, options_of(KernelFunction::polynomial, unbiased, false));
  gradients<double>(8, options_of(rbf, biased, false));   // an even number of pairs
  gradients<double>(7, options_of(rbf, unbiased, true));  // an odd one
  gradients<float>(rows, fixed_bandwidth(true));
  first_pairs<float>();
  first_pairs<double>();
}

const Topic bandwidth("bandwidth", medians);
const Topic gram("gram", grams);
const Topic gram_gradient("gram_gradient", gram_gradients);

}  // namespace
}  // namespace likewise::cuda::driver

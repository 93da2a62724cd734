#include "rsa/cuda/roots.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr double kScale = 1.4142135623730951;

// Packed moments, the first of which have no factor.
void shifted(int n) {
  const int size = n * (n + 1) / 2;
  const std::vector<double> x = normal<double>(2 * size);
  const OnDevice<double> data(x), factors(std::vector<double>{std::nan(""), 0.25});
  const OnDevice<double> out(2 * size_t(n) * n);
  need(shifted_moments({data.get(), size, nullptr, factors.get()}, 2, n, out.get(), stream),
       "shifted moments");
  const auto found = out.values();
  bool good = true;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      const int low = std::min(i, j), at = low * (2 * n - low + 1) / 2 + std::max(i, j) - low;
      const double moment = x[size + at], expected = i == j ? moment + 4 : moment / kScale;
      good = good && std::abs(found[(n + i) * n + j] - expected) < 1e-14;
      good = good && found[i * n + j] == 0;
    }
  }
  expect(good, "shifted moments");
}

// Values of which some are below what is kept.
void scaled(int n) {
  const std::vector<double> vectors = normal<double>(2 * size_t(n) * n);
  std::vector<double> values(2 * n);
  for (int k = 0; k < 2 * n; ++k) values[k] = (k < n ? 4 : 2) + (k % 3 - 1) * (k + 1);
  values[n - 1] = 4 + 3 * n * 2.2e-16;
  const OnDevice<double> given(vectors), of(values), out(vectors.size());
  const OnDevice<double> factors(std::vector<double>{0.25, 0.5});
  const OnDevice<int64_t> clipped(std::vector<int64_t>{0, 0});
  const Clipping clipping{1.5 / n, clipped.get()};  // beyond 1.5 of the norms, 4 and 2
  need(scaled_vectors(given.get(), of.get(), factors.get(), 2, n, clipping, out.get(), stream),
       "roots");
  const auto found = out.values();
  bool good = true;
  for (int item = 0; item < 2; ++item) {
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        const double value = values[item * n + j] - (item ? 2 : 4);
        const double root = value > 1e-10 ? std::sqrt(value) : 0;
        const double expected = vectors[(item * n + j) * n + i] * root;
        good = good && std::abs(found[(item * n + i) * n + j] - expected) < 1e-12 * (1 + root);
      }
    }
  }
  expect(good, "roots");
  for (int item = 0; item < 2; ++item) {
    const double norm = item ? 2 : 4;
    const auto own = values.begin() + item * n;
    const auto lost = std::count_if(own, own + n, [&](double v) { return v - norm < -1.5 * norm; });
    expect(clipped.values()[item] == lost, "negative eigenvalues");
  }
}

void concluded() {
  const double nan = std::nan("");
  const OnDevice<double> a(std::vector<double>{1, nan}), b(std::vector<double>{2, 3, nan});
  const PairAxes axes{2, {2, 3}, {1, 0}, {0, 1}};
  for (const bool squared : {false, true}) {
    const OnDevice<double> scores(std::vector<double>{2, 3, 4, 5, 6, 7, 8});
    need(conclude_bures(a.get(), b.get(), axes, 6, squared, scores.get(), stream), "conclude");
    const auto found = scores.values();
    expect(found[0] == (squared ? 4 : 2) && found[1] == (squared ? 9 : 3), "scores");
    bool none = true;
    for (int k = 2; k < 6; ++k) none = none && std::isnan(found[k]);
    expect(none && found[6] == 8, "scores of what cannot be compared");
  }
}

void all() {
  shifted(9);
  scaled(9);
  concluded();
}

const Topic topic("roots", all);

}  // namespace
}  // namespace likewise::cuda::driver

#include "driver.h"
#include "moments/cuda/spectra_kernels.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kCount = 3;

// Eigenvalues of three items: of the first, one is just below rounding and one just above; of the
// second, the two largest are equal; the last item is constant.
std::vector<double> eigenvalues(int cols, double samples) {
  std::vector<double> out(size_t(kCount * cols));
  for (int k = 0; k < 2 * cols; ++k) {
    out[size_t(k)] = std::min(0.1 + std::abs(normal<double>(1)[0]), 3.0);
  }
  out[3] = 4;
  const double rounding = std::max<double>(samples, cols) * 0x1p-52 * out[3];
  out[2] = 0.9 * rounding;
  out[4] = 1.1 * rounding;
  out[size_t(cols)] = out[size_t(cols + 1)] = 3.5;
  return out;
}

void whiten(int cols, double samples, double regularization, double variance) {
  const auto host = eigenvalues(cols, samples);
  const std::vector<int64_t> constants{0, 2, cols};
  const OnDevice<double> values(host), n(std::vector<double>{samples}), weights(host.size());
  const OnDevice<int64_t> constant(constants), ranks(kCount);
  need(whiten_spectra({values.get(), n.get(), kCount, cols},
                      {regularization, variance, constant.get(), weights.get(), ranks.get()},
                      stream),
       "whiten");
  const auto found = weights.values();
  const auto numbers = ranks.values();
  for (int item = 0; item < kCount; ++item) {
    std::vector<double> own(host.begin() + item * cols, host.begin() + (item + 1) * cols);
    std::vector<int> order(static_cast<size_t>(cols));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return own[a] > own[b]; });
    const double least = std::max<double>(samples, cols) * 0x1p-52 * own[size_t(order[0])];
    double total = 0, seen = 0;
    for (const double value : own) total += value > least ? value : 0;
    std::vector<char> counts(static_cast<size_t>(cols));
    for (const int k : order) {
      counts[size_t(k)] = own[size_t(k)] > least && (variance >= 1 || seen < variance * total);
      seen += counts[size_t(k)] ? own[size_t(k)] : 0;
    }
    const double ridge = regularization * seen / double(cols - constants[size_t(item)]);
    int64_t rank = 0;
    for (int k = 0; k < cols; ++k) {
      const double weight = counts[size_t(k)] ? 1 / std::sqrt(own[size_t(k)] + ridge) : 0;
      expect(std::abs(found[size_t(item * cols + k)] - weight) <= 1e-12 * weight, "weight");
      rank += counts[size_t(k)];
    }
    expect(numbers[size_t(item)] == rank, "rank");
  }
}

void reshape(int cols, double samples, double alpha) {
  const auto host = eigenvalues(cols, samples);
  const OnDevice<double> values(host), n(std::vector<double>{samples}), weights(host.size());
  std::vector<double> units(kCount);
  for (int item = 0; item < kCount; ++item) units[size_t(item)] = std::ldexp(1.0, 2 * item - 3);
  const OnDevice<double> unit(units);
  need(reshape_spectra({values.get(), n.get(), kCount, cols}, alpha, unit.get(), weights.get(),
                       stream),
       "reshape");
  const auto found = weights.values();
  for (int item = 0; item < kCount; ++item) {
    const double* const own = &host[size_t(item * cols)];
    const double least =
        std::max<double>(samples, cols) * 0x1p-52 * *std::max_element(own, own + cols);
    const auto reshaped = [&](double root) {  // singular values in units of the data
      return alpha * root * units[size_t(item)] + 1 - alpha;
    };
    double squares = 0;
    for (int k = 0; k < cols; ++k) {
      if (own[k] > least) squares += std::pow(reshaped(std::sqrt(own[k])), 2);
    }
    for (int k = 0; k < cols; ++k) {
      const double root = std::sqrt(own[k]);
      const double weight = own[k] > least ? reshaped(root) / root / std::sqrt(squares) : 0;
      expect(std::abs(found[size_t(item * cols + k)] - weight) <= 1e-12 * weight, "reshaped");
    }
  }
}

void similarities() {
  constexpr int kSize = 300;
  std::vector<double> host = normal<double>(kSize);
  host[5] = 1e9;
  std::vector<double> norms(kSize);
  for (int k = 0; k < kSize; ++k) norms[size_t(k)] = 1 + std::abs(host[size_t(k)]);
  const OnDevice<double> traces(host), roots(kSize), one(std::vector<double>{2.0}), own(norms);
  const OnDevice<double> lengths(kSize);
  need(norms_of(traces.get(), own.get(), kSize, roots.get(), lengths.get(), stream), "norms");
  const auto found = roots.values(), scaled_norms = lengths.values();
  for (int k = 0; k < kSize; ++k) {
    expect(found[k] == (host[k] < 0 ? 0 : std::sqrt(host[k])), "norm");
    expect(scaled_norms[k] == found[k] * norms[k], "norm in units of the data");
  }
  for (const bool scaled : {false, true}) {
    const OnDevice<double> values(host);
    need(scale_similarities(values.get(), kSize, scaled ? one.get() : nullptr,
                            scaled ? own.get() : nullptr, stream),
         "similarities");
    const auto scores = values.values();
    for (int k = 0; k < kSize; ++k) {
      const double expected = std::min(host[k] / (scaled ? 2 * norms[k] : 1), 1.0);
      expect(std::abs(scores[k] - expected) <= 1e-15 * std::abs(expected), "similarity");
    }
  }
}

void spectra() {
  for (const int cols : {5, 40, 261}) {
    whiten(cols, 20, 0, 1);
    whiten(cols, 20, 0.3, 1);
    whiten(cols, 20, 0, 0.6);
    reshape(cols, 20, 0.3);
  }
  whiten(5, 1e14, 0.2, 1);
  whiten(5, 20, 0, 0.3);
  whiten(40, 1e15, 0, 0.6);
  reshape(5, 1e14, 0);
  similarities();
}

const Topic topic("spectra", spectra);

}  // namespace
}  // namespace likewise::cuda::driver

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

void existing(int cols, double samples, bool center) {
  const auto host = eigenvalues(cols, samples);
  std::vector<double> sizes(host.size(), 2.0);
  sizes[1] = 0;
  std::fill(sizes.begin() + 2 * cols, sizes.end(), 0.0);
  const OnDevice<double> values(host), norms(sizes), n(std::vector<double>{samples});
  const OnDevice<double> weights(host.size());
  const OnDevice<int64_t> ranks(kCount), dropped(kCount);
  need(find_existing({values.get(), norms.get(), n.get(), weights.get(), ranks.get(), dropped.get(),
                      kCount, cols, center},
                     stream),
       "existing");
  const auto found = weights.values();
  for (int item = 0; item < kCount; ++item) {
    const double* const own = &host[size_t(item * cols)];
    const double least =
        std::max<double>(samples, cols) * 0x1p-52 * *std::max_element(own, own + cols);
    int64_t rank = 0;
    for (int k = 0; k < cols; ++k) {
      const double weight = own[k] > least ? 1 / std::sqrt(own[k]) : 0;
      expect(std::abs(found[size_t(item * cols + k)] - weight) <= 1e-15 * weight, "weight");
      rank += own[k] > least;
    }
    const int64_t most = std::min<int64_t>(item == 0 ? cols - 1 : cols, int64_t(samples) - center);
    expect(ranks.values()[size_t(item)] == rank, "rank");
    expect(dropped.values()[size_t(item)] == (item == 2 ? 0 : most - rank), "dropped");
  }
}

void unit(int cols) {
  std::vector<double> host(size_t(kCount) * cols * cols);
  for (double& value : host) value = normal<double>(1)[0];
  for (int k = 0; k < kCount * cols; ++k) {
    double& square = host[size_t(k / cols) * cols * cols + size_t(k % cols) * (cols + 1)];
    square = k % 3 == 2 ? 0 : std::pow(10.0, 200 * (k % 2) - 100) * (1 + k);
  }
  const OnDevice<double> grams(host), norms(size_t(kCount * cols));
  need(unit_grams(grams.get(), kCount, cols, norms.get(), stream), "unit");
  const auto found = grams.values(), sizes = norms.values();
  for (size_t k = 0; k < host.size(); ++k) {
    const size_t item = k / (cols * cols), i = k / cols % cols, j = k % cols;
    const double a = std::sqrt(host[item * cols * cols + i * (cols + 1)]);
    const double b = std::sqrt(host[item * cols * cols + j * (cols + 1)]);
    if (i == j) expect(sizes[item * cols + i] == a, "norm");
    const double wanted = a == 0 || b == 0 ? 0 : host[k] / a / b;
    expect(std::abs(found[k] - wanted) <= 1e-15 * std::abs(wanted), "unit");
  }
}

void whiten(int cols, double regularization, double variance) {
  const auto host = eigenvalues(cols, 20);
  const std::vector<int64_t> constants{0, 2, cols}, given{7, 8, 9};
  const OnDevice<double> values(host), weights(host.size());
  const OnDevice<int64_t> constant(constants), ranks(given);
  need(whiten_spectra({values.get(), ranks.get(), kCount, cols},
                      {regularization, variance, constant.get(), weights.get()}, stream),
       "whiten");
  const auto found = weights.values();
  const auto numbers = ranks.values();
  for (int item = 0; item < kCount; ++item) {
    std::vector<double> own(host.begin() + item * cols, host.begin() + (item + 1) * cols);
    std::vector<int> order(static_cast<size_t>(cols));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return own[a] > own[b]; });
    const double total = std::accumulate(own.begin(), own.end(), 0.0);
    const double ridge = regularization * total / double(cols - constants[size_t(item)]);
    double seen = 0;
    int64_t rank = 0;
    for (const int k : order) {
      const double value = own[size_t(k)];
      const bool counts = value > 0 && seen < variance * total;
      seen += value;
      rank += counts;
      double weight = ridge > 0 ? std::sqrt(value / (value + ridge)) : 1;
      if (variance < 1) weight = counts;
      expect(std::abs(found[size_t(item * cols + k)] - weight) <= 1e-12 * weight, "weight");
    }
    expect(numbers[size_t(item)] == (variance < 1 ? rank : given[size_t(item)]), "rank");
  }
}

// Of the last item nothing exists.
void reshape(int cols, double size, double alpha) {
  auto host = eigenvalues(cols, 20);
  host[2] = 0;
  for (double& value : host) value *= size;
  const std::vector<int64_t> given{cols - 1, cols, 0};
  const std::vector<double> units{0.5, 2.0, 1.0};
  const OnDevice<double> values(host), weights(host.size()), unit(units);
  const OnDevice<int64_t> ranks(given);
  need(reshape_spectra({values.get(), ranks.get(), kCount, cols}, alpha, unit.get(), weights.get(),
                       stream),
       "reshape");
  const auto found = weights.values();
  for (int item = 0; item < kCount; ++item) {
    const double* const own = &host[size_t(item * cols)];
    const double largest = std::max(std::sqrt(size), 1.0);
    const auto reshaped_value = [&](int k) {  // of singular values in units of the data
      return (alpha * std::sqrt(own[k]) * units[size_t(item)] + 1 - alpha) / largest;
    };
    double squares = 0;
    for (int k = 0; k < cols; ++k) {
      const bool exists = item != 0 || k != 2;
      squares += exists * std::pow(reshaped_value(k), 2);
    }
    for (int k = 0; k < cols; ++k) {
      const double weight = item == 2 ? 0 : reshaped_value(k) / std::sqrt(squares);
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
    existing(cols, 20, true);
    unit(cols);
    whiten(cols, 0, 1);
    whiten(cols, 0.3, 1);
    whiten(cols, 0, 0.6);
    reshape(cols, 1, 0.3);
  }
  existing(5, 1e14, false);
  whiten(5, 0, 0.3);
  reshape(5, 1e306, 0.5);
  reshape(5, 1e-300, 0.5);
  reshape(5, 1, 0);
  similarities();
}

const Topic topic("spectra", spectra);

}  // namespace
}  // namespace likewise::cuda::driver

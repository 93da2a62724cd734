#include "rsa/cuda/ranks.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

bool tie(double low, double high) {
  return high - low <= 1e-12 * std::max(std::abs(low), std::abs(high));
}

// Vectors of which some values are equal, both zeros among them, or all but; what is in `broken` is
// not finite.
void ranks_of(int count, int size, int levels, int broken) {
  std::vector<double> host = normal<double>(size_t(count) * size);
  for (size_t k = 0; k < host.size(); ++k) {
    if (levels) host[k] = std::round(host[k] * levels);  // -0.0 is not rare
    if (k % 7 == 3) host[k] *= -1e-30;
    if (levels && k % 5 == 2) host[k] *= 1 + 1e-16 * double(k % 50);
  }
  for (int k = size - 2; k < size && broken >= 0; ++k) {
    host[size_t(broken) * size + k] = std::numeric_limits<double>::quiet_NaN();
  }
  const size_t entries = host.size(), tiles = size_t(count) * sort_tiles(size);
  const OnDevice<double> values(host);
  const OnDevice<unsigned long long> keys(entries), other_keys(entries);
  const OnDevice<int32_t> positions(entries), other_positions(entries), ranks(entries);
  const OnDevice<unsigned> counts(tiles * kSortDigits), faults(count);
  const OnDevice<double> parts(tiles), ties(count);
  need(rank_vectors(values.get(), count, size, 1e-12,
                    {{keys.get(), other_keys.get()},
                     {positions.get(), other_positions.get()},
                     counts.get(),
                     parts.get(),
                     faults.get()},
                    ranks.get(), ties.get(), stream),
       "ranks");
  const auto found = ranks.values();
  const auto found_ties = ties.values();
  for (int item = 0; item < count; ++item) {
    if (item == broken) {
      expect(std::isnan(found_ties[item]), "ties of what is not finite");
      continue;
    }
    const double* const x = host.data() + size_t(item) * size;
    std::vector<int> order(size);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [x](int a, int b) { return x[a] < x[b]; });
    double expected = 0;
    bool good = true;
    for (int begin = 0, end = 0; begin < size; begin = end) {
      end = begin + 1;
      while (end < size && tie(x[order[end - 1]], x[order[end]])) ++end;
      const int tied = end - begin;
      for (int k = begin; k < end; ++k) {
        good = good && found[size_t(item) * size + order[k]] == begin + end - size;
      }
      expected += double(tied) * tied * tied - tied;
    }
    expect(good, "ranks");
    expect(found_ties[item] == expected, "ties");
  }
}

// Steps of 7e-13: neighbours tie, ends of the chain do not, and no gap is smaller than another.
void chains() {
  constexpr int kSize = 300;
  std::vector<double> host;
  for (int k = 0; k < kSize; ++k) host.push_back(1 + 7e-13 * ((k * 7) % kSize));
  const size_t tiles = sort_tiles(kSize);
  const OnDevice<double> values(host), parts(tiles), ties(1);
  const OnDevice<unsigned long long> keys(kSize), other_keys(kSize);
  const OnDevice<int32_t> positions(kSize), other_positions(kSize), ranks(kSize);
  const OnDevice<unsigned> counts(tiles * kSortDigits), faults(1);
  need(rank_vectors(values.get(), 1, kSize, 1e-12,
                    {{keys.get(), other_keys.get()},
                     {positions.get(), other_positions.get()},
                     counts.get(),
                     parts.get(),
                     faults.get()},
                    ranks.get(), ties.get(), stream),
       "ranks of a chain");
  bool good = ties.values()[0] == 0;
  const auto found = ranks.values();
  for (int k = 0; k < kSize; ++k) good = good && found[k] == 2 * ((k * 7) % kSize) + 1 - kSize;
  expect(good, "a chain that is cut");
}

void ranks() {
  ranks_of(3, 300, 0, 1);
  ranks_of(1, 200, 4, -1);
  ranks_of(1, 4096 + 40, 9, -1);
  chains();
}

const Topic topic("ranks", ranks);

}  // namespace
}  // namespace likewise::cuda::driver

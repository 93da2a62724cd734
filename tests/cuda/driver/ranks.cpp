#include "rsa/cuda/ranks.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

// Vectors of which some values are equal, both zeros among them; what is in `broken` is not finite.
template <class T>
void ranks_of(int count, int size, int levels, int broken) {
  using Key = typename SortKey<T>::type;
  std::vector<T> host = normal<T>(size_t(count) * size);
  for (size_t k = 0; k < host.size(); ++k) {
    if (levels) host[k] = std::round(host[k] * T(levels));  // -0.0 is not rare
    if (k % 7 == 3) host[k] *= T(-1e-30);
  }
  for (int k = size - 2; k < size && broken >= 0; ++k) {
    host[size_t(broken) * size + k] = std::numeric_limits<T>::quiet_NaN();
  }
  const size_t entries = host.size(), tiles = size_t(count) * sort_tiles(size);
  const OnDevice<T> values(host);
  const OnDevice<Key> keys(entries), other_keys(entries);
  const OnDevice<int32_t> positions(entries), other_positions(entries), ranks(entries);
  const OnDevice<unsigned> counts(tiles * kSortDigits), faults(count);
  const OnDevice<double> parts(tiles), ties(count);
  need(rank_vectors<T>(values.get(), count, size,
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
    const T* const x = host.data() + size_t(item) * size;
    std::vector<T> sorted(x, x + size);
    std::sort(sorted.begin(), sorted.end());
    double expected = 0;
    bool good = true;
    for (int k = 0; k < size; ++k) {
      const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), x[k]);
      const int begin = int(low - sorted.begin()), end = int(high - sorted.begin());
      good = good && found[size_t(item) * size + k] == begin + end - size;
      expected += double(end - begin) * (end - begin) - 1;
    }
    expect(good, "ranks");
    expect(found_ties[item] == expected, "ties");
  }
}

void ranks() {
  ranks_of<float>(3, 300, 0, 1);
  ranks_of<float>(1, 200, 4, -1);
  ranks_of<double>(1, 4096 + 40, 9, -1);
}

const Topic topic("ranks", ranks);

}  // namespace
}  // namespace likewise::cuda::driver

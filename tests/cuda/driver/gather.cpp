#include "arrays/cuda/gather.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
void gathers(int items, int count) {
  constexpr int kRows = 11, kCols = 7;
  const std::vector<T> host = normal<T>(size_t(items * kRows * kCols));
  const std::vector<int32_t> picked{10, 0, 3, 3, 5};
  std::vector<int32_t> rows;
  for (int k = 0; k < count; ++k) rows.push_back(picked[size_t(k) % picked.size()]);
  const OnDevice<T> x(host);
  const OnDevice<int32_t> there(rows);
  const OnDevice<T> out(size_t(items * count * kCols));
  const Batch<T> batch{x.get(), items, kCols};
  need(gather_rows<T>(batch, kRows, there.get(), count, out.get(), stream), "gather");
  std::vector<T> expected;
  for (int item = 0; item < items; ++item) {
    for (const int32_t row : rows) {
      const auto from = host.begin() + (item * kRows + row) * kCols;
      expected.insert(expected.end(), from, from + kCols);
    }
  }
  expect(out.values() == expected, "gathered rows");
  need(gather_rows<T>(batch, kRows, there.get(), 0, out.get(), stream), "nothing");
}

const Topic topic("gather", [] {
  gathers<float>(1, 43);
  gathers<double>(1, 43);
  gathers<double>(130, 3);
});

}  // namespace
}  // namespace likewise::cuda::driver

#include "core/cuda/gather.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
void gathers() {
  constexpr int kCols = 7;
  const std::vector<T> host = normal<T>(11 * kCols);
  const std::vector<int32_t> picked{10, 0, 3, 3, 5};
  std::vector<int32_t> rows;
  for (int k = 0; k < 43; ++k) rows.push_back(picked[size_t(k) % picked.size()]);
  const OnDevice<T> x(host), out(rows.size() * kCols);
  const OnDevice<int32_t> there(rows);
  need(gather_rows<T>(x.get(), kCols, there.get(), int64_t(rows.size()), out.get(), stream),
       "gather");
  std::vector<T> expected;
  for (const int32_t row : rows) {
    expected.insert(expected.end(), host.begin() + row * kCols, host.begin() + (row + 1) * kCols);
  }
  expect(out.values() == expected, "gathered rows");
  need(gather_rows<T>(x.get(), kCols, there.get(), 0, out.get(), stream), "nothing");
}

const Topic topic("gather", [] {
  gathers<float>();
  gathers<double>();
});

}  // namespace
}  // namespace likewise::cuda::driver

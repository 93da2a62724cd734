#include "information/cuda/counts.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

void counts() {
  constexpr int kSize = 1100, kBeyond = 3;
  std::vector<int64_t> host(kSize), expected(kSize + kBeyond);
  for (int k = 0; k < kSize; ++k) host[k] = (int64_t{1} << 53) + 3 * k;  // no double has them
  for (int k = 0; k < kSize + kBeyond; ++k) expected[k] = 7 - k;
  const OnDevice<int64_t> given(host), total(expected);
  need(add_counts(given.get(), kSize, total.get(), stream), "add");
  for (int k = 0; k < kSize; ++k) expected[k] += host[k];
  expect(total.values() == expected, "sum of counts");
}

const Topic topic("counts", counts);

}  // namespace
}  // namespace likewise::cuda::driver

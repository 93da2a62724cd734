#include "core/cuda/grid.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

void mirrors() {
  for (const int count : {1, 40, 300}) {
    std::vector<double> host = normal<double>(size_t(count * count));
    const OnDevice<double> scores(host);
    need(mirror_upper(scores.get(), count, stream), "mirror");
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < i; ++j) host[i * count + j] = host[j * count + i];
    }
    expect(scores.values() == host, "mirrored scores");
  }
}

const Topic topic("grid", mirrors);

}  // namespace
}  // namespace likewise::cuda::driver

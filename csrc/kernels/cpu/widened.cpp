#include "kernels/cpu/widened.h"

#include "core/parallel.h"
#include "kernels/cpu/panel.h"

namespace likewise {

Widened widened(const std::vector<KernelItem<float>>& items) {
  Widened out;
  std::vector<double> buffer;
  for (const KernelItem<float>& item : items) {
    const int64_t n = item.x.rows, d = item.x.cols;
    Widened::Memory& m = out.memory.emplace_back();
    m.x.resize(size_t(n * d));
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < d; ++j) m.x[i * d + j] = double(item.x(i, j));
      poll_interrupt();
    }
    m.mean.assign(size_t(2 * d), 0.0);
    for (int64_t j = 0; j < d; ++j) m.mean[j] = double(item.mean[j]) + double(item.mean[d + j]);
    m.norms.resize(size_t(n));
    out.items.push_back(
        {{m.x.data(), n, d, d, 1}, m.mean.data(), m.norms.data(), item.scale, item.sigma});
    std::vector<double> row(static_cast<size_t>(d));
    for (int64_t i = 0; i < n; ++i) {
      centred_rows(out.items.back(), i, 1, 0, d, row.data(), d, buffer);
      row_kernels<double>().squared_norms(row.data(), d, 1, d, &m.norms[i]);
    }
  }
  return out;
}

}  // namespace likewise

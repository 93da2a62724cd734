#include <algorithm>

#include "core/dtype.h"
#include "core/parallel.h"
#include "kernels/cpu/kernel_functions.h"
#include "kernels/kernels.h"

namespace likewise {
namespace {

template <class T>
struct Prepared {
  std::vector<T> mean;
  std::vector<double> norms;
};

// Prepared representations and the memory that they point into.
template <class T>
struct PreparedList {
  std::vector<Prepared<T>> memory;
  std::vector<KernelItem<T>> items;
  std::vector<int64_t> constant_units;
};

template <class T>
PreparedList<T> prepare(const std::vector<MatrixRef<const T>>& x, const KernelOptions& options,
                        int threads) {
  PreparedList<T> list;
  list.memory.resize(x.size());
  std::vector<T*> mean;
  std::vector<double*> norms;
  for (size_t k = 0; k < x.size(); ++k) {
    list.memory[k].mean.resize(size_t(2 * x[k].cols));
    list.memory[k].norms.resize(size_t(x[k].rows));
    mean.push_back(list.memory[k].mean.data());
    norms.push_back(list.memory[k].norms.data());
  }
  const std::vector<KernelFacts> facts = prepare_kernel_items(x, mean, norms, options, threads);
  for (size_t k = 0; k < x.size(); ++k) {
    list.items.push_back({x[k], mean[k], norms[k], facts[k].scale, facts[k].sigma});
    list.constant_units.push_back(facts[k].constant_units);
  }
  return list;
}

template <class T>
bool all_the_same(const std::vector<MatrixRef<const T>>& x) {
  return std::all_of(x.begin(), x.end(), [&](const auto& m) { return m.data == x[0].data; });
}

}  // namespace

template <class T>
void kernel_scores_paired(const std::vector<MatrixRef<const T>>& x,
                          const std::vector<MatrixRef<const T>>& y, const KernelOptions& options,
                          int threads, double* scores, int32_t* status, int64_t* constant_units) {
  if (x.empty()) return;
  const double width = double(x[0].cols + y[0].cols);
  threads = worthwhile_threads(double(x.size()) * double(x[0].rows) * width * width, threads);
  parallel_for(int64_t(x.size()), threads, [&](int64_t p, int) {
    const PreparedList<T> pair = prepare<T>({x[p], y[p]}, options, threads);
    kernel_scores<T>({pair.items[0]}, {pair.items[1]}, false, options, threads, scores + p,
                     status + 2 * p, status + 2 * p + 1);
    std::copy_n(pair.constant_units.data(), 2, constant_units + 2 * p);
  });
}

void kernel_exp(const ArrayRef& x, const ArrayRef& out) {
  dispatch_float(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    kernel_functions<T>().exp(static_cast<const T*>(x.data), x.size(), static_cast<T*>(out.data));
  });
}

#define LIKEWISE_INSTANTIATE(T)                                                 \
  template void kernel_scores_paired<T>(const std::vector<MatrixRef<const T>>&, \
                                        const std::vector<MatrixRef<const T>>&, \
                                        const KernelOptions&, int, double*, int32_t*, int64_t*);
LIKEWISE_INSTANTIATE(float)
LIKEWISE_INSTANTIATE(double)
#undef LIKEWISE_INSTANTIATE

}  // namespace likewise

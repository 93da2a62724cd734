#include "kernels/cuda/kernels.h"

#include <pybind11/stl.h>

#include <optional>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"
#include "kernels/cuda/gradient.h"

namespace likewise::bindings {
namespace {

cuda::KernelFindings findings(const DeviceArray& scores, const DeviceArray& counts) {
  const Counts given(counts);
  return {scores.filled<double>(), given.row(1), given.row(0)};
}

void kernel_scores(const Items& a, const Items& b, const DeviceArray& scores,
                   const DeviceArray& counts, const KernelOptions& options, Run& run) {
  with_lists(a, b, run, [&](const auto&... lists) {
    cuda::kernel_scores(lists..., options, findings(scores, counts));
  });
}

void kernel_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                  const DeviceArray& counts, const KernelOptions& options, Run& run) {
  with_pairs(x, y, run, [&](const auto&... pairs) {
    cuda::kernel_pairs(pairs..., options, findings(scores, counts));
  });
}

void kernel_gradients(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                      const DeviceArray& counts, const MaybeArray& grad_x, const MaybeArray& grad_y,
                      const KernelOptions& options, Run& run) {
  kernel_pairs(x, y, scores, counts, options, run);
  with_pairs(x, y, run,
             [&]<class T>(const auto& context, const cuda::Matrix<T>& a, const auto&... rest) {
               cuda::kernel_gradients<T>(context, a, rest..., options, filled<T>(grad_x),
                                         filled<T>(grad_y));
             });
}

bool kernel_reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
                      const DeviceArray& scores, const KernelOptions& options, Run& run) {
  if (orders.shape(1) > kMostReordered) return false;
  with_pairs(x, y, run,
             [&](const auto& context, const auto& a, const auto& b, int64_t, int64_t rows) {
               cuda::kernel_reordered(context, a, b, rows, send_orders(orders, context),
                                      orders.shape(0), options, scores.filled<double>());
             });
  return true;
}

}  // namespace

void register_kernels(py::module_& m) {
  m.def("kernel_scores", &kernel_scores);
  m.def("kernel_pairs", &kernel_pairs);
  m.def("kernel_gradients", &kernel_gradients);
  m.def("kernel_reordered", &kernel_reordered);
}

}  // namespace likewise::bindings

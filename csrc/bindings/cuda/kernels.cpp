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

void kernel_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                   const DeviceArray& scores, const DeviceArray& counts,
                   const KernelOptions& options, Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::kernel_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                           a[0].sizes()[0], b.empty(), options, findings(scores, counts));
  });
}

void kernel_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                  const DeviceArray& counts, const KernelOptions& options, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::kernel_pairs<T>(context, {contiguous<T>(x, context), x.sizes().back()},
                          {contiguous<T>(y, context), y.sizes().back()}, scores.size(),
                          x.sizes()[x.sizes().size() - 2], options, findings(scores, counts));
  });
}

void kernel_gradients(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                      const DeviceArray& counts, const std::optional<DeviceArray>& grad_x,
                      const std::optional<DeviceArray>& grad_y, const KernelOptions& options,
                      Run& run) {
  kernel_pairs(x, y, scores, counts, options, run);
  const CallContext context(run);
  const std::vector<int64_t>& shape = x.sizes();
  const int64_t rows = shape[shape.size() - 2], cols = shape.back();
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::kernel_gradients<T>(context, {contiguous<T>(x, context), cols},
                              {contiguous<T>(y, context), y.sizes().back()}, scores.size(), rows,
                              options, grad_x ? grad_x->filled<T>() : nullptr,
                              grad_y ? grad_y->filled<T>() : nullptr);
  });
}

bool kernel_reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
                      const DeviceArray& scores, const KernelOptions& options, Run& run) {
  if (orders.shape(1) > kMostReordered) return false;
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::kernel_reordered<T>(context, {contiguous<T>(x, context), x.sizes().back()},
                              {contiguous<T>(y, context), y.sizes().back()}, x.sizes()[0],
                              send_orders(orders, context), orders.shape(0), options,
                              scores.filled<double>());
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

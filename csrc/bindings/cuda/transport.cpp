#include "transport/cuda/transport.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"

namespace likewise::bindings {
namespace {

// Masses that are given stay with the CPU.
void transport(const DeviceArray& cost, const py::none&, const py::none&, const DeviceArray& plan,
               const DeviceArray& row_dual, const DeviceArray& column_dual, const DeviceArray& gap,
               Run& run) {
  const CallContext context(run);
  const int64_t m = cost.sizes().rbegin()[1], n = cost.sizes().back();
  const bool transposed = m > n;
  const cuda::TransportShapes shapes{gap.size(), int(std::min(m, n)), int(std::max(m, n)),
                                     transposed};
  dispatch_float(cost, [&](auto zero) {
    using T = decltype(zero);
    cuda::solve_transports<T>(context, shapes, shorter_side_first<T>(cost, transposed, context),
                              plan.filled<T>(), row_dual.filled<double>(),
                              column_dual.filled<double>(), gap.filled<double>());
  });
}

// And so does a part of the mass.
bool is_distance(const SoftMatchOptions& options) {
  if (options.mass != 1) throw InternalError("a part of the mass reached the CUDA engine");
  return options.distance;
}

void soft_match_scores(const Items& a, const Items& b, const DeviceArray& scores,
                       const DeviceArray& counts, const SoftMatchOptions& options, Run& run) {
  with_lists(
      a, b, run,
      [&](const auto& context, const auto& left, const auto& right, int64_t rows, bool symmetric) {
        cuda::soft_match_scores(context, is_distance(options), left, right, rows, symmetric,
                                scores.filled<double>(), counts.filled<int64_t>());
      });
}

void soft_match_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                      const DeviceArray& counts, const MaybeArray& plan,
                      const SoftMatchOptions& options, Run& run) {
  with_pairs(x, y, run,
             [&]<class T>(const auto& context, const cuda::Matrix<T>& a, const cuda::Matrix<T>& b,
                          int64_t count, int64_t rows) {
               cuda::soft_match_pairs<T>(
                   context, is_distance(options), {count, rows, a.cols, b.cols}, a.data, b.data,
                   scores.filled<double>(), filled<T>(plan), counts.filled<int64_t>());
             });
}

}  // namespace

void register_transport(py::module_& m) {
  m.attr("most_transported") = cuda::kMostTransported;
  m.def("transport", &transport);
  m.def("soft_match_scores", &soft_match_scores);
  m.def("soft_match_pairs", &soft_match_pairs);
}

}  // namespace likewise::bindings

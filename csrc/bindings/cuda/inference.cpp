#include <pybind11/stl.h>

#include "arrays/cuda/draws.h"
#include "arrays/cuda/gather.h"
#include "bindings/cuda/arrays.h"

namespace likewise::bindings {
namespace {

// outs[k] = the rows of sides[k] that are named, draw after draw.
void gather_rows(const std::vector<DeviceArray>& sides, const Orders& rows,
                 const std::vector<DeviceArray>& outs, Run& run) {
  const CallContext context(run);
  const int32_t* const there = send_orders(rows, context);
  for (size_t k = 0; k < sides.size(); ++k) {
    dispatch_float(sides[k], [&](auto zero) {
      using T = decltype(zero);
      const int64_t samples = sides[k].sizes()[0];
      cuda::check(
          cuda::gather_rows<T>({sides[k].elements<T>(), 1, sides[k].size() / samples}, samples,
                               there, rows.size(), outs[k].filled<T>(), context.stream),
          "launch");
    });
  }
}

// out = all parts, one behind the other.
void join(const std::vector<DeviceArray>& parts, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  dispatch_float(out, [&](auto zero) {
    using T = decltype(zero);
    T* to = out.filled<T>();
    for (const DeviceArray& part : parts) {
      cuda::check(cudaMemcpyAsync(to, part.elements<T>(), size_t(part.size()) * sizeof(T),
                                  cudaMemcpyDeviceToDevice, context.stream),
                  "copy");
      to += part.size();
    }
  });
}

void p_value(const DeviceArray& score, const DeviceArray& null, const std::vector<DeviceArray>& own,
             const std::tuple<bool, bool, double, double>& how, const DeviceArray& p, Run& run) {
  const CallContext context(run);
  dispatch_float(null, [&](auto zero) {
    using T = decltype(zero);
    const auto& [larger, exact, error, scale] = how;
    const T* both[2] = {};
    for (size_t k = 0; k < own.size(); ++k) both[k] = own[k].elements<T>();
    cuda::check(
        cuda::p_value<T>(score.elements<T>(), null.elements<T>(), null.size(), both[0], both[1],
                         {larger, exact, error, scale}, p.filled<double>(), context.stream),
        "launch");
  });
}

void interval(const DeviceArray& score, const DeviceArray& draws,
              const std::tuple<int64_t, double, double, double, int, double, double, double>& how,
              const DeviceArray& error, const DeviceArray& low, const DeviceArray& high, Run& run) {
  const CallContext context(run);
  const auto [parts, scale, excess, quantile, scaled, least, most, rounding] = how;
  const cuda::Subsets subsets{parts, scale, excess,  quantile, cuda::Scaled(scaled),
                              least, most,  rounding};
  dispatch_float(draws, [&](auto zero) {
    using T = decltype(zero);
    cuda::check(
        cuda::interval<T>(score.elements<T>(), draws.elements<T>(), draws.size(), subsets,
                          {error.filled<double>(), low.filled<double>(), high.filled<double>()},
                          context.stream),
        "launch");
  });
}

}  // namespace

void register_inference(py::module_& m) {
  m.def("gather_rows", &gather_rows);
  m.def("join", &join);
  m.def("p_value", &p_value);
  m.def("interval", &interval);
}

}  // namespace likewise::bindings

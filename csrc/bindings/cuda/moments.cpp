#include "moments/cuda/moments.h"

#include <pybind11/stl.h>

#include <tuple>

#include "bindings/cuda/arrays.h"
#include "information/cuda/counts.h"
#include "linalg/cuda/products.h"

namespace likewise::bindings {
namespace {

// `rows`: the first of the samples that are added, and how far it is to the next.
void add_moments(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                 const std::tuple<int64_t, int64_t>& rows, const DeviceArray& total, Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    const auto [first, step] = rows;
    cuda::add_moments<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                         {a[0].sizes()[0], first, step}, total.filled<double>());
  });
}

// total[first ...] += array, both of float64 or of int64.
void add(const DeviceArray& array, const DeviceArray& total, int64_t first, Run& run) {
  const CallContext context(run);
  if (total.type() == cuda::ElementType::int64) {
    cuda::check(cuda::add_counts(array.elements<int64_t>(), array.size(),
                                 total.filled<int64_t>() + first, context.stream),
                "launch");
    return;
  }
  cuda::check(cuda::add_products<double>(array.elements<double>(), 1, array.size(),
                                         total.filled<double>() + first, context.stream),
              "launch");
}

// total += 1.
void add_one(const DeviceArray& total, Run& run) {
  const CallContext context(run);
  constexpr double kOne = 1;
  double* const one = context.temporary<double>(1);
  cuda::check(cuda::send_values(&kOne, 1, one, context.stream), "launch");
  cuda::check(cuda::add_products<double>(one, 1, 1, total.filled<double>(), context.stream),
              "launch");
}

}  // namespace

void register_moments(py::module_& m) {
  m.def("add_moments", &add_moments);
  m.def("add", &add);
  m.def("add_one", &add_one);
}

}  // namespace likewise::bindings

#include "moments/cuda/moments.h"

#include <pybind11/stl.h>

#include <tuple>

#include "bindings/cuda/moments.h"
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

// out = array / by[0].
void divide(const DeviceArray& array, const DeviceArray& by, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  cuda::check(cuda::divide_all(array.elements<double>(), array.size(), by.elements<double>(),
                               out.filled<double>(), context.stream),
              "launch");
}

// products / sqrt(own_a own_b); the diagonal of the products where no own ones are given.
void normalise_products(const DeviceArray& products, const std::vector<DeviceArray>& own,
                        const DeviceArray& out, Run& run) {
  const CallContext context(run);
  const int64_t rows = products.sizes()[0], cols = products.sizes()[1];
  const double* const x = products.elements<double>();
  const double* const own_a = own.empty() ? x : own[0].elements<double>();
  const double* const own_b = own.empty() ? x : own[1].elements<double>();
  const int64_t step = own.empty() ? cols + 1 : 1;
  cuda::check(cuda::normalise_products(x, rows, cols, own_a, step, own_b, step,
                                       out.filled<double>(), context.stream),
              "launch");
}

void unit_correlations_of_moments(const GivenSums& sums, const DeviceArray& out,
                                  const DeviceArray& constant_units, const DeviceArray& samples,
                                  Run& run) {
  const CallContext context(run);
  cuda::unit_correlations(context, sums_of(sums), out.filled<double>(),
                          sums_findings(constant_units, samples));
}

}  // namespace

void register_moments(py::module_& m) {
  m.def("add_moments", &add_moments);
  m.def("add", &add);
  m.def("add_one", &add_one);
  m.def("divide", &divide);
  m.def("normalise_products", &normalise_products);
  m.def("unit_correlations_of_moments", &unit_correlations_of_moments);
}

}  // namespace likewise::bindings

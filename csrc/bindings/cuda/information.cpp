#include "information/cuda/information.h"

#include "bindings/cuda/units.h"

namespace likewise::bindings {
namespace {

void mutual_information(const DeviceArray& x, const DeviceArray& y, int64_t bins, bool correct,
                        const DeviceArray& out, const DeviceArray& constant_units, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::mutual_information<T>(context, unit_shapes(x, y), contiguous<T>(x, context),
                                contiguous<T>(y, context), bins, correct, out.filled<double>(),
                                constant_units.filled<int64_t>());
  });
}

void bin_edges(const DeviceArray& x, int64_t bins, const DeviceArray& edges, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::edges_of_units<T>(context, contiguous<T>(x, context), x.sizes()[0], x.sizes()[1], bins,
                            edges.filled<double>());
  });
}

void unit_codes(const DeviceArray& x, const DeviceArray& edges, const DeviceArray& codes,
                const DeviceArray& unknown, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::codes_of_units<T>(context, contiguous<T>(x, context), x.sizes()[0], x.sizes()[1],
                            edges.elements<double>(), edges.sizes()[1] + 2, codes.filled<uint8_t>(),
                            unknown.filled<int64_t>());
  });
}

void add_joint_counts(const DeviceArray& x, const DeviceArray& y, const DeviceArray& unknown_x,
                      const DeviceArray& unknown_y, const DeviceArray& counts, Run& run) {
  const CallContext context(run);
  const cuda::CodedPairs codes{x.elements<uint8_t>(),
                               y.elements<uint8_t>(),
                               x.sizes()[0],
                               y.sizes()[0],
                               x.sizes()[1],
                               unknown_x.elements<int64_t>(),
                               unknown_y.elements<int64_t>()};
  cuda::count_pairs(context, codes, counts.sizes()[2], counts.filled<int64_t>());
}

void information_of_counts(const DeviceArray& counts, bool correct, const DeviceArray& out,
                           Run& run) {
  const CallContext context(run);
  cuda::inform_pairs(context, counts.elements<int64_t>(), out.size(), counts.sizes()[2], correct,
                     out.filled<double>());
}

}  // namespace

void register_information(py::module_& m) {
  m.def("mutual_information", &mutual_information);
  m.def("bin_edges", &bin_edges);
  m.def("unit_codes", &unit_codes);
  m.def("add_joint_counts", &add_joint_counts);
  m.def("information_of_counts", &information_of_counts);
}

}  // namespace likewise::bindings

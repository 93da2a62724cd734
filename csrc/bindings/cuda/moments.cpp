#include "moments/cuda/moments.h"

#include <pybind11/stl.h>

#include <tuple>

#include "bindings/cuda/arrays.h"

namespace likewise::bindings {
namespace {

// Shift, unit and what the unit was, of all items of a side; the first item and the first unit that
// are meant.
using GivenFrame = std::tuple<DeviceArray, DeviceArray, DeviceArray, int64_t, int64_t>;

cuda::GrownFrame grown_frame(const GivenFrame& given) {
  const auto& [shift, unit, ratio, item, column] = given;
  return {{shift.elements<double>() + column, unit.elements<double>() + item},
          ratio.elements<double>() + item};
}

void begin_frame(const Items& items, const DeviceArray& shift, const DeviceArray& unit, Run& run) {
  const CallContext context(run);
  dispatch_float(items[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::begin_frame<T>(context, matrices<T>(items, context), items[0].sizes()[0],
                         shift.filled<double>(), unit.filled<double>());
  });
}

void grow_units(const Items& items, const DeviceArray& shift, const DeviceArray& unit,
                const DeviceArray& ratio, Run& run) {
  const CallContext context(run);
  dispatch_float(items[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::grow_units<T>(context, matrices<T>(items, context), items[0].sizes()[0],
                        shift.elements<double>(), unit.filled<double>(), ratio.filled<double>());
  });
}

// outs = items, each divided by its unit.
void divide_by_units(const Items& items, const DeviceArray& unit, const Items& outs, Run& run) {
  const CallContext context(run);
  for (size_t k = 0; k < items.size(); ++k) {
    dispatch_float(items[k], [&](auto zero) {
      using T = decltype(zero);
      cuda::divide_by_unit<T>(contiguous<T>(items[k], context), items[k].size(),
                              unit.elements<double>() + k, outs[k].filled<T>(), context.stream);
    });
  }
}

// `rows`: the first of the samples that are added, and how far it is to the next.
void add_moments(const Items& a, const Items& b, const std::tuple<int64_t, int64_t>& rows,
                 const std::vector<GivenFrame>& frames, const DeviceArray& total, Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    const auto [first, step] = rows;
    cuda::add_moments<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                         {a[0].sizes()[0], first, step}, grown_frame(frames[0]),
                         grown_frame(frames[1]), total.filled<double>());
  });
}

}  // namespace

void register_moments(py::module_& m) {
  m.def("begin_frame", &begin_frame);
  m.def("grow_units", &grow_units);
  m.def("divide_by_units", &divide_by_units);
  m.def("add_moments", &add_moments);
}

}  // namespace likewise::bindings

#include "moments/cuda/moments.h"

#include <pybind11/stl.h>

#include <optional>
#include <tuple>

#include "bindings/cuda/moments.h"
#include "linalg/cuda/products.h"

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

void begin_frame(const std::vector<DeviceArray>& items, const DeviceArray& shift,
                 const DeviceArray& unit, Run& run) {
  const CallContext context(run);
  dispatch_float(items[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::begin_frame<T>(context, matrices<T>(items, context), items[0].sizes()[0],
                         shift.filled<double>(), unit.filled<double>());
  });
}

void grow_units(const std::vector<DeviceArray>& items, const DeviceArray& shift,
                const DeviceArray& unit, const DeviceArray& ratio, Run& run) {
  const CallContext context(run);
  dispatch_float(items[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::grow_units<T>(context, matrices<T>(items, context), items[0].sizes()[0],
                        shift.elements<double>(), unit.filled<double>(), ratio.filled<double>());
  });
}

// outs = items, each divided by its unit.
void divide_by_units(const std::vector<DeviceArray>& items, const DeviceArray& unit,
                     const std::vector<DeviceArray>& outs, Run& run) {
  const CallContext context(run);
  for (size_t k = 0; k < items.size(); ++k) {
    dispatch_float(items[k], [&](auto zero) {
      using T = decltype(zero);
      cuda::check(
          cuda::divide_by_unit<T>(contiguous<T>(items[k], context), items[k].size(),
                                  unit.elements<double>() + k, outs[k].filled<T>(), context.stream),
          "launch");
    });
  }
}

// products (rows, columns) *= (by_rows by_columns)^2.
void scale_products(const DeviceArray& products, const std::optional<DeviceArray>& by_rows,
                    const std::optional<DeviceArray>& by_columns, Run& run) {
  const CallContext context(run);
  const int64_t rows = products.sizes()[0];
  cuda::check(
      cuda::scale_products(products.filled<double>(), rows, products.size() / rows,
                           by_rows ? by_rows->elements<double>() : nullptr,
                           by_columns ? by_columns->elements<double>() : nullptr, context.stream),
      "launch");
}

// `rows`: the first of the samples that are added, and how far it is to the next.
void add_moments(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                 const std::tuple<int64_t, int64_t>& rows, const std::vector<GivenFrame>& frames,
                 const DeviceArray& total, Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    const auto [first, step] = rows;
    cuda::add_moments<T>(context, matrices<T>(a, context), matrices<T>(b, context),
                         {a[0].sizes()[0], first, step}, grown_frame(frames[0]),
                         grown_frame(frames[1]), total.filled<double>());
  });
}

// Two frames (shift, unit) of items of these widths meet at the shift of the first, whose units
// grow. Fills the ratios of both, and the steps of the second.
void meet_frames(const std::vector<DeviceArray>& first, const std::vector<DeviceArray>& second,
                 const std::vector<int64_t>& cols, const std::vector<DeviceArray>& ratios,
                 const DeviceArray& step, Run& run) {
  const CallContext context(run);
  const auto frame = [](const std::vector<DeviceArray>& given) {
    return cuda::Frame{given[0].elements<double>(), given[1].elements<double>()};
  };
  const cuda::FramesMeeting meeting{frame(first),
                                    frame(second),
                                    cuda::send_side(context, cols),
                                    first[1].filled<double>(),
                                    ratios[0].filled<double>(),
                                    ratios[1].filled<double>(),
                                    step.filled<double>()};
  cuda::check(cuda::meet_frames(meeting, context.stream), "launch");
}

// Ratios and steps of all items of a side; the first item and the first unit that are meant.
using GivenChange = std::tuple<DeviceArray, std::optional<DeviceArray>, int64_t, int64_t>;

// Sums (rows, columns) of items of these widths after changes of their frames.
void move_moments(const DeviceArray& sums, const std::vector<std::vector<int64_t>>& cols,
                  const std::vector<GivenChange>& changes, Run& run) {
  const CallContext context(run);
  const auto side = [&](size_t k) {
    const auto& [ratio, step, item, column] = changes[k];
    const cuda::FrameChange change{ratio.elements<double>() + item,
                                   step ? step->elements<double>() + column : nullptr};
    return cuda::MovedSide{cuda::send_side(context, cols[k]), change};
  };
  cuda::check(cuda::move_sums(sums.filled<double>(), sums.sizes()[0], sums.sizes()[1], side(0),
                              side(1), context.stream),
              "launch");
}

// total[first ...] += array.
void add(const DeviceArray& array, const DeviceArray& total, int64_t first, Run& run) {
  const CallContext context(run);
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
  m.def("begin_frame", &begin_frame);
  m.def("grow_units", &grow_units);
  m.def("divide_by_units", &divide_by_units);
  m.def("scale_products", &scale_products);
  m.def("add_moments", &add_moments);
  m.def("meet_frames", &meet_frames);
  m.def("move_moments", &move_moments);
  m.def("add", &add);
  m.def("add_one", &add_one);
  m.def("divide", &divide);
  m.def("normalise_products", &normalise_products);
  m.def("unit_correlations_of_moments", &unit_correlations_of_moments);
}

}  // namespace likewise::bindings

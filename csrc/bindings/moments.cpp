#include "moments/moments.h"

#include <pybind11/stl.h>

#include <tuple>

#include "bindings/arrays.h"

namespace likewise::bindings {
namespace {

// Shift, unit and what the unit was, of all items of a side; the first item and the first unit that
// are meant.
using GivenFrame = std::tuple<py::array, py::array, py::array, int64_t, int64_t>;

GrownFrame grown_frame(const GivenFrame& given) {
  const auto& [shift, unit, ratio, item, column] = given;
  return {double_input(shift) + column, double_input(unit) + item, double_input(ratio) + item};
}

void begin(const std::vector<py::array>& items, py::array shift, py::array unit, int threads) {
  const Arrays given = inputs(items);
  double* const to_shift = double_output(shift);
  double* const to_unit = double_output(unit);
  const py::gil_scoped_release release;
  begin_frame(given, threads, to_shift, to_unit);
}

void grow(const std::vector<py::array>& items, const py::array& shift, py::array unit,
          py::array ratio, int threads) {
  const Arrays given = inputs(items);
  const double* const from = double_input(shift);
  double* const to_unit = double_output(unit);
  double* const to_ratio = double_output(ratio);
  const py::gil_scoped_release release;
  grow_units(given, from, threads, to_unit, to_ratio);
}

void divide(const std::vector<py::array>& items, const py::array& unit, std::vector<py::array> outs,
            int threads) {
  const Arrays given = inputs(items);
  const double* const units = double_input(unit);
  Arrays to;
  for (py::array& out : outs) to.push_back(output(out));
  const py::gil_scoped_release release;
  divide_by_units(given, units, threads, to);
}

void add(const std::vector<py::array>& a, const std::vector<py::array>& b,
         const std::tuple<int64_t, int64_t>& rows, const std::vector<GivenFrame>& frames,
         py::array total, int threads) {
  const Arrays left = inputs(a), right = inputs(b);
  const GrownFrame of_a = grown_frame(frames[0]), of_b = grown_frame(frames[1]);
  double* const out = double_output(total);
  const auto [first, step] = rows;
  const py::gil_scoped_release release;
  add_moments(left, right, first, step, of_a, of_b, threads, out);
}

}  // namespace

void register_moments(py::module_& m) {
  m.def("begin_frame", &begin);
  m.def("grow_units", &grow);
  m.def("divide_by_units", &divide);
  m.def("add_moments", &add);
}

}  // namespace likewise::bindings

#include <pybind11/gil_safe_call_once.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <optional>

#include "assignment/assignment.h"
#include "bindings/arrays.h"
#include "bindings/options.h"
#include "kernels/kernels.h"
#include "procrustes/procrustes.h"

// Assignments of one matrix, and calls on matrices so small that Python's part of the long way
// would take most of the time. They answer None for everything else: other types, what a message is
// due for, what raises.

namespace likewise::bindings {
namespace {

constexpr int64_t kSmall = 4096;  // elements, for which no thread waits long for the GIL

// A matrix of at most so many aligned doubles, NumPy's own and no subclass.
std::optional<ArrayRef> plain_matrix(py::handle value, int64_t most = kSmall) {
  if (Py_TYPE(value.ptr()) != py::detail::npy_api::get().PyArray_Type_) return {};
  const auto array = py::reinterpret_borrow<py::array>(value);
  constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  const py::dtype dtype = array.dtype();
  if (array.ndim() != 2 || array.size() > most || !(array.flags() & kAligned) ||
      dtype.num() != py::detail::npy_api::NPY_DOUBLE_ || dtype.byteorder() == '>') {
    return {};
  }
  const ssize_t* strides = array.strides();
  if (strides[0] % ssize_t(sizeof(double)) != 0 || strides[1] % ssize_t(sizeof(double)) != 0) {
    return {};
  }
  return input(array);
}

// After an error, which is raised there; but for Ctrl-C, which has been raised.
py::object long_way() {
  if (PyErr_Occurred()) throw py::error_already_set();
  return py::none();
}

// A function of two arrays, compared by Pairs with so many kinds of counts; of pairs with so few
// samples for their units that the measure says so it answers None.
template <auto Pairs, int64_t kKinds, class Options>
py::cpp_function at_once(const Options& options) {
  return [options](py::handle given_x, py::handle given_y) -> py::object {
    const auto x = plain_matrix(given_x), y = plain_matrix(given_y);
    if (!x || !y || x->shape[0] != y->shape[0] || x->shape[1] == 0 || y->shape[1] == 0 ||
        x->shape[0] < 2 * std::max<int64_t>(2, std::max(x->shape[1], y->shape[1]))) {
      return py::none();
    }
    double score = 0;
    int64_t numbers[2 * kKinds] = {};
    const Counts counts{numbers, kKinds, 2};
    try {
      Pairs(*x, *y, options, 1, &score, counts);
    } catch (const std::exception&) {
      return long_way();
    }
    if (counts.any() || std::isnan(score)) return py::none();
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> float64;
    float64.call_once_and_store_result([] { return py::module_::import("numpy").attr("float64"); });
    return float64.get_stored()(score);
  };
}

py::object assignment_at_once(py::handle given, py::handle maximize) {
  const auto cost = plain_matrix(given, std::numeric_limits<int64_t>::max());
  if (!cost) return py::none();
  const int64_t pairs = std::min(cost->shape[0], cost->shape[1]);
  py::array_t<int64_t> rows(pairs), cols(pairs);
  int64_t *const row = rows.mutable_data(), *const col = cols.mutable_data();
  const bool largest = PyObject_IsTrue(maximize.ptr()) == 1;
  try {
    std::optional<py::gil_scoped_release> release;
    if (cost->shape[0] * cost->shape[1] > kSmall) release.emplace();
    solve_assignments(*cost, largest, nullptr, nullptr, row, col, nullptr, 1);
  } catch (const std::exception&) {
    return long_way();
  }
  return py::make_tuple(std::move(rows), std::move(cols));
}

}  // namespace

void register_at_once(py::module_& m) {
  m.def("procrustes_at_once", &at_once<&procrustes_pairs, 3, ProcrustesOptions>);
  m.def("kernel_at_once", &at_once<&kernel_pairs, 2, KernelOptions>);
  m.def("assignment_at_once", &assignment_at_once);
}

}  // namespace likewise::bindings

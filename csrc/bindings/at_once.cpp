#include <pybind11/gil_safe_call_once.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <optional>

#include "assignment/assignment.h"
#include "bindings/arrays.h"
#include "bindings/options.h"
#include "kernels/kernels.h"
#include "procrustes/procrustes.h"

// Calls on matrices so small that Python's part of the long way would take most of the time. They
// answer None for everything else: other types, what a message is due for, what raises.

namespace likewise::bindings {
namespace {

constexpr int64_t kSmall = 4096;  // elements, for which no thread waits long for the GIL

// A small matrix of aligned doubles, NumPy's own and no subclass.
std::optional<ArrayRef> small_matrix(py::handle value) {
  if (Py_TYPE(value.ptr()) != py::detail::npy_api::get().PyArray_Type_) return {};
  const auto array = py::reinterpret_borrow<py::array>(value);
  constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  const py::dtype dtype = array.dtype();
  if (array.ndim() != 2 || array.size() > kSmall || !(array.flags() & kAligned) ||
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

// compare(x, y, score, counts of both sides, int64 zeros) of a pair that is large enough for the
// measure to say nothing of its size.
template <class Compare>
py::object pair_at_once(py::handle given_x, py::handle given_y, const Compare& compare) {
  const auto x = small_matrix(given_x), y = small_matrix(given_y);
  if (!x || !y || x->shape[0] != y->shape[0] || x->shape[1] == 0 || y->shape[1] == 0 ||
      x->shape[0] < 2 * std::max<int64_t>(2, std::max(x->shape[1], y->shape[1]))) {
    return py::none();
  }
  double score = 0;
  int64_t counts[6] = {};
  try {
    compare(*x, *y, &score, counts);
  } catch (const std::exception&) {
    return long_way();
  }
  const bool any = std::any_of(counts, counts + 6, [](int64_t n) { return n != 0; });
  if (any || std::isnan(score)) return py::none();
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> float64;
  float64.call_once_and_store_result([] { return py::module_::import("numpy").attr("float64"); });
  return float64.get_stored()(score);
}

py::cpp_function procrustes_at_once(const ProcrustesOptions& options) {
  return [options](py::handle x, py::handle y) {
    return pair_at_once(x, y, [&](const auto& vx, const auto& vy, double* score, int64_t* counts) {
      procrustes_pairs(vx, vy, options, 1, score, {counts, counts + 2, 2});
    });
  };
}

py::cpp_function kernel_at_once(const KernelOptions& options) {
  return [options](py::handle x, py::handle y) {
    return pair_at_once(x, y, [&](const auto& vx, const auto& vy, double* score, int64_t* counts) {
      kernel_pairs(MatrixBatch<const double>(vx), MatrixBatch<const double>(vy), options, 1, score,
                   {counts, counts + 2});
    });
  };
}

py::object assignment_at_once(py::handle given, py::handle maximize) {
  const auto cost = small_matrix(given);
  if (!cost) return py::none();
  const int64_t pairs = std::min(cost->shape[0], cost->shape[1]);
  py::array_t<int64_t> rows(pairs), cols(pairs);
  try {
    solve_assignments(*cost, PyObject_IsTrue(maximize.ptr()) == 1, nullptr, nullptr,
                      rows.mutable_data(), cols.mutable_data(), nullptr, 1);
  } catch (const std::exception&) {
    return long_way();
  }
  return py::make_tuple(std::move(rows), std::move(cols));
}

}  // namespace

void register_at_once(py::module_& m) {
  m.def("procrustes_at_once", &procrustes_at_once);
  m.def("kernel_at_once", &kernel_at_once);
  m.def("assignment_at_once", &assignment_at_once);
}

}  // namespace likewise::bindings

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "core/counts.h"
#include "core/error.h"
#include "core/view.h"

// The only doors between Python arrays and engine views. The Python border (_border) has cast,
// checked and aligned the arrays already; what fails here is a bug and says so.

namespace likewise::bindings {

namespace py = pybind11;

inline ArrayRef view_of(const py::array& array, void* data) {
  ArrayRef view;
  const py::dtype dtype = array.dtype();
  if (dtype.kind() != 'f' || (dtype.itemsize() != 4 && dtype.itemsize() != 8)) {
    throw InternalError("an array that is neither float32 nor float64 reached the engine");
  }
  if (array.ndim() > kMaxDims) {
    throw InputError("arrays may have at most " + std::to_string(kMaxDims) + " axes, got " +
                     std::to_string(array.ndim()));
  }
  view.data = data;
  view.dtype = dtype.itemsize() == 4 ? DType::float32 : DType::float64;
  view.ndim = static_cast<int>(array.ndim());
  for (int k = 0; k < view.ndim; ++k) {
    view.shape[k] = array.shape(k);
    if (array.strides(k) % dtype.itemsize() != 0) {
      throw InternalError("strides are no multiple of the item size");
    }
    view.strides[k] = array.strides(k) / dtype.itemsize();
  }
  return view;
}

// Read-only use; the engine does not write through it.
inline ArrayRef input(const py::array& array) {
  return view_of(array, const_cast<void*>(array.data()));
}

// Refuses read-only arrays.
inline ArrayRef output(py::array& array) { return view_of(array, array.mutable_data()); }

inline Arrays inputs(const std::vector<py::array>& arrays) {
  Arrays views;
  views.reserve(arrays.size());
  for (const py::array& array : arrays) views.push_back(input(array));
  return views;
}

// Orders of samples: (count, n), made by NumPy's generators.
using Orders = py::array_t<int32_t, py::array::c_style>;

// An int64 or int32 vector or matrix that the engine fills.
template <class Int>
Int* integer_output(py::array& array) {
  if (array.dtype().kind() != 'i' || array.itemsize() != sizeof(Int) ||
      !(array.flags() & py::array::c_style)) {
    throw InternalError("an integer output has the wrong type or layout");
  }
  return static_cast<Int*>(array.mutable_data());
}

inline Counts counts_of(py::array& counts) {
  return {integer_output<int64_t>(counts), counts.shape(0), counts.size() / counts.shape(0)};
}

inline double* double_output(py::array& array) {
  const ArrayRef view = output(array);
  if (view.dtype != DType::float64 || !(array.flags() & py::array::c_style)) {
    throw InternalError("an output has the wrong type or layout");
  }
  return static_cast<double*>(view.data);
}

inline const double* double_input(const std::optional<py::array>& array) {
  if (!array) return nullptr;
  const ArrayRef view = input(*array);
  if (view.dtype != DType::float64 || !(array->flags() & py::array::c_style)) {
    throw InternalError("an input has the wrong type or layout");
  }
  return static_cast<const double*>(view.data);
}

}  // namespace likewise::bindings

#pragma once

#include <pybind11/stl.h>

#include <optional>
#include <vector>

#include "assignment/match.h"
#include "bindings/arrays.h"

// Prepared units, for the topics that match them.

namespace likewise::bindings {

template <class T>
UnitItems<T> unit_items(const std::vector<py::array>& arrays,
                        const std::vector<int64_t>& constant_units) {
  UnitItems<T> list;
  for (const ArrayRef& view : inputs(arrays)) {
    list.items.push_back({static_cast<const T*>(view.data), view.shape[1]});
  }
  list.constant_units = constant_units;
  return list;
}

// body(items of a, of b (null: a with itself), number of samples) without the interpreter's lock.
template <class Body>
void with_unit_items(const std::vector<py::array>& a, const std::vector<int64_t>& constant_a,
                     const std::optional<std::vector<py::array>>& b,
                     const std::vector<int64_t>& constant_b, const Body& body) {
  if (a.empty() || (b && b->empty())) return;
  const ArrayRef first = input(a[0]);
  dispatch_float(first.dtype, [&](auto zero) {
    using T = decltype(zero);
    const UnitItems<T> items_a = unit_items<T>(a, constant_a);
    const UnitItems<T> items_b = b ? unit_items<T>(*b, constant_b) : UnitItems<T>{};
    const py::gil_scoped_release release;
    body(items_a, b ? &items_b : nullptr, first.shape[0]);
  });
}

}  // namespace likewise::bindings

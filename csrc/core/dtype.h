#pragma once

#include <string>

#include "core/error.h"
#include "core/view.h"

namespace likewise {

// Calls body(T{}) with T = float or double. Inputs of one call share a dtype: the border casts.
template <class Body>
decltype(auto) dispatch_float(DType dtype, Body&& body) {
  if (dtype == DType::float32) return body(float{});
  return body(double{});
}

inline void require_same_dtype(const ArrayRef& a, const ArrayRef& b, const std::string& function) {
  if (a.dtype != b.dtype) throw InternalError(function + " got arrays of two dtypes");
}

}  // namespace likewise

#pragma once

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <tuple>
#include <vector>

#include "regression/lasso.h"
#include "regression/ridge.h"

// Options of regressions as Python gives them to both engines.

namespace likewise::bindings {

// Of the rows by their folds.
using Order = pybind11::array_t<int32_t, pybind11::array::c_style>;

inline std::vector<int32_t> rows_of(const Order& order) {
  return {order.data(), order.data() + order.size()};
}

// Order, number of folds, penalties, whether these are relative, intercept.
using RidgeTuple = std::tuple<Order, int64_t, std::vector<double>, bool, bool>;

inline RidgeOptions ridge_options(const RidgeTuple& given) {
  const auto& [order, folds, alphas, relative, intercept] = given;
  return {rows_of(order), folds, alphas, relative, intercept};
}

// Order, number of folds (0: none are left out), penalties, tolerance.
using LassoTuple = std::tuple<Order, int64_t, std::vector<double>, double>;

inline LassoPathsOptions lasso_options(const LassoTuple& given) {
  const auto& [order, folds, penalties, tolerance] = given;
  return {rows_of(order), folds, penalties, tolerance};
}

}  // namespace likewise::bindings

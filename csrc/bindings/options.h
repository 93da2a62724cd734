#pragma once

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "assignment/match.h"
#include "cca/options.h"
#include "core/error.h"
#include "kernels/kernels.h"
#include "neighbours/neighbours.h"
#include "procrustes/procrustes.h"
#include "regression/lasso.h"
#include "regression/ridge.h"
#include "rsa/options.h"
#include "transport/soft_match.h"

// Options of all topics: Python gives both engines names, and tuples of numbers and names, which
// arrive as the engine's own enums and structs.

namespace likewise::bindings {

// Rows in the order of their folds.
using Order = pybind11::array_t<int32_t, pybind11::array::c_style>;

template <class Options, class... Members>
void set_options(Options& out, const Members&... members) {
  out = {members...};
}

template <class Options, class... Members>
void set_options(Options& out, const Order& order, const Members&... members) {
  out = {{order.data(), order.data() + order.size()}, members...};
}

inline void set_options(NeighbourMeasure& out, NeighbourScore score, int64_t k, bool euclidean,
                        bool center) {
  out = {{k, euclidean, center, score == NeighbourScore::cknna}, score};
}

inline void set_options(ProcrustesOptions& out, bool center, bool scale, double alpha,
                        ProcrustesScore score) {
  out = {{center, alpha}, scale, score};
}

}  // namespace likewise::bindings

namespace pybind11::detail {

// Names in the order of the enumerators.
template <class Option>
struct NameCaster {
  PYBIND11_TYPE_CASTER(Option, const_name("str"));
  explicit NameCaster(const std::vector<std::string>& all) : names(all) {}

  bool load(handle given, bool) {
    std::string name = pybind11::cast<std::string>(given);
    if (name == "kendall") name = "tau-b";  // two names of one comparison
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end()) throw likewise::InternalError("unknown option " + name);
    value = Option(at - names.begin());
    return true;
  }

  const std::vector<std::string>& names;
};

#define LIKEWISE_NAMES(Option, ...)                                      \
  template <>                                                            \
  struct type_caster<likewise::Option> : NameCaster<likewise::Option> {  \
    static inline const std::vector<std::string> kNames = {__VA_ARGS__}; \
    type_caster() : NameCaster(kNames) {}                                \
  }

LIKEWISE_NAMES(Dissimilarity, "correlation", "cosine", "euclidean", "sqeuclidean");
LIKEWISE_NAMES(HsicEstimator, "biased", "unbiased");
LIKEWISE_NAMES(KernelFunction, "linear", "rbf", "polynomial");
LIKEWISE_NAMES(Matching, "permutation", "semi");
LIKEWISE_NAMES(NeighbourScore, "mutual", "jaccard", "cknna");
LIKEWISE_NAMES(ProcrustesScore, "angular", "euclidean", "similarity");
LIKEWISE_NAMES(RdmComparison, "cosine", "corr", "spearman", "rho-a", "tau-a", "tau-b", "cosine_cov",
               "corr_cov");

#undef LIKEWISE_NAMES

template <class Options, class... Members>
struct TupleCaster {
  using Tuple = std::tuple<Members...>;
  PYBIND11_TYPE_CASTER(Options, make_caster<Tuple>::name);

  bool load(handle given, bool convert) {
    make_caster<Tuple> members;
    if (!members.load(given, convert)) return false;
    std::apply([&](const Members&... m) { likewise::bindings::set_options(value, m...); },
               cast_op<Tuple>(std::move(members)));
    return true;
  }
};

using likewise::bindings::Order;
template <>
struct type_caster<likewise::CanonicalOptions>
    : TupleCaster<likewise::CanonicalOptions, double, double, bool> {};
template <>
struct type_caster<likewise::KernelOptions>
    : TupleCaster<likewise::KernelOptions, likewise::KernelFunction, likewise::HsicEstimator, bool,
                  double, bool, int64_t, double, double> {};
template <>
struct type_caster<likewise::LassoPathsOptions>
    : TupleCaster<likewise::LassoPathsOptions, Order, int64_t, std::vector<double>, double> {};
template <>
struct type_caster<likewise::NeighbourMeasure>
    : TupleCaster<likewise::NeighbourMeasure, likewise::NeighbourScore, int64_t, bool, bool> {};
template <>
struct type_caster<likewise::ProcrustesOptions>
    : TupleCaster<likewise::ProcrustesOptions, bool, bool, double, likewise::ProcrustesScore> {};
template <>
struct type_caster<likewise::RidgeOptions>
    : TupleCaster<likewise::RidgeOptions, Order, int64_t, std::vector<double>, bool, bool> {};
template <>
struct type_caster<likewise::RsaOptions>
    : TupleCaster<likewise::RsaOptions, likewise::Dissimilarity, likewise::RdmComparison> {};
template <>
struct type_caster<likewise::SoftMatchOptions>
    : TupleCaster<likewise::SoftMatchOptions, bool, double> {};

}  // namespace pybind11::detail

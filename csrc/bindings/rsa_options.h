#pragma once

#include <string>
#include <tuple>

#include "bindings/dissimilarities.h"
#include "core/error.h"
#include "rsa/options.h"

namespace likewise::bindings {

// As the Python measures give them: dissimilarity, comparison.
using RsaTuple = std::tuple<std::string, std::string>;

inline RdmComparison comparison_of(const std::string& name) {
  if (name == "cosine") return RdmComparison::cosine;
  if (name == "corr") return RdmComparison::corr;
  if (name == "spearman") return RdmComparison::spearman;
  if (name == "rho-a") return RdmComparison::rho_a;
  if (name == "tau-a") return RdmComparison::tau_a;
  if (name == "tau-b" || name == "kendall") return RdmComparison::tau_b;
  if (name == "cosine_cov") return RdmComparison::cosine_cov;
  if (name == "corr_cov") return RdmComparison::corr_cov;
  throw InternalError("unknown comparison " + name);
}

inline RsaOptions rsa_options(const RsaTuple& given) {
  const auto& [dissimilarity, comparison] = given;
  return {dissimilarity_of(dissimilarity), comparison_of(comparison)};
}

}  // namespace likewise::bindings

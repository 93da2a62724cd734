#pragma once

#include <string>

#include "core/error.h"
#include "rsa/dissimilarity.h"

namespace likewise::bindings {

// As the Python functions give it.
inline Dissimilarity dissimilarity_of(const std::string& name) {
  if (name == "correlation") return Dissimilarity::correlation;
  if (name == "cosine") return Dissimilarity::cosine;
  if (name == "euclidean") return Dissimilarity::euclidean;
  if (name == "sqeuclidean") return Dissimilarity::sqeuclidean;
  throw InternalError("unknown dissimilarity " + name);
}

}  // namespace likewise::bindings

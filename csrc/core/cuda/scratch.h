#pragma once

#include <vector>

#include "core/cuda/context.h"

namespace likewise::cuda {

// Temporary memory for a function that is called again and again on one stream: what one call took,
// the next one takes again.
class Scratch {
 public:
  explicit Scratch(const Context& outer);
  Scratch(const Scratch&) = delete;

  // For the next call; memory of the call before may be overwritten from now on.
  const Context& next() {
    taken_ = 0;
    return inner_;
  }

 private:
  struct Piece {
    void* data;
    size_t bytes;
  };
  void* take(size_t bytes);

  const Context& outer_;
  Context inner_;
  std::vector<Piece> pieces_;
  size_t taken_ = 0;
};

}  // namespace likewise::cuda

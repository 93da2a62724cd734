#include "core/cuda/scratch.h"

namespace likewise::cuda {

Scratch::Scratch(const Context& outer)
    : outer_(outer),
      inner_{outer.stream, [this](size_t bytes) { return take(bytes); }, outer.status} {}

void* Scratch::take(size_t bytes) {
  if (taken_ == pieces_.size()) pieces_.push_back({nullptr, 0});
  Piece& piece = pieces_[taken_++];
  if (piece.bytes < bytes) piece = {outer_.allocate(bytes), bytes};
  return piece.data;
}

}  // namespace likewise::cuda

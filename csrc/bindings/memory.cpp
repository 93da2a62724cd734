#include <cstdlib>
#include <new>

#include "core/error.h"

// What this module allocates, so that a failure can say how much was asked for. The library's own
// operator delete is free().

namespace {

void* allocated(void* memory, std::size_t bytes) {
  if (memory == nullptr) throw likewise::AllocationError(bytes);
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
  return allocated(std::malloc(bytes > 0 ? bytes : 1), bytes);
}

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const std::size_t unit = static_cast<std::size_t>(alignment);
  return allocated(std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit), bytes);
}

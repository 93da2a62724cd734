#pragma once

#include "core/cuda/context.h"
#include "rsa/cuda/ranks.h"

namespace likewise::cuda {

// Bytes that sorting a vector takes.
template <class T>
int64_t sort_bytes(int64_t size) {
  return size * 2 * int64_t(sizeof(T) + sizeof(int32_t)) +
         sort_tiles(size) * kSortDigits * int64_t(sizeof(unsigned));
}

// Memory for sorting, or ranking, `count` vectors at a time.
template <class T>
SortSpace<T> sort_space(const Context& context, int64_t count, int64_t size) {
  using Key = typename SortKey<T>::type;
  const size_t entries = size_t(count * size), tiles = size_t(count * sort_tiles(size));
  return {{context.temporary<Key>(entries), context.temporary<Key>(entries)},
          {context.temporary<int32_t>(entries), context.temporary<int32_t>(entries)},
          context.temporary<unsigned>(tiles * kSortDigits),
          context.temporary<double>(tiles),
          context.temporary<unsigned>(size_t(count))};
}

}  // namespace likewise::cuda

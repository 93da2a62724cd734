#pragma once

#include "core/cuda/context.h"
#include "rsa/cuda/ranks.h"

namespace likewise::cuda {

// Memory for ranking `count` vectors at a time.
inline SortSpace sort_space(const Context& context, int64_t count, int64_t size) {
  const size_t entries = size_t(count * size), tiles = size_t(count * sort_tiles(size));
  return {{context.temporary<SortKey>(entries), context.temporary<SortKey>(entries)},
          {context.temporary<int32_t>(entries), context.temporary<int32_t>(entries)},
          context.temporary<unsigned>(tiles * kSortDigits),
          context.temporary<double>(tiles),
          context.temporary<unsigned>(size_t(count))};
}

}  // namespace likewise::cuda

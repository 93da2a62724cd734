#pragma once

#include <cstdint>

#include "core/view.h"

namespace likewise {

// Row-major index of the first NaN or infinity of the array, or -1.
int64_t first_nonfinite(const ArrayRef& array, int threads);

}  // namespace likewise

#pragma once

#include <algorithm>
#include <cstdint>

namespace likewise {

// What a call counts in its items, zeros before it: kinds x items. Of pairs all x, then all y.
struct Counts {
  int64_t* data;
  int64_t kinds, items;

  int64_t* row(int64_t kind) const { return data + kind * items; }
  int64_t& operator()(int64_t kind, int64_t item) const { return data[kind * items + item]; }
  bool any() const {
    return std::any_of(data, data + kinds * items, [](int64_t count) { return count != 0; });
  }
};

// What most measures count first: units that are equal in all samples, -1: the item is not finite.
constexpr int64_t kConstantUnits = 0;

}  // namespace likewise

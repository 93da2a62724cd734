#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace likewise {

// Ranks of long vectors. Keeps its memory from one call to the next; one thread at a time.
template <class T>
class Ranker {
 public:
  // out[i] = 2 r_i - (n + 1), r_i being the rank of x[i] from 1 to n, equal values sharing the mean
  // of theirs: whole numbers that sum to zero. Returns the sum of t^3 - t over all sets of t equal
  // values; NaN, with zeros in out, where a value is not finite.
  double operator()(const T* x, int64_t n, int32_t* out);

 private:
  static constexpr int kDepth = 4;
  // Values in the order of the buckets that a level of the recursion puts them in.
  struct Level {
    std::vector<uint16_t> bucket;
    std::vector<int32_t> next;
    std::vector<T> values;
    std::vector<int32_t> ranks;
  };

  // Ranks values of which `below` others are smaller; false where one is not finite.
  bool rank(const T* x, int64_t n, int64_t below, int depth, int32_t* out);
  void distribute(const T* x, int64_t n, int64_t below, T low, double width, int depth,
                  int32_t* out);
  void rank_few(const T* x, int64_t n, int64_t below, T low, double width, int32_t* out);
  void rank_by_comparison(const T* x, int64_t n, int64_t below, int32_t* out);
  void resolve(const T* x, int32_t* order, int64_t n, int64_t below, int32_t* out);
  int32_t shared_rank(int64_t begin, int64_t end);

  std::array<Level, kDepth> levels_;
  std::vector<uint32_t> keys_, sorted_keys_;
  std::vector<int32_t> order_;
  int64_t total_ = 0;
  double ties_ = 0;
};

}  // namespace likewise

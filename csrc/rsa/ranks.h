#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace likewise {

// Ranks of long vectors. Keeps its memory from one call to the next; one thread at a time.
//
// a and b tie when |a - b| <= tolerance max(|a|, |b|), and so do all values of a chain of ties. A
// chain whose ends do not tie is cut at gaps above a sixteenth of the tolerance, and so on.
class Ranker {
 public:
  // Vectors longer than `most` take 4 bytes per value beside x and out, others 14 and less time.
  explicit Ranker(double tolerance, int64_t most = int64_t{1} << 25)
      : tolerance_(tolerance), most_(most) {}

  // out[i] = 2 r_i - (n + 1), r_i being the rank of x[i] from 1 to n, tied values sharing the mean
  // of theirs: whole numbers that sum to zero. Returns the sum of t^3 - t over all sets of t tied
  // values; NaN, with zeros in out, where a value is not finite.
  double operator()(const double* x, int64_t n, int32_t* out);

 private:
  static constexpr int kDepth = 4;
  struct Range {
    double low, high;
    bool finite;
  };
  // Values in the order of the buckets that a level of the recursion puts them in.
  struct Level {
    std::vector<uint16_t> bucket;
    std::vector<int32_t> next;
    std::vector<double> values;
    std::vector<int32_t> ranks;
  };

  static Range range_of(const double* x, int64_t n);
  bool tie(double low, double high, double tolerance) const;

  // Ranks values in a range, of which `below` others are smaller and none tie with them.
  void rank(const double* x, int64_t n, const Range& range, int64_t below, int depth, int32_t* out);
  void rank_long(const double* x, int64_t n, const Range& range, int32_t* out);
  void distribute(const double* x, int64_t n, const Range& range, int64_t below, int depth,
                  int32_t* out);
  void rank_few(const double* x, int64_t n, const Range& range, int64_t below, int32_t* out);
  void rank_by_comparison(const double* x, int64_t n, int64_t below, int32_t* out);
  void resolve(const double* x, int32_t* order, int64_t n, int64_t below, int32_t* out);
  void share(const double* x, const int32_t* order, int64_t n, int64_t below, double tolerance,
             int32_t* out);
  int32_t shared_rank(int64_t begin, int64_t end);

  double tolerance_;
  int64_t most_;
  std::array<Level, kDepth> levels_;
  std::vector<uint32_t> keys_, sorted_keys_;
  std::vector<int32_t> order_;
  int64_t total_ = 0;
  double ties_ = 0;
};

}  // namespace likewise

#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/grid.h"
#include "moments/cuda/centred_sums.h"
#include "moments/cuda/frames.h"

namespace likewise::cuda {

// Where items of these widths are in augmented data.
SumsSide send_side(const Context& context, const std::vector<int64_t>& cols);

// What add_moments has summed for two lists of items, in device memory.
struct Sums {
  const double* cross;
  std::vector<int64_t> cols_a, cols_b;
  Frame frame_a, frame_b;
  // Of every item with itself, those of a, then of b; empty where b is a.
  std::vector<const double*> alone;

  bool symmetric() const { return alone.empty(); }
};

// What is found in sums, in device memory.
struct SumsFindings {
  int64_t* constant_units;  // of the items of a, then of b if it is another list
  int64_t* samples;
};

// A list of items, of which only sums are left.
struct SumsList {
  Layout layout;  // of the units, one row
  SumsSide side;
  UnitFacts facts;
  const double* unit;              // of each item: what 1 in the sums is in units of the data
  std::vector<CentredSums> alone;  // of every item with itself; empty where cross has them

  int64_t count() const { return layout.count(); }
  int64_t start(int64_t k) const { return 1 + count() + layout.begin(k); }  // in augmented data
  int64_t widest() const;
};

// Sums of centred samples or, without `center`, of samples as they are, whose constant units count
// as constant all the same.
class SumsOfPairs {
 public:
  SumsOfPairs(const Context& context, const Sums& sums, bool center, const SumsFindings& findings);
  SumsOfPairs(const SumsOfPairs&) = delete;

  const SumsList& left() const { return left_; }
  const SumsList& right() const { return symmetric ? left_ : right_; }
  const CentredSums& cross() const { return cross_; }

  // Products (count, cols of i, cols of j) of item i of the left with equally wide ones of the
  // right from j on.
  void products(int64_t i, int64_t j, int64_t count, double* out, cudaStream_t stream) const;

  // Gram matrices (count, cols, cols) of equally wide items of a list from k on.
  void grams(const SumsList& list, int64_t k, int64_t count, double* out,
             cudaStream_t stream) const;

  const bool symmetric;

 private:
  void move_to_zero(const Context& context, const Sums& sums);

  SumsList left_, right_;
  CentredSums cross_;
  bool center_;
};

// Correlations (columns of a, columns of b) of all units of an item with those of another.
void unit_correlations(const Context& context, const Sums& sums, double* out,
                       const SumsFindings& findings);

}  // namespace likewise::cuda

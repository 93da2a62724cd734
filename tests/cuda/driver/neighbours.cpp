#include "neighbours/cuda/neighbours.h"

#include "both.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-6 : 1e-12;

template <class T>
void grids(const Items<T>& a, const Items<T>& b, NeighbourScore score,
           const NeighbourOptions& options) {
  const NeighbourMeasure measure{
      {options.k, options.euclidean, options.center, score == NeighbourScore::cknna}, score};
  compare_grids<T>(
      a, b, measure, 2, kTolerance<T>,
      [&](double* found, const Counts& counts, const auto&... lists) {
        neighbour_scores<T>(lists..., score, measure, {found, counts.row(1), counts.row(0)});
      },
      likewise::neighbour_scores);
}

// Pairs (2 x 2): x has its items along the second axis, y one item alone.
void batches(NeighbourScore score, const NeighbourOptions& options) {
  constexpr int64_t kRows = 14;
  const NeighbourMeasure measure{{options.k, options.euclidean, options.center, true}, score};
  Stack<double> x = stack<double>(2, kRows, 5);
  Stack<double> y{normal<double>(kRows * 3), 1, kRows, 3};
  ArrayRef all_y = y.here();
  all_y.shape[0] = 2;
  all_y.strides[0] = 0;
  std::vector<double> wanted(2);
  std::vector<int64_t> counts(8);
  likewise::neighbour_pairs(x.here(), all_y, measure, 1, wanted.data(), {counts.data(), 2, 4});
  wanted.insert(wanted.end(), {wanted[0], wanted[1]});
  const OnDevice<double> found(4);
  const OnDevice<int64_t> facts(6);
  Call call;
  neighbour_pairs<double>(call.context(), x.batch(), y.batch(), kRows, {2, {2, 2}, {0, 1}, {0, 0}},
                          score, measure, {found.get(), facts.get() + 3, facts.get()});
  agree(found.values(), wanted, kTolerance<double>, "scores of a batch");
  agree(facts.values(),
        std::vector<int64_t>{counts[0], counts[1], counts[2], counts[4], counts[5], counts[6]}, 0,
        "facts of a batch");
}

// Samples on a grid, so that many tie, in two clusters that are `apart`; a chain of samples, each
// as near to the first as the one before it but for rounding; what is not a number; a sample
// without direction.
template <class T>
Items<T> hard(int64_t rows, double apart) {
  Items<T> out(rows);
  std::vector<T> grid = normal<T>(size_t(rows * 3)), chain(size_t(rows), T(0)), missing = grid;
  for (int64_t k = 0; k < rows * 3; ++k) {
    grid[size_t(k)] = T(std::trunc(2 * double(grid[size_t(k)])) + (k / 3 % 2 ? apart : -apart));
  }
  for (int64_t i = 1; i < rows; ++i) chain[size_t(i)] = T(1 + double(rows - i) * 3e-13);
  missing[7] = std::numeric_limits<T>::quiet_NaN();
  std::vector<T> undirected = normal<T>(size_t(rows * 3));
  std::fill_n(undirected.begin() + 6, 3, T(0));
  for (const auto& item : {grid, chain, missing, undirected}) out.add(item);
  return out;
}

void nearest() {
  grids<double>(hard<double>(33, 1e6), planted<double>(33, 1), NeighbourScore::mutual,
                {5, true, true, false});
  grids<float>(hard<float>(40, 1e3), Items<float>(40), NeighbourScore::mutual,
               {33, true, false, false});
  grids<double>(hard<double>(20, 0), planted<double>(20, 1), NeighbourScore::cknna,
                {7, false, false, false});
  grids<float>(planted<float>(20), Items<float>(20), NeighbourScore::cknna,
               {19, false, true, false});
  Items<float> long_rows(thread_sanitizer() ? 40 : 270);
  long_rows.add(normal<float>(size_t(long_rows.rows * 2)));
  long_rows.add(normal<float>(size_t(long_rows.rows * 3)));
  grids<float>(long_rows, Items<float>(long_rows.rows), NeighbourScore::mutual,
               {long_rows.rows / 3, true, true, false});
}

void overlaps() {
  for (const auto score :
       {NeighbourScore::mutual, NeighbourScore::jaccard, NeighbourScore::cknna}) {
    const int64_t rows = thread_sanitizer() ? 18 : 40;
    grids<double>(planted<double>(rows, 3), planted<double>(rows, 1), score,
                  {6, false, true, false});
    batches(score, {13, false, true, false});
  }
}

const Topic nearest_topic("nearest", nearest);
const Topic overlap_topic("overlap", overlaps);

}  // namespace
}  // namespace likewise::cuda::driver

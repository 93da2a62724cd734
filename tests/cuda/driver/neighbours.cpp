#include "neighbours/cuda/neighbours.h"

#include "both.h"

namespace likewise::cuda::driver {
namespace {

// Neighbours of the samples of a list, as the CPU finds them.
template <class T>
struct Lists {
  Lists(const std::vector<MatrixRef<const T>>& x, const NeighbourOptions& options)
      : found(x.size()) {
    for (size_t k = 0; k < x.size(); ++k) {
      find_neighbours<T>(x[k], options, 1, found[k]);
      items.push_back({found[k].index.data(), found[k].similarity.data(), found[k].usable});
    }
  }
  void write_constants(int64_t* to) const {
    for (const Neighbours& item : found) *to++ = item.constant_units;
  }
  std::vector<Neighbours> found;
  std::vector<NeighbourItem> items;
};

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 1e-6 : 1e-12;

template <class T>
void grids(const Items<T>& a, const Items<T>& b, NeighbourScore score, NeighbourOptions options) {
  options.similarities = score == NeighbourScore::cknna;
  compare_grids<T>(
      a, b, 2, kTolerance<T>,
      [&](const Context& context, const auto& left, const auto& right, bool symmetric,
          double* found, const Counts& counts) {
        neighbour_scores<T>(context, left, right, a.rows, symmetric, score, options,
                            {found, counts.row(1), counts.row(0)});
      },
      [&](const auto& left, const auto& right, double* found, const Counts& counts) {
        const Lists<T> of_a(left, options), of_b(right, options);
        of_a.write_constants(counts.row(0));
        of_b.write_constants(counts.row(0) + left.size());
        compare_neighbours(score, of_a.items, right.empty() ? nullptr : &of_b.items, false, a.rows,
                           options.k, 1, found, counts.row(1), counts.row(1) + left.size());
      });
}

// Pairs (2 x 2): x has its items along the second axis, y one item alone.
void batches(NeighbourScore score, NeighbourOptions options) {
  options.similarities = true;
  constexpr int64_t kRows = 14;
  const Stack<double> x = stack<double>(2, kRows, 5), y = related(stack<double>(1, kRows, 4), 3);
  Items<double> a(kRows), b(kRows);
  for (const int item : {0, 1}) {
    a.add({x.host.begin() + item * kRows * 5, x.host.begin() + (item + 1) * kRows * 5});
  }
  b.add(y.host);
  compare(
      4, 2, 3, kTolerance<double>,
      [&](const Context& context, double* found, const Counts& counts) {
        neighbour_pairs<double>(context, x.batch(), y.batch(), kRows, {2, {2, 2}, {0, 1}, {0, 0}},
                                score, options, {found, counts.row(1), counts.row(0)});
      },
      [&](double* found, const Counts& counts) {
        const Lists<double> of_a(a.here, options), of_b(b.here, options);
        of_a.write_constants(counts.row(0));
        of_b.write_constants(counts.row(0) + 2);
        compare_neighbours(score, of_a.items, &of_b.items, false, kRows, options.k, 1, found,
                           counts.row(1), counts.row(1) + 2);
        std::copy_n(found, 2, found + 2);
      });
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
    grids<double>(planted<double>(40, 3), planted<double>(40, 1), score, {6, false, true, false});
    batches(score, {13, false, true, false});
  }
}

const Topic nearest_topic("nearest", nearest);
const Topic overlap_topic("overlap", overlaps);

}  // namespace
}  // namespace likewise::cuda::driver

#include "rsa/cuda/resampled.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Sample 1 is flat, 2 is zero but for its last unit, 3 is zero, 4 infinite at its end.
template <class T>
void copies_of(Dissimilarity dissimilarity) {
  constexpr int kRows = 6, kCols = 41;
  std::vector<T> x = normal<T>(kRows * kCols);
  std::fill_n(x.begin() + kCols, kCols, T(2));
  std::fill_n(x.begin() + 2 * kCols, 2 * kCols, T(0));
  x[3 * kCols - 1] = 1;
  x[5 * kCols - 1] = T(kInfinity);
  const OnDevice<T> samples(x);
  const OnDevice<double> out(kRows);
  need(copy_dissimilarities<T>(samples.get(), kRows, kCols, dissimilarity, out.get(), stream),
       "copies");
  const auto found = out.values();
  const bool correlation = dissimilarity == Dissimilarity::correlation;
  const bool cosine = dissimilarity == Dissimilarity::cosine;
  for (const int row : {0, 2, 5}) expect(found[row] == 0, "a sample with a direction");
  expect(found[1] == double(correlation), "a flat sample");
  expect(found[3] == double(correlation || cosine), "a sample of zeros");
  expect(std::isnan(found[4]), "an infinite sample");
}

template <class T>
void draws_of(int rows, int cols, int count) {
  const int pairs = rows * (rows - 1) / 2;
  std::vector<T> x = normal<T>(size_t(rows * cols));
  // Samples 1 and 2 differ in their last unit alone, samples 3 and 4 are equal.
  std::copy_n(x.begin() + cols, cols, x.begin() + 2 * cols);
  x[3 * cols - 1] += 1;
  std::copy_n(x.begin() + 3 * cols, cols, x.begin() + 4 * cols);
  const std::vector<double> rdm = normal<double>(size_t(pairs)),
                            copies = normal<double>(size_t(rows));
  std::vector<int32_t> draws;
  for (int i = 0; i < rows; ++i) draws.push_back((i * 5 + 2) % rows / 2);
  for (int i = 0; i < rows; ++i) draws.push_back(i % 2 ? 4 : 3);
  for (int i = 0; i < rows; ++i) draws.push_back(i == rows - 1 ? 2 : 1);
  draws.resize(size_t(count * rows));
  const OnDevice<T> samples(x);
  const OnDevice<double> entries(rdm), own(copies), out(size_t(count * pairs));
  const OnDevice<int32_t> drawn(draws);
  const OnDevice<RdmItem> items(std::vector<RdmItem>(size_t(count), RdmItem{}));
  const Drawn<T> from{samples.get(), entries.get(), own.get(), rows, cols};
  need(resample_rdms<T>(from, drawn.get(), count, out.get(), stream), "draws");
  need(describe_draws<T>(from, drawn.get(), count, items.get(), stream), "facts");
  const auto found = out.values();
  const auto facts = items.values();
  for (int k = 0, at = 0; k < count; ++k) {
    for (int i = 0; i < rows; ++i) {
      for (int j = i + 1; j < rows; ++j, ++at) {
        const auto [low, high] = std::minmax(draws[k * rows + i], draws[k * rows + j]);
        const double expected =
            low == high ? copies[low] : rdm[low * (2 * rows - low - 1) / 2 + high - low - 1];
        expect(found[at] == expected, "an entry of a draw");
      }
    }
    expect(facts[k].constant == (k == 1), "a draw of equal samples");
  }
}

const Topic topic("resampled", [] {
  for (const auto dissimilarity : {Dissimilarity::correlation, Dissimilarity::cosine,
                                   Dissimilarity::euclidean, Dissimilarity::sqeuclidean}) {
    copies_of<double>(dissimilarity);
  }
  copies_of<float>(Dissimilarity::correlation);
  draws_of<float>(11, 37, 3);
  draws_of<double>(7, 3, 3);
  draws_of<double>(67, 2, 1);  // more samples than a block has threads
});

}  // namespace
}  // namespace likewise::cuda::driver

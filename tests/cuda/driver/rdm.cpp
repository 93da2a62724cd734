#include "rsa/cuda/rdm.h"

#include "driver.h"
#include "rsa/cuda/rdms.h"

namespace likewise::cuda::driver {
namespace {

double dissimilarity_of(const double* a, const double* b, int cols, Dissimilarity dissimilarity) {
  double mean_a = 0, mean_b = 0, squares = 0;
  for (int j = 0; j < cols; ++j) {
    if (dissimilarity == Dissimilarity::correlation) mean_a += a[j] / cols, mean_b += b[j] / cols;
    squares += (a[j] - b[j]) * (a[j] - b[j]);
  }
  if (dissimilarity == Dissimilarity::sqeuclidean) return squares;
  if (dissimilarity == Dissimilarity::euclidean) return std::sqrt(squares);
  double product = 0, own_a = 0, own_b = 0;
  for (int j = 0; j < cols; ++j) {
    product += (a[j] - mean_a) * (b[j] - mean_b);
    own_a += (a[j] - mean_a) * (a[j] - mean_a);
    own_b += (b[j] - mean_b) * (b[j] - mean_b);
  }
  const bool none = own_a < 1e-20 * cols || own_b < 1e-20 * cols;
  return none ? 1 : 1 - product / std::sqrt(own_a * own_b);
}

// Two items of large numbers or, of distances in double, of very different ones. In the second one
// two samples have no direction, one has little, another one is nearly that before it, and a unit
// is constant.
template <class T>
void rdms_of(Dissimilarity dissimilarity, bool facts) {
  constexpr int kRows = 9, kCols = 40, kPairs = kRows * (kRows - 1) / 2;
  std::vector<T> x = normal<T>(2 * kRows * kCols);
  T* const second = x.data() + kRows * kCols;
  for (int j = 0; j < kCols; ++j) {
    second[7 * kCols + j] = T(dissimilarity == Dissimilarity::correlation ? 3 : 0);
    second[2 * kCols + j] = second[7 * kCols + j];
    second[6 * kCols + j] = second[7 * kCols + j] + T(j == 20);
    second[5 * kCols + j] = second[4 * kCols + j] + T(j % 3) * T(1e-3);
  }
  for (int i = 0; i < kRows && facts; ++i) second[i * kCols + 2] = 1;
  const bool extreme = sizeof(T) == 8 && is_distance(dissimilarity);
  for (int k = 0; k < 2 * kRows * kCols; ++k) {
    x[k] *= T(!extreme ? 1000 : k < kRows * kCols ? 1e30 : 1e-140);
  }
  const OnDevice<T> data(x), out(2 * kPairs);
  const OnDevice<int64_t> without(2);
  const OnDevice<RdmItem> items(2);
  Call call;
  rdms<T>(call.context(), data.get(), 2, kRows, kCols, dissimilarity, out.get(), without.get(),
          facts ? items.get() : nullptr);
  const std::vector<double> exact(x.begin(), x.end());
  const auto found = out.values();
  const double* const samples = exact.data();
  for (int item = 0, at = 0; item < 2; ++item) {
    for (int i = 0; i < kRows; ++i) {
      for (int j = i + 1; j < kRows; ++j, ++at) {
        const double expected =
            dissimilarity_of(samples + (item * kRows + i) * kCols,
                             samples + (item * kRows + j) * kCols, kCols, dissimilarity);
        const double allowed = is_distance(dissimilarity) ? std::abs(expected) : 1;
        expect(std::abs(double(found[at]) - expected) <= (sizeof(T) == 4 ? 1e-5 : 1e-12) * allowed,
               "dissimilarity");
      }
    }
  }
  const auto lost = without.values();
  expect(lost[0] == 0, "samples without direction, of none");
  expect(lost[1] == (is_distance(dissimilarity) ? 0 : 2), "samples without direction");
  if (!facts) return;
  const auto described = items.values();
  expect(described[0].constant_units == 0 && described[1].constant_units == 1, "constant units");
  expect(!described[0].constant && !described[1].constant, "items that vary");
}

// Many columns, and what has no unit.
void facts_of_items() {
  constexpr int kCols = 300;
  std::vector<double> spreads(3 * kCols, 0);
  spreads[280] = 5;
  spreads[3] = 0.5;
  spreads[2 * kCols + 290] = std::nan("");
  const OnDevice<double> given(spreads);
  const OnDevice<RdmItem> items(3);
  need(describe_items(given.get(), 3, kCols, items.get(), stream), "describe");
  const auto found = items.values();
  expect(found[0].unit == 0.25 && found[0].constant_units == kCols - 2, "facts");
  expect(found[1].unit == 1 && found[1].constant_units == kCols, "facts of a constant item");
  expect(found[2].unit == 1 && found[2].constant_units == kCols - 1, "facts with NaN");
  expect(!found[0].constant && found[1].constant && !found[2].constant, "constant items");
}

// Rows 3 and 4 of 300, which is more than a block has threads.
void long_rows() {
  constexpr int kRows = 300, kFirst = 3, kHeight = 2, kPairs = kRows * (kRows - 1) / 2;
  const std::vector<float> products = normal<float>(kHeight * (kRows - kFirst));
  const OnDevice<float> given(products), out(std::vector<float>(kPairs, -9));
  need(condense<float>(
           {given.get(), nullptr, nullptr, nullptr, out.get(), 1, kRows, 1, kFirst, kHeight},
           Dissimilarity::cosine, stream),
       "condense");
  const auto found = out.values();
  bool good = true;
  for (int i = 0, at = 0; i < kRows; ++i) {
    for (int j = i + 1; j < kRows; ++j, ++at) {
      const bool here = i >= kFirst && i < kFirst + kHeight;
      const float entry = here ? 1 - products[(i - kFirst) * (kRows - kFirst) + j - kFirst] : -9;
      good = good && found[at] == entry;
    }
  }
  expect(good, "entries of long rows");
}

void all() {
  rdms_of<double>(Dissimilarity::correlation, false);
  rdms_of<float>(Dissimilarity::cosine, false);
  rdms_of<float>(Dissimilarity::euclidean, false);
  rdms_of<double>(Dissimilarity::sqeuclidean, true);
  facts_of_items();
  long_rows();
}

const Topic topic("rdm", all);

}  // namespace
}  // namespace likewise::cuda::driver

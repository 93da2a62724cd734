#include "rsa/cuda/rdm.h"

#include "driver.h"
#include "rsa/cuda/rdms.h"

namespace likewise::cuda::driver {
namespace {

double dissimilarity_of(const double* a, const double* b, int cols, Dissimilarity dissimilarity) {
  double mean_a = 0, mean_b = 0, squares = 0;
  for (int j = 0; j < cols; ++j) {
    if (dissimilarity == Dissimilarity::correlation) {
      mean_a += (a[j] - a[0]) / cols;
      mean_b += (b[j] - b[0]) / cols;
    }
    squares += (a[j] - b[j]) * (a[j] - b[j]);
  }
  if (dissimilarity == Dissimilarity::sqeuclidean) return squares;
  if (dissimilarity == Dissimilarity::euclidean) return std::sqrt(squares);
  const bool centred = dissimilarity == Dissimilarity::correlation;
  const auto of_a = [&](int j) { return a[j] - (centred ? a[0] + mean_a : 0); };
  const auto of_b = [&](int j) { return b[j] - (centred ? b[0] + mean_b : 0); };
  double own_a = 0, own_b = 0;
  for (int j = 0; j < cols; ++j) {
    own_a += of_a(j) * of_a(j);
    own_b += of_b(j) * of_b(j);
  }
  if (own_a == 0 || own_b == 0) return 1;
  double half = 0;  // of the squared distance of rows of unit norm
  for (int j = 0; j < cols; ++j) {
    const double step = of_a(j) / std::sqrt(own_a) - of_b(j) / std::sqrt(own_b);
    half += step * step / 2;
  }
  return half;
}

// Two items of large numbers or, of distances in double, of very different ones. In the second one
// two samples have no direction, one has little, another one is nearly that before it, one is
// another one again, and a unit is constant. `offset`: all samples are far from 0.
template <class T>
void rdms_of(Dissimilarity dissimilarity, bool facts, double offset) {
  constexpr int kRows = 9, kCols = 40, kPairs = kRows * (kRows - 1) / 2;
  std::vector<T> x = normal<T>(2 * kRows * kCols);
  T* const second = x.data() + kRows * kCols;
  for (int j = 0; j < kCols; ++j) {
    second[7 * kCols + j] = T(dissimilarity == Dissimilarity::correlation ? 3 : -offset);
    second[2 * kCols + j] = second[7 * kCols + j];
    second[6 * kCols + j] = second[7 * kCols + j] + T(j == 20);
    second[5 * kCols + j] = second[4 * kCols + j] + T(j % 3) * T(1e-3);
    second[8 * kCols + j] = second[4 * kCols + j];
  }
  for (int i = 0; i < kRows && facts; ++i) second[i * kCols + 2] = 1;
  const bool extreme = sizeof(T) == 8 && is_distance(dissimilarity) && offset == 0;
  for (int k = 0; k < 2 * kRows * kCols; ++k) {
    x[k] += T(offset);
    x[k] *= T(!extreme ? 1024 : k < kRows * kCols ? 1e30 : 1e-140);
  }
  const OnDevice<T> data(x), out(2 * kPairs);
  const OnDevice<double> exactly(2 * kPairs);
  const OnDevice<int64_t> without(2);
  const OnDevice<RdmItem> items(2);
  Call call;
  rdms<T>(call.context(), data.get(), 2, kRows, kCols, dissimilarity, true, exactly.get(),
          without.get(), items.get());
  rdms<T>(call.context(), data.get(), 2, kRows, kCols, dissimilarity, false, out.get(),
          without.get(), facts ? items.get() : nullptr);
  const std::vector<double> exact(x.begin(), x.end());
  const auto found = out.values();
  const auto in_units = exactly.values();
  const auto described = items.values();
  const double* const samples = exact.data();
  for (int item = 0, at = 0; item < 2; ++item) {
    const double unit = is_distance(dissimilarity) ? described[item].unit : 1;
    const double scale = dissimilarity == Dissimilarity::sqeuclidean ? unit * unit : unit;
    for (int i = 0; i < kRows; ++i) {
      for (int j = i + 1; j < kRows; ++j, ++at) {
        const double expected =
            dissimilarity_of(samples + (item * kRows + i) * kCols,
                             samples + (item * kRows + j) * kCols, kCols, dissimilarity);
        // The oracle's own rows of unit norm leave 1e-16 / sqrt(expected).
        expect(std::abs(in_units[at] / scale - expected) <= 1e-10 * std::abs(expected),
               "dissimilarity in units");
        expect(std::abs(double(found[at]) - expected) <=
                   (sizeof(T) == 4 ? 1e-7 : 1e-10) * std::abs(expected),
               "dissimilarity");
      }
    }
  }
  const auto lost = without.values();
  expect(lost[0] == 0, "samples without direction, of none");
  expect(lost[1] == (is_distance(dissimilarity) ? 0 : 2), "samples without direction");
  if (!facts) return;
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
  const std::vector<double> products = normal<double>(kHeight * (kRows - kFirst));
  const OnDevice<double> given(products), out(std::vector<double>(kPairs, -9)),
      norms(std::vector<double>(kRows, 40.0));
  const OnDevice<SampleFacts> facts(std::vector<SampleFacts>(kRows, SampleFacts{1, 0, 0, 1}));
  const Points points{nullptr, norms.get(), nullptr, facts.get(), nullptr};
  need(condense<double, double>(
           {given.get(), nullptr, points, out.get(), 1, kRows, 1, kFirst, kHeight, false},
           Dissimilarity::cosine, stream),
       "condense");
  const auto found = out.values();
  bool good = true;
  for (int i = 0, at = 0; i < kRows; ++i) {
    for (int j = i + 1; j < kRows; ++j, ++at) {
      const bool here = i >= kFirst && i < kFirst + kHeight;
      const double entry = here ? 40 - products[(i - kFirst) * (kRows - kFirst) + j - kFirst] : -9;
      good = good && found[at] == entry;
    }
  }
  expect(good, "entries of long rows");
}

// RDMs near 1, and which of them have no difference.
template <class T>
void copied_rdms() {
  constexpr int kSize = 700, kCount = 4;
  std::vector<T> x = normal<T>(kCount * kSize);
  const double far = sizeof(T) == 8 ? 1e200 : 1e30;
  for (int k = 0; k < kSize; ++k) {
    x[kSize + k] *= T(far);
    x[2 * kSize + k] = T(0.1);
    x[3 * kSize + k] = T(0.1 * (1 + (k == 600 ? 1e-3 : 0)));
  }
  const OnDevice<T> given(x);
  const OnDevice<double> out(kCount * kSize);
  const OnDevice<RdmItem> items(std::vector<RdmItem>(kCount, RdmItem{}));
  need(copy_rdms<T>(given.get(), kCount, kSize, out.get(), stream), "copies");
  const auto found = out.values();
  const double unit = sizeof(T) == 8 ? found[kSize] / double(x[kSize]) : 1;
  expect(std::exp2(std::round(std::log2(unit))) == unit, "a power of two");
  double largest = 0;
  bool good = true;
  for (int k = 0; k < kCount * kSize; ++k) {
    const bool second = k / kSize == 1;
    if (second) largest = std::max(largest, std::abs(found[k]));
    good = good && found[k] == double(x[k]) * (second ? unit : 1);
  }
  expect(good && (sizeof(T) == 4 || (largest >= 1 && largest < 2)), "copies");
  need(find_flat(out.get(), kCount, kSize, 1e-12, items.get(), stream), "flat");
  for (int k = 0; k < kCount; ++k) expect(items.values()[k].flat == (k == 2), "flat");
}

void all() {
  rdms_of<double>(Dissimilarity::correlation, false, 0);
  rdms_of<float>(Dissimilarity::correlation, false, 4096);
  rdms_of<float>(Dissimilarity::cosine, false, 0);
  rdms_of<double>(Dissimilarity::cosine, false, 4096);
  rdms_of<float>(Dissimilarity::euclidean, false, 0);
  rdms_of<double>(Dissimilarity::sqeuclidean, true, 0);
  copied_rdms<float>();
  copied_rdms<double>();
  facts_of_items();
  long_rows();
}

const Topic topic("rdm", all);

}  // namespace
}  // namespace likewise::cuda::driver

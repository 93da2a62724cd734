#include "information/cuda/histograms.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kCount = 2, kX = 3, kY = 2, kSamples = 70;

double entropy(double count) { return count > 0 ? count * std::log(count) : 0; }

double information(const int64_t* counts, int bins, bool correct) {
  std::vector<double> rows(bins), columns(bins);
  double total = 0, joint = 0, cells = 0, separate = 0, occupied[2] = {0, 0};
  for (int c = 0; c < bins * bins; ++c) {
    const double here = double(counts[c]);
    rows[c / bins] += here, columns[c % bins] += here, total += here;
    joint += entropy(here), cells += here > 0;
  }
  for (int k = 0; k < bins; ++k) {
    separate += entropy(rows[k]) + entropy(columns[k]);
    occupied[0] += rows[k] > 0, occupied[1] += columns[k] > 0;
  }
  if (occupied[0] == 1 || occupied[1] == 1) return 0;
  const double bias = (cells - occupied[0] - occupied[1] + 1) / (2 * total);
  return (joint - separate) / total + std::log(total) - (correct ? bias : 0);
}

// Pairs [first, first + pairs) of all, added to counts that are there. Unit 1 of x has one bin.
void histograms_of(int bins, int first, int pairs) {
  std::uniform_int_distribution<int> any(0, bins - 1);
  std::vector<uint8_t> x(kCount * kX * kSamples), y(kCount * kY * kSamples);
  for (size_t k = 0; k < x.size(); ++k) x[k] = uint8_t(k / kSamples == 1 ? 2 : any(generator));
  for (uint8_t& code : y) code = uint8_t(any(generator));
  const int cells = bins * bins;
  std::vector<int64_t> expected(size_t(pairs) * cells);
  expected[1] = 3;
  const OnDevice<int64_t> counts(expected);
  const OnDevice<uint8_t> codes_x(x), codes_y(y);
  const CodedPairs codes{codes_x.get(), codes_y.get(), kX, kY, kSamples};
  need(add_joint_counts(codes, first, pairs, bins, counts.get(), stream), "counts");
  for (int p = first; p < first + pairs; ++p) {
    const int item = p / (kX * kY), i = p / kY % kX, j = p % kY;
    for (int k = 0; k < kSamples; ++k) {
      const int a = x[(item * kX + i) * kSamples + k], b = y[(item * kY + j) * kSamples + k];
      ++expected[size_t(p - first) * cells + a * bins + b];
    }
  }
  expect(counts.values() == expected, "joint counts");
  for (const bool correct : {false, true}) {
    const OnDevice<double> out(pairs);
    need(information_of_counts(counts.get(), pairs, bins, correct, out.get(), stream),
         "information");
    const auto found = out.values();
    for (int p = 0; p < pairs; ++p) {
      const double here = information(expected.data() + size_t(p) * cells, bins, correct);
      expect(std::abs(found[p] - here) <= 1e-13, "information");
      if (p + first == 2) expect(found[p] == 0, "information of one bin");
    }
  }
}

void histograms() {
  histograms_of(5, 1, 9);
  histograms_of(80, 5, 2);   // one table for all warps
  histograms_of(120, 0, 3);  // none
}

const Topic topic("histograms", histograms);

}  // namespace
}  // namespace likewise::cuda::driver

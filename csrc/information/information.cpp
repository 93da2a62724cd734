#include "information/information.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.h"

namespace likewise {
namespace {

// Two histograms take turns: the same bin twice in a row would wait for its own store.
constexpr int64_t kTables = 2;

void count(const uint8_t* x, const uint8_t* y, int64_t samples, int64_t bins,
           std::vector<int32_t>& tables) {
  const int64_t size = bins * bins;
  tables.assign(size_t(kTables * size), 0);
  int32_t* even = tables.data();
  int32_t* odd = even + size;
  int64_t k = 0;
  for (; k + 2 <= samples; k += 2) {
    ++even[x[k] * bins + y[k]];
    ++odd[x[k + 1] * bins + y[k + 1]];
  }
  if (k < samples) ++even[x[k] * bins + y[k]];
  for (int64_t c = 0; c < size; ++c) even[c] += odd[c];
}

// c log c; with a table for counts that one call can reach.
class Entropies {
 public:
  explicit Entropies(int64_t most) : table_(size_t(most + 1)) {
    for (int64_t c = 0; c <= most; ++c) table_[c] = direct(double(c));
  }
  double operator()(int64_t c) const { return table_[c]; }
  static double direct(double c) { return c > 0 ? c * std::log(c) : 0; }

 private:
  std::vector<double> table_;
};

template <class Count, class Entropy>
double information(const Count* counts, int64_t bins, bool correct, const Entropy& entropy,
                   std::vector<int64_t>& margins) {
  if (counts[0] < 0) return std::numeric_limits<double>::quiet_NaN();
  margins.assign(size_t(2 * bins), 0);
  double joint = 0, separate = 0;
  int64_t total = 0, cells = 0, occupied[2] = {0, 0};
  for (int64_t i = 0; i < bins; ++i) {
    for (int64_t j = 0; j < bins; ++j) {
      const int64_t c = counts[i * bins + j];
      margins[i] += c;
      margins[bins + j] += c;
      total += c;
      cells += c > 0;
      joint += entropy(c);
    }
  }
  for (int64_t k = 0; k < 2 * bins; ++k) {
    separate += entropy(margins[k]);
    occupied[k / bins] += margins[k] > 0;
  }
  if (occupied[0] == 1 || occupied[1] == 1) return 0;  // exactly, whatever the sums round to
  const double n = double(total);
  const double plain = (joint - separate) / n + std::log(n);
  return correct ? plain - double(cells - occupied[0] - occupied[1] + 1) / (2 * n) : plain;
}

struct Workspace {
  std::vector<int32_t> tables;
  std::vector<int64_t> margins;
};

}  // namespace

void mutual_information(const BinnedUnits& x, const BinnedUnits& y, int64_t samples, int64_t bins,
                        bool correct, int threads, double* out) {
  const Entropies entropies(samples);
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  parallel_for(x.units, threads, [&](int64_t i, int worker) {
    Workspace& w = workspaces[worker];
    for (int64_t j = 0; j < y.units; ++j) {
      count(x.codes + i * samples, y.codes + j * samples, samples, bins, w.tables);
      out[i * y.units + j] = information(w.tables.data(), bins, correct, entropies, w.margins);
    }
    poll_interrupt();
  });
}

void information_of_counts(const int64_t* counts, int64_t pairs, int64_t bins, bool correct,
                           int threads, double* out) {
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  const auto entropy = [](int64_t c) { return Entropies::direct(double(c)); };
  parallel_for(pairs, threads, [&](int64_t p, int worker) {
    out[p] =
        information(counts + p * bins * bins, bins, correct, entropy, workspaces[worker].margins);
  });
}

void add_joint_counts(const BinnedUnits& x, const BinnedUnits& y, int64_t samples, int64_t bins,
                      int threads, int64_t* counts) {
  std::vector<Workspace> workspaces(size_t(std::max(threads, 1)));
  parallel_for(x.units, threads, [&](int64_t i, int worker) {
    Workspace& w = workspaces[worker];
    for (int64_t j = 0; j < y.units; ++j) {
      count(x.codes + i * samples, y.codes + j * samples, samples, bins, w.tables);
      int64_t* to = counts + (i * y.units + j) * bins * bins;
      for (int64_t c = 0; c < bins * bins; ++c) to[c] += w.tables[c];
    }
    poll_interrupt();
  });
}

}  // namespace likewise

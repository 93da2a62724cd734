#include "moments/cuda/centred_sums.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr int kSamples = 9;

// Items of one side: augmented samples [1, |x_1|^2, ..., x_1, ...], starts and widths.
struct Side {
  std::vector<std::vector<double>> rows;
  std::vector<int32_t> starts;

  explicit Side(const std::vector<int>& widths, int constant)
      : rows(kSamples, {1.0}), starts{int32_t(1 + widths.size())} {
    for (const int width : widths) starts.push_back(starts.back() + width);
    for (auto& row : rows) {
      row.resize(size_t(starts.back()));
      for (size_t k = size_t(starts[0]); k < row.size(); ++k) row[k] = 1.5 + normal<double>(1)[0];
      if (constant >= 0) row[size_t(constant)] = 0.3;
      for (size_t item = 0; item < widths.size(); ++item) {
        row[1 + item] = 0;
        for (int k = starts[item]; k < starts[item + 1]; ++k) {
          row[1 + item] += row[size_t(k)] * row[size_t(k)];
        }
      }
    }
  }
  int64_t width() const { return starts.back(); }
  double mean(int64_t j) const {
    double sum = 0;
    for (const auto& row : rows) sum += row[size_t(j)];
    return sum / kSamples;
  }
};

std::vector<double> sums_of(const Side& x, const Side& y) {
  std::vector<double> out(size_t(x.width() * y.width()));
  for (int r = 0; r < kSamples; ++r) {
    for (size_t k = 0; k < out.size(); ++k) {
      out[k] += x.rows[r][k / size_t(y.width())] * y.rows[r][k % size_t(y.width())];
    }
  }
  return out;
}

double centred(const Side& x, const Side& y, int64_t i, int64_t j) {
  double sum = 0;
  for (int r = 0; r < kSamples; ++r) {
    sum += (x.rows[r][size_t(i)] - x.mean(i)) * (y.rows[r][size_t(j)] - y.mean(j));
  }
  return sum;
}

bool near(double found, double expected) {
  return std::abs(found - expected) <= 1e-10 * (1 + std::abs(expected));
}

// HSIC of the definition, by kernel matrices.
double hsic(const Side& x, const Side& y, int a, int b, bool unbiased) {
  const auto gram = [unbiased](const Side& side, int item) {
    std::vector<double> out(kSamples * kSamples);
    for (int p = 0; p < kSamples * kSamples; ++p) {
      for (int64_t j = side.starts[item]; j < side.starts[item + 1]; ++j) {
        out[p] += (side.rows[p / kSamples][size_t(j)] - side.mean(j)) *
                  (side.rows[p % kSamples][size_t(j)] - side.mean(j));
      }
      if (unbiased && p / kSamples == p % kSamples) out[p] = 0;
    }
    return out;
  };
  const auto k = gram(x, a), l = gram(y, b);
  const double n = kSamples;
  double trace = 0, total_k = 0, total_l = 0, both = 0;
  for (int i = 0; i < kSamples; ++i) {
    double row_k = 0, row_l = 0;
    for (int j = 0; j < kSamples; ++j) {
      trace += k[i * kSamples + j] * l[i * kSamples + j];
      row_k += k[i * kSamples + j], row_l += l[i * kSamples + j];
    }
    total_k += row_k, total_l += row_l, both += row_k * row_l;
  }
  if (!unbiased) return trace / ((n - 1) * (n - 1));
  return (trace + total_k * total_l / ((n - 1) * (n - 2)) - 2 / (n - 2) * both) / (n * (n - 3));
}

// Facts of the items of a side, from their sums with themselves.
struct Facts {
  OnDevice<int32_t> starts;
  OnDevice<double> squares, traces;
  OnDevice<int64_t> constants, samples;

  explicit Facts(const Side& side)
      : starts(side.starts),
        squares(std::vector<double>(size_t(side.width()), -7.0)),
        traces(side.starts.size() - 1),
        constants(side.starts.size() - 1),
        samples(std::vector<int64_t>{-1}) {}
  SumsSide items() const { return {starts.get(), int64_t(constants.values().size())}; }
};

void check_facts(const Side& side, Facts& facts, bool center) {
  const OnDevice<double> sums(sums_of(side, side));
  need(find_units(
           sums.get(), side.width(), facts.items(), center,
           {facts.squares.get(), facts.traces.get(), facts.constants.get(), facts.samples.get()},
           stream),
       "find units");
  const auto squares = facts.squares.values(), traces = facts.traces.values();
  const auto constants = facts.constants.values();
  expect(facts.samples.values()[0] == kSamples, "samples");
  for (size_t item = 0; item < constants.size(); ++item) {
    double trace = 0;
    int64_t constant = 0;
    for (int64_t j = side.starts[item]; j < side.starts[item + 1]; ++j) {
      const double square = centred(side, side, j, j);
      const bool none = square < 1e-20;
      constant += none;
      expect(none ? squares[size_t(j)] == 0 : near(squares[size_t(j)], square), "squares");
      trace += center ? square : square + kSamples * side.mean(j) * side.mean(j);
    }
    expect(near(traces[item], trace), "trace");
    expect(constants[item] == constant, "constant units");
  }
  for (int64_t j = 0; j < side.starts[0]; ++j) {
    expect(squares[size_t(j)] == -7, "squares of units alone");
  }
}

void scores() {
  // The third item of y is constant.
  const Side x({3, 70}, 4), y({40, 5, 1}, 49);
  Facts of_x(x), of_y(y);
  check_facts(x, of_x, false);
  check_facts(x, of_x, true);
  check_facts(y, of_y, true);
  const OnDevice<double> there(sums_of(x, y));
  const CentredSums sums{there.get(),  y.width(),          of_x.items(),
                         of_y.items(), of_x.squares.get(), of_y.squares.get()};
  const std::vector<double> units_x{2.0, 0.5}, units_y{4.0, 0.25, 1.0};
  const OnDevice<double> unit_x(units_x), unit_y(units_y);
  for (const int flags : {0, 1, 2, 3}) {
    const bool unbiased = flags & 1, scaled = flags & 2;
    const OnDevice<double> parts(6 * 3 * 2), out(6);
    need(linear_hsic(
             sums,
             {unbiased, of_x.traces.get(), of_y.traces.get(), scaled ? unit_x.get() : nullptr,
              scaled ? unit_y.get() : nullptr, parts.get(), 3, out.get()},
             stream),
         "hsic");
    const auto found = out.values();
    for (int pair = 0; pair < 6; ++pair) {
      const double unit = scaled ? units_x[pair / 3] * units_y[pair % 3] : 1;
      if (pair % 3 == 2) {
        expect(std::isnan(found[pair]), "hsic of a constant item");
      } else {
        expect(near(found[pair] / (unit * unit), hsic(x, y, pair / 3, pair % 3, unbiased)), "hsic");
      }
    }
  }
  const OnDevice<double> r(3 * 40);
  need(correlate_units(sums, 3, 40, r.get(), stream), "correlations");
  const auto found = r.values();
  for (int k = 0; k < 120; ++k) {
    const int64_t i = x.starts[0] + k / 40, j = y.starts[0] + k % 40;
    const double squares = centred(x, x, i, i) * centred(y, y, j, j);
    const double expected = squares < 1e-20 ? 0 : centred(x, y, i, j) / std::sqrt(squares);
    expect(near(found[k], expected), "correlation");
  }
}

// More pairs of items than one launch takes.
void many_pairs() {
  const std::vector<int> many(33, 1);
  const Side x(many, -1), y(many, -1);
  Facts of_x(x), of_y(y);
  check_facts(x, of_x, true);
  check_facts(y, of_y, true);
  const OnDevice<double> there(sums_of(x, y));
  const CentredSums sums{there.get(),  y.width(),          of_x.items(),
                         of_y.items(), of_x.squares.get(), of_y.squares.get()};
  const OnDevice<double> parts(std::vector<double>(33 * 33 * 2, NAN)), out(33 * 33);
  need(linear_hsic(sums,
                   {false, of_x.traces.get(), of_y.traces.get(), nullptr, nullptr, parts.get(), 1,
                    out.get()},
                   stream),
       "hsic");
  const auto found = out.values();
  for (int pair = 0; pair < 33 * 33; ++pair) {
    const double product = centred(x, y, x.starts[0] + pair / 33, y.starts[0] + pair % 33);
    expect(near(found[pair], product * product / 64), "hsic of many pairs");
  }
}

// Units that are each other's equal, or opposite, up to rounding of their sums.
void limits() {
  const std::vector<int32_t> starts{2, 3};
  for (const double sign : {1.0, -1.0}) {
    const OnDevice<double> sums(std::vector<double>{4, 0, 0, 0, 0, 0, 0, 0, sign * (1 + 1e-12)});
    const OnDevice<int32_t> there(starts);
    const OnDevice<double> squares(std::vector<double>{0, 0, 1}), out(1);
    const SumsSide side{there.get(), 1};
    need(correlate_units({sums.get(), 3, side, side, squares.get(), squares.get()}, 1, 1, out.get(),
                         stream),
         "correlation");
    expect(out.values()[0] == sign, "correlations end at 1");
  }
}

// Variance that rounding may have made, and a little more of it.
void rounding() {
  const OnDevice<int32_t> starts(std::vector<int32_t>{2, 3});
  for (const double rest : {2e-14, 1e-12}) {
    const OnDevice<double> sums(std::vector<double>{4, 0, 2, 0, 0, 0, 2, 0, 1 + rest});
    const OnDevice<double> squares(3), trace(1);
    const OnDevice<int64_t> constants(1);
    need(find_units(sums.get(), 3, {starts.get(), 1}, true,
                    {squares.get(), trace.get(), constants.get(), nullptr}, stream),
         "find units");
    expect(constants.values()[0] == (rest < 1e-13), "units that rounding makes vary");
    expect((squares.values()[2] == 0) == (rest < 1e-13), "squares of rounding");
  }
}

// A constant unit of either side takes no part, whatever rounding left of its products.
void constants() {
  const OnDevice<int32_t> starts(std::vector<int32_t>{2, 3});
  const SumsSide side{starts.get(), 1};
  const OnDevice<double> sums(std::vector<double>{4, 0, 1, 0, 0, 0, 1, 0, 3}), out(1);
  const OnDevice<double> one(std::vector<double>{0, 0, 1}), none(std::vector<double>{0, 0, 0});
  for (const bool left : {true, false}) {
    const CentredSums of{
        sums.get(), 3, side, side, left ? none.get() : one.get(), left ? one.get() : none.get()};
    need(take_blocks(of, {2, 0, 2, 1, 1, 1, true}, out.get(), stream), "blocks");
    expect(out.values()[0] == 0, "products of a constant unit");
  }
}

void blocks() {
  const Side x({4, 4}, 7), y({3, 3, 3}, -1);
  Facts of_x(x), of_y(y);
  check_facts(x, of_x, true);
  check_facts(y, of_y, true);
  const std::vector<double> host = sums_of(x, y);
  const OnDevice<double> there(host);
  const CentredSums sums{there.get(),  y.width(),          of_x.items(),
                         of_y.items(), of_x.squares.get(), of_y.squares.get()};
  for (const bool center : {false, true}) {
    for (const int64_t step : {int64_t{0}, int64_t{4}}) {
      const OnDevice<double> out(std::vector<double>(25, -7.0));
      need(take_blocks(sums, {x.starts[0], step, y.starts[1], 2, 4, 3, center}, out.get(), stream),
           "blocks");
      const auto found = out.values();
      for (int k = 0; k < 24; ++k) {
        const int64_t i = x.starts[0] + k / 12 * step + k % 12 / 3;
        const int64_t j = y.starts[1] + k / 12 * 3 + k % 3;
        const double raw = host[size_t(i * y.width() + j)];
        const bool constant = center && i == 7;
        expect(near(found[k], center ? centred(x, y, i, j) : raw), "block");
        expect(!constant || found[k] == 0, "zeros of constant units");
      }
      expect(found[24] == -7, "blocks end");
    }
  }
}

void ratios() {
  constexpr int kRows = 20, kCols = 30;
  const std::vector<double> x = normal<double>(kRows * kCols);
  std::vector<double> own(kRows * kCols);
  for (double& value : own) value = 0.5 + std::abs(normal<double>(1)[0]);
  own[3] = 0;
  own[8] = -1;
  const OnDevice<double> there(x), norms(own), out(x.size());
  for (const int step : {1, 7}) {
    need(normalise_products(there.get(), kRows, kCols, norms.get(), step, norms.get() + 5, 2,
                            out.get(), stream),
         "ratios");
    const auto found = out.values();
    for (int k = 0; k < kRows * kCols; ++k) {
      const double a = own[size_t(k / kCols * step)], b = own[size_t(5 + k % kCols * 2)];
      const double expected = x[size_t(k)] / std::sqrt(a * b);
      expect(a > 0 && b > 0 ? near(found[k], expected) : std::isnan(found[k]), "ratio");
    }
  }
  const OnDevice<double> by(std::vector<double>{3.0});
  need(divide_all(there.get(), kRows * kCols, by.get(), out.get(), stream), "divide");
  const auto found = out.values();
  for (int k = 0; k < kRows * kCols; ++k) expect(near(found[k], x[size_t(k)] / 3), "quotient");
}

void centred_sums() {
  scores();
  if (!thread_sanitizer()) many_pairs();
  limits();
  rounding();
  constants();
  blocks();
  ratios();
}

const Topic topic("centred_sums", centred_sums);

}  // namespace
}  // namespace likewise::cuda::driver

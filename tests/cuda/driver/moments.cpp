#include "moments/cuda/moments.h"

#include "both.h"
#include "moments/cuda/frames.h"
#include "moments/moments.h"

namespace likewise::cuda::driver {
namespace {

constexpr int64_t kRows = 19;

// A frame of a first batch, and its units after a second one.
template <class T>
struct Place {
  explicit Place(const Items<T>& first, const Items<T>& second) {
    size_t cols = 0;
    for (const auto& item : first.here) cols += size_t(item.shape[1]);
    const size_t count = first.here.size();
    shift.resize(cols), unit.resize(count), ratio.resize(count);
    likewise::begin_frame(first.here, 1, shift.data(), unit.data());
    likewise::grow_units(second.here, shift.data(), 1, unit.data(), ratio.data());
  }
  likewise::GrownFrame here() const { return {shift.data(), unit.data(), ratio.data()}; }

  std::vector<double> shift, unit, ratio;
};

// Items far from zero, of small and large numbers, and without any difference.
template <class T>
Items<T> batch(double size, size_t count) {
  Items<T> out(kRows);
  for (const int64_t cols : {3, 40, 2}) {
    if (out.here.size() == count) break;
    std::vector<T> x = normal<T>(size_t(kRows * cols));
    for (size_t k = 0; k < x.size(); ++k) {
      const bool constant = cols == 2 || k % size_t(cols) == 0;
      x[k] = constant ? T(0.1) : T(size * (1e3 + double(x[k])));
    }
    out.add(x);
  }
  return out;
}

template <class T>
void frames_of(double size, double later) {
  const Items<T> first = batch<T>(size, 3), second = batch<T>(later, 3);
  const Place<T> expected(first, second);
  const OnDevice<double> shift(expected.shift.size()), unit(3), ratio(3);
  Call call;
  begin_frame<T>(call.context(), first.there, kRows, shift.get(), unit.get());
  grow_units<T>(call.context(), second.there, kRows, shift.get(), unit.get(), ratio.get());
  agree(shift.values(), expected.shift, 1e-14, "shift");
  agree(unit.values(), expected.unit, 0, "units");
  agree(ratio.values(), expected.ratio, 0, "ratios of units");
  const std::vector<T> x = normal<T>(300);
  std::vector<T> divided;
  for (const T value : x) divided.push_back(value * T(0x1p-100));
  const OnDevice<T> there(x), out(x.size());
  const OnDevice<double> by(std::vector<double>{0x1p100});
  divide_by_unit<T>(there.get(), 300, by.get(), out.get(), stream);
  agree(out.values(), divided, 0, "quotients");
}

// What is not a number has a unit as well.
void not_finite() {
  for (const double wrong : {double(NAN), double(INFINITY)}) {
    const OnDevice<double> x(std::vector<double>{1, wrong, 3, 4}), shift(std::vector<double>{0, 0}),
        work(2), unit(std::vector<double>{0.5}), ratio(1);
    grow_unit<double>(x.get(), 2, 2, {shift.get(), work.get(), unit.get(), ratio.get()}, stream);
    expect(unit.values()[0] == 1 && ratio.values()[0] == 0.5, "unit of what is not finite");
  }
}

// More items than a launch has blocks, whose units grow.
void growth() {
  constexpr int64_t kItems = 1100, kWidth = 1 + 2 * kItems;
  std::vector<int32_t> starts(kItems + 1);
  std::iota(starts.begin(), starts.end(), int32_t(1 + kItems));
  std::vector<double> ratio, expected{1};
  for (int k = 0; k < kItems; ++k) ratio.push_back(std::ldexp(1.0, -(k % 4)));
  for (const double value : ratio) expected.push_back(value * value);
  expected.insert(expected.end(), ratio.begin(), ratio.end());
  const OnDevice<int32_t> places(starts);
  const OnDevice<double> ratios(ratio), out(kWidth);
  growth_of({places.get(), kItems}, ratios.get(), kWidth, out.get(), stream);
  agree(out.values(), expected, 0, "growth of columns");
  std::vector<double> host = normal<double>(3 * kWidth);
  const std::vector<double> rows{1, 0.5, 2};
  const OnDevice<double> sums(host), of_rows(rows);
  grow_sums(sums.get(), 3, kWidth, of_rows.get(), out.get(), stream);
  for (size_t k = 0; k < host.size(); ++k) host[k] *= rows[k / kWidth] * expected[k % kWidth];
  agree(sums.values(), host, 0, "grown sums");
}

template <class T>
void sums(bool symmetric, const StridedRows& rows, bool missing) {
  Items<T> a = batch<T>(1, 2);
  const Items<T> b = symmetric ? Items<T>(kRows) : batch<T>(1, 1);
  if (missing) {
    std::vector<T> x = normal<T>(kRows * 4);
    x[6] = std::numeric_limits<T>::quiet_NaN();
    a.add(x);
  }
  const Items<T>& other = symmetric ? a : b;
  const Place<T> at_a(a, a), at_b(other, other);
  const size_t height = 1 + a.here.size() + at_a.shift.size();
  const size_t width = 1 + other.here.size() + at_b.shift.size();
  std::vector<double> total(height * width, 0.5);
  const OnDevice<double> found(total);
  const OnDevice<double> shift_a(at_a.shift), unit_a(at_a.unit), shift_b(at_b.shift),
      unit_b(at_b.unit);
  std::vector<double> ratio_a(at_a.unit.size(), 0.5), ratio_b(at_b.unit.size(), 0.25);
  const OnDevice<double> grown_a(ratio_a), grown_b(ratio_b);
  const double* const right = (symmetric ? grown_a : grown_b).get();
  Call call;
  add_moments<T>(call.context(), a.there, b.there, rows,
                 {{shift_a.get(), unit_a.get()}, grown_a.get()},
                 {{shift_b.get(), unit_b.get()}, right}, found.get());
  likewise::GrownFrame frame_a = at_a.here(), frame_b = at_b.here();
  frame_a.ratio = ratio_a.data();
  frame_b.ratio = symmetric ? ratio_a.data() : ratio_b.data();
  likewise::add_moments(a.here, b.here, rows.first, rows.step, frame_a, frame_b, 1, total.data());
  agree(found.values(), total, 1e-13, "moments");
}

const Topic frames_topic("frames", [] {
  frames_of<double>(1, 1e6);
  frames_of<float>(1, 1);
  frames_of<double>(1e150, 1e-150);
  not_finite();
  growth();
});
const Topic moments_topic("moments", [] {
  sums<float>(true, {kRows, 0, 1}, false);
  sums<double>(false, {kRows, 2, 3}, false);
  sums<double>(true, {kRows, kRows, 4}, false);
  sums<double>(false, {kRows, 0, 2}, true);
  const StridedRows one{kRows, 1, 3}, two{kRows, 2, 3};
  expect(one.count() == 6 && two.count() == 6, "number of samples");
});

}  // namespace
}  // namespace likewise::cuda::driver

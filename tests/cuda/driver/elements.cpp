#include "core/cuda/elements.h"

#include "driver.h"

namespace likewise::cuda::driver {
namespace {

void copy_and_look() {
  constexpr int kRows = 37, kCols = 70;  // read as the transpose of every second column
  std::vector<double> host = normal<double>(kRows * kCols * 2);
  const OnDevice<double> in(host);
  const OnDevice<float> out(kRows * kCols);
  const DeviceRef view{in.get(), ElementType::float64, 2, {kCols, kRows}, {2, 2 * kCols}};
  need(copy_elements<float>(view, out.get(), stream), "copy");
  const auto copied = out.values();
  for (int i = 0; i < kCols; ++i) {
    for (int j = 0; j < kRows; ++j) {
      expect(copied[i * kRows + j] == float(host[j * 2 * kCols + 2 * i]), "copied element");
    }
  }
  const std::vector<uint16_t> halves{0x3c00, 0xc000, 0x0001, 0x7c00, 0x0000, 0x3555};
  const OnDevice<uint16_t> bits(halves);
  const OnDevice<float> widened(halves.size());
  need(copy_elements<float>({bits.get(), ElementType::float16, 1, {6}, {1}}, widened.get(), stream),
       "widen");
  const std::vector<float> wide = widened.values();
  expect(wide[0] == 1 && wide[1] == -2 && wide[2] == std::ldexp(1.0f, -24), "half precision");
  expect(std::isinf(wide[3]) && wide[4] == 0 && std::abs(wide[5] - 1.0f / 3) < 1e-3, "halves");

  for (const double odd : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
    host[3999] = odd;
    host[4000] = std::nan("");
    for (const int size : {3999, 5180}) {
      const OnDevice<double> x(host);
      const OnDevice<unsigned long long> first(std::vector<unsigned long long>{~0ull});
      need(find_nonfinite<double>(x.get(), size, first.get(), stream), "look");
      expect(first.values()[0] == (size > 3999 ? 3999 : ~0ull), "first that is not finite");
      const OnDevice<int64_t> infinite(std::vector<int64_t>{2});
      need(count_infinite<double>(x.get(), size, infinite.get(), stream), "count");
      expect(infinite.values()[0] == 2 + (size > 3999 && std::isinf(odd)), "infinite ones");
    }
  }
}

void send() {
  for (const int size : {1, 479, 480, 481, 2000}) {
    std::vector<double> values = normal<double>(size_t(size));
    std::vector<int32_t> places(static_cast<size_t>(size));
    for (int k = 0; k < size; ++k) places[size_t(k)] = 7 * k;
    const std::vector<double> sent_values = values;
    const std::vector<int32_t> sent_places = places;
    const OnDevice<double> there(values.size());
    const OnDevice<int32_t> where(places.size());
    need(send_values(values.data(), size, there.get(), stream), "send");
    need(send_values(places.data(), size, where.get(), stream), "send");
    std::fill(values.begin(), values.end(), 0.0);  // the host may go away at once
    std::fill(places.begin(), places.end(), 0);
    expect(there.values() == sent_values && where.values() == sent_places, "values sent");
  }
}

void elements() {
  copy_and_look();
  send();
}

const Topic topic("elements", elements);

}  // namespace
}  // namespace likewise::cuda::driver

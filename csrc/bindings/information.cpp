#include "information/information.h"

#include "bindings/arrays.h"

namespace likewise::bindings {
namespace {

using Codes = py::array_t<uint8_t, py::array::c_style>;

BinnedUnits units_of(const Codes& codes) { return {codes.data(), codes.shape(0)}; }

void of_codes(const Codes& x, const Codes& y, int64_t bins, bool correct, py::array out,
              int threads) {
  double* to = double_output(out);
  const BinnedUnits from = units_of(x), other = units_of(y);
  const int64_t samples = x.shape(1);
  const py::gil_scoped_release release;
  mutual_information(from, other, samples, bins, correct, threads, to);
}

void of_counts(py::array counts, bool correct, py::array out, int threads) {
  double* to = double_output(out);
  const int64_t* from = integer_output<int64_t>(counts);
  const int64_t pairs = counts.shape(0), bins = counts.shape(1);
  const py::gil_scoped_release release;
  information_of_counts(from, pairs, bins, correct, threads, to);
}

void add_counts(const Codes& x, const Codes& y, py::array counts, int threads) {
  int64_t* to = integer_output<int64_t>(counts);
  const BinnedUnits from = units_of(x), other = units_of(y);
  const int64_t samples = x.shape(1), bins = counts.shape(2);
  const py::gil_scoped_release release;
  add_joint_counts(from, other, samples, bins, threads, to);
}

}  // namespace

void register_information(py::module_& m) {
  m.def("mutual_information", &of_codes);
  m.def("information_of_counts", &of_counts);
  m.def("add_joint_counts", &add_counts);
  m.attr("UNKNOWN_PAIR") = kUnknownPair;
}

}  // namespace likewise::bindings

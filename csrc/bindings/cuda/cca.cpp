#include "cca/cuda/cca.h"

#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "bindings/cuda/moments.h"
#include "cca/cuda/moments.h"

namespace likewise::bindings {
namespace {

using OptionTuple = std::tuple<double, double, bool>;

cuda::CanonicalOptions options_of(const OptionTuple& options) {
  const auto [regularization, variance, weighted] = options;
  return {regularization, variance, weighted};
}

cuda::CanonicalFindings findings(const DeviceArray& constant_units, const DeviceArray& dropped) {
  return {constant_units.filled<int64_t>(), dropped.filled<int64_t>()};
}

cuda::Matrix<double> side(const DeviceArray& array, const cuda::Context& context) {
  return {contiguous<double>(array, context), array.sizes().back()};
}

int64_t rows_of(const DeviceArray& array) { return array.sizes()[array.sizes().size() - 2]; }

void scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b, bool symmetric,
            const DeviceArray& out, const DeviceArray& constant_units, const DeviceArray& dropped,
            const OptionTuple& options, Run& run) {
  const CallContext context(run);
  cuda::cca_scores(context, matrices<double>(a, context), matrices<double>(b, context),
                   rows_of(a[0]), symmetric, options_of(options), out.filled<double>(),
                   findings(constant_units, dropped));
}

void pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
           const DeviceArray& constant_units, const DeviceArray& dropped,
           const OptionTuple& options, Run& run) {
  const CallContext context(run);
  cuda::cca_pairs(context, side(x, context), side(y, context), out.size(), rows_of(x),
                  options_of(options), out.filled<double>(), findings(constant_units, dropped));
}

// Scores (k) of x (n, dx) with y (n, dy), its samples in these orders (k, n).
void reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
               const DeviceArray& out, const OptionTuple& options, Run& run) {
  const CallContext context(run);
  cuda::cca_reordered(context, side(x, context), side(y, context), rows_of(x),
                      send_orders(orders, context), orders.shape(0), options_of(options),
                      out.filled<double>());
}

void correlations(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
                  const DeviceArray& constant_units, const DeviceArray& dropped,
                  const OptionTuple& options, Run& run) {
  const CallContext context(run);
  cuda::canonical_correlations(context, side(x, context), side(y, context),
                               out.size() / out.sizes().back(), rows_of(x), options_of(options),
                               out.filled<double>(), findings(constant_units, dropped));
}

void cca_scores_of_moments(const GivenSums& sums, const DeviceArray& scores,
                           const DeviceArray& constant_units, const DeviceArray& samples,
                           const DeviceArray& dropped, const OptionTuple& options, Run& run) {
  const CallContext context(run);
  cuda::cca_scores_of_moments(context, sums_of(sums), options_of(options), scores.filled<double>(),
                              sums_findings(constant_units, samples), dropped.filled<int64_t>());
}

}  // namespace

void register_cca(py::module_& m) {
  m.def("cca_scores", &scores);
  m.def("cca_pairs", &pairs);
  m.def("cca_reordered", &reordered);
  m.def("canonical_correlations", &correlations);
  m.def("cca_scores_of_moments", &cca_scores_of_moments);
}

}  // namespace likewise::bindings

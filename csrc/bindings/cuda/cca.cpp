#include "cca/cuda/cca.h"

#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"

namespace likewise::bindings {
namespace {

cuda::CanonicalFindings findings(const DeviceArray& counts) {
  const Counts given(counts);
  return {given.row(0), given.row(1)};
}

void scores(const Items& a, const Items& b, const DeviceArray& out, const DeviceArray& counts,
            const CanonicalOptions& options, Run& run) {
  const CallContext context(run);
  cuda::cca_scores(context, matrices<double>(a, context), matrices<double>(b, context),
                   rows_of(a[0]), b.empty(), options, out.filled<double>(), findings(counts));
}

void pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
           const DeviceArray& counts, const CanonicalOptions& options, Run& run) {
  const CallContext context(run);
  cuda::cca_pairs(context, matrix<double>(x, context), matrix<double>(y, context), out.size(),
                  rows_of(x), options, out.filled<double>(), findings(counts));
}

// Scores (k) of x (n, dx) with y (n, dy), its samples in these orders (k, n).
void reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
               const DeviceArray& out, const CanonicalOptions& options, Run& run) {
  const CallContext context(run);
  cuda::cca_reordered(context, matrix<double>(x, context), matrix<double>(y, context), rows_of(x),
                      send_orders(orders, context), orders.shape(0), options, out.filled<double>());
}

void correlations(const DeviceArray& x, const DeviceArray& y, const DeviceArray& out,
                  const DeviceArray& counts, const CanonicalOptions& options, Run& run) {
  const CallContext context(run);
  cuda::canonical_correlations(context, matrix<double>(x, context), matrix<double>(y, context),
                               out.size() / out.sizes().back(), rows_of(x), options,
                               out.filled<double>(), findings(counts));
}

}  // namespace

void register_cca(py::module_& m) {
  m.def("cca_scores", &scores);
  m.def("cca_pairs", &pairs);
  m.def("cca_reordered", &reordered);
  m.def("canonical_correlations", &correlations);
}

}  // namespace likewise::bindings

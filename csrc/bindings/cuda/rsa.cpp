#include "rsa/cuda/rsa.h"

#include <pybind11/stl.h>

#include <string>

#include "bindings/cuda/arrays.h"
#include "bindings/dissimilarities.h"

namespace likewise::bindings {
namespace {

cuda::RsaOptions options_of(const std::string& dissimilarity, const std::string& comparison) {
  using cuda::RdmComparison;
  const auto of = [&](RdmComparison found) {
    return cuda::RsaOptions{dissimilarity_of(dissimilarity), found};
  };
  if (comparison == "cosine") return of(RdmComparison::cosine);
  if (comparison == "corr") return of(RdmComparison::corr);
  if (comparison == "spearman") return of(RdmComparison::spearman);
  if (comparison == "rho-a") return of(RdmComparison::rho_a);
  if (comparison == "cosine_cov") return of(RdmComparison::cosine_cov);
  if (comparison == "corr_cov") return of(RdmComparison::corr_cov);
  throw InternalError("unknown comparison " + comparison);
}

cuda::RsaFindings findings(const DeviceArray& scores, const DeviceArray& without,
                           const DeviceArray& constant_units) {
  return {scores.filled<double>(), without.filled<int64_t>(), constant_units.filled<int64_t>()};
}

// Fills out (..., n (n - 1) / 2) and `without` (...) for x (..., n, d).
void rdm(const DeviceArray& x, const std::string& dissimilarity, const DeviceArray& out,
         const DeviceArray& without, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const int64_t rows = x.sizes()[x.sizes().size() - 2], cols = x.sizes().back();
    cuda::rdms<T>(context, contiguous<T>(x, context), without.size(), rows, cols,
                  dissimilarity_of(dissimilarity), out.filled<T>(), without.filled<int64_t>(),
                  nullptr);
  });
}

void rsa_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                bool symmetric, const DeviceArray& scores, const DeviceArray& without,
                const DeviceArray& constant_units, const std::string& dissimilarity,
                const std::string& comparison, Run& run) {
  if (a.empty()) return;
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::rsa_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context), a[0].sizes()[0],
                        symmetric, options_of(dissimilarity, comparison),
                        findings(scores, without, constant_units));
  });
}

// The findings have room for every item of the batch; they are filled for the distinct ones of x,
// then for those of y. Returns how many x has.
int64_t rsa_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                  const DeviceArray& without, const DeviceArray& constant_units,
                  const std::string& dissimilarity, const std::string& comparison, Run& run) {
  if (scores.size() == 0) return 0;
  const CallContext context(run);
  return dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::PairAxes axes{scores.ndim(), {}, {}, {}};
    for (int axis = 0; axis < axes.ndim; ++axis) axes.shape[axis] = scores.sizes()[axis];
    const auto left = distinct_items<T>(x, context, axes.step_a);
    const auto right = distinct_items<T>(y, context, axes.step_b);
    cuda::rsa_pairs<T>(context, left, right, x.sizes()[x.sizes().size() - 2], axes,
                       options_of(dissimilarity, comparison),
                       findings(scores, without, constant_units));
    return left.count;
  });
}

// Scores of x (n, dx) with y (n, dy), its samples in these orders.
void rsa_reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
                   const DeviceArray& scores, const std::string& dissimilarity,
                   const std::string& comparison, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const cuda::RsaFindings out{scores.filled<double>(), context.temporary<int64_t>(2),
                                context.temporary<int64_t>(2)};
    cuda::rsa_reordered<T>(context, {x.elements<T>(), x.sizes().back()},
                           {y.elements<T>(), y.sizes().back()}, x.sizes()[0],
                           send_orders(orders, context), orders.shape(0),
                           options_of(dissimilarity, comparison), out);
  });
}

}  // namespace

void register_rsa(py::module_& m) {
  m.def("rdm", &rdm);
  m.def("rsa_scores", &rsa_scores);
  m.def("rsa_pairs", &rsa_pairs);
  m.def("rsa_reordered", &rsa_reordered);
}

}  // namespace likewise::bindings

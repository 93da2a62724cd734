#include "rsa/cuda/rsa.h"

#include <pybind11/stl.h>

#include <string>

#include "bindings/cuda/arrays.h"
#include "bindings/dissimilarities.h"
#include "rsa/cuda/gradient.h"
#include "rsa/cuda/precision.h"
#include "rsa/cuda/rdms.h"

namespace likewise::bindings {
namespace {

cuda::RdmComparison comparison_of(const std::string& name) {
  using cuda::RdmComparison;
  if (name == "cosine") return RdmComparison::cosine;
  if (name == "corr") return RdmComparison::corr;
  if (name == "spearman") return RdmComparison::spearman;
  if (name == "rho-a") return RdmComparison::rho_a;
  if (name == "cosine_cov") return RdmComparison::cosine_cov;
  if (name == "corr_cov") return RdmComparison::corr_cov;
  throw InternalError("unknown comparison " + name);
}

cuda::RsaOptions options_of(const std::string& dissimilarity, const std::string& comparison) {
  return {dissimilarity_of(dissimilarity), comparison_of(comparison)};
}

cuda::RsaFindings findings(const DeviceArray& scores, const DeviceArray& without,
                           const DeviceArray& constant_units, const DeviceArray& flat) {
  return {scores.filled<double>(),
          {without.filled<int64_t>(), constant_units.filled<int64_t>(), flat.filled<int64_t>()}};
}

// Fills out (..., n (n - 1) / 2) and `without` (...) for x (..., n, d).
void rdm(const DeviceArray& x, const std::string& dissimilarity, const DeviceArray& out,
         const DeviceArray& without, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const int64_t rows = x.sizes()[x.sizes().size() - 2], cols = x.sizes().back();
    cuda::rdms<T>(context, contiguous<T>(x, context), without.size(), rows, cols,
                  dissimilarity_of(dissimilarity), false, out.filled<T>(),
                  without.filled<int64_t>(), nullptr);
  });
}

// In double.
const double* doubles(const DeviceArray& array, const cuda::Context& context) {
  if (array.type() == cuda::ElementType::float64) return contiguous<double>(array, context);
  double* const copy = context.temporary<double>(size_t(array.size()));
  cuda::check(cuda::copy_elements<double>(array.view(), copy, context.stream), "copy");
  return copy;
}

const double* precision_of(const std::optional<DeviceArray>& precision,
                           const cuda::Context& context) {
  return precision ? doubles(*precision, context) : nullptr;
}

// Fills out (..., n (n - 1) / 2) for x (..., n, d) and precision (d, d); adds what is wrong with
// the latter to faults (2), see rsa/cuda/precision.h.
void mahalanobis_rdm(const DeviceArray& x, const DeviceArray& precision, const DeviceArray& out,
                     const DeviceArray& faults, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const int64_t rows = x.sizes()[x.sizes().size() - 2], cols = x.sizes().back();
    const int64_t count = out.size() / out.sizes().back();
    cuda::mahalanobis_rdms<T>(context, contiguous<T>(x, context), count, rows, cols,
                              doubles(precision, context), faults.filled<int64_t>(),
                              out.filled<T>());
  });
}

// The same for x (..., repeats, n, d), with no precision or one.
void crossnobis_rdm(const DeviceArray& x, const std::optional<DeviceArray>& precision,
                    const DeviceArray& out, const DeviceArray& faults, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const auto shape = x.sizes().end();
    cuda::crossnobis_rdms<T>(context, contiguous<T>(x, context), out.size() / out.sizes().back(),
                             shape[-3], shape[-2], shape[-1], precision_of(precision, context),
                             faults.filled<int64_t>(), out.filled<T>());
  });
}

void rsa_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                bool symmetric, const DeviceArray& scores, const DeviceArray& without,
                const DeviceArray& constant_units, const DeviceArray& flat,
                const std::string& dissimilarity, const std::string& comparison, Run& run) {
  if (a.empty()) return;
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::rsa_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context), a[0].sizes()[0],
                        symmetric, options_of(dissimilarity, comparison),
                        findings(scores, without, constant_units, flat));
  });
}

// The findings have room for every item of the batch; they are filled for the distinct ones of x,
// then for those of y. Returns how many x has.
int64_t rsa_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                  const DeviceArray& without, const DeviceArray& constant_units,
                  const DeviceArray& flat, const std::string& dissimilarity,
                  const std::string& comparison, Run& run) {
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
                       findings(scores, without, constant_units, flat));
    return left.count;
  });
}

// Fills grad_x and grad_y (shapes of x and y), or those that are wanted.
void rsa_gradients(const DeviceArray& x, const DeviceArray& y,
                   const std::optional<DeviceArray>& grad_x,
                   const std::optional<DeviceArray>& grad_y, const std::string& dissimilarity,
                   const std::string& comparison, Run& run) {
  const CallContext context(run);
  const std::vector<int64_t>& shape = x.sizes();
  const int64_t rows = shape[shape.size() - 2], cols = shape.back();
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::rsa_gradients<T>(
        context, {contiguous<T>(x, context), cols}, {contiguous<T>(y, context), y.sizes().back()},
        x.size() / (rows * cols), rows, options_of(dissimilarity, comparison),
        grad_x ? grad_x->filled<T>() : nullptr, grad_y ? grad_y->filled<T>() : nullptr);
  });
}

// Scores of x (n, dx) with y (n, dy), its samples in these orders.
void rsa_reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
                   const DeviceArray& scores, const std::string& dissimilarity,
                   const std::string& comparison, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    int64_t* const unread = context.temporary<int64_t>(6);
    const cuda::RsaFindings out{scores.filled<double>(), {unread, unread + 2, unread + 4}};
    cuda::rsa_reordered<T>(context, {x.elements<T>(), x.sizes().back()},
                           {y.elements<T>(), y.sizes().back()}, x.sizes()[0],
                           send_orders(orders, context), orders.shape(0),
                           options_of(dissimilarity, comparison), out);
  });
}

// Fills scores (p x q) for condensed RDMs (p, m) and (q, m) of n samples, and flat (p + q).
void compare_rdms(const DeviceArray& p, const DeviceArray& q, int64_t samples,
                  const DeviceArray& scores, const DeviceArray& flat, const std::string& comparison,
                  Run& run) {
  const CallContext context(run);
  dispatch_float(p, [&](auto zero) {
    using T = decltype(zero);
    const auto count_of = [](const DeviceArray& x) { return x.size() / x.sizes().back(); };
    cuda::compare_rdms<T>(
        context, contiguous<T>(p, context), count_of(p), contiguous<T>(q, context), count_of(q),
        samples, comparison_of(comparison), scores.filled<double>(), flat.filled<int64_t>());
  });
}

}  // namespace

void register_rsa(py::module_& m) {
  m.def("rdm", &rdm);
  m.def("rsa_scores", &rsa_scores);
  m.def("rsa_pairs", &rsa_pairs);
  m.def("rsa_gradients", &rsa_gradients);
  m.def("rsa_reordered", &rsa_reordered);
  m.def("compare_rdms", &compare_rdms);
  m.def("mahalanobis_rdm", &mahalanobis_rdm);
  m.def("crossnobis_rdm", &crossnobis_rdm);
}

}  // namespace likewise::bindings

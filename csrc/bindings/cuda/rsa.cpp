#include "rsa/cuda/rsa.h"

#include <pybind11/stl.h>

#include <string>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"
#include "rsa/cuda/gradient.h"
#include "rsa/cuda/rdms.h"

namespace likewise::bindings {
namespace {

cuda::RsaFindings findings(const DeviceArray& scores, const DeviceArray& counts) {
  const Counts given(counts);
  return {scores.filled<double>(), {given.row(2), given.row(0), given.row(1)}};
}

// Fills out (..., n (n - 1) / 2) and `without` (...) for x (..., n, d).
void rdm(const DeviceArray& x, const DeviceArray& out, const DeviceArray& without,
         Dissimilarity dissimilarity, bool in_units, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    const int64_t rows = x.sizes()[x.sizes().size() - 2], cols = x.sizes().back();
    cuda::rdms<T>(context, contiguous<T>(x, context), without.size(), rows, cols, dissimilarity,
                  in_units, out.filled<T>(), without.filled<int64_t>(), nullptr);
  });
}

void rsa_scores(const std::vector<DeviceArray>& a, const std::vector<DeviceArray>& b,
                const DeviceArray& scores, const DeviceArray& counts, const RsaOptions& options,
                Run& run) {
  const CallContext context(run);
  dispatch_float(a[0], [&](auto zero) {
    using T = decltype(zero);
    cuda::rsa_scores<T>(context, matrices<T>(a, context), matrices<T>(b, context), a[0].sizes()[0],
                        b.empty(), options, findings(scores, counts));
  });
}

void rsa_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
               const DeviceArray& counts, const RsaOptions& options, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::PairAxes axes{scores.ndim(), {}, {}, {}};
    for (int axis = 0; axis < axes.ndim; ++axis) axes.shape[axis] = scores.sizes()[axis];
    const auto left = distinct_items<T>(x, context, axes.step_a);
    const auto right = distinct_items<T>(y, context, axes.step_b);
    const int64_t items = left.count + right.count;
    int64_t* const found = context.temporary<int64_t>(size_t(3 * items));
    cuda::rsa_pairs<T>(context, left, right, x.sizes()[x.sizes().size() - 2], axes, options,
                       {scores.filled<double>(), {found + 2 * items, found, found + items}});
    const Counts given(counts);
    for (int64_t kind = 0; kind < 3; ++kind) {
      spread(found + kind * items, x, scores, given.row(kind), context);
      spread(found + kind * items + left.count, y, scores, given.row(kind) + scores.size(),
             context);
    }
  });
}

void rsa_gradients(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                   const DeviceArray& counts, const std::optional<DeviceArray>& grad_x,
                   const std::optional<DeviceArray>& grad_y, const RsaOptions& options, Run& run) {
  rsa_pairs(x, y, scores, counts, options, run);
  const CallContext context(run);
  const std::vector<int64_t>& shape = x.sizes();
  const int64_t rows = shape[shape.size() - 2], cols = shape.back();
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::rsa_gradients<T>(context, {contiguous<T>(x, context), cols},
                           {contiguous<T>(y, context), y.sizes().back()}, x.size() / (rows * cols),
                           rows, options, grad_x ? grad_x->filled<T>() : nullptr,
                           grad_y ? grad_y->filled<T>() : nullptr);
  });
}

// Scores of x (n, dx) with y (n, dy), its samples in these orders.
void rsa_reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
                   const DeviceArray& scores, const RsaOptions& options, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    int64_t* const unread = context.temporary<int64_t>(6);
    const cuda::RsaFindings out{scores.filled<double>(), {unread, unread + 2, unread + 4}};
    cuda::rsa_reordered<T>(context, {x.elements<T>(), x.sizes().back()},
                           {y.elements<T>(), y.sizes().back()}, x.sizes()[0],
                           send_orders(orders, context), orders.shape(0), options, out);
  });
}

// Fills scores (p x q) for condensed RDMs (p, m) and (q, m), and flat (p + q).
void compare_rdms(const DeviceArray& p, const DeviceArray& q, const DeviceArray& scores,
                  const DeviceArray& flat, RdmComparison comparison, Run& run) {
  const CallContext context(run);
  dispatch_float(p, [&](auto zero) {
    using T = decltype(zero);
    const int64_t size = p.sizes().back();
    cuda::compare_rdms<T>(context, contiguous<T>(p, context), p.size() / size,
                          contiguous<T>(q, context), q.size() / size, samples_of(size), comparison,
                          scores.filled<double>(), flat.filled<int64_t>());
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
}

}  // namespace likewise::bindings

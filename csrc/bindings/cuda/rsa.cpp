#include "rsa/cuda/rsa.h"

#include <pybind11/stl.h>

#include <string>

#include "bindings/cuda/arrays.h"
#include "bindings/options.h"
#include "rsa/cuda/gradient.h"
#include "rsa/cuda/rdms.h"

namespace likewise::bindings {
namespace {

cuda::RsaFindings findings(const DeviceArray& scores, const Counts& counts) {
  return {scores.filled<double>(), {counts.row(2), counts.row(0), counts.row(1)}};
}

// Fills out (..., n (n - 1) / 2) and `without` (...) for x (..., n, d).
void rdm(const DeviceArray& x, const DeviceArray& out, const DeviceArray& without,
         Dissimilarity dissimilarity, bool in_units, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::rdms<T>(context, contiguous<T>(x, context), without.size(), rows_of(x), x.sizes().back(),
                  dissimilarity, in_units, out.filled<T>(), without.filled<int64_t>(), nullptr);
  });
}

void rsa_scores(const Items& a, const Items& b, const DeviceArray& scores,
                const DeviceArray& counts, const RsaOptions& options, Run& run) {
  with_lists(a, b, run, [&](const auto&... lists) {
    cuda::rsa_scores(lists..., options, findings(scores, Counts(counts)));
  });
}

void rsa_pairs(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
               const DeviceArray& counts, const RsaOptions& options, Run& run) {
  with_distinct_items(x, y, scores, Counts(counts), 3, run,
                      [&](const Counts& found, const auto&... items) {
                        cuda::rsa_pairs(items..., options, findings(scores, found));
                      });
}

void rsa_gradients(const DeviceArray& x, const DeviceArray& y, const DeviceArray& scores,
                   const DeviceArray& counts, const MaybeArray& grad_x, const MaybeArray& grad_y,
                   const RsaOptions& options, Run& run) {
  rsa_pairs(x, y, scores, counts, options, run);
  with_pairs(
      x, y, run, [&]<class T>(const auto& context, const cuda::Matrix<T>& a, const auto&... rest) {
        cuda::rsa_gradients<T>(context, a, rest..., options, filled<T>(grad_x), filled<T>(grad_y));
      });
}

// Scores of x (n, dx) with y (n, dy), its samples in these orders.
void rsa_reordered(const DeviceArray& x, const DeviceArray& y, const Orders& orders,
                   const DeviceArray& scores, const RsaOptions& options, Run& run) {
  with_pairs(x, y, run,
             [&](const auto& context, const auto& a, const auto& b, int64_t, int64_t rows) {
               const Counts unread(context.template temporary<int64_t>(6), 2);
               cuda::rsa_reordered(context, a, b, rows, send_orders(orders, context),
                                   orders.shape(0), options, findings(scores, unread));
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

#include "rsa/cuda/ceiling.h"

#include "core/cuda/elements.h"
#include "rsa/cuda/scores.h"

namespace likewise::cuda {
namespace {

// How RDMs are standardised before they are pooled, unless they stay as they are.
RdmComparison pooled_as(RdmComparison comparison) {
  switch (comparison) {
    case RdmComparison::cosine:
    case RdmComparison::cosine_cov:
      return RdmComparison::cosine;
    case RdmComparison::corr:
    case RdmComparison::corr_cov:
      return RdmComparison::corr;
    default:
      return RdmComparison::rho_a;
  }
}

// The pool of RDMs as they are.
template <class T>
void pool_entries(const Context& context, const T* rdms, int64_t count, int64_t size,
                  double* pooled) {
  const double one = 1;
  double* const value = context.temporary<double>(1);
  double* const factors = context.temporary<double>(size_t(count));
  check(send_values(&one, 1, value, context.stream), "launch");
  const DeviceRef repeated{value, ElementType::float64, 1, {count}, {0}};
  check(copy_elements<double>(repeated, factors, context.stream), "copy");
  double* const entries = context.temporary<double>(size_t(count * size));
  check(copy_rdms<T>(rdms, count, size, false, entries, context.stream), "launch");
  check(pool<double>({entries, size, nullptr, factors}, count, pooled, context.stream), "launch");
}

}  // namespace

template <class T>
void rdm_ceiling(const Context& context, const T* rdms, int64_t count, int64_t samples,
                 RdmComparison comparison, double* lower, double* upper) {
  const int64_t size = condensed_size(samples), most = 2 * count + 1;
  const ItemFindings unread{context.temporary<int64_t>(size_t(most)),
                            context.temporary<int64_t>(size_t(most)),
                            context.temporary<int64_t>(size_t(most)), nullptr};
  double* const pooled = context.temporary<double>(size_t((count + 1) * size));
  const auto fill_pooled = [&](auto form) {
    PreparedRdms<form.value> parts(context, count, samples, pooled_as(comparison), unread);
    parts.add_rdms(rdms, count);
    parts.finish();
    check(pool(parts.vectors(), count, pooled, context.stream), "launch");
  };
  if (comparison == RdmComparison::neg_riem_dist) {
    pool_entries(context, rdms, count, size, pooled);
  } else if (pooled_as(comparison) == RdmComparison::rho_a) {
    fill_pooled(std::integral_constant<Form, Form::ranks>{});
  } else {
    fill_pooled(std::integral_constant<Form, Form::values>{});
  }
  double* const scores = context.temporary<double>(size_t(2 * count));
  dispatch_form(comparison, [&](auto form) {
    PreparedRdms<form.value> items(context, most, samples, comparison, unread);
    items.add_rdms(pooled, count + 1);
    items.add_rdms(rdms, count);
    items.finish();
    score_pairs(context, items, 0, count + 1, {1, {count}, {1}, {1}}, scores);
    score_pairs(context, items, count, count + 1, {1, {count}, {0}, {1}}, scores + count);
  });
  const int64_t parts = vector_parts(count);
  double* const partial = context.temporary<double>(size_t(parts));
  const auto mean = [&](const double* of, double* out) {
    check(vector_means({of, count, nullptr, nullptr}, 1, partial, out, context.stream), "launch");
  };
  mean(scores, lower);
  mean(scores + count, upper);
}

template void rdm_ceiling<float>(const Context&, const float*, int64_t, int64_t, RdmComparison,
                                 double*, double*);
template void rdm_ceiling<double>(const Context&, const double*, int64_t, int64_t, RdmComparison,
                                  double*, double*);

}  // namespace likewise::cuda

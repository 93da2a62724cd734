#include "rsa/cuda/rsa.h"

#include "core/instantiate.h"
#include "linalg/cuda/reordered.h"
#include "rsa/cuda/scores.h"

namespace likewise::cuda {
template <class T>
void rsa_scores(const Context& context, const std::vector<Matrix<T>>& a,
                const std::vector<Matrix<T>>& b, int64_t rows, bool symmetric,
                const RsaOptions& options, const RsaFindings& out) {
  const int64_t count_a = int64_t(a.size()), count_b = symmetric ? count_a : int64_t(b.size());
  const int64_t count = symmetric ? count_a : count_a + count_b;
  if (count_a * count_b == 0) return;
  dispatch_form(options.comparison, [&](auto form) {
    PreparedRdms<form.value> items(context, count, rows, options.comparison, out.items);
    for (const auto* list : {&a, &b}) {
      for (const Matrix<T>& item : *list) {
        items.add(item.data, 1, item.cols, options.dissimilarity);
      }
    }
    items.finish();
    score_all(context, items, count_a, count_b, symmetric, out.scores);
  });
}

template <class T>
void rsa_pairs(const Context& context, const Batch<T>& x, const Batch<T>& y, int64_t rows,
               const PairAxes& axes, const RsaOptions& options, const RsaFindings& out) {
  if (pairs_of(axes) == 0) return;
  dispatch_form(options.comparison, [&](auto form) {
    PreparedRdms<form.value> items(context, x.count + y.count, rows, options.comparison, out.items);
    items.add(x.data, x.count, x.cols, options.dissimilarity);
    items.add(y.data, y.count, y.cols, options.dissimilarity);
    items.finish();
    score_pairs(context, items, 0, x.count, axes, out.scores);
  });
}

template <class T>
void compare_rdms(const Context& context, const T* p, int64_t count_p, const T* q, int64_t count_q,
                  int64_t rows, RdmComparison comparison, double* scores, int64_t* flat) {
  if (count_p * count_q == 0) return;
  const int64_t count = count_p + count_q;
  const ItemFindings findings{context.temporary<int64_t>(size_t(count)),
                              context.temporary<int64_t>(size_t(count)), flat};
  dispatch_form(comparison, [&](auto form) {
    PreparedRdms<form.value> items(context, count, rows, comparison, findings);
    items.add_rdms(p, count_p);
    items.add_rdms(q, count_q);
    items.finish();
    score_all(context, items, count_p, count_q, false, scores);
  });
}

template <class T>
void rsa_reordered(const Context& context, const Matrix<T>& x, const Matrix<T>& y, int64_t rows,
                   const int32_t* orders, int64_t count, const RsaOptions& options,
                   const RsaFindings& out) {
  if (count == 0) return;
  dispatch_form(options.comparison, [&](auto form) {
    if constexpr (form.value == Form::moments) {
      throw DeviceError("only RDMs and their ranks are compared in other orders");
    } else {
      using S = Stored<form.value>;
      PreparedRdms<form.value> items(context, 2, rows, options.comparison, out.items);
      items.add(x.data, 1, x.cols, options.dissimilarity);
      items.add(y.data, 1, y.cols, options.dissimilarity);
      items.finish();
      const auto a = items.vectors(), b = items.vectors(1);
      const int64_t block = fitting(rows * int64_t(sizeof(double)), count);
      double* const row_sums = context.temporary<double>(size_t(block * rows));
      double* const products = context.temporary<double>(size_t(block));
      for (int64_t first = 0; first < count; first += block) {
        const int64_t some = std::min(block, count - first);
        reordered_condensed<S>({a.data, a.shifts}, {b.data, b.shifts}, rows, orders + first * rows,
                               some, row_sums, products, context.stream);
        pair_scores(products, 1, a.factors, b.factors, {1, {some}, {0}, {0}}, 0, some,
                    out.scores + first, context.stream);
      }
    }
  });
}

LIKEWISE_INSTANTIATE(rsa_scores);
LIKEWISE_INSTANTIATE(rsa_pairs);
LIKEWISE_INSTANTIATE(rsa_reordered);
LIKEWISE_INSTANTIATE(compare_rdms);

}  // namespace likewise::cuda

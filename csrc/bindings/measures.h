#pragma once

#include <optional>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/options.h"
#include "core/counts.h"
#include "core/dtype.h"

// The engine has the same functions of every measure; here they become what Python calls. Arrays
// that are filled come before the options, the number of threads is last.

namespace likewise::bindings {

// All pairs of two lists; an empty second one stands for the first.
template <class Options>
auto of_lists(void (*score)(const Arrays& a, const Arrays& b, const Options&, int threads,
                            double* scores, const Counts&)) {
  return [score](const std::vector<py::array>& a, const std::vector<py::array>& b, py::array scores,
                 py::array counts, const Options& options, int threads) {
    const Arrays of_a = inputs(a), of_b = inputs(b);
    double* const out = double_output(scores);
    const Counts found = counts_of(counts);
    const py::gil_scoped_release release;
    score(of_a, of_b, options, threads, out, found);
  };
}

// score(x, y, options, threads, scores, counts) of x[k] with y[k] for all items of two batches with
// equal batch axes. Returns whether anything was counted.
template <class Score, class Options>
bool call_of_pairs(const Score& score, const py::array& x, const py::array& y, py::array& scores,
                   py::array& counts, const Options& options, int threads) {
  const ArrayRef of_x = input(x), of_y = input(y);
  require_same_dtype(of_x, of_y, "a function of pairs");
  double* const out = double_output(scores);
  const Counts found = counts_of(counts);
  const py::gil_scoped_release release;
  score(of_x, of_y, options, threads, out, found);
  return found.any();
}

template <class Options>
auto of_pairs(void (*score)(const ArrayRef& x, const ArrayRef& y, const Options&, int threads,
                            double* scores, const Counts&)) {
  return [score](const py::array& x, const py::array& y, py::array scores, py::array counts,
                 const Options& options, int threads) {
    return call_of_pairs(score, x, y, scores, counts, options, threads);
  };
}

// The same with gradients, where they are wanted.
template <class Options>
auto of_gradients(void (*differentiate)(const ArrayRef& x, const ArrayRef& y, const Options&,
                                        int threads, double* scores, const Counts&, void* grad_x,
                                        void* grad_y)) {
  return [differentiate](const py::array& x, const py::array& y, py::array scores, py::array counts,
                         std::optional<py::array> grad_x, std::optional<py::array> grad_y,
                         const Options& options, int threads) {
    void* const to_x = grad_x ? output(*grad_x).data : nullptr;
    void* const to_y = grad_y ? output(*grad_y).data : nullptr;
    const auto both = [&](const auto&... given) { differentiate(given..., to_x, to_y); };
    return call_of_pairs(both, x, y, scores, counts, options, threads);
  };
}

// x with y, whose samples come in each of several orders. What the engine says of it is returned.
template <class Result, class Options>
auto of_orders(Result (*score)(const ArrayRef& x, const ArrayRef& y, const int32_t* orders,
                               int64_t count, const Options&, int threads, double* scores)) {
  return [score](const py::array& x, const py::array& y, const Orders& orders, py::array scores,
                 const Options& options, int threads) {
    const ArrayRef of_x = input(x), of_y = input(y);
    double* const out = double_output(scores);
    const py::gil_scoped_release release;
    return score(of_x, of_y, orders.data(), orders.shape(0), options, threads, out);
  };
}

}  // namespace likewise::bindings

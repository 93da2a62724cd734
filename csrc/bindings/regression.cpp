#include "bindings/arrays.h"
#include "bindings/options.h"
#include "regression/lasso.h"
#include "regression/ridge.h"

namespace likewise::bindings {
namespace {

void ridge_scores(const std::vector<py::array>& a, const std::vector<py::array>& b,
                  py::array scores, py::array counts, py::array choices,
                  const RidgeOptions& options, int threads) {
  const Arrays of_a = inputs(a), of_b = inputs(b);
  double* const out = double_output(scores);
  const Counts found = counts_of(counts);
  int64_t* const chosen = integer_output<int64_t>(choices);
  const py::gil_scoped_release release;
  likewise::ridge_scores(of_a, of_b, options, threads, out, found, chosen);
}

void ridge_pairs(const py::array& x, const py::array& y, py::array scores, py::array counts,
                 py::array choices, py::array correlation, py::array alpha,
                 py::array mean_correlation, py::array determination, const RidgeOptions& options,
                 int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  const RidgeFindings out{
      double_output(scores),           double_output(correlation),   double_output(alpha),
      double_output(mean_correlation), double_output(determination), counts_of(counts).data,
      integer_output<int64_t>(choices)};
  const py::gil_scoped_release release;
  likewise::ridge_pairs(view_x, view_y, options, threads, out);
}

void ridge_errors(const py::array& x, const py::array& y, py::array errors, py::array alphas,
                  py::array counts, const RidgeOptions& options, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  double *const out = double_output(errors), *const penalties = double_output(alphas);
  int64_t* const constants = counts_of(counts).data;
  const py::gil_scoped_release release;
  likewise::ridge_errors(view_x, view_y, options, threads, out, penalties, constants);
}

void predictivity_of_moments(const std::vector<int64_t>& samples,
                             const std::vector<py::array>& gram, const std::vector<py::array>& sum,
                             const std::vector<py::array>& cross,
                             const std::vector<py::array>& target_sum,
                             const std::vector<py::array>& target_squares,
                             const std::vector<double>& penalties, py::array correlation,
                             py::array determination, py::array choice) {
  RidgeMoments moments;
  moments.samples = samples;
  for (size_t f = 0; f < samples.size(); ++f) {
    moments.gram.push_back(MatrixBatch<const double>(input(gram[f]))[0]);
    moments.sum.push_back(double_input(sum[f]));
    moments.cross.push_back(MatrixBatch<const double>(input(cross[f]))[0]);
    moments.target_sum.push_back(double_input(target_sum[f]));
    moments.target_squares.push_back(double_input(target_squares[f]));
  }
  const Predictivity out{double_output(correlation), double_output(determination),
                         integer_output<int32_t>(choice)};
  const py::gil_scoped_release release;
  ridge_predictivity(moments, penalties, out);
}

void lasso_paths(const py::array& x, const py::array& y, py::array score, py::array alphas,
                 py::array correlation, py::array loss, py::array used, py::array coefficients,
                 py::array objective, py::array gap, py::array counts, py::array missed,
                 const LassoPathsOptions& options, int threads) {
  const ArrayRef view_x = input(x), view_y = input(y);
  const LassoFindings out{double_output(score),       double_output(alphas),
                          double_output(correlation), double_output(loss),
                          double_output(used),        double_output(coefficients),
                          double_output(objective),   double_output(gap),
                          counts_of(counts).data,     integer_output<int64_t>(missed)};
  const py::gil_scoped_release release;
  likewise::lasso_paths(view_x, view_y, options, threads, out);
}

}  // namespace

void register_regression(py::module_& m) {
  m.def("lasso_paths", &lasso_paths);
  m.def("ridge_scores", &ridge_scores);
  m.def("ridge_pairs", &ridge_pairs);
  m.def("ridge_predictivity_of_moments", &predictivity_of_moments);
  m.def("ridge_errors", &ridge_errors);
}

}  // namespace likewise::bindings

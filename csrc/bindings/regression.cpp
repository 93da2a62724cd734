#include "bindings/shapes.h"
#include "core/dtype.h"
#include "regression/lasso.h"
#include "regression/ridge.h"

namespace likewise::bindings {
namespace {

RidgeProblem ridge_problem(const std::vector<ArrayRef>& sources,
                           const std::vector<ArrayRef>& targets,
                           const std::vector<std::vector<double>>& penalties,
                           const std::vector<std::pair<int64_t, int64_t>>& pairs,
                           const std::vector<int64_t>& edges, bool intercept) {
  RidgeProblem problem{items_of<double>(sources), items_of<double>(targets), penalties, {}, {}};
  for (const auto& [source, target] : pairs) problem.pairs.push_back({source, target});
  problem.folds = {edges, intercept};
  return problem;
}

void predictivity(const std::vector<py::array>& sources, const std::vector<py::array>& targets,
                  const std::vector<std::vector<double>>& penalties,
                  const std::vector<std::pair<int64_t, int64_t>>& pairs,
                  const std::vector<int64_t>& edges, std::vector<py::array> correlation,
                  std::vector<py::array> determination, std::vector<py::array> choice,
                  int threads) {
  const std::vector<ArrayRef> from = inputs(sources), to = inputs(targets);
  std::vector<Predictivity> out;
  for (size_t p = 0; p < pairs.size(); ++p) {
    out.push_back({double_output(correlation[p]), double_output(determination[p]),
                   integer_output<int32_t>(choice[p])});
  }
  if (out.empty()) return;
  const RidgeProblem problem = ridge_problem(from, to, penalties, pairs, edges, true);
  const py::gil_scoped_release release;
  ridge_predictivity(problem, threads, out);
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
    moments.gram.push_back(matrix<double>(input(gram[f])));
    moments.sum.push_back(double_input(sum[f]));
    moments.cross.push_back(matrix<double>(input(cross[f])));
    moments.target_sum.push_back(double_input(target_sum[f]));
    moments.target_squares.push_back(double_input(target_squares[f]));
  }
  const Predictivity out{double_output(correlation), double_output(determination),
                         integer_output<int32_t>(choice)};
  const py::gil_scoped_release release;
  ridge_predictivity(moments, penalties, out);
}

void errors(const std::vector<py::array>& sources, const std::vector<py::array>& targets,
            const std::vector<std::vector<double>>& penalties,
            const std::vector<std::pair<int64_t, int64_t>>& pairs,
            const std::vector<int64_t>& edges, bool intercept, std::vector<py::array> errors,
            int threads) {
  const std::vector<ArrayRef> from = inputs(sources), to = inputs(targets);
  std::vector<double*> out;
  for (size_t p = 0; p < errors.size(); ++p) {
    const auto [source, target] = pairs.at(p);
    if (errors[p].size() != int64_t(penalties.at(source).size()) * to.at(target).shape[1]) {
      throw InternalError("ridge_errors: errors must have one row for each penalty");
    }
    out.push_back(double_output(errors[p]));
  }
  if (out.empty()) return;
  const RidgeProblem problem = ridge_problem(from, to, penalties, pairs, edges, intercept);
  const py::gil_scoped_release release;
  ridge_errors(problem, threads, out);
}

int64_t lasso(const py::array& x, const py::array& y, double scale, double tolerance,
              const std::vector<double>& penalties, py::array coefficients, py::array objective,
              py::array gap, py::array loss, py::array correlation, int threads) {
  const ArrayRef from = input(x), to = input(y);
  const LassoPath out{double_output(coefficients), double_output(objective), double_output(gap),
                      double_output(loss), double_output(correlation)};
  const LassoOptions options{scale, tolerance, penalties};
  const py::gil_scoped_release release;
  return lasso_path(from, to, options, out, threads);
}

}  // namespace

void register_regression(py::module_& m) {
  m.def("lasso_path", &lasso, "Returns how many duality gaps stayed above the tolerance.");
  m.def("ridge_predictivity", &predictivity);
  m.def("ridge_predictivity_of_moments", &predictivity_of_moments);
  m.def("ridge_errors", &errors);
}

}  // namespace likewise::bindings

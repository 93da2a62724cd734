#include "maps/cuda/maps.h"

#include <pybind11/stl.h>

#include "bindings/cuda/arrays.h"

namespace likewise::bindings {
namespace {

cuda::MapShape shape_of(const DeviceArray& x, const DeviceArray& y) {
  return {x.sizes()[0], x.sizes()[1], y.sizes()[1]};
}

void centre(const DeviceArray& x, const DeviceArray& out, const DeviceArray& mean,
            const DeviceArray& deviation, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::check(cuda::centre_columns<T>(
                    x.elements<T>(), x.sizes()[0], mean.size(),
                    {out.filled<double>(), mean.filled<double>(), deviation.filled<double>()},
                    context.stream),
                "launch");
  });
}

void rotation(const DeviceArray& x, const DeviceArray& y, bool scale, const DeviceArray& weights,
              Run& run) {
  const CallContext context(run);
  cuda::fit_rotation(context, x.elements<double>(), y.elements<double>(), shape_of(x, y), scale,
                     weights.filled<double>());
}

void partners(const DeviceArray& assignment, const DeviceArray& plan, Run& run) {
  const CallContext context(run);
  cuda::check(cuda::plan_of_partners(assignment.filled<int64_t>(), plan.sizes()[0], plan.sizes()[1],
                                     plan.filled<double>(), context.stream),
              "launch");
}

void plan(const DeviceArray& plan, const DeviceArray& deviation_x, const DeviceArray& deviation_y,
          const DeviceArray& weights, Run& run) {
  const CallContext context(run);
  cuda::fit_plan(context, plan.elements<double>(), deviation_x.elements<double>(),
                 deviation_y.elements<double>(), {0, deviation_x.size(), deviation_y.size()},
                 weights.filled<double>());
}

void coefficients(const DeviceArray& coefficients, const DeviceArray& deviation_x,
                  const DeviceArray& deviation_y, const DeviceArray& weights, Run& run) {
  const CallContext context(run);
  cuda::scale_coefficients(context, coefficients.elements<double>(), deviation_x.elements<double>(),
                           deviation_y.elements<double>(),
                           {0, deviation_x.size(), deviation_y.size()}, weights.filled<double>());
}

void ridge(const DeviceArray& x, const DeviceArray& y, const std::vector<double>& alphas,
           bool relative, const DeviceArray& weights, const DeviceArray& alpha, Run& run) {
  const CallContext context(run);
  cuda::fit_ridge(context, x.elements<double>(), y.elements<double>(), shape_of(x, y), alphas,
                  relative, weights.filled<double>(), alpha.filled<double>());
}

void describe(const DeviceArray& weights, const DeviceArray& mean_x, const DeviceArray& mean_y,
              const DeviceArray& coef, const DeviceArray& intercept, Run& run) {
  const CallContext context(run);
  cuda::describe_map(context, weights.elements<double>(), mean_x.elements<double>(),
                     mean_y.elements<double>(), {0, mean_x.size(), mean_y.size()},
                     coef.filled<double>(), intercept.filled<double>());
}

void predict(const DeviceArray& x, const DeviceArray& coef, const DeviceArray& mean_x,
             const DeviceArray& mean_y, const DeviceArray& out, Run& run) {
  const CallContext context(run);
  dispatch_float(x, [&](auto zero) {
    using T = decltype(zero);
    cuda::predict<T>(context, x.elements<T>(), coef.elements<double>(), mean_x.elements<double>(),
                     mean_y.elements<double>(), {x.sizes()[0], mean_x.size(), mean_y.size()},
                     out.filled<T>());
  });
}

void scores(const DeviceArray& predictions, const DeviceArray& targets, const DeviceArray& out,
            Run& run) {
  const CallContext context(run);
  dispatch_float(targets, [&](auto zero) {
    using T = decltype(zero);
    const int64_t rows = targets.sizes()[0];
    cuda::score_map<T>(context, predictions.elements<T>(), targets.elements<T>(), rows,
                       targets.size() / rows, out.filled<double>());
  });
}

void plan_score(const DeviceArray& plan, const DeviceArray& x, const DeviceArray& y,
                const DeviceArray& out, Run& run) {
  const CallContext context(run);
  cuda::score_plan(context, plan.elements<double>(), x.elements<double>(), y.elements<double>(),
                   {x.sizes()[0], plan.sizes()[0], plan.sizes()[1]}, out.filled<double>());
}

}  // namespace

void register_maps(py::module_& m) {
  m.def("map_centre", &centre);
  m.def("map_rotation", &rotation);
  m.def("map_partners", &partners);
  m.def("map_plan", &plan);
  m.def("map_coefficients", &coefficients);
  m.def("map_ridge", &ridge);
  m.def("map_describe", &describe);
  m.def("map_predict", &predict);
  m.def("map_scores", &scores);
  m.def("map_plan_score", &plan_score);
}

}  // namespace likewise::bindings

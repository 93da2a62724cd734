#include <pybind11/stl.h>

#include "arrays/cuda/gather.h"
#include "bindings/cuda/arrays.h"

namespace likewise::bindings {
namespace {

// outs[k] = the rows of sides[k] that are named, draw after draw.
void gather_rows(const Items& sides, const Orders& rows, const Items& outs, Run& run) {
  const CallContext context(run);
  const int32_t* const there = send_orders(rows, context);
  for (size_t k = 0; k < sides.size(); ++k) {
    dispatch_float(sides[k], [&](auto zero) {
      using T = decltype(zero);
      const int64_t samples = sides[k].sizes()[0];
      cuda::gather_rows<T>({sides[k].elements<T>(), 1, sides[k].size() / samples}, samples, there,
                           rows.size(), outs[k].filled<T>(), context.stream);
    });
  }
}

}  // namespace

void register_inference(py::module_& m) { m.def("gather_rows", &gather_rows); }

}  // namespace likewise::bindings

#include "neighbours/neighbours.h"

#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <tuple>

#include "bindings/arrays.h"
#include "bindings/neighbour_score.h"
#include "core/dtype.h"
#include "core/parallel.h"

namespace likewise::bindings {
namespace {

using Prepared = std::tuple<py::array_t<int32_t>, py::array_t<double>, bool>;

py::list prepare(const std::vector<py::array>& items, int64_t k, bool euclidean, bool center,
                 bool similarities, int threads) {
  const std::vector<ArrayRef> views = inputs(items);
  const int64_t count = int64_t(views.size());
  py::list out;
  if (views.empty()) return out;
  dispatch_float(views[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<Neighbours> found(views.size());
    {
      const py::gil_scoped_release release;
      // Few items: the threads share the rows of one; many: each takes an item.
      parallel_for(count, count >= threads ? threads : 1, [&](int64_t i, int) {
        find_neighbours(MatrixBatch<const T>(views[i])[0], {k, euclidean, center, similarities},
                        threads, found[i]);
      });
    }
    for (int64_t i = 0; i < count; ++i) {
      const int64_t n = views[i].shape[0];
      const std::vector<int64_t> shape{n, k}, wanted{similarities ? n : 0, k};
      out.append(py::make_tuple(py::array_t<int32_t>(shape, found[i].index.data()),
                                py::array_t<double>(wanted, found[i].similarity.data()),
                                found[i].usable, found[i].constant_units));
    }
  });
  return out;
}

std::vector<NeighbourItem> neighbour_items(const std::vector<Prepared>& prepared) {
  std::vector<NeighbourItem> items;
  for (const auto& [index, similarity, usable] : prepared) {
    items.push_back({index.data(), similarity.size() ? similarity.data() : nullptr, usable});
  }
  return items;
}

void compare(const std::string& score, const std::vector<Prepared>& a,
             const std::optional<std::vector<Prepared>>& b, bool paired, py::array out,
             int threads) {
  if (a.empty() || (b && b->empty())) return;
  const NeighbourScore kind = neighbour_score(score);
  const py::array_t<int32_t>& index = std::get<0>(a[0]);
  const int64_t samples = index.shape(0), k = index.shape(1);
  const auto items_a = neighbour_items(a);
  const auto items_b = b ? neighbour_items(*b) : std::vector<NeighbourItem>{};
  double* scores = float_output<double>(out);
  const py::gil_scoped_release release;
  neighbour_scores(kind, items_a, b ? &items_b : nullptr, paired, samples, k, threads, scores);
}

}  // namespace

void register_neighbours(py::module_& m) {
  m.def("neighbours_prepare", &prepare,
        "Returns one (index, similarity if wanted, usable, constant units) per item.");
  m.def("neighbours_compare", &compare);
}

}  // namespace likewise::bindings

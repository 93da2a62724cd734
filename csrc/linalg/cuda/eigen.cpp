#include "linalg/cuda/eigen.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/cuda/scratch.h"
#include "linalg/cuda/eigen_kernels.h"
#include "linalg/cuda/libraries.h"

namespace likewise::cuda {
namespace {

constexpr int64_t kMostRotated = 64;
constexpr int64_t kMostElements = std::numeric_limits<int32_t>::max();  // of a call of cuSOLVER
constexpr int64_t kMostItems = 16384;  // of a call: it was seen to refuse 32768
constexpr int kLower = 0;

void decompose_some(const Context& context, double* matrices, int64_t count, int64_t n,
                    double* values, bool vectors, int* findings) {
  const Solver& library = *solver();
  const SolverCall call = solver_context(context.stream);
  size_t on_device = 0, on_host = 0;
  check_solver(
      library.eigen_bytes(call.context, call.options, vectors, kLower, n, kFloat64, matrices, n,
                          kFloat64, values, kFloat64, &on_device, &on_host, count),
      "workspace");
  void* const work = context.allocate(on_device);
  std::vector<char> host(on_host);
  check_solver(
      library.eigen(call.context, call.options, vectors, kLower, n, kFloat64, matrices, n, kFloat64,
                    values, kFloat64, work, on_device, host.data(), on_host, findings, count),
      "eigenvalues");
}

}  // namespace

bool has_eigen(int64_t n) { return n > kMostRotated && n * n <= kMostElements && solver(); }

void symmetric_eigen(const Context& context, double* matrices, int64_t count, int64_t n,
                     double* values, bool vectors, WithoutEigen without, int64_t first) {
  Scratch scratch(context);
  const int64_t fitting = std::max<int64_t>(kWorkBytes / (n * n * int64_t(sizeof(double))), 1);
  const int64_t chunk = std::min({count, fitting, kMostItems});
  for (int64_t begin = 0; begin < count; begin += chunk) {
    const Context& inner = scratch.next();
    const int64_t items = std::min(chunk, count - begin);
    double *const some = matrices + begin * n * n, *const out = values + begin * n;
    int* const unusable = inner.temporary<int>(size_t(items));
    int* const findings = inner.temporary<int>(size_t(items));
    clear_unusable(some, items, n, unusable, inner.stream);
    decompose_some(inner, some, items, n, out, vectors, findings);
    replace_unsolved({unusable, findings, out, vectors ? some : nullptr, items, n, first + begin,
                      without == WithoutEigen::identity,
                      context.status ? &context.status->unconverged : nullptr},
                     inner.stream);
  }
}

}  // namespace likewise::cuda

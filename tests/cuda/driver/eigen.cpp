#include "linalg/cuda/eigen.h"

#include <cstring>

#include "driver.h"
#include "linalg/cuda/eigen_kernels.h"

namespace likewise::cuda::driver {
namespace {

const double kNaN = std::nan(""), kInfinity = std::numeric_limits<double>::infinity();

void unusable_matrices() {
  constexpr int kCount = 4, kSide = 19, kSize = kSide * kSide;
  std::vector<double> host = normal<double>(kCount * kSize);
  host[kSize + kSize - 1] = -kInfinity;
  host[2 * kSize + 300] = kNaN;
  const OnDevice<double> matrices(host);
  const OnDevice<int> unusable(kCount);
  need(clear_unusable(matrices.get(), kCount, kSide, unusable.get(), stream), "clear");
  const auto left = matrices.values();
  expect(unusable.values() == std::vector<int>{0, 1, 1, 0}, "which are unusable");
  for (int k = 0; k < kCount * kSize; ++k) {
    const bool clear = k / kSize == 1 || k / kSize == 2;
    expect(left[k] == (clear ? 0 : host[k]), "element of a matrix");
  }

  const OnDevice<int> findings(std::vector<int>{0, 0, 7, 5});
  for (const bool identity : {false, true}) {
    for (const bool with_vectors : {true, false}) {
      const OnDevice<double> vectors(host), values(std::vector<double>(kCount * kSide, 1));
      const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
      need(replace_unsolved(
               {unusable.get(), findings.get(), values.get(),
                with_vectors ? vectors.get() : nullptr, kCount, kSide, 40, identity, failure.get()},
               stream),
           "replace");
      const auto after = vectors.values(), numbers = values.values();
      expect(failure.values()[0] == (identity ? ~0ull : 41), "the first that failed");
      for (int k = 0; k < kCount * kSide; ++k) {
        expect(k / kSide == 0 ? numbers[k] == 1 : std::isnan(numbers[k]), "eigenvalue");
      }
      for (int k = 0; k < kCount * kSize; ++k) {
        const int i = k % kSize / kSide, j = k % kSide;
        if (k < kSize || !with_vectors) {
          expect(std::memcmp(&after[k], &host[k], sizeof(double)) == 0, "vector that is kept");
        } else {
          expect(identity ? after[k] == (i == j) : std::isnan(after[k]), "vector that is not");
        }
      }
    }
  }
}

template <class T>
void roots() {
  constexpr int kCount = 20, kSide = 19;
  std::vector<double> squares;
  for (int q = 0; q < kCount; ++q) {
    for (int k = 0; k < kSide; ++k) squares.push_back(k == 0 ? -1e-9 : k * (q + 1));
  }
  squares[25] = kNaN;
  const OnDevice<double> values(squares);
  const OnDevice<T> found(squares.size());
  need(descending<T>(values.get(), kCount, kSide, true, found.get(), stream), "roots");
  const auto down = found.values();
  for (int q = 0; q < kCount; ++q) {
    for (int k = 0; k < kSide; ++k) {
      const double square = squares[q * kSide + kSide - 1 - k];
      const T root = down[q * kSide + k];
      expect(std::isnan(square) ? std::isnan(root) : root == T(std::sqrt(std::max(square, 0.0))),
             "root");
    }
  }
}

// A diagonal and twice a unit matrix of rotated coordinates, with what has no decomposition.
void decompositions() {
  constexpr int kCount = 3, kSide = 70, kSize = kSide * kSide;
  Call call;
  Context context = call.context();
  const OnDevice<unsigned long long> status(std::vector<unsigned long long>{~0ull, ~0ull, ~0ull});
  context.status = reinterpret_cast<CallStatus*>(status.get());
  expect(has_eigen(kSide) && !has_eigen(64) && !has_eigen(46341), "cuSOLVER");
  std::vector<double> host(kCount * kSize, 0.0);
  for (int k = 0; k < kSide; ++k) {
    for (int q = 0; q < 2; ++q) host[q * kSize + k * kSide + k] = q == 0 ? kSide - k : 2;
    host[kSize + k * kSide + (kSide - 1 - k)] += 1;  // eigenvalues 1 and 3
  }
  host[2 * kSize + 5] = host[2 * kSize + 5 * kSide] = kNaN;
  for (const bool vectors : {true, false}) {
    const OnDevice<double> matrices(host), values(kCount * kSide);
    symmetric_eigen(context, matrices.get(), kCount, kSide, values.get(), vectors,
                    WithoutEigen::nan, 10);
    const auto rows = matrices.values(), found = values.values();
    expect(status.values()[1] == 12, "the one that failed");
    expect(std::isnan(found[2 * kSide + 3]), "eigenvalue of NaN");
    for (int k = 0; k < kSide; ++k) {
      expect(std::abs(found[k] - (k + 1)) < 1e-12, "eigenvalue");
      expect(std::abs(found[kSide + k] - (k < kSide / 2 ? 1 : 3)) < 1e-12, "repeated eigenvalue");
      const double along = std::abs(rows[k * kSide + (kSide - 1 - k)]);
      expect(!vectors || std::abs(along - 1) < 1e-12, "eigenvector");
    }
  }
}

void eigenvalues() {
  unusable_matrices();
  roots<float>();
  roots<double>();
  decompositions();
}

const Topic topic("eigen", eigenvalues);

}  // namespace
}  // namespace likewise::cuda::driver

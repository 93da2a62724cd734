#include "linalg/cuda/svd.h"

#include "dense.h"
#include "linalg/cuda/jacobi.h"
#include "linalg/cuda/jacobi_shared.h"

namespace likewise::cuda::driver {
namespace {

template <class T>
constexpr double kTolerance = sizeof(T) == 4 ? 2e-5 : 1e-12;

// Matrices to decompose, column j of one being its j-th row of m numbers: zeros; of rank 5, of
// normal size and huge; with NaN.
constexpr int kItems = 4, kRank = 5;

template <class T>
std::vector<T> of_low_rank(int m, int n) {
  std::vector<T> host = normal<T>(size_t(kItems) * n * m);
  for (int q = 0; q < kItems; ++q) {
    T* const columns = host.data() + size_t(q) * n * m;
    const double size = q == 0 ? 0 : q == 2 ? (sizeof(T) == 4 ? 1e25 : 1e250) : 1;
    for (int k = 0; k < n * m; ++k) columns[k] *= T(size);
    for (int j = kRank; j < n; ++j) {
      for (int i = 0; i < m; ++i) {
        columns[j * m + i] = 0;
        for (int k = 0; k < kRank; ++k) {
          columns[j * m + i] += columns[k * m + i] * T(std::sin(7 * j + k));
        }
      }
    }
  }
  host[size_t(3 * n * m + m / 2)] = std::numeric_limits<T>::quiet_NaN();
  return host;
}

template <class T>
std::vector<T> part(const std::vector<T>& all, int k, int size) {
  return {all.begin() + k * size, all.begin() + (k + 1) * size};
}

template <class T>
void expect_svd(const std::vector<T>& host, int m, int n, const std::vector<T>& u,
                const std::vector<T>& v, const std::vector<T>& s) {
  for (int q = 0; q < 3; ++q) {
    expect_decomposed(item_of(host, q, n * m), m, part(u, q, n * m), part(v, q, n * n),
                      part(s, q, n), n * kTolerance<T>);
  }
  expect(all_nan(part(u, 3, n * m)) && all_nan(part(v, 3, n * n)) && all_nan(part(s, 3, n)), "NaN");
}

// And what follows: sorted values, sums, scaled rows.
template <class T>
void in_global_memory(int m, int n) {
  std::vector<T> host = of_low_rank<T>(m, n);
  const OnDevice<T> columns(host), right(size_t(kItems) * n * n), values(size_t(kItems) * n),
      sorted(size_t(kItems) * n), sums(kItems), scaled(host);
  const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
  jacobi_svd<T>({columns.get(), right.get(), values.get(), failure.get(), kItems, m, n}, stream);
  sort_descending<T>(values.get(), kItems, n, sorted.get(), stream);
  sum_values<T, T>(values.get(), kItems, n, sums.get(), stream);
  scale_rows<T>(scaled.get(), values.get(), kItems, n, m, stream);
  const auto s = values.values(), down = sorted.values(), total = sums.values(),
             times = scaled.values();
  expect(failure.values()[0] == 3, "the one that failed");
  expect_svd(host, m, n, columns.values(), right.values(), s);
  for (int k = 0; k < kItems * n * m; ++k) host[size_t(k)] *= s[size_t(k / m)];
  for (int q = 0; q < 3; ++q) {
    auto wanted = part(s, q, n);
    std::sort(wanted.rbegin(), wanted.rend());
    agree(part(down, q, n), wanted, 0, "sorted singular values");
    const double sum = std::accumulate(wanted.begin(), wanted.end(), 0.0);
    agree(part(total, q, 1), Numbers{sum}, kTolerance<T>, "sum of singular values");
    agree(part(times, q, n * m), part(host, q, n * m), 0, "scaled rows");
  }
}

// Columns of a reflection, one of them without a direction.
void completion() {
  constexpr int kM = 36, kN = 34, kLost = 3;
  Numbers host(kN * kM), ones(kN, 1.0);
  for (int k = 0; k < kN * kM; ++k) host[k] = k / kM == kLost ? 0 : (k / kM == k % kM) - 2.0 / kM;
  ones[kLost] = 0;
  const OnDevice<double> columns(host), values(ones);
  complete_columns<double>({columns.get(), nullptr, values.get(), nullptr, 1, kM, kN}, stream);
  expect_orthonormal(columns.values(), kN, 1e-14, "completed columns");
}

// With vectors and without, of the matrices and of their transposes.
template <class T>
void in_shared_memory(int m, int n) {
  const std::vector<T> host = of_low_rank<T>(m, n);
  std::vector<T> first;
  for (const bool turned : {true, false}) {
    const OnDevice<T> a(turned ? host : transposed(host, kItems, n, m)), columns(host.size()),
        right(size_t(kItems) * n * n), values(size_t(kItems) * n), alone(size_t(kItems) * n);
    const OnDevice<unsigned long long> failure(std::vector<unsigned long long>{~0ull});
    const JacobiSvd<T> svd{columns.get(), right.get(), values.get(), failure.get(), kItems, m, n};
    jacobi_svd_shared<T>(a.get(), turned, svd, stream);
    jacobi_svd_shared<T>(a.get(), turned, {nullptr, nullptr, alone.get(), nullptr, kItems, m, n},
                         stream);
    expect_svd(host, m, n, columns.values(), right.values(), values.values());
    expect(failure.values()[0] == 3, "the one that failed");
    if (turned) first = values.values();
    agree(values.values(), first, 0, "the same singular values");
    agree(alone.values(), first, 0, "the same without vectors");
  }
}

// Takes nearly 48 KiB beside what is static, which together is more than a kernel has without
// asking.
template <class T>
void at_the_limit_without_asking(int m, int n) {
  std::vector<T> host(size_t(m) * n), wanted;
  for (int j = 0; j < n; ++j) wanted.push_back(host[size_t(j) * m + j] = T(n - j));
  const OnDevice<T> a(host), columns(host.size()), right(size_t(n) * n), values(n);
  const JacobiSvd<T> svd{columns.get(), right.get(), values.get(), nullptr, 1, m, n};
  jacobi_svd_shared<T>(a.get(), true, svd, stream);
  agree(values.values(), wanted, 0, "singular values at the limit");
}

// The values of many columns, more than a block turns at a time; and of graded ones, which settle
// in time because lengths are carried along.
template <class T>
void values_in_shared_memory(int m, const Numbers& wanted, double tolerance) {
  const int n = int(wanted.size());
  Numbers left = normal<double>(size_t(m * n)), s(size_t(n), 0), u(left.size()),
          vt(size_t(n * n), 0), rows(size_t(n * n), 0);
  expect(likewise::svd<double>(m, n, left.data(), n, s.data(), u.data(), vt.data()), "CPU's SVD");
  for (int k = 0; k < n * n; ++k) rows[size_t(k)] = vt[size_t(k)] * wanted[size_t(k / n)];
  const Numbers exact = product(Op::none, u, Op::none, rows, m, n);
  const OnDevice<T> a(std::vector<T>(exact.begin(), exact.end())), values(wanted.size()),
      sorted(wanted.size());
  jacobi_svd_shared<T>(a.get(), false, {nullptr, nullptr, values.get(), nullptr, 1, m, n}, stream);
  sort_descending<T>(values.get(), 1, n, sorted.get(), stream);
  agree(sorted.values(), wanted, tolerance, "singular values");
}

// Matrices that do not fit into shared memory: of full rank, lacking one direction where few
// rotations make up for it, with NaN.
constexpr int kLarge = 3;

template <class T>
std::vector<T> large(int rows, int cols) {
  const int size = rows * cols, m = std::max(rows, cols);
  std::vector<T> out = normal<T>(size_t(kLarge) * size);
  T* const second = out.data() + size;
  for (int k = 0; k < m && std::min(rows, cols) < 64; ++k) {  // the shorter side repeats its first
    if (rows >= cols) second[k * cols + cols - 1] = second[k * cols];
    if (rows < cols) second[(rows - 1) * cols + k] = second[k];
  }
  out[size_t(2) * size + 7] = std::numeric_limits<T>::quiet_NaN();
  return out;
}

template <class T>
void decompositions(int rows, int cols) {
  const std::vector<T> host = large<T>(rows, cols);
  const int m = std::max(rows, cols), n = std::min(rows, cols);
  const OnDevice<T> a(host), values(kLarge * n), u(kLarge * m * n), v(kLarge * n * n);
  const OnDevice<unsigned long long> status(std::vector<unsigned long long>{~0ull, ~0ull, ~0ull});
  Call call;
  Context context = call.context();
  context.status = reinterpret_cast<CallStatus*>(status.get());
  const JacobiSvd<T> svd = decompose<T>(context, a.get(), kLarge, rows, cols);
  const auto fetch = [&](const T* from, const OnDevice<T>& to, size_t size) {
    need(cudaMemcpyAsync(to.get(), from, size * sizeof(T), cudaMemcpyDeviceToDevice, stream),
         "copy");
    return to.values();
  };
  const auto s = fetch(svd.values, values, size_t(kLarge * n));
  const auto longer = fetch(svd.columns, u, size_t(kLarge * m * n));
  const auto shorter = fetch(svd.right, v, size_t(kLarge * n * n));
  expect(status.values()[1] == 2, "the one that failed");
  const auto columns = rows >= cols ? transposed(host, kLarge, rows, cols) : host;
  for (const int q : {0, 1}) {
    expect_decomposed(item_of(columns, q, m * n), m, part(longer, q, m * n),
                      part(shorter, q, n * n), part(s, q, n), n * kTolerance<T> / 4);
  }
  expect(all_nan(part(s, 2, n)), "NaN");
}

template <class T>
void polar_decompositions(int rows, int cols) {
  const std::vector<T> host = large<T>(rows, cols);
  const int size = rows * cols, n = std::min(rows, cols);
  const OnDevice<T> a(host), factors(host.size()), stretches(size_t(kLarge) * cols * cols);
  Call call;
  polar<T>(call.context(), a.get(), kLarge, rows, cols, factors.get(), stretches.get());
  const auto u = factors.values(), p = stretches.values();
  for (const int q : {0, 1}) {
    const auto factor = part(u, q, size), stretch = part(p, q, cols * cols);
    expect_orthonormal(rows >= cols ? transposed(factor, 1, rows, cols) : factor, n,
                       5 * kTolerance<T>, "orthonormal factor");
    agree(stretch, transposed(stretch, 1, cols, cols), kTolerance<T>, "symmetric factor");
    agree(product(Op::none, item_of(u, q, size), Op::none, item_of(p, q, cols * cols), rows, cols),
          item_of(host, q, size), 10 * kTolerance<T>, "U P");
  }
  expect(std::isnan(u.back()) && std::isnan(p.back()), "NaN");
}

// From a matrix to itself turned: by the reflection I - 2 e e' / d, e of ones.
template <class T>
void rotations(int d) {
  const std::vector<T> host = large<T>(d, d);
  Numbers turn = unit_matrix(d);
  for (double& value : turn) value -= 2.0 / d;
  std::vector<T> turned;
  for (int q = 0; q < kLarge; ++q) {
    const Numbers there = product(Op::none, item_of(host, q, d * d), Op::none, turn, d, d);
    turned.insert(turned.end(), there.begin(), there.end());
  }
  const OnDevice<T> a(host), b(turned), found(host.size()), scales(kLarge);
  Call call;
  orthogonal_procrustes<T>(call.context(), a.get(), b.get(), kLarge, d, d, found.get(),
                           scales.get());
  const auto r = found.values(), scale = scales.values();
  for (const int q : {0, 1}) {
    const Numbers x = item_of(host, q, d * d);
    agree(part(r, q, d * d), turn, 1000 * kTolerance<T>, "rotation");
    expect_orthonormal(part(r, q, d * d), d, 5 * kTolerance<T>, "orthonormal rotation");
    agree(part(scale, q, 1), Numbers{std::inner_product(x.begin(), x.end(), x.begin(), 0.0)},
          kTolerance<T>, "scale");
  }
  expect(std::isnan(r.back()) && std::isnan(scale.back()), "NaN");
}

const Topic jacobi_topic("jacobi", [] {
  in_global_memory<float>(9, 1);
  in_global_memory<float>(33, 8);
  in_global_memory<double>(40, 19);
  in_global_memory<double>(18, 18);
  completion();
});
const Topic shared_topic("jacobi_shared", [] {
  at_the_limit_without_asking<float>(110, 66);  // first: the limit stays where it was raised
  at_the_limit_without_asking<double>(128, 36);
  in_shared_memory<float>(9, 1);     // a block of one warp, most of it idle
  in_shared_memory<float>(150, 7);   // odd, 16 lanes for a pair
  in_shared_memory<double>(21, 20);  // several warps, the last of them partly idle
  Numbers many, graded;
  for (int k = 67; k > 0; --k) many.push_back(k);
  for (int k = 0; k < 32; ++k) graded.push_back(std::pow(10, -12.0 * k / 31));
  values_in_shared_memory<float>(70, many, 5e-6);
  values_in_shared_memory<double>(32, graded, 1e-14);
  expect(fits_shared_memory<double>(64, 64, true), "64 x 64 fits");
  expect(!fits_shared_memory<double>(200, 64, false), "200 x 64 does not");
});
const Topic svd_topic("svd", [] {
  decompositions<double>(20, 800);
  if (thread_sanitizer()) return;  // the kernels have topics of their own
  decompositions<double>(150, 66);
  decompositions<float>(70, 240);
  polar_decompositions<double>(150, 66);
  polar_decompositions<float>(40, 700);
  rotations<double>(80);
});

}  // namespace
}  // namespace likewise::cuda::driver

#include "core/cuda/uploads.h"

#include <string>

#include "core/cuda/pool.h"
#include "driver.h"

namespace likewise::cuda::driver {
namespace {

constexpr size_t kRun = 1500, kPiece = 600;  // doubles per run, bytes

// Items of several sizes, some larger than a piece of pinned memory, none a multiple of it.
std::vector<size_t> item_sizes(int run) {
  std::vector<size_t> sizes{size_t(1 + run % 5), size_t(90 + 7 * run), 3, 32, size_t(130 - run)};
  if (run % 2) sizes.insert(sizes.begin(), 31);
  return sizes;
}

// Every run is read by work of its own and by that of the run after, as rows of a grid are; the
// host waits for nothing, and what it has sent changes at once.
void streams_runs() {
  Stream work;
  Pool pool(work.get());
  Uploads uploads(pool, kRun * sizeof(double), kPiece);
  constexpr int kRuns = 14;
  std::vector<std::vector<double>> expected;
  std::vector<double*> read;  // on the device, what work has found
  std::vector<std::pair<const void*, size_t>> before;
  const auto copy = [&](const std::vector<std::pair<const void*, size_t>>& items) {
    for (const auto& [from, count] : items) {
      read.push_back(static_cast<double*>(pool.take(count * sizeof(double))));
      need(cudaMemcpyAsync(read.back(), from, count * sizeof(double), cudaMemcpyDeviceToDevice,
                           work.get()),
           "work");
    }
  };
  for (int run = 0; run < kRuns; ++run) {
    const int buffer = run % Uploads::kBuffers;
    std::vector<std::pair<const void*, size_t>> items;
    std::vector<std::vector<double>> values;
    uploads.begin(buffer);
    for (const size_t size : item_sizes(run)) {
      std::vector<double> item = normal<double>(size);
      values.push_back(item);
      items.push_back({uploads.send(item.data(), size * sizeof(double)), size});
      expect(reinterpret_cast<uintptr_t>(items.back().first) % 256 == 0, "aligned items");
      std::fill(item.begin(), item.end(), -1e9);
    }
    uploads.end();
    for (size_t k = 0; k < before.size(); ++k)
      expected.push_back(expected[expected.size() - before.size()]);
    copy(before);
    uploads.acquire(buffer);
    expected.insert(expected.end(), values.begin(), values.end());
    copy(items);
    if (run > 0) uploads.release((run - 1) % Uploads::kBuffers);
    before = items;
  }
  bool right = true;
  for (size_t k = 0; k < read.size(); ++k) {
    std::vector<double> found(expected[k].size());
    need(cudaMemcpyAsync(found.data(), read[k], found.size() * sizeof(double),
                         cudaMemcpyDeviceToHost, work.get()),
         "copy");
    need(cudaStreamSynchronize(work.get()), "run");
    right = right && found == expected[k];
    pool.give_back(read[k]);
  }
  expect(right, "items in the order in which they were sent");
}

// Nobody waits for what was sent last.
void goes_while_it_sends() {
  Stream work;
  Pool pool(work.get());
  Uploads uploads(pool, kRun * sizeof(double), kPiece);
  const std::vector<double> item = normal<double>(kRun);
  uploads.begin(1);
  uploads.send(item.data(), item.size() * sizeof(double));
  uploads.end();
}

// What one piece of work gives back is the next one's, without a wait.
void reuses_memory() {
  Stream work;
  Pool pool(work.get());
  const std::vector<double> values = normal<double>(100);
  const size_t bytes = values.size() * sizeof(double);
  double* const first = static_cast<double*>(pool.take(bytes));
  need(cudaMemcpyAsync(first, values.data(), bytes, cudaMemcpyHostToDevice, work.get()), "copy");
  double* const second = static_cast<double*>(pool.take(bytes));
  need(cudaMemcpyAsync(second, first, bytes, cudaMemcpyDeviceToDevice, work.get()), "copy");
  pool.give_back(first);
  std::vector<double> found(values.size());
  need(cudaMemcpyAsync(found.data(), second, bytes, cudaMemcpyDeviceToHost, work.get()), "copy");
  need(cudaStreamSynchronize(work.get()), "run");
  pool.give_back(second);
  expect(found == values, "memory that was given back early");
}

void says_what_was_asked_for() {
  Stream work;
  Pool pool(work.get());
  std::string said;
  try {
    pool.take(size_t{1} << 50);
  } catch (const OutOfMemoryError& error) {
    said = error.what();
  }
  expect(said.find("1125899906842624 bytes were asked for") != std::string::npos, "what is said");
}

const Topic topic("uploads", [] {
  streams_runs();
  goes_while_it_sends();
  reuses_memory();
  says_what_was_asked_for();
});

}  // namespace
}  // namespace likewise::cuda::driver

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/error.h"
#include "core/parallel.h"

namespace {

using likewise::parallel_for;
using Clock = std::chrono::steady_clock;

// Fills 0, 1, 2, ... through parallel_for and says whether every index came exactly once.
bool every_index_once(int64_t count, int threads) {
  std::vector<int> seen(size_t(count), 0);
  std::atomic<bool> workers_in_range{true};
  parallel_for(count, threads, [&](int64_t i, int worker) {
    ++seen[size_t(i)];
    if (worker < 0 || worker >= std::max(threads, 1)) workers_in_range = false;
  });
  for (const int times : seen) {
    if (times != 1) return false;
  }
  return workers_in_range;
}

TEST(every_index_runs_once) {
  for (const int threads : {0, 1, 2, 3, 8}) {
    for (const int64_t count : {0, 1, 2, 7, 1000}) CHECK(every_index_once(count, threads));
  }
}

TEST(a_negative_count_runs_nothing) {
  parallel_for(-3, 4, [](int64_t, int) { throw std::logic_error("ran"); });
}

// How many different workers come together when each body waits for all the others.
int workers_that_meet(int threads) {
  std::vector<int> seen(size_t(threads), 0);
  std::atomic<int> arrived{0};
  const auto start = Clock::now();
  parallel_for(threads, threads, [&](int64_t, int worker) {
    ++seen[size_t(worker)];
    ++arrived;
    while (arrived < threads && Clock::now() - start < std::chrono::seconds(20)) {
      std::this_thread::yield();
    }
  });
  return int(std::count(seen.begin(), seen.end(), 1));
}

TEST(bodies_run_side_by_side_under_their_own_worker_numbers) {
  for (const int threads : {2, 4, 9}) CHECK(workers_that_meet(threads) == threads);
}

TEST(nested_calls_stay_on_their_thread) {
  std::vector<int64_t> sums(64, 0);
  std::atomic<int> strangers{0};
  parallel_for(64, 4, [&](int64_t i, int) {
    const auto self = std::this_thread::get_id();
    parallel_for(100, 4, [&](int64_t j, int worker) {
      sums[size_t(i)] += j;
      strangers += worker != 0 || std::this_thread::get_id() != self;
    });
  });
  for (const int64_t sum : sums) CHECK(sum == 4950);
  CHECK(strangers == 0);
}

TEST(the_first_exception_reaches_the_caller_and_stops_the_rest) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::atomic<int64_t> ran{0};
    std::atomic<bool> returned{false};
    bool thrown = false;
    try {
      parallel_for(1'000'000, 4, [&](int64_t i, int) {
        if (returned) std::abort();
        ++ran;
        if (i == 5) throw likewise::InputError("five");
      });
    } catch (const likewise::InputError& error) {
      thrown = std::string(error.what()) == "five";
    }
    returned = true;
    CHECK(thrown);
    CHECK(ran < 1'000'000);
  }
  CHECK(every_index_once(1000, 4));
}

TEST(exceptions_of_nested_calls_pass_through) {
  CHECK_THROWS(likewise::InputError, parallel_for(8, 4, [](int64_t, int) {
                 parallel_for(8, 4, [](int64_t j, int) {
                   if (j == 3) throw likewise::InputError("inner");
                 });
               }));
  CHECK(every_index_once(1000, 4));
}

TEST(many_threads_may_call_at_once) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 12; ++caller) {
    callers.emplace_back([&, caller] {
      for (int repeat = 0; repeat < 40; ++repeat) {
        if (caller % 4 == 3) {
          try {
            parallel_for(50, 3, [](int64_t i, int) {
              if (i == 20) throw std::runtime_error("planned");
            });
            ++wrong;
          } catch (const std::runtime_error&) {
          }
        } else if (!every_index_once(1 + 37 * caller, 1 + caller % 5)) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

std::atomic<bool> asked{false};

// A body that would take minutes ends soon after the hook says so, on one thread and on several,
// and also when only a helper is still at work.
TEST(an_interrupt_stops_long_work) {
  likewise::set_interrupt_hook([] { return asked.load(); });
  for (const int threads : {1, 2, 4}) {
    for (const int64_t long_index : {0, 1}) {
      asked = false;
      std::thread user([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        asked = true;
      });
      const auto start = Clock::now();
      CHECK_THROWS(likewise::Interrupted, parallel_for(2, threads, [&](int64_t i, int) {
                     if (i != long_index) return;
                     while (Clock::now() - start < std::chrono::minutes(5))
                       likewise::poll_interrupt();
                   }));
      CHECK(Clock::now() - start < std::chrono::minutes(1));
      user.join();
    }
  }
  likewise::set_interrupt_hook(nullptr);
  CHECK(every_index_once(1000, 4));
}

TEST(a_forked_child_has_its_own_pool) {
  CHECK(every_index_once(1000, 4));
  const pid_t child = fork();
  if (child == 0) _exit(every_index_once(1000, 4) && workers_that_meet(4) == 4 ? 0 : 1);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(every_index_once(1000, 4));
}

TEST(interruptible_work_ends_before_its_call_does) {
  int answer = 0;
  likewise::run_interruptibly([&] { answer = 42; });
  CHECK(answer == 42);
  bool thrown = false;
  try {
    likewise::run_interruptibly([] { throw std::invalid_argument("from the work"); });
  } catch (const std::invalid_argument& error) {
    thrown = std::string(error.what()) == "from the work";
  }
  CHECK(thrown);
}

// The work goes on, and only what it owns is touched by it. The process ends after it.
TEST(an_interrupted_call_leaves_its_work_behind) {
  auto steps = std::make_shared<std::vector<int>>();
  likewise::set_interrupt_hook([] { return true; });
  const auto start = Clock::now();
  bool interrupted = false;
  try {
    likewise::run_interruptibly([steps] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1500));
      steps->assign(1000, 1);
    });
  } catch (const likewise::Interrupted&) {
    interrupted = true;
  }
  likewise::set_interrupt_hook(nullptr);
  CHECK(interrupted);
  CHECK(Clock::now() - start < std::chrono::milliseconds(1400));
  steps.reset();
}

}  // namespace

#include "core/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/error.h"

namespace likewise {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLookEvery = std::chrono::milliseconds(100);

std::atomic<bool (*)()> interrupt_hook{nullptr};

struct Job {
  Job(int64_t n, const std::function<void(int64_t, int)>& f) : count(n), body(f) {}

  const int64_t count;
  const std::function<void(int64_t, int)>& body;
  std::atomic<int64_t> next{0};
  std::atomic<int> helpers{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::condition_variable idle;
  int running = 0;               // helpers inside run(), guarded by mutex
  std::exception_ptr exception;  // the first one, guarded by mutex

  // The caller is worker 0, helpers are 1, 2, ... as they arrive.
  void run(int worker) {
    while (!stop.load(std::memory_order_relaxed)) {
      const int64_t index = next.fetch_add(1);
      if (index >= count) return;
      try {
        body(index, worker);
        poll_interrupt();
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!exception) exception = std::current_exception();
        stop = true;
      }
    }
  }
};

thread_local Job* current_job = nullptr;
thread_local bool is_helper = false;

bool user_asked_to_stop() {
  thread_local Clock::time_point last_look = Clock::now();
  auto* hook = interrupt_hook.load(std::memory_order_relaxed);
  if (!hook) return false;
  const auto now = Clock::now();
  if (now - last_look < kLookEvery) return false;
  last_look = now;
  return hook();
}

// Threads are started when first needed and kept. One ticket in the queue = one helper wanted.
class Pool {
 public:
  void offer(Job* job, int helpers) {
    const std::lock_guard lock(mutex_);
    try {
      while (started_ < helpers) {
        std::thread(&Pool::serve, this).detach();
        ++started_;
      }
    } catch (const std::system_error&) {
      // The process may start no more threads: those that exist, or the caller alone, do the work.
    }
    tickets_.insert(tickets_.end(), helpers, job);
    wake_.notify_all();
  }

  void withdraw(Job* job) {
    const std::lock_guard lock(mutex_);
    tickets_.erase(std::remove(tickets_.begin(), tickets_.end(), job), tickets_.end());
  }

 private:
  void serve() {
    is_helper = true;
    while (true) {
      Job* job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !tickets_.empty(); });
        job = tickets_.front();
        tickets_.pop_front();
        // Under the pool's lock, so that withdraw() either removed the ticket or sees us running.
        const std::lock_guard job_lock(job->mutex);
        ++job->running;
      }
      current_job = job;
      job->run(1 + job->helpers.fetch_add(1));
      current_job = nullptr;
      const std::lock_guard lock(job->mutex);
      --job->running;
      job->idle.notify_all();  // under the lock: the job dies as soon as the caller sees zero
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job*> tickets_;
  int started_ = 0;
};

// One call of run_interruptibly(), shared by the thread that waits and the one that works.
struct Detached {
  explicit Detached(const std::function<void()>& f) : work(f) {}

  std::function<void()> work;
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::exception_ptr exception;
};

// How many threads of run_interruptibly() there are.
struct Working {
  std::mutex mutex;
  std::condition_variable none;
  int count = 0;
};
Working* working = new Working;  // as the pool below

// Libraries take down at exit what a thread inside them still uses.
struct WaitAtExit {
  ~WaitAtExit() {
    std::unique_lock lock(working->mutex);
    working->none.wait(lock, [] { return working->count == 0; });
  }
};
const WaitAtExit wait_at_exit;

// Never destroyed: helpers may still wait on it at exit. Replaced in the child after fork(),
// where the helpers do not exist and the lock may be held by nobody.
Pool* pool = new Pool;
[[maybe_unused]] const int fork_handler = pthread_atfork(nullptr, nullptr, [] {
  pool = new Pool;
  working = new Working;
  current_job = nullptr;
});

}  // namespace

void set_interrupt_hook(bool (*pending)()) { interrupt_hook = pending; }

void poll_interrupt() {
  if (current_job && current_job->stop.load(std::memory_order_relaxed)) throw Interrupted();
  if (!is_helper && user_asked_to_stop()) throw Interrupted();
}

void run_interruptibly(const std::function<void()>& work) {
  const auto detached = std::make_shared<Detached>(work);
  {
    const std::lock_guard lock(working->mutex);
    ++working->count;
  }
  try {
    std::thread([detached, all = working] {
      try {
        detached->work();
      } catch (...) {
        detached->exception = std::current_exception();
      }
      detached->work = nullptr;  // what it owns goes here, if nobody waits
      {
        const std::lock_guard lock(detached->mutex);
        detached->done = true;
        detached->ended.notify_all();
      }
      const std::lock_guard lock(all->mutex);
      --all->count;
      all->none.notify_all();
    }).detach();
  } catch (const std::system_error&) {  // no more threads: without interrupts, then
    {
      const std::lock_guard lock(working->mutex);
      --working->count;
    }
    work();
    return;
  }
  std::unique_lock lock(detached->mutex);
  while (!detached->done) {
    detached->ended.wait_for(lock, kLookEvery);
    lock.unlock();
    poll_interrupt();
    lock.lock();
  }
  if (detached->exception) std::rethrow_exception(detached->exception);
}

void parallel_for(int64_t count, int threads, const std::function<void(int64_t, int)>& body) {
  if (threads <= 1 || count <= 1 || current_job) {
    for (int64_t index = 0; index < count; ++index) {
      body(index, 0);
      poll_interrupt();
    }
    return;
  }
  Job job(count, body);
  pool->offer(&job, static_cast<int>(std::min<int64_t>(threads, count)) - 1);
  current_job = &job;
  job.run(0);
  current_job = nullptr;
  pool->withdraw(&job);

  std::unique_lock lock(job.mutex);
  while (job.running > 0) {
    job.idle.wait_for(lock, kLookEvery);
    lock.unlock();  // the look may run a signal handler written in Python
    const bool asked = !job.stop && user_asked_to_stop();
    lock.lock();
    if (asked) {
      job.stop = true;
      if (!job.exception) job.exception = std::make_exception_ptr(Interrupted());
    }
  }
  if (job.exception) std::rethrow_exception(job.exception);
}

}  // namespace likewise

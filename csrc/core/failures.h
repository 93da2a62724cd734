#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"

namespace likewise {

// Collects, from any thread, the items for which no driver converged.
class Failures {
 public:
  void add(const std::string& item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(item);
  }

  // Throws ConvergenceError naming them, if there are any. For when the threads are done.
  void raise(const std::string& what) const {
    if (items_.empty()) return;
    std::vector<std::string> sorted = items_;
    std::sort(sorted.begin(), sorted.end());
    std::string text = what + " did not converge for ";
    for (const std::string& item : sorted) text += (&item == &sorted[0] ? "" : ", ") + item;
    throw ConvergenceError(text);
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> items_;
};

}  // namespace likewise

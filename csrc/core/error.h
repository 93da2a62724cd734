#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace likewise {

// The caller's data or options are wrong. Python sees ValueError with this text.
// Texts say what was required and what arrived, with the function's name in front.
class InputError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// A decomposition failed even with its slower driver. Python sees ConvergenceError.
class ConvergenceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// There is no memory for this many bytes at once. Python sees MemoryError, which names the function
// that was called.
class AllocationError : public std::bad_alloc {
 public:
  explicit AllocationError(size_t bytes) : bytes_(bytes) {}
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_;
};

// The user asked to stop (Ctrl-C). Carries no text: the pending Python exception is re-raised.
class Interrupted : public std::exception {};

// A broken promise inside the engine, never the caller's fault.
class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& what)
      : std::logic_error("bug in likewise, please report it: " + what) {}
};

}  // namespace likewise

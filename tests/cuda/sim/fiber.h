#pragma once

#include <cstddef>

// A stack of its own to run on.

namespace cusim {

#if defined(__x86_64__)

struct Fiber {
  void* stack_pointer = nullptr;
};

#else
}  // namespace cusim
#include <ucontext.h>
namespace cusim {

struct Fiber {
  ucontext_t context;
};

#endif

// `entry` runs on [stack, stack + bytes) once the fiber is switched to; it must not return.
void make_fiber(Fiber& fiber, char* stack, size_t bytes, void (*entry)());

void switch_fiber(Fiber& from, Fiber& to);

}  // namespace cusim

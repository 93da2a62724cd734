#include "fiber.h"

#include <cstdint>

#if defined(__x86_64__)

// Saves what the System V ABI wants kept, and changes stacks.
extern "C" void cusim_switch(void** save, void* to);
asm(R"(
.text
.globl cusim_switch
.type cusim_switch,@function
cusim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cusim_switch,.-cusim_switch
)");

namespace cusim {

void make_fiber(Fiber& fiber, char* stack, size_t bytes, void (*entry)()) {
  const uintptr_t top = (reinterpret_cast<uintptr_t>(stack) + bytes) & ~uintptr_t(15);
  void** pointer = reinterpret_cast<void**>(top);
  *--pointer = nullptr;  // entry finds the stack as a call leaves it: 8 above a multiple of 16
  *--pointer = reinterpret_cast<void*>(entry);
  for (int saved = 0; saved < 6; ++saved) *--pointer = nullptr;
  fiber.stack_pointer = pointer;
}

void switch_fiber(Fiber& from, Fiber& to) { cusim_switch(&from.stack_pointer, to.stack_pointer); }

}  // namespace cusim

#else

namespace cusim {

void make_fiber(Fiber& fiber, char* stack, size_t bytes, void (*entry)()) {
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = stack;
  fiber.context.uc_stack.ss_size = bytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, entry, 0);
}

void switch_fiber(Fiber& from, Fiber& to) { swapcontext(&from.context, &to.context); }

}  // namespace cusim

#endif

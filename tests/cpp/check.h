#pragma once

#include <cmath>
#include <cstdio>
#include <vector>

// All of the test framework: a file has TEST(name) { ... } blocks and main.cpp runs them.
// A failed check prints itself, lets the test go on and fails the program.
namespace likewise::testing {

struct Test {
  const char* name;
  void (*run)();
};
inline std::vector<Test> tests;
inline int failures = 0;

inline void check(bool good, const char* text, const char* file, int line) {
  failures += !good;
  if (!good) std::printf("%s:%d: failed: %s\n", file, line, text);
}

}  // namespace likewise::testing

#define TEST(name)                                                                 \
  static void name();                                                              \
  [[maybe_unused]] static const auto& name##_added =                               \
      likewise::testing::tests.emplace_back(likewise::testing::Test{#name, name}); \
  static void name()
// Of `T` = float, then of double.
#define TEST_BOTH(name)    \
  template <class T>       \
  static void name##_of(); \
  TEST(name) {             \
    name##_of<float>();    \
    name##_of<double>();   \
  }                        \
  template <class T>       \
  static void name##_of()
#define CHECK(condition) likewise::testing::check(condition, #condition, __FILE__, __LINE__)
#define CHECK_NEAR(a, b, tolerance) CHECK(std::abs((a) - (b)) <= (tolerance))
#define CHECK_SAME(a, b, tolerance) \
  CHECK((std::isnan(a) && std::isnan(b)) || std::abs((a) - (b)) <= (tolerance))
#define CHECK_THROWS(type, ...)                  \
  try {                                          \
    __VA_ARGS__;                                 \
    CHECK(!"expected " #type ": " #__VA_ARGS__); \
  } catch (const type&) {                        \
  }

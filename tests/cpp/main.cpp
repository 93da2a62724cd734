#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "check.h"
#include "core/error.h"
#include "core/isa.h"
#include "linalg/linalg.h"

int main() {
  constexpr int kSkipped = 77;  // SKIP_RETURN_CODE in CMakeLists.txt
  try {
    likewise::active_isa();
  } catch (const likewise::InputError& error) {
    std::printf("skipped: %s\n", error.what());
    return kSkipped;
  }
  likewise::use_one_blas_thread();
  const char* left_out = std::getenv("LIKEWISE_TEST_LEFT_OUT");  // the name of one test
  for (const auto& test : likewise::testing::tests) {
    if (left_out && std::string_view(left_out) == test.name) {
      std::printf("left out: %s\n", test.name);
      continue;
    }
    std::printf("%s\n", test.name);
    std::fflush(stdout);
    try {
      test.run();
    } catch (const std::exception& error) {
      ++likewise::testing::failures;
      std::printf("%s threw: %s\n", test.name, error.what());
    }
  }
  std::printf("%zu tests, %d failures\n", likewise::testing::tests.size(),
              likewise::testing::failures);
  return likewise::testing::failures || likewise::testing::tests.empty();
}

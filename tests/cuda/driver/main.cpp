// Runs every kernel on small inputs and checks the answers: one topic, or all of them; "topics"
// lists them. Exits with 0 (good), 1 (wrong answer) or 2 (an error was reported).

#include <cstring>

#include "driver.h"

namespace likewise::cuda::driver {

namespace {
std::vector<Topic>& topics() {
  static std::vector<Topic> all;
  return all;
}
}  // namespace

Topic::Topic(const char* topic, void (*checks)()) : name(topic), run(checks) {
  topics().push_back(*this);
}

}  // namespace likewise::cuda::driver

int main(int, char** arguments) {
  using namespace likewise::cuda::driver;
  if (arguments[1] && !std::strcmp(arguments[1], "topics")) {
    for (const Topic& topic : topics()) std::puts(topic.name);
    return 0;
  }
  need(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  int ran = 0;
  for (const Topic& topic : topics()) {
    if (arguments[1] && std::strcmp(arguments[1], topic.name)) continue;
    generator.seed(5);
    topic.run();
    ++ran;
  }
  expect(ran > 0, "name of a topic");
  need(cudaStreamDestroy(stream), "stream");
#ifdef CUSIM
  expect(cusim::stats.live_bytes == 0, "memory that is left");
#endif
  std::printf(wrong ? "%d wrong\n" : "good\n", wrong);
  return wrong ? 1 : 0;
}

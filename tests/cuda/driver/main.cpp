// Runs every kernel on small inputs and checks the answers: the named topics, or all of them;
// "topics" lists them. Exits with 0 (good), 1 (wrong answer) or 2 (an error was reported).

#include <string>

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

int main(int count, char** arguments) {
  using namespace likewise::cuda::driver;
  std::vector<std::string> wanted(arguments + 1, arguments + count);
  if (wanted == std::vector<std::string>{"topics"}) {
    for (const Topic& topic : topics()) std::puts(topic.name);
    return 0;
  }
  need(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  for (const Topic& topic : topics()) {
    const auto named = std::find(wanted.begin(), wanted.end(), topic.name);
    if (count > 1 && named == wanted.end()) continue;
    generator.seed(5);
    try {
      topic.run();
    } catch (const likewise::cuda::DeviceError& error) {
      fail(error.what());
    }
    if (named != wanted.end()) wanted.erase(named);
  }
  expect(wanted.empty(), "names of topics");
  need(cudaStreamDestroy(stream), "stream");
#ifdef CUSIM
  expect(cusim::stats.live_bytes == 0, "memory that is left");
#endif
  std::printf(wrong ? "%d wrong\n" : "good\n", wrong);
  return wrong ? 1 : 0;
}

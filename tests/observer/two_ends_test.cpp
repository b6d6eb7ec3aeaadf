// SPDX-License-Identifier: BSL-1.0
// An observer between a client session and a server session: what it tells is what the two ends know, whatever they decide, and it
// finds nothing odd.
#include <cstddef>
#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "support/watched_ends.hpp"

TEST_CASE("what an observer tells is what the two ends know", "[observer][two ends]") {
  std::uint32_t draw = 1;
  std::size_t messages = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string octets;
    for (int k = 0; k < 120; ++k) {
      draw = draw * 1664525U + 1013904223U;
      octets += static_cast<char>(draw >> 24U);
    }
    // Two times out of three the decisions are mild: most octets say yes.
    if (i % 3 != 0) {
      for (std::size_t k = 4; k < octets.size(); ++k) {
        if (static_cast<unsigned char>(octets[k]) > (i % 3 == 1 ? 30 : 90)) octets[k] = '\0';
      }
    }
    const auto heard = fuzz::watched_ends{fuzz::choices{octets}}.run();  // ends the program when something is wrong
    CHECK_FALSE(heard.replies.empty());
    messages += heard.messages.size();
  }
  CHECK(messages > 500);  // enough of them came so far
}

// SPDX-License-Identifier: BSL-1.0
#include <ehlo/codec/chunk_reader.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "support/catch.hpp"

TEST_CASE("a chunk takes its octets and no other, however it is cut", "[codec][3030-2-07]") {
  const std::string wire = std::string{"a\r\n.\r\n\0b"} + "QUIT\r\n";
  for (std::uint64_t size = 0; size <= wire.size(); ++size) {
    for (std::size_t cut = 1; cut <= wire.size(); ++cut) {
      ehlo::chunk_reader reader{size};
      std::string taken;
      std::string_view rest = wire;
      while (reader.left() > 0) {
        std::string_view piece = rest.substr(0, cut);
        const std::size_t before = piece.size();
        const std::string_view octets = reader.next(piece);
        taken += octets;
        CHECK(octets.data() == rest.data());
        rest.remove_prefix(before - piece.size());
      }
      CHECK(taken == wire.substr(0, size));
      CHECK(rest.size() == wire.size() - size);
      std::string_view more = rest;
      CHECK(reader.next(more).empty());
      CHECK(more == rest);
    }
  }
}

TEST_CASE("a chunk of no octets takes nothing, and a large one counts without loss", "[codec]") {
  ehlo::chunk_reader none;
  std::string_view input = "QUIT";
  CHECK(none.next(input).empty());
  CHECK(input == "QUIT");
  ehlo::chunk_reader large{UINT64_MAX};
  CHECK(large.next(input) == "QUIT");
  CHECK(large.left() == UINT64_MAX - 4);
}

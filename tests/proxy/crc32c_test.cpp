// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>

#include <ehlo/proxy/crc32c.hpp>

#include "support/catch.hpp"

TEST_CASE("The checksum of known octets is that of others", "[proxy]") {
  const auto of = [](std::string_view octets) { return ehlo::proxy::crc32c{}.add(octets).value(); };
  // The examples of RFC 3720 B.4, which has the octets of its values the other way around.
  CHECK(of(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(of(std::string(32, '\xFF')) == 0x62A8AB43);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  CHECK(of(rising) == 0x46DD794E);
  CHECK(of(std::string{rising.rbegin(), rising.rend()}) == 0x113FDB5C);
}

TEST_CASE("Octets that come in pieces have the same checksum", "[proxy]") {
  const std::string_view whole = "123456789";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CHECK(ehlo::proxy::crc32c{}.add(whole.substr(0, cut)).add(whole.substr(cut)).value() == 0xE3069283);
  }
}

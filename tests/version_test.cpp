// SPDX-License-Identifier: BSL-1.0
#include <ehlo/version.hpp>

#include <fstream>
#include <string>

#include "support/catch.hpp"

TEST_CASE("The version is that of the newest release in the changelog, and 0.1.0 before the first", "[version]") {
  std::ifstream changelog{EHLO_SOURCE_DIR "/CHANGELOG.md"};
  REQUIRE(changelog.is_open());
  std::string newest = "0.1.0";
  for (std::string line; std::getline(changelog, line);) {
    if (!line.starts_with("## [") || line.starts_with("## [Unreleased]")) continue;
    newest = line.substr(4, line.find(']') - 4);
    break;
  }
  const ehlo::version_number& v = ehlo::version;
  CHECK(std::to_string(v.major_number) + "." + std::to_string(v.minor_number) + "." + std::to_string(v.patch_number) == newest);
}

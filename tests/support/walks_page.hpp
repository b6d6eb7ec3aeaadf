// SPDX-License-Identifier: BSL-1.0
#ifndef EHLO_TESTS_SUPPORT_WALKS_PAGE_HPP
#define EHLO_TESTS_SUPPORT_WALKS_PAGE_HPP

/// @file
/// The numbers of the walks on docs/reference/walks.md: each walk holds its row to what it has counted. With EHLO_WRITE_DOCS in the
/// environment it writes the row.

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace walks_page {

/// `what` names the row.
inline void check_row(std::string_view what, std::size_t states, std::size_t transitions) {
  const std::string path = std::string{EHLO_SOURCE_DIR} + "/docs/reference/walks.md";
  std::string page;
  {
    std::ifstream file{path, std::ios::binary};
    page.assign(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
  }
  const std::string name = "| " + std::string{what} + " | ";
  const std::string row = name + std::to_string(states) + " | " + std::to_string(transitions) + " |";
  const std::size_t start = page.find(name);
  REQUIRE(start != page.npos);
  const std::size_t end = page.find('\n', start);
  if (std::getenv("EHLO_WRITE_DOCS") != nullptr) {
    page.replace(start, end - start, row);
    std::ofstream{path, std::ios::binary} << page;
    return;
  }
  INFO("run the tests with EHLO_WRITE_DOCS=1 to write the page anew");
  CHECK(page.substr(start, end - start) == row);
}

}  // namespace walks_page

#endif  // EHLO_TESTS_SUPPORT_WALKS_PAGE_HPP

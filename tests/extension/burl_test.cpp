// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string>
#include <string_view>

#include <ehlo/extension/burl.hpp>

#include "support/catch.hpp"

using ehlo::errc;

TEST_CASE("BURL is an absolute URI, and maybe LAST in any case", "[extension][4468-3.5-01]") {
  const std::string_view url =
      "imap://harry@gryffindor.example.com/outbox;uidvalidity=1078863300/;uid=25;urlauth=submit+harry:internal:9%3A";
  CHECK(*ehlo::parse_burl(url) == ehlo::burl_command{url, false});
  CHECK(*ehlo::parse_burl(std::string{url} + " LAST") == ehlo::burl_command{url, true});
  CHECK(ehlo::parse_burl("a+b-c.1:?/@ last")->last);
  const struct {
    std::string_view argument;
    errc code;
    std::size_t offset;
  } rows[] = {{"", errc::argument_missing, 0},
              {" LAST", errc::url_value, 0},
              {"1a:x", errc::url_value, 0},
              {"imap", errc::url_value, 4},
              {":x", errc::url_value, 0},
              {"imap:/a#b", errc::url_value, 7},
              {"imap:/%2", errc::url_value, 8},
              {"imap:/%g0", errc::url_value, 7},
              {"imap:/%2g", errc::url_value, 8},
              {"imap:/\"", errc::url_value, 6},
              {"imap:/\x7F", errc::url_value, 6},
              {"imap:/\xC3\xA9", errc::url_value, 6},
              {"imap:/a ", errc::last_missing, 8},
              {"imap:/a LASTS", errc::last_missing, 8},
              {"imap:/a  LAST", errc::last_missing, 8}};
  for (const auto& row : rows) {
    CAPTURE(row.argument);
    const auto parsed = ehlo::parse_burl(row.argument);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == ehlo::error{row.code, row.offset});
  }
}

// SPDX-License-Identifier: BSL-1.0
#include <string_view>

#include <ehlo/extension/limits.hpp>

#include "support/catch.hpp"
#include "support/written.hpp"

using ehlo::announced_limits;
using ehlo::parse_limits;

TEST_CASE("LIMITS is read and written back", "[extension][9422-3-01]") {
  const announced_limits all{.mail_max = 999999, .rcpt_max = 100, .rcpt_domain_max = 1};
  CHECK(written(all) == "MAILMAX=999999 RCPTMAX=100 RCPTDOMAINMAX=1");
  CHECK(parse_limits(written(all)) == all);
  CHECK(written(announced_limits{.rcpt_domain_max = 5}) == "RCPTDOMAINMAX=5");
  CHECK(written(announced_limits{}).empty());
  CHECK(written(announced_limits{.mail_max = 999999, .rcpt_max = 999999, .rcpt_domain_max = 999999}).size() ==
        announced_limits::max_size);
  CHECK(parse_limits("rcptmax=7 MailMax=9") == announced_limits{.mail_max = 9, .rcpt_max = 7});
}

TEST_CASE("A value that is wrong counts for nothing alone", "[extension][9422-3.7-02]") {
  for (const std::string_view value : {"", "0", "01", "1000000", "1x", "-1", "/", ":1"}) {
    CAPTURE(value);
    CHECK(ehlo::detail::parse_limit(value) == 0);
  }
  CHECK(ehlo::detail::parse_limit("999999") == 999999);
  CHECK(parse_limits("RCPTMAX=x MAILMAX=5") == announced_limits{.mail_max = 5});
  CHECK(parse_limits("X-OWN RCPTMAX=5 Y=z=!") == announced_limits{.rcpt_max = 5});
}

TEST_CASE("A syntax error makes all of LIMITS count for nothing", "[extension][9422-3.7-01]") {
  for (const std::string_view text : {"MAILMAX=5 ", " MAILMAX=5", "MAILMAX=5  RCPTMAX=5", "MAILMAX=5 =5",
                                      "MAILMAX=5 RCPTMAX=", "MAILMAX=5 a.b=1", "MAILMAX=5 X=;", "MAILMAX=5 X=\x7F", ""}) {
    CAPTURE(text);
    CHECK(parse_limits(text) == announced_limits{});
  }
}

// SPDX-License-Identifier: BSL-1.0
#include <ehlo/server/options.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/server/session.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::errc;
using ehlo::server_options;

constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
constexpr ehlo::auth_mechanism bad_name[] = {{"A B"}};
const std::string long_text(500, 'x');
const std::string word_32(32, 'X');
const std::string word_33(33, 'X');
const std::string classes_481(481, 'a');

/// What `change` makes wrong; none if nothing.
ehlo::result<void> check(const std::function<void(server_options&)>& change) {
  server_options options{.hostname = "mx.example"};
  change(options);
  return options.check();
}

void submission(server_options& o) { o = ehlo::submission_options("mx.example", plain); }

}  // namespace

TEST_CASE("Options that are no good are told by their kind, and open no session", "[server]") {
  const ehlo::timestamp until = *ehlo::timestamp::parse("2030-01-01T00:00:00Z");
  const struct {
    std::string what;
    errc code;
    std::function<void(server_options&)> change;
  } rows[] = {
      {"no host name", errc::option_hostname, [](server_options& o) { o.hostname = ""; }},
      {"no domain", errc::option_hostname, [](server_options& o) { o.hostname = "mx_1.example"; }},
      {"a control in the greeting", errc::option_text, [](server_options& o) { o.greeting = "a\rb"; }},
      {"UTF-8 in the help", errc::option_text, [](server_options& o) { o.help = "caf\xC3\xA9"; }},
      {"a long greeting", errc::option_text, [](server_options& o) { o.greeting = long_text; }},
      {"BINARYMIME alone", errc::option_dependency,
       [](server_options& o) {
         o.extensions.binary_mime = true;
         o.extensions.chunking = false;
       }},
      {"SMTPUTF8 alone", errc::option_dependency,
       [](server_options& o) {
         o.extensions.smtputf8 = true;
         o.extensions.eight_bit_mime = false;
       }},
      {"REQUIRETLS without TLS", errc::option_dependency, [](server_options& o) { o.extensions.require_tls = true; }},
      {"LMTP without ESMTP", errc::option_dependency,
       [](server_options& o) {
         o.protocol = ehlo::protocol::lmtp;
         o.esmtp = false;
       }},
      {"LMTP without PIPELINING", errc::option_dependency,
       [](server_options& o) {
         o.protocol = ehlo::protocol::lmtp;
         o.extensions.pipelining = false;
       }},
      {"LMTP without enhanced codes", errc::option_dependency,
       [](server_options& o) {
         o.protocol = ehlo::protocol::lmtp;
         o.extensions.enhanced_status_codes = false;
       }},
      {"a small message", errc::option_limit, [](server_options& o) { o.limits.message = 65535; }},
      {"few recipients", errc::option_limit, [](server_options& o) { o.limits.recipients = 99; }},
      {"a small buffer", errc::option_limit, [](server_options& o) { o.limits.output = 1023; }},
      {"a short line of AUTH", errc::option_limit, [](server_options& o) { o.limits.auth_line = 511; }},
      {"two failures", errc::option_limit, [](server_options& o) { o.limits.authentication_failures = 2; }},
      {"a long minimum of BY", errc::option_limit, [](server_options& o) { o.deliver_by_minimum = 1000000000; }},
      {"submission by LMTP", errc::option_dependency,
       [](server_options& o) {
         submission(o);
         o.protocol = ehlo::protocol::lmtp;
       }},
      {"submission without ESMTP", errc::option_dependency,
       [](server_options& o) {
         submission(o);
         o.esmtp = false;
       }},
      {"submission without AUTH", errc::option_dependency,
       [](server_options& o) {
         submission(o);
         o.mechanisms = {};
       }},
      {"MTRK without DSN", errc::option_dependency, [](server_options& o) { o.extensions.mtrk = true; }},
      {"no classes", errc::option_name, [](server_options& o) { o.not_wanted = "a,,b"; }},
      {"too many classes", errc::option_name, [](server_options& o) { o.not_wanted = classes_481; }},
      {"BURL at a relay", errc::option_dependency, [](server_options& o) { o.extensions.burl = true; }},
      {"BURL without 8BITMIME", errc::option_dependency,
       [](server_options& o) {
         submission(o);
         o.extensions.burl = true;
         o.extensions.eight_bit_mime = false;
       }},
      {"BURL with two spaces", errc::option_name, [](server_options& o) { o.burl = "imap  x"; }},
      {"BURL with a space at its end", errc::option_name, [](server_options& o) { o.burl = "imap "; }},
      {"BURL that is long", errc::option_name, [](server_options& o) { o.burl = long_text; }},
      {"ETRN at submission", errc::option_dependency,
       [](server_options& o) {
         submission(o);
         o.extensions.etrn = true;
       }},
      {"FUTURERELEASE at a relay", errc::option_dependency,
       [&](server_options& o) {
         o.extensions.future_release = true;
         o.holds = {1, until};
       }},
      {"no time of holding", errc::option_limit,
       [&](server_options& o) {
         submission(o);
         o.extensions.future_release = true;
         o.holds = {0, until};
       }},
      {"ten digits of holding", errc::option_limit,
       [&](server_options& o) {
         submission(o);
         o.extensions.future_release = true;
         o.holds = {1000000000, until};
       }},
      {"no date of holding", errc::option_limit,
       [](server_options& o) {
         submission(o);
         o.extensions.future_release = true;
         o.holds = {1, {}};
       }},
      {"a date of holding in another zone", errc::option_limit,
       [](server_options& o) {
         submission(o);
         o.extensions.future_release = true;
         o.holds = {1, *ehlo::timestamp::parse("2030-01-01T00:00:00+01:00")};
       }},
      {"a policy of two words", errc::option_name, [](server_options& o) { o.priority_policy = "a b"; }},
      {"no limits to announce", errc::option_limit, [](server_options& o) { o.extensions.limits = true; }},
      {"a limit of seven digits", errc::option_limit,
       [](server_options& o) {
         o.extensions.limits = true;
         o.announced.mail_max = 1000000;
       }},
      {"RCPTMAX above what is held", errc::option_limit,
       [](server_options& o) {
         o.extensions.limits = true;
         o.announced.rcpt_max = 1001;
       }},
      {"more domains than are told apart", errc::option_limit,
       [](server_options& o) {
         o.extensions.limits = true;
         o.announced.rcpt_domain_max = 5;
       }},
      {"a mechanism of two words", errc::option_name, [](server_options& o) { o.mechanisms = bad_name; }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    const auto checked = check(row.change);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == row.code);
    server_options options{.hostname = "mx.example"};
    row.change(options);
    ehlo::server_session session{options};
    std::string_view input = "EHLO client.example\r\n";
    CHECK(std::holds_alternative<ehlo::close_channel>(session.next(input)));
  }
}

TEST_CASE("Options at their limits are good", "[server]") {
  const std::vector<std::function<void(server_options&)>> rows = {
      [](server_options&) {},
      [](server_options& o) { o.hostname = "[192.0.2.1]"; },
      [](server_options& o) { o.greeting = "tab\there"; },
      [](server_options& o) { o.limits.message = 0; },
      [](server_options& o) { o.limits.message = 65536; },
      [](server_options& o) { o.limits.recipients = 100; },
      [](server_options& o) { o.limits.output = 1024; },
      [](server_options& o) { o.limits.auth_line = 512; },
      [](server_options& o) { o.limits.authentication_failures = 0; },
      [](server_options& o) { o.limits.authentication_failures = 3; },
      [](server_options& o) { o.deliver_by_minimum = 999999999; },
      [](server_options& o) { o.burl = "imap imap://imap.example.org"; },
      [](server_options& o) { o.not_wanted = std::string_view{classes_481}.substr(1); },
      [](server_options& o) {
        o.extensions.limits = true;
        o.announced = {.mail_max = 999999, .rcpt_max = 1000, .rcpt_domain_max = 4};
      },
      [](server_options& o) { submission(o); },
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    CHECK(check(rows[i]).has_value());
  }
}

TEST_CASE("Verbs, parameters and keywords of the caller are words that ehlo does not have", "[server][5321-2.2.2-03]") {
  for (const std::string_view wrong : {std::string_view{}, std::string_view{"X FOO"}, std::string_view{"X1"},
                                       std::string_view{"mail"}, std::string_view{word_33}, std::string_view{"X-FOO"}}) {
    CAPTURE(wrong);
    const ehlo::custom_verb verbs[] = {{wrong}};
    CHECK(check([&](server_options& o) { o.verbs = verbs; }).error().code == errc::option_name);
  }
  for (const std::string_view wrong : {std::string_view{}, std::string_view{"-X"}, std::string_view{"X=1"}, std::string_view{"X_Y"},
                                       std::string_view{"mt-priority"}, std::string_view{word_33}}) {
    CAPTURE(wrong);
    const ehlo::custom_parameter parameters[] = {{.keyword = wrong}};
    CHECK(check([&](server_options& o) { o.parameters = parameters; }).error().code == errc::option_name);
  }
  for (const std::string_view wrong :
       {std::string_view{}, std::string_view{" X"}, std::string_view{"X "}, std::string_view{"X  1"}, std::string_view{"X 1\x7F"},
        std::string_view{"X\t1"}, std::string_view{"X_Y"}, std::string_view{long_text}, std::string_view{word_33}}) {
    CAPTURE(wrong);
    const std::string_view keywords[] = {wrong};
    CHECK(check([&](server_options& o) { o.keywords = keywords; }).error().code == errc::option_name);
  }
  const ehlo::custom_verb verbs[] = {{word_32}, {"Xfoo"}};
  const ehlo::custom_parameter parameters[] = {{.keyword = word_32}, {.keyword = "1X-Y"}};
  const std::string_view keywords[] = {word_32, "X 1 2=;", "8X"};
  CHECK(check([&](server_options& o) {
          o.verbs = verbs;
          o.parameters = parameters;
          o.keywords = keywords;
        }).has_value());
  for (const std::string_view known : {"SIZE", "body", "SMTPUTF8", "RET", "ENVID", "AUTH", "REQUIRETLS", "BY", "HOLDFOR",
                                       "HOLDUNTIL", "MT-PRIORITY", "MTRK", "SOLICIT", "NOTIFY", "ORCPT", "RRVS"}) {
    CHECK(server_options::is_known_parameter(known));
  }
  CHECK_FALSE(server_options::is_known_parameter("XSIZE"));
}

TEST_CASE("The options of submission are those of RFC 6409", "[server][6409-7-01]") {
  const server_options o = ehlo::submission_options("mx.example", plain);
  CHECK(o.check().has_value());
  CHECK(o.submission);
  CHECK(o.tls == ehlo::tls_mode::offered);
  CHECK(o.mechanisms.size() == 1);
  CHECK(o.extensions.dsn);
  CHECK(o.extensions.enhanced_status_codes);
  CHECK(o.extensions.pipelining);
  CHECK(o.extensions.eight_bit_mime);
}

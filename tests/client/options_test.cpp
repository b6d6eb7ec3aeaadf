// SPDX-License-Identifier: BSL-1.0
#include <ehlo/client/options.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/client/session.hpp>

#include "support/catch.hpp"

namespace {

using ehlo::client_options;
using ehlo::errc;

const std::vector<ehlo::auth_mechanism> sixteen(16, ehlo::mechanisms::plain);
const std::vector<ehlo::auth_mechanism> seventeen(17, ehlo::mechanisms::plain);
const std::vector<ehlo::auth_mechanism> bad_name{{"A B"}};
const std::vector<std::string_view> sixteen_words(16, "X-OWN");
const std::vector<std::string_view> seventeen_words(17, "X-OWN");

}  // namespace

TEST_CASE("Options of a client that are no good are told by their kind, and open no session", "[client]") {
  const std::string_view empty[] = {""};
  const std::string_view with_value[] = {"X=1"};
  const std::string_view two[] = {"X Y"};
  const std::string_view hyphen[] = {"-X"};
  const struct {
    std::string what;
    errc code;
    std::function<void(client_options&)> change;
  } rows[] = {
      {"no host name", errc::option_hostname, [](client_options& o) { o.hostname = ""; }},
      {"UTF-8 in the host name", errc::option_hostname, [](client_options& o) { o.hostname = "\xC3\xA9.example"; }},
      {"17 mechanisms", errc::option_limit, [](client_options& o) { o.mechanisms = seventeen; }},
      {"17 keywords", errc::option_limit, [](client_options& o) { o.keywords = seventeen_words; }},
      {"a mechanism of two words", errc::option_name, [](client_options& o) { o.mechanisms = bad_name; }},
      {"an empty keyword", errc::option_name, [&](client_options& o) { o.keywords = empty; }},
      {"a keyword with a value", errc::option_name, [&](client_options& o) { o.keywords = with_value; }},
      {"two keywords in one", errc::option_name, [&](client_options& o) { o.keywords = two; }},
      {"a keyword that begins with a hyphen", errc::option_name, [&](client_options& o) { o.keywords = hyphen; }},
      {"short reply lines", errc::option_limit, [](client_options& o) { o.limits.reply.line = 511; }},
      {"replies smaller than a line", errc::option_limit, [](client_options& o) { o.limits.reply = {.line = 600, .octets = 599}; }},
      {"no line", errc::option_limit, [](client_options& o) { o.limits.reply.lines = 0; }},
      {"a small batch", errc::option_limit, [](client_options& o) { o.limits.batch = 511; }},
      {"a short AUTH line", errc::option_limit, [](client_options& o) { o.limits.auth_line = 511; }},
      {"a long AUTH line", errc::option_limit, [](client_options& o) { o.limits.auth_line = 12289; }},
      {"no challenge", errc::option_limit, [](client_options& o) { o.limits.challenges = 0; }},
      {"small pieces", errc::option_limit, [](client_options& o) { o.limits.coalesced = 255; }},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    client_options options{.hostname = "client.example"};
    row.change(options);
    REQUIRE_FALSE(options.check().has_value());
    CHECK(options.check().error().code == row.code);
    ehlo::client_session session{options};
    std::string_view input = "220 hi\r\n";
    CHECK(std::holds_alternative<ehlo::close_channel>(session.next(input)));
  }
}

TEST_CASE("Options of a client at their limits are good", "[client]") {
  const std::vector<std::function<void(client_options&)>> rows = {
      [](client_options&) {},
      [](client_options& o) { o.hostname = "[192.0.2.1]"; },
      [](client_options& o) { o.mechanisms = sixteen; },
      [](client_options& o) { o.keywords = sixteen_words; },
      [](client_options& o) { o.limits.reply = {.line = 512, .lines = 1, .octets = 512}; },
      [](client_options& o) { o.limits.batch = 512; },
      [](client_options& o) { o.limits.auth_line = 512; },
      [](client_options& o) { o.limits.auth_line = 12288; },
      [](client_options& o) { o.limits.challenges = 1; },
      [](client_options& o) { o.limits.coalesced = 256; },
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CAPTURE(i);
    client_options options{.hostname = "client.example"};
    rows[i](options);
    CHECK(options.check().has_value());
  }
}

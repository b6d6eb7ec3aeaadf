// SPDX-License-Identifier: BSL-1.0
#include <ehlo/server/actions.hpp>

#include <cstddef>
#include <optional>
#include <variant>

#include "support/catch.hpp"

namespace {

/// How many alternatives of a variant are questions, and how many notices.
template <class>
struct kinds;
template <class... Actions>
struct kinds<std::variant<Actions...>> {
  static constexpr std::size_t questions = (std::size_t{0} + ... + (ehlo::question<Actions> ? 1U : 0U));
  static constexpr std::size_t notices = (std::size_t{0} + ... + (ehlo::notice<Actions> ? 1U : 0U));
  static constexpr bool are_apart = (... && !(ehlo::question<Actions> && ehlo::notice<Actions>));
};

}  // namespace

TEST_CASE("Each action of a server is a question, a notice, or moves octets", "[server]") {
  using all = kinds<ehlo::server_action>;
  STATIC_REQUIRE(all::are_apart);
  // The six are transmit, receive, mail_data, start_tls, answer_due and close_channel.
  STATIC_REQUIRE(std::variant_size_v<ehlo::server_action> == all::questions + all::notices + 6);
  STATIC_REQUIRE(ehlo::question<const ehlo::rcpt_question&>);
  STATIC_REQUIRE(ehlo::notice<const ehlo::violation&>);
  STATIC_REQUIRE_FALSE(ehlo::question<ehlo::mail_data>);
  STATIC_REQUIRE_FALSE(ehlo::notice<ehlo::close_channel>);
}

TEST_CASE("Questions about AUTH are equal if mechanism, response and place are", "[server]") {
  const auto response = ehlo::base64::parse("dGVzdA==");
  REQUIRE(response.has_value());
  const ehlo::auth_question one{"PLAIN", *response, true, {1}};
  CHECK(one == ehlo::auth_question{"PLAIN", *response, true, {1}});
  CHECK_FALSE(one == ehlo::auth_question{"LOGIN", *response, true, {1}});
  CHECK_FALSE(one == ehlo::auth_question{"PLAIN", std::nullopt, true, {1}});
  CHECK_FALSE(one == ehlo::auth_question{"PLAIN", *response, false, {1}});
  CHECK_FALSE(one == ehlo::auth_question{"PLAIN", *response, true, {2}});
  CHECK_FALSE(one == ehlo::auth_question{"PLAIN", *ehlo::base64::parse("dGVzdAo="), true, {1}});
  CHECK(ehlo::auth_question{"PLAIN", std::nullopt, true, {1}} == ehlo::auth_question{"PLAIN", std::nullopt, true, {1}});
}

TEST_CASE("What a question of a server leaves open is nothing", "[server]") {
  CHECK_FALSE(ehlo::greeting_question{}.early_talker);
  CHECK_FALSE(ehlo::auth_question{}.initial);
  CHECK(ehlo::data_question{} == ehlo::data_question{0, false, {}});
  CHECK(ehlo::message_question{} == ehlo::message_question{0, 0, 0, false, false, false, {}});
  CHECK_FALSE(ehlo::vrfy_question{}.smtputf8);
  CHECK_FALSE(ehlo::expn_question{}.smtputf8);
  CHECK(ehlo::burl_question{} == ehlo::burl_question{"", false, 0, 0, {}});
}

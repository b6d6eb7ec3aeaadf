// SPDX-License-Identifier: BSL-1.0
#include <ehlo/client/actions.hpp>

#include <cstddef>
#include <set>
#include <string_view>
#include <utility>

#include <ehlo/codec/reply_parser.hpp>

#include "support/catch.hpp"

using ehlo::errc;
using ehlo::transaction_failed;

TEST_CASE("A transaction that failed is for later where the world is to blame, and not the message", "[client][5321-3.8-05]") {
  const std::set<errc> later{
      errc::connection_lost,    errc::reply_timeout,     errc::service_closing,   errc::reply_malformed,
      errc::reply_codes_differ, errc::reply_over_limit,  errc::unexpected_reply,  errc::unsolicited_reply,
      errc::reset_refused,      errc::octets_before_tls, errc::tls_not_offered,   errc::tls_handshake,
      errc::tls_too_weak,       errc::out_of_memory,     errc::message_abandoned, errc::too_many_transactions};
  for (std::size_t i = 0; i < ehlo::rules.size(); ++i) {
    const auto code = static_cast<errc>(i);
    CAPTURE(ehlo::describe(code).text);
    CHECK(transaction_failed{.reason = code}.is_transient() == later.contains(code));
    // Notices before this one told of 4yz: that counts whatever the reason is.
    CHECK(transaction_failed{.reason = code, .transient_reply = true}.is_transient());
  }
}

TEST_CASE("The reply that a failure tells of decides whether it is for later", "[client][5321-4.2.1-02]") {
  const auto told = [](errc reason, std::string_view octets) {
    return transaction_failed{.reason = reason, .reply = *ehlo::parse_reply(octets)}.is_transient();
  };
  CHECK(told(errc::mail_refused, "451 no\r\n"));
  CHECK_FALSE(told(errc::mail_refused, "551 no\r\n"));
  CHECK(told(errc::mail_refused, "400 no\r\n"));
  CHECK_FALSE(told(errc::connection_lost, "550 no\r\n"));
  // A positive one says nothing of it.
  CHECK(told(errc::unexpected_reply, "250 ok\r\n"));
  CHECK_FALSE(told(errc::data_refused, "250 ok\r\n"));
}

TEST_CASE("A result is accepted by 2yz alone", "[client][5321-4.2-14]") {
  for (const auto& [octets, accepted] :
       {std::pair{"250 ok\r\n", true}, std::pair{"251 ok\r\n", true}, std::pair{"354 go\r\n", false},
        std::pair{"450 no\r\n", false}, std::pair{"550 no\r\n", false}}) {
    const auto reply = *ehlo::parse_reply(octets);
    CHECK(ehlo::recipient_result{.reply = reply}.is_accepted() == accepted);
    CHECK(ehlo::message_result{.reply = reply}.is_accepted() == accepted);
    CHECK(ehlo::authentication_result{"PLAIN", reply}.is_authenticated() == accepted);
  }
}

TEST_CASE("What a question or a notice of a client leaves open is nothing", "[client]") {
  CHECK(ehlo::credentials_question{}.step == 0);
  CHECK(ehlo::mail_data_question{} == ehlo::mail_data_question{0, false, false, {}});
  CHECK_FALSE(ehlo::hello_result{}.esmtp);
  CHECK(ehlo::recipient_result{}.index == 0);
  CHECK_FALSE(ehlo::recipient_result{}.transient);
  CHECK(ehlo::recipient_deferred{}.index == 0);
  CHECK(ehlo::message_result{}.first == 0);
  CHECK(ehlo::message_result{}.last == 0);
  CHECK(transaction_failed{}.delivery == ehlo::delivery::not_accepted);
  CHECK_FALSE(transaction_failed{}.transient_reply);
  CHECK(ehlo::failed{}.offset == 0);
  CHECK(ehlo::violation{}.offset == 0);
}

// SPDX-License-Identifier: BSL-1.0
// What an observer finds of extensions that were not offered, and of replies to a client that the server does not serve.
#include <string>
#include <string_view>

#include "support/catch.hpp"
#include "support/observation.hpp"

using namespace observation;
using ehlo::finding;

namespace {

constexpr std::string_view plain = "S: 220 mx.example\n C: EHLO client.example\n S: 250-mx.example\n S: 250 HELP\n";

bool finds_missing(const std::string& head, const std::string& line, const std::string& replies = " S: 250 ok\n") {
  const auto all = observe(head + "C: " + line + "\n" + replies);
  CAPTURE(text_of(all));
  return has(all, "anomaly{the command belongs to an extension that was not offered");
}

}  // namespace

TEST_CASE("a parameter or command of an extension is odd where that was not offered, and only there",
          "[observer][5321-4.1.1.11-01]") {
  const struct {
    std::string keyword;
    std::string line;
  } rows[] = {
      {"SIZE", "MAIL FROM:<a@b.c> SIZE=1"},
      {"8BITMIME", "MAIL FROM:<a@b.c> BODY=8BITMIME"},
      {"SMTPUTF8", "MAIL FROM:<a@b.c> SMTPUTF8"},
      {"REQUIRETLS", "MAIL FROM:<a@b.c> REQUIRETLS"},
      {"DSN", "MAIL FROM:<a@b.c> RET=FULL"},
      {"DSN", "MAIL FROM:<a@b.c> ENVID=x"},
      {"DELIVERBY", "MAIL FROM:<a@b.c> BY=1;R"},
      {"AUTH PLAIN", "MAIL FROM:<a@b.c> AUTH=<>"},
      {"DSN", "RCPT TO:<a@b.c> NOTIFY=NEVER"},
      {"DSN", "RCPT TO:<a@b.c> ORCPT=rfc822;a"},
      {"AUTH PLAIN", "AUTH PLAIN ="},
      {"STARTTLS", "STARTTLS"},
      {"CHUNKING", "BDAT 0 LAST"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.keyword, row.line);
    const bool is_chunk = row.line.starts_with("BDAT");
    std::string mail;
    if (is_chunk || row.line.starts_with("RCPT")) mail += "C: MAIL FROM:<a@b.c>\n S: 250 ok\n";
    if (is_chunk) mail += "C: RCPT TO:<a@b.c>\n S: 250 ok\n";
    const std::string offering = "S: 220 mx.example\n C: EHLO client.example\n S: 250-mx.example\n S: 250 " + row.keyword + "\n";
    const std::string replies = row.line.starts_with("STARTTLS") || row.line.starts_with("AUTH") ? " S: 454 no\n" : " S: 250 ok\n";
    CHECK(finds_missing(std::string{plain} + mail, row.line, replies));
    CHECK_FALSE(finds_missing(offering + mail, row.line, replies));
    // After HELO nothing is offered, and a session joined midway may have heard anything.
    CHECK(finds_missing("S: 220 mx.example\n C: HELO client.example\n S: 250 mx.example\n" + mail, row.line, replies));
  }
  const auto both = observe(std::string{plain} + "C: MAIL FROM:<a@b.c> SIZE=1 RET=FULL ENVID=x\n S: 555 no\n");
  CHECK(anomalies(both).size() == 1);
}

TEST_CASE("a client that is not served hears 503, 530 or the reason again", "[observer][5321-3.1-03]") {
  for (const std::string greeting : {"554 no service", "521 no mail here"}) {
    const std::string code = greeting.substr(0, 3);
    for (const std::string& reply : {std::string{"503 no"}, std::string{"530 no"}, code + " no", std::string{"421 bye"}}) {
      CAPTURE(greeting, reply);
      const auto all = observe("S: " + greeting + "\n C: EHLO client.example\n S: " + reply + "\n");
      CHECK_FALSE(has(all, "anomaly{the code does not answer the command"));
    }
    const auto odd = observe("S: " + greeting + "\n C: EHLO client.example\n S: 354 go\n");
    CHECK(has(odd, "anomaly{the code does not answer the command"));
  }
}

TEST_CASE("an observer says when a conversation is over", "[observer][5321-4.1.1.10-01]") {
  const ehlo::observer_options options{};
  for (const std::string_view last : {"221 bye\r\n", "421 closing\r\n"}) {
    ehlo::observer observer{options};
    std::string_view server = "220 mx.example\r\n";
    (void)observer.next(ehlo::direction::from_server, server);
    CHECK_FALSE(observer.is_over());
    std::string_view client = "QUIT\r\n";
    for (int turn = 0; turn < 3; ++turn) (void)observer.next(ehlo::direction::from_client, client);
    CHECK_FALSE(observer.is_over());
    server = last;
    for (int turn = 0; turn < 3; ++turn) (void)observer.next(ehlo::direction::from_server, server);
    CHECK(observer.is_over());
  }
}

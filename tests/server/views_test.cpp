// SPDX-License-Identifier: BSL-1.0
// How long views live, and what late answers do: with the address sanitizer a view that outlives its octets ends the test.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

const ehlo::server_options options{.hostname = "mx.example"};

/// A peer that says its octets in pieces, each in a buffer that is gone when the next is read.
template <class Session>
class peer {
 public:
  peer(Session& session, std::string wire, std::size_t cut) : session_{session}, wire_{std::move(wire)}, cut_{cut} {}

  /// Goes on until the session asks a `Question`, answering all others with success.
  template <class Question>
  Question until() {
    for (int i = 0; i < 10000; ++i) {
      const auto action = session_.next(input_);
      if (const auto* const q = std::get_if<Question>(&action)) return *q;
      if (std::holds_alternative<ehlo::receive>(action)) read();
      if (session_.open_question().serial != 0) session_.accept();
    }
    FAIL("the question did not come");
    std::abort();
  }

  ehlo::server_action next() { return session_.next(input_); }

 private:
  void read() {
    const std::size_t size = std::min(cut_, wire_.size());
    buffer_ = std::make_unique<char[]>(size);
    wire_.copy(buffer_.get(), size);
    wire_.erase(0, size);
    input_ = {buffer_.get(), size};
  }

  Session& session_;
  std::string wire_;
  std::size_t cut_;
  std::unique_ptr<char[]> buffer_;
  std::string_view input_;
};

const std::string wire =
    "EHLO client.example\r\nMAIL FROM:<a@client.example> SIZE=7\r\nRCPT TO:<b@mx.example>\r\nRCPT "
    "TO:<c@mx.example>\r\nDATA\r\nx\r\n.\r\n";

}  // namespace

TEMPLATE_TEST_CASE("the views of a question live until it is answered, in every cut", "[server][views][T59]", ehlo::server_session,
                   ehlo::fixed_server_session<>) {
  for (const std::size_t cut : {1U, 2U, 5U, 30U, 1000U}) {
    CAPTURE(cut);
    TestType session{options};
    peer<TestType> client{session, wire, cut};
    const auto mail = client.template until<ehlo::mail_question>();
    for (int i = 0; i < 5; ++i) {
      const auto action = client.next();  // the session waits, and writes what it has collected
      CHECK((std::holds_alternative<ehlo::answer_due>(action) || std::holds_alternative<ehlo::transmit>(action)));
    }
    session.shutdown();
    (void)session.timeout();
    CHECK_FALSE(session.timed_out().has_value());
    session.trim();
    CHECK(mail.reverse_path.text() == "<a@client.example>");
    CHECK(mail.parameters.text() == "SIZE=7");
    CHECK(mail.parameters.size() == 7U);
    CHECK(session.accept(mail.ticket).has_value());
  }
}

TEMPLATE_TEST_CASE("an answer while octets are being written neither moves nor changes them", "[server][views][T59]",
                   ehlo::server_session, ehlo::fixed_server_session<>) {
  TestType session{options};
  peer<TestType> client{session, wire, 1000};
  (void)client.template until<ehlo::rcpt_question>();
  const auto action = client.next();
  REQUIRE(std::holds_alternative<ehlo::transmit>(action));
  const std::string_view octets = std::get<ehlo::transmit>(action).octets;
  const std::string before{octets};
  const std::string long_text(400, 'w');
  CHECK(session.accept(*ehlo::reply::make(250, {2, 1, 5}, long_text)).has_value());
  CHECK(octets == before);
  session.shutdown();
  session.end_of_input();
  CHECK(octets == before);
}

TEMPLATE_TEST_CASE("a late answer with an old ticket changes nothing", "[server][views]", ehlo::server_session,
                   ehlo::fixed_server_session<>) {
  TestType session{options};
  peer<TestType> client{session, wire, 1000};
  const auto first = client.template until<ehlo::rcpt_question>();
  CHECK(session.reject(first.ticket, ehlo::replies::no_such_mailbox).has_value());
  const auto second = client.template until<ehlo::rcpt_question>();
  REQUIRE(second.ticket != first.ticket);
  for (const auto& late : {session.accept(first.ticket), session.accept(first.ticket, ehlo::replies::rcpt_ok),
                           session.reject(first.ticket, ehlo::replies::mailbox_busy), session.answer_default(first.ticket)}) {
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().code == ehlo::errc::stale_answer);
  }
  CHECK(session.open_question() == second.ticket);
  CHECK(session.recipients() == 0);
  CHECK(session.accept(second.ticket).has_value());
  CHECK(session.recipients() == 1);
  CHECK(session.accept(second.ticket).error().code == ehlo::errc::no_open_question);
}

TEMPLATE_TEST_CASE("a late refusal of a recipient does not give the message up", "[server][views]", ehlo::server_session,
                   ehlo::fixed_server_session<>) {
  TestType session{options};
  peer<TestType> client{session, wire, 1000};
  const auto recipient = client.template until<ehlo::rcpt_question>();
  session.accept();
  (void)client.template until<ehlo::data_question>();
  session.accept();
  while (!std::holds_alternative<ehlo::mail_data>(client.next())) {
  }
  CHECK(session.reject(recipient.ticket, ehlo::replies::no_such_mailbox).error().code == ehlo::errc::no_open_question);
  (void)client.template until<ehlo::message_question>();
  CHECK(session.accept().has_value());
}

TEST_CASE("a copy goes its own way", "[server][views]") {
  ehlo::server_session session{options};
  peer<ehlo::server_session> client{session, wire, 3};
  (void)client.until<ehlo::rcpt_question>();
  ehlo::server_session copy = session;
  CHECK(copy.accept().has_value());
  CHECK(copy.recipients() == 1);
  CHECK(session.recipients() == 0);
  CHECK(session.reject(ehlo::replies::no_such_mailbox).has_value());
  ehlo::server_session moved = std::move(copy);
  std::string_view input = "RSET\r\nQUIT\r\n";
  std::string sent;
  for (bool open = true; open;) {
    const auto action = moved.next(input);
    if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
    open = !std::holds_alternative<ehlo::close_channel>(action);
    if (std::holds_alternative<ehlo::receive>(action)) open = false;
  }
  CHECK(sent.find("221 ") != std::string::npos);
}

TEST_CASE("mail data are slices of the input", "[server][views]") {
  ehlo::server_session session{options};
  peer<ehlo::server_session> client{session, wire, 1000};
  (void)client.until<ehlo::data_question>();
  session.accept();
  std::vector<std::string> slices;
  for (int i = 0; i < 6; ++i) {
    const auto action = client.next();
    if (const auto* const data = std::get_if<ehlo::mail_data>(&action)) slices.emplace_back(data->octets);
    if (std::holds_alternative<ehlo::message_question>(action)) break;
  }
  CHECK(slices == std::vector<std::string>{"x\r\n"});
}

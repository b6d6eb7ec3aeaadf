// SPDX-License-Identifier: BSL-1.0
#include <ehlo/dispatch.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/client/session.hpp>
#include <ehlo/envelope.hpp>
#include <ehlo/replies.hpp>
#include <ehlo/server/session.hpp>

#include "support/catch.hpp"

namespace {

/// What every handler needs: it gives the octets of `wire` once.
struct basic_handler {
  std::string_view wire;
  std::string sent{};
  std::string_view* input = nullptr;
  bool was_fed = false;

  void on(ehlo::transmit a) { sent += a.octets; }
  void on(ehlo::receive) {
    *input = was_fed ? std::string_view{} : wire;
    was_fed = true;
  }
};

/// Runs the loop until it has nothing to do or the octets are used up.
template <class Session, class Handler>
void run(Session& session, Handler& handler) {
  std::string_view input;
  handler.input = &input;
  handler.was_fed = false;
  while (ehlo::dispatch(session, session.next(input), handler)) {
    if (handler.was_fed && input.empty() && session.timeout().what != ehlo::waiting_for::nothing) session.end_of_input();
  }
}

std::string until_quit(std::string_view commands) { return std::string{"EHLO c.example\r\n"} + std::string{commands} + "QUIT\r\n"; }

}  // namespace

TEST_CASE("a handler that only moves octets is a careful server", "[dispatch]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  const std::string wire = until_quit("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
  basic_handler handler{wire};
  run(session, handler);
  CHECK(handler.sent.find("250 2.1.0") != std::string::npos);
  CHECK(handler.sent.find("\r\n550 5.7.1") != std::string::npos);
  CHECK(handler.sent.find("\r\n221 2.0.0") != std::string::npos);
}

TEST_CASE("a handler's reply answers the question, a forbidden one is replaced by the careful answer", "[dispatch]") {
  struct handler_type : basic_handler {
    using basic_handler::on;
    ehlo::reply on(const ehlo::mail_question&) { return ehlo::replies::mail_ok; }
    std::optional<ehlo::reply> on(const ehlo::rcpt_question& q) {
      if (q.forward_path.text() == "<later@d.example>") return std::nullopt;
      if (q.forward_path.text() == "<odd@d.example>") return ehlo::replies::start_mail_input;
      return ehlo::replies::rcpt_ok;
    }
  };
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  const std::string wire =
      until_quit("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<odd@d.example>\r\nRCPT TO:<later@d.example>\r\n");
  handler_type handler{{wire}};
  std::string_view input;
  handler.input = &input;
  while (ehlo::dispatch(session, session.next(input), handler)) {
  }
  CHECK(handler.sent.ends_with("250 2.1.0 OK\r\n250 2.1.5 OK\r\n550 5.7.1 Requested action not taken: relaying denied\r\n"));
  const auto due = session.next(input);
  REQUIRE(std::holds_alternative<ehlo::answer_due>(due));  // the answer that was not given yet
  CHECK(session.accept(std::get<ehlo::answer_due>(due).ticket).has_value());
}

TEST_CASE("without a member the client fails the handshake, and quits when it is idle", "[dispatch]") {
  const ehlo::client_options options{.hostname = "c.example", .tls = ehlo::tls_policy::never};
  SECTION("idle: QUIT") {
    ehlo::client_session session{options};
    basic_handler handler{"220 mx\r\n250 mx\r\n221 bye\r\n"};
    std::string_view input;
    handler.input = &input;
    std::string_view rest = handler.wire;
    bool open = true;
    while (open) {
      handler.wire = rest.substr(0, rest.find('\n') + 1);
      const bool was_fed = handler.was_fed;
      handler.was_fed = false;
      open = ehlo::dispatch(session, session.next(input), handler);
      if (handler.was_fed) rest.remove_prefix(handler.wire.size());
      handler.was_fed = handler.was_fed || was_fed;
      if (handler.was_fed && rest.empty() && input.empty()) session.end_of_input();
    }
    CHECK(handler.sent == "EHLO c.example\r\nQUIT\r\n");
  }
  SECTION("start_tls: it fails") {
    ehlo::client_options secure = options;
    secure.tls = ehlo::tls_policy::required;
    ehlo::client_session session{secure};
    struct handler_type : basic_handler {
      using basic_handler::on;
      std::vector<ehlo::errc> reasons{};
      void on(const ehlo::failed& f) { reasons.push_back(f.reason); }
    };
    handler_type handler{};
    std::string_view input;
    handler.input = &input;
    std::vector<std::string_view> replies{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"};
    std::size_t next = 0;
    do {
      handler.was_fed = false;
      handler.wire = next < replies.size() ? replies[next] : std::string_view{};
      const bool goes_on = ehlo::dispatch(session, session.next(input), handler);
      if (handler.was_fed) ++next;
      if (!goes_on) break;
    } while (next < 5);
    CHECK(handler.reasons == std::vector{ehlo::errc::tls_handshake});
  }
}

TEST_CASE("idle: the handler asks for something, or says that there is nothing to do now", "[dispatch]") {
  const ehlo::client_options options{.hostname = "c.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  struct handler_type : basic_handler {
    using basic_handler::on;
    ehlo::client_session* session = nullptr;
    int asked = 0;
    std::vector<int> codes{};
    bool on(ehlo::idle) { return ++asked == 1 && session->noop().has_value(); }
    void on(const ehlo::command_result& r) { codes.push_back(r.reply.code()); }
  };
  handler_type handler{};
  handler.session = &session;
  std::string_view input;
  handler.input = &input;
  std::vector<std::string_view> replies{"220 mx\r\n", "250 mx\r\n", "250 ok\r\n"};
  std::size_t next = 0;
  for (bool open = true; open && next < 5;) {
    handler.was_fed = false;
    handler.wire = next < replies.size() ? replies[next] : std::string_view{};
    open = ehlo::dispatch(session, session.next(input), handler);
    if (handler.was_fed) ++next;
  }
  CHECK(handler.sent == "EHLO c.example\r\nNOOP\r\n");
  CHECK(handler.codes == std::vector{250});
  CHECK(handler.asked == 2);
}

TEST_CASE("a handler's reply that is too long for the session is replaced by the careful answer too", "[dispatch]") {
  struct handler_type : basic_handler {
    using basic_handler::on;
    ehlo::reply on(const ehlo::mail_question&) { return ehlo::replies::mail_ok; }
    ehlo::reply on(const ehlo::rcpt_question&) { return *ehlo::reply::make(250, {2, 1, 5}, text); }
    std::string text = std::string(700, 'x');
  };
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::fixed_server_session<1728, 600> session{options};
  const std::string wire = until_quit("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
  handler_type handler{{wire}};
  run(session, handler);
  CHECK(handler.sent.find("\r\n250 2.1.0 OK\r\n550 5.7.1") != std::string::npos);
  CHECK(handler.sent.find("\r\n221 2.0.0") != std::string::npos);
}

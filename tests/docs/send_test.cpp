// SPDX-License-Identifier: BSL-1.0
// The client's loop of README.md and the blocks of docs/how-to/send.md, as they stand there, in programs that run: with a server
// session behind the socket. `code_blocks_test.cpp` holds the pages to this file.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include <ehlo/ehlo.hpp>
#include <ehlo/format.hpp>

#include "support/catch.hpp"

namespace {

/// A socket with a server behind it that keeps what it takes; it does not know <nobody@example.org>.
class server_socket {
 public:
  explicit server_socket(const ehlo::server_options& options) : session_{options} { talk({}); }

  void write_all(std::string_view octets) {
    written += octets;
    talk(octets);
  }
  std::string_view read_some() {
    buffer_ = std::exchange(to_client_, {});
    return buffer_;
  }
  bool handshake() {
    session_.tls_started();
    talk({});
    return true;
  }

  std::string written;
  std::vector<std::string> messages;
  std::vector<std::string> recipients;
  std::string user;

 private:
  void talk(std::string_view octets) {
    for (bool is_busy = true; is_busy;) {
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) { to_client_ += a.octets; },
                     [&](ehlo::receive) { is_busy = false; },
                     [&](ehlo::start_tls) { is_busy = false; },
                     [&](ehlo::close_channel) { is_busy = false; },
                     [&](const ehlo::mail_question&) { session_.accept(); },
                     [&](const ehlo::rcpt_question& q) {
                       if (q.forward_path.text() == "<nobody@example.org>") {
                         session_.reject(ehlo::replies::no_such_mailbox);
                       } else {
                         recipients.emplace_back(q.forward_path.text());
                         session_.accept();
                       }
                     },
                     [&](const ehlo::auth_question& q) {
                       std::array<char, 1024> decoded{};
                       std::string_view said;
                       if (q.response) said = {decoded.data(), q.response->decoded_size()};
                       if (q.response) q.response->decode(decoded.data());
                       if (said == std::string_view{"\0alice\0wonder", 13}) {
                         user = "alice";
                         session_.authenticated();
                       } else {
                         session_.reject(ehlo::replies::bad_credentials);
                       }
                     },
                     [&](ehlo::mail_data a) { message_ += a.octets; },
                     [&](const ehlo::message_question&) {
                       messages.push_back(std::exchange(message_, {}));
                       session_.accept();
                     },
                     [&](ehlo::question auto const&) { session_.answer_default(); },
                     [&](const auto&) {},
                 },
                 session_.next(octets));
    }
  }

  ehlo::server_session session_;
  std::string to_client_;
  std::string buffer_;
  std::string message_;
};

/// What the caller keeps of the results.
struct fake_queue {
  void delivered(std::uint32_t) { ++deliveries; }
  void refused(std::uint32_t index, std::string_view why) { refusals.push_back(fmt::format("{}: {}", index, why)); }
  void deferred(std::uint32_t index) { deferrals.push_back(index); }
  void failed(ehlo::errc why, bool) { failures.push_back(why); }

  int deliveries = 0;
  std::vector<std::string> refusals;
  std::vector<std::uint32_t> deferrals;
  std::vector<ehlo::errc> failures;
};

// clang-format off
void send(server_socket& socket, std::string_view message, fake_queue& queue) {
  ehlo::client_options options{.hostname = "client.example.org"};
  ehlo::client_session session{options};
  const auto mail = ehlo::envelope::make("a@client.example.org", {"b@example.org", "nobody@example.org"});
  session.begin_transaction(*mail, ehlo::traits_of(message));
  session.quit();  // when that is done
  std::string_view input;

  bool open = true;
  while (open) {
    std::visit(ehlo::overloaded{
      [&](ehlo::transmit a)                    { socket.write_all(a.octets); },
      [&](ehlo::receive)                       { input = socket.read_some();  if (input.empty()) session.end_of_input(); },
      [&](ehlo::start_tls)                     { socket.handshake() ? session.tls_started() : session.tls_failed(); },
      [&](ehlo::mail_data_question const&)     { session.end_of_mail_data(message); },
      [&](ehlo::recipient_result const& r)     { if (!r.is_accepted()) queue.refused(r.index, r.reply.text()); },
      [&](ehlo::recipient_deferred const& r)   { queue.deferred(r.index); },  // the server takes no more in this session
      [&](ehlo::message_result const& r)       { if (r.is_accepted()) queue.delivered(r.first); },  // of those that have no result yet
      [&](ehlo::transaction_failed const& f)   { queue.failed(f.reason, f.is_transient()); },
      [&](ehlo::close_channel)                 { open = false; },
      [&](ehlo::idle)                          {},  // not here: QUIT was asked for
      [&](ehlo::answer_due)                    {},  // not here: every question is answered at once
      [&](ehlo::question auto const&)          { session.answer_default(); },  // no credentials
      [&](ehlo::notice auto const&)            {},
    }, session.next(input));
  }
}
// clang-format on

const std::string text = "Subject: dots\r\n\r\n.one\r\n";

ehlo::server_options with_tls() {
  ehlo::server_options options{.hostname = "mx.example.org"};
  options.tls = ehlo::tls_mode::required;
  return options;
}

}  // namespace

TEST_CASE("the client's loop of the README is a complete client", "[docs]") {
  const ehlo::server_options options = with_tls();
  server_socket socket{options};
  fake_queue queue;
  send(socket, text, queue);
  CHECK(socket.messages == std::vector{text});
  CHECK(queue.deliveries == 1);
  CHECK(queue.refusals == std::vector<std::string>{"1: No such user here"});
  CHECK(queue.deferrals.empty());
  CHECK(queue.failures.empty());
  CHECK(socket.written.ends_with("QUIT\r\n"));
}

namespace {

/// Runs a client session with a handler that has the rest.
template <class Handler>
void run(ehlo::client_session& session, server_socket& socket, Handler& handler) {
  std::string_view input;
  handler.socket = &socket;
  handler.input = &input;
  handler.session = &session;
  while (ehlo::dispatch(session, session.next(input), handler)) {
  }
}

struct basic_handler {
  void on(ehlo::transmit a) { socket->write_all(a.octets); }
  void on(ehlo::receive) {
    *input = socket->read_some();
    if (input->empty()) session->end_of_input();
  }
  void on(ehlo::start_tls) { session->tls_started(ehlo::server_identity::verified); }

  server_socket* socket = nullptr;
  std::string_view* input = nullptr;
  ehlo::client_session* session = nullptr;
};

struct reading_handler : basic_handler {
  using basic_handler::on;

  void on(ehlo::start_tls) {
    socket->handshake();
    session->tls_started(ehlo::server_identity::verified);
  }
  void on(const ehlo::mail_data_question& q) {
    if (q.begin) file.rewind();
    const std::string_view octets = file.read();  // stays in place until the next question
    file.is_at_end() ? session->end_of_mail_data(octets) : session->data(octets);
  }
  void on(const ehlo::credentials_question& q) {
    const ehlo::sasl::client_credentials who{.authentication_identity = "alice", .proof = ehlo::secret{password}};
    ehlo::sasl::answer(*session, q, who, scratch);
  }
  bool on(ehlo::idle) {
    if (next == mails.size()) return session->quit().has_value();
    return session->begin_transaction(mails[next++], ehlo::traits_of(text)).has_value();
  }
  void on(const ehlo::message_result& r) { results.push_back(fmt::format("{}", r.reply)); }
  void on(const ehlo::recipient_result& r) {
    const std::string line = fmt::format("{}", r.reply);  // one line, fit for a log or a terminal
    if (!r.is_accepted()) results.push_back(line);
  }

  struct {
    void rewind() { at = 0; }
    std::string_view read() { return std::string_view{text}.substr(std::exchange(at, at + 10), 10); }
    bool is_at_end() const { return at >= text.size(); }
    std::size_t at = 0;
  } file{};
  std::string password = "wonder";
  std::array<char, 1024> scratch{};
  std::vector<ehlo::envelope> mails{};
  std::size_t next = 0;
  std::vector<std::string> results{};
};

}  // namespace

TEST_CASE("several messages go in one session, each read in pieces, after AUTH under TLS", "[docs]") {
  static constexpr ehlo::auth_mechanism offered[] = {ehlo::mechanisms::plain, ehlo::mechanisms::login};
  ehlo::server_options there = with_tls();
  there.mechanisms = offered;
  there.auth_required = true;
  there.extensions.dsn = true;
  server_socket socket{there};

  ehlo::client_options options{.hostname = "client.example.org"};
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::scram_sha_256, ehlo::mechanisms::plain};
  options.mechanisms = mechanisms;  // in the order of choice; no other is ever used
  ehlo::client_session session{options};
  reading_handler handler;

  ehlo::envelope mail;
  const ehlo::sender_options sender{.ret = ehlo::ret_type::hdrs};
  const ehlo::recipient_options recipient{.notify = ehlo::notify_set{.success = true, .failure = true}};
  const bool is_good = mail.begin("a@client.example.org", sender) && mail.add("b@example.org", recipient);
  CHECK(is_good);
  handler.mails.push_back(std::move(mail));
  handler.mails.push_back(*ehlo::envelope::make("<>", {"nobody@example.org", "b@example.org"}));
  run(session, socket, handler);

  CHECK(socket.user == "alice");
  CHECK(socket.messages == std::vector{text, text});
  CHECK(handler.results ==
        std::vector<std::string>{"250 2.6.0 Message accepted", "550 5.1.1 No such user here", "250 2.6.0 Message accepted"});
  CHECK(socket.written.find("RET=HDRS\r\nRCPT TO:<b@example.org> NOTIFY=SUCCESS,FAILURE\r\n") != std::string::npos);
}

namespace {

/// A mechanism of a caller, for the shape of it.
class token_mechanism {
 public:
  ehlo::result<ehlo::sasl::client_step> step(std::optional<std::string_view> challenge, std::span<char> out) {
    if (challenge && !challenge->empty()) return ehlo::error{ehlo::errc::authentication_failed};
    std::copy(token_.begin(), token_.end(), out.begin());
    return ehlo::sasl::client_step{token_.size(), true};
  }

 private:
  std::string_view token_{"\0alice\0wonder", 13};
};
static_assert(ehlo::sasl::client_mechanism<token_mechanism>);

struct token_handler : reading_handler {
  using reading_handler::on;
  void on(const ehlo::credentials_question& q) { ehlo::sasl::answer(*session, q, mechanism, scratch); }

  token_mechanism mechanism;
};

}  // namespace

TEST_CASE("a mechanism of another library answers by the concept", "[docs]") {
  static constexpr ehlo::auth_mechanism offered[] = {ehlo::mechanisms::plain};
  ehlo::server_options there = with_tls();
  there.mechanisms = offered;
  server_socket socket{there};
  ehlo::client_options options{.hostname = "client.example.org"};
  options.mechanisms = offered;
  ehlo::client_session session{options};
  token_handler handler;
  handler.mails.push_back(*ehlo::envelope::make("a@client.example.org", {"b@example.org"}));
  run(session, socket, handler);
  CHECK(socket.user == "alice");
  CHECK(handler.results == std::vector<std::string>{"250 2.6.0 Message accepted"});
}

TEST_CASE("hosts are tried in their order, and a message is given up in the end", "[docs]") {
  const auto random = [](std::size_t n) { return n - 1; };
  std::vector<std::string> tried;
  const auto try_host = [&tried](std::string_view name) {
    tried.emplace_back(name);
    return name == "mx2.example.org";
  };
  ehlo::enhanced_status_code reported;
  const auto report = [&reported](ehlo::enhanced_status_code status) { reported = status; };

  // clang-format off
  std::array<ehlo::mx_record, 4> records{{{20, "mx2.example.org."}, {10, "mx1.example.org."}, {10, "mx0.example.org."}, {30, "me.example.net."}}};
  constexpr std::array<std::string_view, 1> me{"me.example.net"};  // empty for a host that is nobody's exchanger
  const auto route = ehlo::route_to("example.org", ehlo::mx_lookup::answered, records, random, ehlo::own_names{me});
  if (ehlo::is_permanent(route.verdict())) report(ehlo::status_of(route.verdict()));  // 5.1.10 for null MX
  for (const ehlo::mx_record& mx : route.exchangers()) {
    if (try_host(mx.name())) break;  // all its addresses, in the resolver's order
  }
  // clang-format on
  CHECK(reported.is_none());
  REQUIRE(tried.size() == 3);
  CHECK(tried[0] != tried[1]);
  CHECK(tried[2] == "mx2.example.org");

  const std::uint32_t attempts = 70;
  const std::uint64_t seconds_in_queue = 6 * 24 * 60 * 60;
  bool is_over = false;
  const auto give_up = [&is_over] { is_over = true; };
  const ehlo::retry_schedule schedule;  // half an hour, then two hours, for five days; a notice for one
  const auto wait = schedule.wait_after(attempts, seconds_in_queue);
  if (!wait) give_up();
  CHECK(is_over);
}

TEST_CASE("what cannot go as asked is known before anything is sent", "[docs]") {
  const ehlo::client_options options{.hostname = "client.example.org"};
  const std::string message =
      "Subject: Gr\xC3\xBC\xC3\x9F"
      "e\r\n\r\n";
  const auto mail = ehlo::envelope::make("a@client.example.org", {"b@example.org"});
  ehlo::capabilities offered = ehlo::capabilities::parse(*ehlo::parse_reply("250-mx\r\n250 8BITMIME\r\n"));

  std::string why;
  const auto plan = ehlo::plan_transaction(*mail, ehlo::traits_of(message), {.capabilities = offered}, options);
  if (!plan) why = fmt::format("{}", plan.error().code);
  CHECK(why == "the message needs SMTPUTF8, which the server does not offer (RFC 6531 3.2)");
  CHECK(plan.error().code == ehlo::errc::smtputf8_not_offered);
}

TEST_CASE("a header section is composed, and nothing can be injected", "[docs]") {
  const ehlo::person from{.mailbox = *ehlo::mailbox::parse("a@client.example.org"), .display_name = "A. Sender"};
  const ehlo::person to{.mailbox = *ehlo::mailbox::parse("b@example.org")};
  const ehlo::header_section section{
      .from = {&from, 1},
      .to = {&to, 1},
      .subject = "Hello",
      .date = *ehlo::date_time::from_unix(1704099600),
      .message_id = *ehlo::message_id::parse("<1@client.example.org>"),
  };
  std::string message(*ehlo::room_for(section), ' ');
  if (ehlo::write(section, message)) message += "A text.\r\n";
  CHECK(message ==
        "From: \"A. Sender\" <a@client.example.org>\r\nTo: b@example.org\r\nSubject: Hello\r\n"
        "Date: Mon, 1 Jan 2024 09:00:00 +0000\r\nMessage-ID: <1@client.example.org>\r\n\r\nA text.\r\n");
}

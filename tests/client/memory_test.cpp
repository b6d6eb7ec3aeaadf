// SPDX-License-Identifier: BSL-1.0
// Where a client's memory comes from: nothing on the heap before it is needed, nothing in steady state, and never anything with
// fixed storage.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <ehlo/client/session.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/scarce_storage.hpp"

namespace {

constexpr std::string_view message = "Subject: x\r\n\r\n.Hello\r\n";
constexpr std::string_view greeting = "220 hi\r\n";

/// A server: what it offers, and what it says to a message, up to the question for the message's octets and behind it.
struct server {
  std::string_view hello = "250-mx.example\r\n250-PIPELINING\r\n250 SIZE\r\n";
  std::string_view accepted = "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n";
  std::string_view taken = "250 taken\r\n";
  ehlo::protocol protocol = ehlo::protocol::smtp;
  std::uint32_t coalesced = 0;
  bool waits = false;  ///< it says nothing ahead of a command
};
constexpr server common{};

/// Gives `wire` in pieces of `cut` until the session is idle or wants more than there is; counts the messages that were taken.
template <class Session>
std::size_t converse(Session& session, std::string_view wire, std::size_t cut, bool waits = false) {
  std::size_t messages = 0;
  std::string_view input;
  bool open = true;
  while (open) {
    const ehlo::client_action action = session.next(input);
    if (std::holds_alternative<ehlo::receive>(action)) {
      input = wire.substr(0, waits ? std::min(cut, wire.find('\n') + 1) : cut);
      wire.remove_prefix(input.size());
      open = !input.empty();
    }
    if (std::holds_alternative<ehlo::idle>(action) || std::holds_alternative<ehlo::close_channel>(action)) open = false;
    if (std::holds_alternative<ehlo::mail_data_question>(action)) session.end_of_mail_data(message);
    if (const auto* const a = std::get_if<ehlo::message_result>(&action)) messages += a->is_accepted() ? 1U : 0U;
  }
  return messages;
}

/// A message on an open session, the server's octets cut.
template <class Session>
std::size_t send_one(Session& session, ehlo::envelope_view mail, std::size_t cut, const server& to = common) {
  CHECK(session.begin_transaction(mail, ehlo::traits_of(message)).has_value());
  std::size_t messages = converse(session, to.accepted, cut, to.waits);
  messages += converse(session, to.taken, cut);
  return messages;
}

}  // namespace

TEST_CASE("the second message and all after it allocate nothing, however the replies are cut", "[client][memory]") {
  const server servers[] = {
      common,
      {.hello = "250-mx\r\n250 HELP\r\n", .waits = true},
      {.hello = "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n", .accepted = "250 ok\r\n250 ok\r\n250 ok\r\n"},
      {.accepted = "250 ok\r\n250-but\r\n250 ok\r\n550 5.1.1 who is that, of whom nobody has ever heard?\r\n354 go\r\n"},
      {.coalesced = 256},
      {.taken = "250 b has it\r\n250 c has it\r\n", .protocol = ehlo::protocol::lmtp},
  };
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  REQUIRE(mail.has_value());
  for (const server& to : servers) {
    ehlo::client_options options{.hostname = "client.example", .protocol = to.protocol, .tls = ehlo::tls_policy::never};
    options.limits.coalesced = to.coalesced;
    const std::size_t results = to.protocol == ehlo::protocol::lmtp ? 2 : 1;
    for (const std::size_t cut : {1U, 7U, 10000U}) {
      CAPTURE(to.hello, to.accepted, to.coalesced, cut);
      ehlo::client_session session{options};
      converse(session, greeting, cut);
      converse(session, to.hello, cut);
      CHECK(send_one(session, *mail, cut, to) == results);
      const std::size_t before = counted::allocations;
      for (int i = 0; i < 10; ++i) {
        if (send_one(session, *mail, cut, to) != results) FAIL("the message was not taken");
      }
      CHECK(counted::allocations == before);
    }
  }
}

TEST_CASE("a refused message, and RSET before the next, allocate nothing in steady state", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  REQUIRE(mail.has_value());
  constexpr server refusing{.accepted = "250 ok\r\n550 no\r\n450 no\r\n554 no\r\n", .taken = "250 reset\r\n"};
  for (const std::size_t cut : {1U, 7U, 10000U}) {
    ehlo::client_session session{options};
    converse(session, greeting, cut);
    converse(session, refusing.hello, cut);
    send_one(session, *mail, cut, refusing);
    const std::size_t before = counted::allocations;
    for (int i = 0; i < 10; ++i) send_one(session, *mail, cut, refusing);
    CHECK(counted::allocations == before);
    CHECK(send_one(session, *mail, cut) == 1);
  }
}

// What the octets of a client session are for: docs/explanation/design.md gives the same account.
TEST_CASE("a client session has no octet that is not accounted for", "[client][memory]") {
  STATIC_REQUIRE(sizeof(ehlo::client_session) <= 512);
  if constexpr (sizeof(void*) == 8) {
    constexpr std::size_t storage = sizeof(ehlo::growing_storage);  // line and output: 64 inline, the rest on demand
    constexpr std::size_t learned = sizeof(ehlo::capabilities);     // what EHLO told
    constexpr std::size_t asked_for =                               // the envelope and octets of the caller, and the plan
        sizeof(ehlo::envelope_view) + sizeof(std::string_view) + sizeof(ehlo::transaction_plan) + sizeof(std::uint64_t);
    constexpr std::size_t codec = sizeof(ehlo::mail_data_writer) + sizeof(ehlo::reply_parser);
    constexpr std::size_t lmtp = 16;                                   // a bit for each of 128 recipients
    constexpr std::size_t domains = 4 * 4;                             // hashes for RCPTDOMAINMAX
    constexpr std::size_t places = sizeof(void*) + 2 * 8;              // the options, and how far the input is
    constexpr std::size_t counters = 15 * 4 + 2 * 2 + 2;               // recipients, groups, batches, tickets, waits, challenges
    constexpr std::size_t state = 5 + 2 * sizeof(ehlo::errc) + 2 + 5;  // six small enumerations, and bits
    constexpr std::size_t all = storage + learned + asked_for + codec + lmtp + domains + places + counters + state;
    STATIC_REQUIRE(all + 8 > sizeof(ehlo::client_session));  // the rest is padding
  }
}

TEST_CASE("greeting and EHLO allocate nothing while they come whole", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  const std::size_t before = counted::allocations;
  converse(session, greeting, 10000);
  converse(session, common.hello, 10000);
  CHECK(counted::allocations == before);
}

TEST_CASE("fixed storage and a fixed envelope never allocate", "[client][memory]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const std::size_t before = counted::allocations;
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example", "c@mx.example"});
  ehlo::fixed_client_session<> session{options};
  converse(session, greeting, 1);
  converse(session, common.hello, 1);
  const std::size_t messages = send_one(session, *mail, 1);
  const std::size_t after = counted::allocations;
  CHECK(messages == 1);
  CHECK(after == before);
}

TEST_CASE("a copy of a client that finds no memory says close_channel, and the original goes on", "[client][memory][T62]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options};
  converse(session, "220 mx.exa", 4);
  counted::failing = 1;
  ehlo::client_session copy = session;
  ehlo::client_session of_copy = copy;
  counted::failing = 0;
  std::string_view input;
  CHECK(std::holds_alternative<ehlo::close_channel>(copy.next(input)));
  CHECK(std::holds_alternative<ehlo::close_channel>(of_copy.next(input)));
  const ehlo::client_session again = copy;
  CHECK(again.capabilities() == ehlo::capabilities{});
  ehlo::client_session third = again;
  CHECK(std::holds_alternative<ehlo::close_channel>(third.next(input)));
  converse(session, "mple\r\n", 4);
  session.trim();
  converse(session, common.hello, 4);
  CHECK(session.capabilities().has(ehlo::extension::pipelining));
  CHECK(&session.options() == &options);
}

TEST_CASE("an envelope that finds no memory is none, and one that cannot grow stays what it is", "[envelope][memory][T62]") {
  counted::failing = 1;
  const auto none = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  counted::failing = 0;
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == ehlo::errc::out_of_memory);
  auto some = ehlo::envelope::make("a@client.example", {"b@mx.example"});
  REQUIRE(some.has_value());
  counted::failing = 1;
  std::size_t added = 1;
  auto last = some->add("c@mx.example");
  for (; last.has_value() && added < 1000; ++added) last = some->add("c@mx.example");
  counted::failing = 0;
  REQUIRE_FALSE(last.has_value());
  CHECK(last.error().code == ehlo::errc::out_of_memory);
  const ehlo::envelope_view view = *some;
  CHECK(view.recipient_count() == added);
  CHECK(some->add("c@mx.example").has_value());
  CHECK(ehlo::envelope_view{*some}.recipient_count() == added + 1);
}

// ---- Every request for memory, one after the other, finds none
// -------------------------------------------------------------------

namespace {

/// A server that answers each line as it comes.
class answering_server {
 public:
  explicit answering_server(std::string_view keywords) : keywords_{keywords} {}

  std::string answer(std::string_view octets) {
    std::string out;
    for (const char c : octets) {
      if (chunk_left_ > 0) {
        if (--chunk_left_ == 0) out += "250 chunk\r\n";
        continue;
      }
      line_ += c;
      if (!line_.ends_with("\r\n")) continue;
      out += answer_line();
      line_.clear();
    }
    return out;
  }

 private:
  std::string answer_line() {
    const auto is = [this](std::string_view word) { return line_.starts_with(word); };
    if (is_data_) {
      if (line_ != ".\r\n") return {};
      is_data_ = false;
      return "250 taken\r\n";
    }
    if (is("EHLO")) return "250-mx.example\r\n" + std::string{keywords_} + "250 SIZE\r\n";
    if (is("STARTTLS")) return "220 go\r\n";
    if (is("AUTH LOGIN")) {
      auth_ = 2;
      return "334 VXNlcm5hbWU6\r\n";
    }
    if (is("AUTH") && line_.find(' ', 5) == line_.npos) {
      auth_ = 1;
      return "334 \r\n";
    }
    if (auth_ > 1) {
      --auth_;
      return is("*") ? "501 cancelled\r\n" : "334 UGFzc3dvcmQ6\r\n";
    }
    if (auth_ == 1) {
      auth_ = 0;
      return is("*") ? "501 cancelled\r\n" : "235 ok\r\n";
    }
    if (is("AUTH")) return "235 ok\r\n";
    if (is("RCPT TO:<no")) return "550 no\r\n";
    if (is("DATA")) {
      is_data_ = true;
      return "354 go\r\n";
    }
    if (is("BDAT")) {
      chunk_left_ = std::stoull(line_.substr(5));
      return chunk_left_ == 0 ? "250 chunk\r\n" : "";
    }
    return is("QUIT") ? "221 bye\r\n" : "250 ok\r\n";
  }

  std::string_view keywords_;
  std::string line_;
  std::uint64_t chunk_left_ = 0;
  bool is_data_ = false;
  int auth_ = 0;
};

/// What a session did.
struct course {
  std::vector<std::size_t> told;  ///< the actions that are neither transmit nor receive
  std::string sent;
  bool is_out_of_memory = false;
  std::size_t failures_of_requests = 0;
  std::size_t requests = 0;
  std::size_t failures = 0;
};

struct conversation {
  std::string_view name;
  std::string_view keywords{};
  ehlo::envelope_view mail{};
  std::string_view octets = message;
  bool single_commands = false;
  bool declines = false;
  bool abandons = false;
};

class scarce_client {
 public:
  explicit scarce_client(const ehlo::client_options& options) : session_{options} {}

  course hold(const conversation& c, std::size_t cut) {
    answering_server server{c.keywords};
    std::string due = "220 mx.example\r\n";
    std::string kept;
    std::string_view input;
    if (c.mail.recipient_count() > 0) CHECK(session_.begin_transaction(c.mail, ehlo::traits_of(c.octets)).has_value());
    bool open = true;
    for (int turns = 0; open; ++turns) {
      if (turns == most_turns) {
        FAIL("the session loops");
      }
      const ehlo::client_action action = session_.next(input);
      const auto is = [&action]<class Action>(std::type_identity<Action>) { return std::holds_alternative<Action>(action); };
      if (const auto* const a = std::get_if<ehlo::transmit>(&action)) {
        out_.sent += a->octets;
        due += server.answer(a->octets);
      } else if (is(std::type_identity<ehlo::receive>{})) {
        if (due.empty()) {
          FAIL("the session waits for nothing");
        }
        kept = due.substr(0, cut);
        due.erase(0, kept.size());
        input = kept;
      } else {
        if (!is(std::type_identity<ehlo::idle>{})) out_.told.push_back(action.index());
        open = !is(std::type_identity<ehlo::close_channel>{});
      }
      if (const auto* const a = std::get_if<ehlo::failed>(&action)) {
        CHECK(a->reason == ehlo::errc::out_of_memory);
        out_.is_out_of_memory = true;
      }
      if (is(std::type_identity<ehlo::start_tls>{})) CHECK(session_.tls_started(ehlo::server_identity::verified).has_value());
      if (is(std::type_identity<ehlo::mail_data_question>{}))
        CHECK((c.abandons ? session_.abandon() : session_.end_of_mail_data(c.octets)).has_value());
      if (is(std::type_identity<ehlo::credentials_question>{})) {
        const auto taken = c.declines && asked_++ > 0 ? session_.decline() : session_.respond(credentials);
        if (!taken) CHECK(taken.error().code == ehlo::errc::out_of_memory);
      }
      if (is(std::type_identity<ehlo::idle>{})) go_on(c);
    }
    out_.requests = scarce_storage::requests;
    out_.failures = scarce_storage::failures;
    return out_;
  }

 private:
  static constexpr std::string_view credentials = "the name of somebody, and a password that is not short at all";

  /// The single commands, one after the other, and QUIT; one that found no memory is asked for again.
  void go_on(const conversation& c) {
    const std::size_t which = c.single_commands ? next_ : commands;
    const auto asked = ask(which);
    if (!asked) {
      CHECK(asked.error().code == ehlo::errc::out_of_memory);
      ++out_.failures_of_requests;
      if (ask(which)) {
        ++next_;
      } else {
        CHECK(session_.quit().has_value());
      }
      return;
    }
    ++next_;
  }

  static constexpr int most_turns = 100000;
  static constexpr std::size_t commands = 7;
  ehlo::result<void> ask(std::size_t which) {
    switch (which) {
      case 0: return session_.noop();
      case 1: return session_.reset();
      case 2: return session_.verify("joe");
      case 3: return session_.help("MAIL");
      case 4: return session_.raw("XVERB something");
      case 5: return session_.etrn("mx.example");
      case 6: return session_.expand("list");
      default: return session_.quit();
    }
  }

  ehlo::basic_client_session<scarce_storage> session_;
  course out_;
  std::size_t next_ = 0;
  std::size_t asked_ = 0;
};

course hold(const ehlo::client_options& options, const conversation& c, std::size_t cut, std::size_t failing_at = 0,
            scarce_storage::lack how = scarce_storage::lack::none) {
  scarce_storage::fail_at(failing_at, how);
  course out = scarce_client{options}.hold(c, cut);
  scarce_storage::fail_at(0, scarce_storage::lack::none);
  return out;
}

/// Whichever request fails: up to there all is as it would have been. Then the session fails without a word, or the caller's
/// request does, and the session goes on.
void check_scarcity(const ehlo::client_options& options, const conversation& c) {
  REQUIRE(options.check().has_value());
  for (const std::size_t cut : {std::size_t{5}, std::size_t{100000}}) {
    const course whole = hold(options, c, cut);
    REQUIRE_FALSE(whole.is_out_of_memory);
    for (std::size_t n = 1; n <= whole.requests; ++n) {
      for (const auto how : {scarce_storage::lack::once, scarce_storage::lack::for_good}) {
        CAPTURE(c.name, cut, n, how == scarce_storage::lack::once);
        const course broken = hold(options, c, cut, n, how);
        REQUIRE(broken.failures > 0);
        CHECK((broken.is_out_of_memory || broken.failures_of_requests > 0 || broken.sent == whole.sent));
        CHECK(whole.sent.starts_with(broken.sent));
        if (how == scarce_storage::lack::once && broken.failures_of_requests > 0) {
          CHECK_FALSE(broken.is_out_of_memory);
          CHECK(broken.sent == whole.sent);
          CHECK(broken.told == whole.told);
        }
        if (broken.is_out_of_memory) CHECK(broken.sent.size() < whole.sent.size() + (whole.sent == broken.sent ? 1U : 0U));
        // What was told is what would have been told, up to the failure, and nobody's message is said to be taken behind it.
        const auto differs = std::mismatch(broken.told.begin(), broken.told.end(), whole.told.begin(), whole.told.end());
        const auto count = [](auto from, auto to) {
          return std::count(from, to, ehlo::client_action{ehlo::message_result{}}.index());
        };
        CHECK(count(differs.first, broken.told.end()) == 0);
      }
    }
  }
}

}  // namespace

TEST_CASE("whichever request for memory finds none, the client fails without a word, and has said nothing wrong before",
          "[client][memory][T62]") {
  constexpr std::array plain{ehlo::mechanisms::plain};
  constexpr std::array login{ehlo::mechanisms::login};
  const auto two = *ehlo::fixed_envelope<300>::make("a@client.example", {"b@mx.example", "no@mx.example"});
  const auto nobody = *ehlo::fixed_envelope<200>::make("a@client.example", {"no@mx.example"});
  const ehlo::client_options common_options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const std::string long_message = "Subject: x\r\n\r\n" + std::string(700, 'x') + "\r\n";

  check_scarcity(common_options, {"one by one", "", two});
  check_scarcity(common_options, {"pipelined", "250-PIPELINING\r\n", two});
  check_scarcity(common_options, {"chunks", "250-CHUNKING\r\n", two});
  check_scarcity(common_options, {"a message for nobody", "250-PIPELINING\r\n", nobody});
  check_scarcity(common_options, {"abandoned chunks", "250-CHUNKING\r\n", two, message, false, false, true});
  check_scarcity(common_options, {"single commands", "250-ETRN\r\n", {}, message, true});

  ehlo::client_options options = common_options;
  options.limits.coalesced = 256;
  check_scarcity(options, {"coalesced", "", two, long_message});
  check_scarcity(options, {"coalesced chunks", "250-CHUNKING\r\n", two, long_message});

  options = common_options;
  options.tls = ehlo::tls_policy::required;
  check_scarcity(options, {"TLS", "250-STARTTLS\r\n", two});

  options = common_options;
  options.mechanisms = plain;
  options.auth_without_tls = true;
  options.auth_required = false;
  check_scarcity(options, {"PLAIN", "250-AUTH PLAIN\r\n", two});
  options.mechanisms = login;
  check_scarcity(options, {"LOGIN", "250-AUTH LOGIN\r\n", two});
  check_scarcity(options, {"LOGIN declined", "250-AUTH LOGIN\r\n", two, message, false, true});
}

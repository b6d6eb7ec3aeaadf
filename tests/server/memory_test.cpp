// SPDX-License-Identifier: BSL-1.0
// Where a session's memory comes from: a program of its own, because it counts and fails allocations by replacing operator new.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/server/session.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/scarce_storage.hpp"

namespace {

using counted::allocations;
using counted::failing;
using counted::failures;
std::size_t live_octets_limit = 0;  // largest request seen while counting

void* allocate(std::size_t size) {
  ++allocations;
  live_octets_limit = size > live_octets_limit ? size : live_octets_limit;
  return std::malloc(size == 0 ? 1 : size);
}

void* allocate_or_fail(std::size_t size) {
  if (failing == 1) {
    ++failures;
    return nullptr;
  }
  if (failing > 1) --failing;
  return allocate(size);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* const p = allocate(size)) return p;
  std::abort();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_fail(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate_or_fail(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }

namespace {

struct outcome {
  std::size_t allocations = 0;
  std::size_t messages = 0;
  std::size_t resets = 0;
  int last_code = 0;
  bool closed = false;
};

/// Feeds `wire` in pieces and answers every question with success; allocates nothing itself.
template <class Session>
outcome converse(Session& session, std::string_view wire, std::size_t cut) {
  outcome out;
  std::string_view input;
  const std::size_t before = allocations;
  for (bool open = true; open;) {
    const ehlo::server_action action = session.next(input);
    if (const auto* const a = std::get_if<ehlo::transmit>(&action)) {
      std::size_t start = a->octets.rfind('\n', a->octets.size() - 2);
      start = start == std::string_view::npos ? 0 : start + 1;
      out.last_code = (a->octets[start] - '0') * 100 + (a->octets[start + 1] - '0') * 10 + (a->octets[start + 2] - '0');
    } else if (std::holds_alternative<ehlo::receive>(action)) {
      if (wire.empty()) break;
      input = wire.substr(0, cut);
      wire.remove_prefix(input.size());
    } else if (std::holds_alternative<ehlo::close_channel>(action)) {
      out.closed = true;
      open = false;
    } else if (std::holds_alternative<ehlo::message_question>(action)) {
      ++out.messages;
      session.accept();
    } else if (std::holds_alternative<ehlo::transaction_reset>(action)) {
      ++out.resets;
    } else if (std::holds_alternative<ehlo::rcpt_question>(action)) {
      session.accept();
    } else if (std::holds_alternative<ehlo::auth_question>(action)) {
      session.authenticated();
    } else if (session.open_question().serial != 0) {
      session.answer_default();
    }
  }
  out.allocations = allocations - before;
  return out;
}

constexpr std::string_view hello = "EHLO client.example\r\n";
constexpr std::string_view transaction =
    "MAIL FROM:<a@client.example> SIZE=100\r\nRCPT TO:<b@mx.example>\r\nRCPT TO:<c@mx.example>\r\nDATA\r\nSubject: "
    "x\r\n\r\n..\r\n.\r\n"
    "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nBDAT 3\r\nabcBDAT 0 LAST\r\nHELP\r\nVRFY b\r\nFOO\r\n";

const ehlo::server_options options{.hostname = "mx.example"};

}  // namespace

TEST_CASE("a session is small", "[server][memory]") {
  STATIC_REQUIRE(sizeof(ehlo::server_session) <= 256);
  STATIC_REQUIRE(sizeof(ehlo::server_action) <= 96);
  STATIC_REQUIRE(sizeof(ehlo::fixed_server_session<>) <= 3072);
}

TEST_CASE("a session of fixed size never allocates", "[server][memory]") {
  for (const std::size_t cut : {1U, 3U, 50U, 100000U}) {
    CAPTURE(cut);
    ehlo::fixed_server_session<> session{options};
    CHECK(converse(session, hello, cut).allocations == 0);
    const outcome first = converse(session, transaction, cut);
    CHECK(first.allocations == 0);
    CHECK(first.messages == 2);
    CHECK(converse(session, "NOOP " + std::string(2000, 'x') + "\r\nQUIT\r\n", cut).allocations == 0);
  }
}

TEST_CASE("a session that grows allocates nothing in steady state", "[server][memory]") {
  for (const std::size_t cut : {1U, 3U, 50U, 100000U}) {
    CAPTURE(cut);
    ehlo::server_session session{options};
    converse(session, hello, cut);
    CHECK(converse(session, transaction, cut).messages == 2);
    for (int i = 0; i < 5; ++i) {
      const outcome again = converse(session, transaction, cut);
      CHECK(again.allocations == 0);
      CHECK(again.messages == 2);
    }
  }
}

TEST_CASE("nothing is on the heap before the first cut line or the first replies over the inline octets", "[server][memory]") {
  ehlo::server_session session{options};
  CHECK(converse(session, {}, 100).allocations == 0);  // the greeting
  std::size_t count = 0;
  for (const std::string_view line : {"HELO client.example\r\n", "NOOP\r\n", "MAIL FROM:<a@b.example>\r\n",
                                      "RCPT TO:<c@d.example>\r\n", "DATA\r\n", "a message\r\n.\r\n", "RSET\r\n", "FOO\r\n"}) {
    count += converse(session, line, 1000).allocations;
  }
  CHECK(count == 0);
  CHECK(converse(session, "NO", 1000).allocations == 1);
}

TEST_CASE("trim gives the heap back, and the session goes on", "[server][memory]") {
  ehlo::server_session session{options};
  converse(session, hello, 1);
  converse(session, transaction, 1);
  session.trim();
  const outcome again = converse(session, transaction, 1);
  CHECK(again.allocations > 0);
  CHECK(again.messages == 2);
}

TEST_CASE("no line that never ends is kept", "[server][memory][T7][T44]") {
  ehlo::server_session session{options};
  converse(session, hello, 1000);
  const std::string endless(1U << 20U, 'x');
  live_octets_limit = 0;
  CHECK_FALSE(converse(session, endless, 4096).closed);
  CHECK(live_octets_limit <= 2048);
  CHECK(converse(session, "\r\nNOOP\r\n", 1000).last_code == 250);
}

TEST_CASE("whichever allocation fails, the session says 421 and ends", "[server][memory][T62]") {
  for (std::size_t n = 1; n < 12; ++n) {
    for (const std::size_t cut : {1U, 7U, 100000U}) {
      CAPTURE(n, cut);
      ehlo::server_session session{options};
      failing = n;
      failures = 0;
      const std::string wire = std::string{hello} + std::string{transaction} + "QUIT\r\n";
      const outcome out = converse(session, wire, cut);
      const bool has_failed = failures > 0;
      failing = 0;
      CHECK(out.closed);
      CHECK(out.last_code == (has_failed ? 421 : 221));
      CHECK(out.messages <= 2);
      std::string_view more = "NOOP\r\n";
      CHECK(std::holds_alternative<ehlo::close_channel>(session.next(more)));
    }
  }
}

TEST_CASE("a copy that finds no memory says close_channel, and the original goes on", "[server][memory][T62]") {
  ehlo::server_session session{options};
  converse(session, "EHLO clie", 4);
  failing = 1;
  ehlo::server_session copy = session;
  failing = 0;
  std::string_view input;
  CHECK(std::holds_alternative<ehlo::close_channel>(copy.next(input)));
  CHECK(converse(session, "nt.example\r\n", 4).last_code == 250);
  ehlo::server_session second = session;
  CHECK(converse(second, "NOOP\r\n", 4).last_code == 250);
}

// ---- Every request for memory, one after the other, finds none
// -------------------------------------------------------------------

namespace {

constexpr std::array mechanisms{ehlo::mechanisms::plain, ehlo::mechanisms::login};
constexpr std::array verbs{ehlo::custom_verb{"XVERB"}};

/// What the caller answers to all questions of a session.
enum class verdict { yes, no, gone, by_default };
constexpr ehlo::reply no{550, {5, 0, 0}, "Message refused"};  // what the session says where it has no room to keep the words
constexpr ehlo::reply gone{421, {4, 3, 2}, "Going down"};

/// What a session did with the octets of its client.
struct course {
  std::vector<std::size_t> asked;  ///< which questions, and where start_tls came
  std::string sent;
  bool closed = false;
  std::size_t requests = 0;
  std::size_t failures = 0;
};

struct conversation {
  std::string_view name;
  std::string wire;
  verdict says = verdict::yes;
  bool goes_down = false;       ///< at its end the service does
  bool refuses_midway = false;  ///< each slice of mail data is refused
};

class scarce_server {
 public:
  explicit scarce_server(const ehlo::server_options& how) : session_{how} {}

  course hold(const conversation& c, std::size_t cut) {
    says_ = c.says;
    refuses_midway_ = c.refuses_midway;
    std::string_view left = c.wire;
    std::string_view input;
    for (int turns = 0; !out_.closed; ++turns) {
      if (turns == most_turns) {
        FAIL("the session loops");
      }
      const ehlo::server_action action = session_.next(input);
      if (!std::holds_alternative<ehlo::receive>(action)) {
        act(action);
        continue;
      }
      input = left.substr(0, std::min(cut, left.find('|')));
      left.remove_prefix(input.size());
      if (left.starts_with('|')) left.remove_prefix(1);
      if (!input.empty()) continue;
      if (c.goes_down) {
        session_.shutdown();
      } else {
        CHECK(session_.timed_out().has_value());
      }
    }
    out_.requests = scarce_storage::requests;
    out_.failures = scarce_storage::failures;
    return out_;
  }

 private:
  void act(const ehlo::server_action& action) {
    const auto is = [&action]<class Action>(std::type_identity<Action>) { return std::holds_alternative<Action>(action); };
    if (const auto* const a = std::get_if<ehlo::transmit>(&action)) out_.sent += a->octets;
    out_.closed = is(std::type_identity<ehlo::close_channel>{});
    if (is(std::type_identity<ehlo::mail_data>{}) && refuses_midway_) {
      const auto refused = session_.reject(no);
      CHECK((refused || scarce_storage::failures > 0));
    }
    if (is(std::type_identity<ehlo::start_tls>{})) {
      out_.asked.push_back(action.index());
      CHECK(session_.tls_started().has_value());
    }
    if (session_.open_question().serial == 0) return;
    out_.asked.push_back(action.index());
    const std::size_t before = scarce_storage::failures;
    const ehlo::result<void> taken = answer(action);
    const bool has_failed = scarce_storage::failures > before;
    // A refusal of mail data is kept without its words, where there is no memory for them.
    if (!has_failed || says_ != verdict::no) CHECK(taken.has_value() == !has_failed);
    if (!taken) CHECK(taken.error().code == ehlo::errc::out_of_memory);
  }

  ehlo::result<void> answer(const ehlo::server_action& action) {
    const auto* const auth = std::get_if<ehlo::auth_question>(&action);
    const bool is_custom = std::holds_alternative<ehlo::custom_question>(action);
    const auto mailbox = ehlo::mailbox::parse("joe@mx.example");
    const std::array<ehlo::listing, 2> found{ehlo::listing{*mailbox, "Joe"}, ehlo::listing{*mailbox, ""}};
    if (says_ == verdict::by_default) return session_.answer_default();
    if (std::holds_alternative<ehlo::greeting_question>(action) && says_ != verdict::gone) return session_.accept();
    if (says_ == verdict::gone && auth == nullptr && ++answers_ < 9)
      return is_custom ? session_.accept(ehlo::replies::ok) : session_.accept();
    if (says_ == verdict::gone) return session_.reject(gone);
    const bool opens = std::holds_alternative<ehlo::hello_question>(action) ||
                       std::holds_alternative<ehlo::mail_question>(action) || std::holds_alternative<ehlo::rcpt_question>(action) ||
                       std::holds_alternative<ehlo::data_question>(action);
    if (says_ == verdict::no && !(opens && ++answers_ % 6 != 0)) return session_.reject(no);
    if (auth != nullptr) return auth->initial && auth->response ? session_.challenge("more") : session_.authenticated();
    if (std::holds_alternative<ehlo::expn_question>(action)) return session_.accept(std::span<const ehlo::listing>{found});
    if (std::holds_alternative<ehlo::vrfy_question>(action)) return session_.accept_forward(*mailbox);
    return is_custom ? session_.accept(ehlo::replies::ok) : session_.accept();
  }

  static constexpr int most_turns = 100000;

  ehlo::basic_server_session<scarce_storage> session_;
  course out_;
  verdict says_{};
  bool refuses_midway_ = false;
  std::size_t answers_ = 0;
};

course hold(const ehlo::server_options& with, const conversation& c, std::size_t cut, std::size_t failing_at = 0,
            scarce_storage::lack how = scarce_storage::lack::none) {
  scarce_storage::fail_at(failing_at, how);
  course out = scarce_server{with}.hold(c, cut);
  scarce_storage::fail_at(0, scarce_storage::lack::none);
  return out;
}

/// Whichever request fails: up to there all is as it would have been, and then comes 421, if there is memory for that, and the end.
void check_scarcity(const ehlo::server_options& with, const conversation& c) {
  REQUIRE(with.check().has_value());
  constexpr std::string_view last_words = "421 4.3.0 mx.example Out of resources, closing transmission channel\r\n";
  for (const std::size_t cut : {std::size_t{11}, std::size_t{100000}}) {
    const course whole = hold(with, c, cut);
    for (std::size_t n = 1; n <= whole.requests; ++n) {
      for (const auto how : {scarce_storage::lack::once, scarce_storage::lack::for_good}) {
        CAPTURE(c.name, cut, n, how == scarce_storage::lack::once);
        course broken = hold(with, c, cut, n, how);
        REQUIRE(broken.closed);
        REQUIRE(broken.failures > 0);
        if (how == scarce_storage::lack::for_good) CHECK_FALSE(broken.sent.ends_with(last_words));
        // A part of a line, and the words of a refusal, have a second chance.
        const bool has_recovered = broken.sent == whole.sent;
        if (how == scarce_storage::lack::once && !has_recovered) {
          CHECK(broken.sent.ends_with(last_words));
          broken.sent.resize(broken.sent.size() - std::min(broken.sent.size(), last_words.size()));
        }
        if (!has_recovered) CHECK(broken.sent.size() < whole.sent.size());
        CHECK(whole.sent.starts_with(broken.sent));
        REQUIRE(broken.asked.size() <= whole.asked.size());
        CHECK(std::equal(broken.asked.begin(), broken.asked.end(), whole.asked.begin()));
      }
    }
  }
}

}  // namespace

TEST_CASE("whichever request for memory finds none, the session says so and ends, and has done nothing wrong before",
          "[server][memory][T62]") {
  ehlo::server_options with{.hostname = "mx.example"};
  with.tls = ehlo::tls_mode::offered;
  with.mechanisms = mechanisms;
  with.auth_without_tls = true;
  with.any_reply_code = true;
  with.verbs = verbs;
  with.help = "There is help for everything but for those who need a text that is longer than sixty-four octets";
  with.limits.authentication_failures = 3;
  with.limits.output = 1024;
  auto& on = with.extensions;
  on.expn = on.etrn = on.xclient = on.xforward = on.dsn = true;

  const std::string begun = "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nRCPT TO:<c@mx.example>\r\n";
  const std::string message = "DATA\r\nSubject: x\r\n\r\n..\r\n.\r\n";
  const std::string transactions = std::string{hello} + "XFORWARD NAME=a.example\r\n" + begun + message + begun +
                                   "BDAT 3\r\nabcBDAT 0 LAST\r\n" + begun + "RSET\r\n" + begun +
                                   "BDAT 4\r\nab\r\nBDAT 1\r\nxRSET\r\n";
  const std::string others =
      "VRFY b\r\nEXPN l\r\nHELP\r\nHELP MAIL\r\nHELP X\r\nETRN d.example\r\nXVERB a\r\nNOOP\r\nFOO\r\nMAIL FROM:<\r\nRCPT "
      "TO:<a@b.c>\r\n";
  const std::string auth = "AUTH PLAIN\r\nAHUAcA==\r\nAUTH LOGIN\r\nAHUAcA==\r\n*\r\nAUTH PLAIN AHUAcA==\r\n=\r\n";
  const std::string refused_auth =
      "AUTH PLAIN AHUAcA==\r\nAUTH PLAIN AHUAcA==\r\nAUTH PLAIN\r\n!\r\nAUTH PLAIN\r\nAHUAcA==\r\nAUTH PLAIN AHUAcA==\r\n";
  const std::string tls = "STARTTLS\r\n|" + std::string{hello};
  const std::string again = "XCLIENT NAME=a.example\r\n|" + std::string{hello};
  const std::string faults = std::string{hello} + begun + "DATA\r\na\nb\r\n.\r\nNOOP " + std::string(600, 'x') + "\r\n|NO|OP " +
                             std::string(700, 'x') + "\r\n|" + std::string(700, 'x') + "|\r\n|NOOP\r|\nBDAT x\r\n";
  const conversation all[] = {
      {"transactions", transactions + "QUIT\r\n"},
      {"others", std::string{hello} + others},
      {"auth", std::string{hello} + auth},
      {"TLS", std::string{hello} + tls},
      {"XCLIENT", std::string{hello} + again},
      {"no", transactions + others, verdict::no},
      {"no auth", std::string{hello} + refused_auth, verdict::no},
      {"by default", transactions + others + tls + again, verdict::by_default},
      {"gone", transactions + others, verdict::gone},
      {"gone amid AUTH", std::string{hello} + refused_auth, verdict::gone},
      {"down", transactions, verdict::yes, true},
      {"down amid AUTH", std::string{hello} + "AUTH PLAIN\r\n", verdict::yes, true},
      {"faults", faults},
      {"refuses midway", transactions, verdict::yes, false, true},
      {"another protocol", "GET / HTTP/1.1\r\n"},
      {"TLS at once", "\x16\x03\x01"},
  };
  for (const conversation& c : all) check_scarcity(with, c);

  with.limits.errors = 2;
  check_scarcity(with, {"too many errors", std::string{hello} + "FOO\r\nFOO\r\nFOO\r\n"});
  check_scarcity(with, {"too many refusals", transactions, verdict::no});
  with.limits.errors = 0;
  with.limits.transactions = 1;
  check_scarcity(with, {"too many transactions", transactions});

  with.protocol = ehlo::protocol::lmtp;
  const std::string lmtp =
      "LHLO client.example\r\n" + begun + message + begun + "BDAT 3 LAST\r\nabc" + begun + "DATA\r\na\nb\r\n.\r\n";
  with.limits.transactions = 0;
  check_scarcity(with, {"LMTP", lmtp});
  check_scarcity(with, {"LMTP, no", lmtp, verdict::no});
  check_scarcity(with, {"LMTP, refused midway", lmtp, verdict::yes, false, true});

  with.protocol = ehlo::protocol::smtp;
  with.submission = true;
  on.etrn = false;
  on.burl = true;
  const std::string burl =
      std::string{hello} + "AUTH PLAIN AHUAcA==\r\nAHUAcA==\r\n" + begun + "BURL imap://a/b\r\nBURL imap://a/c LAST\r\n";
  check_scarcity(with, {"BURL", burl});
  check_scarcity(with, {"BURL by default", burl, verdict::by_default});
}

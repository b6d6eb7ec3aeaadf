// SPDX-License-Identifier: BSL-1.0
// Where a session's memory comes from: a program of its own, because it counts and fails allocations by replacing operator new.
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/server/session.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace {

using counted::allocations;
std::size_t live_octets_limit = 0;  // largest request seen while counting
std::size_t failures = 0;           // allocations that were failed
std::size_t failing = 0;            // the n-th nothrow allocation from now fails, and all after it; 0: none

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

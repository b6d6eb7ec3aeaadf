// SPDX-License-Identifier: BSL-1.0
// What a session makes of octets does not depend on where they are cut: each stream here is cut in two at every octet, which the
// even cuts of the dialogues do not do. And wherever a stream breaks off, every transaction that had begun ends once.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"

namespace {

/// What a session did: its actions without the flow, and all that it sent.
struct story {
  std::string events;
  std::string sent;
  bool closed = false;
  int begun = 0;  // transactions
  int ended = 0;

  friend bool operator==(const story&, const story&) = default;
};

/// Drives a session with octets; every question gets the positive answer, or AUTH a challenge and then success.
template <class Session>
class driver {
 public:
  explicit driver(const ehlo::server_options& options) : session_{options} { run({}); }

  void feed(std::string_view octets) {
    buffer_ = std::make_unique<char[]>(octets.size());  // exactly as long: the sanitizer sees each octet too far
    octets.copy(buffer_.get(), octets.size());
    run({buffer_.get(), octets.size()});
  }

  void run(std::string_view input) {
    for (int turns = 0; turns < 10000; ++turns) {
      const ehlo::server_action action = session_.next(input);
      bool goes_on = true;
      std::visit(ehlo::overloaded{
                     [&](ehlo::transmit a) { story_.sent += a.octets; },
                     [&](ehlo::receive) { goes_on = false; },
                     [&](ehlo::start_tls) { goes_on = false; },
                     [&](ehlo::answer_due) { FAIL("every question was answered"); },
                     [&](ehlo::close_channel) {
                       story_.closed = true;
                       goes_on = false;
                     },
                     [&](ehlo::mail_data a) {
                       if (!story_.events.ends_with('"')) story_.events += '"';
                       story_.events.insert(story_.events.size() - 1, a.octets);
                     },
                     [&](ehlo::violation a) {
                       story_.events += "\nviolation " + std::to_string(static_cast<int>(a.code)) + " " + std::to_string(a.offset);
                     },
                     [&](ehlo::transaction_reset a) {
                       ++story_.ended;
                       story_.events += "\nreset " + std::to_string(static_cast<int>(a.cause));
                     },
                     [&](ehlo::exchange_ended a) { story_.events += "\nexchange " + std::to_string(static_cast<int>(a.cause)); },
                     [&](const ehlo::mail_question& q) {
                       ++story_.begun;
                       story_.events += "\nmail " + std::string{q.reverse_path.text()} + std::string{q.parameters.text()};
                       CHECK(session_.accept().has_value());
                     },
                     [&](const ehlo::rcpt_question& q) {
                       story_.events += "\nrcpt " + std::string{q.forward_path.text()} + std::string{q.parameters.text()};
                       CHECK(session_.accept().has_value());
                     },
                     [&](const ehlo::message_question& q) {
                       story_.events += "\nmessage " + std::to_string(q.size);
                       if (session_.options().protocol == ehlo::protocol::smtp || q.recipient + 1 == q.recipients) ++story_.ended;
                       CHECK(session_.accept().has_value());
                     },
                     [&](const ehlo::auth_question& q) {
                       story_.events += "\nauth " + std::string{q.response ? q.response->text() : "-"};
                       CHECK((q.initial ? session_.challenge("more") : session_.authenticated()).has_value());
                     },
                     [&](const ehlo::question auto& q) {
                       story_.events += "\nquestion " + std::to_string(q.ticket.serial);
                       CHECK(session_.answer_default().has_value());
                     },
                 },
                 action);
      if (!goes_on) return;
    }
    FAIL("the session loops");
  }

  Session& session() { return session_; }
  const story& told() const { return story_; }

 private:
  Session session_;
  std::unique_ptr<char[]> buffer_;
  story story_;
};

struct stream {
  std::string name;
  std::string octets;
};

ehlo::server_options all_on() {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  ehlo::server_options out{.hostname = "mx.example"};
  out.mechanisms = mechanisms;
  out.auth_without_tls = true;
  out.extensions.binary_mime = out.extensions.smtputf8 = out.extensions.dsn = true;
  return out;
}

std::vector<stream> streams() {
  const std::string hello = "EHLO client.example\r\n";
  const std::string x100(100, 'x');
  const std::string x1000(1000, 'x');
  const std::string orcpt = "rfc822;" + std::string(480, 'o');
  return {
      {"a MAIL and a RCPT that only their extensions make legal",
       hello + "MAIL FROM:<" + std::string(60, 'l') + "@" + std::string(60, 'd') + "." + std::string(60, 'e') + "> ENVID=" + x100 +
           " AUTH=" + std::string(60, 'a') + "+40" + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
           std::string(60, 'd') + "\r\nRCPT TO:<b@mx.example> ORCPT=" + orcpt +
           " NOTIFY=NEVER\r\nDATA\r\n.x\r\n..\r\n.\r\nQUIT\r\n"},
      {"lines over their limit", hello + "NOOP " + x1000 + "\r\nMAIL FROM:<" + x1000 + x1000 + ">\r\nRCPT TO:<" + x1000 + x1000 +
                                     ">\r\nFOO" + x1000 + "\r\nQUIT\r\n"},
      {"a BDAT over the limit of a line", hello + "BDAT " + std::string(600, '0') + "\r\nNOOP\r\n"},
      {"an AUTH over the limit of a line", hello + "AUTH EXTERNAL " + std::string(12400, 'A') + "\r\nNOOP\r\nQUIT\r\n"},
      {"AUTH in steps", hello + "AUTH EXTERNAL " + std::string(800, 'A') + "\r\nQUJD\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n"},
      {"a line of another protocol, over the limit", "GET /" + x1000 + " HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"chunks and a chunk that is refused", hello + "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@mx.example>\r\nBDAT 5\r\n\r\n.\r\n"
                                                     "BDAT 3 LAST\r\nQUIMAIL FROM:<>\r\nBDAT 4\r\nRSETDATA\r\nQUIT\r\n"},
      {"line ends that are none",
       hello + "NO\nOP\r\nNO\rOP\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\na\n.\r\nb\r\n.\n\r\r\n.\r\nQUIT\r\n"},
  };
}

template <class Session>
story play(const ehlo::server_options& options, std::string_view octets, std::size_t first) {
  driver<Session> d{options};
  d.feed(octets.substr(0, first));
  if (!d.told().closed && first < octets.size()) d.feed(octets.substr(first));
  return d.told();
}

template <class Session>
void check_cuts() {
  const ehlo::server_options options = all_on();
  REQUIRE(options.check().has_value());
  for (const stream& s : streams()) {
    CAPTURE(s.name);
    const story whole = play<Session>(options, s.octets, s.octets.size());
    CHECK(whole.closed);
    CHECK(whole.begun == whole.ended);
    std::size_t first = 1;
    for (; first < s.octets.size(); ++first) {
      // In the middle of a long run of one octet there is nothing to see.
      const char c = s.octets[first];
      const bool dull = first > 60 && first + 60 < s.octets.size() &&
                        std::all_of(s.octets.begin() + static_cast<std::ptrdiff_t>(first - 45),
                                    s.octets.begin() + static_cast<std::ptrdiff_t>(first + 45), [c](char o) { return o == c; });
      if (dull && first % 97 != 0 && (first < 500 || first > 520)) continue;
      if (!(play<Session>(options, s.octets, first) == whole)) break;
    }
    CAPTURE(first);
    CHECK(first == s.octets.size());
    if (first < s.octets.size()) {
      const story other = play<Session>(options, s.octets, first);
      CHECK(other.events == whole.events);
      CHECK(other.sent == whole.sent);
      CHECK(other.closed == whole.closed);
    }
  }
}

}  // namespace

TEST_CASE("a stream cut in two at any octet gives the same, on storage that grows", "[server][cuts][5321-2.4-08][T7]") {
  check_cuts<ehlo::server_session>();
}

TEST_CASE("a stream cut in two at any octet gives the same, on storage of fixed size", "[server][cuts][5321-2.4-08][T7]") {
  check_cuts<ehlo::fixed_server_session<13000, 4096>>();
}

TEST_CASE("a MAIL that only its extensions make legal is taken in every cut", "[server][cuts][5321-2.2.2-05]") {
  const story whole = play<ehlo::server_session>(all_on(), streams()[0].octets, 1);
  CHECK(whole.events.find("violation") == whole.events.npos);
  CHECK(whole.events.find("\nmessage ") != whole.events.npos);
}

TEST_CASE("wherever a stream breaks off, each transaction that had begun ends once", "[server][cuts][5321-4.1.1.10-04]") {
  enum class cause { end_of_input, disconnected, timed_out, shutdown };
  const ehlo::server_options options = all_on();
  std::size_t breaks = 0;
  for (const stream& s : streams()) {
    if (s.octets.size() > 3000) continue;
    const std::size_t every = s.octets.size() > 1200 ? 7 : 1;
    for (const cause why : {cause::end_of_input, cause::disconnected, cause::timed_out, cause::shutdown}) {
      for (std::size_t size = 0; size < s.octets.size(); size += every) {
        driver<ehlo::server_session> d{options};
        d.feed(std::string_view{s.octets}.substr(0, size));
        if (d.told().closed) break;
        ++breaks;
        const std::string before = d.told().sent;
        switch (why) {
          case cause::end_of_input: d.session().end_of_input(); break;
          case cause::disconnected: d.session().disconnected(); break;
          case cause::timed_out: d.session().timed_out(); break;
          case cause::shutdown: d.session().shutdown(); break;
        }
        d.run({});
        // A session that shuts down lets the message end that has begun.
        if (why == cause::shutdown && !d.told().closed) {
          d.session().end_of_input();
          d.run({});
        }
        const std::string said = d.told().sent.substr(before.size());
        const bool speaks = why == cause::timed_out || (why == cause::shutdown && said.starts_with("421 "));
        const bool right = speaks ? said.starts_with("421 4.") && said.find(" mx.example ") != said.npos : said.empty();
        if (!d.told().closed || d.told().begun != d.told().ended || !right) {
          CAPTURE(s.name, size, static_cast<int>(why), d.told().events, said);
          CHECK(d.told().closed);
          CHECK(d.told().begun == d.told().ended);
          CHECK(right);
          return;
        }
      }
    }
  }
  CHECK(breaks > 1000);
}

// SPDX-License-Identifier: BSL-1.0
// The server goes away, falls silent or refuses at each stage of a session: one table of stages, and what the caller is told in
// each. A message is never told as accepted, and as unknown only where its end has left and no reply to it came.
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

using client_dialogue::name_of;
using client_dialogue::setup;
using ehlo::errc;

/// What the caller is told of the transaction.
enum class told {
  nothing,       ///< there is none, or it has its result
  not_accepted,  ///< transaction_failed, and the server did not take the message
  unknown,       ///< transaction_failed, and the server may have taken it
};

struct stage {
  std::string name;
  setup how;
  std::string script;                    ///< up to the wait for a reply
  told lost;                             ///< when the channel ends or time runs out
  told closing;                          ///< when the server says 421
  std::string_view words = "C: QUIT\n";  ///< what the client says when time has run out
};

// What leads to a stage, each made of the one before.
const std::string greeted = "S: 220 hi\n";
const std::string hello = greeted + "C: EHLO client.example\n";
const std::string ready = hello + "S: 250 mx\n";
const std::string mail = ready + "C: MAIL FROM:<a@client.example>\n";
const std::string rcpt = mail + "S: 250 ok\nC: RCPT TO:<b@mx.example>\n";
const std::string data = rcpt + "S: 250 ok\nC: DATA\n";
const std::string dot = data + "S: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\n";
const std::string quit = dot + "S: 250 taken\nC: QUIT\n";
const std::string reset = rcpt + "S: 550 no\nC: RSET\n";

const std::string helo = hello + "S: 502 what?\nC: HELO client.example\n";
const std::string starttls = hello + "S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\n";
const std::string inside_tls = starttls + "S: 220 go\nTLS\nC: EHLO client.example\n";
const std::string auth = hello + "S: 250-mx\nS: 250 AUTH LOGIN\nC: AUTH LOGIN\n";
const std::string challenge = auth + "S: 334 VXNlcm5hbWU6\nC: dXNlcg==\n";

const std::string pipelined = hello +
                              "S: 250-mx\nS: 250 PIPELINING\nC: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@mx.example>\nC: RCPT "
                              "TO:<c@mx.example>\nC: DATA\n";
const std::string lone_dot = pipelined + "S: 250 ok\nS: 550 no\nS: 550 no\nS: 354 go\nC: .\n";

const std::string chunking =
    hello + "S: 250-mx\nS: 250 CHUNKING\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\n";
const std::string chunk = chunking + "C: BDAT 8\nc: Subject:\n";
const std::string last_chunk = chunk + "S: 250 ok\nC: BDAT 8\nc:  x\\r\\n\\r\\nHe\nS: 250 ok\nC: BDAT 5 LAST\nc: llo\\r\\n\n";
const std::string both_chunks = hello +
                                "S: 250-mx\nS: 250-PIPELINING\nS: 250 CHUNKING\nC: MAIL FROM:<a@client.example>\nC: RCPT "
                                "TO:<b@mx.example>\nS: 250 ok\nS: 250 ok\n"
                                "C: BDAT 12\nc: Subject: x\\r\\n\nC: BDAT 10 LAST\nc: \\r\\nHello!\\r\\n\n";

const std::string lhlo = greeted + "C: LHLO client.example\n";
const std::string lmtp_dot =
    lhlo +
    "S: 250-mx\nS: 250 PIPELINING\nC: MAIL FROM:<a@client.example>\nC: RCPT TO:<b@mx.example>\nC: RCPT TO:<c@mx.example>\nC: DATA\n"
    "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\n";
const std::string lmtp_second = lmtp_dot + "S: 250 b has it\n";

const std::string noop = ready + "DO noop\nC: NOOP\n";
const std::string idle = noop + "S: 250 ok\n";
const std::string again = ready + "DO hello\nC: EHLO client.example\n";

constexpr ehlo::auth_mechanism login[] = {ehlo::mechanisms::login};

setup plain() { return {}; }
setup with_tls(ehlo::tls_policy policy = ehlo::tls_policy::required) {
  setup how;
  how.options.tls = policy;
  return how;
}
setup with_login() {
  setup how;
  how.options.tls = ehlo::tls_policy::active;
  how.options.mechanisms = login;
  return how;
}
setup to_two() {
  setup how;
  how.mails[0].to = {"b@mx.example", "c@mx.example"};
  return how;
}
setup in_pieces(std::size_t piece, std::string octets = client_dialogue::mail{}.octets) {
  setup how;
  how.mails[0].piece = piece;
  how.mails[0].octets = std::move(octets);
  return how;
}
setup by_lmtp() {
  setup how = to_two();
  how.options.protocol = ehlo::protocol::lmtp;
  return how;
}
setup without_mail() {
  setup how;
  how.mails.clear();
  how.quit = false;
  return how;
}

/// Every stage in which the client waits for a reply.
std::vector<stage> stages() {
  using enum told;
  const std::string two_chunks = "Subject: x\r\n\r\nHello!\r\n";
  return {
      // clang-format off
      // name                     setup                     script       lost          421           words when time has run out
      {"the greeting",            plain(),                  "",          not_accepted, not_accepted, ""},
      {"EHLO",                    plain(),                  hello,       not_accepted, not_accepted},
      {"HELO",                    plain(),                  helo,        not_accepted, not_accepted},
      {"STARTTLS",                with_tls(),               starttls,    not_accepted, not_accepted, ""},
      {"EHLO inside TLS",         with_tls(),               inside_tls,  not_accepted, not_accepted},
      {"AUTH",                    with_login(),             auth,        not_accepted, not_accepted, ""},
      {"a response of AUTH",      with_login(),             challenge,   not_accepted, not_accepted, ""},
      {"MAIL",                    plain(),                  mail,        not_accepted, not_accepted},
      {"RCPT",                    plain(),                  rcpt,        not_accepted, not_accepted},
      {"DATA",                    plain(),                  data,        not_accepted, not_accepted, ""},
      {"a whole batch",           to_two(),                 pipelined,   not_accepted, not_accepted, ""},
      {"the rest of a batch",     to_two(),                 pipelined + "S: 250 ok\nS: 250 ok\n", not_accepted, not_accepted, ""},
      {"the lone dot",            to_two(),                 lone_dot,    not_accepted, not_accepted},
      {"the final dot",           plain(),                  dot,         unknown,      not_accepted},
      {"a chunk",                 in_pieces(8),             chunk,       not_accepted, not_accepted},
      {"the last chunk",          in_pieces(8),             last_chunk,  unknown,      not_accepted},
      {"two chunks at once",      in_pieces(12, two_chunks), both_chunks, unknown,     not_accepted},
      {"the last of two chunks",  in_pieces(12, two_chunks), both_chunks + "S: 250 ok\n", unknown, not_accepted},
      {"RSET",                    plain(),                  reset,       nothing,      nothing},
      {"QUIT",                    plain(),                  quit,        nothing,      nothing,      ""},
      {"LHLO",                    by_lmtp(),                lhlo,        not_accepted, not_accepted},
      {"the first LMTP result",   by_lmtp(),                lmtp_dot,    unknown,      unknown},
      {"the second LMTP result",  by_lmtp(),                lmtp_second, unknown,      unknown},
      {"NOOP",                    without_mail(),           noop,        nothing,      nothing},
      {"EHLO again",              without_mail(),           again,       nothing,      nothing},
      // clang-format on
  };
}

/// The notices of a session that fails for `reason`.
std::vector<std::string> failure(errc reason, told of_transaction, const std::string& reply = "") {
  std::vector<std::string> out{"failed: " + name_of(reason) + reply};
  if (of_transaction != told::nothing)
    out.push_back(std::string{"transaction failed"} + (of_transaction == told::unknown ? " (unknown)" : "") +
                  " transient: " + name_of(reason));
  return out;
}
std::vector<std::string> failure_at(const stage& at, errc reason, told of_transaction, const std::string& reply = "") {
  if (at.name == "QUIT") return {};  // what goes wrong behind QUIT is nobody's concern
  return failure(reason, of_transaction, reply);
}

struct refusal {
  std::string name;
  setup how;
  std::string script;             ///< up to the wait for a reply
  std::vector<std::string> told;  ///< {} stands for the reply, {later} for " transient" if it is 4yz
  std::string next;               ///< what the client says then
};

const std::string goodbye = "C: QUIT\nS: 221 bye\nCLOSE\n";
const std::string start_again = "C: RSET\nS: 250 ok\n" + goodbye;

/// What a refusal leads to at each stage.
std::vector<refusal> refusals() {
  const auto ended = [](errc reason) {
    return std::vector<std::string>{"failed: " + name_of(reason) + " {}", "transaction failed{later}: " + name_of(reason)};
  };
  const auto after = [](std::string first, errc reason) {
    return std::vector<std::string>{std::move(first), "failed: " + name_of(reason),
                                    "transaction failed{later}: " + name_of(reason)};
  };
  const auto refused = [](errc reason) {
    return std::vector<std::string>{"transaction failed{later}: " + name_of(reason) + " {}"};
  };
  setup may_skip_auth = with_login();
  may_skip_auth.options.auth_required = false;
  const std::string two_chunks = "Subject: x\r\n\r\nHello!\r\n";
  const std::string nobody = "transaction failed: " + name_of(errc::recipient_refused);
  const std::string nobody_yet = "transaction failed{later}: " + name_of(errc::recipient_refused);
  const std::string refused_mail = "C: MAIL FROM:<a@client.example>\nS: 550 no\n" + goodbye;
  const std::string mail_told = "transaction failed: " + name_of(errc::mail_refused) + " 550 no";
  return {
      // clang-format off
      {"the greeting",           plain(),      "",         ended(errc::greeting_refused), goodbye},
      {"EHLO",                   plain(),      hello,      ended(errc::hello_refused), goodbye},
      {"HELO",                   plain(),      helo,       ended(errc::hello_refused), goodbye},
      {"STARTTLS, required",     with_tls(),   starttls,   ended(errc::tls_refused), goodbye},
      {"STARTTLS, opportunistic", with_tls(ehlo::tls_policy::opportunistic), starttls,
                                                           {"starttls {}", "ready", mail_told}, refused_mail},
      {"EHLO inside TLS",        with_tls(),   inside_tls, ended(errc::hello_refused), goodbye},
      {"AUTH",                   with_login(), auth,       after("auth LOGIN {}", errc::authentication_failed), goodbye},
      {"a response of AUTH",     with_login(), challenge,  after("auth LOGIN {}", errc::authentication_failed), goodbye},
      {"AUTH, not required",     may_skip_auth, auth,      {"auth LOGIN {}", "ready", mail_told}, refused_mail},
      {"MAIL",                   plain(),      mail,       refused(errc::mail_refused), goodbye},
      {"RCPT",                   plain(),      rcpt,       {"rcpt 0{later} {}", nobody_yet}, start_again},
      {"DATA",                   plain(),      data,       refused(errc::data_refused), start_again},
      {"a batch: MAIL",          to_two(),     pipelined,  refused(errc::mail_refused),
                                                           "S: 503 no\nS: 503 no\nS: 503 no\n" + goodbye},
      {"a batch: one RCPT",      to_two(),     pipelined + "S: 250 ok\n", {"rcpt 0{later} {}", "rcpt 1 250 ok", "data for 1", "message 0-2 250 taken"},
                                                           "S: 250 ok\nS: 354 go\nC: Subject: x\nC:\nC: Hello\nC: .\nS: 250 taken\n" + goodbye},
      {"a batch: DATA",          to_two(),     pipelined + "S: 250 ok\nS: 250 ok\nS: 250 ok\n",
                                                           refused(errc::data_refused), start_again},
      {"the lone dot",           to_two(),     lone_dot,   {nobody}, goodbye},
      {"the final dot",          plain(),      dot,        {"message 0-1 {}"}, goodbye},
      {"a chunk",                in_pieces(8), chunk,      refused(errc::chunk_refused), start_again},
      {"the last chunk",         in_pieces(8), last_chunk, {"message 0-1 {}"}, start_again},
      {"the first of two chunks", in_pieces(12, two_chunks), both_chunks, refused(errc::chunk_refused),
                                                           "S: 503 no\n" + start_again},
      {"the last of two chunks", in_pieces(12, two_chunks), both_chunks + "S: 250 ok\n", {"message 0-1 {}"}, start_again},
      {"RSET",                   plain(),      reset,      {"failed: " + name_of(errc::reset_refused) + " {}"}, "C: QUIT\nCLOSE\n"},
      {"QUIT",                   plain(),      quit,       {}, "CLOSE\n"},
      {"LHLO",                   by_lmtp(),    lhlo,       ended(errc::hello_refused), goodbye},
      {"the first LMTP result",  by_lmtp(),    lmtp_dot,   {"message 0-1 {}", "message 1-2 250 c has it"}, "S: 250 c has it\n" + goodbye},
      {"the second LMTP result", by_lmtp(),    lmtp_second, {"message 1-2 {}"}, goodbye},
      {"NOOP",                   without_mail(), noop,     {"command {}"}, "DO quit\n" + goodbye},
      {"EHLO again",             without_mail(), again,    {"failed: " + name_of(errc::hello_refused) + " {}"}, goodbye},
      // clang-format on
  };
}

// ---- In the middle of mail data, where the client waits for its caller and not for a reply ------------------------------------

/// A client that is driven by hand up to its first question for mail data.
class sender {
 public:
  explicit sender(const std::string& keywords) {
    mail_ = *ehlo::envelope::make("a@client.example", {"b@mx.example"});
    REQUIRE(session.begin_transaction(mail_).has_value());
    for (const std::string& reply : {std::string{"220 hi\r\n"}, "250-mx\r\n" + keywords + "250 HELP\r\n", std::string{"250 ok\r\n"},
                                     std::string{"250 ok\r\n"}, std::string{"354 go\r\n"}}) {
      if (is_asked_) break;
      next_until_it_waits(reply);
    }
    REQUIRE(is_asked_);
  }

  /// Gives `octets` as input, and the actions that come before the session waits.
  void next_until_it_waits(std::string_view octets = {}) {
    is_asked_ = false;
    for (int turns = 0; turns < 1000; ++turns) {
      if (!act(session.next(octets))) return;
    }
    FAIL("the session loops");
  }

  /// The next action has octets that leave.
  void transmit_one() {
    std::string_view none;
    const auto action = session.next(none);
    REQUIRE(std::holds_alternative<ehlo::transmit>(action));
    sent += std::get<ehlo::transmit>(action).octets;
  }

  ehlo::client_options options_{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  ehlo::client_session session{options_};
  std::string sent;
  std::vector<std::string> told;
  bool closed = false;

 private:
  bool act(const ehlo::client_action& action) {
    bool goes_on = true;
    std::visit(ehlo::overloaded{
                   [&](ehlo::transmit a) { sent += a.octets; },
                   [&](const ehlo::mail_data_question&) {
                     is_asked_ = true;
                     goes_on = false;
                   },
                   [&](ehlo::close_channel) {
                     closed = true;
                     goes_on = false;
                   },
                   [&](const ehlo::failed& a) { told.push_back("failed: " + name_of(a.reason)); },
                   [&](const ehlo::transaction_failed& a) {
                     told.push_back(std::string{"transaction failed"} +
                                    (a.delivery == ehlo::delivery::unknown ? " (unknown)" : "") +
                                    (a.is_transient() ? " transient" : "") + ": " + name_of(a.reason));
                   },
                   [&](const ehlo::message_result& a) { told.push_back("message " + std::to_string(a.reply.code())); },
                   [&](ehlo::notice auto const&) {},
                   [&](const auto&) { goes_on = false; },
               },
               action);
    return goes_on;
  }

  ehlo::envelope mail_;
  bool is_asked_ = false;
};

/// What happens to a channel.
enum class event { end_of_input, broken, time_out };

void happens(event what, ehlo::client_session& session) {
  switch (what) {
    case event::end_of_input: session.end_of_input(); break;
    case event::broken: session.disconnected(); break;
    case event::time_out: CHECK(session.timed_out().has_value()); break;
  }
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

/// Plays `script` and then `end`, and checks that what it brings is exactly `news`.
void check_news(const setup& how, const std::string& script, const std::string& end, const std::vector<std::string>& news) {
  auto wanted = client_dialogue::play(script, how).events;
  const auto seen = client_dialogue::play(script + end, how);
  wanted.insert(wanted.end(), news.begin(), news.end());
  CHECK(seen.events == wanted);
}

}  // namespace

TEST_CASE("421 at any stage ends the session without a word, and the message is for later", "[client][5321-3.8-06]") {
  for (const stage& at : stages()) {
    CAPTURE(at.name);
    for (const std::string end : {"", "EOF\n", "BREAK\n", "S: 250 more\n"}) {
      check_news(at.how, at.script, "S: 421-down\nS: 421 now\n" + end + "CLOSE\n",
                 failure_at(at, errc::service_closing, at.closing, " 421 down/now"));
    }
  }
}

TEST_CASE("a server that goes away at any stage leaves the message for later, as 451 would",
          "[client][5321-3.8-05][2033-5-07][threats][T16]") {
  for (const stage& at : stages()) {
    CAPTURE(at.name);
    // A reply that is not complete is none.
    for (const std::string before : {"", "s: 2\n", "s: 250\n", "S: 250-half\n", "s: 250 ok\\r\n", "s: 421 d\n"}) {
      CAPTURE(before);
      const auto news = failure_at(at, errc::connection_lost, at.lost);
      check_news(at.how, at.script, before + "EOF\nCLOSE\n", news);
      check_news(at.how, at.script, before + "BREAK\nCLOSE\n", news);
    }
  }
}

TEST_CASE("a reply that does not come in time ends the session at any stage", "[client][5321-4.5.3.2-01][threats][T16]") {
  for (const stage& at : stages()) {
    CAPTURE(at.name);
    for (const std::string before : {"", "s: 250\n", "S: 250-half\n"}) {
      check_news(at.how, at.script, before + "TIMEOUT\n" + std::string{at.words} + "CLOSE\n",
                 failure_at(at, errc::reply_timeout, at.lost));
    }
  }
}

TEST_CASE("an idle client hears of a server that goes away", "[client][5321-3.8-06][5321-3.8-05]") {
  check_news(without_mail(), idle, "S: 421 down\nCLOSE\n", {"failed: " + name_of(errc::service_closing) + " 421 down"});
  check_news(without_mail(), idle, "EOF\nCLOSE\n", {"failed: " + name_of(errc::connection_lost)});
  check_news(without_mail(), idle, "BREAK\nCLOSE\n", {"failed: " + name_of(errc::connection_lost)});
  check_news(without_mail(), idle, "s: 25\nTIMEOUT\nC: QUIT\nCLOSE\n", {"failed: " + name_of(errc::reply_timeout)});
}

TEST_CASE("a handshake that does not come, or a channel that breaks in it, ends the session without a word",
          "[client][3207-4-09][threats][T13]") {
  const std::string pending = starttls + "S: 220 go\n";
  for (const auto policy : {ehlo::tls_policy::required, ehlo::tls_policy::opportunistic}) {
    for (const auto& [end, reason] :
         {std::pair{"TIMEOUT\nCLOSE\n", errc::reply_timeout}, std::pair{"BREAK\nCLOSE\n", errc::connection_lost},
          std::pair{"TLS FAILED\nCLOSE\n", errc::tls_handshake}}) {
      check_news(with_tls(policy), pending, end,
                 {"failed: " + name_of(reason), "transaction failed transient: " + name_of(reason)});
    }
  }
}

TEST_CASE("replies injected around STARTTLS, whole or begun only, lead neither on in clear text nor into TLS",
          "[client][3207-4-12][threats][T10]") {
  constexpr ehlo::auth_mechanism plain[] = {ehlo::mechanisms::plain};
  const std::string offered = hello + "S: 250-mx\nS: 250-AUTH PLAIN\nS: 250 STARTTLS\n";
  const std::string asked = offered + "C: STARTTLS\n";
  struct place {
    std::string name;
    ehlo::tls_policy policy;
    std::string script;  ///< up to the reply that the injected octets follow
    std::string sent;    ///< all that leaves
    bool behind_220;     ///< then no cut makes a difference; before it the octets are ahead of their command, or replies to it
  };
  const std::string ehlo = "EHLO client.example\r\n";
  for (const place& at : {
           place{"the greeting", ehlo::tls_policy::required, greeted, "QUIT\r\n", false},
           place{"EHLO, required", ehlo::tls_policy::required, offered, ehlo + "QUIT\r\n", false},
           place{"EHLO, opportunistic", ehlo::tls_policy::opportunistic, offered, ehlo + "QUIT\r\n", false},
           place{"a refusal", ehlo::tls_policy::opportunistic, asked + "S: 454 no\n", ehlo + "STARTTLS\r\nQUIT\r\n", false},
           place{"the 220, required", ehlo::tls_policy::required, asked + "S: 220 go\n", ehlo + "STARTTLS\r\n", true},
           place{"the 220, opportunistic", ehlo::tls_policy::opportunistic, asked + "S: 220 go\n", ehlo + "STARTTLS\r\n", true},
       }) {
    auto how = with_tls(at.policy);
    how.options.mechanisms = plain;
    how.whole_only = !at.behind_220;
    for (const std::string octets : {"220 go\\r\\n", "250-mx\\r\\n250-PIPELINING\\r\\n250 AUTH PLAIN\\r\\n", "235 in\\r\\n",
                                     "250 ok\\r\\n250 ok\\r\\n354 go\\r\\n250 ok\\r\\n", "2", "250 AUTH PLAIN", "250-mx\\r\\n"}) {
      CAPTURE(at.name, octets);
      const bool is_whole = octets.ends_with("\\n") && octets != "250-mx\\r\\n";
      errc reason = errc::octets_before_tls;
      if (!at.behind_220) reason = is_whole ? errc::unsolicited_reply : errc::reply_timeout;
      std::string script = at.script + "s: " + octets + "\n";
      if (reason == errc::reply_timeout) script += "TIMEOUT\n";
      if (at.sent.ends_with("QUIT\r\n")) script += "C: QUIT\n";
      const auto seen = client_dialogue::play(script + "CLOSE\n", how);
      CHECK(seen.sent == at.sent);
      CHECK(seen.count("failed: ") == 1);
      CHECK(seen.has("failed: " + name_of(reason)));
      CHECK(seen.has("transaction failed transient: " + name_of(reason)));
      CHECK_FALSE(seen.has("ready"));
      CHECK_FALSE(seen.has("credentials"));
    }
  }
}

TEST_CASE("the replies of a whole session mean the same octet by octet and as early as they may come together",
          "[client][2920-3.1-08][2920-3.1-09]") {
  // The dialogues are played in all cuts; here each says as much as may be said in one go.
  const std::string message = "C: Subject: x\nC:\nC: Hello\nC: .\n";
  const auto seen = client_dialogue::play(
      pipelined + "S: 250 ok\nS: 550 no\nS: 250-ok\nS: 250 ok\nS: 354 go\n" + message + "S: 250-it\nS: 250 is taken\n" + goodbye,
      to_two());
  CHECK(seen.events == std::vector<std::string>{"greeting 220 hi", "ehlo 250 mx/PIPELINING", "ready", "rcpt 0 550 no",
                                                "rcpt 1 250 ok/ok", "data for 1", "message 0-2 250 it/is taken"});
  const auto lmtp = client_dialogue::play(lmtp_dot + "S: 250-b\nS: 250 has it\nS: 452 c has not\n" + goodbye, by_lmtp());
  CHECK(lmtp.has("message 0-1 250 b/has it"));
  CHECK(lmtp.has("message 1-2 452 c has not"));
  setup how = in_pieces(12, "Subject: x\r\n\r\nHello!\r\n");
  const auto chunks = client_dialogue::play(both_chunks + "S: 250 ok\nS: 250 taken\n" + goodbye, how);
  CHECK(chunks.has("message 0-1 250 taken"));
}

TEST_CASE("a refusal at any stage is told with its kind, and the client goes on or says QUIT",
          "[client][5321-4.2.5-04][5321-3.3-15][3030-2-15][5321-4.1.4-16][5321-4.2-15]") {
  for (const refusal& at : refusals()) {
    for (const std::string reply : {"450 later", "454 later", "459 later", "550 no", "554 no", "599 no"}) {
      CAPTURE(at.name, reply);
      auto news = at.told;
      for (std::string& text : news) {
        replace_all(text, "{}", reply);
        replace_all(text, "{later}", reply.front() == '4' ? " transient" : "");
      }
      // The reply may come together with those behind it, where the client has asked for them already.
      check_news(at.how, at.script, "S: " + reply + "\n" + at.next, news);
    }
  }
}

TEST_CASE("a channel that breaks while the message leaves: it is unknown from its last octet on, and not before",
          "[client][5321-3.8-05][threats][T16]") {
  for (const std::string keywords : {"", "250-CHUNKING\r\n", "250-CHUNKING\r\n250-PIPELINING\r\n"}) {
    for (const std::uint32_t coalesced : {0U, 256U}) {
      for (const auto& [what, reason] :
           {std::pair{event::broken, errc::connection_lost}, std::pair{event::time_out, errc::reply_timeout}}) {
        for (const std::string last : {"world\r\n", "world", "", ".\r\n"}) {
          // How many `transmit` the whole of it takes, and how the last octets leave: after each of them the channel breaks.
          std::size_t transmits = 0;
          std::string whole;
          {
            sender all{keywords};
            all.options_.limits.coalesced = coalesced;
            all.sent.clear();
            REQUIRE(all.session.end_of_mail_data(last).has_value());
            std::string_view none;
            for (;;) {
              const auto action = all.session.next(none);
              if (!std::holds_alternative<ehlo::transmit>(action)) break;
              whole += std::get<ehlo::transmit>(action).octets;
              ++transmits;
            }
          }
          CAPTURE(keywords, coalesced, static_cast<int>(what), last, whole);
          CHECK(transmits > 0);
          for (std::size_t count = 0; count <= transmits; ++count) {
            sender one{keywords};
            one.options_.limits.coalesced = coalesced;
            one.sent.clear();
            REQUIRE(one.session.end_of_mail_data(last).has_value());
            for (std::size_t i = 0; i < count; ++i) one.transmit_one();
            const bool is_whole = one.sent == whole;
            happens(what, one.session);
            one.next_until_it_waits();
            CAPTURE(count, one.sent);
            CHECK(one.closed);
            CHECK(one.told == failure(reason, is_whole ? told::unknown : told::not_accepted));
            // In the middle of it nothing that the server could take for its end, or for octets of it.
            if (is_whole && one.sent.ends_with("QUIT\r\n")) one.sent.resize(one.sent.size() - 6);
            CHECK(one.sent == whole.substr(0, one.sent.size()));
            CHECK((one.sent == whole) == is_whole);
          }
        }
      }
    }
  }
}

TEST_CASE("while the caller owes mail data, the channel's end is told at once or where the server's reply would be",
          "[client][5321-3.8-05][threats][T16]") {
  for (const std::string keywords : {"", "250-CHUNKING\r\n"}) {
    CAPTURE(keywords);
    sender broken{keywords};
    happens(event::broken, broken.session);
    broken.next_until_it_waits();
    CHECK(broken.told == failure(errc::connection_lost, told::not_accepted));
    CHECK(broken.closed);

    sender ended{keywords};
    ended.session.end_of_input();
    REQUIRE(ended.session.end_of_mail_data("x: y\r\n").has_value());
    ended.next_until_it_waits();
    CHECK(ended.told == failure(errc::connection_lost, told::unknown));
    CHECK(ended.closed);

    // No time runs while the caller is waited for.
    sender slow{keywords};
    CHECK(slow.session.timeout().what == ehlo::waiting_for::nothing);
    CHECK(slow.session.timed_out().error().code == errc::wrong_answer);

    // The server closes in the middle: the client reads it behind its end of mail data.
    sender closing{keywords};
    REQUIRE(closing.session.end_of_mail_data("x: y\r\n").has_value());
    closing.next_until_it_waits();
    closing.next_until_it_waits("421 down\r\n");
    CHECK(closing.told == failure(errc::service_closing, told::not_accepted));
    CHECK(closing.closed);
  }
}

TEST_CASE("what comes ahead of the end of mail data is no reply to it", "[client][5321-4.2.5-04][threats][T6]") {
  struct row {
    const char* early;
    const char* rest;
    errc reason;
  };
  for (const row& r : {row{"250 taken\r\n", "", errc::unsolicited_reply}, row{"550 no\r\n", "", errc::unsolicited_reply},
                       row{"421 down\r\n", "", errc::service_closing}, row{"2", "50 taken\r\n", errc::unsolicited_reply},
                       row{"421", " down\r\n", errc::service_closing}, row{"4", "x1 down\r\n", errc::reply_malformed}}) {
    for (const bool chunked : {false, true}) {
      CAPTURE(r.early, r.rest, chunked);
      sender one{chunked ? "250-CHUNKING\r\n" : ""};
      one.sent.clear();
      REQUIRE(one.session.end_of_mail_data("x: y\r\n").has_value());
      one.next_until_it_waits(r.early);
      CHECK(one.closed == (*r.rest == '\0'));
      if (!one.closed) one.next_until_it_waits(r.rest);
      REQUIRE(one.closed);
      CHECK(one.told.back() == "transaction failed transient: " + name_of(r.reason));
      CHECK(one.sent.find(".\r\n") == std::string::npos);
      CHECK(one.sent.find("BDAT") == std::string::npos);
    }
  }
}

// SPDX-License-Identifier: BSL-1.0
// What RFC 5321 section 2 says of a session: lines and their ends, octets of a command line, verbs in any case, both hellos, state.
#include <string>
#include <string_view>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::setup;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string envelope =
    hello + "C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@mx.example>\nS: 250 2.1.5 OK\n";

setup without_extensions() {
  setup how;
  how.options.extensions = {.pipelining = false,
                            .size = false,
                            .eight_bit_mime = false,
                            .enhanced_status_codes = false,
                            .chunking = false,
                            .vrfy = false,
                            .help = false};
  return how;
}

std::string escape(unsigned octet) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'\\', 'x', digits[octet / 16], digits[octet % 16]};
}

}  // namespace

// ---- Hellos and extensions -----------------------------------------------------------------------------------------------------

TEST_CASE("EHLO is accepted where there is no extension to list", "[server][basics][5321-2.2.1-01]") {
  const auto r = check_server_dialogue("S: 220 mx.example\nC: EHLO client.example\nS: 250 mx.example\n", without_extensions());
  CHECK(r.sent == "220 mx.example ESMTP\r\n250 mx.example\r\n");
}

TEST_CASE("HELO is accepted, and mail after it", "[server][basics][5321-2.2.1-02]") {
  const auto r = check_server_dialogue(R"(
    S: 220
    C: HELO client.example
    S: 250 mx.example
    C: MAIL FROM:<a@client.example>
    S: 250
  )");
  CHECK(r.sent.find("250-") == r.sent.npos);
  CHECK(r.has("mail <a@client.example>"));
}

TEST_CASE("each extension makes the line of MAIL longer by what its definition says", "[server][basics][5321-2.2.2-05][T7]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
  setup how;
  how.options.mechanisms = mechanisms;
  how.options.auth_without_tls = true;
  const std::string start = "MAIL FROM:<a@b.example> AUTH=<> SIZE=1";
  for (const auto& [extra, code] : {std::pair{525U, "250"}, std::pair{526U, "250"}, std::pair{527U, "500"}}) {
    CAPTURE(extra);
    check_server_dialogue(hello + "C: " + start + std::string(512 + extra - 2 - start.size(), ' ') + "\nS: " + code + "\n", how);
  }
}

TEST_CASE("the server offers 8BITMIME by default", "[server][basics][5321-2.4-14]") {
  const auto r = check_server_dialogue("C: EHLO client.example\nS: 250 mx.example\n");
  CHECK(r.sent.find("250-8BITMIME\r\n") != r.sent.npos);
}

// ---- Envelope and content ------------------------------------------------------------------------------------------------------

TEST_CASE("nothing in the content changes who the recipients are", "[server][basics][5321-2.3.1-01]") {
  const auto r = check_server_dialogue(envelope + R"(
    C: DATA
    S: 354
    C: To: x@other.example
    C: Cc: y@other.example
    C: RCPT TO:<z@other.example>
    C:
    C: text
    C: .
    S: 250
  )");
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].to == std::vector<std::string>{"<b@mx.example>"});
  CHECK(r.messages[0].from == "<a@client.example>");
  CHECK(r.count("rcpt ") == 1);
}

TEST_CASE("the mailbox postmaster needs no domain", "[server][basics][5321-2.3.5-04]") {
  setup how;
  how.on_rcpt = [](const ehlo::rcpt_question& q) -> dialogue::answer {
    CHECK(q.forward_path.is_bare_postmaster());
    CHECK(q.forward_path.is_postmaster());
    CHECK_FALSE(q.forward_path.has_mailbox());
    return ehlo::replies::rcpt_ok;
  };
  const auto r = check_server_dialogue(
      hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<Postmaster>\nS: 250\nC: RCPT TO:<POSTMASTER>\nS: 250\n", how);
  CHECK(r.has("rcpt <Postmaster>"));
}

TEST_CASE("named commands set the state of a session back", "[server][basics][5321-2.3.6-01]") {
  const setup how;
  ehlo::server_session session{how.options};
  std::string_view input;
  const auto next = [&session, &input] { return session.next(input); };
  (void)next();
  REQUIRE(session.accept().has_value());
  (void)next();
  CHECK(session.current_state() == ehlo::state::greeted);
  for (const std::string_view text : {"EHLO c.example\r\n", "MAIL FROM:<a@b.example>\r\n", "RCPT TO:<c@d.example>\r\n"}) {
    input = text;
    while (session.open_question().serial == 0) (void)next();
    REQUIRE(session.accept().has_value());
  }
  CHECK(session.current_state() == ehlo::state::rcpt);
  CHECK(session.recipients() == 1);
  input = "RSET\r\n";
  while (!std::holds_alternative<ehlo::receive>(next())) continue;
  CHECK(session.current_state() == ehlo::state::ready);
  CHECK(session.recipients() == 0);
}

TEST_CASE("a local-part reaches the caller as it was spelt", "[server][basics][5321-2.3.11-01]") {
  const auto r = check_server_dialogue(hello + R"(
    C: MAIL FROM:<"A\\ \\"B\\""@Client.Example>
    S: 250
    C: RCPT TO:<"J. Doe"@x.example>
    S: 250
    C: RCPT TO:<MiXed@x.example>
    S: 250
  )");
  CHECK(r.has(R"(mail <"A\ \"B\""@Client.Example>)"));
  CHECK(r.has(R"(rcpt <"J. Doe"@x.example>)"));
  CHECK(r.has("rcpt <MiXed@x.example>"));
}

TEST_CASE("content passes as it came, whatever it is", "[server][basics][5321-2.4-11]") {
  std::string sent;
  std::string wanted;
  for (unsigned octet = 0; octet < 256; ++octet) {
    if (octet == '\r' || octet == '\n') continue;
    sent += "x" + escape(octet) + (octet % 40 == 39 ? "\\r\\n" : "");
    wanted += std::string{"x"} + static_cast<char>(octet) + (octet % 40 == 39 ? "\r\n" : "");
  }
  const auto r = check_server_dialogue(envelope + "C: DATA\nS: 354\nC: " + sent + "\nC: ..dot\nC: .\nS: 250\n");
  REQUIRE(r.messages.size() == 1);
  CHECK(r.messages[0].octets == wanted + "\r\n.dot\r\n");
}

TEST_CASE("octets above 127 that BODY did not announce are told or refused", "[server][basics][5321-2.4-10]") {
  const std::string text = envelope + "C: DATA\nS: 354\nC: caf\\xe9\nC: .\n";
  const auto told = check_server_dialogue(text + "S: 250\n");
  REQUIRE(told.messages.size() == 1);
  CHECK(told.messages[0].has_eight_bit);
  CHECK(told.messages[0].octets == "caf\xe9\r\n");
  setup strict;
  strict.options.eight_bit_text = ehlo::text_policy::refuse;
  CHECK(check_server_dialogue(text + "S: 554 5.6.3\nC: NOOP\nS: 250\n", strict).messages.empty());
  const auto announced = check_server_dialogue(hello +
                                                   "C: MAIL FROM:<a@b.example> BODY=8BITMIME\nS: 250\nC: RCPT TO:<b@c.example>\nS: "
                                                   "250\nC: DATA\nS: 354\nC: \\xe9\nC: .\nS: 250\n",
                                               strict);
  CHECK_FALSE(announced.messages.at(0).has_eight_bit);
}

// ---- Lines ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("a CR alone ends no line", "[server][basics][5321-2.3.8-02][T26]") {
  const auto r = check_server_dialogue(R"(
    C: NOOP x\rNOOP
    S: 501
    C: RSET\rRSET
    S: 500
    C: NOOP
    S: 250
  )");
  CHECK(r.count("violation") == 2);
}

TEST_CASE("doubled and reversed line ends are none", "[server][basics][5321-2.3.8-03]") {
  check_server_dialogue("C: NOOP x\\r\nS: 501\nC: NOOP\nS: 250\n");
  check_server_dialogue("C: NOOP\\r\nS: 500\nC: NOOP\nS: 250\n");
  // A line that has not ended has no reply.
  check_server_dialogue("c: NOOP\\n\\r\n");
  check_server_dialogue("c: NOOP\\n\\rNOOP\\n\\r\n");
  check_server_dialogue("c: NOOP\\nNOOP\\n\nC: \nS: 500\nC: NOOP\nS: 250\n");
}

TEST_CASE("everything that a session sends ends with CRLF and holds no CR or LF elsewhere", "[server][basics][5321-2.3.8-04]") {
  const auto r = check_server_dialogue("S: 220 mx.example\n" + envelope + R"(
    C: HELP
    S: 214
    C: VRFY a
    S: 252
    C: FOO
    S: 500
    C: MAIL FROM:<x@y.example>
    S: 503
    C: DATA
    S: 354
    C: text
    C: .
    S: 250
    C: QUIT
    S: 221
    CLOSE
  )");
  REQUIRE(r.sent.ends_with("\r\n"));
  for (std::size_t at = 0; at < r.sent.size();) {
    const std::size_t end = r.sent.find_first_of("\r\n", at);
    REQUIRE(r.sent.substr(end, 2) == "\r\n");
    CHECK(end - at >= 4);
    at = end + 2;
  }
}

TEST_CASE("text lines may be capped at the least size of the standard", "[server][basics][5321-2.3.8-06]") {
  setup strict;
  strict.options.long_lines = ehlo::text_policy::refuse;
  for (const auto& [size, code] : {std::pair{1000U, "250"}, std::pair{1001U, "554"}}) {
    CAPTURE(size);
    check_server_dialogue(envelope + "C: DATA\nS: 354\nC: " + std::string(size - 2, 't') + "\nC: .\nS: " + code + "\n", strict);
  }
}

TEST_CASE("nothing is acted on before the CRLF of its line", "[server][basics][5321-2.4-07]") {
  CHECK_FALSE(check_server_dialogue("c: QUIT\n").closed);
  CHECK_FALSE(check_server_dialogue("c: QUIT\\r\n").closed);
  CHECK(check_server_dialogue("c: QUIT\\r\nc: \\n\nS: 221\nCLOSE\n").closed);
  CHECK_FALSE(check_server_dialogue(hello + "c: MAIL FROM:<a@b.example>\\r\n").has("mail"));
  CHECK_FALSE(check_server_dialogue(envelope + "C: DATA\nS: 354\nC: text\nc: .\\r\n").has("message"));
}

TEST_CASE("how octets are cut changes nothing", "[server][basics][5321-2.4-08]") {
  check_server_dialogue(envelope + R"(
    C: RCPT TO:<no@mx.example>
    S: 550
    C: DATA
    S: 354
    C: ..a
    C: .b
    C: .
    S: 250
    C: MAIL FROM:<>
    S: 250
    C: RSET
    S: 250
    C: FOO\0BAR
    S: 500
    C: QUIT
    S: 221
    CLOSE
  )");
}

// ---- Verbs ---------------------------------------------------------------------------------------------------------------------

TEST_CASE("verbs and their words are read in any case", "[server][basics][5321-2.4-01]") {
  check_server_dialogue(R"(
    C: eHlO client.example
    S: 250
    C: mAiL fRoM:<>
    S: 250
    C: rcPT tO:<a@b.example>
    S: 250
    C: data
    S: 354
    C: .
    S: 250
    C: rSet
    S: 250
    C: helo client.example
    S: 250
    C: noop
    S: 250
    C: vrfy a
    S: 252
    C: quit
    S: 221
    CLOSE
  )");
}

TEST_CASE("white space before the CRLF is tolerated", "[server][basics][5321-4.1.1-01]") {
  check_server_dialogue(
      "C: EHLO client.example \nS: 250\nC: NOOP  \nS: 250\nC: MAIL FROM:<> \nS: 250\nC: RCPT TO:<a@b.example>\\t \nS: 250\n"
      "C: RSET \nS: 250\nC: QUIT\\t\nS: 221\nCLOSE\n");
}

TEST_CASE("a verb is made of letters and ends at a space or at the end of the line", "[server][basics][5321-4.1.1-02]") {
  check_server_dialogue(R"(
    C: NOOP
    S: 250
    C: NO0P
    S: 500
    C: NOOPS
    S: 500
    C: NOO
    S: 500
    C: NOOP\tx
    S: 500
    C:
    S: 500
    C: \x20NOOP
    S: 500
    C: EHLO client.example
    S: 250
    C: MAILFROM:<>
    S: 500
    C: MAIL\tFROM:<>
    S: 500
  )");
}

TEST_CASE("verbs of old worms and of what no server does are not run", "[server][basics][5321-4.1.5-01][T53]") {
  struct row {
    const char* line;
    const char* code;
  };
  const row rows[] = {{"XFOO bar", "500"},
                      {"DEBUG", "500"},
                      {"WIZ", "500"},
                      {"KILL", "500"},
                      {"BURL imap://x", "502"},
                      {"ETRN x.example", "502"},
                      {"ATRN", "500"},
                      {"XCLIENT ADDR=1.2.3.4", "502"},
                      {"XFORWARD NAME=x", "502"},
                      {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2", "500"},
                      {"SEND FROM:<a@b.example>", "502"},
                      {"SOML FROM:<a@b.example>", "502"},
                      {"SAML FROM:<a@b.example>", "502"},
                      {"TURN", "502"}};
  for (const row& r : rows) {
    CAPTURE(r.line);
    const std::string once = std::string{"C: "} + r.line + "\nS: " + r.code + "\n";
    const auto played =
        check_server_dialogue(once + hello + once + "C: MAIL FROM:<>\nS: 250\n" + once + "C: RCPT TO:<a@b.example>\nS: 250\n");
    CHECK_FALSE(played.closed);
    CHECK(played.count("violation") == 3);
    CHECK_FALSE(played.has("reset"));
  }
}

TEST_CASE("the caller's own verbs are listed in EHLO or not, as it says", "[server][basics][5321-4.1.5-02]") {
  static constexpr ehlo::custom_verb verbs[] = {{"XFOO", true}, {"XBAR", false}};
  setup how;
  how.options.verbs = verbs;
  how.on_custom = [](const ehlo::custom_question&) -> dialogue::answer { return ehlo::replies::ok; };
  const auto r = check_server_dialogue(
      "C: EHLO client.example\nS: 250 mx.example\nC: xfoo a b\nS: 250\nC: XBAR\nS: 250\nC: XBAZ\nS: 500\n", how);
  CHECK(r.sent.find("XFOO\r\n") != r.sent.npos);
  CHECK(r.sent.find("XBAR") == r.sent.npos);
  CHECK(r.has("custom XFOO a b"));
}

// ---- Octets --------------------------------------------------------------------------------------------------------------------

TEST_CASE("forbidden octets in a command get 501 and change nothing", "[server][basics][5321-4.1.2-24][T26]") {
  for (const unsigned octet : {0x00U, 0x01U, 0x07U, 0x08U, 0x09U, 0x0aU, 0x0dU, 0x1bU, 0x1fU, 0x7fU, 0x80U, 0xe9U, 0xffU}) {
    CAPTURE(octet);
    check_server_dialogue(hello + "C: MAIL FROM:<a@b" + escape(octet) + "c.example>\nS: 501\nC: MAIL FROM:<a@b.example>\nS: 250\n" +
                          "C: RCPT TO:<\"x" + escape(octet) + "y\"@b.example>\nS: 501\nC: RCPT TO:<x@b.example>\nS: 250\n");
  }
}

TEST_CASE("each octet is taken or refused in a verb, a local-part, a domain and an argument", "[server][basics][T26]") {
  const std::string_view atext = "!#$%&'*+-/=?^_`{|}~";
  for (unsigned octet = 0; octet < 256; ++octet) {
    CAPTURE(octet);
    const char c = static_cast<char>(octet);
    const bool is_letter = ehlo::ascii::alpha.contains(c) || ehlo::ascii::digit.contains(c);
    const bool is_atext = is_letter || (octet != 0 && atext.find(c) != atext.npos);
    const bool is_line_control = octet == 0 || octet == '\r' || octet == '\n';
    setup how;
    how.whole_only = true;
    const auto code = [](bool taken) { return std::string{taken ? "250" : "501"}; };
    const auto r = check_server_dialogue(
        "C: N" + escape(octet) + "OP\nS: " + (octet == 'o' || octet == 'O' ? "250" : "500") + "\n" +  //
            "C: NOOP x" + escape(octet) + "y\nS: " + code(!is_line_control) + "\n" +                  //
            "C: EHLO a" + escape(octet) + "b.example\nS: " + code(is_letter || c == '-' || c == '.') + "\n" + hello +
            "C: MAIL FROM:<a" + escape(octet) + "b@c.example>\nS: " + code(is_atext || c == '.') + "\nC: RSET\nS: 250\n" +
            "C: MAIL FROM:<a@b" + escape(octet) + "c.example>\nS: " + code(is_letter || c == '-' || c == '.') +
            "\nC: RSET\nS: 250\n" + "C: VRFY a" + escape(octet) + "b\nS: " + (is_atext || c == '@' ? "252" : "501") + "\n",
        how);
    CHECK_FALSE(r.closed);
    CHECK(r.sent.find_first_not_of("\r\nabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -.,:;/") == r.sent.npos);
  }
}

TEST_CASE("the tail of a line over its limit is not run", "[server][basics][T7]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
  struct row {
    const char* start;
    std::size_t limit;
    bool in_transaction;  ///< the command belongs behind MAIL
  };
  // 530 is DSN's share of MAIL and of RCPT, 26 that of SIZE, 500 that of AUTH.
  const row rows[] = {{"NOOP ", 512, true},
                      {"FOO ", 512, true},
                      {"RCPT TO:<a@b.example> ", 512 + 530, true},
                      {"MAIL FROM:<a@b.example> ", 512 + 26 + 530 + 500, false},
                      {"AUTH PLAIN ", 12288, false}};
  setup how;
  how.options.mechanisms = mechanisms;
  how.options.auth_without_tls = true;
  how.options.extensions.dsn = true;
  how.whole_only = true;
  for (const row& one : rows) {
    for (const std::size_t size : {one.limit - 1, one.limit, one.limit + 1, one.limit + 6, 100 * one.limit}) {
      for (const std::string tail : {"RSET", "QUIT", "\rRSET", "\nQUIT"}) {
        CAPTURE(one.start, size, tail);
        const std::string line = one.start + std::string(size - 2 - std::string_view{one.start}.size() - tail.size(), 'x') + tail;
        const std::string octets =
            std::string{"EHLO client.example\r\n"} + (one.in_transaction ? "MAIL FROM:<>\r\n" : "") + line + "\r\n";
        for (const std::size_t cut : {std::size_t{511}, std::size_t{512}, std::size_t{513}, std::size_t{1} << 30U}) {
          std::size_t replies = 0;
          ehlo::server_session session{how.options};
          std::string sent;
          bool closed = false;
          bool reset = false;
          const auto pump = [&](std::string_view input) {
            for (;;) {
              const auto action = session.next(input);
              if (const auto* a = std::get_if<ehlo::transmit>(&action)) sent += a->octets;
              if (std::holds_alternative<ehlo::transaction_reset>(action)) reset = true;
              if (std::holds_alternative<ehlo::close_channel>(action)) closed = true;
              if (closed || std::holds_alternative<ehlo::receive>(action)) return;
              if (session.open_question().serial != 0) REQUIRE(session.answer_default().has_value());
            }
          };
          pump({});
          for (std::size_t at = 0; at < octets.size() && !closed; at += cut) pump(std::string_view{octets}.substr(at, cut));
          for (std::size_t at = 0; (at = sent.find("\r\n", at)) != sent.npos; at += 2) {
            const std::size_t begin = at == 0 ? 0 : sent.rfind('\n', at) + 1;
            if (sent[begin + 3] == ' ') ++replies;
          }
          CHECK(replies == (one.in_transaction ? 4U : 3U));  // one for each line, and the greeting
          if (size > one.limit) CHECK(sent.substr(sent.rfind('\n', sent.size() - 3) + 1, 3) == "500");
          CHECK_FALSE(closed);
          CHECK_FALSE(reset);
        }
      }
    }
  }
}

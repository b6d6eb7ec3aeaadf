// SPDX-License-Identifier: BSL-1.0
#include <ehlo/observer/transcript.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/observation.hpp"

namespace {

using namespace ehlo;
using observation::turn;

/// Feeds a transcript as its callers do: what it does not take yet is kept, and given again behind the other end's octets.
template <class Transcript>
class writer {
 public:
  explicit writer(const observer_options& options) : transcript_{options} {}

  void play(const std::vector<turn>& turns, std::size_t cut) {
    for (const turn& t : turns) {
      switch (t.what) {
        case turn::kind::octets:
          for (std::string_view octets = t.octets; !octets.empty(); octets.remove_prefix(std::min(cut, octets.size()))) {
            kept_[t.from == direction::from_server] += octets.substr(0, cut);
            drain(t.from);
          }
          break;
        case turn::kind::decrypted: CHECK(transcript_.tls_started()); break;
        case turn::kind::missing:
          transcript_.octets_missing(t.from, t.count);
          drain(t.from);
          break;
        case turn::kind::end:
          transcript_.end_of_input(t.from);
          drain(t.from);
          break;
        case turn::kind::rejoin: FAIL("a transcript does not rejoin");
      }
    }
  }

  std::string text;

 private:
  void drain(direction from) {
    for (bool goes_on = true; goes_on; from = other(from)) {
      std::string& mine = kept_[from == direction::from_server];
      const std::unique_ptr<char[]> buffer{new char[mine.size()]};  // ends where the octets end
      std::copy(mine.begin(), mine.end(), buffer.get());
      std::string_view input{buffer.get(), mine.size()};
      while (const auto line = transcript_.next(from, input)) {
        text += *line;
        text += '\n';
      }
      goes_on = input.size() != mine.size() && !kept_[from == direction::from_client].empty();
      mine.erase(0, mine.size() - input.size());
    }
  }

  Transcript transcript_;
  std::array<std::string, 2> kept_{};
};

/// The transcript of a conversation. The cuts and the storage must change nothing.
std::string transcript_of(std::string_view script, observer_options options = {}) {
  const auto turns = observation::turns_of(script);
  std::size_t longest = 1;
  for (const turn& t : turns) longest = std::max(longest, t.octets.size());
  writer<transcript> whole{options};
  whole.play(turns, longest);
  for (std::size_t cut = 1; cut < std::min<std::size_t>(longest, 40); ++cut) {
    CAPTURE(cut);
    writer<transcript> growing{options};
    growing.play(turns, cut);
    CHECK(growing.text == whole.text);
    writer<basic_transcript<fixed_observer<>>> fixed{options};
    fixed.play(turns, cut);
    CHECK(fixed.text == whole.text);
  }
  return whole.text;
}

constexpr std::string_view opening = R"(
  S: 220 mx.example ready
  C: EHLO client.example
  S: 250-mx.example
  S: 250-ENHANCEDSTATUSCODES
  S: 250-CHUNKING
  S: 250-PIPELINING
  S: 250-SIZE
  S: 250 AUTH PLAIN LOGIN SCRAM-SHA-256
)";
constexpr std::string_view opening_told = R"(S: 220 mx.example ready
C: EHLO client.example
S: 250-mx.example
S: 250-ENHANCEDSTATUSCODES
S: 250-CHUNKING
S: 250-PIPELINING
S: 250-SIZE
S: 250 AUTH PLAIN LOGIN SCRAM-SHA-256
)";

/// What is told of `script` behind the opening.
std::string told_of(std::string_view script) {
  const std::string all = transcript_of(std::string{opening} + std::string{script});
  REQUIRE(all.starts_with(opening_told));
  return all.substr(opening_told.size());
}

}  // namespace

TEST_CASE("a transcript reads like a dialogue of the standard", "[observer]") {
  CHECK(told_of(R"(
    C: MAIL FROM:<a@client.example> SIZE=7
    C: RCPT TO:<b@mx.example>
    C: RCPT TO:<c@mx.example>
    C: DATA
    S: 250 2.1.0 OK
    S: 250 2.1.5 OK
    S: 550 5.1.1 No such mailbox
    S: 354 Start mail input
    C: hidden
    C: .
    S: 250 2.6.0 Message accepted
    C: VRFY somebody
    S: 252 2.5.0 Try
    C: HELP
    S: 214 See elsewhere
    C: NOOP
    S: 250 2.0.0 OK
    C: RSET
    S: 250 2.0.0 OK
    C: QUIT
    S: 221 2.0.0 Bye
  )") == R"(C: MAIL FROM:<a@client.example> SIZE=7
C: RCPT TO:<b@mx.example>
C: RCPT TO:<c@mx.example>
C: DATA
S: 250 2.1.0 OK
S: 250 2.1.5 OK
S: 550 5.1.1 No such mailbox
S: 354 Start mail input
C: [8 octets of mail data]
C: .
S: 250 2.6.0 Message accepted
C: VRFY somebody
S: 252 2.5.0 Try
C: HELP
S: 214 See elsewhere
C: NOOP
S: 250 2.0.0 OK
C: RSET
S: 250 2.0.0 OK
C: QUIT
S: 221 2.0.0 Bye
)");
}

TEST_CASE("AUTH PLAIN with an initial response shows neither it nor the text of the reply", "[observer][T37]") {
  CHECK(told_of(R"(
    C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
    S: 235 2.7.0 Welcome AGFsaWNlAHNlY3JldA==
  )") == "C: AUTH PLAIN ****\nS: 235 2.7.0 ****\n");
}

TEST_CASE("AUTH PLAIN in two steps shows no response, and not how long it is", "[observer][T37]") {
  const std::string_view told = "C: AUTH plain\nS: 334 ****\nC: ****\nS: 535 5.7.8 ****\n";
  CHECK(told_of(R"(
    C: AUTH plain
    S: 334
    C: AGFsaWNlAHNlY3JldA==
    S: 535 5.7.8 secret is no password
  )") == told);
  CHECK(told_of(R"(
    C: AUTH plain
    S: 334 x
    C: AGFsaWNlAG11Y2gtbG9uZ2VyLXNlY3JldA==
    S: 535 5.7.8 no
  )") == told);
}

TEST_CASE("AUTH LOGIN shows neither name nor password, with and without an initial response", "[observer][T37]") {
  CHECK(told_of(R"(
    C: AUTH LOGIN
    S: 334 VXNlcm5hbWU6
    C: YWxpY2U=
    S: 334 UGFzc3dvcmQ6
    C: c2VjcmV0
    S: 235 ok
  )") == "C: AUTH LOGIN\nS: 334 ****\nC: ****\nS: 334 ****\nC: ****\nS: 235 ****\n");
  CHECK(told_of(R"(
    C: AUTH LOGIN YWxpY2U=
    S: 334 UGFzc3dvcmQ6
    C: *
    S: 501 5.7.0 cancelled
  )") == "C: AUTH LOGIN ****\nS: 334 ****\nC: *\nS: 501 5.7.0 ****\n");
}

TEST_CASE("SCRAM shows no message of the exchange", "[observer][T37]") {
  CHECK(told_of(R"(
    C: AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=
    S: 334 cj1yT3ByTkdmd0ViZVJXZ2JORWtxTyVodllEcFdVYTJSYVRDQWZ1eEZJbGopaE5sRiRrMA==
    C: Yz1iaXdzLHI9ck9wck5HZndFYmVSV2diTkVrcU8=
    S: 334 dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ==
    C:
    S: 235 2.7.0 done
    C: QUIT
    S: 221 2.0.0 Bye
  )") == "C: AUTH SCRAM-SHA-256 ****\nS: 334 ****\nC: ****\nS: 334 ****\nC: ****\nS: 235 2.7.0 ****\nC: QUIT\nS: 221 2.0.0 Bye\n");
}

TEST_CASE("a password in the wrong place is not shown", "[observer][T37]") {
  // Where the mechanism stands; behind a refusal; in a line of its own; pipelined ahead of the challenge.
  const std::string told = told_of(R"(
    C: AUTH c2VjcmV0
    S: 504 5.5.4 c2VjcmV0 is unknown
    C: AUTH
    S: 501 5.5.4 no
    C: AUTH PLAIN c2VjcmV0 c2VjcmV0
    S: 501 5.5.4 c2VjcmV0
    C: AUTH LOGIN
    S: 535 5.7.8 no
    C: c2VjcmV0
    S: 500 5.5.2 c2VjcmV0 is unknown
    C: AUTH LOGIN
    c: c2VjcmV0
    S: 334 YQ==
    C:
    S: 334 c2VjcmV0
    C: c2VjcmV0
    S: 235 2.7.0 c2VjcmV0
    C: USER c2VjcmV0
    S: 500 c2VjcmV0
    C: BURL imap://c2VjcmV0 LAST
    S: 502 c2VjcmV0
  )");
  CAPTURE(told);
  CHECK(told.find("c2Vj") == told.npos);
  CHECK(told.find("C: AUTH ****\n") != told.npos);
  CHECK(told.find("C: AUTH LOGIN\nS: 535 5.7.8 ****\nC: ****\nS: 500 5.5.2 ****\n") != told.npos);
  CHECK(told.find("C: BURL **** LAST\n") != told.npos);
}

TEST_CASE("mail data of DATA and BDAT are counted and not shown", "[observer][T37]") {
  CHECK(told_of(R"(
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0 OK
    C: RCPT TO:<b@mx.example>
    S: 250 2.1.5 OK
    C: BDAT 8
    c: hidden\r\n
    S: 250 2.0.0 8 octets
    C: BDAT 9 LAST
    c: MAIL FROM
    S: 250 2.6.0 Message accepted
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0 OK
    C: RCPT TO:<b@mx.example>
    S: 250 2.1.5 OK
    C: BDAT 0 LAST
    S: 250 2.6.0 Message accepted
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0 OK
    C: RCPT TO:<b@mx.example>
    S: 250 2.1.5 OK
    C: DATA
    S: 354 go
    C: Subject: hidden
    C:
    C: ..
    C: RSET
    C: .
    S: 250 2.6.0 Message accepted
  )") == R"(C: MAIL FROM:<a@client.example>
S: 250 2.1.0 OK
C: RCPT TO:<b@mx.example>
S: 250 2.1.5 OK
C: BDAT 8
C: [8 octets of mail data]
S: 250 2.0.0 8 octets
C: BDAT 9 LAST
C: [9 octets of mail data]
S: 250 2.6.0 Message accepted
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 OK
C: RCPT TO:<b@mx.example>
S: 250 2.1.5 OK
C: BDAT 0 LAST
S: 250 2.6.0 Message accepted
C: MAIL FROM:<a@client.example>
S: 250 2.1.0 OK
C: RCPT TO:<b@mx.example>
S: 250 2.1.5 OK
C: DATA
S: 354 go
C: [28 octets of mail data]
C: .
S: 250 2.6.0 Message accepted
)");
}

TEST_CASE("mail data that came ahead of the 354, or behind a refusal, are not shown either", "[observer][T37]") {
  const std::string early = told_of(R"(
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    C: hidden
    C: .
    S: 250 2.1.0 OK
    S: 250 2.1.5 OK
    S: 354 go
    S: 250 2.6.0 OK
  )");
  CAPTURE(early);
  CHECK(early.find("hidden") == early.npos);
  CHECK(early.find("-- octets behind DATA came before its reply (RFC 2920 3.1)\n") != early.npos);
  CHECK(early.ends_with("S: 354 go\nC: [8 octets of mail data]\nC: .\nS: 250 2.6.0 OK\n"));
  const std::string refused = told_of(R"(
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    C: hidden
    C: .
    S: 250 2.1.0 OK
    S: 550 5.1.1 no
    S: 503 5.5.1 no
    S: 500 5.5.2 hidden
    S: 500 5.5.2 .
  )");
  CAPTURE(refused);
  CHECK(refused.find("hidden") == refused.npos);
  CHECK(
      refused.ends_with("S: 503 5.5.1 no\nC: ****\n-- behind a DATA or BDAT that was not taken comes no command (RFC 5321 3.3)\n"
                        "C: ****\nS: 500 5.5.2 ****\nS: 500 5.5.2 ****\n"));
}

TEST_CASE("mail data whose end does not come are counted", "[observer]") {
  CHECK(told_of(R"(
    C: MAIL FROM:<a@client.example>
    S: 250 2.1.0 OK
    C: RCPT TO:<b@mx.example>
    S: 250 2.1.5 OK
    C: DATA
    S: 354 go
    C: hidden
    EOF C
    S: 421 4.3.0 Bye
    EOF S
  )")
            .ends_with("S: 354 go\nC: [8 octets of mail data]\nS: 421 4.3.0 Bye\n"));
}

TEST_CASE("what is secret does not change the transcript", "[observer][T37]") {
  const auto with = [](std::string_view secret, std::string_view text) {
    std::string script = R"(
      C: AUTH PLAIN SECRET
      S: 334 SECRET
      C: SECRET
      S: 535 5.7.8 SECRET
      C: SECRET
      S: 500 SECRET
      C: MAIL FROM:<a@client.example>
      S: 250 2.1.0 OK
      C: RCPT TO:<b@mx.example>
      S: 250 2.1.5 OK
      C: BDAT 6
      c: TEXTXX
      S: 250 2.0.0 OK
      C: BDAT 6 LAST
      c: TEXTXX
      S: 250 2.0.0 OK
      C: MAIL FROM:<a@client.example>
      S: 250 2.1.0 OK
      C: RCPT TO:<b@mx.example>
      S: 250 2.1.5 OK
      C: DATA
      S: 354 go
      C: TEXTXX
      C: .
      S: 250 2.0.0 OK
    )";
    for (std::size_t at = 0; (at = script.find("SECRET", at)) != script.npos; at += secret.size()) script.replace(at, 6, secret);
    for (std::size_t at = 0; (at = script.find("TEXTXX", at)) != script.npos; at += text.size()) script.replace(at, 6, text);
    return told_of(script);
  };
  const std::string told = with("c2VjcmV0", "abcdef");
  CHECK(with("YW5vdGhlcg==", "MAIL F") == told);
  CHECK(with("x", "C: ..S") == told);
}

TEST_CASE("controls are escaped in commands and replies", "[observer][T24]") {
  CHECK(told_of(R"(
    C: MAIL FROM:<"a\\\\b"@client.example>
    S: 250 \x1b[2J\x07 caf\xc3\xa9 \xe2\x80\xae \xff \x7f \x9b
    C: VRFY "x y"
    S: 252-one
    S: 252 a\ttwo
  )") == R"(C: MAIL FROM:<"a\\b"@client.example>
S: 250 \x1B[2J\x07 caf)"
         "\xc3\xa9"
         R"( \xE2\x80\xAE \xFF \x7F \x9B
-- octets above 127 in a reply without SMTPUTF8 (RFC 6531 3.1)
C: VRFY "x y"
S: 252-one
S: 252 a\x09two
)");
}

TEST_CASE("a line of a transcript has an end", "[observer]") {
  const std::string name(700, 'x');
  const std::string said(1500, 'y');
  const auto told = told_of("C: NOOP " + name + "\nS: 250 2.0.0 OK\nC: VRFY " + name + name + "\nS: 252 " + said + "\n");
  CAPTURE(told);
  std::size_t dots = 0;
  for (std::size_t start = 0; start < told.size(); start = told.find('\n', start) + 1) {
    const std::string line = told.substr(start, told.find('\n', start) - start);
    CHECK(line.size() <= 1024);
    if (line.ends_with("...")) {
      ++dots;
      CHECK(line.size() == 1024);
    }
  }
  CHECK(dots == 2);
}

TEST_CASE("a character at the end of a full line is not cut", "[observer]") {
  const observer_options options;
  basic_transcript<observer, 64> narrow{options};
  std::string reply = "220 ";
  for (int i = 0; i < 40; ++i) reply += "\xc3\xa9";
  reply += "\r\n";
  std::string_view input = reply;
  const auto line = narrow.next(direction::from_server, input);
  REQUIRE(line);
  std::string wanted = "S: 220 ";
  for (int i = 0; i < 27; ++i) wanted += "\xc3\xa9";
  CHECK(*line == wanted + "...");
  std::string exact = "220 " + std::string(54, 'z') + "\r\n";
  basic_transcript<observer, 64> other_one{options};
  input = exact;
  CHECK(other_one.next(direction::from_server, input) == "S: 220 " + std::string(54, 'z'));
}

TEST_CASE("TLS, losses and a beginning that was not seen are remarks", "[observer]") {
  CHECK(transcript_of(R"(
    S: 220 mx.example ready
    C: EHLO client.example
    S: 250-mx.example
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
    TLS
    C: EHLO client.example
    S: 250 mx.example
    C: QUIT
    S: 221 bye
  )") == R"(S: 220 mx.example ready
C: EHLO client.example
S: 250-mx.example
S: 250 STARTTLS
C: STARTTLS
S: 220 go
-- TLS begins
C: EHLO client.example
S: 250 mx.example
C: QUIT
S: 221 bye
)");
  CHECK(transcript_of("S: 220 mx.example\nC: NOOP\nMISSING C 5\nC: NOOP\nS: 250 ok\n") ==
        "S: 220 mx.example\nC: NOOP\n-- no more of this can be followed (octets are missing)\n");
  CHECK(transcript_of("S: HTTP/1.0 200 OK\n") ==
        "-- a line of a reply begins with a code of three digits, 2yz to 5yz (RFC 5321 4.2)\n"
        "-- no more of this can be followed (the reply cannot be read)\n");
  CHECK(transcript_of("S: 250 2.1.0 OK\nC: RCPT TO:<a@b>\nS: 250 ok\n", {.begin = beginning::unsure}) ==
        "S: 250 2.1.0 OK\n-- the beginning was not seen\nC: RCPT TO:<a@b>\nS: 250 ok\n");
}

TEST_CASE("each cause of a loss has its words", "[observer]") {
  for (int i = 0; i <= static_cast<int>(lost_cause::options); ++i)
    CHECK_FALSE(detail::why_lost(static_cast<lost_cause>(i)).empty());
}

TEST_CASE("LMTP has a line for each recipient, ETRN its node", "[observer]") {
  CHECK(transcript_of(R"(
    S: 220 mx.example
    C: LHLO client.example
    S: 250-mx.example
    S: 250 ETRN
    C: MAIL FROM:<>
    S: 250 ok
    C: RCPT TO:<a@b>
    S: 250 ok
    C: RCPT TO:<c@d>
    S: 250 ok
    C: DATA
    S: 354 go
    C: .
    S: 250 ok
    S: 452 full
    C: ETRN @example.org
    S: 250 ok
  )")
            .ends_with("S: 354 go\nC: .\nS: 250 ok\nS: 452 full\nC: ETRN @example.org\nS: 250 ok\n"));
}

TEST_CASE("XCLIENT and XFORWARD are shown with their attributes", "[observer][xclient][xforward]") {
  const auto told = transcript_of(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250-XCLIENT ADDR
    S: 250 XFORWARD NAME
    C: XFORWARD NAME=spike
    S: 250 ok
    C: XCLIENT ADDR=192.0.2.1
    S: 220 mx.example
  )");
  CHECK(told.find("C: XFORWARD NAME=spike\n") != told.npos);
  CHECK(told.find("C: XCLIENT ADDR=192.0.2.1\nS: 220") != told.npos);
}

TEST_CASE("XFORWARD and XCLIENT show whom they speak for", "[observer]") {
  CHECK(transcript_of(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250-XFORWARD NAME ADDR
    S: 250 XCLIENT NAME ADDR
    C: XFORWARD NAME=a.example ADDR=192.0.2.1
    S: 250 ok
    C: XCLIENT ADDR=192.0.2.2
    S: 220 mx.example
  )")
            .ends_with("C: XFORWARD NAME=a.example ADDR=192.0.2.1\nS: 250 ok\nC: XCLIENT ADDR=192.0.2.2\nS: 220 mx.example\n"));
}

static_assert([] {
  constexpr observer_options options;
  basic_transcript<fixed_observer<512, 1024, 8>, 128> t{options};
  std::string_view input = "220 mx.example\r\n";
  const auto line = t.next(direction::from_server, input);
  if (!line || *line != "S: 220 mx.example") return false;
  return !t.next(direction::from_server, input) && input.empty();
}());

TEST_CASE("what stands behind VRFY, HELP and BDAT is shown", "[observer]") {
  const auto told = transcript_of(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250-CHUNKING
    S: 250 SMTPUTF8
    C: VRFY \xc3\xa9 SMTPUTF8
    S: 252 ok
    C: VRFY joe
    S: 252 ok
    C: HELP
    S: 214 ok
    C: HELP MAIL
    S: 214 ok
    C: MAIL FROM:<>
    S: 250 ok
    C: RCPT TO:<a@b>
    S: 250 ok
    C: BDAT 0
    S: 250 ok
    C: BDAT 0 LAST
    S: 250 ok
  )");
  for (const std::string_view line :
       {"C: VRFY \xc3\xa9 SMTPUTF8\n", "C: VRFY joe\n", "C: HELP\n", "C: HELP MAIL\n", "C: BDAT 0\n", "C: BDAT 0 LAST\n"}) {
    CAPTURE(line);
    CHECK(told.find(line) != told.npos);
  }
}

// SPDX-License-Identifier: BSL-1.0
// CHUNKING and BINARYMIME (RFC 3030), SIZE (RFC 1870) by a server session.
#include <random>
#include <string>
#include <string_view>
#include <variant>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string envelope = hello + "C: MAIL FROM:<a@client.example>\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\n";

setup binary() {
  setup out;
  out.options.extensions.binary_mime = true;
  return out;
}

}  // namespace

TEST_CASE("BDAT has a size and maybe LAST", "[server][chunking][3030-2-01]") {
  check_server_dialogue(envelope + "C: BDAT 2\nc: ab\nS: 250\nC: bdat 0\nS: 250\nC: bdat 1 last\nc: c\nS: 250\n");
  check_server_dialogue(envelope + "C: BDAT 2 FOO\nc: ab\nS: 501\nC: NOOP\nS: 250\n");
  check_server_dialogue(envelope + "C: BDAT 2 LAST x\nc: ab\nS: 501\nC: NOOP\nS: 250\n");
  for (const char* bad : {"BDAT", "BDAT -1", "BDAT +1", "BDAT 5x", "BDAT  5", "BDAT 0x5", "BDAT LAST"})
    check_server_dialogue(envelope + "C: " + bad + "\nS: 501\nCLOSE\n");
}

TEST_CASE("a size that cannot be counted ends the session", "[server][chunking][3030-2-02][T5]") {
  for (const char* size : {"18446744073709551616", "99999999999999999999999", "340282366920938463463374607431768211456"}) {
    const auto r = check_server_dialogue(envelope + "C: BDAT " + size + "\nS: 501\nCLOSE\n");
    CHECK(r.has("reset closed"));
  }
  for (const char* size : {"4294967296", "9223372036854775808", "18446744073709551615"}) {
    // It can be counted, and is too large: what comes is swallowed, and nothing is reserved.
    const auto r = check_server_dialogue(envelope + "C: BDAT " + std::string{size} + "\nc: RSET\\r\\nQUIT\\r\\n\nEOF\nCLOSE\n");
    CHECK_FALSE(r.has("reset rset"));
    CHECK(r.has("violation the message is over the maximum size"));
  }
}

TEST_CASE("where CHUNKING is offered DATA works too", "[server][chunking][3030-2-03]") {
  CHECK(check_server_dialogue(envelope + "C: DATA\nS: 354\nC: x\nC: .\nS: 250\n").messages.size() == 1);
}

TEST_CASE("the octets of a chunk follow its CRLF", "[server][chunking][3030-2-05]") {
  CHECK(check_server_dialogue(envelope + "C: BDAT 3 LAST\nc: abc\nS: 250\n").messages.at(0).octets == "abc");
}

TEST_CASE("a chunk has one 250, when its octets are in", "[server][chunking][3030-2-06]") {
  const auto r = check_server_dialogue(envelope + "C: BDAT 5\nc: ab\nc: cde\nS: 250 2.0.0\nC: NOOP\nS: 250\n");
  CHECK(r.count("chunks") == 1);
}

TEST_CASE("chunks know no dots", "[server][chunking][3030-2-07]") {
  CHECK(check_server_dialogue(envelope + "C: BDAT 5 LAST\nc: ..\\r\\n.\nS: 250\n").messages.at(0).octets == "..\r\n.");
}

TEST_CASE("chunks know no lines: nothing is told of their length, their ends and their octets", "[server][chunking][3030-2-07]") {
  const auto r =
      check_server_dialogue(envelope + "C: BDAT 1203 LAST\nc: " + std::string(1200, 'x') + "\\xe9\\n\\r\nS: 250\n").messages.at(0);
  CHECK(r.size == 1203);
  CHECK_FALSE(r.has_long_line);
  CHECK_FALSE(r.has_eight_bit);
  CHECK_FALSE(r.has_bare_line_end);
}

TEST_CASE("a chunk behind the last one gets 503", "[server][chunking][3030-2-09]") {
  check_server_dialogue(envelope + "C: BDAT 1 LAST\nc: a\nS: 250\nC: BDAT 1\nc: b\nS: 503\nC: NOOP\nS: 250\n");
}

TEST_CASE("the octets of a chunk out of order are swallowed", "[server][chunking][3030-2-10][T4]") {
  check_server_dialogue("C: BDAT 6\nc: QUIT\\r\\n\nS: 503\n" + hello +
                        "C: BDAT 6\nc: QUIT\\r\\n\nS: 503\nC: MAIL FROM:<>\nS: 250\n"
                        "C: BDAT 6 LAST\nc: RSET\\r\\n\nS: 503\nC: NOOP\nS: 250\n");
}

TEST_CASE("each chunk has its 250, the last one that of the message", "[server][chunking][3030-2-11]") {
  const auto r = check_server_dialogue(
      envelope + "C: BDAT 1\nc: a\nS: 250 2.0.0\nC: BDAT 1\nc: b\nS: 250 2.0.0\nC: BDAT 1 LAST\nc: c\nS: 250 2.6.0\n");
  CHECK(r.messages.at(0).octets == "abc");
  CHECK(r.messages.at(0).size == 3);
}

TEST_CASE("the octets of a refused chunk are swallowed before the reply", "[server][chunking][3030-2-12]") {
  setup how;
  how.options.limits.message = 65536;
  how.whole_only = true;
  check_server_dialogue(envelope + "C: BDAT 70000\nc: " + std::string(70000, 'q') + "\nS: 552 5.3.4\nC: NOOP\nS: 250\n", how);
  check_server_dialogue(envelope + "C: BDAT 60000\nc: " + std::string(60000, 'q') +
                            "\nS: 250\nC: BDAT 5537\nc: " + std::string(5537, 'q') + "\nS: 552 5.3.4\nC: NOOP\nS: 250\n",
                        how);
  const auto r = check_server_dialogue(envelope + "C: BDAT 60000\nc: " + std::string(60000, 'q') +
                                           "\nS: 250\nC: BDAT 5536 LAST\nc: " + std::string(5536, 'q') + "\nS: 250\n",
                                       how);
  CHECK(r.messages.at(0).size == 65536);
}

TEST_CASE("chunks behind a failed one are swallowed, each with an error", "[server][chunking][3030-2-14][T4]") {
  setup how;
  how.on_data = [](const ehlo::data_question&) { return answer{ehlo::replies::insufficient_storage}; };
  const auto r = check_server_dialogue(
      envelope + "C: BDAT 3\nc: abc\nC: BDAT 6\nc: QUIT\\r\\n\nC: BDAT 0 LAST\nS: 452 4.3.1\nS: 503\nS: 503\nC: NOOP\nS: 250\n",
      how);
  CHECK(r.messages.empty());
  CHECK(r.count("reset refused") == 1);
}

TEST_CASE("after a failed chunk only RSET, EHLO and QUIT lead on", "[server][chunking][3030-2-16]") {
  const std::string failed = envelope + "C: BDAT 2 FOO\nc: ab\nS: 501\n";
  check_server_dialogue(
      failed +
      "C: DATA\nS: 503\nC: BDAT 1 LAST\nc: x\nS: 503\nC: RCPT TO:<b@mx.example>\nS: 503\nC: MAIL FROM:<>\nS: 503\nC: NOOP\nS: 250\n"
      "C: RSET\nS: 250\nC: MAIL FROM:<>\nS: 250\n");
  check_server_dialogue(failed + hello + "C: MAIL FROM:<>\nS: 250\n");
  check_server_dialogue(failed + "C: QUIT\nS: 221\nCLOSE\n");
}

TEST_CASE("RSET between chunks drops what came", "[server][chunking][3030-2-17]") {
  const auto r = check_server_dialogue(envelope + "C: BDAT 3\nc: abc\nS: 250\nC: RSET\nS: 250\n" + envelope +
                                       "C: BDAT 1 LAST\nc: x\nS: 250\n");
  CHECK(r.has("reset rset"));
  CHECK(r.messages.at(0).octets == "x");
}

TEST_CASE("DATA does not follow BDAT in a transaction", "[server][chunking][3030-2-18][T4]") {
  check_server_dialogue(envelope +
                        "C: BDAT 1\nc: a\nS: 250\nC: DATA\nS: 503\nC: RCPT TO:<c@d.example>\nS: 503\nC: MAIL FROM:<>\nS: 503\nC: "
                        "BDAT 1 LAST\nc: b\nS: 250\n");
}

TEST_CASE("DATA and BDAT may alternate between transactions", "[server][chunking][3030-2-19]") {
  const std::string again = "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\n";
  const auto r = check_server_dialogue(envelope + "C: BDAT 1 LAST\nc: a\nS: 250\n" + again +
                                       "C: DATA\nS: 354\nC: b\nC: .\nS: 250\n" + again + "C: BDAT 1 LAST\nc: c\nS: 250\n");
  CHECK(r.messages.size() == 3);
}

TEST_CASE("a session survives lines of any octets", "[server][chunking][3030-2-21]") {
  std::mt19937 random{3030};
  std::string octets;
  for (int i = 0; i < 65536; ++i) octets += static_cast<char>(random() % 256);
  octets[0] = 'N';  // a TLS record would end the session
  const ehlo::server_options options{.hostname = "mx.example"};
  ehlo::server_session session{options};
  std::string_view input;
  std::string sent;
  bool fed = false;
  for (int i = 0; i < 100000; ++i) {
    const auto action = session.next(input);
    if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
    if (std::holds_alternative<ehlo::receive>(action)) {
      if (fed) break;
      input = octets;
      fed = true;
    }
    if (session.open_question().serial != 0) session.answer_default();
  }
  input = "\r\nNOOP\r\n";
  for (int i = 0; i < 4; ++i) {
    const auto action = session.next(input);
    if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
  }
  CHECK(sent.ends_with("250 2.0.0 OK\r\n"));
  CHECK(ehlo::ascii::is_ascii(sent));
}

TEST_CASE("BINARYMIME without CHUNKING is no option", "[server][chunking][3030-3-01]") {
  ehlo::server_options options{.hostname = "mx.example"};
  options.extensions.binary_mime = true;
  CHECK(options.check().has_value());
  options.extensions.chunking = false;
  CHECK(options.check().error().code == ehlo::errc::option_dependency);
  CHECK(check_server_dialogue(hello, binary()).sent.find("\r\n250-BINARYMIME\r\n") != std::string::npos);
}

TEST_CASE("BODY=BINARYMIME is taken where it is offered", "[server][chunking][3030-3-02][T56]") {
  check_server_dialogue(hello + "C: MAIL FROM:<> BODY=BINARYMIME\nS: 250\n", binary());
  check_server_dialogue(hello + "C: MAIL FROM:<> BODY=BINARYMIME\nS: 501\n");
  setup alone = binary();
  alone.options.extensions.eight_bit_mime = false;
  check_server_dialogue(hello + "C: MAIL FROM:<> BODY=BINARYMIME\nS: 250\n", alone);
}

TEST_CASE("BINARYMIME makes MAIL sixteen octets longer", "[server][chunking][3030-3-03]") {
  setup how = binary();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<> X=";
  for (const auto& [size, code] : {std::pair{528U, "555"}, std::pair{529U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + code + "\n", how);
}

TEST_CASE("every bit of a binary message is kept", "[server][chunking][3030-3-04]") {
  std::string all;
  std::string escaped;
  const char digits[] = "0123456789ABCDEF";
  for (int c = 0; c < 256; ++c) {
    all += static_cast<char>(c);
    escaped += std::string{"\\x"} + digits[c / 16] + digits[c % 16];
  }
  all += "\r\n.\r\n\n.\n\r";
  escaped += "\\r\\n.\\r\\n\\n.\\n\\r";
  const auto r =
      check_server_dialogue(hello + "C: MAIL FROM:<> BODY=BINARYMIME\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: BDAT " +
                                std::to_string(all.size()) + " LAST\nc: " + escaped + "\nS: 250\n",
                            binary());
  CHECK(r.messages.at(0).octets == all);
}

TEST_CASE("DATA after BODY=BINARYMIME gets 503", "[server][chunking][3030-3-05]") {
  check_server_dialogue(hello +
                            "C: MAIL FROM:<> BODY=BINARYMIME\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: DATA\nS: 503\nC: BDAT "
                            "1 LAST\nc: x\nS: 250\n",
                        binary());
}

TEST_CASE("RFC 3030 4.1: one chunk of 86 octets", "[server][chunking][3030-4-01]") {
  std::string text = "To: Susan@random.com\\r\\nFrom: Sam@random.com\\r\\nSubject: This is a bodyless test message\\r\\n";
  const std::size_t size =
      std::string{"To: Susan@random.com\r\nFrom: Sam@random.com\r\nSubject: This is a bodyless test message\r\n"}.size();
  CHECK(size == 86);
  const auto r = check_server_dialogue(
      "C: EHLO cnri.reston.va.us\nS: 250\nC: MAIL FROM:<Sam@random.com>\nS: 250\nC: RCPT TO:<Susan@random.com>\nS: 250\nC: BDAT 86 "
      "LAST\nc: " +
      text + "\nS: 250\nC: QUIT\nS: 221\nCLOSE\n");
  CHECK(r.messages.at(0).size == 86);
}

TEST_CASE("RFC 3030 4.2: binary chunks in a pipeline, with an empty last one", "[server][chunking][3030-4-02]") {
  const std::string chunk(300, 'b');
  const auto r = check_server_dialogue(
      "C: EHLO cnri.reston.va.us\nS: 250\nC: MAIL FROM:<ned@ymir.claremont.edu> BODY=BINARYMIME\nC: RCPT "
      "TO:<gvaudre@cnri.reston.va.us>\n"
      "C: RCPT TO:<jstewart@cnri.reston.va.us>\nS: 250\nS: 250\nS: 250\nC: BDAT 300\nc: " +
          chunk + "\nC: BDAT 300\nc: " + chunk + "\nC: BDAT 0 LAST\nS: 250\nS: 250\nS: 250\nC: QUIT\nS: 221\nCLOSE\n",
      binary());
  CHECK(r.messages.at(0).size == 600);
}

TEST_CASE("an end of input inside a chunk is no message", "[server][chunking][T4][T16]") {
  for (std::size_t left = 1; left <= 5; ++left) {
    const auto r = check_server_dialogue(envelope + "C: BDAT 5 LAST\nc: " + std::string(5 - left, 'x') + "\nEOF\nCLOSE\n");
    CHECK(r.messages.empty());
    CHECK(r.has("reset peer_gone"));
  }
}

TEST_CASE("a caller may give a message up between two chunks and inside one", "[server][chunking]") {
  setup how;
  how.on_data_octets = [](std::string_view) { return std::optional{ehlo::reply{452, {4, 3, 1}, "The disk is full"}}; };
  const auto r = check_server_dialogue(
      envelope + "C: BDAT 3\nc: abc\nS: 452 4.3.1 The disk is full\nC: BDAT 3 LAST\nc: abc\nS: 503\nC: RSET\nS: 250\n", how);
  CHECK(r.count("reset refused") == 1);
}

TEST_CASE("BDAT where CHUNKING is off is not there", "[server][chunking][T56]") {
  setup how;
  how.options.extensions.chunking = false;
  const auto r = check_server_dialogue(envelope + "C: BDAT 3 LAST\nS: 502\nC: NOOP\nS: 250\n", how);
  CHECK(r.sent.find("CHUNKING") == std::string::npos);
}

TEST_CASE("SIZE is listed with its number", "[server][size][1870-3-01]") {
  setup how;
  how.options.limits.message = 1000000;
  CHECK(check_server_dialogue(hello, how).sent.find("\r\n250-SIZE 1000000\r\n") != std::string::npos);
}

TEST_CASE("the number 0 says that there is no maximum", "[server][size][1870-3-02]") {
  setup how;
  how.options.limits.message = 0;
  const auto r = check_server_dialogue(hello + "C: MAIL FROM:<> SIZE=18446744073709551615\nS: 250\n", how);
  CHECK(r.sent.find("\r\n250-SIZE 0\r\n") != std::string::npos);
}

TEST_CASE("SIZE on MAIL has 1 to 20 digits", "[server][size][1870-3-03][T5]") {
  setup how;
  how.options.limits.message = 0;
  for (const char* good : {"0", "1", "12345678901234567890", "99999999999999999999", "00000000000000000001"})
    check_server_dialogue(hello + "C: MAIL FROM:<> SIZE=" + good + "\nS: 250\n", how);
  for (const char* bad : {"SIZE=", "SIZE", "SIZE=1k", "SIZE=-1", "SIZE=+1", "SIZE=0x1", "SIZE=1e3", "SIZE=100000000000000000000"})
    check_server_dialogue(hello + "C: MAIL FROM:<> " + bad + "\nS: 501 5.5.4\n", how);
}

TEST_CASE("SIZE makes MAIL 26 octets longer", "[server][size][1870-3-04]") {
  const std::string start = "MAIL FROM:<> X=";
  for (const auto& [size, code] : {std::pair{538U, "555"}, std::pair{539U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + code + "\n");
}

TEST_CASE("SIZE is no verb", "[server][size][1870-3-05]") { check_server_dialogue(hello + "C: SIZE 1000\nS: 500\n"); }

TEST_CASE("SIZE stands once", "[server][size][1870-6-01][T57]") {
  check_server_dialogue(hello + "C: MAIL FROM:<> SIZE=1 SIZE=2\nS: 501\nC: MAIL FROM:<> SIZE=1 size=1\nS: 501\n");
}

TEST_CASE("the declared size does not end the message", "[server][size][1870-6-02]") {
  const auto r = check_server_dialogue(
      hello + "C: MAIL FROM:<> SIZE=3\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: DATA\nS: 354\nC: 12345678\nC: .\nS: 250\n");
  CHECK(r.messages.at(0).octets == "12345678\r\n");
}

TEST_CASE("a declared size over the maximum gets 552 at MAIL", "[server][size][1870-6.1-01]") {
  setup how;
  how.options.limits.message = 70000;
  check_server_dialogue(
      hello + "C: MAIL FROM:<> SIZE=70001\nS: 552 5.3.4\nC: RCPT TO:<a@b>\nS: 503\nC: MAIL FROM:<> SIZE=70000\nS: 250\n", how);
}

TEST_CASE("want of room for now is 452", "[server][size][1870-6.1-02]") {
  setup how;
  how.on_mail = [](const ehlo::mail_question& q) {
    return q.parameters.size().value_or(0) > 500 ? answer{ehlo::replies::insufficient_storage} : answer{dialogue::by_default{}};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<> SIZE=501\nS: 452 4.3.1\nC: MAIL FROM:<> SIZE=500\nS: 250\n", how);
}

TEST_CASE("a message larger than declared is the caller's to decide", "[server][size][1870-6.1-03]") {
  const auto r = check_server_dialogue(
      hello + "C: MAIL FROM:<> SIZE=10\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: DATA\nS: 354\nC: 1234567890\nC: .\nS: 250\n");
  CHECK(r.messages.at(0).size == 12);
}

TEST_CASE("after agreeing to a size the session does not say 552 by itself", "[server][size][1870-6.3-01]") {
  setup how;
  how.options.limits.message = 65536;
  how.whole_only = true;
  const auto r =
      check_server_dialogue(hello + "C: MAIL FROM:<> SIZE=65536\nS: 250\nC: RCPT TO:<b@mx.example>\nS: 250\nC: DATA\nS: 354\nC: " +
                                std::string(65534, 'm') + "\nC: .\nS: 250\n",
                            how);
  CHECK(r.messages.at(0).size == 65536);
}

TEST_CASE("a session without further settings takes SIZE and holds its maximum", "[server][size][1870-7-02]") {
  check_server_dialogue(hello + "C: MAIL FROM:<> SIZE=67108865\nS: 552\nC: MAIL FROM:<> SIZE=67108864\nS: 250\n");
}

TEST_CASE("a message over the maximum gets 552 at its end", "[server][size][1870-4-01]") {
  setup how;
  how.options.limits.message = 65536;
  how.whole_only = true;
  check_server_dialogue(envelope + "C: DATA\nS: 354\nC: " + std::string(65535, 'm') + "\nC: .\nS: 552 5.3.4\nC: NOOP\nS: 250\n",
                        how);
}

TEST_CASE("a first chunk may be accepted in the caller's words, which nobody hears", "[server][chunking]") {
  setup how;
  how.on_data = [](const ehlo::data_question&) { return answer{*ehlo::reply::make(250, {2, 0, 0}, "go on")}; };
  const auto r = check_server_dialogue(envelope + "C: BDAT 2\nc: ab\nS: 250 2.0.0\nC: BDAT 1 LAST\nc: c\nS: 250 2.6.0\n", how);
  CHECK(r.sent.find("go on") == std::string::npos);
  CHECK(r.messages.at(0).octets == "abc");
}

TEST_CASE("without a limit of its own a chunk may have any size", "[server][chunking]") {
  setup how;
  how.options.limits.message = 0;
  check_server_dialogue(envelope + "C: BDAT 2\nc: ab\nS: 250\nC: BDAT 18446744073709551615 LAST\nc: c\nEOF\nCLOSE\n", how);
}

TEST_CASE("a session that serves nobody passes over chunks too", "[server][chunking][5321-3.1-03]") {
  setup how;
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::no_service}; };
  check_server_dialogue("S: 554\nC: BDAT 5\nc: QUIT!\nS: 503\nC: BDAT 0 LAST\nS: 503\nC: QUIT\nS: 221\n", how);
  check_server_dialogue("S: 554\nC: BDAT x\nS: 503\nCLOSE\n", how);
  how.on_greeting = [](const ehlo::greeting_question&) { return answer{ehlo::replies::host_accepts_no_mail}; };
  check_server_dialogue("S: 521\nC: BDAT 5\nc: QUIT!\nS: 521\nC: BDAT x\nS: 521\nCLOSE\n", how);
}

TEST_CASE("a BDAT with an octet that no command holds ends the session: nobody knows what another reader makes of it",
          "[server][chunking][T5]") {
  for (const char* octet : {"\\r", "\\n", "\\0"}) {
    const auto r = check_server_dialogue(envelope + "C: BDAT 1" + octet + "0\nS: 501\nCLOSE\n");
    CHECK(r.has("reset closed"));
  }
  const auto r = check_server_dialogue(envelope + "C: BDAT 1" + std::string(600, ' ') + "\nS: 500\nCLOSE\n");
  CHECK(r.has("reset closed"));
}

TEST_CASE("refused chunks count as errors", "[server][chunking][5321-7.8-01]") {
  setup how;
  how.options.limits.errors = 2;
  const auto r =
      check_server_dialogue(hello + "C: BDAT 1\nc: a\nS: 503\nC: BDAT 1\nc: b\nS: 503\nC: BDAT 1\nc: c\nS: 421\nCLOSE\n", how);
  CHECK(r.sent.find("Too many") != std::string::npos);
}

TEST_CASE("a message that was given up between two chunks keeps its reason, whatever the next chunk is like",
          "[server][chunking]") {
  const ehlo::server_options options{.hostname = "mx.example", .limits = {.message = 65536}};
  for (const std::string_view chunk : {"BDAT 1\r\nx", "BDAT 1 LAST\r\nx", "BDAT 65536\r\n"}) {
    CAPTURE(chunk);
    ehlo::server_session session{options};
    std::string sent;
    const auto give = [&](std::string_view octets) {
      for (std::string_view input = octets;;) {
        const auto action = session.next(input);
        if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
        if (session.open_question().serial != 0) CHECK(session.accept().has_value());
        if (std::holds_alternative<ehlo::receive>(action) || std::holds_alternative<ehlo::close_channel>(action)) return;
      }
    };
    give("");
    give("EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<b@mx.example>\r\nBDAT 2\r\nab");
    CHECK(session.reject(ehlo::reply{452, {4, 3, 1}, "The disk is full"}).has_value());
    sent.clear();
    give(chunk);
    if (chunk.starts_with("BDAT 65536")) give(std::string(65536, 'x'));
    CHECK(sent.starts_with("452 4.3.1"));
    sent.clear();
    give("NOOP\r\n");
    CHECK(sent.starts_with("250"));
  }
}

// SPDX-License-Identifier: BSL-1.0
// What the command writer writes, the server's parser reads back as it was; what could be read as anything else it does not write.
#include <ehlo/codec/command_writer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ehlo/codec/command_parser.hpp>

#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;

/// The line that `command` makes, with its CRLF. Any smaller room is an error, and nothing is written behind it.
std::string written(const any_command& command) {
  std::array<char, 4096> out{};
  const auto size = write(command, out);
  REQUIRE(size.has_value());
  for (std::size_t room = 0; room < *size; ++room) {
    std::string small(room + 1, '#');
    REQUIRE(write(command, std::span{small.data(), room}).error() == error{errc::line_too_long, room});
    REQUIRE(small[room] == '#');
  }
  std::string exact(*size, '#');
  REQUIRE(write(command, std::span{exact.data(), exact.size()}).has_value());
  CHECK(exact == std::string_view(out.data(), *size));
  return exact;
}

/// Writes, and reads back by the server's parser.
void check_round_trip(const any_command& command, const std::string& line) {
  CAPTURE(line);
  const std::string octets = written(command);
  CHECK(octets == line + "\r\n");
  const auto read = parse_command(line, charset::utf8);
  REQUIRE(read.has_value());
  CHECK(read->index() == command.index());
  CHECK(written(*read) == octets);
}

hello_command hello(verb name, std::string_view client) { return {name, *host::parse(client)}; }
mail_command mail(std::string_view path, std::string_view parameters = {}) {
  return {*reverse_path::parse(path, charset::utf8), mail_parameters{*parameter_list::parse(parameters, charset::utf8)}};
}
rcpt_command rcpt(std::string_view path, std::string_view parameters = {}) {
  return {*forward_path::parse(path, charset::utf8), rcpt_parameters{*parameter_list::parse(parameters, charset::utf8)}};
}

}  // namespace

TEST_CASE("each command is written in upper case, and the server's parser reads the same", "[codec][5321-2.4-06][5321-4.1.1-05]") {
  check_round_trip(hello(verb::ehlo, "client.example"), "EHLO client.example");
  check_round_trip(hello(verb::helo, "client.example"), "HELO client.example");
  check_round_trip(hello(verb::lhlo, "[IPv6:2001:db8::1]"), "LHLO [IPv6:2001:db8::1]");
  check_round_trip(mail("<>"), "MAIL FROM:<>");
  check_round_trip(mail("<SmIth@X.example>", "SIZE=1 BODY=8BITMIME"), "MAIL FROM:<SmIth@X.example> SIZE=1 BODY=8BITMIME");
  check_round_trip(mail("<\"a\\ b>\"@x.example>"), "MAIL FROM:<\"a\\ b>\"@x.example>");
  check_round_trip(rcpt("<Postmaster>"), "RCPT TO:<Postmaster>");
  check_round_trip(rcpt("<b@[192.0.2.1]>", "NOTIFY=NEVER ORCPT=rfc822;a+2Bb"),
                   "RCPT TO:<b@[192.0.2.1]> NOTIFY=NEVER ORCPT=rfc822;a+2Bb");
  check_round_trip(rcpt("<\xC3\xA9@\xC3\xA9.example>"), "RCPT TO:<\xC3\xA9@\xC3\xA9.example>");
  check_round_trip(lookup_command{verb::vrfy, "\"a b\"", std::nullopt, false}, "VRFY \"a b\"");
  check_round_trip(lookup_command{verb::expn, "list", std::nullopt, false}, "EXPN list");
  check_round_trip(lookup_command{verb::vrfy, "\xC3\xA9", std::nullopt, true}, "VRFY \xC3\xA9 SMTPUTF8");
  check_round_trip(help_command{}, "HELP");
  check_round_trip(help_command{"MAIL"}, "HELP MAIL");
  check_round_trip(auth_command{"PLAIN", std::nullopt}, "AUTH PLAIN");
  check_round_trip(auth_command{"PLAIN", "AGEAYg=="}, "AUTH PLAIN AGEAYg==");
  check_round_trip(auth_command{"EXTERNAL", "="}, "AUTH EXTERNAL =");
  check_round_trip(etrn_command{etrn_option::node, "mx.example"}, "ETRN mx.example");
  check_round_trip(etrn_command{etrn_option::subdomains, "mx.example"}, "ETRN @mx.example");
  check_round_trip(etrn_command{etrn_option::queue, "night"}, "ETRN #night");
  check_round_trip(burl_command{"imap://a@mx.example/x;uid=1", false}, "BURL imap://a@mx.example/x;uid=1");
  check_round_trip(burl_command{"imap://a@mx.example/x;uid=1", true}, "BURL imap://a@mx.example/x;uid=1 LAST");
  for (const verb name : {verb::data, verb::rset, verb::noop, verb::quit, verb::starttls})
    check_round_trip(plain_command{name}, std::string{text_of(name)});
}

TEST_CASE("BDAT writes every size up to the largest, and it reads back as a number", "[codec][3030-2-01][3030-2-22]") {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{9}, std::uint64_t{10}, std::uint64_t{0x7FFFFFFF},
        std::uint64_t{0xFFFFFFFF}, std::uint64_t{0x100000000}, most - 1, most}) {
    for (const bool last : {false, true}) {
      const std::string octets = written(bdat_command{size, last});
      CHECK(octets == "BDAT " + std::to_string(size) + (last ? " LAST\r\n" : "\r\n"));
      const auto read = parse_bdat(std::string_view{octets}.substr(5, octets.size() - 7));
      REQUIRE(read.has_value());
      CHECK(read->check.has_value());
      CHECK(read->command == bdat_command{size, last});
    }
  }
}

TEST_CASE("the longest path, name and parameters are written whole, and read back", "[codec][5321-2.3.8-04]") {
  const std::string longest = "<" + std::string(64, 'l') + "@" + strings::domain_of(256 - 2 - 65) + ">";
  REQUIRE(longest.size() == sizes::path);
  const std::string parameters = "ENVID=" + std::string(100, 'e') + " RET=HDRS";
  check_round_trip(mail(longest, parameters), "MAIL FROM:" + longest + " " + parameters);
  const std::string orcpt = "ORCPT=rfc822;" + std::string(493, 'o');
  check_round_trip(rcpt(longest, orcpt), "RCPT TO:" + longest + " " + orcpt);
  CHECK_FALSE(forward_path::parse("<l" + longest.substr(1)).has_value());
  const std::string name = strings::domain_of(255);
  check_round_trip(hello(verb::ehlo, name), "EHLO " + name);
  CHECK_FALSE(host::parse(name + "d").has_value());
  check_round_trip(auth_command{"ABCDEFGHIJKLMNOPQRST", std::nullopt}, "AUTH ABCDEFGHIJKLMNOPQRST");
  CHECK_FALSE(parse_auth("ABCDEFGHIJKLMNOPQRSTU").has_value());
}

TEST_CASE("no control octet at any place of any argument gets into a line", "[codec][5321-2.3.8-04][threats][T17][T18]") {
  // The commands whose arguments are texts, which no type has checked.
  const auto commands = [](std::string_view text) {
    return std::vector<any_command>{lookup_command{verb::vrfy, text, std::nullopt, false},
                                    lookup_command{verb::expn, text, std::nullopt, true}, help_command{text},
                                    auth_command{text, std::nullopt}, auth_command{"PLAIN", text}};
  };
  const std::string argument = "abcd";
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    for (std::size_t place = 0; place <= argument.size(); ++place) {
      std::string text = argument;
      text.insert(place, 1, c);
      for (const any_command& command : commands(text)) {
        std::array<char, 64> out{};
        const auto size = write(command, out);
        CAPTURE(value, place, command.index());
        if (value < 32 || value == 127) {
          REQUIRE_FALSE(size.has_value());
          CHECK(size.error().code == errc::argument_octet);
          continue;
        }
        REQUIRE(size.has_value());
        const std::string_view line{out.data(), *size};
        CHECK(line.ends_with("\r\n"));
        CHECK(line.find_first_of(std::string_view{"\r\n\0", 3}) == line.size() - 2);
        CHECK(line.find(text) != line.npos);
      }
    }
  }
  // The typed ones: what their types take, the writer writes, and it reads back.
  for (int value = 0; value < 256; ++value) {
    for (const std::string form : {"<a?b@c.example>", "<a@b?c.example>", "<\"a?b\"@c.example>", "<a@c.example?>", "?<a@c.example>",
                                   "<a@c.example>?", "<a@[192.0.2.1?]>"}) {
      std::string text = form;
      text.replace(text.find('?'), 1, 1, static_cast<char>(value));
      const auto path = forward_path::parse(text, charset::utf8);
      CAPTURE(strings::hex(text));
      if (!path) continue;
      CHECK(value > 31);
      CHECK(value != 127);
      check_round_trip(rcpt_command{*path, {}}, "RCPT TO:" + text);
    }
    for (const std::string form : {"A?B=c", "AB=c?d", "AB?=c", "?AB", "AB=c?"}) {
      std::string text = form;
      text.replace(text.find('?'), 1, 1, static_cast<char>(value));
      const auto list = parameter_list::parse(text, charset::utf8);
      CAPTURE(strings::hex(text));
      if (!list) continue;
      CHECK(value > 31);
      CHECK(value != 127);
      check_round_trip(mail_command{reverse_path{}, mail_parameters{*list}}, "MAIL FROM:<> " + text);
    }
  }
}

TEST_CASE("the error of a line is its first, with the octet's place in the line", "[codec]") {
  std::array<char, 64> out{};
  CHECK(write(help_command{"a\nb\rc"}, out).error() == error{errc::argument_octet, 6});
  CHECK(write(lookup_command{verb::vrfy, "\x7F", std::nullopt, false}, out).error() == error{errc::argument_octet, 5});
  CHECK(command_writer{out}.put("AB").put("C\tD").put("\n").finish().error() == error{errc::argument_octet, 3});
  CHECK(command_writer{std::span{out.data(), 4}}.put("ABCDE").put("\n").finish().error() == error{errc::line_too_long, 4});
  CHECK(command_writer{std::span{out.data(), 4}}.put("AB").finish() == std::size_t{4});
}

TEST_CASE("octets go as base64, and an empty initial response as an equals sign", "[codec][4954-4-16]") {
  for (const std::string_view octets : {std::string_view{}, std::string_view{"f"}, std::string_view{"fo"}, std::string_view{"foo"},
                                        std::string_view{"\0\r\n\xFF", 4}}) {
    std::array<char, 64> out{};
    const auto size = command_writer{out}.put("AUTH X ").put_initial_response(octets).finish();
    REQUIRE(size.has_value());
    const std::string_view line{out.data(), *size - 2};
    const auto read = parse_auth(line.substr(5));
    REQUIRE(read.has_value());
    CHECK((*read->initial_response == "=") == octets.empty());
    if (!octets.empty()) {
      const auto decoded = base64::parse(*read->initial_response);
      REQUIRE(decoded.has_value());
      std::string back(decoded->decoded_size(), '\0');
      decoded->decode(back.data());
      CHECK(back == octets);
    }
    // A response alone may be empty: the line is.
    const auto alone = command_writer{out}.put_base64(octets).finish();
    REQUIRE(alone.has_value());
    CHECK(*alone == base64::encoded_size(octets.size()) + 2);
    // One octet too little is an error, not a shorter line.
    std::string small(*alone, '#');
    CHECK(command_writer{std::span{small.data(), *alone - 1}}.put_base64(octets).finish().error().code == errc::line_too_long);
    CHECK(small.back() == '#');
  }
  CHECK(command_writer{std::span<char>{}}.put_number(0).finish().error() == error{errc::line_too_long, 0});
}

TEST_CASE("what does not fit and holds a control octet is wrong for the octet, in whatever room", "[codec]") {
  std::array<char, 12> room{};
  CHECK(command_writer{room}.put("NOOP ").put("1234567890").finish().error().code == errc::line_too_long);
  CHECK(command_writer{room}.put("NOOP ").put("1234567\r90").finish().error() == error{errc::argument_octet, 12});
  CHECK(command_writer{room}.put_base64("123456789").finish().error().code == errc::line_too_long);
  // Nothing that comes behind a fault takes its place.
  CHECK(command_writer{room}.put("\n").put_base64("123456789").put("a text that is too long").finish().error() ==
        error{errc::argument_octet, 0});
}

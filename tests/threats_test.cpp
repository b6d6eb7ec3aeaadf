// SPDX-License-Identifier: BSL-1.0
// Ways in which C++ mail code has been broken, and that this library does not go: backwards pointers, hand-made strings, locales,
// signed octets, backtracking, macros that differ between translation units.
#include <clocale>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/server_dialogue.hpp"

namespace {

/// Calls `use` with each beginning of `text`, each in a buffer that ends where the beginning ends and begins where it begins.
template <class Use>
void with_each_beginning(std::string_view text, Use use) {
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto exact = std::make_unique<char[]>(size);
    text.copy(exact.get(), size);
    use(std::string_view{exact.get(), size});
  }
}

/// Parses `text` by every parser, and counts those that took it.
std::size_t parse_by_all(std::string_view text) {
  std::size_t taken = 0;
  const auto count = [&taken](const auto& parsed) { taken += parsed.has_value() ? 1U : 0U; };
  for (const auto set : {ehlo::charset::ascii, ehlo::charset::utf8}) {
    count(ehlo::domain::parse(text, set));
    count(ehlo::host::parse(text, set));
    count(ehlo::local_part::parse(text, set));
    count(ehlo::mailbox::parse(text, set));
    count(ehlo::reverse_path::parse(text, set));
    count(ehlo::forward_path::parse(text, set));
    count(ehlo::parameter_list::parse(text, set));
    count(ehlo::parse_orcpt(text, set));
    count(ehlo::message_id::parse(text, set));
    count(ehlo::parse_command(text, set));
  }
  count(ehlo::address_literal::parse(text));
  count(ehlo::xtext::parse(text));
  count(ehlo::base64::parse(text));
  count(ehlo::parse_size(text));
  count(ehlo::parse_notify(text));
  count(ehlo::date_time::parse(text));
  count(ehlo::enhanced_status_code::parse(text));
  return taken;
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
}

template <class Visit>
void for_each_header(Visit visit) {
  const std::filesystem::path include = std::filesystem::path{EHLO_SOURCE_DIR} / "include";
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{include}) {
    if (!entry.is_regular_file()) continue;
    ++seen;
    INFO(entry.path().string());
    visit(text_of_file(entry.path()));
  }
  CHECK(seen > 40);
}

}  // namespace

TEST_CASE("no parser looks before or behind its text", "[threats][T58]") {
  std::size_t taken = 0;
  for (const std::string_view text :
       {std::string_view{"MAIL FROM:<@a,@b:\"x\\\"@y\"@[IPv6:1:2::3.4.5.6]> SIZE=1 BODY=8BITMIME AUTH=a+40b"},
        std::string_view{"<\"a\\ b\"@c-d.example>"}, std::string_view{"[IPv6:2001:db8::192.0.2.1]"},
        std::string_view{"\xC3\xA9@\xE2\x82\xAC.example"}, std::string_view{"rfc822;a+2Bb"}, std::string_view{"utf-8;a\\x{E9}"},
        std::string_view{"QUJDRA=="}, std::string_view{"Mon, 1 Jan 2024 10:00:00 +0100"},
        std::string_view{"RCPT TO:<postmaster> NOTIFY=SUCCESS,DELAY"}, std::string_view{"BDAT 1234567890 LAST"},
        std::string_view{"5.7.30"}, std::string_view{"VRFY <\"a b\"@c.example> SMTPUTF8"}, std::string_view{"AUTH PLAIN AGEAYg=="},
        std::string_view{"<a.b@c.example>"}}) {
    with_each_beginning(text, [&taken](std::string_view beginning) { taken += parse_by_all(beginning); });
  }
  CHECK(taken > 100);
}

TEST_CASE("names of any length in EHLO come and go without harm", "[threats][T60]") {
  const ehlo::server_options options{.hostname = "mx.example"};
  for (std::size_t size = 1; size < 1200; size += 7) {
    ehlo::server_session session{options};
    const std::string wire = "EHLO " + std::string(size, 'a') + "\r\n";
    std::string_view rest = wire;
    std::string_view input;
    std::string sent;
    for (int i = 0; i < 3000; ++i) {
      const auto action = session.next(input);
      if (const auto* const out = std::get_if<ehlo::transmit>(&action)) sent += out->octets;
      if (std::holds_alternative<ehlo::receive>(action)) {
        if (rest.empty()) break;
        input = rest.substr(0, 5);
        rest.remove_prefix(input.size());
      }
      if (session.open_question().serial != 0) session.accept();
    }
    CAPTURE(size);
    CHECK(sent.find(size <= 255 ? "\r\n250 HELP" : size + 7 <= 512 ? "\r\n501 " : "\r\n500 ") != std::string::npos);
  }
}

TEST_CASE("the locale changes nothing", "[threats][T61]") {
  const char* const before = std::setlocale(LC_ALL, nullptr);
  const std::string kept = before == nullptr ? "C" : before;
  for (const char* name : {"C", "tr_TR.UTF-8", "tr_TR.ISO-8859-9", "C.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;  // not every system has it
    CAPTURE(name);
    check_server_dialogue(
        "C: ehlo CLIENT.example\nS: 250\nC: mail from:<I@i.example> size=1\nS: 250\nC: RCPT TO:<POSTMASTER>\nS: 250\nC: quit\nS: "
        "221\nCLOSE\n");
    CHECK(ehlo::ascii::equal_ignoring_case("QUIT", "quit"));
    CHECK_FALSE(ehlo::ascii::equal_ignoring_case("I", "\xC4\xB1"));
  }
  std::setlocale(LC_ALL, kept.c_str());
}

TEST_CASE("octets have no sign", "[threats][T61]") {
  for (int value = 0; value < 256; ++value) {
    const char c = static_cast<char>(value);
    CHECK(ehlo::ascii::is_ascii(c) == (value < 128));
    CHECK(ehlo::ascii::visible.contains(c) == (value > 32 && value < 127));
    CHECK(ehlo::ascii::control.contains(c) == (value < 32 || value == 127));
  }
}

TEST_CASE("no text makes a parser work more than its length", "[threats][T45]") {
  // Were there backtracking or recursion, a megabyte of these would not end, or end the stack.
  for (const std::string_view unit : {"a.", "\"\\\"", "@a,", "<", "((", "a@", "+2B", "A=b ", "::", "[", "\xC3\xA9", "x{", "\\"}) {
    std::string text;
    while (text.size() < (1U << 20U)) text += unit;
    CAPTURE(unit);
    CHECK(parse_by_all(text) <= 6);
    CHECK(parse_by_all("<" + text + ">") <= 6);
  }
  for_each_header([](const std::string& text) { CHECK(text.find("<regex>") == std::string::npos); });
}

TEST_CASE("limits are data: no macro but the guards, and nothing depends on NDEBUG", "[threats][T64]") {
  for_each_header([](const std::string& text) {
    std::size_t defines = 0;
    for (std::size_t at = text.find("#define"); at != std::string::npos; at = text.find("#define", at + 1)) ++defines;
    CHECK(defines == 1);
    CHECK(text.find("NDEBUG") == std::string::npos);
    CHECK(text.find("#ifdef EHLO") == std::string::npos);
  });
}

TEST_CASE("a client that speaks for others does so only where the options say so, before the first octet", "[threats][T49]") {
  for (const bool trusted_network : {false, true}) {
    dialogue::setup how;
    how.options.trusted_network = trusted_network;
    const auto r = check_server_dialogue(
        "C: EHLO x.example\nS: 250 mx.example\nC: XCLIENT ADDR=192.0.2.1\nS: 502\n"
        "C: XFORWARD NAME=x\nS: 502\nC: MAIL FROM:<>\nS: 250\n",
        how);
    CHECK(r.sent.find("XCLIENT") == r.sent.npos);
    CHECK(r.sent.find("XFORWARD") == r.sent.npos);
    CHECK(r.count("xclient") + r.count("xforward") == 0);
  }
  // Where they do, the caller still has the word, and the session begins anew: nothing of before counts.
  dialogue::setup how;
  how.options.extensions.xclient = how.options.auth_required = how.options.auth_without_tls = true;
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::plain};
  how.options.mechanisms = mechanisms;
  how.on_auth = [](const ehlo::auth_question&) { return dialogue::answer{dialogue::authenticated{}}; };
  how.on_xclient = [](const ehlo::xclient_question& q) {
    const bool may = q.attributes.address().has_value();
    return may ? dialogue::answer{dialogue::accepted{}} : dialogue::answer{ehlo::replies::not_authorized};
  };
  const std::string hello = "C: EHLO x.example\nS: 250 mx.example\n";
  check_server_dialogue(hello +
                            "C: AUTH PLAIN AGEAYg==\nS: 235\nC: XCLIENT NAME=x.example\nS: 550 5.7.0\nC: MAIL FROM:<>\nS: 250\n"
                            "C: RSET\nS: 250\nC: XCLIENT ADDR=192.0.2.1\nS: 220\nC: MAIL FROM:<>\nS: 530\n" +
                            hello + "C: MAIL FROM:<>\nS: 530\n",
                        how);
}

TEST_CASE("a PROXY header counts before the first octet of a session and nowhere else", "[threats][T50]") {
  using ehlo::proxy::accepted_versions;
  // A session does not know of it, whatever comes first or later.
  const auto r = check_server_dialogue(
      "C: PROXY TCP4 192.0.2.1 198.51.100.25 1 25\nS: 500\nC: EHLO x.example\nS: 250\n"
      "C: PROXY UNKNOWN\nS: 500\n");
  CHECK(r.count("hello") == 1);
  // The reader takes as many octets as the header has, at most 107 of a line, and no second one.
  const std::string header = "PROXY TCP4 192.0.2.1 198.51.100.25 1 25\r\n";
  const std::string twice = header + header;
  ehlo::proxy::reader reader{accepted_versions::either};
  std::string_view input = twice;
  REQUIRE(reader.next(input)->has_value());
  CHECK(input == header);
  REQUIRE(reader.next(input)->has_value());
  CHECK(input == header);
  for (const std::string_view start : {"PROXY ", "PROXY UNKNOWN ", "EHLO ", "\r\n"}) {
    const std::string octets = std::string{start} + std::string(10000, 'x');
    for (const auto accepted : {accepted_versions::one, accepted_versions::two, accepted_versions::either}) {
      ehlo::proxy::reader other{accepted};
      input = octets;
      CHECK_FALSE(other.next(input).has_value());
      CHECK(octets.size() - input.size() <= 107);
    }
  }
}

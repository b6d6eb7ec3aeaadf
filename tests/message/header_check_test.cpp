// SPDX-License-Identifier: BSL-1.0
#include <ehlo/message/header_check.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;
using enum header_finding;

constexpr std::string_view date = "Date: Mon, 1 Jan 2024 10:00:00 +0100\r\n";

header_findings check_in(std::string_view octets, std::size_t cut) {
  header_checker checker;
  for (std::size_t at = 0; at < octets.size(); at += cut) {
    const std::string piece{octets.substr(at, cut)};
    checker.feed(piece);
  }
  checker.end_of_input();
  CHECK(checker.is_done());
  return checker.findings();
}

/// The findings, the same in every cut: pieces of one size, and two pieces.
header_findings check(std::string_view octets) {
  const header_findings whole = check_header_section(octets);
  for (std::size_t cut = 1; cut <= octets.size() && cut < 100; ++cut) REQUIRE(check_in(octets, cut) == whole);
  for (std::size_t at = 0; at <= octets.size() && at < 2000; ++at) {
    header_checker checker;
    checker.feed(octets.substr(0, at));
    checker.feed(octets.substr(at));
    checker.end_of_input();
    REQUIRE(checker.findings() == whole);
  }
  return whole;
}

/// True if `wanted` and nothing else was found.
bool is_only(const header_findings& found, std::initializer_list<header_finding> wanted) {
  for (const header_rule& rule : header_rules) {
    bool is_wanted = false;
    for (const header_finding finding : wanted) is_wanted = is_wanted || finding == rule.finding;
    if (found.has(rule.finding) != is_wanted) {
      UNSCOPED_INFO(rule.text);
      return false;
    }
    if (found.offset(rule.finding).has_value() != is_wanted) return false;
  }
  return found.empty() == (wanted.size() == 0);
}

/// A section with From, Date and `lines`.
std::string with(std::string_view lines) { return "From: a@b.example\r\n" + std::string{date} + std::string{lines} + "\r\n"; }
std::size_t rest() { return with("").size() - 2; }

/// A section with `from` for the value of its From.
std::string from(std::string_view value) { return "From: " + std::string{value} + "\r\n" + std::string{date} + "\r\n"; }

TEST_CASE("A sound header section has no findings, however it is cut", "[message]") {
  CHECK(is_only(check(with("")), {}));
  CHECK(is_only(check(with("To: a@b\r\nSubject: folded\r\n here\r\nReceived: x\r\nReceived: y\r\nMessage-ID:\r\n <a@b> (c)\r\n")),
                {}));
  CHECK(is_only(check(with("") + "From: body\n\r\xFF"), {}));
}

TEST_CASE("The checker stops at the empty line and says how far it came", "[message]") {
  header_checker checker;
  checker.feed(with("") + "body");
  CHECK(checker.is_done());
  CHECK(checker.size() == with("").size());
  checker.feed("more\n");
  checker.end_of_input();
  CHECK(checker.findings().empty());
}

TEST_CASE("From and Date must be there", "[message]") {
  CHECK(is_only(check(std::string{date} + "\r\n"), {missing_from}));
  CHECK(is_only(check("From: a@b\r\n\r\n"), {missing_date}));
  CHECK(check("From: a@b\r\n\r\n").offset(missing_date) == 13);
  CHECK(is_only(check(""), {missing_from, missing_date, section_not_ended}));
  CHECK(is_only(check("\r\n"), {missing_from, missing_date}));
}

TEST_CASE("Fields that stand once are told when they stand twice", "[message]") {
  struct row {
    std::string_view name;
    std::string_view value;
    header_finding finding;
  };
  for (const row& r : {row{"sender", "a@b", repeated_sender}, row{"Reply-To", "a@b", repeated_reply_to},
                       row{"To", "a@b", repeated_to}, row{"Cc", "a@b", repeated_cc},
                       row{"Message-Id", "<a@b>", repeated_message_id}, row{"In-Reply-To", "<a@b>", repeated_in_reply_to},
                       row{"REFERENCES", "<a@b>", repeated_references}, row{"Subject", "x", repeated_subject}}) {
    const std::string line = std::string{r.name} + ": " + std::string{r.value} + "\r\n";
    CHECK(is_only(check(with(line)), {}));
    CHECK(is_only(check(with(line + line)), {r.finding}));
    CHECK(check(with(line + line)).offset(r.finding) == rest() + line.size());
  }
  CHECK(is_only(check(with("From: a@b\r\n")), {repeated_from}));
  CHECK(is_only(check(with(date)), {repeated_date}));
  CHECK(is_only(check(with("Bcc: a@b\r\n")), {bcc_present}));
  CHECK(is_only(check(with("Bcc: a@b\r\nBcc:\r\n")), {bcc_present, repeated_bcc}));
}

TEST_CASE("Several mailboxes in From need a Sender", "[message]") {
  for (const std::string_view value : {"a@b", "Joe <a@b>", "\"x@y, z@w\" <a@b>", "a@b (c@d, e@f)", "<@x,@y:a@b>", "\"a,b\"@c",
                                       "a@[IPv6:::1]", "a@[x,y@z]", "\"\\\"a@b,\" <c@d>", "Group: a@b;", "a@b,", "(a(b)\\)) x@y"}) {
    INFO(value);
    CHECK(is_only(check(from(value)), {}));
  }
  for (const std::string_view value : {"a@b, c@d", "a@b,\r\n c@d", "Group: a@b, c@d;", "Joe <a@b>, Ann <c@d>", "G: a@b;, c@d"}) {
    INFO(value);
    CHECK(is_only(check(from(value)), {missing_sender}));
    CHECK(is_only(check("Sender: a@b\r\n" + from(value)), {}));
  }
  CHECK(check(std::string{"X: y\r\n"} + from("a@b, c@d")).offset(missing_sender) == 6);
  for (const std::string_view value :
       {"", "Joe", "@b", "a@", "Joe <>", "a@b <c>", "\"a@b", "(a@b", "<a@b", "a@[b", "Group:;", "\"a@b\""}) {
    INFO(value);
    CHECK(is_only(check(from(value)), {ill_formed_from}));
  }
}

TEST_CASE("Dates and message identifiers are held to their grammar", "[message]") {
  const auto dated = [](std::string_view value) { return "From: a@b\r\nDate:" + std::string{value} + "\r\n\r\n"; };
  CHECK(is_only(check(dated(" Mon, 1 Jan\r\n 2024 10:00:00 +0100 (CET)")), {}));
  CHECK(is_only(check(dated(" 1 Jan 2024 10:00:00 GMT")), {ill_formed_date}));
  CHECK(is_only(check(dated("")), {ill_formed_date}));
  CHECK(check(dated("")).offset(ill_formed_date) == 11);
  std::string large = " Mon, 1 Jan 2024 10:00:00 +0100";
  while (large.size() < header_checker::max_value - 1) large += large.size() % 500 < 498 ? " " : "(x)\r\n ";
  CHECK(is_only(check(dated(large)), {}));
  CHECK(is_only(check(dated(large + std::string(100, ' '))), {ill_formed_date}));
  CHECK(is_only(check("Message-ID: <a@b>\r\n" + dated(large + std::string(100, ' '))), {ill_formed_date}));
  CHECK(is_only(check("From: a@b\r\nDate:" + large + std::string(100, ' ') + "\r\nMessage-ID: <a@b>\r\n\r\n"), {ill_formed_date}));
  for (const std::string_view value : {" <a@b>", " (c) <a.b@[c]> ", "\r\n <a@b>", " (<) <a@b>", " <a@[<x>]> (>)"}) {
    CHECK(is_only(check(with("Message-ID:" + std::string{value} + "\r\n")), {}));
  }
  for (const std::string_view value :
       {"", " a@b", " <a b@c>", " <a@b> <c@d>", " <a@b", " (c <a@b>", " <a@b> x", " <a@[b>", " <a@[>]"}) {
    CHECK(is_only(check(with("Message-ID:" + std::string{value} + "\r\n")), {ill_formed_message_id}));
  }
}

TEST_CASE("Malformed lines, long lines and bare CR or LF are told with their offset", "[message]") {
  CHECK(is_only(check(with("no field\r\n")), {malformed_line}));
  CHECK(check(with("no field\r\n")).offset(malformed_line) == rest());
  CHECK(is_only(check(with("X:" + std::string(996, 'x') + "\r\n")), {}));
  CHECK(is_only(check(with("X:" + std::string(997, 'x') + "\r\n")), {line_too_long}));
  CHECK(check(with("X:" + std::string(997, 'x') + "\r\n")).offset(line_too_long) == rest() + 998);
  CHECK(is_only(check(with("X:a\rb\r\n")), {bare_cr}));
  CHECK(check(with("X:a\rb\r\n")).offset(bare_cr) == rest() + 3);
  CHECK(is_only(check(with("X:a\r\r\n")), {bare_cr}));
  CHECK(is_only(check(with("X:\r" + std::string(995, 'x') + "\r\n")), {bare_cr}));
  CHECK(is_only(check(with("X:\r" + std::string(996, 'x') + "\r\n")), {bare_cr, line_too_long}));
  CHECK(is_only(check(with("X:a\nb\r\n")), {bare_lf}));
  CHECK(check(with("X:a\nb\r\n")).offset(bare_lf) == rest() + 3);
  CHECK(is_only(check(with("\rX: y\r\n")), {bare_cr, malformed_line}));
  CHECK(is_only(check(with("X: \xC3\xB6\r\n")), {needs_smtputf8}));
  CHECK(check(with("X: \xC3\xB6\r\n")).offset(needs_smtputf8) == rest() + 3);
}

TEST_CASE("A section that ends without its empty line is told", "[message]") {
  const std::string whole = with("");
  CHECK(is_only(check(std::string_view{whole}.substr(0, whole.size() - 2)), {section_not_ended}));
  CHECK(is_only(check(std::string_view{whole}.substr(0, whole.size() - 4)), {section_not_ended}));
  CHECK(is_only(check(std::string_view{whole}.substr(0, whole.size() - 1)), {section_not_ended, bare_cr, malformed_line}));
}

TEST_CASE("A CR at the end of the input is told with its own offset", "[message]") {
  for (const std::string_view text : {"a: b\r\n\r", "\r", "a: b\r\n c\r"}) {
    header_checker checker;
    checker.feed(text);
    checker.end_of_input();
    CAPTURE(text);
    REQUIRE(checker.findings().has(bare_cr));
    CHECK(checker.findings().offset(bare_cr) == text.size() - 1);
  }
}

TEST_CASE("What is quoted from the first octet of a value on is no list of mailboxes", "[message]") {
  const std::string head{date};
  CHECK_FALSE(check(head + "From:\"a@b, c@d\" <e@f>\r\n\r\n").has(missing_sender));
  CHECK_FALSE(check(head + "From:(a@b, c@d) <e@f>\r\n\r\n").has(missing_sender));
  CHECK(check(head + "From:a@b, c@d\r\n\r\n").has(missing_sender));
}

TEST_CASE("More than a hundred Received fields are a loop", "[message]") {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "Received: x\r\n";
  CHECK(check_header_section(with(lines)).empty());
  CHECK(is_only(check(with(lines + "received: x\r\n")), {too_many_received}));
  CHECK(check_header_section(with(lines + "received: x\r\n")).offset(too_many_received) == rest() + lines.size());
}

TEST_CASE("Every finding has words and a clause", "[message]") {
  for (const header_rule& rule : header_rules) {
    CHECK(!describe(rule.finding).text.empty());
    CHECK(rule.clause.starts_with("RFC "));
  }
}

TEST_CASE("A backslash in a quoted string, a comment or a literal takes the next octet with it", "[message]") {
  CHECK(is_only(check(from(R"("a\", b" <a@b.example>)")), {}));
  CHECK(is_only(check(from(R"(a@[1\]2])")), {}));
  CHECK(is_only(check(from(R"(a@b.example (c\)d))")), {}));
  CHECK(is_only(check(from(R"("a@b.example\)")), {ill_formed_from}));
}

TEST_CASE("A message identifier that is too long, or whose comment does not end, is none", "[message]") {
  const std::string line = std::string(900, 'x') + "\r\n ";
  CHECK(is_only(check(with("Message-ID: (" + line + line + line + line + ") <a@b>\r\n")), {ill_formed_message_id}));
  CHECK(is_only(check(with("Message-ID: (a <a@b>\r\n")), {ill_formed_message_id}));
  CHECK(is_only(check(with("Message-ID: (a) <a@b> (c)\r\n")), {}));
  CHECK(is_only(check(with("Message-ID: <a@b> (c\r\n")), {ill_formed_message_id}));
}

}  // namespace

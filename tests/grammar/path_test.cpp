// SPDX-License-Identifier: BSL-1.0
#include <ehlo/grammar/path.hpp>

#include <string>
#include <string_view>
#include <type_traits>

#include "grammar/oracle.hpp"
#include "grammar/strings.hpp"
#include "support/catch.hpp"

namespace {

using namespace ehlo;
using namespace std::string_view_literals;

struct bad {
  std::string_view clause;
  std::string_view text;
  errc code;
  std::size_t offset;
};

static_assert(std::is_trivially_copyable_v<mailbox> && sizeof(mailbox) <= 24);
static_assert(std::is_trivially_copyable_v<reverse_path> && sizeof(reverse_path) <= 24);
static_assert(std::is_trivially_copyable_v<forward_path> && sizeof(forward_path) <= 24);

TEST_CASE("A mailbox is a local-part, an @ sign, and a domain or address literal", "[grammar][5321-4.1.2-11]") {
  struct row {
    std::string_view clause;
    std::string_view text;
    std::string_view local;
    std::string_view host;
  };
  for (const row& r : {
           row{"5321-4.1.2-11", "a@b", "a", "b"},
           row{"5321-4.1.2-11", "a@museum", "a", "museum"},
           row{"5321-4.1.2-11", "a@[192.0.2.1]", "a", "[192.0.2.1]"},
           row{"5321-4.1.2-11", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"},
           row{"5321-4.1.2-12", "a.b@c", "a.b", "c"},
           row{"5321-4.1.2-14", "\"a b\"@c", "\"a b\"", "c"},
           row{"5321-4.1.2-14", "\"\"@c", "\"\"", "c"},
           row{"5321-4.1.2-15", "\"a@b\"@c", "\"a@b\"", "c"},
           row{"5321-4.1.2-15", "\"a@good.example>\"@evil.example", "\"a@good.example>\"", "evil.example"},
           row{"5321-4.1.2-16", "\"a\\\"@b\"@c", "\"a\\\"@b\"", "c"},
           row{"5321-4.1.2-13", "u%c@relay", "u%c", "relay"},
           row{"5321-4.1.2-13", "c!u@relay", "c!u", "relay"},
           row{"5321-2.4-03", "SmIth@x.example", "SmIth", "x.example"},
       }) {
    INFO(r.clause << ": " << r.text);
    const auto box = mailbox::parse(r.text);
    REQUIRE(box);
    CHECK(box->text() == r.text);
    CHECK(box->local_part().text() == r.local);
    CHECK(box->host().text() == r.host);
  }
}

TEST_CASE("What is no mailbox is refused at the octet that broke it", "[grammar][5321-4.1.2-11]") {
  for (const bad& row : {
           bad{"5321-4.1.2-11", "", errc::empty_atom, 0},
           bad{"5321-4.1.2-11", "a", errc::at_sign_missing, 1},
           bad{"5321-4.1.2-11", "@b", errc::empty_atom, 0},
           bad{"5321-4.1.2-11", "a@", errc::empty_label, 2},
           bad{"5321-4.1.2-11", "a@b@c", errc::trailing_octets, 3},
           bad{"5321-4.1.2-11", "a@[192.0.2.1", errc::literal_not_closed, 12},
           bad{"5321-4.1.2-11", "a@192.0.2.1]", errc::trailing_octets, 11},
           bad{"5321-4.1.2-11", "(x)a@b", errc::empty_atom, 0},
           bad{"5321-4.1.2-11", "a @b", errc::at_sign_missing, 1},
           bad{"5321-4.1.2-11", "a@ b", errc::empty_label, 2},
           bad{"5321-4.1.2-11", "a@b,c@d", errc::trailing_octets, 3},
           bad{"5321-4.1.2-12", ".a@c", errc::empty_atom, 0},
           bad{"5321-4.1.2-12", "a.@c", errc::empty_atom, 2},
           bad{"5321-4.1.2-15", "\"a\"b\"@c", errc::at_sign_missing, 3},
           bad{"5321-4.1.2-15", "\"a\".b@c", errc::at_sign_missing, 3},
           bad{"5321-4.1.2-15", "\"a@b", errc::quote_not_closed, 4},
           bad{"5321-4.1.2-22", "a@good\0.evil"sv, errc::trailing_octets, 6},
           bad{"5321-4.1.2-23", "x@a_b.example", errc::trailing_octets, 3},
           bad{"5321-4.1.3-03", "a@[::1]", errc::literal_tag_missing, 3},
           bad{"5321-4.1.3-10", "a@[x:y]", errc::literal_tag_unknown, 3},
           bad{"5321-F.4-01", "a@#123", errc::empty_label, 2},
           bad{"5321-2.4-13", "\xC3\xA9@x.example", errc::utf8_not_allowed, 0},
           bad{"5321-2.4-13", "a@\xC3\xA9.example", errc::utf8_not_allowed, 2},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto box = mailbox::parse(row.text);
    REQUIRE_FALSE(box);
    CHECK(box.error() == error{row.code, row.offset});
  }
}

TEST_CASE("Mailboxes compare the local-part with case and the host without", "[grammar][5321-2.4-04]") {
  const auto equal = [](std::string_view a, std::string_view b) { return *mailbox::parse(a) == *mailbox::parse(b); };
  CHECK(equal("a@EXAMPLE.org", "a@example.ORG"));
  CHECK_FALSE(equal("A@x", "a@x"));
  CHECK(equal("\"a\"@x", "a@x"));
  CHECK_FALSE(equal("a@x", "a@y"));
  CHECK(equal("a@[IPv6:0::1]", "a@[ipv6:::1]"));
}

TEST_CASE("The @ is found by reading from the left, on all strings up to seven octets", "[grammar][5321-4.1.2-11][T25]") {
  std::string wrong;
  strings::for_each_up_to(7, "a.@\"\\>-", [&wrong](std::string_view text) {
    const std::size_t at = oracle::at_of_mailbox(text);
    const auto box = mailbox::parse(text);
    const bool right =
        box ? at == box->local_part().text().size() && at + 1 + box->host().text().size() == text.size() : at == text.npos;
    if (!right) wrong = "<" + std::string{text} + ">";
  });
  CHECK(wrong == "");
}

TEST_CASE("Paths are those of the ABNF, on all strings of up to seven octets in angle brackets",
          "[grammar][5321-4.1.2-02][T25][T28]") {
  std::string wrong;
  strings::for_each_up_to(7, "a@\",:>", [&wrong](std::string_view inner) {
    const std::string text = "<" + std::string{inner} + ">";
    const bool forward = forward_path::parse(text).has_value();
    const bool reverse = reverse_path::parse(text).has_value();
    if (forward != oracle::is_path(text) || reverse != (inner.empty() || oracle::is_path(text))) wrong = text;
  });
  CHECK(wrong == "");
}

TEST_CASE("Each octet at each position of a mailbox is taken or refused as the ABNF says", "[grammar][5321-4.1.2-22][T26]") {
  std::string wrong;
  std::string let_in;
  for (const std::string_view base : {"ab.cd@x1-y.example"sv, "\"a \\b\"@[192.0.2.1]"sv, "a@[IPv6:2001:db8::1]"sv}) {
    for (std::size_t at = 0; at <= base.size(); ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        std::string inserted{base};
        inserted.insert(at, 1, static_cast<char>(value));
        std::string replaced{base};
        if (at < base.size()) replaced[at] = static_cast<char>(value);
        for (const std::string& text : {inserted, replaced}) {
          const bool taken = mailbox::parse(text).has_value();
          if (taken != oracle::is_mailbox(text)) wrong = strings::hex(text);
          if (forward_path::parse("<" + text + ">").has_value() != oracle::is_path("<" + text + ">")) wrong = strings::hex(text);
          const bool is_refused = value < 32 || value >= 127;
          if (taken && is_refused && text != base) let_in = strings::hex(text);
        }
      }
    }
  }
  CHECK(wrong == "");
  CHECK(let_in == "");
}

TEST_CASE("No octet that is not UTF-8, and no control, gets into a mailbox with SMTPUTF8", "[grammar][6531-3.3-03][T26]") {
  std::string wrong;
  for (const std::string_view base : {"j\xC3\xB6rg.b@x1-\xC3\xA9y.example"sv, "\"\xC3\xA9 b\"@x.example"sv}) {
    REQUIRE(mailbox::parse(base, charset::utf8));
    for (std::size_t at = 0; at <= base.size(); ++at) {
      for (unsigned value = 0; value < 256; ++value) {
        std::string inserted{base};
        inserted.insert(at, 1, static_cast<char>(value));
        std::string replaced{base};
        if (at < base.size()) replaced[at] = static_cast<char>(value);
        for (const std::string& text : {inserted, replaced}) {
          const bool has_control = text.find_first_of(
                                       "\x01\x02\x03\x04\x05\x06\a\b\t\n\v\f\r\x0E\x0F\x10\x11\x12\x13\x14\x15\x16\x17\x18"
                                       "\x19\x1A\x1B\x1C\x1D\x1E\x1F\x7F") != text.npos ||
                                   text.find('\0') != text.npos;
          if (mailbox::parse(text, charset::utf8) && (has_control || !is_utf8(text))) wrong = strings::hex(text);
        }
      }
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("A reverse-path is a path or the null path", "[grammar][5321-4.1.2-01]") {
  const auto null = reverse_path::parse("<>");
  REQUIRE(null);
  CHECK(null->is_null());
  CHECK(null->text() == "<>");
  CHECK_FALSE(null->mailbox());
  CHECK_FALSE(null->has_route());
  CHECK(null->route().empty());
  CHECK(*null == reverse_path{});

  const auto path = reverse_path::parse("<a@b>");
  REQUIRE(path);
  CHECK_FALSE(path->is_null());
  REQUIRE(path->mailbox());
  CHECK(path->mailbox()->text() == "a@b");
  CHECK_FALSE(*path == *null);

  CHECK(reverse_path::parse("< >").error() == error{errc::empty_atom, 1});
  CHECK(reverse_path::parse("").error() == error{errc::path_not_opened, 0});
  CHECK(reverse_path::parse("<").error().offset == 1);
  CHECK(reverse_path::parse("<>x").error() == error{errc::trailing_octets, 2});
  CHECK_FALSE(reverse_path::parse("<Postmaster>"));
}

TEST_CASE("The null path is a value of its own and no empty text", "[grammar][5321-4.1.1.2-03][T30]") {
  CHECK(reverse_path{}.is_null());
  CHECK(reverse_path{}.text() == "<>");
  CHECK(reverse_path::parse("<>")->is_null());
  CHECK_FALSE(reverse_path::parse("<\"\"@b>")->is_null());
  CHECK_FALSE(reverse_path{} == *reverse_path::parse("<\"\"@b>"));
}

TEST_CASE("An empty path is no recipient", "[grammar][5321-4.1.1.3-10][T30]") {
  CHECK(forward_path::parse("<>").error() == error{errc::null_path_not_allowed, 0});
  CHECK_FALSE(forward_path::parse("< >"));
}

TEST_CASE("A path stands in angle brackets, and nothing stands behind them", "[grammar][5321-4.1.2-02][T19][T25]") {
  for (const bad& row : {
           bad{"5321-4.1.2-02", "", errc::path_not_opened, 0},
           bad{"5321-4.1.2-02", "a@b", errc::path_not_opened, 0},
           bad{"5321-4.1.2-02", " <a@b>", errc::path_not_opened, 0},
           bad{"5321-4.1.2-02", "<a@b", errc::path_not_closed, 4},
           bad{"5321-4.1.2-02", "<a@b>>", errc::trailing_octets, 5},
           bad{"5321-4.1.2-02", "<<a@b>", errc::empty_atom, 1},
           bad{"5321-4.1.2-02", "<a@b> ", errc::trailing_octets, 5},
           bad{"5321-4.1.2-02", "<a@b> NOTIFY=NEVER", errc::trailing_octets, 5},
           bad{"5321-4.1.2-02", "<a@good>@evil", errc::trailing_octets, 8},
           bad{"5321-4.1.2-02", "<a@b><c@d>", errc::trailing_octets, 5},
           bad{"5321-4.1.2-02", "<a@b>,<c@d>", errc::trailing_octets, 5},
           bad{"5321-4.1.2-02", "<a@b>\r\nRSET\r\n", errc::trailing_octets, 5},
           bad{"5321-4.1.2-02", "\"Joe\" <a@b>", errc::path_not_opened, 0},
           bad{"5321-4.1.2-11", "<a>", errc::at_sign_missing, 2},
           bad{"5321-4.1.2-11", "<;id;@x>", errc::empty_atom, 1},
           bad{"5321-4.1.2-16", "<\"a\\\"@c>", errc::quote_not_closed, 8},
           bad{"5321-4.1.2-22", "<a\0b@c>"sv, errc::at_sign_missing, 2},
           bad{"5321-4.1.2-22",
               "<a\x7F"
               "b@c>",
               errc::at_sign_missing, 2},
           bad{"5321-4.1.2-22",
               "<\xFF"
               "a@c>",
               errc::utf8_not_allowed, 1},
           bad{"5321-4.1.2-22",
               "<a@b\x01"
               "c>",
               errc::trailing_octets, 4},
           bad{"5321-F.4-01", "<a@#123>", errc::empty_label, 3},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto forward = forward_path::parse(row.text);
    REQUIRE_FALSE(forward);
    CHECK(forward.error().code == row.code);
    CHECK(forward.error().offset == row.offset);
    CHECK_FALSE(reverse_path::parse(row.text));
  }
}

TEST_CASE("The #number form of an address is refused", "[grammar][5321-F.4-01]") {
  CHECK_FALSE(forward_path::parse("<a@#123>"));
  CHECK_FALSE(reverse_path::parse("<a@#123>"));
  CHECK_FALSE(forward_path::parse("<@#123:a@b>"));
}

TEST_CASE("A source route is read and given apart, and does not count", "[grammar][5321-4.1.2-03][T28]") {
  struct row {
    std::string_view clause;
    std::string_view text;
    std::string_view route;
    std::string_view box;
  };
  for (const row& r : {
           row{"5321-4.1.2-03", "<@a,@b:c@d>", "@a,@b", "c@d"},
           row{"5321-4.1.1.3-02", "<@x,@y:z@w>", "@x,@y", "z@w"},
           row{"5321-4.1.2-03", "<@a.example:\"x:y@z\"@[IPv6:::1]>", "@a.example", "\"x:y@z\"@[IPv6:::1]"},
           row{"5321-4.1.2-03", "<c@d>", "", "c@d"},
       }) {
    INFO(r.clause << ": " << r.text);
    const auto forward = forward_path::parse(r.text);
    REQUIRE(forward);
    CHECK(forward->text() == r.text);
    CHECK(forward->route() == r.route);
    CHECK(forward->has_route() == !r.route.empty());
    REQUIRE(forward->mailbox());
    CHECK(forward->mailbox()->text() == r.box);
    CHECK(*forward == *forward_path::parse("<" + std::string{r.box} + ">"));

    const auto reverse = reverse_path::parse(r.text);
    REQUIRE(reverse);
    CHECK(reverse->route() == r.route);
    CHECK(reverse->mailbox()->text() == r.box);
    CHECK(*reverse == *reverse_path::parse("<" + std::string{r.box} + ">"));
  }
  for (const bad& row : {
           bad{"5321-4.1.2-03", "<@a,b:c@d>", errc::route_at_sign_missing, 4},
           bad{"5321-4.1.2-03", "<@a:>", errc::empty_atom, 4},
           bad{"5321-4.1.2-03", "<@a>", errc::route_colon_missing, 3},
           bad{"5321-4.1.2-03", "<@a,:c@d>", errc::route_at_sign_missing, 4},
           bad{"5321-4.1.2-03", "<@a@b:c@d>", errc::route_colon_missing, 3},
           bad{"5321-4.1.2-03", "<@:c@d>", errc::empty_label, 2},
           bad{"5321-4.1.2-03", "<@a, @b:c@d>", errc::route_at_sign_missing, 4},
           bad{"5321-4.1.2-03", "<@[192.0.2.1]:c@d>", errc::empty_label, 2},
           bad{"5321-4.1.2-03", "<@a:@b:c@d>", errc::empty_atom, 4},
           bad{"5321-4.1.2-03", "<@a:Postmaster>", errc::at_sign_missing, 14},
       }) {
    INFO(row.clause << ": " << row.text);
    const auto forward = forward_path::parse(row.text);
    REQUIRE_FALSE(forward);
    CHECK(forward.error().code == row.code);
    CHECK(forward.error().offset == row.offset);
  }
}

TEST_CASE("A path tells whether its local-part is empty", "[grammar]") {
  CHECK(forward_path::parse("<\"\"@b>")->has_empty_local_part());
  CHECK(forward_path::parse("<@x:\"\"@b>")->has_empty_local_part());
  for (const std::string_view text : {"<a@b>", "<\" \"@b>", "<\"\\\"\"@b>", "<Postmaster>"})
    CHECK_FALSE(forward_path::parse(text)->has_empty_local_part());
  CHECK_FALSE(reverse_path{}.has_empty_local_part());
}

TEST_CASE("Receivers understand source routes", "[grammar][5321-4.1.1.3-02][T28]") {
  CHECK(forward_path::parse("<@x,@y:z@w>"));
  CHECK(reverse_path::parse("<@x,@y:z@w>"));
}

TEST_CASE("Percent and exclamation mark are ordinary octets of a local-part", "[grammar][5321-4.1.2-13][T28]") {
  CHECK(forward_path::parse("<u%c@relay.example>")->mailbox()->host().text() == "relay.example");
  CHECK(forward_path::parse("<c!u@relay.example>")->mailbox()->host().text() == "relay.example");
  CHECK_FALSE(forward_path::parse("<u%c@relay.example>")->has_route());
}

TEST_CASE("Postmaster is found in any case, with and without a domain", "[grammar][5321-4.1.1.3-09]") {
  for (const std::string_view text : {"<Postmaster>", "<postMASTER>", "<postmaster>"}) {
    CAPTURE(text);
    const auto path = forward_path::parse(text);
    REQUIRE(path);
    CHECK(path->is_bare_postmaster());
    CHECK(path->is_postmaster());
    CHECK_FALSE(path->mailbox());
    CHECK_FALSE(path->has_route());
    CHECK(path->text() == text);
    CHECK(*path == forward_path{});
  }
  for (const std::string_view text : {"<POSTMASTER@x.example>", "<\"postmaster\"@x.example>"}) {
    CAPTURE(text);
    const auto path = forward_path::parse(text);
    REQUIRE(path);
    CHECK_FALSE(path->is_bare_postmaster());
    CHECK(path->is_postmaster());
    CHECK(path->mailbox()->is_postmaster());
    CHECK_FALSE(*path == forward_path{});
  }
  CHECK_FALSE(forward_path::parse("<postmasters@x.example>")->is_postmaster());
  CHECK_FALSE(forward_path::parse("<a@postmaster>")->is_postmaster());
  CHECK_FALSE(forward_path::parse("<\"Postmaster\">"));
  CHECK_FALSE(forward_path::parse("<Postmaster"));
  CHECK(forward_path{}.text() == "<Postmaster>");
}

TEST_CASE("A path of 256 octets is accepted and one of 257 is refused", "[grammar][5321-4.5.3.1.3-01]") {
  for (const std::size_t size : {255U, 256U, 257U}) {
    CAPTURE(size);
    const std::string local(64, 'l');
    const std::string plain = "<" + local + "@" + strings::domain_of(size - 67) + ">";
    const std::string routed = "<@" + strings::domain_of(size - 7) + ":a@b>";
    for (const std::string& text : {plain, routed}) {
      REQUIRE(text.size() == size);
      const auto forward = forward_path::parse(text);
      const auto reverse = reverse_path::parse(text);
      CHECK(forward.has_value() == (size <= 256));
      CHECK(reverse.has_value() == (size <= 256));
      if (!forward) CHECK(forward.error() == error{errc::path_too_long, 256});
    }
  }
}

TEST_CASE("Objects of the sizes of 4.5.3.1 are accepted, and those one octet larger are refused", "[grammar][5321-4.5.3.1-01]") {
  struct row {
    std::string_view clause;
    std::string text;
    bool accepted;
  };
  for (const row& r : {
           row{"5321-4.5.3.1.1-01", std::string(64, 'l') + "@d", true},
           row{"5321-4.5.3.1.1-01", std::string(65, 'l') + "@d", false},
           row{"5321-4.5.3.1.2-01", "l@" + strings::domain_of(255), true},
           row{"5321-4.5.3.1.2-01", "l@" + strings::domain_of(256), false},
       }) {
    INFO(r.clause << ": " << r.text);
    const auto box = mailbox::parse(r.text);
    CHECK(box.has_value() == r.accepted);
    if (!box) CHECK((box.error().code == errc::local_part_too_long || box.error().code == errc::domain_too_long));
  }
  CHECK(forward_path::parse("<" + std::string(65, 'l') + "@d>").error().code == errc::local_part_too_long);
  CHECK(forward_path::parse("<@" + std::string(1000, 'd') + ":a@b>").error().code == errc::path_too_long);
}

TEST_CASE("With SMTPUTF8 paths hold UTF-8 mailboxes", "[grammar][6531-3.1-09]") {
  struct row {
    std::string_view clause;
    std::string_view text;
  };
  for (const row& r : {
           row{"6531-3.1-09", "<\xC3\xA9@x.example>"},
           row{"6531-3.2-01", "<\xE8\x96\x94\xE8\x96\x87@\xE5\xBA\xAD.example.org>"},
           row{"6531-3.3-01", "<a@\xC3\xA9.example>"},
           row{"6531-3.3-02", "<j\xC3\xB6rg@x>"},
           row{"6531-3.3-04", "<\"\xC3\xA9 \xC3\xA9\"@x>"},
           row{"6531-3.3-01", "<@\xC3\xA9.example:a@b>"},
       }) {
    INFO(r.clause << ": " << r.text);
    REQUIRE(forward_path::parse(r.text, charset::utf8));
    CHECK(forward_path::parse(r.text, charset::utf8)->text() == r.text);
    CHECK(reverse_path::parse(r.text, charset::utf8)->mailbox());
    REQUIRE_FALSE(forward_path::parse(r.text));
    CHECK(forward_path::parse(r.text).error().code == errc::utf8_not_allowed);
  }
  CHECK_FALSE(forward_path::parse("<\"\\\xC3\xA9\"@x>", charset::utf8));
  CHECK_FALSE(forward_path::parse("<.\xC3\xA9@x>", charset::utf8));
}

TEST_CASE("A server that takes UTF-8 reads it in every part of a mailbox", "[grammar][6531-3.2-01]") {
  const auto path = forward_path::parse("<\xC3\xA9@\xC3\xA9.example>", charset::utf8);
  REQUIRE(path);
  CHECK(path->mailbox()->local_part().text() == "\xC3\xA9");
  CHECK(path->mailbox()->host().text() == "\xC3\xA9.example");
}

TEST_CASE("Delimiters and parsing of the local-part stay as they were with UTF-8", "[grammar][6531-3.2-02]") {
  CHECK(forward_path::parse("<\xC3\xA9.\xC3\xA9@x>", charset::utf8));
  CHECK_FALSE(forward_path::parse("<.\xC3\xA9@x>", charset::utf8));
  // U+FF20 looks like an @ and is none; U+FF1E looks like a > and is none.
  CHECK(forward_path::parse("<a\xEF\xBC\xA0"
                            "b@c>",
                            charset::utf8)
            ->mailbox()
            ->host()
            .text() == "c");
  CHECK_FALSE(forward_path::parse("<a@b\xEF\xBC\x9E", charset::utf8));
}

TEST_CASE("A rule leaves the cursor behind the path", "[grammar][5321-4.1.2-02]") {
  cursor in{"FROM:<a@b> SIZE=1"};
  REQUIRE(in.take_ignoring_case("FROM:"));
  REQUIRE(grammar::reverse_path(in));
  CHECK(in.rest() == " SIZE=1");
  cursor null{"<> SIZE=1"};
  REQUIRE(grammar::reverse_path(null));
  CHECK(null.rest() == " SIZE=1");
  cursor postmaster{"<postmaster> X"};
  REQUIRE(grammar::forward_path(postmaster));
  CHECK(postmaster.rest() == " X");
  cursor later{"TO:<a@b_c>"};
  later.advance(3);
  CHECK(grammar::forward_path(later).error() == error{errc::trailing_octets, 7});
}

}  // namespace

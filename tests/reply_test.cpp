// SPDX-License-Identifier: BSL-1.0
#include <ehlo/reply.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

constexpr reply refusal{550, {5, 1, 1}, "No such user here"};
static_assert(refusal.is_permanent() && !refusal.is_positive() && refusal.text() == "No such user here");
static_assert(reply{354, "Go on"}.is_intermediate() && reply{354, "Go on"}.enhanced().is_none());

TEST_CASE("A reply code has a first digit of 2 to 5, a second of 0 to 5, and a third", "[vocabulary][5321-4.2-08]") {
  for (int code = -1000; code <= 2000; ++code) {
    const std::string text = std::to_string(code);
    const bool wanted = text.size() == 3 && text[0] >= '2' && text[0] <= '5' && text[1] >= '0' && text[1] <= '5';
    CAPTURE(code);
    CHECK(is_reply_code(code) == wanted);
    const auto made = reply::make(code, {}, "text");
    REQUIRE(made.has_value() == wanted);
    if (!wanted) CHECK(made.error() == error{errc::reply_code});
  }
}

TEST_CASE("No reply has a code of one, two or four digits, or one that begins with 0, 1 or 6 to 9", "[vocabulary][5321-4.2-16]") {
  const int code = GENERATE(0, 1, 99, 100, 150, 199, 260, 299, 360, 560, 599, 600, 999, 1250, -250);
  CAPTURE(code);
  CHECK_FALSE(reply::make(code, {}, "text"));
}

TEST_CASE("A reply holds tab, space and printable ASCII, and no other octet", "[vocabulary][5321-4.2-07][T23]") {
  for (unsigned value = 0; value < 256; ++value) {
    const char octet = static_cast<char>(value);
    const std::string text = std::string{"ab"} + octet + "cd";
    CAPTURE(value);
    const auto made = reply::make(550, {5, 1, 1}, text);
    const bool wanted = value == 9 || (value >= 32 && value <= 126);
    REQUIRE(made.has_value() == wanted);
    if (wanted) {
      CHECK(made->text() == text);
    } else {
      CHECK(made.error() == error{errc::reply_octet, 2});
    }
  }
}

TEST_CASE("An error message with CR LF in it does not become a second reply", "[vocabulary][5321-4.2-07][T23]") {
  CHECK(reply::make(550, {5, 1, 1}, "No such user\r\n250 ok").error() == error{errc::reply_octet, 12});
  CHECK(reply::make(550, {5, 1, 1}, "No such user\n250 ok").error() == error{errc::reply_octet, 12});
  CHECK(reply::make(550, {5, 1, 1}, "\r").error() == error{errc::reply_octet, 0});
  CHECK(reply::make(550, {5, 1, 1}, std::string_view{"a\0b", 3}).error() == error{errc::reply_octet, 1});
}

TEST_CASE("A reply holds UTF-8 only for a client that takes it", "[vocabulary][6531-3.7.4.2-06][T23]") {
  CHECK(reply::make(250, {2, 1, 5}, "J\xC3\xB6rg", true)->text() == "J\xC3\xB6rg");
  CHECK(reply::make(250, {2, 1, 5}, "J\xC3\xB6rg", true)->is_utf8());
  CHECK(reply::make(250, {2, 1, 5}, "J\xC3\xB6rg").error() == error{errc::reply_octet, 1});
  CHECK(reply::make(250, {2, 1, 5}, "\xE2\x82\xAC\xF0\x9F\x93\xAC", true));
  for (const std::string_view bad : {"ab\xC3", "ab\xC3\x28", "ab\x80", "ab\xC0\xAF", "ab\xED\xA0\x80", "ab\xF4\x90\x80\x80",
                                     "ab\xC2\x85", "ab\xE2\x82", "ab\xFF", "ab\x1B[0m", "ab\x7F"}) {
    CAPTURE(bad);
    CHECK(reply::make(250, {2, 1, 5}, bad, true).error() == error{errc::reply_octet, 2});
  }
}

TEST_CASE("The class of an enhanced status code is the reply's first digit", "[vocabulary][2034-4-03]") {
  for (const int code : {250, 354, 450, 550}) {
    for (const std::uint8_t digit : {std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{5}}) {
      CAPTURE(code, int{digit});
      const auto made = reply::make(code, {digit, 0, 0}, "text");
      if (code / 100 == digit) {
        REQUIRE(made);
        CHECK(made->enhanced() == enhanced_status_code{digit, 0, 0});
      } else {
        CHECK(made.error() == error{errc::reply_class});
      }
    }
  }
  CHECK(reply::make(550, {3, 0, 0}, "text").error() == error{errc::enhanced_code});
  CHECK(reply::make(550, {5, 1000, 0}, "text").error() == error{errc::enhanced_code});
}

TEST_CASE("A 3yz reply has no enhanced status code", "[vocabulary][2034-4-02]") {
  CHECK(reply::make(354, {2, 0, 0}, "text").error() == error{errc::reply_class});
  CHECK(reply::make(334, {5, 0, 0}, "").error() == error{errc::reply_class});
  CHECK(reply::make(354, {}, "text")->enhanced().is_none());
}

TEST_CASE("An enhanced status code outside the registry needs an explicit make", "[vocabulary][3463-2-02]") {
  CHECK(reply::make(550, {5, 7, 99}, "text")->enhanced() == enhanced_status_code{5, 7, 99});
  CHECK(reply::make(450, {4, 7, 1}, "text")->enhanced() == enhanced_status_code{4, 7, 1});
}

TEST_CASE("A reply without text gets the default text of its code", "[vocabulary][5321-4.2-13]") {
  for (int code = 200; code <= 559; ++code) {
    if (!is_reply_code(code) || code == 334) continue;
    CAPTURE(code);
    const auto made = reply::make(code, {}, "");
    REQUIRE(made);
    CHECK_FALSE(made->text().empty());
    CHECK(made->text() == default_text(code));
    CHECK(reply::make(code, {}, made->text()));
  }
  CHECK(reply::make(450, {}, std::span<const std::string_view>{})->text() == default_text(450));
  CHECK(reply{550, ""}.text() == default_text(550));
  CHECK(reply::make(334, {}, "")->text().empty());
}

TEST_CASE("The first digit says how far a command got", "[vocabulary]") {
  struct row {
    int code;
    reply_severity severity;
  };
  const row r = GENERATE(row{250, reply_severity::completed}, row{354, reply_severity::intermediate},
                         row{450, reply_severity::transient}, row{550, reply_severity::permanent});
  const auto made = reply::make(r.code, {}, "text");
  REQUIRE(made);
  CHECK(made->severity() == r.severity);
  CHECK(made->is_completed() == (r.code == 250));
  CHECK(made->is_intermediate() == (r.code == 354));
  CHECK(made->is_transient() == (r.code == 450));
  CHECK(made->is_permanent() == (r.code == 550));
  CHECK(made->is_positive() == (r.code < 400));
}

TEST_CASE("The second digit groups the codes", "[vocabulary][5321-4.2.1-04]") {
  CHECK(reply::make(502, {}, "x")->category() == reply_category::syntax);
  CHECK(reply::make(214, {}, "x")->category() == reply_category::information);
  CHECK(reply::make(421, {}, "x")->category() == reply_category::connection);
  CHECK(reply::make(235, {}, "x")->category() == reply_category::unspecified);
  CHECK(reply::make(244, {}, "x")->category() == reply_category::unspecified);
  CHECK(reply::make(550, {}, "x")->category() == reply_category::mail_system);
}

TEST_CASE("A code that is not listed is taken by its first digit", "[vocabulary]") {
  CHECK(severity_of(259) == reply_severity::completed);
  CHECK(severity_of(299) == reply_severity::completed);
  CHECK(severity_of(459) == reply_severity::transient);
  CHECK(severity_of(599) == reply_severity::permanent);
}

TEST_CASE("A reply of several lines gives each, and refuses the octet in any", "[vocabulary][5321-4.2-07]") {
  const std::array<std::string_view, 3> lines{"one", "", "three"};
  const auto made = reply::make(214, {2, 0, 0}, lines);
  REQUIRE(made);
  CHECK(made->line_count() == 3);
  CHECK(made->line(0) == "one");
  CHECK(made->line(1).empty());
  CHECK(made->line(2) == "three");
  CHECK(made->text() == "one");
  CHECK_FALSE(*made == *reply::make(214, {2, 0, 0}, "one"));
  const std::array<std::string_view, 2> bad{"one", "t\nwo"};
  CHECK(reply::make(214, {2, 0, 0}, bad).error() == error{errc::reply_octet, 4});
  CHECK(reply::make(354, {2, 0, 0}, lines).error() == error{errc::reply_class});
}

TEST_CASE("Replies are equal when codes and lines are", "[vocabulary]") {
  const std::array<std::string_view, 1> one{"text"};
  CHECK(*reply::make(250, {2, 0, 0}, "text") == *reply::make(250, {2, 0, 0}, one));
  CHECK_FALSE(*reply::make(250, {2, 0, 0}, "text") == *reply::make(250, {2, 1, 0}, "text"));
  CHECK_FALSE(*reply::make(250, {}, "text") == *reply::make(251, {}, "text"));
  CHECK_FALSE(*reply::make(250, {}, "text") == *reply::make(250, {}, "Text"));
}

TEST_CASE("A reply of one line or several says how many, and holds UTF-8 only when asked to", "[vocabulary][6531-3.7.4.2-06]") {
  const std::array<std::string_view, 2> lines{"J\xC3\xB6rg", "b"};
  CHECK(reply::make(250, {2, 0, 0}, lines).error() == error{errc::reply_octet, 1});
  CHECK(reply::make(250, {2, 0, 0}, lines, true)->line_count() == 2);
  CHECK(reply::make(250, {2, 0, 0}, "text")->line_count() == 1);
  CHECK(reply::make(250, {2, 0, 0}, "text")->line(0) == "text");
  CHECK(reply::make(250, {2, 0, 0}, std::span<const std::string_view>{})->line_count() == 1);
}

}  // namespace

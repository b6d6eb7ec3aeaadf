// SPDX-License-Identifier: BSL-1.0
#include <ehlo/enhanced_status_code.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace {

using namespace ehlo;

/// The registry "SMTP Enhanced Status Codes" as of 2019-11-27, without its class: a second list, to hold the table of
/// the header.
constexpr std::array<std::string_view, 81> registered{
    "0.0",  "1.0",  "1.1",  "1.2",  "1.3",  "1.4",  "1.5",  "1.6",  "1.7",  "1.8",  "1.9",  "1.10", "2.0",  "2.1",
    "2.2",  "2.3",  "2.4",  "3.0",  "3.1",  "3.2",  "3.3",  "3.4",  "3.5",  "3.6",  "4.0",  "4.1",  "4.2",  "4.3",
    "4.4",  "4.5",  "4.6",  "4.7",  "5.0",  "5.1",  "5.2",  "5.3",  "5.4",  "5.5",  "5.6",  "6.0",  "6.1",  "6.2",
    "6.3",  "6.4",  "6.5",  "6.6",  "6.7",  "6.8",  "6.9",  "6.10", "7.0",  "7.1",  "7.2",  "7.3",  "7.4",  "7.5",
    "7.6",  "7.7",  "7.8",  "7.9",  "7.10", "7.11", "7.12", "7.13", "7.14", "7.15", "7.16", "7.17", "7.18", "7.19",
    "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27", "7.28", "7.29", "7.30",
};

TEST_CASE("An enhanced status code is class 2, 4 or 5 and two numbers of one to three digits", "[vocabulary][2034-4-01]") {
  struct row {
    std::string_view clause;
    std::string_view text;
    enhanced_status_code wanted;
  };
  const row r = GENERATE(row{"2034-4-01", "2.1.5", {2, 1, 5}}, row{"2034-4-01", "5.999.999", {5, 999, 999}},
                         row{"2034-4-01", "4.0.0", {4, 0, 0}}, row{"2034-4-01", "5.1.10", {5, 1, 10}},
                         row{"2034-4-01", "2.100.0", {2, 100, 0}});
  INFO(r.clause << ": " << r.text);
  const auto code = enhanced_status_code::parse(r.text);
  REQUIRE(code);
  CHECK(*code == r.wanted);
}

TEST_CASE("What is no enhanced status code is refused at the octet that broke it", "[vocabulary][2034-4-01]") {
  struct row {
    std::string_view clause;
    std::string_view text;
    std::size_t offset;
  };
  const row r = GENERATE(
      row{"2034-4-01", "3.0.0", 0}, row{"2034-4-01", "0.0.0", 0}, row{"2034-4-01", "1.0.0", 0}, row{"2034-4-01", "2.1", 3},
      row{"2034-4-01", "5.1234.0", 5}, row{"2034-4-01", "5.0.1234", 7}, row{"2034-4-01", "2.1.x", 4}, row{"2034-4-01", "", 0},
      row{"2034-4-01", "2", 1}, row{"2034-4-01", "2.", 2}, row{"2034-4-01", "2..1", 2}, row{"2034-4-01", "2.1.", 4},
      row{"2034-4-01", "22.1.1", 1}, row{"2034-4-01", "2.1.5 ", 5}, row{"2034-4-01", "2.1.5.1", 5}, row{"2034-4-01", "-2.1.5", 0},
      row{"3463-2-01", "5.01.1", 2}, row{"3463-2-01", "5. 1.1", 2}, row{"3463-2-01", "5.1.00", 4}, row{"3463-2-01", " 5.1.1", 0},
      row{"3463-2-01", "5.1(a).1", 3}, row{"3463-2-01", "5.1.01", 4}, row{"3463-2-01", "5.1\t.1", 3});
  INFO(r.clause << ": " << r.text);
  const auto code = enhanced_status_code::parse(r.text);
  REQUIRE_FALSE(code);
  CHECK(code.error().code == errc::enhanced_code);
  CHECK(code.error().offset == r.offset);
}

TEST_CASE("No enhanced status code has white space, comments or leading zeros", "[vocabulary][3463-2-01]") {
  // Every string of up to six octets over a small alphabet: what is taken is what a plain reading of the ABNF takes.
  constexpr std::string_view alphabet = "0125. ";
  const auto obvious = [](std::string_view text) {
    const std::size_t first = text.find('.');
    const std::size_t second = first == text.npos ? first : text.find('.', first + 1);
    if (second == text.npos) return false;
    const auto number = [](std::string_view n) {
      return !n.empty() && n.size() <= 3 && std::ranges::all_of(n, [](char c) { return c >= '0' && c <= '9'; }) &&
             (n.size() == 1 || n.front() != '0');
    };
    const std::string_view kind = text.substr(0, first);
    return (kind == "2" || kind == "5") && number(text.substr(first + 1, second - first - 1)) && number(text.substr(second + 1));
  };
  std::size_t taken = 0;
  for (std::size_t length = 0; length <= 6; ++length) {
    std::size_t count = 1;
    for (std::size_t i = 0; i < length; ++i) count *= alphabet.size();
    for (std::size_t n = 0; n < count; ++n) {
      std::string text;
      for (std::size_t rest = n; text.size() < length; rest /= alphabet.size()) text += alphabet[rest % alphabet.size()];
      const bool good = enhanced_status_code::parse(text).has_value();
      if (good != obvious(text)) FAIL("wrong verdict on '" << text << "'");
      taken += good ? 1U : 0U;
    }
  }
  CHECK(taken == 2 * (4 * 4 + 2 * 4 * 12));
}

TEST_CASE("The class is 2, 4 or 5, and none is the default", "[vocabulary][3463-2-06]") {
  CHECK(class_of(*enhanced_status_code::parse("2.0.0")) == status_class::success);
  CHECK(class_of(*enhanced_status_code::parse("4.99.99")) == status_class::transient);
  CHECK(class_of(*enhanced_status_code::parse("5.0.0")) == status_class::permanent);
  CHECK(class_of({}) == status_class::none);
  CHECK(enhanced_status_code{}.is_none());
  CHECK_FALSE(enhanced_status_code{}.is_well_formed());
  CHECK_FALSE(enhanced_status_code{3, 0, 0}.is_well_formed());
  CHECK_FALSE(enhanced_status_code{5, 1000, 0}.is_well_formed());
  CHECK_FALSE(enhanced_status_code{5, 0, 1000}.is_well_formed());
}

TEST_CASE("The subjects have names", "[vocabulary][3463-2-07]") {
  using enum status_subject;
  constexpr std::array subjects{other, address, mailbox, mail_system, network, protocol, content, policy};
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    CHECK(subject_of({5, static_cast<std::uint16_t>(i), 0}) == subjects[i]);
  }
  CHECK(subject_of({5, 8, 0}) == other);
}

TEST_CASE("An unknown detail means the general one of its subject, an unknown subject only the class", "[vocabulary][3463-2-03]") {
  CHECK(generalized({5, 1, 99}) == enhanced_status_code{5, 1, 0});
  CHECK(generalized({5, 99, 1}) == enhanced_status_code{5, 0, 0});
  CHECK(generalized({5, 0, 7}) == enhanced_status_code{5, 0, 0});
  CHECK(generalized({5, 1, 1}) == enhanced_status_code{5, 1, 1});
  CHECK(describe({5, 99, 1}) == "nothing known but the class");
}

TEST_CASE("The class is kept whatever stands behind it", "[vocabulary][3463-2-04]") {
  CHECK(generalized({4, 99, 99}) == enhanced_status_code{4, 0, 0});
  CHECK(generalized({2, 999, 999}).class_code == 2);
  CHECK(class_of(generalized({4, 99, 99})) == status_class::transient);
}

TEST_CASE("A known subject is kept although its detail is unknown", "[vocabulary][3463-2-05]") {
  CHECK(generalized({5, 2, 77}) == enhanced_status_code{5, 2, 0});
  CHECK(subject_of(generalized({5, 2, 77})) == status_subject::mailbox);
  CHECK(describe({5, 2, 77}) == "something about the mailbox");
}

TEST_CASE("Registered is what the IANA registry lists, and nothing else", "[vocabulary][3463-3.1-02][3463-2-02]") {
  for (const std::string_view text : registered) {
    CAPTURE(text);
    const auto code = enhanced_status_code::parse("5." + std::string{text});
    REQUIRE(code);
    CHECK(is_registered(*code) == (text != "6.10"));  // RFC 6531 4.2: a duplicate of 6.8, deprecated
  }
  CHECK(enhanced_status_code_registry.size() == registered.size());
  std::size_t count = 0;
  for (unsigned subject = 0; subject <= 999; ++subject) {
    for (unsigned detail = 0; detail <= 999; ++detail) {
      count += is_registered({4, static_cast<std::uint16_t>(subject), static_cast<std::uint16_t>(detail)}) ? 1U : 0U;
    }
  }
  CHECK(count == registered.size() - 1);
  CHECK_FALSE(is_registered({}));
  CHECK_FALSE(is_registered({3, 0, 0}));
}

TEST_CASE("A code outside the registry is told apart", "[vocabulary][3463-2-02]") {
  CHECK_FALSE(is_registered({5, 7, 31}));
  CHECK_FALSE(is_registered({5, 8, 0}));
  CHECK_FALSE(is_registered({5, 0, 1}));
  CHECK_FALSE(is_registered({5, 65535, 65535}));
  CHECK(is_registered({5, 7, 30}));
}

TEST_CASE("Some details are useful only as permanent errors, some only as transient ones", "[vocabulary][3463-3-01]") {
  constexpr std::array<std::string_view, 14> permanent{"1.1", "1.2", "1.3", "1.6", "3.4", "5.1", "5.2",
                                                       "5.4", "6.1", "7.1", "7.2", "7.3", "7.4", "6.10"};
  constexpr std::array<std::string_view, 6> transient{"3.1", "4.1", "4.2", "4.3", "4.5", "4.6"};
  for (const std::string_view text : registered) {
    if (text == "6.10") continue;  // fits no class
    CAPTURE(text);
    const auto with = [text](char digit) { return *enhanced_status_code::parse(std::string{digit, '.'} + std::string{text}); };
    const bool only_permanent = std::ranges::find(permanent, text) != permanent.end();
    const bool only_transient = std::ranges::find(transient, text) != transient.end();
    CHECK(fits_class(with('5')) == !only_transient);
    CHECK(fits_class(with('4')) == !only_permanent);
    CHECK(fits_class(with('2')) == (!only_permanent && !only_transient));
  }
  CHECK_FALSE(fits_class({5, 6, 10}));
  CHECK(fits_class({4, 99, 99}));
}

TEST_CASE("X.0.0 is there for every class", "[vocabulary][3463-3.1-01]") {
  for (const std::uint8_t digit : {std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{5}}) {
    CHECK(is_registered({digit, 0, 0}));
    CHECK(fits_class({digit, 0, 0}));
  }
}

}  // namespace

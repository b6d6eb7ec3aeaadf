// SPDX-License-Identifier: BSL-1.0
#include <ehlo/parameters.hpp>

#include <string>
#include <string_view>
#include <variant>

#include "support/catch.hpp"

namespace {

ehlo::mail_parameters of_mail(std::string_view text) {
  return ehlo::mail_parameters{*ehlo::parameter_list::parse(text, ehlo::charset::utf8)};
}
ehlo::rcpt_parameters of_rcpt(std::string_view text) {
  return ehlo::rcpt_parameters{*ehlo::parameter_list::parse(text, ehlo::charset::utf8)};
}

}  // namespace

TEST_CASE("Parameters of MAIL are found by their types, in any case", "[vocabulary]") {
  const auto all = of_mail(
      "size=10 body=8bitmime SMTPUTF8 ret=Hdrs ENVID=a+2Bb AUTH=<> REQUIRETLS BY=60;R MT-PRIORITY=-3 MTRK=aGVsbG8:60 "
      "SOLICIT=a:X HOLDFOR=5 XOWN=1");
  CHECK(all.size() == 10U);
  CHECK(all.body() == ehlo::body_type::eight_bit);
  CHECK(all.smtputf8());
  CHECK(all.ret() == ehlo::ret_type::hdrs);
  CHECK(all.envid()->text() == "a+2Bb");
  CHECK_FALSE(all.auth()->mailbox.has_value());
  CHECK(all.require_tls());
  CHECK(all.by() == ehlo::deliver_by{60, ehlo::by_mode::return_message});
  CHECK(all.priority()->value == -3);
  CHECK(all.tracking() == ehlo::tracking{"aGVsbG8", 60});
  CHECK(all.solicit()->text() == "a:X");
  CHECK(all.hold() == ehlo::hold_request{ehlo::hold_for{5}});
  CHECK(all.value("xown") == "1");
  CHECK_FALSE(all.value("SMTPUTF8").has_value());
  CHECK(all.has("smtputf8"));
  CHECK(of_mail("HOLDUNTIL=2030-01-01T00:00:00Z").hold() ==
        ehlo::hold_request{ehlo::hold_until{*ehlo::timestamp::parse("2030-01-01T00:00:00Z")}});
}

TEST_CASE("What is not there has no value, and BODY is 7BIT", "[vocabulary][6152-2-02]") {
  const ehlo::mail_parameters none;
  CHECK(none.empty());
  CHECK(none.text().empty());
  CHECK_FALSE(none.size().has_value());
  CHECK(none.body() == ehlo::body_type::seven_bit);
  CHECK_FALSE(none.smtputf8());
  CHECK_FALSE(none.ret().has_value());
  CHECK_FALSE(none.envid().has_value());
  CHECK_FALSE(none.auth().has_value());
  CHECK_FALSE(none.require_tls());
  CHECK_FALSE(none.by().has_value());
  CHECK_FALSE(none.priority().has_value());
  CHECK_FALSE(none.tracking().has_value());
  CHECK_FALSE(none.solicit().has_value());
  CHECK_FALSE(none.hold().has_value());
  CHECK_FALSE(none.has("SIZE"));
  CHECK_FALSE(none.value("SIZE").has_value());
  const ehlo::rcpt_parameters nothing;
  CHECK_FALSE(nothing.notify().has_value());
  CHECK_FALSE(nothing.orcpt().has_value());
  CHECK_FALSE(nothing.valid_since().has_value());
  // A value that no parser takes is as good as none.
  CHECK_FALSE(of_mail("SIZE=x BY=1").size().has_value());
  CHECK_FALSE(of_mail("SIZE=x BY=1").by().has_value());
}

TEST_CASE("Parameters of RCPT are found by their types, in any case", "[vocabulary]") {
  const auto all = of_rcpt("notify=Success orcpt=rfc822;a@b.example RRVS=2014-04-03T23:01:00Z;C");
  CHECK(all.notify() == ehlo::notify_set{.success = true});
  CHECK(all.orcpt() == ehlo::original_recipient{"rfc822", "a@b.example"});
  CHECK(all.valid_since()->may_continue());
  CHECK(all == of_rcpt("notify=Success orcpt=rfc822;a@b.example RRVS=2014-04-03T23:01:00Z;C"));
  CHECK_FALSE(all == of_rcpt("notify=Success"));
}

TEST_CASE("AUTH is a mailbox in xtext or <>", "[vocabulary][4954-5-01]") {
  CHECK(ehlo::claimed_submitter::parse("e+3Df@b.example")->mailbox->text() == "e+3Df@b.example");
  CHECK_FALSE(ehlo::claimed_submitter::parse("<>")->mailbox.has_value());
  const std::string local(64, 'a');
  const std::string longest =
      local + "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(63, 'd') + "." + std::string(61, 'e');
  for (const std::string& wrong :
       {std::string{}, std::string{"<a@b.example>"}, std::string{"a"}, std::string{"a@"}, std::string{"a=b@c"},
        std::string{"a+2@b"}, std::string{"a+0Ab@c.example"}, longest + "ffff", std::string(2000, 'a')}) {
    CAPTURE(wrong);
    REQUIRE_FALSE(ehlo::claimed_submitter::parse(wrong).has_value());
    CHECK(ehlo::claimed_submitter::parse(wrong).error().code == ehlo::errc::auth_value);
  }
  // An octet that xtext does not have has its place; a mailbox that is none begins at the first.
  CHECK(ehlo::claimed_submitter::parse("a=b@c").error().offset == 1);
  CHECK(ehlo::claimed_submitter::parse("a@").error().offset == 0);
  CHECK(ehlo::claimed_submitter::parse(std::string(2000, 'a')).error().offset == 0);
}

TEST_CASE("Each parameter has its name, and what is none of them has none", "[vocabulary]") {
  for (std::size_t i = 0; i < ehlo::parameter_names.size(); ++i) {
    const auto known = static_cast<ehlo::known_parameter>(i);
    CHECK(ehlo::text_of(known) == ehlo::parameter_names[i]);
    CHECK(ehlo::known_parameter_of(ehlo::parameter_names[i]) == known);
  }
  CHECK(ehlo::text_of(ehlo::known_parameter::other).empty());
}

// SPDX-License-Identifier: BSL-1.0
// MT-PRIORITY (RFC 6710) by a server session, and its parameter.
#include <string>

#include <ehlo/message/trace.hpp>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup priority() {
  setup out;
  out.options.extensions.priority = true;
  return out;
}

setup trusted() {
  setup out = priority();
  out.options.trusted_network = true;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

/// MAIL with these parameters gets this reply.
void mail(const std::string& parameters, const std::string& reply, const setup& how = trusted()) {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> " + parameters + "\nS: " + reply + "\n", how);
}

}  // namespace

TEST_CASE("MT-PRIORITY names the policy if there is one", "[server][mt-priority][6710-3-01]") {
  CHECK(check_server_dialogue(hello, priority()).sent.find("\r\n250-MT-PRIORITY\r\n") != std::string::npos);
  setup how = priority();
  how.options.priority_policy = "STANAG4406";
  CHECK(check_server_dialogue(hello, how).sent.find("\r\n250-MT-PRIORITY STANAG4406\r\n") != std::string::npos);
  const auto reply = ehlo::parse_reply("250-mx\r\n250 MT-PRIORITY STANAG4406\r\n");
  CHECK(ehlo::capabilities::parse(*reply).has(ehlo::extension::priority));
  CHECK(ehlo::parse_priority_policy(ehlo::find_keyword(*reply, "MT-PRIORITY")->parameters) == "STANAG4406");
}

TEST_CASE("MAIL has a priority from -9 to 9", "[server][mt-priority][6710-3-02]") {
  for (const char* good : {"3", "-9", "0", "9"}) mail(std::string{"MT-PRIORITY="} + good, "250 2.1.0");
  check_server_dialogue(
      hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example> MT-PRIORITY=3\nS: 555\nC: MT-PRIORITY 3\nS: 500\n", trusted());
  check_server_dialogue(hello + "C: MAIL FROM:<> MT-PRIORITY=3\nS: 555 5.5.4\n");
}

TEST_CASE("MT-PRIORITY makes MAIL 15 octets longer", "[server][mt-priority][6710-3-03]") {
  setup how = priority();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<c@d.example> X=";
  for (const auto& [size, reply] : {std::pair{527U, "555"}, std::pair{528U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + reply + "\n", how);
}

TEST_CASE("a submission server may have MT-PRIORITY", "[server][mt-priority][6710-3-04]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  setup how = trusted();
  how.options.submission = true;
  how.options.mechanisms = mechanisms;
  CHECK(how.options.check().has_value());
  mail("MT-PRIORITY=3", "250", how);
}

TEST_CASE("LMTP has MT-PRIORITY too", "[server][mt-priority][lmtp][6710-6-01]") {
  setup how = trusted();
  how.options.protocol = ehlo::protocol::lmtp;
  check_server_dialogue("C: LHLO client.example\nS: 250 mx.example\nC: MAIL FROM:<> MT-PRIORITY=3\nS: 250\n", how);
}

TEST_CASE("a priority that is ill-formed or repeated gets 501 5.5.2", "[server][mt-priority][6710-4.1-01]") {
  for (const char* bad : {"MT-PRIORITY", "MT-PRIORITY=", "MT-PRIORITY=10", "MT-PRIORITY=01", "MT-PRIORITY=x"})
    mail(bad, bad[std::string_view{bad}.size() - 1] == '=' ? "501" : "501 5.5.2");
  mail("MT-PRIORITY=3 MT-PRIORITY=3", "501 5.5.2");
  mail("MT-PRIORITY=3 mt-priority=-3", "501 5.5.2");
}

TEST_CASE("a priority is 0, or a digit that may have a minus", "[mt-priority][6710-7-01]") {
  for (int value = -9; value <= 9; ++value) {
    const auto parsed = ehlo::parse_priority(std::to_string(value));
    REQUIRE(parsed.has_value());
    CHECK(parsed->value == value);
    char octets[ehlo::message_priority::max_size];
    CHECK(std::string_view{octets, static_cast<std::size_t>(parsed->write(octets) - octets)} == std::to_string(value));
  }
  for (const char* bad : {"", "-", "-0", "+1", "01", "10", "-10", "1 ", "a", "--1"})
    CHECK(ehlo::parse_priority(bad).error().code == ehlo::errc::priority_value);
}

TEST_CASE("the name of a policy has 1 to 20 octets", "[mt-priority][6710-7-02]") {
  const std::string longest(20, 'a');
  CHECK(ehlo::parse_priority_policy(longest) == longest);
  CHECK(ehlo::parse_priority_policy("A-b_9.c") == "A-b_9.c");
  for (const std::string& bad : {std::string(21, 'a'), std::string{"a b"}, std::string{"a+b"}}) {
    CHECK(ehlo::parse_priority_policy(bad).empty());
    setup how = priority();
    how.options.priority_policy = bad;
    CHECK(how.options.check().error().code == ehlo::errc::option_name);
  }
}

TEST_CASE("the Received field has a PRIORITY clause", "[trace][mt-priority][6710-4.1-02]") {
  ehlo::received_field field{.from = *ehlo::host::parse("client.example"),
                             .by = *ehlo::host::parse("mx.example"),
                             .id = "x",
                             .date = *ehlo::date_time::from_unix(0)};
  char octets[2048];
  const auto written = [&] { return std::string{octets, *ehlo::write(field, octets)}; };
  CHECK(written().find("PRIORITY") == std::string::npos);
  for (const auto& [value, text] : {std::pair{3, " id x PRIORITY 3;"}, std::pair{-9, " id x PRIORITY -9;"}}) {
    field.priority = ehlo::message_priority{static_cast<std::int8_t>(value)};
    std::string line = written();
    for (std::size_t fold = line.find("\r\n "); fold != line.npos; fold = line.find("\r\n ")) line.erase(fold, 2);
    CHECK(line.find(text) != line.npos);
  }
}

TEST_CASE("the question tells the priority of the message", "[server][mt-priority][6710-4.1-04]") {
  std::string told;
  setup how = trusted();
  how.whole_only = true;
  how.on_mail = [&told](const ehlo::mail_question& q) {
    told += std::to_string(q.priority.value) + (q.parameters.priority() ? "!" : "?");
    return dialogue::by_default{};
  };
  check_server_dialogue(
      hello + "C: MAIL FROM:<> MT-PRIORITY=3\nS: 250 2.1.0\nC: RSET\nS: 250\nC: MAIL FROM:<> SIZE=1\nS: 250 2.1.0\n", how);
  CHECK(told == "3!0?");
}

TEST_CASE("nobody who is not trusted gets a positive priority", "[server][mt-priority][6710-4.1-05]") {
  static constexpr ehlo::auth_mechanism mechanisms[] = {ehlo::mechanisms::external};
  std::string told;
  setup how = priority();
  how.whole_only = true;
  how.options.mechanisms = mechanisms;
  how.on_auth = [](const ehlo::auth_question&) { return answer{dialogue::authenticated{}}; };
  how.on_mail = [&told](const ehlo::mail_question& q) {
    told += std::to_string(q.priority.value) + " ";
    return dialogue::by_default{};
  };
  const std::string reset = "C: RSET\nS: 250\n";
  check_server_dialogue(hello + "C: MAIL FROM:<> MT-PRIORITY=5\nS: 250 2.3.6 0 \n" + reset +
                            "C: MAIL FROM:<> MT-PRIORITY=-4\nS: 250 2.1.0\n" + reset +
                            "C: MAIL FROM:<> MT-PRIORITY=0\nS: 250 2.1.0\n" + reset +
                            "C: AUTH EXTERNAL =\nS: 235\nC: MAIL FROM:<> MT-PRIORITY=5\nS: 250 2.1.0\n",
                        how);
  CHECK(told == "0 -4 0 5 ");
}

TEST_CASE("a priority that is changed is told with 2.3.6", "[server][mt-priority][6710-4.1-08]") {
  setup how = trusted();
  how.on_mail = [](const ehlo::mail_question&) { return answer{*ehlo::reply::make(250, {2, 3, 6}, "4 is the new priority")}; };
  mail("MT-PRIORITY=3", "250 2.3.6 4 is the new priority", how);
  how.on_mail = {};
  how.on_message = [](const ehlo::message_question&) { return answer{ehlo::replies::priority_lowered}; };
  check_server_dialogue(hello +
                            "C: MAIL FROM:<> MT-PRIORITY=3\nS: 250 2.1.0\nC: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 354\nC: "
                            ".\nS: 250 2.3.6 0 is the new priority\n",
                        how);
}

TEST_CASE("a message of too low a priority is refused with 450 or 550", "[server][mt-priority][6710-4.1-10]") {
  setup how = trusted();
  how.on_mail = [](const ehlo::mail_question& q) {
    return answer{q.priority.value < 0 ? ehlo::replies::priority_too_low : ehlo::replies::priority_too_low_now};
  };
  mail("MT-PRIORITY=-3", "550", how);
  mail("MT-PRIORITY=3", "450", how);
}

TEST_CASE("the enhanced code of a priority that is too low is 7.15", "[server][mt-priority][6710-4.1-11]") {
  CHECK(ehlo::replies::priority_too_low.enhanced() == ehlo::enhanced_status_code{5, 7, 15});
  CHECK(ehlo::replies::priority_too_low_now.enhanced() == ehlo::enhanced_status_code{4, 7, 15});
}

TEST_CASE("a message that is too large for its priority gets 552 5.7.16", "[server][mt-priority][6710-5-04]") {
  setup how = trusted();
  how.on_mail = [](const ehlo::mail_question& q) {
    return q.priority.value > 5 && q.parameters.size() > 4096 ? answer{ehlo::replies::too_large_for_priority}
                                                              : answer{dialogue::by_default{}};
  };
  mail("MT-PRIORITY=6 SIZE=5000", "552 5.7.16", how);
  mail("MT-PRIORITY=6 SIZE=4000", "250", how);
}

TEST_CASE("priorities are rounded up to the levels of a server", "[mt-priority][6710-5-01]") {
  constexpr ehlo::message_priority levels[] = {{-4}, {-2}, {0}, {2}, {4}, {6}};
  const auto rounded = [&levels](int value) {
    return int{ehlo::message_priority{static_cast<std::int8_t>(value)}.rounded_up(levels).value};
  };
  CHECK(rounded(3) == 4);
  CHECK(rounded(9) == 6);
  CHECK(rounded(-9) == -4);
  CHECK(rounded(-3) == -2);
  CHECK(rounded(0) == 0);
  CHECK(ehlo::message_priority{3}.rounded_up({}).value == 3);
}

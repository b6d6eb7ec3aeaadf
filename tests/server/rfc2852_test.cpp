// SPDX-License-Identifier: BSL-1.0
// DELIVERBY (RFC 2852) by a server session, and its parameter.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup deliver_by(std::uint32_t minimum = 0) {
  setup out;
  out.options.extensions.deliver_by = true;
  out.options.deliver_by_minimum = minimum;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

/// MAIL with these parameters gets this reply.
void mail(const std::string& parameters, const std::string& reply, std::uint32_t minimum = 0) {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> " + parameters + "\nS: " + reply + "\n", deliver_by(minimum));
}

}  // namespace

TEST_CASE("DELIVERBY names the minimum if there is one", "[server][deliverby][2852-2-01]") {
  CHECK(check_server_dialogue(hello, deliver_by()).sent.find("\r\n250-DELIVERBY\r\n") != std::string::npos);
  CHECK(check_server_dialogue(hello, deliver_by(240)).sent.find("\r\n250-DELIVERBY 240\r\n") != std::string::npos);
  CHECK(deliver_by(1000000000).options.check().error().code == ehlo::errc::option_limit);
  for (const auto& [text, minimum] : {std::pair{"", 0U}, std::pair{"240", 240U}, std::pair{"240,foo", 240U}, std::pair{",foo", 0U},
                                      std::pair{"999999999", 999999999U}, std::pair{"1000000000", 0U}, std::pair{"-1", 0U}})
    CHECK(ehlo::parse_deliver_by_minimum(text) == minimum);
}

TEST_CASE("BY makes MAIL 17 octets longer", "[server][deliverby][2852-2-02]") {
  setup how = deliver_by();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<c@d.example> BY=1;N X=";
  for (const auto& [size, reply] : {std::pair{529U, "555"}, std::pair{530U, "500"}})
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: " + reply + "\n", how);
}

TEST_CASE("DELIVERBY has no verb, and BY stands on MAIL alone", "[server][deliverby][2852-2-03]") {
  check_server_dialogue(
      hello + "C: BY 120;R\nS: 500\nC: MAIL FROM:<> BY=120;R\nS: 250\nC: RCPT TO:<a@b.example> BY=120;R\nS: 555\n", deliver_by());
  check_server_dialogue(hello + "C: MAIL FROM:<> BY=120;R\nS: 555 5.5.4\n");
  check_server_dialogue("C: HELO client.example\nS: 250\nC: MAIL FROM:<> BY=120;R\nS: 555\n", deliver_by());
}

TEST_CASE("a time below the minimum is refused where the message would go back", "[server][deliverby][2852-3-01]") {
  mail("BY=239;R", "555 5.5.4", 240);
  mail("BY=240;R", "250", 240);
  mail("BY=239;N", "250", 240);
  mail("BY=1;RT", "250");
}

TEST_CASE("a deliver-by time may be refused later", "[server][deliverby][2852-3-02]") {
  setup how = deliver_by();
  how.on_rcpt = [](const ehlo::rcpt_question&) { return answer{ehlo::replies::parameters_not_accommodated}; };
  check_server_dialogue(hello + "C: MAIL FROM:<> BY=5;R\nS: 250\nC: RCPT TO:<a@b.example>\nS: 455\n", how);
  how.on_rcpt = {};
  how.on_data = [](const ehlo::data_question&) { return answer{ehlo::replies::transaction_failed}; };
  check_server_dialogue(hello + "C: MAIL FROM:<> BY=5;R\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 554\n", how);
  how.on_data = {};
  how.on_message = [](const ehlo::message_question&) { return answer{ehlo::replies::local_error}; };
  check_server_dialogue(hello + "C: MAIL FROM:<> BY=5;R\nS: 250\nC: RCPT TO:<a@b.example>\nS: 250\nC: DATA\nS: 354\nC: .\nS: 451\n",
                        how);
}

TEST_CASE("BY is a time, a semicolon, a mode and maybe T", "[server][deliverby][2852-4-01]") {
  for (const char* good : {"BY=120;R", "BY=-5;N", "BY=+60;NT", "BY=0;n", "BY=000000001;RT"}) mail(good, "250");
  for (const char* bad : {"BY", "BY=", "BY=120", "BY=120;", "BY=;R", "BY=120;X", "BY=1234567890;R", "BY=1;TR", "BY=1;RTT",
                          "BY=--1;N", "BY=+;N", "BY=1,5;N", "BY=1;R BY=1;R"})
    mail(bad, "501 5.5.4");
}

TEST_CASE("the letters of BY are read in any case", "[server][deliverby][2852-4-02]") {
  std::optional<ehlo::deliver_by> told;
  setup how = deliver_by();
  how.on_mail = [&told](const ehlo::mail_question& q) {
    told = q.parameters.by();
    return dialogue::by_default{};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<> by=60;rt\nS: 250\n", how);
  CHECK(told == ehlo::deliver_by{60, ehlo::by_mode::return_message, true});
}

TEST_CASE("the range of BY", "[server][deliverby][2852-4-03]") {
  mail("BY=999999999;N", "250");
  mail("BY=-999999999;N", "250");
  mail("BY=999999999;R", "250");
  CHECK(ehlo::parse_deliver_by("-999999999;N")->seconds == -999999999);
  CHECK(ehlo::deliver_by{-999999998}.after(5).seconds == -999999999);
  char octets[ehlo::deliver_by::max_size];
  const ehlo::deliver_by longest{-999999999, ehlo::by_mode::notify, true};
  CHECK(std::string_view{octets, static_cast<std::size_t>(longest.write(octets) - octets)} == "-999999999;NT");
}

TEST_CASE("a time that has run out is an error where the message would go back", "[server][deliverby][2852-4-04]") {
  mail("BY=0;R", "501 5.5.4");
  mail("BY=-1;R", "501 5.5.4");
  mail("BY=-1;RT", "501 5.5.4", 240);
}

TEST_CASE("a time that has run out is none where the sender is told", "[server][deliverby][2852-4-05]") {
  mail("BY=0;N", "250");
  mail("BY=-60;N", "250", 240);
}

TEST_CASE("a time that cannot be kept is refused for now or for good", "[server][deliverby][2852-4-06]") {
  setup how = deliver_by();
  how.on_mail = [](const ehlo::mail_question& q) {
    return answer{q.parameters.by()->seconds < 60 ? ehlo::replies::parameters_not_accommodated : ehlo::replies::by_time_too_short};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<> BY=5;R\nS: 455 4.5.0\nC: MAIL FROM:<> BY=61;R\nS: 555 5.5.4\n", how);
}

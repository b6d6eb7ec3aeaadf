// SPDX-License-Identifier: BSL-1.0
// ETRN (RFC 1985) by a server session.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::answer;
using dialogue::setup;

setup etrn() {
  setup out;
  out.options.extensions.etrn = true;
  out.on_etrn = [](const ehlo::etrn_question&) { return answer{ehlo::replies::etrn_started}; };
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";

}  // namespace

TEST_CASE("EHLO lists ETRN without parameters where it is on", "[server][etrn][1985-2-01]") {
  CHECK(check_server_dialogue(hello + "C: ETRN x.example\nS: 250\n", etrn()).sent.find("\r\n250-ETRN\r\n") != std::string::npos);
  CHECK(check_server_dialogue(hello + "C: ETRN x.example\nS: 502\n").sent.find("ETRN") == std::string::npos);
}

TEST_CASE("ETRN names a node, with an option character or without", "[server][etrn][1985-5-01]") {
  const auto r = check_server_dialogue(
      hello + "C: ETRN sigurd.innosoft.example\nS: 250\nC: etrn @foo.example\nS: 250\nC: ETRN #uucp\nS: 250\n", etrn());
  CHECK(r.has("etrn sigurd.innosoft.example"));
  CHECK(r.has("etrn @foo.example"));
  CHECK(r.has("etrn #uucp"));
}

TEST_CASE("ETRN does not come in a transaction, nor before EHLO", "[server][etrn][1985-5-02]") {
  const std::string asked = "C: ETRN x.example\nS: 503 5.5.1\n";
  const auto r =
      check_server_dialogue(asked + hello + "C: MAIL FROM:<>\nS: 250\n" + asked + "C: RCPT TO:<a@b.example>\nS: 250\n" + asked +
                                "C: BDAT 1\nc: x\nS: 250\n" + asked + "C: BDAT 0 LAST\nS: 250\nC: ETRN x.example\nS: 250\n",
                            etrn());
  CHECK(r.count("etrn") == 1);
}

TEST_CASE("the node is a fully qualified domain name", "[server][etrn][1985-5-03]") {
  for (const char* bad : {"localname", "@com", "x.example y", "-x.example", "x..example", "<x.example>", "!x.example",
                          "[192.0.2.1]", "@", "@@x.example", "@#q"})
    check_server_dialogue(hello + "C: ETRN " + bad + "\nS: 501 5.5.4\n", etrn());
}

TEST_CASE("the replies to ETRN", "[server][etrn][1985-5.1-01]") {
  setup how = etrn();
  how.on_etrn = [](const ehlo::etrn_question& q) -> answer {
    if (q.node == "a.example") return ehlo::replies::etrn_none_waiting;
    if (q.node == "b.example") return ehlo::replies::etrn_pending;
    if (q.node == "c.example") return *ehlo::reply::make(253, {2, 0, 0}, "OK, 14 pending messages for node c.example started");
    if (q.node == "d.example") return ehlo::replies::etrn_failed;
    if (q.node == "e.example") return ehlo::replies::etrn_not_allowed;
    return ehlo::replies::etrn_started;
  };
  check_server_dialogue(
      hello +
          "C: ETRN a.example\nS: 251 2.0.0\nC: ETRN b.example\nS: 252 2.0.0\nC: ETRN c.example\nS: 253 2.0.0 OK, "
          "14\nC: ETRN d.example\nS: 458 4.3.0\nC: ETRN e.example\nS: 459 4.7.0\nC: ETRN f.example\nS: 250 2.0.0\n",
      how);
  ehlo::server_session session{how.options};
  std::string_view input;
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "EHLO client.example\r\n";
  (void)session.next(input);
  session.accept();
  (void)session.next(input);
  input = "ETRN f.example\r\n";
  REQUIRE(std::holds_alternative<ehlo::etrn_question>(session.next(input)));
  CHECK(session.reject(ehlo::replies::no_such_mailbox).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept(*ehlo::reply::make(254, {}, "odd")).error().code == ehlo::errc::wrong_answer);
  CHECK(session.accept().has_value());
}

TEST_CASE("ETRN that is ill-formed gets 500 or 501", "[server][etrn][1985-5.1-02]") {
  const auto r = check_server_dialogue(
      hello + "C: ETRN\nS: 500\nC: ETRN localname\nS: 501\nC: ETRN #\nS: 501\nC: ETRN #a b\nS: 501\n", etrn());
  CHECK(r.count("etrn") == 0);
}

TEST_CASE("nobody starts a queue by omission", "[server][etrn][1985-5.1-03]") {
  setup how = etrn();
  how.on_etrn = {};
  check_server_dialogue(hello + "C: ETRN x.example\nS: 459 4.7.0\n", how);
}

TEST_CASE("the question tells the option from the node", "[server][etrn][1985-5.3-01]") {
  std::string told;
  setup how = etrn();
  how.whole_only = true;
  how.on_etrn = [&told](const ehlo::etrn_question& q) {
    told += std::to_string(static_cast<int>(q.option)) + std::string{q.node} + " ";
    return answer{ehlo::replies::etrn_started};
  };
  check_server_dialogue(hello + "C: ETRN a.example\nS: 250\nC: ETRN @b.example\nS: 250\nC: ETRN #@c\nS: 250\n", how);
  CHECK(told == "0a.example 1b.example 2@c ");
}

TEST_CASE("ETRN waits for TLS or AUTH where these are required", "[server][etrn]") {
  setup how = etrn();
  how.options.tls = ehlo::tls_mode::required;
  check_server_dialogue(hello + "C: ETRN x.example\nS: 530\n", how);
  check_server_dialogue(hello + "C: HELP ETRN\nS: 214\n", etrn());
  check_server_dialogue(hello + "C: HELP ETRN\nS: 504\n");
}

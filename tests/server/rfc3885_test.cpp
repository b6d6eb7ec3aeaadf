// SPDX-License-Identifier: BSL-1.0
// MTRK (RFC 3885) by a server session, and its parameter.
#include <string>

#include "support/server_dialogue.hpp"

namespace {

using dialogue::setup;

setup mtrk() {
  setup out;
  out.options.extensions.dsn = true;
  out.options.extensions.mtrk = true;
  return out;
}

const std::string hello = "C: EHLO client.example\nS: 250 mx.example\n";
const std::string hash = "2jmj7l5rSw0yVb/vlWAYkK/YBwk";  // 160 bits

/// MAIL with these parameters gets this reply.
void mail(const std::string& parameters, const std::string& reply) {
  check_server_dialogue(hello + "C: MAIL FROM:<a@b.example> " + parameters + "\nS: " + reply + "\n", mtrk());
}

}  // namespace

TEST_CASE("MTRK is a keyword without parameters, and adds no command", "[server][mtrk][3885-2-01]") {
  const auto r = check_server_dialogue(
      hello + "C: MTRK\nS: 500\nC: MAIL FROM:<>\nS: 250\nC: RCPT TO:<a@b.example> MTRK=" + hash + "\nS: 555\n", mtrk());
  CHECK(r.sent.find("\r\n250-MTRK\r\n") != std::string::npos);
  check_server_dialogue(hello + "C: MAIL FROM:<> MTRK=" + hash + "\nS: 555 5.5.4\n");
  CHECK(ehlo::capabilities::parse(*ehlo::parse_reply("250-mx\r\n250 MTRK\r\n")).has(ehlo::extension::mtrk));
}

TEST_CASE("MTRK comes with DSN", "[server][mtrk][3885-2-02]") {
  mail("MTRK=" + hash + " ENVID=x@b.example RET=HDRS", "250");
  setup how = mtrk();
  how.options.extensions.dsn = false;
  CHECK(how.options.check().error().code == ehlo::errc::option_dependency);
}

TEST_CASE("MTRK and DSN make MAIL longer", "[server][mtrk][3885-2-03]") {
  setup how = mtrk();
  how.options.extensions.size = false;
  const std::string start = "MAIL FROM:<c@d.example> X=";
  for (const std::size_t size : {512U + 530U + 40U, 512U + 530U + 43U})  // as the standard says, and the longest that it allows
    check_server_dialogue(hello + "C: " + start + std::string(size - start.size() - 2, 'x') + "\nS: 555\n", how);
  check_server_dialogue(hello + "C: " + start + std::string(512 + 530 + 44 - start.size() - 2, 'x') + "\nS: 500\n", how);
}

TEST_CASE("MTRK is base64, and maybe a colon and seconds", "[server][mtrk][3885-3.1-01]") {
  const std::string envid = " ENVID=x@b.example";
  for (const std::string& good : {hash, hash + ":1", hash + ":999999999", hash + ":0", std::string{"AAAAAAAAAAAAAAAAAAAAAA"}})
    mail("MTRK=" + good + envid, "250");
  for (const std::string& bad : {std::string{":60"}, hash + ":", hash + ":1234567890", hash + ":-1", hash + ":1:2", hash + "A",
                                 std::string{"a"}, std::string{"ab,cd"}, hash + ":x"}) {
    mail("MTRK=" + bad + envid, "501 5.5.4");
  }
  mail("MTRK" + envid, "501 5.5.4");
  mail("MTRK=" + hash + "=" + envid, "501");
  mail("MTRK=" + hash + envid + " MTRK=" + hash, "501 5.5.4");
}

TEST_CASE("the question tells certifier and time", "[server][mtrk][3885-3.1-02]") {
  std::optional<std::uint32_t> seconds;
  std::string certifier;
  setup how = mtrk();
  how.on_mail = [&](const ehlo::mail_question& q) {
    const auto told = q.parameters.tracking();
    certifier = told->certifier;
    seconds = told->timeout;
    return dialogue::by_default{};
  };
  check_server_dialogue(hello + "C: MAIL FROM:<> MTRK=" + hash + ":86400 ENVID=x@b\nS: 250\n", how);
  CHECK(certifier == hash);
  CHECK(seconds == 86400U);
  check_server_dialogue(hello + "C: MAIL FROM:<> ENVID=x@b mtrk=" + hash + "\nS: 250\n", how);
  CHECK_FALSE(seconds.has_value());
}

TEST_CASE("MTRK without ENVID gets 501", "[server][mtrk][3885-3.2-01]") {
  mail("MTRK=" + hash, "501 5.5.4");
  mail("ENVID=x@b.example MTRK=" + hash, "250");
}

// SPDX-License-Identifier: BSL-1.0
// Mail data that is copied, normalized, given up, or found wrong on the way.
#include <string>
#include <string_view>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"
#include "support/client_turns.hpp"

namespace {

const std::string with_data =
    "S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 "
    "ok\nC: "
    "DATA\nS: 354 go\n";
const std::string with_chunks =
    "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 CHUNKING\nC: MAIL FROM:<a@client.example>\nS: 250 ok\nC: RCPT "
    "TO:<b@mx.example>\nS: "
    "250 ok\n";
const std::string goodbye = "S: 250 taken\nC: QUIT\nS: 221 bye\nCLOSE\n";

}  // namespace

TEST_CASE("copied pieces have the octets of the slices", "[client]") {
  client_dialogue::setup how;
  how.mails[0].octets = std::string(300, '.') + "\r\n.\r\nend";
  for (const std::size_t piece : {1U, 5U, 1000U}) {
    how.mails[0].piece = piece;
    how.options.limits.coalesced = 256;
    check_client_dialogue(with_data + "C: ." + std::string(300, '.') + "\nC: ..\nC: end\nC: .\n" + goodbye, how);
  }
  check_client_dialogue(with_chunks + "C: BDAT 310 LAST\nC: " + std::string(300, '.') + "\nC: .\nC: end\n" + goodbye, how);
}

TEST_CASE("line ends alone are normalized where asked, by DATA and by BDAT", "[client][3030-2-20]") {
  client_dialogue::setup how;
  how.mails[0].octets = "a\n.b\rc";
  how.options.line_ends = ehlo::line_ends::normalize;
  for (const std::size_t piece : {1U, 2U, 3U, 1000U}) {
    how.mails[0].piece = piece;
    check_client_dialogue(with_data + "C: a\nC: ..b\nC: c\nC: .\n" + goodbye, how);
  }
  for (const std::uint32_t coalesced : {0U, 256U}) {
    how.options.limits.coalesced = coalesced;
    check_client_dialogue(with_chunks + "C: BDAT 10 LAST\nC: a\nC: .b\nC: c\n" + goodbye, how);
  }
}

TEST_CASE("a text with a fault that was not known before ends the session without the lone dot, or with RSET",
          "[client][threats][T2]") {
  client_dialogue::setup how;
  how.mails[0].octets = "good\r\nbad\nline\r\n";
  how.mails[0].traits = ehlo::message_traits{};
  const auto data = check_client_dialogue(with_data + "c: good\\r\\nbad\nCLOSE\n", how);
  CHECK(data.has("failed: a LF without its CR"));
  CHECK(data.has("transaction failed: a LF without its CR"));
  const auto chunks = check_client_dialogue(with_chunks + "C: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye\nCLOSE\n", how);
  CHECK(chunks.has("transaction failed: a LF without its CR"));
  CHECK_FALSE(chunks.has("failed: "));
}

TEST_CASE("a message that is given up: no lone dot behind DATA, RSET behind BDAT", "[client][threats][T16]") {
  client_dialogue::setup how;
  how.mails[0].piece = 4;
  how.mails[0].abandon_at = 8;
  const auto data = check_client_dialogue(with_data + "c: Subject:\nCLOSE\n", how);
  CHECK(data.has("transaction failed transient: the caller gave the message up"));
  how.quit = false;
  const auto chunks = check_client_dialogue(
      with_chunks +
          "C: BDAT 4\nc: Subj\nS: 250 ok\nC: BDAT 4\nc: ect:\nS: 250 ok\nC: RSET\nS: 250 ok\nDO quit\nC: QUIT\nS: 221 bye\nCLOSE\n",
      how);
  CHECK(chunks.has("transaction failed transient: the caller gave the message up"));
}

TEST_CASE("BINARYMIME goes octet for octet", "[client][3030-3-07]") {
  client_dialogue::setup how;
  how.mails[0].octets = std::string{"\r\n\0.\r\nx\n\xFF", 9};
  auto traits = ehlo::traits_of(how.mails[0].octets);
  traits.body = ehlo::body_type::binary;
  how.mails[0].traits = traits;
  const auto seen = check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250-CHUNKING\nS: 250-SIZE\nS: 250 BINARYMIME\nC: MAIL "
      "FROM:<a@client.example> SIZE=9 "
      "BODY=BINARYMIME\nS: 250 ok\nC: RCPT TO:<b@mx.example>\nS: 250 ok\nC: BDAT 9 LAST\nc: \\r\\n\\0.\\r\\nx\\n\\xFF\n" +
          goodbye,
      how);
  CHECK(seen.has("message 0-1 250 taken"));
  const auto without =
      check_client_dialogue(with_chunks.substr(0, with_chunks.find("C: MAIL")) + "C: QUIT\nS: 221 bye\nCLOSE\n", how);
  CHECK(without.has("transaction failed: " + client_dialogue::name_of(ehlo::errc::binary_mime_not_offered)));
}

TEST_CASE("REQUIRETLS goes over verified TLS to a server that offers it",
          "[client][threats][T15][8689-4.2.1-07][8689-2-04][8689-2-07]") {
  client_dialogue::setup how;
  how.options.tls = ehlo::tls_policy::required;
  how.mails[0].options.require_tls = true;
  const std::string start =
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250-REQUIRETLS\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n";
  const std::string second = "C: EHLO client.example\nS: 250-mx\nS: 250 REQUIRETLS\n";
  check_client_dialogue(
      start + "TLS\n" + second + "C: MAIL FROM:<a@client.example> REQUIRETLS\nS: 550 no\nC: QUIT\nS: 221 bye\nCLOSE\n", how);
  for (const std::string& rest : {"TLS UNVERIFIED\n" + second, std::string{"TLS\nC: EHLO client.example\nS: 250 mx\n"}}) {
    const auto seen = check_client_dialogue(start + rest + "C: QUIT\nS: 221 bye\nCLOSE\n", how);
    CHECK(seen.has("transaction failed: " + client_dialogue::name_of(ehlo::errc::require_tls_not_offered)));
  }
}

TEST_CASE("of a piece that is copied nothing leaves if it breaks a rule", "[client]") {
  client_dialogue::setup how;
  how.mails[0].octets = "first line\r\nsecond\nthird\r\n";
  how.mails[0].traits = ehlo::message_traits{};
  how.options.limits.coalesced = 256;
  const auto seen = check_client_dialogue(with_data + "CLOSE\n", how);
  CHECK(seen.has("failed: " + client_dialogue::name_of(ehlo::errc::bare_lf)));
  CHECK(seen.sent.ends_with("DATA\r\n"));
  how.options.limits.coalesced = 0;
  CHECK(check_client_dialogue(with_data + "C: first line\nc: second\nCLOSE\n", how).sent.ends_with("second"));
}

TEST_CASE("half a reply before the end of mail data holds the lone dot back", "[client][5321-3.8-06]") {
  const ehlo::client_options options{.hostname = "client.example", .tls = ehlo::tls_policy::never};
  const auto mail = ehlo::fixed_envelope<200>::make("a@client.example", {"b@mx.example"});
  for (const std::string_view first : {"4", "421 go"}) {
    client_turns turns{options};
    REQUIRE(turns.session.begin_transaction(*mail).has_value());
    for (const std::string_view reply : {"220 hi\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) turns.after(reply);
    REQUIRE(turns.is_at<ehlo::mail_data_question>());
    REQUIRE(turns.session.end_of_mail_data("text\r\n").has_value());
    CHECK(turns.after(first) == "text\r\n");
    CHECK(turns.is_at<ehlo::receive>());
    CHECK(turns.after().empty());
    CHECK(turns.is_at<ehlo::receive>());
    CHECK(turns.after(std::string_view{"421 going down\r\n"}.substr(first.size())).empty());
    CHECK(turns.is_at<ehlo::close_channel>());
  }
}

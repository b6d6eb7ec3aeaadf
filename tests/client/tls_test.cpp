// SPDX-License-Identifier: BSL-1.0
// STARTTLS: what leaves before it, what is believed after it, and what stands in its way. RFC 3207.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <ehlo/ehlo.hpp>

#include "support/catch.hpp"
#include "support/client_dialogue.hpp"

namespace {

client_dialogue::setup with_tls(ehlo::tls_policy policy) {
  client_dialogue::setup how;
  how.options.tls = policy;
  return how;
}

}  // namespace

TEST_CASE("HELO does not follow 4yz, 550, or anything under required TLS", "[client][threats][T11]") {
  for (const std::string code : {"451", "550", "501", "421"}) {
    const std::string quit = code == "421" ? "" : "C: QUIT\nS: 221 bye\n";
    check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: " + code + " no\n" + quit + "CLOSE\n");
  }
  for (const std::string code : {"500", "502", "504", "550", "250 mx\nS: 250"}) {
    if (code.size() > 3) continue;
    const auto seen = check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: " + code + " no\nC: QUIT\nS: 221 bye\nCLOSE\n",
                                            with_tls(ehlo::tls_policy::required));
    CHECK(seen.sent == "EHLO client.example\r\nQUIT\r\n");
  }
}

TEST_CASE("under required TLS nothing but EHLO, STARTTLS and QUIT leaves before the handshake",
          "[client][threats][T11][3207-6-01]") {
  const auto stripped = check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye\nCLOSE\n",
                                              with_tls(ehlo::tls_policy::required));
  CHECK(stripped.has("failed: STARTTLS is not offered"));
  for (const std::string reply : {"454 not now", "502 no", "554 no"}) {
    const auto refused =
        check_client_dialogue("S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: " + reply +
                                  "\nC: QUIT\nS: 221 bye\nCLOSE\n",
                              with_tls(ehlo::tls_policy::required));
    CHECK(refused.has("failed: STARTTLS was refused"));
  }
  for (const std::string reply : {"250 ok", "235 ok", "354 go on"}) {
    const auto odd = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: " + reply + "\nCLOSE\n",
        with_tls(ehlo::tls_policy::required));
    CHECK(odd.has("failed: a reply of this code"));
  }
}

TEST_CASE("octets behind the 220 to STARTTLS are fatal, whole line or not", "[client][threats][T10][3207-4-12]") {
  for (const std::string injected : {"250-mx\\r\\n250 AUTH PLAIN\\r\\n", "2", "250 x", "\\r\\n"}) {
    auto how = with_tls(ehlo::tls_policy::required);
    how.whole_only = true;
    const auto seen = check_client_dialogue(
        "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\ns: 220 go\\r\\n" + injected + "\nCLOSE\n",
        how);
    CHECK(seen.has("failed: octets came between STARTTLS and the handshake"));
    CHECK(seen.sent == "EHLO client.example\r\nSTARTTLS\r\n");
  }
}

TEST_CASE("what was learned before TLS counts for nothing after it", "[client][threats][T12][3207-4.2-03][3207-4.2-04]") {
  const auto seen = check_client_dialogue(R"(
    S: 220 hi
    C: EHLO client.example
    S: 250-mx
    S: 250-SIZE 5
    S: 250-PIPELINING
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
    TLS
    C: EHLO client.example
    S: 250 mx
    C: MAIL FROM:<a@client.example>
    S: 550 no
    C: QUIT
    S: 221 bye
    CLOSE
  )",
                                          with_tls(ehlo::tls_policy::required));
  CHECK(seen.has("transaction failed: MAIL was refused"));
}

TEST_CASE("after 220 the only ways on are the handshake and the end", "[client][threats][T13][3207-4-09]") {
  check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS FAILED\nCLOSE\n",
      with_tls(ehlo::tls_policy::opportunistic));
}

TEST_CASE("too weak TLS is left with QUIT", "[client][3207-4.1-02]") {
  check_client_dialogue(
      "S: 220 hi\nC: EHLO client.example\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nTLS WEAK\nC: QUIT\nS: 221 "
      "bye\nCLOSE\n",
      with_tls(ehlo::tls_policy::required));
}

// SPDX-License-Identifier: BSL-1.0
// The dialogues of the standards, watched: nothing in them is odd, and what is told is what they say.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/observation.hpp"

using namespace observation;

TEST_CASE("a typical transaction is told step by step", "[observer][5321-D-01]") {
  const auto seen = observe(R"(
    S: 220 foo.com Simple Mail Transfer Service Ready
    C: EHLO bar.com
    S: 250-foo.com greets bar.com
    S: 250-8BITMIME
    S: 250-SIZE
    S: 250-DSN
    S: 250 HELP
    C: MAIL FROM:<Smith@bar.com>
    S: 250 OK
    C: RCPT TO:<Jones@foo.com>
    S: 250 OK
    C: RCPT TO:<Green@foo.com>
    S: 550 No such user here
    C: RCPT TO:<Brown@foo.com>
    S: 250 OK
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Blah blah blah...
    C: ...etc. etc. etc.
    C: .
    S: 250 OK
    C: QUIT
    S: 221 foo.com Service closing transmission channel
  )");
  CHECK(text_of(seen) == R"(observed_reply{connection, 220 foo.com Simple Mail Transfer Service Ready} at 0
observed_command{1: EHLO bar.com} at 0
observed_reply{1: EHLO, HELO, LHLO, 250 foo.com greets bar.com 8BITMIME SIZE DSN HELP} at 48
observed_hello{ESMTP, SIZE, 8BITMIME, DSN, HELP}
observed_command{2: MAIL FROM:<Smith@bar.com>} at 14
observed_reply{2: MAIL, 250 OK} at 119
observed_command{3: RCPT TO:<Jones@foo.com>} at 41
observed_reply{3: RCPT, 250 OK} at 127
observed_command{4: RCPT TO:<Green@foo.com>} at 66
observed_reply{4: RCPT, 550 No such user here} at 135
observed_command{5: RCPT TO:<Brown@foo.com>} at 91
observed_reply{5: RCPT, 250 OK, recipient 1} at 158
observed_command{6: DATA} at 116
observed_reply{6: DATA, 354 Start mail input; end with <CRLF>.<CRLF>} at 166
mail_data Blah blah blah...\r\n..etc. etc. etc.\r\n
observed_message{6: DATA, 37 octets}
observed_reply{6: end of mail data, 250 OK} at 212
observed_command{7: QUIT} at 163
observed_reply{7: QUIT, 221 foo.com Service closing transmission channel} at 220
)");
}

TEST_CASE("RFC 5321 Appendix D: an aborted transaction", "[observer][5321-D-02]") {
  const auto seen = observe(R"(
    S: 220 foo.com Simple Mail Transfer Service Ready
    C: EHLO bar.com
    S: 250-foo.com greets bar.com
    S: 250-8BITMIME
    S: 250-SIZE
    S: 250-DSN
    S: 250 HELP
    C: MAIL FROM:<Smith@bar.com>
    S: 250 OK
    C: RCPT TO:<Jones@foo.com>
    S: 250 OK
    C: RCPT TO:<Green@foo.com>
    S: 550 No such user here
    C: RSET
    S: 250 OK
    C: QUIT
    S: 221 foo.com Service closing transmission channel
  )");
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "transaction_reset{rset}"));
}

TEST_CASE("RFC 5321 Appendix D: a relayed message", "[observer][5321-D-03]") {
  for (const std::string_view script : {R"(
    S: 220 foo.com Simple Mail Transfer Service Ready
    C: EHLO bar.com
    S: 250-foo.com greets bar.com
    S: 250-8BITMIME
    S: 250-SIZE
    S: 250-DSN
    S: 250-VRFY
    S: 250 HELP
    C: MAIL FROM:<JQP@bar.com>
    S: 250 OK
    C: RCPT TO:<Jones@XYZ.COM>
    S: 250 OK
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Date: Thu, 21 May 1998 05:33:29 -0700
    C: From: John Q. Public <JQP@bar.com>
    C: Subject: The Next Meeting of the Board
    C: To: Jones@xyz.com
    C:
    C: Bill:
    C: The next meeting of the board of directors will be
    C: on Tuesday.
    C: John.
    C: .
    S: 250 OK
    C: QUIT
    S: 221 foo.com Service closing transmission channel
  )",
                                        R"(
    S: 220 xyz.com Simple Mail Transfer Service Ready
    C: EHLO foo.com
    S: 250 xyz.com is on the air
    C: MAIL FROM:<JQP@bar.com>
    S: 250 OK
    C: RCPT TO:<Jones@XYZ.COM>
    S: 250 OK
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Received: from bar.com by foo.com ; Thu, 21 May 1998
    C:     05:33:29 -0700
    C:
    C: Bill:
    C: .
    S: 250 OK
    C: QUIT
    S: 221 foo.com Service closing transmission channel
  )"}) {
    const auto seen = observe(script);
    CAPTURE(text_of(seen));
    CHECK(anomalies(seen).empty());
    CHECK(has(seen, "observed_message{4: DATA"));
    CHECK(has(seen, "observed_reply{4: end of mail data, 250 OK}"));
    CHECK(text_of(observe_unordered(script)) != "");
    CHECK(anomalies(observe_unordered(script)).empty());
  }
}

TEST_CASE("RFC 5321 Appendix D: verifying and sending", "[observer][5321-D-04]") {
  const auto seen = observe(R"(
    S: 220 foo.com Simple Mail Transfer Service Ready
    C: EHLO bar.com
    S: 250-foo.com greets bar.com
    S: 250-8BITMIME
    S: 250-SIZE
    S: 250-DSN
    S: 250-VRFY
    S: 250 HELP
    C: VRFY Crispin
    S: 250 Mark Crispin <Admin.MRC@foo.com>
    C: MAIL FROM:<EAK@bar.com>
    S: 250 OK
    C: RCPT TO:<Admin.MRC@foo.com>
    S: 250 OK
    C: DATA
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Blah blah blah...
    C: ...etc. etc. etc.
    C: .
    S: 250 OK
    C: QUIT
    S: 221 foo.com Service closing transmission channel
  )");
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "observed_reply{2: VRFY, 250 Mark Crispin <Admin.MRC@foo.com>}"));
}

constexpr std::string_view pipelined = R"(
    S: 220 innosoft.com SMTP service ready
    C: EHLO dbc.mtview.ca.us
    S: 250-innosoft.com
    S: 250 PIPELINING
    C: MAIL FROM:<mrose@dbc.mtview.ca.us>
    C: RCPT TO:<ned@innosoft.com>
    C: RCPT TO:<dan@innosoft.com>
    C: RCPT TO:<kvc@innosoft.com>
    C: DATA
    S: 250 sender <mrose@dbc.mtview.ca.us> OK
    S: 250 recipient <ned@innosoft.com> OK
    S: 250 recipient <dan@innosoft.com> OK
    S: 250 recipient <kvc@innosoft.com> OK
    S: 354 enter mail, end with line containing only "."
    C: text
    C: .
    C: QUIT
    S: 250 message sent
    S: 221 goodbye
)";

TEST_CASE("RFC 2920: replies find their commands through pipelining", "[observer][2920-3.1-07][2920-3.1-06]") {
  const auto seen = observe(pipelined);
  CAPTURE(text_of(seen));
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "observed_reply{3: RCPT, 250 recipient <ned@innosoft.com> OK}"));
  CHECK(has(seen, "observed_reply{5: RCPT, 250 recipient <kvc@innosoft.com> OK, recipient 2}"));
  CHECK(has(seen, "observed_reply{6: end of mail data, 250 message sent}"));
  CHECK(has(seen, "observed_reply{7: QUIT, 221 goodbye}"));
  // RFC 2920's second example: all recipients are refused, and the client gives the lone dot to a 354.
  const auto refused = observe(R"(
    S: 220 innosoft.com SMTP service ready
    C: EHLO dbc.mtview.ca.us
    S: 250-innosoft.com
    S: 250 PIPELINING
    C: MAIL FROM:<mrose@dbc.mtview.ca.us>
    C: RCPT TO:<nsb@thumper.bellcore.com>
    C: RCPT TO:<galvin@tis.com>
    C: DATA
    S: 250 sender <mrose@dbc.mtview.ca.us> OK
    S: 550 remote mail to <nsb@thumper.bellore.com> not allowed
    S: 550 remote mail to <galvin@tis.com> not allowed
    S: 354 enter mail, end with line containing only "."
    C: .
    C: QUIT
    S: 554 no valid recipients
    S: 221 goodbye
  )");
  CAPTURE(text_of(refused));
  CHECK(anomalies(refused).empty());
  CHECK(has(refused, "observed_message{5: DATA, 0 octets}"));
  CHECK(has(refused, "observed_reply{5: end of mail data, 554 no valid recipients}"));
  // And with DATA refused.
  const auto polite = observe(R"(
    S: 220 innosoft.com SMTP service ready
    C: EHLO dbc.mtview.ca.us
    S: 250-innosoft.com
    S: 250 PIPELINING
    C: MAIL FROM:<mrose@dbc.mtview.ca.us>
    C: RCPT TO:<nsb@thumper.bellcore.com>
    C: DATA
    S: 250 sender <mrose@dbc.mtview.ca.us> OK
    S: 550 remote mail to <nsb@thumper.bellore.com> not allowed
    S: 554 no valid recipients given
    C: QUIT
    S: 221 goodbye
  )");
  CHECK(anomalies(polite).empty());
  CHECK(has(polite, "transaction_reset{quit}"));
}

TEST_CASE("without an order of the directions the same is told", "[observer]") {
  const auto seen = observe_unordered(pipelined);
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "observed_reply{5: RCPT, 250 recipient <kvc@innosoft.com> OK, recipient 2}"));
  CHECK(has(seen, "observed_reply{7: QUIT, 221 goodbye}"));
}

TEST_CASE("RFC 3030: chunks are mail data by count", "[observer][3030-2-07][3030-2-05]") {
  const std::string_view script = R"(
    S: 220 cnri.reston.va.us SMTP service ready
    C: EHLO ymir.claremont.edu
    S: 250-cnri.reston.va.us says hello
    S: 250-PIPELINING
    S: 250-BINARYMIME
    S: 250 CHUNKING
    C: MAIL FROM:<ned@ymir.claremont.edu> BODY=BINARYMIME
    C: RCPT TO:<gvaudre@cnri.reston.va.us>
    C: BDAT 5
    c: QUIT\r
    C: BDAT 3
    c: \n.\r
    C: BDAT 0 LAST
    S: 250 <ned@ymir.claremont.edu> Sender and BINARYMIME ok
    S: 250 <gvaudre@cnri.reston.va.us> Recipient ok
    S: 250 5 octets received
    S: 250 3 octets received
    S: 250 Message OK
    C: QUIT
    S: 221 Goodbye
  )";
  for (const auto& seen : {observe(script), observe_unordered(script)}) {
    CAPTURE(text_of(seen));
    CHECK(anomalies(seen).empty());
    CHECK(has(seen, "observed_command{6: BDAT 0 LAST}"));
    CHECK(has(seen, "observed_reply{4: BDAT, 250 5 octets received}"));
    CHECK(has(seen, "observed_message{6: BDAT, 8 octets}"));
    CHECK(has(seen, "observed_reply{6: end of mail data, 250 Message OK}"));
    CHECK(has(seen, R"(mail_data QUIT\r)"));
    CHECK(has(seen, R"(mail_data \n.\r)"));
  }
}

TEST_CASE("a refused chunk keeps the step: its octets are passed over, RSET leads on", "[observer][3030-2-14][3030-2-12]") {
  const auto seen = observe(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250 CHUNKING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: BDAT 6
    c: RSET\r\n
    C: BDAT 6
    c: QUIT\r\n
    C: BDAT 4 LAST
    c: NOOP
    S: 250 ok
    S: 250 ok
    S: 452 not now
    S: 503 no
    S: 503 no
    C: BDAT 4
    c: NOOP
    S: 503 RSET first
    C: RSET
    S: 250 ok
    C: MAIL FROM:<a@client.example>
    S: 250 ok
  )");
  CAPTURE(text_of(seen));
  CHECK(anomalies(seen) == told{of_client(ehlo::finding::command_out_of_order, 120)});
  CHECK(has(seen, "transaction_reset{refused}"));
  CHECK(has(seen, "observed_reply{6: BDAT, 503 no}"));
  CHECK(has(seen, "observed_reply{7: BDAT, 503 RSET first}"));
  CHECK(has(seen, "observed_reply{9: MAIL, 250 ok}"));
}

TEST_CASE("without an order, a chunk that crossed a refusal is no part of a message", "[observer][3030-2-14]") {
  const auto seen = observe_unordered(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250 CHUNKING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: BDAT 3
    c: one
    C: BDAT 5 LAST
    c: two\r\n
    S: 250 ok
    S: 250 ok
    S: 451 no
    S: 503 RSET first
    C: RSET
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: BDAT 7 LAST
    c: three\r\n
    S: 250 ok
    S: 250 ok
    S: 250 ok
    S: 250 stored
  )");
  CAPTURE(text_of(seen));
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "transaction_reset{refused}"));
  CHECK_FALSE(has(seen, "observed_message{5"));
  CHECK_FALSE(has(seen, "mail_data two"));
  CHECK(has(seen, "mail_data three"));
  CHECK(has(seen, "observed_message{9: BDAT, 7 octets}"));
}

TEST_CASE("RFC 2033: LMTP has a reply for each recipient that was accepted", "[observer][2033-4.2-02][2033-4.2-07]") {
  for (const bool chunked : {false, true}) {
    const std::string script = std::string{R"(
    S: 220 foo.edu LMTP server ready
    C: LHLO foo.edu
    S: 250-foo.edu
    S: 250-PIPELINING
    S: 250-CHUNKING
    S: 250 SIZE
    C: MAIL FROM:<chris@bar.com>
    C: RCPT TO:<pat@foo.edu>
    C: RCPT TO:<jones@foo.edu>
    C: RCPT TO:<green@foo.edu>
)"} +
                               (chunked ? R"(
    C: BDAT 7 LAST
    C: Blurf
    S: 250 OK
    S: 250 OK
    S: 550 No such user here
    S: 250 OK
    )"
                                        : R"(
    C: DATA
    S: 250 OK
    S: 250 OK
    S: 550 No such user here
    S: 250 OK
    S: 354 Start mail input; end with <CRLF>.<CRLF>
    C: Blurf
    C: .
    )") + R"(
    C: QUIT
    S: 250 OK
    S: 452 <green@foo.edu> is temporarily over quota
    S: 221 foo.edu closing connection
  )";
    for (const auto& seen : {observe(script), observe_unordered(script)}) {
      CAPTURE(text_of(seen));
      CHECK(anomalies(seen).empty());
      CHECK(has(seen, "observed_hello{LMTP, SIZE"));
      CHECK(has(seen, "observed_reply{6: end of mail data, 250 OK}"));
      CHECK(has(seen, "observed_reply{6: end of mail data, 452 <green@foo.edu> is temporarily over quota, recipient 1}"));
      CHECK(has(seen, "observed_reply{7: QUIT, 221"));
    }
  }
}

TEST_CASE("RFC 2033 4.3: the last chunk without an accepted recipient has no reply", "[observer][2033-4.3-02]") {
  const auto seen = observe(R"(
    S: 220 mx.example
    C: LHLO client.example
    S: 250-mx.example
    S: 250-PIPELINING
    S: 250 CHUNKING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: BDAT 4 LAST
    c: text
    S: 250 ok
    S: 550 no
    C: MAIL FROM:<a@client.example>
    S: 250 ok
  )");
  CAPTURE(text_of(seen));
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "transaction_reset{chunkless}"));
  CHECK(has(seen, "observed_reply{5: MAIL, 250 ok}"));
}

TEST_CASE("after 220 to STARTTLS both directions are counted until they are decrypted", "[observer][3207-4.2-01][3207-4-11]") {
  const auto seen = observe(R"(
    S: 220 mail.imc.org SMTP service ready
    C: EHLO mail.example.com
    S: 250-mail.imc.org offers a warm hug of welcome
    S: 250-8BITMIME
    S: 250-STARTTLS
    S: 250 DSN
    C: STARTTLS
    S: 220 Go ahead
    c: \x16\x03\x01 hello\r\nQUIT\r\n
    s: \x16\x03\x03 hello 250\r\n
    TLS
    C: EHLO mail.example.com
    S: 250-mail.imc.org touches your hand gently for a moment
    S: 250-8BITMIME
    S: 250 DSN
    C: QUIT
    S: 221 bye
  )");
  CAPTURE(text_of(seen));
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "observed_tls"));
  CHECK(has(seen, "observed_hello{ESMTP, 8BITMIME, DSN}"));
  CHECK(has(seen, "observed_reply{4: QUIT, 221 bye}"));
  const auto refused = observe(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250 STARTTLS
    C: STARTTLS
    S: 454 TLS not available
    C: QUIT
    S: 221 bye
  )");
  CHECK(anomalies(refused).empty());
  CHECK_FALSE(has(refused, "observed_tls"));
}

TEST_CASE("a transaction ends where the session begins again", "[observer][3207-4.2-01][xclient]") {
  const std::string begun = R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250-STARTTLS
    S: 250 XCLIENT ADDR
    C: MAIL FROM:<a@b.c>
    S: 250 ok
    C: RCPT TO:<d@e.f>
    S: 250 ok
  )";
  const auto tls = observe(begun + "C: STARTTLS\n S: 220 go\n c: \\x16\\x03\n");
  CAPTURE(text_of(tls));
  CHECK(anomalies(tls).size() == 1);  // the command inside a transaction
  CHECK(std::ranges::count(tls, "transaction_reset{hello}") == 1);
  CHECK(tls.back() == "observed_tls");
  for (const std::string code : {"220", "554", "521"}) {
    const auto other = observe(begun + "C: XCLIENT ADDR=192.0.2.1\n S: " + code + " mx.example\n C: QUIT\n");
    CAPTURE(text_of(other));
    CHECK(std::ranges::count(other, "transaction_reset{hello}") == 1);
  }
  const auto refused = observe(begun + "C: STARTTLS\n S: 503 no\n C: XCLIENT ADDR=192.0.2.1\n S: 503 no\n");
  CHECK_FALSE(has(refused, "transaction_reset"));
}

TEST_CASE("AUTH is told by its steps, without what they hold", "[observer][4954-4-13][4954-4-12][4954-4-10]") {
  const std::string_view script = R"(
    S: 220-smtp.example.com ESMTP Server
    S: 220 ready
    C: EHLO client.example.com
    S: 250-smtp.example.com Hello client.example.com
    S: 250 AUTH GSSAPI DIGEST-MD5 PLAIN
    C: AUTH PLAIN
    S: 334
    C: dGVzdAB0ZXN0ADEyMzQ=
    S: 535 no
    C: AUTH CRAM-MD5
    S: 334 PDQxOTI5NDIzNDEuMTI4Mjg0NzJAc291cmNlZm91ci5hbmRyZXcuY211LmVkdT4=
    C: *
    S: 501 cancelled
    C: AUTH PLAIN =
    S: 535 no
    C: AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=
    S: 235 2.7.0 Authentication successful
    C: QUIT
    S: 221 bye
  )";
  for (const auto& seen : {observe(script), observe_unordered(script)}) {
    CAPTURE(text_of(seen));
    CHECK(anomalies(seen).empty());
    CHECK(has(seen, "observed_auth{2: command PLAIN}"));
    CHECK(has(seen, "observed_auth{2: challenge, 0 octets}"));
    CHECK(has(seen, "observed_auth{2: response, 20 octets}"));
    CHECK(has(seen, "observed_reply{2: AUTH, 535 no}"));
    CHECK(has(seen, "observed_auth{3: challenge, 64 octets}"));
    CHECK(has(seen, "observed_auth{3: cancel, 0 octets}"));
    CHECK(has(seen, "observed_reply{3: AUTH, 501 cancelled}"));
    CHECK(has(seen, "observed_auth{4: command PLAIN, 0 octets}"));
    CHECK(has(seen, "observed_auth{5: command PLAIN, 20 octets}"));
    CHECK(has(seen, "observed_reply{5: AUTH, 235 2.7.0 Authentication successful}"));
    CHECK(text_of(seen).find("dGVzd") == std::string::npos);
    CHECK(text_of(seen).find("PDQx") == std::string::npos);
  }
}

TEST_CASE("421 ends the session wherever it comes", "[observer][5321-3.8-02][5321-3.8-06]") {
  const auto idle = observe(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250 mx.example
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    S: 421 too slow
    C: QUIT
  )");
  CAPTURE(text_of(idle));
  CHECK(anomalies(idle).empty());
  CHECK(has(idle, "observed_reply{none, 421 too slow}"));
  CHECK(has(idle, "transaction_reset{closed}"));
  const auto amid = observe(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: text
    S: 421 disk full
    C: QUIT is text
    C: .
    C: QUIT
  )");
  CAPTURE(text_of(amid));
  CHECK(anomalies(amid).empty());
  CHECK(has(amid, "observed_message{4: DATA, 20 octets}"));
  const auto pipelining = observe(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250-mx.example
    S: 250 PIPELINING
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    C: DATA
    S: 421 shutting down
    C: QUIT
  )");
  CHECK(anomalies(pipelining).empty());
}

TEST_CASE("a conversation seen from the middle is followed from the next reply on", "[observer]") {
  const ehlo::observer_options unsure{.begin = ehlo::beginning::unsure};
  const auto seen = observe(R"(
    C: some text
    C: QUIT is text too
    C: .
    S: 250 message taken
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    C: RCPT TO:<b@mx.example>
    S: 250 ok
    C: DATA
    S: 354 go
    C: text
    C: .
    S: 250 ok
  )",
                            unsure);
  CAPTURE(text_of(seen));
  CHECK(seen.front() == "joined_midway");
  CHECK(anomalies(seen).empty());
  CHECK(has(seen, "observed_reply{3: end of mail data, 250 ok}"));
  const auto behind_reply = observe(R"(
    s: ME, and more\r\n250-PIPELINING\r\n250 SIZE\r\n
    C: MAIL FROM:<a@client.example>
    C: RCPT TO:<b@mx.example>
    S: 250 ok
    S: 250 ok
  )",
                                    unsure);
  CAPTURE(text_of(behind_reply));
  CHECK(has(behind_reply, "joined_midway"));
  CHECK(has(behind_reply, "observed_reply{2: RCPT, 250 ok}"));
  const auto at_354 = observe(R"(
    S: 354 go
    C: text
    C: .
    S: 250 ok
    C: RSET
    S: 250 ok
  )",
                              unsure);
  CAPTURE(text_of(at_354));
  CHECK(has(at_354, "mail_data text"));
  CHECK(has(at_354, "observed_reply{1: RSET, 250 ok}"));
  const auto whole = observe(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250 mx.example
  )",
                             unsure);
  CHECK_FALSE(has(whole, "joined_midway"));
  CHECK(has(whole, "observed_reply{connection, 220 mx.example}"));
}

TEST_CASE("a conversation seen from the middle of AUTH, of a reply or of a line is followed, too", "[observer]") {
  const ehlo::observer_options unsure{.begin = ehlo::beginning::unsure};
  const auto at_334 = observe(R"(
    S: 334 UGFzc3dvcmQ6
    C: c2VjcmV0
    S: 235 welcome
    C: QUIT
    S: 221 bye
  )",
                              unsure);
  CAPTURE(text_of(at_334));
  CHECK(anomalies(at_334).empty());
  CHECK(has(at_334, "observed_auth{0: challenge"));
  CHECK(has(at_334, "observed_auth{0: response"));
  CHECK(has(at_334, "observed_reply{1: QUIT, 221 bye}"));
  const auto at_221 = observe(R"(
    C: some text
    S: 221 bye
  )",
                              unsure);
  CAPTURE(text_of(at_221));
  CHECK(anomalies(at_221).empty());
  CHECK(has(at_221, "observed_reply{none, 221 bye}"));
  // A line that no reply begins with: it is passed over, however long it is.
  const auto amid_line = observe("s: " + std::string(3000, 'x') + "\\r\\n\nS: 250 ok\nC: RSET\nS: 250 ok\n", unsure);
  CAPTURE(text_of(amid_line));
  CHECK(has(amid_line, "observed_reply{1: RSET, 250 ok}"));
  // What is read as a command may be mail data still: a guess that proves wrong costs nothing.
  const auto guessed = observe(R"(
    S: 250 ok
    C: this is no command, but a line of a message
    C: .
    S: 250 ok
    C: NOOP
    S: 250 ok
  )",
                               unsure);
  CAPTURE(text_of(guessed));
  CHECK(anomalies(guessed).empty());
  CHECK(has(guessed, "observed_reply{1: NOOP, 250 ok}"));
}

TEST_CASE("octets that were not seen lose the step, and rejoin goes on", "[observer]") {
  const auto seen = observe(R"(
    S: 220 mx.example
    C: EHLO client.example
    S: 250 mx.example
    MISSING C 1000
    C: MAIL FROM:<a@client.example>
    S: 250 ok
    REJOIN
    S: 250 ok
    C: MAIL FROM:<a@client.example>
    S: 250 ok
  )");
  CAPTURE(text_of(seen));
  CHECK(anomalies(seen) == told{"lost{octets_missing at octet 1021 of the client}"});
  CHECK(has(seen, "joined_midway"));
  CHECK(has(seen, "observed_command{2: MAIL FROM:<a@client.example>} at 1051"));
}

namespace {

/// The dialogue of Appendix D runs at compile time, too.
constexpr bool follows_a_transaction() {
  constexpr std::array<std::pair<ehlo::direction, std::string_view>, 10> turns{{
      {ehlo::direction::from_server, "220 mx.example\r\n"},
      {ehlo::direction::from_client, "EHLO client.example\r\n"},
      {ehlo::direction::from_server, "250-mx.example\r\n250 PIPELINING\r\n"},
      {ehlo::direction::from_client, "MAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nDATA\r\n"},
      {ehlo::direction::from_server, "250 ok\r\n250 ok\r\n354 go\r\n"},
      {ehlo::direction::from_client, "..text\r\n"},
      {ehlo::direction::from_client, ".\r\n"},
      {ehlo::direction::from_server, "250 ok\r\n"},
      {ehlo::direction::from_client, "QUIT\r\n"},
      {ehlo::direction::from_server, "221 bye\r\n"},
  }};
  constexpr ehlo::observer_options options{};
  ehlo::observer observer{options};
  std::size_t replies = 0;
  std::uint64_t size = 0;
  bool is_calm = true;
  for (const auto& [from, octets] : turns) {
    std::string_view input = octets;
    for (bool more = true; more;) {
      const auto action = observer.next(from, input);
      more = !std::holds_alternative<ehlo::receive>(action);
      replies += std::holds_alternative<ehlo::observed_reply>(action) ? 1U : 0U;
      if (std::holds_alternative<ehlo::observed_message>(action)) size = std::get<ehlo::observed_message>(action).size;
      is_calm = is_calm && !std::holds_alternative<ehlo::anomaly>(action) && !std::holds_alternative<ehlo::lost>(action);
    }
  }
  return is_calm && replies == 7 && size == 7 && observer.is_over() && observer.in_flight() == 0;
}

static_assert(follows_a_transaction());

}  // namespace

TEST_CASE("behind 220 to XCLIENT the session begins again", "[observer][xclient]") {
  const auto seen = observe(R"(
    S: 220 mx.example
    C: EHLO filter.example
    S: 250-mx.example
    S: 250 XCLIENT NAME ADDR
    C: XCLIENT ADDR=192.0.2.1
    S: 220 mx.example
    C: EHLO client.example
    S: 250 mx.example
    C: MAIL FROM:<a@b.c>
    S: 250 ok
    C: XCLIENT ADDR=192.0.2.2
    S: 503 no
    C: RSET
    S: 250 ok
    C: XCLIENT ADDR=192.0.2.2
    S: 550 no
    C: MAIL FROM:<a@b.c>
    S: 250 ok
    C: QUIT
    S: 221 bye
  )");
  CAPTURE(text_of(seen));
  CHECK(anomalies(seen).size() == 1);  // the one inside a transaction
  CHECK(has(seen, "observed_command{2: XCLIENT ADDR=192.0.2.1}"));
  CHECK(has(seen, "observed_reply{2: XCLIENT, 220 mx.example}"));
  const auto early = observe(R"(
    S: 220 mx.example
    C: EHLO filter.example
    S: 250-mx.example
    S: 250 XCLIENT NAME ADDR
    C: XCLIENT ADDR=192.0.2.1
    S: 220 mx.example
    C: MAIL FROM:<a@b.c>
    S: 503 no
    C: XCLIENT ADDR=192.0.2.2
    S: 554 no
    C: EHLO client.example
    S: 503 no
  )");
  CAPTURE(text_of(early));
  CHECK(anomalies(early).size() == 2);  // MAIL before EHLO; EHLO of a client that is not served
}

namespace {

/// A conversation that is joined where the server answers something.
constexpr std::string_view joined = "MISSING C 10\n REJOIN\n S: 250 ok\n";

told seen_midway(std::string_view script) {
  const auto all = observe(std::string{joined} + std::string{script});
  REQUIRE(all.size() > 3);
  CHECK(all[0] == "lost{octets_missing at octet 10 of the client}");
  CHECK(all[1] == "joined_midway");
  return {all.begin() + 3, all.end()};
}

}  // namespace

TEST_CASE("midway a reply that nobody understands is waited out: a wrong guess costs nothing", "[observer]") {
  for (const std::string_view command : {"DATA", "STARTTLS", "AUTH PLAIN"}) {
    CAPTURE(command);
    const auto all =
        seen_midway("C: " + std::string{command} + "\n S: 250 ok\n C: whatever it is\n S: 250 ok\n C: NOOP\n S: 250 ok\n");
    CHECK(anomalies(all).empty());
    CHECK(has(all, "observed_reply{2: NOOP, 250 ok}"));
  }
  // So are a chunk of which nobody knows where it ends, and more commands than are held.
  const auto chunk = seen_midway("C: BDAT x\n S: 501 no\n C: NOOP\n S: 250 ok\n");
  CHECK(anomalies(chunk).empty());
  CHECK(has(chunk, "observed_reply{1: NOOP, 250 ok}"));
  std::string many;
  for (int i = 0; i < 300; ++i) many += "C: RSET\n";
  const auto lost = seen_midway(many + "S: 250 ok\n C: NOOP\n S: 250 ok\n");
  CHECK(anomalies(lost).empty());
  CHECK(has(lost, "observed_reply{258: NOOP, 250 ok}"));
}

TEST_CASE("midway TLS is known by its first octet", "[observer]") {
  const auto all = seen_midway("c: \\x16\\x03\\x01\n s: \\x16\\x03\\x03\n TLS\n C: EHLO client.example\n S: 250 mx.example\n");
  CHECK(anomalies(all).empty());
  CHECK(has(all, "observed_tls"));
  CHECK(has(all, "observed_hello{ESMTP"));
  // A record that is not the first octet of a command is none.
  CHECK_FALSE(has(seen_midway("c: N\\x16\\r\\n\n S: 500 no\n"), "observed_tls"));
}

TEST_CASE("midway a line of the server that breaks the grammar is skipped to its end", "[observer]") {
  for (const std::string_view line : {"250 a\\rb", "250 a\\0b", "what is this", "99"}) {
    CAPTURE(line);
    const auto all = seen_midway("S: " + std::string{line} + "\n S: 250 ok\n C: NOOP\n S: 250 ok\n");
    CHECK(anomalies(all).empty());
    CHECK(has(all, "observed_reply{1: NOOP, 250 ok}"));
  }
  // The first octets that are seen may be such a line.
  const ehlo::observer_options unsure{.begin = ehlo::beginning::unsure};
  const auto all = observe("s: \\0 a\\r\\n\n S: 250 ok\n C: NOOP\n S: 250 ok\n", unsure);
  CHECK(has(all, "joined_midway"));
  CHECK(anomalies(all).empty());
  CHECK(has(all, "observed_reply{1: NOOP, 250 ok}"));
}

TEST_CASE("midway nothing is odd that may have been agreed on before", "[observer]") {
  const auto all = seen_midway("C: BDAT 3\n c: ab\n S: 250 early\n c: cVRFY \\xC3\\xA9\\r\\n\n S: 252 ok\n C: NOOP\n S: 999 no\n");
  CHECK(anomalies(all) == told{});
}

TEST_CASE("an observer that is unsure of the beginning waits for the server, or follows from the client's words", "[observer]") {
  const ehlo::observer_options unsure{.order = ehlo::feed_order::unknown, .begin = ehlo::beginning::unsure};
  ehlo::observer observer{unsure};
  std::string_view input = "NOOP\r\n";
  CHECK(std::holds_alternative<ehlo::other_first>(observer.next(ehlo::direction::from_client, input)));
  CHECK(input == "NOOP\r\n");
  observer.end_of_input(ehlo::direction::from_server);
  CHECK(std::holds_alternative<ehlo::receive>(observer.next(ehlo::direction::from_client, input)));
  CHECK(input.empty());
  CHECK(std::holds_alternative<ehlo::joined_midway>(observer.next(ehlo::direction::from_client, input)));
  CHECK(observer.is_midway());
}

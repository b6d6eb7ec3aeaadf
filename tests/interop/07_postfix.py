#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""03_send delivers to Postfix."""
import sys

sys.dont_write_bytecode = True
import deliveries
from deliveries import LATER, USERS, deliver, to
from interop import MESSAGES, expect, main, without
from servers import PASSWORD, Dovecot, Postfix, send


def messages():
    """Postfix: each message arrives octet for octet, by DATA and BDAT, with and without PIPELINING, under STARTTLS"""
    with Postfix(USERS, LATER) as server:
        deliveries.each_message(server)
        deliveries.large(server)
        deliver(server, MESSAGES["small"], address=server.address(host="127.0.0.1"), what="an address instead of a name")
        for options, word, other in (((), "bdat", "data"), (("--no-chunking",), "data", "bdat")):
            deliver(server, MESSAGES["small"], *options)
            server.until(lambda: word in server.sessions()[-1], f"a session with {word}")
            expect((2, 1, False), (server.sessions()[-1]["ehlo"], server.sessions()[-1]["starttls"], other in server.sessions()[-1]),
                   f"EHLO, STARTTLS and {other} of {server.sessions()[-1]}")


def internationalized():
    """Postfix: addresses and header fields in UTF-8 arrive"""
    with Postfix(USERS, LATER) as server:
        deliveries.internationalized(server)


def recipients():
    """Postfix: 100 recipients, of which some are refused and some deferred; the null path"""
    with Postfix(USERS, LATER) as server:
        deliveries.hundred(server)
        deliveries.null_path(server)


def reports():
    """Postfix: who asks for a report of success gets it, with the ENVID, and who does not, does not"""
    with Postfix(USERS, LATER) as server:
        deliver(server, MESSAGES["small"], "--notify", "success,failure", "--ret", "hdrs", "--envid", "QQ314159", sender=to("reports"))
        report = server.take("reports")
        expect(1, len(report), "reports")
        for wanted in (b"Original-Envelope-Id: QQ314159", b"Action: delivered", b"text/rfc822-headers"):
            expect(True, wanted in report[0], f"{wanted} in {report[0]}")
        deliver(server, MESSAGES["small"], "--notify", "never", sender=to("reports"))
        deliveries.expect_nothing(server, "reports")


def bare():
    """Postfix without extensions: what is 7-bit arrives, and what is not is refused by the client; so is a server without STARTTLS"""
    with Postfix(USERS, LATER) as server:
        words = {"address": server.address(server.bare_port)}
        deliveries.each_message(server, "--tls", "never", messages=deliveries.SEVEN_BIT, **words)
        deliver(server, MESSAGES["small"], "--tls", "opportunistic", **words)
        deliveries.no_eight_bit(server, "--tls", "never", **words)
        deliveries.no_utf8(server, "--tls", "never", **words)
        send(server, [to("a")], MESSAGES["small"], status=77, **words)
        deliveries.expect_nothing(server, "a")


def limits():
    """Postfix: a message over its SIZE is refused by the client before MAIL"""
    with Postfix(USERS, LATER) as server:
        deliveries.too_large(server)
        server.until(lambda: len(server.sessions()) >= 4, "the log")
        expect([], [session for session in server.sessions() if "mail" in session], "sessions with MAIL")


def channels():
    """Postfix: TLS from the start; an authority that is not known is refused; without TLS where asked"""
    with Postfix(USERS, LATER) as server:
        deliveries.each_message(server, "--tls", "implicit", address=server.address(server.tls_port), ways=((), ("--no-chunking",)))
        deliver(server, MESSAGES["small"], "--tls", "opportunistic")
        deliver(server, MESSAGES["small"], "--tls", "never")
        deliveries.strangers(server)
        deliveries.strangers(server, "--tls", "implicit", address=server.address(server.tls_port))


def passwords():
    """Postfix with Dovecot's SASL: PLAIN, LOGIN, CRAM-MD5 and SCRAM-SHA-256; a wrong password ends with 77"""
    if not Dovecot.installed():
        return without("AUTH: Dovecot is not installed")
    with Dovecot(["alice"]) as sasl, Postfix(USERS, LATER, sasl=sasl.sasl) as server:
        words = {"address": server.address(server.auth_port)}
        right, wrong = server.write("right", PASSWORD + "\n"), server.write("wrong", "wrong\n")
        deliver(server, MESSAGES["small"], "--user", "alice", "--password-file", right, **words)
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
            chosen = ("--user", "alice", "--mechanism", mechanism, "--password-file")
            deliver(server, MESSAGES["small"], *chosen, right, what=mechanism, **words)
            send(server, [to("a")], MESSAGES["small"], *chosen, wrong, status=77, **words)
        send(server, [to("a")], MESSAGES["small"], status=69, **words)
        deliveries.expect_nothing(server, "a")


main(messages, internationalized, recipients, reports, bare, limits, channels, passwords)

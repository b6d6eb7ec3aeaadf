#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""03_send delivers to Exim."""
import re
import sys

sys.dont_write_bytecode = True
import deliveries
from deliveries import LATER, USERS, deliver, to
from interop import MESSAGES, expect, main
from servers import PASSWORD, Exim, send


def messages():
    """Exim: each message arrives octet for octet, by DATA and BDAT, with and without PIPELINING, under STARTTLS"""
    with Exim(USERS, LATER) as server:
        deliveries.each_message(server)
        deliveries.large(server)
        for options, chunked in (((), True), (("--no-chunking",), False)):
            deliver(server, MESSAGES["small"], *options)
            arrival = re.findall(r".* <= .*", (server.folder / "logs/mainlog").read_text())[-1]
            expect((True, chunked), (" P=esmtps " in arrival, " K " in arrival), f"TLS and BDAT in {arrival!r}")


def internationalized():
    """Exim: addresses and header fields in UTF-8 arrive"""
    with Exim(USERS, LATER) as server:
        deliveries.internationalized(server)


def recipients():
    """Exim: 100 recipients, of which some are refused and some deferred; the null path"""
    with Exim(USERS, LATER) as server:
        deliveries.hundred(server)
        deliveries.null_path(server)


def bare():
    """Exim without extensions: what is 7-bit arrives, and what is not is refused by the client; so is a server without STARTTLS"""
    with Exim(USERS, LATER, bare=True) as server:
        deliveries.each_message(server, "--tls", "never", messages=deliveries.SEVEN_BIT)
        deliver(server, deliveries.LARGE, "--tls", "never", what="20 MB without a limit")
        deliver(server, MESSAGES["small"], "--tls", "opportunistic")
        deliveries.no_eight_bit(server, "--tls", "never")
        deliveries.no_utf8(server, "--tls", "never")
        send(server, [to("a")], MESSAGES["small"], status=77)
        deliveries.expect_nothing(server, "a")


def limits():
    """Exim: a message over its SIZE is refused by the client, and is never begun"""
    with Exim(USERS, LATER) as server:
        deliveries.too_large(server)
        log = (server.folder / "logs/mainlog").read_text()
        expect(False, "F=<" in log or "<=" in log, f"a sender in {log}")


def channels():
    """Exim: TLS from the start; an authority that is not known is refused; without TLS where asked"""
    with Exim(USERS, LATER) as server:
        deliveries.each_message(server, "--tls", "implicit", address=server.address(server.tls_port), ways=((), ("--no-chunking",)))
        deliver(server, MESSAGES["small"], "--tls", "opportunistic")
        deliver(server, MESSAGES["small"], "--tls", "never")
        deliveries.strangers(server)
        deliveries.strangers(server, "--tls", "implicit", address=server.address(server.tls_port))


def passwords():
    """Exim: PLAIN, LOGIN and CRAM-MD5; a wrong password ends with 77"""
    with Exim(USERS, LATER) as server:
        right, wrong = server.write("right", PASSWORD + "\n"), server.write("wrong", "wrong\n")
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            chosen = ("--user", "alice", "--mechanism", mechanism, "--password-file")
            deliver(server, MESSAGES["small"], *chosen, right, what=mechanism)
            arrival = re.findall(r".* <= .*", (server.folder / "logs/mainlog").read_text())[-1]
            expect(True, " A=" + mechanism.split("-")[0] in arrival and " P=esmtpsa " in arrival, f"{mechanism} in {arrival!r}")
            send(server, [to("a")], MESSAGES["small"], *chosen, wrong, status=77)
        deliveries.expect_nothing(server, "a")


main(messages, internationalized, recipients, bare, limits, channels, passwords)

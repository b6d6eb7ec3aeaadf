#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""03_send delivers to aiosmtpd, and to a server of our own that tells how the commands came."""
import itertools
import sys

sys.dont_write_bytecode = True
import deliveries
from deliveries import EMPTY, LATER, USERS, UTF8_HEADER, WAYS, deliver, to
from interop import MESSAGES, SENDER, expect, main, run, send_program
from servers import PASSWORD, Aiosmtpd, Collector, free_ports, send

CLEAR = ("--tls", "never")


def messages():
    """aiosmtpd: each message arrives octet for octet under STARTTLS, and internationalized ones; what is over SIZE is refused"""
    with Aiosmtpd(USERS, LATER, tls=True) as server:
        deliveries.each_message(server, ways=((), ("--no-pipelining", "--no-chunking")))
        deliveries.large(server)
        deliveries.internationalized(server)
        deliveries.too_large(server)
        deliveries.hundred(server)
        deliveries.strangers(server)
        send(server, [to("a")], MESSAGES["small"], *CLEAR, status=69)
        deliveries.expect_nothing(server, "a")


def no_smtputf8():
    """aiosmtpd without SMTPUTF8: 8-bit text arrives, addresses and header fields in UTF-8 are refused by the client"""
    with Aiosmtpd(USERS, LATER, smtputf8=False) as server:
        deliveries.each_message(server, *CLEAR, messages={"8-bit": MESSAGES["8-bit"]} | EMPTY)
        deliveries.no_utf8(server, *CLEAR)
        deliver(server, MESSAGES["small"], "--tls", "opportunistic")
        send(server, [to("a")], MESSAGES["small"], status=77)
        deliveries.expect_nothing(server, "a")


def no_eight_bit():
    """aiosmtpd without 8BITMIME: what is 7-bit arrives, 8-bit text is refused by the client"""
    with Aiosmtpd(USERS, LATER, decode_data=True, smtputf8=False, size=100_000) as server:
        small = {name: octets for name, octets in deliveries.SEVEN_BIT.items() if len(octets) < 100_000}
        deliveries.each_message(server, *CLEAR, messages=small)
        deliveries.no_eight_bit(server, *CLEAR)
        deliveries.no_utf8(server, *CLEAR)
        deliveries.refused_here(server, MESSAGES["over 1 MB"], "size|large", *CLEAR)


def passwords():
    """aiosmtpd with AUTH: PLAIN and LOGIN; a wrong password ends with 77"""
    with Aiosmtpd(USERS, LATER, tls=True, user="alice") as server:
        right, wrong = server.write("right", PASSWORD + "\n"), server.write("wrong", "wrong\n")
        deliver(server, MESSAGES["small"], "--user", "alice", "--password-file", right)
        for mechanism in ("PLAIN", "LOGIN"):
            chosen = ("--user", "alice", "--mechanism", mechanism, "--password-file")
            deliver(server, MESSAGES["small"], *chosen, right, what=mechanism)
            send(server, [to("a")], MESSAGES["small"], *chosen, wrong, status=77)
        send(server, [to("a")], MESSAGES["small"], "--user", "alice", "--mechanism", "CRAM-MD5", "--password-file", right, status=77)
        deliveries.expect_nothing(server, "a")


def no_ehlo():
    """a server that knows HELO only gets what is 7-bit, and nothing else"""
    with Aiosmtpd(USERS, LATER, no_ehlo=True) as server:
        deliveries.each_message(server, *CLEAR, messages=deliveries.SEVEN_BIT)
        deliver(server, MESSAGES["small"], "--tls", "opportunistic")
        deliveries.no_eight_bit(server, *CLEAR)
        deliveries.no_utf8(server, *CLEAR)
        deliveries.hundred(server, *CLEAR)


def each_combination():
    """a server with each combination of PIPELINING, CHUNKING, 8BITMIME and SMTPUTF8, by SMTP and LMTP"""
    for lmtp, *chosen in itertools.product((False, True), *[(False, True)] * 4):
        offers = [word for word, yes in zip(("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8"), chosen) if yes]
        with Collector(offers, lmtp) as server:
            way = "--no-pipelining" if len(offers) % 2 else "--no-chunking"
            for options in ((), (way,)):
                deliver(server, MESSAGES["dots everywhere"], *CLEAR, *options, what=f"to {offers}")
            deliver(server, b"", *CLEAR, what=f"empty to {offers}")
            if "8BITMIME" in offers:
                deliver(server, MESSAGES["8-bit"], *CLEAR, what=f"8-bit to {offers}")
            else:
                deliveries.refused_here(server, MESSAGES["8-bit"], "8.?bit", *CLEAR, ways=WAYS[:1])
            if "SMTPUTF8" in offers and "8BITMIME" in offers:  # RFC 6531 3.1: the one wants the other
                deliver(server, UTF8_HEADER["UTF-8 header"], *CLEAR, user=deliveries.UTF8_USER, what=f"UTF-8 to {offers}")
            elif "SMTPUTF8" not in offers:
                deliveries.no_utf8(server, *CLEAR, ways=WAYS[:1])


def how_commands_come():
    """PIPELINING, CHUNKING and SIZE are used where they are offered and not forbidden, and only there"""
    for lmtp in (False, True):
        for offered in (True, False):
            with Collector(lmtp=lmtp, offers=Collector.ALL if offered else (), patient=True) as server:
                for way in WAYS:
                    server.verbs.clear(), server.ahead.clear()
                    people = ["a", "refused", "later", "b"]
                    sent = send(server, [to(user) for user in people], MESSAGES["over 1 MB"], *CLEAR, *way, status=69)
                    expect(["delivered", "refused", "deferred", "delivered"], sent.verdicts, f"verdicts {way}")
                    for user in ("a", "b"):
                        deliveries.expect_arrived(server, user, MESSAGES["over 1 MB"], f"for {user} {way}")
                    chunked = offered and "--no-chunking" not in way
                    expect((chunked, not chunked), ("BDAT" in server.verbs, "DATA" in server.verbs), f"BDAT, DATA in {server.verbs} {way}")
                    pipelined = offered and "--no-pipelining" not in way
                    expect([pipelined], server.ahead, f"RCPT before the reply to MAIL {way}")
                if offered:
                    deliver(server, MESSAGES["small"], *CLEAR)
                    expect(True, f"SIZE={len(MESSAGES['small'])}" in server.last_sender, f"SIZE in {server.last_sender}")


def no_server():
    """no server: 75; a host that is not there: 68; no file: 66; nonsense: 64"""
    with Collector() as server:
        free, = free_ports(1)
        send(server, [to("a")], MESSAGES["small"], *CLEAR, address=f"127.0.0.1:{free}", status=75)
        send(server, [to("a")], MESSAGES["small"], *CLEAR, address="nowhere.invalid:25", status=68)
        send(server, [to("a")], MESSAGES["small"], *CLEAR, "--nonsense", status=64)
        run([*send_program(), "--server", server.address(), "--from", SENDER, "--to", to("a"), *CLEAR, "/nowhere/a-file"], status=66)
        expect([], server.verbs, "commands")


main(messages, no_smtputf8, no_eight_bit, passwords, no_ehlo, each_combination, how_commands_come, no_server)

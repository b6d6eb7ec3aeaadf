#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""03_send delivers to Dovecot by LMTP, and submits mail to it."""
import contextlib
import sys

sys.dont_write_bytecode = True
import deliveries
from deliveries import HUNDRED, USERS, WAYS, deliver, to
from interop import MESSAGES, expect, main
from servers import PASSWORD, Collector, Dovecot, cut_fields, send

LMTP_USERS = [user for user in USERS if user.isascii()]


def messages():
    """Dovecot's LMTP: each message arrives octet for octet, by DATA and BDAT, with and without PIPELINING, under STARTTLS"""
    with Dovecot(LMTP_USERS) as server:
        deliveries.each_message(server)
        deliveries.large(server)
        deliver(server, MESSAGES["dots everywhere"], "--tls", "never")
        deliveries.null_path(server)
        deliveries.strangers(server)


def recipients():
    """Dovecot's LMTP: 100 recipients get a reply each: unknown ones at RCPT, full and broken mailboxes after the message"""
    full, broken = [f"user{n}" for n in range(1, 100, 10)], [f"user{n}" for n in range(2, 100, 10)]
    good = [user for user in LMTP_USERS if user not in full + broken and user.startswith("user")]
    octets = MESSAGES["dots everywhere"]
    codes = dict.fromkeys(good, ("delivered", "250")) | dict.fromkeys(full, ("refused", "552")) | dict.fromkeys(broken, ("deferred", "451"))
    wanted = [codes.get(user, ("refused", "550")) for user in HUNDRED]
    with Dovecot([user for user in LMTP_USERS if user not in full + broken], full, broken) as server:
        for way in WAYS:
            sent = send(server, [to(user) for user in HUNDRED], octets, *way, status=69)
            expect([to(user) for user in HUNDRED], sent.recipients, "the order")
            expect(wanted, [(verdict, reason[:3]) for verdict, reason in zip(sent.verdicts, sent.reasons)], "the verdicts")
            for user in good:
                deliveries.expect_arrived(server, user, octets, f"for {user}")
        for way in WAYS:
            sent = send(server, [to("user0"), to("unknown"), to("user4")], octets, "--all-or-nothing", *way, status=69)
            expect((["not sent", "refused", "not sent"]), sent.verdicts, "all or nothing")
            deliveries.expect_nothing(server, "user0", "user4")
            sent = send(server, [to(broken[0]), to("user0")], octets, *way, status=75)
            expect(["deferred", "delivered"], sent.verdicts, "one of two")
            deliveries.expect_arrived(server, "user0", octets, "one of two")
            send(server, [to("unknown1"), to("unknown2")], octets, *way, status=69)


def no_utf8():
    """Dovecot's LMTP has no SMTPUTF8: addresses and header fields in UTF-8 are refused by the client"""
    with Dovecot(LMTP_USERS) as server:
        deliveries.no_utf8(server)


class Submission:
    """The submission server of a Dovecot, with the Collector that it relays to: `take` gives what came there, without the Received
    field that Dovecot adds, and the Return-Path by which it was sent."""

    lmtp = False

    def __init__(self, server, relay):
        self.server, self.relay, self.folder, self.ca, self.return_paths = server, relay, server.folder, server.ca, []
        self.keeps = server.keeps

    def address(self):
        return self.server.address(self.server.submission_port)

    def take(self, user):
        self.return_paths = [sender.split(" ")[0] for sender, paths in self.relay.envelopes if any(f"<{user}@" in path for path in paths)]
        self.relay.envelopes.clear()
        return [cut_fields(octets, b"Received") for octets in self.relay.take(user)]


@contextlib.contextmanager
def submission():
    with Collector() as relay, Dovecot(["alice"], relay=relay.port) as server:
        server.write("right", PASSWORD + "\n"), server.write("wrong", "wrong\n")
        yield Submission(server, relay)


def submitted():
    """Dovecot's submission: each message is relayed octet for octet, after AUTH under STARTTLS and TLS from the start"""
    with submission() as server:
        user = ("--user", "alice", "--password-file", server.folder / "right")
        deliveries.each_message(server, *user)
        deliveries.large(server, *user)
        deliveries.null_path(server, *user)
        tls = server.server.address(server.server.submissions_port)
        deliver(server, MESSAGES["dots everywhere"], "--tls", "implicit", *user, address=tls)
        sent = send(server, [to("refused"), to("a"), to("later")], MESSAGES["small"], *user, status=69)
        expect(["refused", "delivered", "deferred"], sent.verdicts, "replies of the relay")
        deliveries.expect_arrived(server, "a", MESSAGES["small"], "one of three")


def passwords():
    """Dovecot's submission: PLAIN, LOGIN, CRAM-MD5 and SCRAM-SHA-256; a wrong password ends with 77, and no AUTH brings nothing"""
    with submission() as server:
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
            chosen = ("--user", "alice", "--mechanism", mechanism, "--password-file")
            deliver(server, MESSAGES["small"], *chosen, server.folder / "right", what=mechanism)
            send(server, [to("a")], MESSAGES["small"], *chosen, server.folder / "wrong", status=77)
        send(server, [to("a")], MESSAGES["small"], status=69)
        deliveries.expect_nothing(server, "a")


main(messages, recipients, no_utf8, submitted, passwords)

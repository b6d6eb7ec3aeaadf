#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""msmtp delivers through 02_receive, by SMTP and by LMTP."""
import re
import sys

sys.dont_write_bytecode = True
from interop import DOMAIN, MESSAGES, SENDER, Failed, Receiver, expect, expect_one, main, program, run

MSMTP = program("msmtp")


def msmtp(receiver, *words, octets=b"", status=0):
    return run([MSMTP, "-C", "/dev/null", "--host=127.0.0.1", f"--port={receiver.port}", "--domain=client.example", "--auth=off", "--tls=off",
                *words], octets, status=status)


def send(receiver, octets, *users, sender=SENDER, words=(), status=0):
    """As sendmail: text with LF on standard input, which msmtp sends with CRLF. It is told to add no fields of its own."""
    if b"\r" in octets.replace(b"\r\n", b""):
        raise Failed("not a message for standard input")
    return msmtp(receiver, "--set-from-header=off", "--set-date-header=off", "--set-msgid-header=off", f"--from={sender}", *words, "--",
                 *(user if "@" in user else f"{user}@{DOMAIN}" for user in users), octets=octets.replace(b"\r\n", b"\n"), status=status)


def each_message():
    """msmtp: what is stored is what was sent, for each message"""
    # [5321-4.5.2-02] msmtp: dots at the start of lines come back
    with Receiver() as receiver:
        for octets in MESSAGES.values():
            send(receiver, octets, "all")
            expect_one(receiver, "all", octets)


def several_recipients():
    """msmtp: several recipients get the same octets"""
    with Receiver() as receiver:
        send(receiver, MESSAGES["dots everywhere"], "one", "two", "three")
        for user in ("one", "two", "three"):
            expect_one(receiver, user, MESSAGES["dots everywhere"])


def null_sender():
    """msmtp: the null reverse-path stays the null reverse-path"""
    with Receiver() as receiver:
        send(receiver, MESSAGES["small"], "bounces", sender="")
        expect_one(receiver, "bounces", MESSAGES["small"], "<>")


def notifications():
    """msmtp: it finds SIZE and PIPELINING offered, and no AUTH without TLS"""
    with Receiver() as receiver:
        text = msmtp(receiver, "--serverinfo")
        for keyword in ("SIZE", "PIPELINING"):
            expect(True, re.search(rf"^ +{keyword}", text, re.MULTILINE) is not None, f"{keyword} in {text}")
        expect(False, "AUTH" in text, f"AUTH in {text}")


def relaying():
    """msmtp: mail for another domain is refused"""
    with Receiver() as receiver:
        text = send(receiver, MESSAGES["small"], "far@elsewhere.example", status=65)
        expect(True, "server message: 55" in text, f"a refusal in {text}")


def lmtp():
    """msmtp: LMTP gives a reply for each recipient"""
    # [2033-4.2-02] msmtp: each recipient that was accepted gets a reply of its own at the end of mail data
    with Receiver("--lmtp") as receiver:
        send(receiver, MESSAGES["dots everywhere"], "one", "two", "three", words=["--protocol=lmtp"])
        for user in ("one", "two", "three"):
            expect_one(receiver, user, MESSAGES["dots everywhere"])


main(each_message, several_recipients, null_sender, notifications, relaying, lmtp)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""swaks delivers through 02_receive, command by command, pipelined, and by LMTP."""
import re
import sys

sys.dont_write_bytecode = True
from interop import DOMAIN, MESSAGES, SENDER, Receiver, expect, expect_one, main, program, run

SWAKS = program("swaks")


def send(receiver, octets, *users, words=(), sender=SENDER, status=0):
    """Mail data as it goes over the wire: left to itself, swaks adds an empty line."""
    path = receiver.maildir / "mail-data"
    path.write_bytes(re.sub(rb"(?m)^\.", b"..", octets) + b".")
    recipients = ",".join(user if "@" in user else f"{user}@{DOMAIN}" for user in users)
    return run([SWAKS, "--server", "127.0.0.1", "--port", receiver.port, "--ehlo", "client.example", "--from", sender, "--to", recipients,
                "--no-data-fixup", "--data", f"@{path}", *words], status=status)


def each_message():
    """swaks: what is stored is what was sent, for each message"""
    # [5321-4.5.2-02] swaks: dots at the start of lines come back
    with Receiver() as receiver:
        for octets in MESSAGES.values():
            send(receiver, octets, "all")
            expect_one(receiver, "all", octets)


def pipelined():
    """swaks: pipelined commands are answered in order, and what is stored is what was sent"""
    with Receiver() as receiver:
        for octets in MESSAGES.values():
            text = send(receiver, octets, "one", "two", words=["--pipeline"])
            for user in ("one", "two"):
                expect_one(receiver, user, octets)
        expect(True, re.search(r"-> MAIL.*\n -> RCPT.*\n -> RCPT.*\n -> DATA\n<-  250.*\n<-  250.*\n<-  250.*\n<-  354", text) is not None,
               f"a pipelined group in {text}")


def null_sender():
    """swaks: the null reverse-path stays the null reverse-path"""
    with Receiver() as receiver:
        send(receiver, MESSAGES["small"], "bounces", sender="<>")
        expect_one(receiver, "bounces", MESSAGES["small"], "<>")


def helo():
    """swaks: HELO works"""
    with Receiver() as receiver:
        text = send(receiver, MESSAGES["small"], "old", words=["--protocol", "SMTP"])
        expect(True, "-> HELO client.example" in text, f"HELO in {text}")
        expect_one(receiver, "old", MESSAGES["small"])


def relaying():
    """swaks: mail for another domain is refused, and its own domain's is not"""
    with Receiver() as receiver:
        send(receiver, MESSAGES["small"], "far@elsewhere.example", status=24)
        send(receiver, MESSAGES["small"], "near", "far@elsewhere.example")
        expect_one(receiver, "near", MESSAGES["small"])


def lmtp():
    """swaks: LMTP gives a reply for each recipient"""
    # [2033-4.2-02] swaks: each recipient that was accepted gets a reply of its own at the end of mail data
    with Receiver("--lmtp") as receiver:
        text = send(receiver, MESSAGES["dots everywhere"], "one", "two", "three", words=["--protocol", "LMTP"])
        for user in ("one", "two", "three"):
            expect_one(receiver, user, MESSAGES["dots everywhere"])
        expect(3, len(re.findall(r"^<-  250 2\.6\.0", text, re.MULTILINE)), f"replies to the message in {text}")


main(each_message, pipelined, null_sender, helo, relaying, lmtp)

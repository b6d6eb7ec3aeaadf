#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Postfix's smtp-source, with 20 parallel sessions, delivers through 02_receive: none is lost, each is stored exactly once."""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
from interop import DOMAIN, MESSAGES, SENDER, Receiver, expect, expect_one, main, program, run

SMTP_SOURCE = program("smtp-source")
SESSIONS = 20
COUNT = 2000


def load(receiver, *words, count=COUNT, sender=SENDER):
    run([SMTP_SOURCE, "-4", "-s", SESSIONS, "-m", count, "-M", "client.example", "-f", sender, *words, f"127.0.0.1:{receiver.port}"],
        timeout=600)


def prepare(receiver, octets):
    """A file for -F, and the mail data that smtp-source makes of it: the dot has an empty line before it."""
    path = receiver.maildir / "message"
    path.write_bytes(octets.replace(b"\r\n", b"\n"))
    return path, octets + b"\r\n"


def prepared_messages():
    """smtp-source: 400 messages in 20 sessions, a mailbox for each: each has its message once, octet by octet"""
    count = 400
    with Receiver() as receiver:
        text, octets = prepare(receiver, MESSAGES["dots everywhere"])
        load(receiver, "-N", "-t", f"user@{DOMAIN}", "-F", text, count=count)  # -N: 1user, 2user, ...
        for n in range(1, count + 1):
            expect_one(receiver, f"{n}user", octets)
        expect([], list(receiver.maildir.glob("*/new/*")), "messages left over")


def generated_messages():
    """smtp-source: 2,000 messages in 20 sessions, one Maildir: each Message-Id is there once, with all its lines"""
    # What smtp-source makes of -l 8000: lines of 80 octets that begin with the last digit of their number, and the rest.
    body = b"".join(b"%d%s\r\n" % (n % 10, b"X" * 77) for n in range(1, 100)) + b"X" * 80 + b"\r\n"
    with Receiver(one_each=False) as receiver:
        load(receiver, "-d", "-t", f"all@{DOMAIN}", "-l", 8000)  # -d: many messages in a session
        stored = receiver.stored()
        identifiers = set()
        for message in stored:
            head, rest = message.octets.split(b"\r\n\r\n", 1)
            identifiers.add(re.search(rb"^Message-Id: (<.*>)", head, re.MULTILINE)[1])
            expect(body, rest, f"body of {message.path}")
        expect((COUNT, COUNT), (len(stored), len(identifiers)), "messages stored, and different ones")


def many_recipients():
    """smtp-source: 200 messages of over 64 KiB with 10 recipients each, and the null reverse-path"""
    with Receiver() as receiver:
        text, octets = prepare(receiver, MESSAGES["over 1 MB"][:70000].rsplit(b"\r\n", 1)[0] + b"\r\n")
        load(receiver, "-r", 10, "-t", f"user@{DOMAIN}", "-F", text, count=200, sender="")
        stored = {}
        for folder in pathlib.Path(receiver.maildir).glob("*user"):
            stored[folder.name] = receiver.take(folder.name)
        expect(2000, sum(map(len, stored.values())), "messages stored")
        expect([200] * 10, [len(of) for of in stored.values()], "messages for each recipient")
        for message in (m for of in stored.values() for m in of):
            expect(octets, message.octets, "octets stored")
            expect("<>", message.return_path, "Return-Path")


def lmtp():
    """smtp-source: LMTP, 500 messages in 20 sessions with 3 recipients each"""
    # [2033-4.2-02] smtp-source: each recipient that was accepted gets a reply of its own at the end of mail data
    with Receiver("--lmtp") as receiver:
        load(receiver, "-L", "-d", "-r", 3, "-t", f"user@{DOMAIN}", "-l", 2000, count=500)
        for folder in ("user", "2user", "3user"):
            expect(500, len(receiver.take(folder)), f"messages for {folder}")


main(generated_messages, prepared_messages, many_recipients, lmtp)

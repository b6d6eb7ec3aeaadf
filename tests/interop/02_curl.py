#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""curl delivers through 02_receive."""
import sys

sys.dont_write_bytecode = True
from interop import DOMAIN, MESSAGES, SENDER, Failed, Receiver, expect, expect_one, main, program, run

CURL = program("curl")


def send(receiver, octets, *users, sender=SENDER, status=0):
    recipients = [word for user in users for word in ("--mail-rcpt", user if "@" in user else f"{user}@{DOMAIN}")]
    return run([CURL, "-sS", "-v", f"smtp://127.0.0.1:{receiver.port}/client.example", "--mail-from", sender, *recipients, "--upload-file", "-"],
               octets, status=status)


def command(receiver, *words, status=0):
    return run([CURL, "-sS", "-v", f"smtp://127.0.0.1:{receiver.port}/client.example", *words], status=status)


def each_message():
    """curl: what is stored is what was sent, for each message"""
    # [5321-4.5.2-02] curl: dots at the start of lines come back
    with Receiver() as receiver:
        for octets in MESSAGES.values():
            send(receiver, octets, "all")
            expect_one(receiver, "all", octets)


def several_recipients():
    """curl: several recipients get the same octets"""
    with Receiver() as receiver:
        send(receiver, MESSAGES["dots everywhere"], "one", "two", "three")
        for user in ("one", "two", "three"):
            expect_one(receiver, user, MESSAGES["dots everywhere"])


def null_sender():
    """curl: the null reverse-path stays the null reverse-path"""
    with Receiver() as receiver:
        send(receiver, MESSAGES["small"], "bounces", sender="")
        expect_one(receiver, "bounces", MESSAGES["small"], "<>")


def relaying():
    """curl: mail for another domain is refused"""
    with Receiver() as receiver:
        text = send(receiver, MESSAGES["small"], "far@elsewhere.example", status=55)
        expect(True, "< 55" in text, f"a refusal in {text}")


def too_large():
    """curl: the size announced at MAIL is refused where it is too large"""
    # [1870-6.1-01] curl: a size over the maximum gets 552 at MAIL
    with Receiver("--max-size", "65536") as receiver:
        with open(receiver.maildir / "message", "wb") as file:
            file.write(MESSAGES["over 1 MB"])
        text = run([CURL, "-sS", "-v", f"smtp://127.0.0.1:{receiver.port}/client.example", "--mail-from", SENDER, "--mail-rcpt",
                    f"big@{DOMAIN}", "--upload-file", file.name], status=55)
        expect(True, " SIZE=" in text and "< 552" in text, f"a refusal at MAIL in {text}")


def commands():
    """curl: NOOP, VRFY, EXPN and HELP get the replies of the standard"""
    with Receiver() as receiver:
        for words, reply, status in ((["-X", "NOOP"], "< 250", 0), (["--mail-rcpt", "someone"], "< 252", 0), (["-X", "HELP"], "< 214", 0),
                                     (["-X", "EXPN", "--mail-rcpt", "list"], "< 502", 8)):
            text = command(receiver, *words, status=status)
            if reply not in text:
                raise Failed(f"no {reply!r} to {words} in {text}")


main(each_message, several_recipients, null_sender, relaying, too_large, commands)

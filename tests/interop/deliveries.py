# SPDX-License-Identifier: BSL-1.0
"""What 03_send has to do with each server that is not ours."""
import re

from interop import DOMAIN, MESSAGES, SENDER, Failed, expect
from servers import LARGEST, send

WAYS = ((), ("--no-pipelining",), ("--no-chunking",), ("--no-pipelining", "--no-chunking"))
EMPTY = {"empty": b""}
UTF8_HEADER = {"UTF-8 header": "Subject: Gr\u00fc\u00dfe\r\nTo: <d\u00e9livr\u00e9@mx.example>\r\n\r\n\u4f60\u597d\r\n".encode()}
UTF8_USER = "d\u00e9livr\u00e9"
ALL = MESSAGES | EMPTY
SEVEN_BIT = {name: octets for name, octets in ALL.items() if octets.isascii()}
LINE = b"A line of the twenty megabytes, with some dots.\r\n.and some at its start\r\n"
LARGE = b"Subject: 20 MB\r\n\r\n" + LINE * (20_000_000 // len(LINE))
TOO_LARGE = b"Subject: too large\r\n\r\n" + LINE * (LARGEST // len(LINE) + 1)

HUNDRED = [f"unknown{n}" if n % 10 == 3 else f"later{n}" if n % 10 == 7 else f"user{n}" for n in range(100)]
USERS = ["a", UTF8_USER, "reports", *(user for user in HUNDRED if user.startswith("user"))]
LATER = [user for user in HUNDRED if user.startswith("later")]


def to(user):
    return f"{user}@{DOMAIN}"


def expect_arrived(server, user, octets, what):
    found = server.take(user)
    expect(1, len(found), f"messages for {user}: {what}")
    expect(server.keeps(octets), found[0], what)


def expect_nothing(server, *users):
    for user in users:
        expect([], server.take(user), f"messages for {user}")


def deliver(server, octets, *options, user="a", what="a message", **words):
    """Sends to one mailbox, where the message arrives."""
    sent = send(server, [to(user)], octets, *options, **words)
    expect(([to(user)], ["delivered"]), (sent.recipients, sent.verdicts), what)
    expect("250", sent.reasons[0][:3], f"the reply: {what}")
    expect_arrived(server, user, octets, f"{what} {' '.join(map(str, options))}")
    return sent


def each_message(server, *options, messages=None, ways=WAYS, **words):
    for name, octets in (ALL if messages is None else messages).items():
        for way in ways:
            deliver(server, octets, *options, *way, what=name, **words)


def large(server, *options, **words):
    for way in ((), ("--no-chunking",)):
        deliver(server, LARGE, *options, *way, what="20 MB", **words)


def internationalized(server, *options, **words):
    for way in WAYS:
        for name, octets in (UTF8_HEADER | {"small": MESSAGES["small"]}).items():
            deliver(server, octets, *options, *way, user=UTF8_USER, what=name, sender="j\u00f8rgen@client.example", **words)


def refused_here(server, octets, reason, *options, user="a", ways=WAYS, **words):
    """The client itself refuses: status 65, a reason on standard error, and nothing arrives."""
    for way in ways:
        sent = send(server, [to(user)], octets, *options, *way, status=65, **words)
        expect(True, re.search(reason, sent.errors, re.IGNORECASE) is not None, f"'{reason}' in the errors {sent.errors!r}")
        expect(True, set(sent.verdicts) <= {"not sent"}, f"verdicts {sent.verdicts}")
    expect_nothing(server, user)


def no_eight_bit(server, *options, **words):
    refused_here(server, MESSAGES["8-bit"], "8.?bit", *options, **words)


def no_utf8(server, *options, **words):
    refused_here(server, MESSAGES["small"], "utf.?8", *options, user=UTF8_USER, **words)
    refused_here(server, MESSAGES["small"], "utf.?8", *options, sender="j\u00f8rgen@client.example", **words)
    refused_here(server, UTF8_HEADER["UTF-8 header"], "utf.?8|8.?bit", *options, **words)


def too_large(server, *options, **words):
    refused_here(server, TOO_LARGE, "size|large", *options, **words)


def hundred(server, *options, **words):
    """100 recipients, some refused and some deferred: each is told its own, and the others get the message."""
    octets = MESSAGES["dots everywhere"]
    codes = {"user": ("delivered", "250"), "late": ("deferred", "450"), "unkn": ("refused", "550")}
    wanted = [codes[user[:4]] for user in HUNDRED]
    for way in WAYS:
        sent = send(server, [to(user) for user in HUNDRED], octets, *options, *way, status=69, **words)
        expect([to(user) for user in HUNDRED], sent.recipients, "the order")
        expect(wanted, [(verdict, reason[:3]) for verdict, reason in zip(sent.verdicts, sent.reasons)], "the verdicts")
        for user in HUNDRED:
            if user in USERS:
                expect_arrived(server, user, octets, f"for {user}")
    for way in WAYS:
        sent = send(server, [to(user) for user in HUNDRED], octets, "--all-or-nothing", *options, *way, status=69, **words)
        expect([to(user) for user in HUNDRED], sent.recipients, "the order, all or nothing")
        expect(True, "delivered" not in sent.verdicts, f"{sent.verdicts}, all or nothing")
    expect_nothing(server, *USERS)
    sent = send(server, [to(LATER[0]), to("user0"), to(LATER[1])], octets, *options, status=75, **words)
    expect(["deferred", "delivered", "deferred"], sent.verdicts, "one of three")
    expect_arrived(server, "user0", octets, "one of three")
    for user, status in ((LATER[0], 75), ("unknown", 69)):
        send(server, [to(user)], octets, *options, status=status, **words)


def null_path(server, *options, **words):
    deliver(server, MESSAGES["small"], *options, sender="<>", what="from the null path", **words)
    expect(["<>"], server.return_paths, "Return-Path")
    deliver(server, MESSAGES["small"], *options, **words)
    expect([f"<{SENDER}>"], server.return_paths, "Return-Path")


def strangers(server, *options, **words):
    """A certificate by an authority that is not ours: status 77, and nothing arrives."""
    send(server, [to("a")], MESSAGES["small"], *options, "--ca", "/etc/ssl/certs/ca-certificates.crt", status=77, **words)
    expect_nothing(server, "a")

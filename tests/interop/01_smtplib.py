#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Python's smtplib delivers through 02_receive, by SMTP and by LMTP."""
import smtplib
import sys

sys.dont_write_bytecode = True
from interop import DOMAIN, MESSAGES, SENDER, Receiver, expect, expect_one, main


def to(user):
    return f"{user}@{DOMAIN}"


def refused(call, *codes):
    """Calls, and wants one of the reply codes as a refusal."""
    try:
        call()
    except smtplib.SMTPResponseException as error:
        expect(True, error.smtp_code in codes, f"refusal with {error.smtp_code} {error.smtp_error}")
    except smtplib.SMTPRecipientsRefused as error:
        for code, text in error.recipients.values():
            expect(True, code in codes, f"refusal with {code} {text}")
    else:
        expect("a refusal", "none", str(codes))


def each_message():
    """smtplib: what is stored is what was sent, for each message"""
    # [5321-4.1.1.4-01] [5321-4.5.2-05] smtplib: controls come back
    # [5321-4.5.2-02] smtplib: dots at the start of lines come back
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        for octets in MESSAGES.values():
            client.sendmail(SENDER, [to("all")], octets, mail_options=["BODY=8BITMIME"])
            received = expect_one(receiver, "all", octets).received
            expect(True, " with ESMTP" in received, f"protocol of: {received}")


def several_recipients():
    """smtplib: several recipients get the same octets, and one that is refused does not stop the others"""
    users = [f"user{n}" for n in range(50)]
    octets = MESSAGES["dots everywhere"]
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        not_here = client.sendmail(SENDER, [to(u) for u in users] + ["far@elsewhere.example"], octets)
        expect(["far@elsewhere.example"], list(not_here), "refused recipients")
        expect(550, not_here["far@elsewhere.example"][0] // 10 * 10, "code")
        for user in users:
            expect_one(receiver, user, octets)
        refused(lambda: client.sendmail(SENDER, ["far@elsewhere.example"], octets), 550, 551, 554)


def null_sender():
    """smtplib: the null reverse-path stays the null reverse-path"""
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        client.sendmail("", [to("bounces")], MESSAGES["small"])
        expect_one(receiver, "bounces", MESSAGES["small"], "<>")


def without_extensions():
    """smtplib: HELO works, and the message is marked as received with SMTP"""
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        expect(250, client.helo("client.example")[0], "HELO")
        client.sendmail(SENDER, [to("old")], MESSAGES["dots everywhere"])
        received = expect_one(receiver, "old", MESSAGES["dots everywhere"]).received
        expect(True, " with SMTP" in received and "client.example" in received, f"protocol of: {received}")


def internationalized():
    """smtplib: SMTPUTF8 takes addresses and header fields in UTF-8"""
    octets = "Subject: Gr\u00fc\u00dfe\r\n\r\n\u4f60\u597d\r\n".encode()
    sender = "j\u00f8rgen@client.example"
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        client.sendmail(sender, [to("utf8")], octets, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        received = expect_one(receiver, "utf8", octets, f"<{sender}>").received
        expect(True, " with UTF8SMTP" in received, f"protocol of: {received}")


def too_large():
    """smtplib: a message over the size offered is refused at MAIL, before its octets are sent"""
    with Receiver("--max-size", "65536") as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        client.ehlo()
        expect("65536", client.esmtp_features.get("size"), "SIZE offered")
        refused(lambda: client.sendmail(SENDER, [to("big")], MESSAGES["over 1 MB"]), 552)
        client.sendmail(SENDER, [to("big")], MESSAGES["small"])
        expect_one(receiver, "big", MESSAGES["small"])


def bare_line_ends():
    """smtplib: a message with a bare CR or LF is refused, and the session goes on"""
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        client.ehlo()
        for end in (b"\n", b"\r", b"\n.\n", b"\r.\r", b"\r\n.\n", b"\n.\r\n", b"\r\n.\r", b"\r\r\n.\r\r\n"):
            client.mail(SENDER)
            client.rcpt(to("strict"))
            client.putcmd("DATA")
            expect(354, client.getreply()[0], "DATA")
            client.send(b"Subject: x\r\n\r\na" + end + b"MAIL FROM:<x@y.example>\r\n.\r\n")
            expect(5, client.getreply()[0] // 100, f"reply to a message with {end!r}")
        expect([], receiver.take("strict"), "messages stored")
        client.sendmail(SENDER, [to("strict")], MESSAGES["small"])
        expect_one(receiver, "strict", MESSAGES["small"])


def commands():
    """smtplib: NOOP, RSET, VRFY, EXPN and HELP get the replies of the standard"""
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        client.ehlo()
        expect(250, client.noop()[0], "NOOP")
        client.mail(SENDER)
        expect(503, client.mail(SENDER)[0], "a second MAIL")
        expect(250, client.rset()[0], "RSET")
        expect(252, client.verify("someone")[0], "VRFY")
        expect(502, client.expn("list")[0], "EXPN")
        client.putcmd("HELP")
        expect(214, client.getreply()[0], "HELP")
        client.putcmd("TURN")
        expect(502, client.getreply()[0], "TURN")
        client.putcmd("NONSENSE")
        expect(500, client.getreply()[0], "an unknown command")
        expect(221, client.quit()[0], "QUIT")


def lmtp():
    """smtplib: LMTP gives a reply for each recipient"""
    # [2033-4.2-02] smtplib: each recipient that was accepted gets a reply of its own at the end of mail data
    octets = MESSAGES["dots everywhere"]
    with Receiver("--lmtp") as receiver:
        with smtplib.LMTP("127.0.0.1", receiver.port) as client:
            client.sendmail(SENDER, [to("one")], octets)
            received = expect_one(receiver, "one", octets).received
            expect(True, " with LMTP" in received, f"protocol of: {received}")
            client.mail(SENDER)
            for user in ("one", "two", "three"):
                client.rcpt(to(user))
            expect(250, client.data(octets)[0], "the first recipient's reply")
            for user in ("two", "three"):
                expect(250, client.getreply()[0], f"the reply for {user}")
            for user in ("one", "two", "three"):
                expect_one(receiver, user, octets)
        with smtplib.SMTP("127.0.0.1", receiver.port) as client:
            expect(5, client.ehlo()[0] // 100, "EHLO to an LMTP server")


main(each_message, several_recipients, null_sender, without_extensions, internationalized, too_large, bare_line_ends, commands, lmtp)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Dovecot reads by IMAP and POP3 what 02_receive stored in Maildirs."""
import imaplib
import os
import pathlib
import poplib
import re
import smtplib
import sys
import tempfile

sys.dont_write_bytecode = True
import deliveries
from deliveries import to
from interop import SENDER, Receiver, expect, main
from servers import PASSWORD, Dovecot, plain_user

USER = "reader"
MESSAGES = deliveries.ALL | deliveries.UTF8_HEADER | {"20 MB": deliveries.LARGE}


def receive(maildir):
    """Puts each message into a Maildir by 02_receive. Gives what has to be read: the octets of the files, by their end."""
    with Receiver("--max-size", "0", maildir=maildir) as receiver, smtplib.SMTP("127.0.0.1", receiver.port) as client:
        client.ehlo()
        files = {}
        for name, octets in MESSAGES.items():
            client.mail(SENDER, ["SMTPUTF8", "BODY=8BITMIME"])
            client.rcpt(to(USER))
            client.putcmd("DATA")
            client.getreply()
            client.send(re.sub(rb"(?m)^\.", b"..", octets) + b".\r\n")
            expect(250, client.getreply()[0], name)
            new, = [message for message in receiver.stored(USER) if message.path not in files]
            expect(octets, new.octets, name)
            files[new.path] = name
        wanted = {name: path.read_bytes() for path, name in files.items()}
    for path in [maildir, *maildir.rglob("*")]:  # Dovecot does not run as who ran 02_receive
        os.chown(path, *plain_user())
    return wanted


def compare(wanted, found, what):
    """The messages, whatever their order."""
    expect(len(wanted), len(found), f"messages by {what}")
    for name, octets in wanted.items():
        if octets not in found:
            end = MESSAGES[name]
            near = [other for other in found if other.endswith(end[-20:]) and abs(len(other) - len(octets)) < 100] or [b""]
            expect(octets, near[0], f"{name} by {what}")


def by_imap(server):
    client = imaplib.IMAP4("127.0.0.1", server.imap_port, timeout=60)
    client.login(USER, PASSWORD)
    expect("OK", client.select("INBOX", readonly=True)[0], "SELECT")
    numbers = client.search(None, "ALL")[1][0].split()
    found = []
    for number in numbers:
        status, data = client.fetch(number.decode(), "(RFC822.SIZE BODY.PEEK[])")
        expect("OK", status, "FETCH")
        expect(True, b"RFC822.SIZE %d " % len(data[0][1]) in data[0][0], f"size of {len(data[0][1])} in {data[0][0]}")
        found.append(data[0][1])
    client.logout()
    return found


def by_pop3(server):
    client = poplib.POP3("127.0.0.1", server.pop3_port, timeout=60)
    client.user(USER)
    client.pass_(PASSWORD)
    found = []
    for number in range(1, client.stat()[0] + 1):
        octets = b"".join(line + b"\r\n" for line in client.retr(number)[1])
        expect(int(client.list(number).split()[2]), len(octets), "the size that LIST gives")
        found.append(octets)
    client.quit()
    return found


def read():
    """Dovecot gives by POP3 and IMAP octet for octet what 02_receive stored"""
    with tempfile.TemporaryDirectory(prefix="ehlo-read-") as folder:
        os.chmod(folder, 0o755)
        maildir = pathlib.Path(folder, "mail")
        maildir.mkdir()
        wanted = receive(maildir)
        with Dovecot([USER], mail=maildir) as server:
            compare(wanted, by_pop3(server), "POP3")
            # RFC 3501 9, CHAR8: a literal cannot have NUL, for which Dovecot writes the octet 128.
            compare({name: octets.replace(b"\0", b"\x80") for name, octets in wanted.items()}, by_imap(server), "IMAP")


main(read)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What 03_send does, by Python's smtplib, with the same words: it proves the servers and the comparisons of these checks without it."""
import argparse
import base64
import hashlib
import hmac
import os
import pathlib
import re
import smtplib
import socket
import ssl
import sys

USAGE, DATA, NO_INPUT, NO_HOST, UNAVAILABLE, TEMPORARY, PROTOCOL, NO_PERMISSION = 64, 65, 66, 68, 69, 75, 76, 77


class End(Exception):
    """The end of the program with a status."""


def end(status, why):
    print(why, file=sys.stderr)
    raise End(status)


class Words(argparse.ArgumentParser):
    def error(self, message):
        end(USAGE, message)


def arguments():
    words = Words()
    for name in ("--server", "--from"):
        words.add_argument(name, required=True)
    words.add_argument("--to", action="append", required=True)
    words.add_argument("--tls", choices=("required", "opportunistic", "never", "implicit"), default="required")
    words.add_argument("--mechanism", action="append")
    words.add_argument("--notify")
    words.add_argument("--ret", choices=("full", "hdrs"))
    for name in ("--ca", "--user", "--password-file", "--hostname", "--envid"):
        words.add_argument(name)
    for name in ("--lmtp", "--no-pipelining", "--no-chunking", "--all-or-nothing", "--verbose", "--normalize"):
        words.add_argument(name, action="store_true")
    words.add_argument("file")
    return words.parse_args()


class Client:
    def __init__(self, asked):
        self.asked = asked
        self.host, self.port = asked.server.rsplit(":", 1)
        self.context = ssl.create_default_context(cafile=asked.ca)
        words = {"local_hostname": asked.hostname or "client.example", "timeout": 60}
        try:
            if asked.tls == "implicit":
                self.smtp = smtplib.SMTP_SSL(self.host, int(self.port), context=self.context, **words)
            else:
                self.smtp = (smtplib.LMTP if asked.lmtp else smtplib.SMTP)(self.host, int(self.port), **words)
        except ssl.SSLError as why:
            end(NO_PERMISSION, why)
        except socket.gaierror as why:
            end(NO_HOST, why)
        except smtplib.SMTPConnectError as why:
            end(UNAVAILABLE if why.smtp_code // 100 == 5 else TEMPORARY, why)
        except OSError as why:
            end(TEMPORARY, why)
        if asked.verbose:
            self.smtp.set_debuglevel(1)

    def greet(self):
        code, text = self.smtp.ehlo()
        if code // 100 == 5 and not self.asked.lmtp:
            self.smtp.esmtp_features = {}
            code, text = self.smtp.helo()
        if code != 250:
            end(UNAVAILABLE if code // 100 == 5 else TEMPORARY, text)

    def secure(self):
        self.greet()
        if self.asked.tls not in ("required", "opportunistic"):
            return
        if not self.smtp.has_extn("starttls"):
            if self.asked.tls == "required":
                end(NO_PERMISSION, "STARTTLS is not offered")
            return
        try:
            self.smtp.starttls(context=self.context)
        except (ssl.SSLError, smtplib.SMTPException) as why:
            end(NO_PERMISSION, why)
        self.greet()

    def scram(self, user, password):
        """RFC 7677, without channel binding."""
        nonce = base64.b64encode(os.urandom(18)).decode()
        bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        code, text = self.smtp.docmd("AUTH", "SCRAM-SHA-256 " + base64.b64encode(b"n,," + bare.encode()).decode())
        if code != 334:
            return code, text
        first = base64.b64decode(text).decode()
        given = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(given["s"]), int(given["i"]))
        final = f"c=biws,r={given['r']}"
        signed = f"{bare},{first},{final}".encode()
        key = hmac.digest(salted, b"Client Key", "sha256")
        proof = bytes(a ^ b for a, b in zip(key, hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")))
        code, text = self.smtp.docmd(base64.b64encode(f"{final},p={base64.b64encode(proof).decode()}".encode()).decode())
        if code == 334:
            mine = base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")).decode()
            if base64.b64decode(text).decode() != f"v={mine}":
                end(NO_PERMISSION, "the server does not know the password")
            code, text = self.smtp.docmd("")
        return code, text

    def authenticate(self):
        if not self.asked.user:
            return
        self.smtp.user = self.asked.user
        self.smtp.password = pathlib.Path(self.asked.password_file).read_text().rstrip("\n")
        offered = self.smtp.esmtp_features.get("auth", "").split()
        for mechanism in self.asked.mechanism or ("SCRAM-SHA-256", "PLAIN", "LOGIN"):
            if mechanism not in offered:
                continue
            try:
                if mechanism == "SCRAM-SHA-256":
                    code, text = self.scram(self.smtp.user, self.smtp.password)
                else:
                    code, text = self.smtp.auth(mechanism, getattr(self.smtp, "auth_" + mechanism.lower().replace("-", "_")))
            except smtplib.SMTPAuthenticationError as why:
                code, text = why.smtp_code, why.smtp_error
            if code not in (235, 503):
                end(NO_PERMISSION, f"{code} {text}")
            return
        end(NO_PERMISSION, f"no mechanism in {offered}")

    def plan(self, octets):
        """The parameters of MAIL, or why the message cannot go."""
        offers = self.smtp.has_extn
        header = octets[:octets.find(b"\r\n\r\n") + 2] if b"\r\n\r\n" in octets else octets
        header = b"" if octets.startswith(b"\r\n") else header
        out = ""
        if not "".join(self.asked.to + [getattr(self.asked, "from")]).isascii() or not header.isascii():
            if not offers("smtputf8"):
                end(DATA, "SMTPUTF8 is not offered")
            out += " SMTPUTF8"
        if not octets.isascii():
            if not offers("8bitmime"):
                end(DATA, "8BITMIME is not offered")
            out += " BODY=8BITMIME"
        if offers("size"):
            most = int(self.smtp.esmtp_features["size"] or 0)
            if 0 < most < len(octets):
                end(DATA, f"the message is larger than {most}")
            out += f" SIZE={len(octets)}"
        if not offers("dsn") and (self.asked.notify or self.asked.ret or self.asked.envid):
            end(DATA, "DSN is not offered")
        out += f" RET={self.asked.ret}" if self.asked.ret else ""
        out += f" ENVID={self.asked.envid}" if self.asked.envid else ""
        return out

    def transaction(self, octets):
        """The verdict on each recipient."""
        asked, smtp = self.asked, self.smtp
        parameters = self.plan(octets)
        smtp.command_encoding = "utf-8"
        sender = getattr(asked, "from")
        notify = f" NOTIFY={asked.notify}" if asked.notify else ""
        commands = [f"MAIL FROM:<{'' if sender == '<>' else sender}>{parameters}", *(f"RCPT TO:<{to}>{notify}" for to in asked.to)]
        chunked = smtp.has_extn("chunking") and not asked.no_chunking
        if smtp.has_extn("pipelining") and not asked.no_pipelining:
            smtp.send("".join(command + "\r\n" for command in commands).encode())
            replies = [smtp.getreply() for _ in commands]
        else:
            replies = [smtp.docmd(commands[0])]
            replies += [smtp.docmd(command) if replies[0][0] == 250 else replies[0] for command in commands[1:]]
        mail, recipients = replies[0], replies[1:]
        if mail[0] != 250:
            return [mail] * len(asked.to)
        taken = [n for n, (code, _) in enumerate(recipients) if code in (250, 251)]
        if not taken or (asked.all_or_nothing and len(taken) < len(recipients)):
            smtp.rset()
            return [(None, b"another was refused") if n in taken else reply for n, reply in enumerate(recipients)]
        replies = self.chunks(octets, len(taken)) if chunked else self.data(octets, len(taken))
        for n, reply in zip(taken, replies):
            recipients[n] = reply
        return recipients

    def final(self, taken):
        if not self.asked.lmtp:
            return [self.smtp.getreply()] * taken
        return [self.smtp.getreply() for _ in range(taken)]

    def data(self, octets, taken):
        reply = self.smtp.docmd("DATA")
        if reply[0] != 354:
            return [reply] * taken
        if octets and not octets.endswith(b"\r\n"):
            octets += b"\r\n"
        self.smtp.send(re.sub(rb"(?m)^\.", b"..", octets) + b".\r\n")
        return self.final(taken)

    def chunks(self, octets, taken, size=1 << 16):
        for at in range(0, max(len(octets), 1), size):
            chunk, last = octets[at:at + size], at + size >= len(octets)
            self.smtp.send(b"BDAT %d%s\r\n" % (len(chunk), b" LAST" if last else b"") + chunk)
            if last:
                return self.final(taken)
            reply = self.smtp.getreply()
            if reply[0] != 250:
                return [reply] * taken


def main():
    asked = arguments()
    try:
        octets = sys.stdin.buffer.read() if asked.file == "-" else pathlib.Path(asked.file).read_bytes()
    except OSError as why:
        end(NO_INPUT, why)
    client = Client(asked)
    try:
        client.secure()
        client.authenticate()
        verdicts = client.transaction(octets)
        client.smtp.quit()
    except smtplib.SMTPServerDisconnected as why:
        end(TEMPORARY, why)
    except smtplib.SMTPException as why:
        end(PROTOCOL, why)
    status = 0
    for to, (code, text) in zip(asked.to, verdicts):
        said = text.replace(b"\n", b" ").decode("utf-8", "replace")
        if code is None:
            print(f"<{to}> not sent: {said}")
        else:
            print(f"<{to}> {({2: 'delivered', 5: 'refused'}).get(code // 100, 'deferred')}: {code} {said}")
        if code and code // 100 == 5:
            status = UNAVAILABLE
        elif (not code or code // 100 != 2) and status == 0:
            status = TEMPORARY
    sys.exit(status)


try:
    sys.stdout.reconfigure(encoding="utf-8")
    main()
except End as stop:
    sys.exit(stop.args[0])

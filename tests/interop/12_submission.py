#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""swaks, curl, smtplib and 03_send submit mail to 05_submission, with STARTTLS, implicit TLS and each mechanism."""
import base64
import pathlib
import re
import resource
import select
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from interop import MESSAGES, Failed, expect, main, program, run, send_program, skip, without

OPENSSL = program("openssl")
HOST = "localhost"
DOMAIN = "mx.example"
USER, PASSWORD = "alice", "correct horse, battery"
SENDER, OTHER, RECIPIENT = f"alice@{DOMAIN}", f"bob@{DOMAIN}", "far@elsewhere.example"
WHOLE = b"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMessage-ID: <1@client.example>\r\n"


def submission_program():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD_DIR")
    for place in (pathlib.Path(sys.argv[1]) / "05_submission", pathlib.Path(sys.argv[1]) / "examples/05_submission"):
        if place.exists():
            return place.resolve()
    return skip("05_submission was not built: Asio, OpenSSL, GNU SASL or coroutines are missing")


BINARY = submission_program()


class Submission:
    """A running 05_submission with its certificate. As a context manager it ends with SIGTERM, and has to end well."""

    def __init__(self, *options, limits=(), log="log"):
        self.scratch = tempfile.TemporaryDirectory(prefix="ehlo-submission-")
        self.folder = pathlib.Path(self.scratch.name)
        self.spool = self.folder / "spool"
        self.make_certificate()
        users = self.folder / "users"
        users.touch(0o600)
        users.write_bytes(f"{USER}:{PASSWORD}\nbob:another\ncarol@c.example:third\n\r\ndave:a fourth\r\n".encode())
        self.log = open(self.folder / log, "w+b" if log == "log" else "wb")

        def set_limits():
            for name, soft, hard in limits:
                resource.setrlimit(name, (soft, hard))

        self.command = [BINARY, "--hostname", DOMAIN, "--users", users, "--spool", self.spool, "--certificate", self.folder / "cert.pem",
                        "--key", self.folder / "key.pem", "--verbose", *options]
        self.process = subprocess.Popen([*self.command, "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=self.log, preexec_fn=set_limits)
        self.port, self.tls_port = self.read_port(), self.read_port()

    def make_certificate(self):
        """An authority of our own, and a certificate for localhost by it."""
        at = self.folder
        (at / "names").write_text(f"subjectAltName=DNS:{HOST},IP:127.0.0.1\n")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run([OPENSSL, "req", "-x509", *new, "-keyout", at / "ca.key", "-out", at / "ca.pem", "-subj", "/CN=Test CA", "-days", "2"])
        run([OPENSSL, "req", *new, "-keyout", at / "key.pem", "-out", at / "cert.csr", "-subj", f"/CN={HOST}"])
        run([OPENSSL, "x509", "-req", "-in", at / "cert.csr", "-CA", at / "ca.pem", "-CAkey", at / "ca.key", "-CAcreateserial", "-days",
             "2", "-extfile", at / "names", "-out", at / "cert.pem"])
        self.context = ssl.create_default_context(cafile=at / "ca.pem")

    def read_port(self):
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        line = b""
        while ready and not line.endswith(b"\n") and (octet := self.process.stdout.raw.read(1)):
            line += octet
        match = re.search(rb":(\d+)\s*$", line)
        if not match:
            self.process.kill()
            raise Failed(f"05_submission did not say where it listens: {line!r}; {(self.folder / 'log').read_text()}")
        return int(match[1])

    def clear(self, **words):
        return smtplib.SMTP(HOST, self.port, local_hostname="client.example", timeout=20, **words)

    def starttls(self):
        client = self.clear()
        client.starttls(context=self.context)
        return client

    def implicit(self):
        return smtplib.SMTP_SSL(HOST, self.tls_port, local_hostname="client.example", timeout=20, context=self.context)

    def files(self):
        return [path for path in self.spool.rglob("*") if path.is_file()]

    def take(self, sent, sender=SENDER, recipients=(RECIPIENT,), parameters=r"[^\n]*", whole=False):
        """The one message in the spool, which has to be what was sent with the fields that a submission server adds."""
        envelopes = sorted(self.spool.glob("new/*.envelope"))
        expect(1, len(envelopes), "messages in the spool")
        message = envelopes[0].with_suffix(".message")
        envelope, content = envelopes[0].read_text(), message.read_bytes()
        pattern = rf"MAIL FROM:<{re.escape(sender)}>{parameters}\n" + "".join(
            rf"RCPT TO:<{re.escape(r)}>[^\n]*\n" for r in recipients)
        expect(True, re.fullmatch(pattern, envelope) is not None, f"the envelope {envelope!r}")
        received = re.match(rb"Received:((?:[^\r\n]|\r\n[ \t])*)\r\n", content)
        expect(True, received is not None and b"with ESMTPSA" in received[1] and b"TLSv1." in received[1], f"Received in {content[:300]!r}")
        found = content[received.end():]
        if not whole:
            head = found if b"\r\n\r\n" not in found else found[:found.index(b"\r\n\r\n") + 2]
            added = re.search(rb"(?m)^Date: \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\nMessage-ID: <\w+@mx\.example>\r\n\Z", head)
            expect(True, added is not None, f"Date and Message-ID at the end of {head!r}")
            found = found[:added.start()] + found[added.end():]
        expect(sent, found, "octets stored")
        envelopes[0].unlink()
        message.unlink()
        expect([], self.files(), "what is left in the spool")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=30) != 0:
            raise Failed(f"05_submission ended with status {self.process.returncode}")
        log = self.process.stdout.read()
        if self.log.readable():
            self.log.seek(0)
            log += self.log.read()
        for secret in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()):
            expect(False, secret.encode() in log, "the password in the output")
        if b" AUTH " in log:
            expect(True, re.search(rb"C: AUTH [A-Z0-9-]+( \*{4})?\n", log) is not None, "AUTH in the transcript")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
            else:
                self.process.kill()
                self.process.wait()
        finally:
            self.log.close()
            self.process.stdout.close()
            self.scratch.cleanup()


def with_smtplib():
    """smtplib: STARTTLS and implicit TLS, PLAIN, LOGIN and CRAM-MD5: what is stored is what was sent"""
    # [6409-8-01] smtplib: Date and Message-ID are added where they are missing
    with Submission("--cram-md5") as server:
        for opened in (server.starttls, server.implicit):
            for method in ("auth_plain", "auth_login", "auth_cram_md5"):
                client = opened()
                client.ehlo()
                client.user, client.password = USER, PASSWORD
                name = method.removeprefix("auth_").replace("_", "-").upper()
                expect(235, client.auth(name, getattr(client, method))[0], name)
                for octets in (MESSAGES["small"], MESSAGES["only an empty line"], MESSAGES["dots everywhere"], MESSAGES["over 1 MB"]):
                    client.sendmail(SENDER, [RECIPIENT, OTHER], octets)
                    server.take(octets, recipients=(RECIPIENT, OTHER))
                client.sendmail(SENDER, [RECIPIENT], WHOLE + MESSAGES["small"])
                server.take(WHOLE + MESSAGES["small"], whole=True)
                client.quit()


def each_cut():
    """octet by octet: Date and Message-ID stand at the end of the header section, however it is cut"""
    with Submission() as server:
        for octets in (MESSAGES["small"], MESSAGES["only an empty line"], b"Subject: no empty line\r\n", b"Subject: a\r\n\tb\r\n\r\n\r\n"):
            client = server.implicit()
            client.login(USER, PASSWORD)
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.mail(SENDER)
            client.rcpt(RECIPIENT)
            expect(354, client.docmd("DATA")[0], "DATA")
            for octet in octets + b".\r\n":
                client.sock.sendall(bytes([octet]))
            expect(250, client.getreply()[0], "end of mail data")
            server.take(octets)
            client.quit()


def refusals():
    """530 without AUTH or TLS, 535 for a wrong password, 550 for the mailbox of another"""
    # [6409-4.3-01] smtplib: 530 to MAIL without AUTH
    with Submission("--cram-md5") as server:
        with server.clear() as client:
            client.ehlo()
            expect(False, client.has_extn("auth"), "AUTH offered without TLS")
            expect(530, client.docmd("AUTH", "PLAIN AGFsaWNlAHg=")[0], "AUTH without TLS")
            expect(530, client.mail(SENDER)[0], "MAIL without TLS")
        with server.implicit() as client:
            client.ehlo()
            expect("SCRAM-SHA-256 CRAM-MD5 PLAIN LOGIN", client.esmtp_features["auth"].strip(), "mechanisms")
            expect(530, client.mail(SENDER)[0], "MAIL without AUTH")
            expect(504, client.docmd("AUTH", "EXTERNAL =")[0], "EXTERNAL")
        for user, password in ((USER, "wrong"), (USER, PASSWORD + "x"), ("nobody", PASSWORD)):
            for method in ("PLAIN", "LOGIN", "CRAM-MD5"):
                with server.starttls() as client:
                    client.ehlo()
                    client.user, client.password = user, password
                    try:
                        client.auth(method, getattr(client, "auth_" + method.lower().replace("-", "_")))
                        raise Failed(f"{method} took {user}:{password}")
                    except smtplib.SMTPAuthenticationError as refusal:
                        expect((535, True), (refusal.smtp_code, refusal.smtp_error.startswith(b"5.7.8")), method)
                    expect(530, client.mail(SENDER)[0], "MAIL after a failed AUTH")
        with server.implicit() as client:
            client.ehlo()
            acting = base64.b64encode(f"bob\0{USER}\0{PASSWORD}".encode()).decode()
            expect(535, client.docmd("AUTH", "PLAIN " + acting)[0], "to act as another")
            client.login(USER, PASSWORD)
            for other in (OTHER, "alice@elsewhere.example", "carol@c.example"):
                code, text = client.mail(other)
                expect((550, True), (code, text.startswith(b"5.7.1 ")), f"MAIL FROM:<{other}>")
            expect(554, (client.mail(SENDER), client.rcpt("x@single"))[1][0], "a domain of one label")
        with server.implicit() as client:
            client.login("carol@c.example", "third")
            expect(250, client.mail("carol@C.example")[0], "the mailbox of a user whose name is one")
        with server.implicit() as client:
            expect(235, client.login("dave", "a fourth")[0], "a user whose line ends in CRLF")
        expect([], server.files(), "what is in the spool")


def any_sender():
    """--any-sender lets users send in the name of others"""
    with Submission("--any-sender") as server, server.implicit() as client:
        client.login(USER, PASSWORD)
        client.sendmail("x@elsewhere.example", [RECIPIENT], MESSAGES["small"])
        server.take(MESSAGES["small"], sender="x@elsewhere.example")


def disk():
    """a message that the disk does not take is refused with 452 and leaves nothing; the next one is taken"""
    with Submission(limits=[(resource.RLIMIT_FSIZE, 300_000, 300_000)]) as server, server.implicit() as client:
        client.login(USER, PASSWORD)
        try:
            client.sendmail(SENDER, [RECIPIENT], MESSAGES["over 1 MB"])
            raise Failed("it was taken")
        except smtplib.SMTPDataError as refusal:
            expect(452, refusal.smtp_code, "the reply")
        expect([], server.files(), "what is in the spool")
        client.sendmail(SENDER, [RECIPIENT], MESSAGES["small"])
        server.take(MESSAGES["small"])
        for folder in ("tmp", "new"):
            shutil.rmtree(server.spool / folder)
        try:
            client.sendmail(SENDER, [RECIPIENT], MESSAGES["small"])
            raise Failed("it was taken")
        except smtplib.SMTPDataError as refusal:
            expect(451, refusal.smtp_code, "the reply without folders")


def ends():
    """a client that is silent, one that goes in the middle, one too many, SIGTERM: each is told, and TLS ends well"""
    with Submission("--timeout", "2", "--max-connections", "2") as server:
        with server.implicit() as client:
            begin = time.monotonic()
            client.login(USER, PASSWORD)
            expect(421, client.getreply()[0], "the reply to silence")
            expect(b"", client.sock.recv(1), "what comes behind it")  # a close_notify: anything else would be an exception
            expect(True, 1 < time.monotonic() - begin < 10, "the time")
        client = server.implicit()
        client.login(USER, PASSWORD)
        client.mail(SENDER), client.rcpt(RECIPIENT), client.docmd("DATA")
        client.sock.sendall(b"Subject: half\r\n\r\nhalf a message")
        client.sock.unwrap().close()  # close_notify, and waits for the other
        client.file.close()
        silent = socket.create_connection((HOST, server.tls_port))  # says nothing at all: the handshake has a deadline, too
        silent.settimeout(10)
        expect(b"", silent.recv(1), "what comes to a client without handshake")
        silent.close()
        expect([], server.files(), "what is in the spool")
    with Submission("--max-connections", "2") as server:
        one, two = server.starttls(), server.implicit()
        try:
            server.clear()
            raise Failed("a third client was greeted")
        except smtplib.SMTPConnectError as refusal:
            expect(421, refusal.smtp_code, "the greeting of the third")
        server.process.send_signal(signal.SIGTERM)
        for client in (one, two):
            expect(421, client.getreply()[0], "the reply to SIGTERM")
            expect(b"", client.sock.recv(1), "what comes behind it")
            client.close()


def most_time():
    """a client that is busy for ever is told 421 when the time of its connection is over, one with a message after --grace"""
    with Submission("--max-time", "1", "--grace", "2") as server:
        for opened in (server.starttls, server.implicit):
            begin = time.monotonic()
            with opened() as client:
                client.login(USER, PASSWORD)
                while (code := client.noop()[0]) == 250 and time.monotonic() < begin + 10:
                    time.sleep(0.1)
                expect(421, code, "the reply to one NOOP too many")
                expect(True, 0.9 < time.monotonic() - begin < 2.5, "the time")
            for command, reply in (("DATA", b"421 4.3.2"), ("BDAT 99999999999 LAST", b"421 4.4.2")):  # that chunk is too large
                begin = time.monotonic()
                with opened() as client:
                    client.login(USER, PASSWORD)
                    client.mail(SENDER), client.rcpt(RECIPIENT)
                    client.send(command + "\r\n")
                    client.sock.settimeout(0.1)
                    said = b""
                    while b"421" not in said and time.monotonic() < begin + 10:
                        client.sock.sendall(b"x")
                        try:
                            said += client.sock.recv(1000)
                        except TimeoutError:
                            pass
                    expect(reply, said[said.find(b"421"):][:9], f"the reply within {command}")
                    expect(True, 2.9 < time.monotonic() - begin < 5, f"the time with {command}")
            with opened() as client:
                client.login(USER, PASSWORD)
                client.mail(SENDER), client.rcpt(RECIPIENT), client.docmd("DATA")
                client.send(MESSAGES["small"])
                time.sleep(1.5)
                client.send(b".\r\n")
                expect(250, client.getreply()[0], "a message that comes in within --grace")
                expect(421, client.getreply()[0], "what comes behind it")
            server.take(MESSAGES["small"])
        silent = socket.create_connection((HOST, server.tls_port))
        silent.settimeout(10)
        expect(b"", silent.recv(1), "what comes to a client without handshake")
        silent.close()
        expect([], server.files(), "what is in the spool")
    with Submission("--grace", "1") as server:
        client = server.implicit()
        client.login(USER, PASSWORD)
        client.mail(SENDER), client.rcpt(RECIPIENT), client.docmd("DATA")
        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        expect(421, client.getreply()[0], "the reply to SIGTERM within a message")
        expect(True, 0.9 < time.monotonic() - begin < 3, "the time")
        client.close()


def descriptors():
    """the soft limit of descriptors is raised to what --max-connections needs; a hard limit that is too low is said"""
    with Submission("--max-connections", "20", limits=[(resource.RLIMIT_NOFILE, 32, 124)]) as server:
        clients = [server.implicit() for _ in range(20)]
        for client in clients:
            client.login(USER, PASSWORD)
            client.mail(SENDER), client.rcpt(RECIPIENT)
            expect(354, client.docmd("DATA")[0], "DATA")
        try:
            server.clear()
            raise Failed("one client too many was greeted")
        except smtplib.SMTPConnectError as refusal:
            expect(421, refusal.smtp_code, "the greeting of one too many")
        for client in clients:
            client.send(MESSAGES["small"] + b".\r\n")
            expect(250, client.getreply()[0], "end of mail data")
            client.quit()
        expect(20, len(list(server.spool.glob("new/*.envelope"))), "messages in the spool")
        text = run(["sh", "-c", 'ulimit -n 124 && exec "$0" "$@"', *server.command, "--max-connections", "21"], status=1)
        expect(True, text.endswith("--max-connections: the 124 descriptors that this program may have do for 20\n"), f"the message {text!r}")


def log():
    """a log on a full disk ends neither the server nor a session"""
    with Submission(log="/dev/full") as server:
        for opened in (server.starttls, server.implicit):
            with opened() as client:
                client.login(USER, PASSWORD)
                client.sendmail(SENDER, [RECIPIENT], MESSAGES["small"])
                server.take(MESSAGES["small"])


def ports():
    """a port that is none is refused"""
    with Submission() as server:
        for port in ("65536", "99999", "-1", " 0", "", "smtp"):
            text = run([*server.command, "--listen", f"127.0.0.1:{port}"], status=1)
            expect(True, f"'{port}' is no port" in text, f"the message {text!r}")


def old_tls():
    """TLS before 1.2 is refused"""
    with Submission() as server:
        old = run([OPENSSL, "s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], status=1)
        expect(True, "Cipher is (NONE)" in old, f"the handshake in {old}")


def with_swaks():
    """swaks: --tls and --tlsc with PLAIN, LOGIN and CRAM-MD5"""
    swaks = shutil.which("swaks")
    if not swaks:
        return without("swaks: not installed")
    support = run([swaks, "--support"])
    if not re.search(r"^=== TLS supported", support, re.MULTILINE):
        return without("swaks: it has no TLS")
    with Submission("--cram-md5") as server:
        sent = MESSAGES["dots everywhere"]
        path = server.folder / "mail-data"
        path.write_bytes(re.sub(rb"(?m)^\.", b"..", sent) + b".")
        for tls, port in (("--tls", server.port), ("--tlsc", server.tls_port)):
            for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
                if mechanism == "CRAM-MD5" and not re.search(r"^=== AUTH CRAM-MD5 supported", support, re.MULTILINE):
                    continue
                command = [swaks, "--server", HOST, "--port", port, tls, "--tls-verify", "--tls-ca-path", server.folder / "ca.pem", "--ehlo",
                           "client.example", "--from", SENDER, "--to", RECIPIENT, "--auth", mechanism, "--auth-user", USER,
                           "--no-data-fixup", "--data", f"@{path}", "--auth-password"]
                run([*command, PASSWORD])
                server.take(sent)
                run([*command, "wrong"], status=28)


def with_curl():
    """curl: smtp:// with STARTTLS and smtps://, each mechanism that it has"""
    curl = shutil.which("curl")
    if not curl:
        return without("curl: not installed")
    with Submission("--cram-md5") as server:
        sent = MESSAGES["dots everywhere"]
        path = server.folder / "mail"
        path.write_bytes(sent)
        for url in (f"smtp://{HOST}:{server.port}/client.example", f"smtps://{HOST}:{server.tls_port}/client.example"):
            for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
                command = [curl, "--silent", "--show-error", "--ssl-reqd", "--cacert", server.folder / "ca.pem", url, "--login-options",
                           f"AUTH={mechanism}", "--mail-from", SENDER, "--mail-rcpt", RECIPIENT, "--upload-file", path, "--user"]
                done = subprocess.run([*map(str, command), f"{USER}:{PASSWORD}"], capture_output=True, text=True, timeout=60, check=False)
                if mechanism == "SCRAM-SHA-256" and done.returncode == 67 and "235" not in done.stderr and not server.files():
                    print(f"      without {mechanism}: this curl has it not")
                    continue
                expect((0, ""), (done.returncode, done.stderr), mechanism)
                server.take(sent)
                run([*command, f"{USER}:wrong"], status=67)


def with_send():
    """03_send: STARTTLS and implicit TLS, each mechanism, the result for each recipient; a wrong password; another authority"""
    with Submission("--cram-md5") as server:
        for name, password in (("right", PASSWORD), ("wrong", "wrong")):
            (server.folder / name).write_text(password + "\n")
        sent, path = MESSAGES["dots everywhere"], server.folder / "mail"
        path.write_bytes(sent)
        common = [*send_program(), "--from", SENDER, "--to", RECIPIENT, "--hostname", "client.example", "--user", USER, path]
        trusting = ["--ca", server.folder / "ca.pem", "--password-file", server.folder / "right"]
        for where in (["--server", f"{HOST}:{server.port}"], ["--server", f"{HOST}:{server.tls_port}", "--tls", "implicit"]):
            for mechanism in ([], *(["--mechanism", name] for name in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"))):
                text = run([*common, *where, *mechanism, *trusting])
                expect(True, text.startswith(f"<{RECIPIENT}> delivered: 250 2."), f"the result {text!r}")
                server.take(sent)
                text = run([*common, *where, *mechanism, "--ca", server.folder / "ca.pem", "--password-file", server.folder / "wrong"], status=77)
                expect(True, "535" in text and f"<{RECIPIENT}> not sent: " in text, f"the refusal {text!r}")
            run([*common, *where, "--password-file", server.folder / "right"], status=77)
        # Not even opportunistic TLS gives a password to a server that has not shown who it is.
        run([*common, "--server", f"{HOST}:{server.port}", "--tls", "opportunistic", "--password-file", server.folder / "right"], status=77)
        expect([], server.files(), "what is in the spool")


def with_gsasl():
    """GNU SASL: SCRAM-SHA-256, step by step"""
    gsasl = shutil.which("gsasl")
    if not gsasl:
        return without("gsasl: not installed")
    with Submission() as server:
        command = [gsasl, "--smtp", "--connect", f"{HOST}:{server.port}", "--x509-ca-file", server.folder / "ca.pem", "--mechanism",
                   "SCRAM-SHA-256", "--authorization-id", "", "--no-cb"]
        text = run([*command, "--authentication-id", USER, "--password", PASSWORD])
        expect(True, "235 2.7.0" in text, f"235 in {text}")
        for user, password in ((USER, "wrong"), ("nobody", PASSWORD)):  # the name of a user is not told from another
            text = run([*command, "--authentication-id", user, "--password", password], status=1)
            expect((1, True), (len(re.findall(r"^334 \S", text, re.MULTILINE)), "535 5.7.8" in text), f"challenges and 535 in {text}")


main(with_smtplib, each_cut, refusals, any_sender, disk, ends, most_time, descriptors, log, ports, old_tls, with_swaks, with_curl, with_send, with_gsasl)

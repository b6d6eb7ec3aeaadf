# SPDX-License-Identifier: BSL-1.0
"""What the checks with real programs share: a 02_receive in a temporary folder, messages to send, and what it stored.

A check is a program with one argument, the build folder. Its status is 0 if all is well, 77 if the program that it drives is missing,
anything else if not.
"""
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

DOMAIN = "mx.example"
SENDER = "sender@client.example"

# Every octet on the wire is chosen here: text in lines that end in CRLF.
MESSAGES = {
    "small": b"Subject: small\r\n\r\nHello.\r\n",
    "empty body": b"Subject: empty body\r\n\r\n",
    "only an empty line": b"\r\n",
    "no header section": b"\r\nOnly a body.\r\n",
    "dots everywhere": b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n...\r\nx.\r\n. \r\n\r\n.\r\n.\r\n",
    "commands in the text": b"Subject: commands\r\n\r\nQUIT\r\nRSET\r\nMAIL FROM:<a@b.example>\r\n",
    "trailing empty lines": b"Subject: trailing\r\n\r\nx\r\n\r\n\r\n\r\n",
    "spaces and tabs": b"Subject: blanks\r\n\ta folded line\r\n\r\n \r\n\t\r\nx \t \r\n",
    "line of 998 octets": b"Subject: long line\r\n\r\n" + b"x" * 998 + b"\r\n",
    "8-bit": b"Subject: 8-bit\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
             + "Gr\u00fc\u00dfe, \u4f60\u597d\r\n".encode() + bytes(range(0x80, 0x100)) + b"\r\n",
    "controls": b"Subject: controls\r\n\r\n" + bytes(c for c in range(0x80) if c not in b"\r\n") + b"\r\n",
    "over 1 MB": b"Subject: over 1 MB\r\n\r\n" + b"".join(
        (b"." * (n % 4) + b"%07d " % n + b"abcdefghij" * (n % 13))[:n % 90] + b"\r\n" for n in range(30000)),
}
assert len(MESSAGES["over 1 MB"]) > 1_000_000


class Failed(Exception):
    """A check that did not hold."""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def without(what):
    """A check goes on without a program or a feature of it: said, and a failure where run.sh has --require-all."""
    if os.environ.get("EHLO_REQUIRE_ALL"):
        raise Failed(f"without {what}")
    print(f"      without {what}")


def program(name):
    """The path of a program, or the end of the check."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return found or skip(f"{name} is not installed")


def receive_program():
    """The 02_receive of the build folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD_DIR")
    folder = pathlib.Path(sys.argv[1])
    for place in (folder / "02_receive", folder / "examples/02_receive"):
        if place.exists():
            return place.resolve()
    sys.exit(f"{folder}: no 02_receive there; build it first")


def send_program():
    """The command of a client program: 03_send of the build folder. With EHLO_SEND=smtplib in the environment, one with the same words
    that is made of Python's smtplib."""
    if os.environ.get("EHLO_SEND") == "smtplib":
        return [sys.executable, pathlib.Path(__file__).with_name("smtplib_send.py")]
    folder = receive_program().parent
    for place in (folder / "03_send", folder / "examples/03_send"):
        if place.exists():
            return [place]
    return skip("03_send was not built: OpenSSL is missing")


class Stored:
    """One message as it lies in a Maildir: `octets` are those behind the Return-Path and Received fields on top."""

    def __init__(self, path):
        self.path = path
        content = path.read_bytes()
        self.return_path, rest = self.field(b"Return-Path", content)
        self.received, self.octets = self.field(b"Received", rest)

    def field(self, name, content):
        match = re.match(name + rb":[ \t]*((?:[^\r\n]|\r\n[ \t])*)\r\n", content)
        if not match:
            raise Failed(f"{self.path}: no {name.decode()} field on top: {content[:200]!r}")
        return match[1].decode("utf-8", "surrogateescape"), content[match.end():]


class Receiver:
    """A running 02_receive. As a context manager it ends with SIGTERM, and has to end well."""

    def __init__(self, *options, maildir=None, one_each=True):
        self.binary = receive_program()
        self.folder = None if maildir else tempfile.TemporaryDirectory(prefix="ehlo-interop-")
        self.maildir = pathlib.Path(maildir or self.folder.name)
        place = f"{self.maildir}/%u" if one_each else str(self.maildir)
        command = [self.binary, "--listen", "127.0.0.1:0", "--hostname", DOMAIN, "--domain", DOMAIN, "--maildir", place, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = self.read_port()

    def read_port(self):
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline() if ready else ""
        match = re.search(r":(\d+)\s*$", line)
        if not match:
            self.process.kill()
            raise Failed(f"02_receive did not say where it listens: {line!r}")
        return int(match[1])

    def stored(self, user=None):
        """The messages of a mailbox, oldest first; without a name, those of a Maildir for all."""
        new = (self.maildir / user if user else self.maildir) / "new"
        return [Stored(path) for path in sorted(new.glob("*"), key=lambda p: p.stat().st_mtime_ns)]

    def take(self, user):
        """The messages of a mailbox, which are removed."""
        out = self.stored(user)
        for message in out:
            message.path.unlink()
        return out

    def unfinished(self):
        """What lies in the folders `tmp`."""
        return [path for path in self.maildir.rglob("tmp/*") if path.is_file()]

    def kill(self):
        """Ends it as a crash would: SIGKILL, without a chance to finish anything."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed("02_receive did not end within 30 seconds of SIGTERM") from None
        self.process.stdout.close()
        if status != 0:
            raise Failed(f"02_receive ended with status {status}")
        if left := self.unfinished():
            raise Failed(f"02_receive left {left[0]} half-written")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
            elif self.process.poll() is None:
                self.kill()
        finally:
            if self.folder:
                self.folder.cleanup()


def run(command, octets=b"", timeout=120, status=0):
    """Runs a program, which has to end with `status`, and gives its output and errors as text."""
    done = subprocess.run([str(part) for part in command], input=octets, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode != status:
        raise Failed(f"{command[0]} ended with status {done.returncode} and not {status}:\n{text[-3000:]}")
    return text


def expect(wanted, found, what):
    if wanted != found:
        raise Failed(f"{what}: {difference(wanted, found)}")


def expect_one(receiver, user, octets, return_path=f"<{SENDER}>"):
    """Takes the one message that a mailbox has, which has to be these octets."""
    found = receiver.take(user)
    expect(1, len(found), f"messages for {user}")
    expect(octets, found[0].octets, f"octets stored for {user}")
    expect(return_path, found[0].return_path, f"Return-Path for {user}")
    return found[0]


def difference(wanted, found):
    """Says where two values part, without printing a megabyte."""
    if not isinstance(wanted, bytes) or not isinstance(found, bytes):
        return f"wanted {wanted!r}, found {found!r}"
    at = next((i for i, (a, b) in enumerate(zip(wanted, found)) if a != b), min(len(wanted), len(found)))
    show = slice(max(0, at - 20), at + 40)
    return f"octet {at} of {len(wanted)} (found {len(found)}): wanted ...{wanted[show]!r}, found ...{found[show]!r}"


def main(*checks):
    """Runs the checks of a script and names each."""
    failed = 0
    for check in checks:
        begin = time.monotonic()
        try:
            check()
            print(f"ok    {check.__doc__} ({time.monotonic() - begin:.1f} s)", flush=True)
        except (Failed, OSError, EOFError, subprocess.SubprocessError) as why:
            failed += 1
            print(f"FAIL  {check.__doc__}\n      {type(why).__name__}: {why}", flush=True)
    sys.exit(1 if failed else 0)

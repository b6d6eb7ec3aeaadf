#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""`kill -9` of 02_receive under load loses no message that was answered with 250; SIGTERM leaves nothing half-written."""
import pathlib
import random
import signal
import socket
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from interop import DOMAIN, Failed, Receiver, expect, main

SESSIONS = 20


def message(name):
    """Octets that follow from the name, so that no record of them is needed; with dots, of 100 to 60,000 octets."""
    draw = random.Random(name)
    lines = [f"Message-ID: <{name}@client.example>", ""]
    lines += ["." * draw.randrange(3) + f"{n} {draw.random()}" for n in range(draw.choice((3, 30, 300, 2000)))]
    return "".join(line + "\r\n" for line in lines).encode()


class Load:
    """Sessions that send messages one after the other until they are stopped; `answered` has the names of those that got 250."""

    def __init__(self, port, prefix):
        self.port, self.prefix = port, prefix
        self.answered, self.faults, self.started = set(), [], 0
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.session, args=(n,)) for n in range(SESSIONS)]
        for thread in self.threads:
            thread.start()

    def session(self, number):
        count = 0
        while not self.ending.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=60) as channel, channel.makefile("rb") as replies:
                    def step(octets, code):
                        channel.sendall(octets)
                        while (line := replies.readline())[3:4] == b"-":
                            pass
                        if line[:3] in (b"", b"421"):
                            raise EOFError
                        if line[:3] != code:
                            raise Failed(f"wanted {code} and got {line}")
                    step(b"", b"220")
                    step(b"EHLO client.example\r\n", b"250")
                    while not self.ending.is_set():
                        count += 1
                        name = f"{self.prefix}.{number}.{count}"
                        with self.lock:
                            self.started += 1
                        step(b"MAIL FROM:<sender@client.example>\r\n", b"250")
                        step(f"RCPT TO:<user{number}@{DOMAIN}>\r\n".encode(), b"250")
                        step(b"DATA\r\n", b"354")
                        step(message(name).replace(b"\r\n.", b"\r\n..") + b".\r\n", b"250")
                        with self.lock:
                            self.answered.add(name)
            except (EOFError, ConnectionError):
                time.sleep(0.01)  # the server has gone; it may come back before this load ends
            except (Failed, OSError) as why:
                self.faults.append(f"session {number}: {why!r}")
                return

    def wait_for(self, count):
        until = time.monotonic() + 120
        while len(self.answered) < count:
            if self.faults or time.monotonic() > until:
                raise Failed(f"{len(self.answered)} messages were answered; {self.faults}")
            time.sleep(0.002)

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        if self.faults:
            raise Failed(self.faults[0])


def compare(receiver, answered):
    """Each message answered is stored once, and what is stored is whole. Gives how many were stored in all."""
    found = {}
    for folder in receiver.maildir.glob("user*"):
        for stored in receiver.stored(folder.name):
            name = stored.octets.split(b"@", 1)[0].removeprefix(b"Message-ID: <").decode("ascii", "replace")
            if stored.octets != message(name):
                raise Failed(f"{stored.path}: not the octets that were sent")
            if folder.name != f"user{name.split('.')[1]}":
                raise Failed(f"{stored.path}: in the wrong mailbox")
            found[name] = found.get(name, 0) + 1
    lost = sorted(answered - found.keys())
    expect([], lost[:5], f"lost after 250 ({len(lost)} of {len(answered)})")
    expect([], [name for name, times in found.items() if times > 1], "stored more than once")
    return len(found)


def killed():
    """kill -9 under the load of 20 sessions, five times: what was answered with 250 is stored once, and what is stored is whole"""
    with tempfile.TemporaryDirectory(prefix="ehlo-interop-") as folder:
        answered = set()
        for turn in range(5):
            receiver = Receiver(maildir=folder)
            try:
                load = Load(receiver.port, f"kill{turn}")
                try:
                    load.wait_for(200 + 37 * turn)
                finally:
                    receiver.kill()
                    load.stop()
            finally:
                receiver.process.poll() is None and receiver.kill()
            answered |= load.answered
            compare(receiver, answered)
        # The files that a crash leaves in tmp are what the Maildir format expects; a new start takes mail all the same.
        receiver = Receiver(maildir=folder)
        try:
            load = Load(receiver.port, "after")
            try:
                load.wait_for(100)
            finally:
                load.stop()
            compare(receiver, answered | load.answered)
        finally:
            receiver.kill()


def ended():
    """SIGTERM under the load of 20 sessions: the server ends well, what was answered with 250 is stored once, nothing is half-written"""
    with tempfile.TemporaryDirectory(prefix="ehlo-interop-") as folder:
        receiver = Receiver(maildir=folder)
        load = Load(receiver.port, "term")
        try:
            load.wait_for(300)
            receiver.process.send_signal(signal.SIGTERM)
            load.ending.set()
            expect(0, receiver.process.wait(timeout=30), "status after SIGTERM")
        finally:
            if receiver.process.poll() is None:
                receiver.kill()
            receiver.process.stdout.close()
            load.stop()
        expect(len(load.answered), compare(receiver, load.answered), "messages stored, and answered")
        expect([], [path for path in pathlib.Path(folder).rglob("tmp/*") if path.is_file()], "files half-written")


main(killed, ended)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""`kill -9` of 02_receive under load loses no message that was answered with 250; SIGTERM leaves nothing half-written.

EHLO_KILLS in the environment says how often it is killed under the load of smtp-source (default 5); EHLO_KILLS=100 takes minutes.
EHLO_SEED repeats the moments at which it was.
"""
import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from interop import DOMAIN, Failed, Receiver, Stored, expect, main, program

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


def digest(octets):
    return hashlib.sha256(octets).digest()


class Witness:
    """Stands between smtp-source and the server, for smtp-source does not say which of its messages were answered: passes on a reply and
    what the client says to it, in turn, and notes each message by its mailbox and Message-Id: `sent`, and `answered` before a 250 goes on."""

    def __init__(self):
        self.server_port, self.sent, self.answered, self.faults = 0, {}, set(), []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.lock, self.ending, self.threads = threading.Lock(), threading.Event(), []
        self.accepting = threading.Thread(target=self.accept)
        self.accepting.start()

    def accept(self):
        self.listener.settimeout(0.1)
        while not self.ending.is_set():
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self.session, args=(client,))
            thread.start()
            self.threads = [t for t in self.threads if t.is_alive()] + [thread]

    def session(self, client):
        client.settimeout(60)
        try:
            with client, client.makefile("rb") as words, \
                 socket.create_connection(("127.0.0.1", self.server_port), timeout=60) as server, server.makefile("rb") as replies:
                mailbox, message = None, None
                while True:
                    reply = b""
                    while (line := replies.readline())[3:4] == b"-":
                        reply += line
                    if not line.endswith(b"\r\n"):
                        return
                    if message and line[:3] == b"250":
                        with self.lock:
                            self.answered.add(message)
                    message = None
                    client.sendall(reply + line)
                    said = words.readline()
                    if line[:3] == b"354":
                        while not said.endswith(b"\r\n.\r\n"):
                            more = words.readline()
                            if not more:
                                return
                            said += more
                        text = re.sub(rb"(?m)^\.", b"", said[:-3])
                        message = mailbox, re.search(rb"^Message-Id: (<.*>)", text, re.MULTILINE)[1].decode()
                        with self.lock:
                            self.sent[message] = digest(text)
                    elif found := re.match(rb"RCPT TO:<(.*)@", said):
                        mailbox = found[1].decode()
                    if not said:
                        return
                    server.sendall(said)
        except (ConnectionError, TimeoutError):
            pass  # the server has been killed
        except Exception as why:  # the thread must not end in silence
            self.faults.append(repr(why))

    def stop(self):
        self.ending.set()
        self.accepting.join()
        self.listener.close()
        for thread in self.threads:
            thread.join()
        if self.faults:
            raise Failed(f"the witness: {self.faults[0]}")


class Sources:
    """smtp-source with 20 sessions, started again when it gives up; each run has a mailbox of its own."""

    def __init__(self, port):
        self.port, self.runs, self.process = port, 0, None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ending.is_set():
            self.runs += 1
            words = ["-4", "-d", "-s", SESSIONS, "-m", 1000000, "-l", 3000 * (self.runs % 4 + 1), "-M", "client.example", "-f",
                     "sender@client.example", "-t", f"load{self.runs}@{DOMAIN}", f"127.0.0.1:{self.port}"]
            self.process = subprocess.Popen([program("smtp-source"), *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.process.wait()
            self.ending.wait(0.02)

    def stop(self):
        self.ending.set()
        while self.thread.is_alive():
            if self.process:
                self.process.kill()
            self.thread.join(0.1)


def killed_at_random():
    """kill -9 at random under the load of smtp-source, EHLO_KILLS times: what was answered with 250 is stored once, and is whole"""
    # [5321-6.1-01] smtp-source: a message that was answered with 250 is there after a crash
    if not shutil.which("smtp-source", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
        print("   skipped: smtp-source is not installed")
        return
    kills = int(os.environ.get("EHLO_KILLS", "5"))
    seed = int(os.environ.get("EHLO_SEED") or random.randrange(1 << 32))
    print(f"   EHLO_SEED={seed}", flush=True)
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="ehlo-interop-") as folder:
        witness = Witness()
        sources = Sources(witness.port)
        receiver = None
        try:
            for turn in range(kills):
                receiver = Receiver(maildir=folder)
                witness.server_port = receiver.port
                before, until = len(witness.answered), time.monotonic() + 60
                while len(witness.answered) == before:  # the load has come through
                    if witness.faults or time.monotonic() > until:
                        raise Failed(f"nothing was answered in turn {turn}: {witness.faults}")
                    time.sleep(0.005)
                time.sleep(draw.uniform(0, 0.5))
                receiver.kill()
        finally:
            sources.stop()
            witness.stop()
            if receiver and receiver.process.poll() is None:
                receiver.kill()
        found = {}
        for box in pathlib.Path(folder).glob("load*"):
            for path in (box / "new").glob("*"):
                stored = Stored(path)
                message = box.name, re.search(rb"^Message-Id: (<.*>)", stored.octets, re.MULTILINE)[1].decode()
                if digest(stored.octets) != witness.sent.get(message):
                    raise Failed(f"{path}: not the octets that were sent")
                found[message] = found.get(message, 0) + 1
        lost = sorted(witness.answered - found.keys())
        print(f"   killed {kills} times: {len(witness.sent)} messages sent, {len(witness.answered)} answered with 250, {len(found)} "
              f"stored, {len(lost)} lost")
        expect([], lost[:5], f"lost after 250 ({len(lost)} of {len(witness.answered)})")
        expect([], [name for name, times in found.items() if times > 1], "stored more than once")


main(killed, killed_at_random, ended)

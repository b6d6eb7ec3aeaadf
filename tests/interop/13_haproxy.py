#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""HAProxy in front of two 02_receive: nothing that was answered with 250 is lost when one of them ends, and the real client is known."""
import contextlib
import pathlib
import re
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from interop import DOMAIN, SENDER, Failed, Receiver, expect, main, program

HAPROXY = program("haproxy")
SESSIONS = 12
CLIENTS = [f"127.0.0.{n}" for n in range(2, 10)]  # addresses of this host that clients come from

CONFIGURATION = """
global
  maxconn 200
defaults
  mode tcp
  retries 3
  option redispatch
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend smtp
  bind 127.0.0.1:{port}
  default_backend receivers
backend receivers
  balance roundrobin
{servers}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def haproxy(receivers, words):
    """HAProxy in front of these, each reached with `words`. Gives its port. It ends with the context."""
    with tempfile.TemporaryDirectory(prefix="ehlo-interop-") as folder:
        port = free_port()
        servers = "\n".join(f"  server s{n} 127.0.0.1:{r.port} check inter 200ms {words}" for n, r in enumerate(receivers))
        path = pathlib.Path(folder) / "haproxy.cfg"
        path.write_text(CONFIGURATION.format(port=port, servers=servers), encoding="ascii")
        process = subprocess.Popen([HAPROXY, "-db", "-f", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > until:
                        process.kill()
                        raise Failed(f"haproxy does not listen: {process.stdout.read()[-1000:]!r}") from None
                    time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=20)


def message(name):
    return f"Message-ID: <{name}@client.example>\r\n\r\n".encode() + b"text of the message\r\n" * (1 + len(name) % 40)


def name_of(stored):
    return re.match(rb"Message-ID: <([^@]*)@", stored.octets)[1].decode()


def client_of(stored):
    """The address that the Received field tells of the client."""
    return re.search(r"^from \S+ \((?:\S+ )?\[([^\]]*)\]\)", stored.received.replace("\r\n", ""))[1]


class Load:
    """Sessions that send messages through the proxy until they are stopped, each from an address of its own."""

    def __init__(self, port):
        self.port, self.answered, self.faults = port, {}, []
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.session, args=(n,)) for n in range(SESSIONS)]
        for thread in self.threads:
            thread.start()

    def session(self, number):
        address, count = CLIENTS[number % len(CLIENTS)], 0
        while not self.ending.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self.port, "client.example", timeout=60, source_address=(address, 0)) as server:
                    for _ in range(5):
                        count += 1
                        name = f"{number}.{count}"
                        server.sendmail(SENDER, [f"all@{DOMAIN}"], message(name))
                        with self.lock:
                            self.answered[name] = address
                        if self.ending.is_set():
                            break
            except (smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError, ConnectionError):
                time.sleep(0.02)  # its server has gone: the proxy has another one
            except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as why:
                codes = [why.smtp_code] if isinstance(why, smtplib.SMTPResponseException) else [c for c, _ in why.recipients.values()]
                if codes != [421]:  # its server ends
                    self.faults.append(f"session {number}: {why!r}")
                    return
            except (smtplib.SMTPException, OSError) as why:
                self.faults.append(f"session {number}: {why!r}")
                return

    def wait_for(self, count):
        until = time.monotonic() + 120
        while len(self.answered) < count:
            if self.faults or time.monotonic() > until:
                raise Failed(f"{len(self.answered)} messages were answered; {self.faults}")
            time.sleep(0.01)

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        if self.faults:
            raise Failed(self.faults[0])


def compare(receivers, answered):
    """Each message that was answered is stored, whole, and its Received field names the address that the client came from."""
    found = {}
    for receiver in receivers:
        for stored in receiver.stored():
            name = name_of(stored)
            expect(message(name), stored.octets, f"octets of {stored.path}")
            found[name] = client_of(stored)
    lost = sorted(answered.keys() - found.keys())
    expect([], lost[:5], f"lost after 250 ({len(lost)} of {len(answered)})")
    expect([], [name for name, address in answered.items() if found[name] != address], "stored for another client")


def one_ends(how):
    """One of two ends under load: what was answered is in one of the Maildirs, and the load goes on with the other."""
    with contextlib.ExitStack() as stack:
        receivers = [Receiver("--proxy", "2", one_each=False) for _ in range(2)]
        stack.callback(lambda: [r.kill() for r in receivers if r.process.poll() is None])
        port = stack.enter_context(haproxy(receivers, "send-proxy-v2"))
        load = Load(port)
        try:
            load.wait_for(300)
            shares = [len(r.stored()) for r in receivers]
            receivers[0].process.send_signal(how)
            receivers[0].process.wait(timeout=30)
            load.wait_for(len(load.answered) + 300)
        finally:
            load.stop()
        expect(True, min(shares) > 0, f"both had a share: {shares}")
        expect(CLIENTS, sorted(set(load.answered.values())), "clients that had an answer")
        compare(receivers, load.answered)
        if how == signal.SIGTERM:
            expect(0, receivers[0].process.returncode, "status after SIGTERM")
            expect([], receivers[0].unfinished(), "files half-written")
        receivers[1].stop()


def ended():
    """HAProxy with send-proxy-v2: one of two 02_receive ends with SIGTERM under load; no message answered is lost"""
    one_ends(signal.SIGTERM)


def killed():
    """HAProxy with send-proxy-v2: one of two 02_receive is killed under load; no message answered is lost"""
    one_ends(signal.SIGKILL)


def formats():
    """HAProxy with send-proxy, and with TLVs and a checksum: the headers of both versions are read"""
    for version, words in (("1", "send-proxy"), ("any", "send-proxy"), ("any", "send-proxy-v2"), ("2", "send-proxy-v2"),
                           ("2", "send-proxy-v2 proxy-v2-options unique-id,crc32c"), ("2", "send-proxy-v2 check-send-proxy")):
        with Receiver("--proxy", version, one_each=False) as receiver, haproxy([receiver], words) as port:
            with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=60, source_address=("127.0.0.9", 0)) as server:
                server.sendmail(SENDER, [f"a@{DOMAIN}"], message("one"))
            stored = receiver.stored()
            expect(["127.0.0.9"], [client_of(s) for s in stored], f"the client, with {words}")


def exchange(port, octets):
    """All that a server says to these octets."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as channel:
        channel.sendall(octets)
        channel.shutdown(socket.SHUT_WR)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while part := channel.recv(4096):
                said += part
        return said


def strangers():
    """Who comes without a header, or with a bad one, hears nothing; and without --proxy a header is no command"""
    with Receiver("--proxy", "any") as receiver:
        # [PROXY-2-08] no octet goes to a peer whose header has not come, or is bad
        for octets in (b"", b"EHLO client.example\r\n", b"PROXY TCP4 192.0.2.1\r\n", b"PROXY UNKNOWN\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2",
                       b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"):
            expect(b"", exchange(receiver.port, octets), f"what is said to {octets!r}")
        for octets in (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", b"PROXY UNKNOWN\r\n", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"):
            expect(b"220 ", exchange(receiver.port, octets)[:4], f"what is said to {octets!r}")
    with Receiver("--proxy", "2") as receiver:
        expect(b"", exchange(receiver.port, b"PROXY UNKNOWN\r\n"), "what is said to the other version")
    with Receiver() as receiver, smtplib.SMTP("127.0.0.1", receiver.port, "client.example", timeout=60) as server:
        # [PROXY-5-01] without --proxy a header is a command that nobody knows
        expect(500, server.docmd("PROXY", "TCP4 192.0.2.1 192.0.2.2 1 2")[0], "the reply to PROXY")
        server.sendmail(SENDER, [f"a@{DOMAIN}"], message("one"))
        expect(["127.0.0.1"], [client_of(s) for s in receiver.stored("a")], "the client")


main(formats, strangers, ended, killed)

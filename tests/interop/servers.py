# SPDX-License-Identifier: BSL-1.0
"""Mail servers of others, each started by a check on free ports of the loopback interface, in a temporary folder that goes with it.

Nothing of a server outlives its `with`, and nothing outside its folder changes. Those that can run without privileges do: where the
check is root, Exim and Dovecot run as `nobody`. Postfix starts only as root, and gives its privileges up itself.

    with Postfix(users=["a"]) as server:
        sent = send(server, ["a@mx.example"], octets, "--no-chunking")
        server.take("a")  # what it stored: a list of messages as octets, without what the server added
"""
import collections
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

from interop import DOMAIN, SENDER, Failed, program, run, send_program, skip

HOST = "localhost"
PASSWORD = "correct horse, battery"
LARGEST = 30 << 20  # SIZE of the servers that offer a limit
PLAIN_USER = "nobody"
EXIM = pathlib.Path(__file__).resolve().parents[2] / "build/interop/exim/usr/sbin/exim4"  # install.sh unpacks it there

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a check that is ended ends its servers


def free_ports(number):
    """Ports that nobody listens on, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def plain_user():
    """The user and group that servers run as: never root."""
    entry = pwd.getpwnam(PLAIN_USER) if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    return entry.pw_uid, entry.pw_gid


def maildir_files(folder):
    return sorted((path for part in ("new", "cur") for path in (folder / part).glob("*")), key=lambda p: p.stat().st_mtime_ns)


def cut_fields(content, *patterns, end=b"\r\n"):
    """What follows the header fields that a server put on top; each of them has to be there."""
    for pattern in patterns:
        match = re.match(pattern + rb":(?:[^\r\n]|" + end + rb"[ \t])*" + end, content)
        if not match:
            raise Failed(f"no {pattern.decode()} field on top of {content[:300]!r}")
        content = content[match.end():]
    return content


class Server:
    """A server in a temporary folder. `port` is its main one; `address()` is what a client is told."""

    lmtp = False

    def __init__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix=f"ehlo-{type(self).__name__.lower()}-")
        self.folder = pathlib.Path(self.scratch.name)
        self.folder.chmod(0o755)
        self.ca = self.folder / "ca.pem"
        self.process = None

    def address(self, port=None, host=HOST):
        return f"{host}:{port or self.port}"

    def make_certificate(self):
        """An authority of our own, and a certificate for localhost by it."""
        openssl, at = program("openssl"), self.folder
        (at / "names").write_text(f"subjectAltName=DNS:{HOST},IP:127.0.0.1\n")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run([openssl, "req", "-x509", *new, "-keyout", at / "ca.key", "-out", self.ca, "-subj", "/CN=Test CA", "-days", "2"])
        run([openssl, "req", *new, "-keyout", at / "key.pem", "-out", at / "cert.csr", "-subj", f"/CN={HOST}"])
        run([openssl, "x509", "-req", "-in", at / "cert.csr", "-CA", self.ca, "-CAkey", at / "ca.key", "-CAcreateserial", "-days", "2",
             "-extfile", at / "names", "-out", at / "cert.pem"])
        (at / "key.pem").chmod(0o644)  # a key for an hour, which servers read as whoever they are

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def own_folder(self, name):
        """A folder that belongs to whom the server runs as."""
        path = self.folder / name
        path.mkdir(parents=True)
        os.chown(path, *plain_user())
        return path

    def spawn(self, command, plain=True, env=None, **words):
        """Starts the server, in a session of its own so that what it starts can be ended with it."""
        if plain and os.getuid() == 0:
            uid, gid = plain_user()
            words |= {"user": uid, "group": gid, "extra_groups": []}
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            start_new_session=True, cwd=self.folder, env=os.environ | (env or {}), **words)

    def wait_for(self, *ports, seconds=20):
        """Waits until each port is open, and the first of them says something."""
        end = time.monotonic() + seconds
        for port in ports:
            while True:
                try:
                    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as probe:
                        if port != ports[0] or probe.recv(1):
                            break
                    raise OSError("it is closed at once")
                except OSError as why:
                    ended = self.process.poll()
                    if ended is not None or time.monotonic() > end:
                        raise Failed(f"{type(self).__name__}: port {port}: {why}, status {ended}\n{self.logs()}") from None
                    time.sleep(0.02)

    def logs(self):
        """The end of what the server wrote down."""
        files = [self.folder / "output", *self.folder.rglob("*log")]
        return "".join(path.read_text("utf-8", "replace")[-3000:] for path in files if path.is_file())

    def until(self, ready, what, seconds=60):
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end:
                raise Failed(f"{type(self).__name__}: {what} takes over {seconds} s\n{self.logs()}")
            time.sleep(0.02)

    def settle(self):
        """Waits until all that the server has taken lies where it is to lie."""

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                pass
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)  # its session: what it left behind
            except ProcessLookupError:
                pass
            self.process.wait()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
        finally:
            self.scratch.cleanup()


class Postfix(Server):
    """Postfix with a configuration, queue and mailboxes of its own.

    `users` have mailboxes; `later` are refused with 450, all others with 550. `port` offers all that Postfix has; `bare_port` no
    extension but the enhanced codes; `tls_port` speaks TLS from the start; `auth_port` takes mail for everywhere, after AUTH by
    the SASL service of a Dovecot (`sasl`, the path of its socket), and throws what is not for its own users away.
    """

    def __init__(self, users=(), later=(), sasl=None):
        self.master = program("postfix")
        if os.getuid() != 0:
            skip("Postfix starts only as root")
        super().__init__()
        self.users, self.later, self.sasl = users, later, sasl
        self.port, self.bare_port, self.tls_port, self.auth_port = free_ports(4)

    def start(self):
        self.make_certificate()
        at = self.folder
        self.mail = self.own_folder("mail")
        (at / "queue").mkdir()
        (at / "data").mkdir()
        shutil.chown(at / "data", "postfix")
        self.write("users", "".join(f"{user}@{DOMAIN} {user}/\n" for user in self.users))
        self.write("later", "".join(f"{user}@{DOMAIN} 450 4.2.1 Try again later\n" for user in self.later))
        uid, gid = plain_user()
        (at / "etc").mkdir()
        self.write("etc/main.cf", f"""
compatibility_level = 3.6
queue_directory = {at}/queue
data_directory = {at}/data
maillog_file = {at}/log
maillog_file_prefixes = {at}
myhostname = {DOMAIN}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
mydestination =
alias_maps =
alias_database =
# Nothing leaves, and nobody is asked for a name.
default_transport = discard
smtpd_peername_lookup = no
fast_flush_domains =
notify_classes =
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = texthash:{at}/users
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_mailbox_limit = 0
# Postfix adds missing fields, and rewrites addresses, for clients on its own interfaces; for these it shall not.
local_header_rewrite_clients =
message_size_limit = {LARGEST}
smtputf8_enable = yes
smtpd_recipient_restrictions = check_recipient_access texthash:{at}/later, reject_unauth_destination
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 2000
smtpd_hard_error_limit = 2000
smtpd_tls_security_level = may
smtpd_tls_cert_file = {at}/cert.pem
smtpd_tls_key_file = {at}/key.pem
smtpd_tls_session_cache_database =
smtpd_sasl_type = dovecot
smtpd_sasl_path = {self.sasl or 'smtpd'}
""")
        bare = "smtpd_discard_ehlo_keywords=pipelining,chunking,8bitmime,smtputf8,dsn,size,starttls,vrfy,etrn"
        auth = "" if not self.sasl else f"""
127.0.0.1:{self.auth_port} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject"""
        self.write("etc/master.cf", f"""
127.0.0.1:{self.port} inet n - n - - smtpd
127.0.0.1:{self.bare_port} inet n - n - - smtpd
  -o {bare}
127.0.0.1:{self.tls_port} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes{auth}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
""")
        self.spawn([self.master, "-c", at / "etc", "start-fg"], plain=False)
        self.wait_for(self.port, self.bare_port, self.tls_port, *([self.auth_port] if self.sasl else []))

    def settle(self):
        """What is accepted is in the queue until it is delivered, and the queue is listed as a line for each message."""
        listing = [program("postqueue"), "-c", self.folder / "etc", "-j"]
        self.until(lambda: not run(listing), "the queue")

    def sessions(self):
        """How many of each command a session had, for each session that has ended: {"ehlo": 1, "mail": 1, "bdat": 3, ...}"""
        text = (self.folder / "log").read_text("utf-8", "replace")
        return [{name: int(n) for name, n in re.findall(r"(\w+)=(?:\d+/)?(\d+)", line)}
                for line in re.findall(r"disconnect from \S+ (.*)", text)]

    def take(self, user):
        """Postfix stores lines that end in LF, under Return-Path, X-Original-To and Delivered-To of virtual(8) and Received of its
        server. Whatever the client had in lines comes back by exactly this: without these four, each LF a CRLF."""
        self.settle()
        out = []
        for path in maildir_files(self.mail / user):
            rest = cut_fields(path.read_bytes(), b"Return-Path", b"X-Original-To", b"Delivered-To", b"Received", end=b"\n")
            if b"\r" in rest:
                raise Failed(f"a CR in what Postfix stored: {rest[:300]!r}")
            out.append(rest.replace(b"\n", b"\r\n"))
            path.unlink()
        return out

    def stop(self):
        if self.process and self.process.poll() is None:
            subprocess.run([self.master, "-c", self.folder / "etc", "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
                           check=False)
        super().stop()


class Sent:
    """What a client program said: its status, its verdict on each recipient in the order given, and its errors."""

    def __init__(self, done):
        self.status, self.errors = done.returncode, done.stderr.decode("utf-8", "replace")
        self.text = done.stdout.decode("utf-8", "replace")
        lines = [re.fullmatch(r"<(.*)> (delivered|refused|deferred|not sent|unknown): (.*)", line) for line in self.text.splitlines()]
        if None in lines:
            raise Failed(f"what is this line? {self.text}")
        self.recipients = [line[1] for line in lines]
        self.verdicts = [line[2] for line in lines]
        self.reasons = [line[3] for line in lines]


def send(server, recipients, octets, *options, sender=SENDER, status=0, address=None):
    """Sends by 03_send, or what stands for it: see interop.send_program(). It has to end with `status` (None: any)."""
    command = [*send_program(), "--server", address or server.address(), "--from", sender, "--hostname", "client.example"]
    for recipient in recipients:
        command += ["--to", recipient]
    if server.ca.exists() and "--ca" not in options:
        command += ["--ca", server.ca]
    if server.lmtp:
        command += ["--lmtp"]
    message = server.folder / "message-to-send"
    message.write_bytes(octets)
    done = subprocess.run([str(word) for word in [*command, *options, message]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120, check=False)
    message.unlink()
    if status is not None and done.returncode != status:
        raise Failed(f"sending {octets[:40]!r} ended with status {done.returncode} and not {status}:\n"
                     f"{done.stdout[-1500:].decode('utf-8', 'replace')}{done.stderr[-1500:].decode('utf-8', 'replace')}")
    return Sent(done)

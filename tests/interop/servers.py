# SPDX-License-Identifier: BSL-1.0
"""Mail servers of others, each started by a check on free ports of the loopback interface, in a temporary folder that goes with it.

Nothing of a server outlives its `with`, and nothing outside its folder changes. Those that can run without privileges do: where the
check is root, Exim and Dovecot run as `nobody`. Postfix starts only as root, and gives its privileges up itself.

    with Postfix(users=["a"]) as server:
        sent = send(server, ["a@mx.example"], octets, "--no-chunking")
        server.take("a")  # what it stored: a list of messages as octets, without what the server added
"""
import collections
import functools
import json
import os
import pathlib
import pwd
import re
import select
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


def return_path(content):
    return re.match(rb"(?i)Return-Path:[ \t]*([^\r\n]*)", content)[1].decode("utf-8", "surrogateescape")


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
        self.return_paths = []  # of what `take` gave last, where the server stores them

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

    def keeps(self, octets):
        """What `take` gives for a message that was sent; where that is not the message itself, the server's class says why."""
        return octets

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
        """What is accepted is in the queue until it is delivered, and the queue is listed as a line for each message. One listing can
        miss a message that moves from a folder to another meanwhile."""
        listing = [program("postqueue"), "-c", self.folder / "etc", "-j"]
        self.until(lambda: not run(listing) and not run(listing), "the queue")

    def sessions(self):
        """How many of each command a session had, for each session that has ended: {"ehlo": 1, "mail": 1, "bdat": 3, ...}"""
        text = (self.folder / "log").read_text("utf-8", "replace")
        return [{name: int(n) for name, n in re.findall(r"(\w+)=(?:\d+/)?(\d+)", line)}
                for line in re.findall(r"disconnect from \S+ (.*)", text)]

    def take(self, user):
        """Postfix stores lines that end in LF, under Return-Path, X-Original-To and Delivered-To of virtual(8) and Received of its
        server. Whatever the client had in lines comes back by exactly this: without these four, each LF a CRLF."""
        self.settle()
        self.return_paths, out = [], []
        for path in maildir_files(self.mail / user):
            content = path.read_bytes()
            rest = cut_fields(content, b"Return-Path", b"X-Original-To", b"Delivered-To", b"Received", end=b"\n")
            if b"\r" in rest:
                raise Failed(f"a CR in what Postfix stored: {rest[:300]!r}")
            self.return_paths.append(return_path(content))
            out.append(rest.replace(b"\n", b"\r\n"))
            path.unlink()
        return out

    def stop(self):
        """The process that was started is a shell that waits for master(8), which ends all others."""
        pid = self.folder / "queue/pid/master.pid"
        if self.process and self.process.poll() is None and pid.exists() and pid.read_text().strip():
            os.kill(int(pid.read_text()), signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.kill(int(pid.read_text()), signal.SIGKILL)
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


@functools.cache
def client():
    command = send_program()
    print(f"      sending by {pathlib.Path(command[-1]).name}", flush=True)
    return command


def send(server, recipients, octets, *options, sender=SENDER, status=0, address=None):
    """Sends by 03_send, or what stands for it: see interop.send_program(). It has to end with `status` (None: any)."""
    command = [*client(), "--server", address or server.address(), "--from", sender, "--hostname", "client.example"]
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


class Exim(Server):
    """Exim as a user without privileges, from wherever it was unpacked.

    Debian's looks for its own user by name, which nss_wrapper answers. `users` have mailboxes; `later` are refused with 450, all
    others with 550. `port` has STARTTLS, `tls_port` TLS from the start. A `bare` one offers none of PIPELINING, CHUNKING, 8BITMIME,
    SMTPUTF8, DSN and STARTTLS, and gives no limit with SIZE. "alice" may authenticate with PASSWORD.
    """

    def __init__(self, users=(), later=(), bare=False):
        places = [EXIM, pathlib.Path("/usr/sbin/exim4"), pathlib.Path("/usr/sbin/exim")]
        self.exim = next((place for place in places if place.exists()), None) or skip("Exim is not installed")
        super().__init__()
        self.users, self.later, self.bare = users, later, bare
        self.port, self.tls_port = free_ports(2)

    def start(self):
        self.make_certificate()
        at = self.folder
        self.mail = self.own_folder("mail")
        self.own_folder("spool")
        self.own_folder("logs")
        uid, gid = plain_user()
        self.write("passwd", f"root:x:0:0::/:/bin/false\nDebian-exim:x:{uid}:{gid}::/:/bin/false\n")
        self.write("group", f"root:x:0:\nDebian-exim:x:{gid}:\n")
        binary = shutil.copyfile(self.exim, at / "exim")  # which is not setuid, as the one of the package is
        binary.chmod(0o755)
        self.environment = {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": f"{at}/passwd", "NSS_WRAPPER_GROUP": f"{at}/group"}
        self.write("users", "".join(f"{user}: {user}\n" for user in self.users))
        self.write("later", "".join(f"{user}:\n" for user in self.later))
        whom = "" if self.bare else "*"
        self.write("exim.conf", f"""
primary_hostname = {DOMAIN}
spool_directory = {at}/spool
log_file_path = {at}/logs/%slog
log_selector = +pipelining +smtp_no_mail
pid_file_path = {at}/spool/exim.pid
exim_path = {binary}
keep_environment = {" : ".join(self.environment)}
deliver_drop_privilege = true
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port} : {self.tls_port}
tls_on_connect_ports = {self.tls_port}
tls_certificate = {at}/cert.pem
tls_privatekey = {at}/key.pem
tls_advertise_hosts = {whom}
host_lookup =
helo_allow_chars = _
smtp_accept_max_per_connection = 0
smtp_accept_queue_per_connection = 0
smtp_max_unknown_commands = 100
message_size_limit = {0 if self.bare else LARGEST}
pipelining_advertise_hosts = {whom}
chunking_advertise_hosts = {whom}
smtputf8_advertise_hosts = {whom}
dsn_advertise_hosts = {whom}
prdr_enable = false
accept_8bitmime = {"false" if self.bare else "true"}
acl_smtp_rcpt = recipient
acl_smtp_data = accept

begin acl
recipient:
  defer message = 450 4.2.1 Try again later
        local_parts = lsearch;{at}/later
  accept domains = {DOMAIN}
         local_parts = lsearch;{at}/users
  deny message = 5.1.1 Who is that?

begin routers
all:
  driver = accept
  transport = mailbox

begin transports
mailbox:
  driver = appendfile
  maildir_format
  directory = {self.mail}/${{lookup{{$local_part}}lsearch{{{at}/users}}}}
  use_crlf
  return_path_add
  message_prefix =
  message_suffix =

begin authenticators
PLAIN:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{alice}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_advertise_condition = ${{if def:tls_in_cipher}}
LOGIN:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| User Name: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{alice}}}}{{eq{{$auth2}}{{{PASSWORD}}}}}}}}}
  server_advertise_condition = ${{if def:tls_in_cipher}}
CRAM:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{if eq{{$auth1}}{{alice}}{{{PASSWORD}}}fail}}
""")
        self.spawn([binary, "-C", at / "exim.conf", "-bdf", "-q1h"], env=self.environment)
        self.wait_for(self.port, self.tls_port)

    def keeps(self, octets):
        """Exim ends a header section with an empty line, which a message of zero octets has not."""
        return octets or b"\r\n"

    def settle(self):
        self.until(lambda: not any((self.folder / "spool/input").rglob("*-?")), "the queue")

    def take(self, user):
        """Exim stores lines that end in CRLF when told to, under Return-path of the delivery and Received of its server."""
        self.settle()
        self.return_paths, out = [], []
        for path in maildir_files(self.mail / user):
            content = path.read_bytes()
            self.return_paths.append(return_path(content))
            out.append(cut_fields(content, b"Return-path", b"Received"))
            path.unlink()
        return out


class Dovecot(Server):
    """Dovecot as a user without privileges: LMTP, submission, IMAP, POP3, and a SASL service for Postfix.

    `users` have mailboxes and PASSWORD; the mailbox of each of `full` is over its quota, which LMTP finds out when it has the
    message; the one of each of `broken` cannot be opened; all others are unknown. Mail that is submitted goes to `relay`, a port.
    Mailboxes lie in `mail` (a folder with a Maildir for each user), or in a folder of its own.
    """

    lmtp = True

    @staticmethod
    def installed():
        parts = [pathlib.Path("/usr/lib/dovecot", part) for part in ("lmtp", "submission", "imap", "pop3")]
        return shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin") and all(part.exists() for part in parts)

    def __init__(self, users=(), full=(), broken=(), relay=None, mail=None):
        self.dovecot = self.installed() and program("dovecot") or skip("Dovecot is not installed, or not all of it")
        super().__init__()
        self.users, self.full, self.broken, self.relay, self.mail = users, full, broken, relay, mail
        self.port, self.submission_port, self.submissions_port, self.imap_port, self.pop3_port = free_ports(5)
        self.sasl = self.folder / "sasl/auth"

    def start(self):
        self.make_certificate()
        at = self.folder
        self.own_folder("run")
        self.own_folder("sasl")
        self.own_folder("logs")
        self.mail = self.mail or self.own_folder("mail")
        uid, gid = plain_user()
        user, group = pwd.getpwuid(uid).pw_name, subprocess.check_output(["id", "-gn", str(uid)], text=True).strip()
        who = f"user = {user}\n  group = {group}\n  chroot ="
        lines = [f"{name}:{{PLAIN}}{PASSWORD}:{uid}:{gid}::{at}::" for name in (*self.users, *self.full, *self.broken)]
        for n, name in enumerate((*self.users, *self.full, *self.broken)):
            if name in self.full:
                lines[n] += "userdb_quota_rule=*:bytes=1"
            if name in self.broken:
                lines[n] += "userdb_mail=maildir:/dev/null/x"
        self.write("users", "\n".join(lines) + "\n")
        relay = "" if not self.relay else f"submission_relay_host = 127.0.0.1\nsubmission_relay_port = {self.relay}"
        self.write("dovecot.conf", f"""
base_dir = {at}/run
state_dir = {at}/run
log_path = {at}/logs/log
protocols = lmtp submission imap pop3
hostname = {DOMAIN}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
listen = 127.0.0.1
ssl = yes
ssl_cert = <{at}/cert.pem
ssl_key = <{at}/key.pem
auth_mechanisms = plain login cram-md5 scram-sha-256
auth_username_format = %Ln
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = {at}/users
}}
userdb {{
  driver = passwd-file
  args = {at}/users
}}
mail_location = maildir:{self.mail}/%n
mail_save_crlf = yes
mail_fsync = never
lmtp_hdr_delivery_address = none
plugin {{
  quota = count:User quota
  quota_vsizes = yes
}}
protocol lmtp {{
  mail_plugins = quota
}}
{relay}
submission_max_mail_size = {LARGEST}
service lmtp {{
  {who}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.port}
  }}
  unix_listener lmtp {{
    mode = 0
  }}
}}
service submission-login {{
  {who}
  inet_listener submission {{
    port = {self.submission_port}
  }}
  inet_listener submissions {{
    port = {self.submissions_port}
    ssl = yes
  }}
}}
service imap-login {{
  {who}
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  {who}
  inet_listener pop3 {{
    port = {self.pop3_port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service auth {{
  {who}
  unix_listener {self.sasl} {{
    mode = 0666
  }}
}}
""" + "".join(f"service {name} {{\n  {who}\n}}\n" for name in
              ("anvil", "auth-worker", "config", "dict", "imap", "log", "pop3", "stats", "submission")))
        self.spawn([self.dovecot, "-F", "-c", at / "dovecot.conf"])
        self.wait_for(self.port, self.submission_port, self.submissions_port, self.imap_port, self.pop3_port)

    def take(self, user):
        """Dovecot stores lines that end in CRLF when told to, under Return-Path and Received of its LMTP server."""
        self.return_paths, out = [], []
        for path in maildir_files(pathlib.Path(self.mail) / user):
            content = path.read_bytes()
            self.return_paths.append(return_path(content))
            out.append(cut_fields(content, b"Return-Path", b"Received"))
            path.unlink()
        return out


class Aiosmtpd(Server):
    """aiosmtpd, in a program of its own: SIZE, and where asked for 8BITMIME (without `decode_data`), SMTPUTF8, STARTTLS, and AUTH with
    PLAIN and LOGIN for `user` with PASSWORD. It never has PIPELINING, CHUNKING or DSN. With `no_ehlo` it knows HELO only."""

    def __init__(self, users=(), later=(), decode_data=False, smtputf8=True, tls=False, user=None, size=LARGEST, no_ehlo=False):
        self.python = next((found for name in (sys.executable, "/usr/bin/python3") if (found := shutil.which(name)) and subprocess.run(
            [found, "-c", "import aiosmtpd"], stderr=subprocess.DEVNULL, check=False).returncode == 0), None)
        if not self.python:
            skip("aiosmtpd is not installed")
        super().__init__()
        self.port, = free_ports(1)
        self.tls = tls
        self.asked = {"users": users, "later": later, "decode_data": decode_data, "smtputf8": smtputf8, "user": user, "size": size,
                      "password": PASSWORD, "no_ehlo": no_ehlo, "port": self.port, "hostname": DOMAIN, "certificate": None, "key": None}

    def start(self):
        if self.tls:
            self.make_certificate()
            self.asked |= {"certificate": str(self.folder / "cert.pem"), "key": str(self.folder / "key.pem")}
        self.mail = self.own_folder("mail")
        self.asked["mail"] = str(self.mail)
        program_text = pathlib.Path(__file__).with_name("aiosmtpd_server.py").read_text()  # a folder that the user may not read
        self.spawn([self.python, "-B", "-c", program_text, json.dumps(self.asked)])
        self.wait_for(self.port)

    def take(self, user):
        out = []
        for path in sorted((self.mail / user).glob("*")):
            out.append(path.read_bytes())
            path.unlink()
        return out


class Collector(Server):
    """A server of our own, in a thread: it keeps what it gets, and how it came. `offers` are the lines of its EHLO reply; a recipient
    whose local-part begins with `refused` gets 550, with `later` 450. It is what a Dovecot relays to.

    `verbs` are the commands of all sessions. A `patient` one waits a little before it answers MAIL, and notes in `ahead` whether the
    client did not.
    """

    ALL = ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", f"SIZE {LARGEST}")

    def __init__(self, offers=ALL, lmtp=False, patient=False):
        super().__init__()
        self.offers, self.lmtp, self.patient = offers, lmtp, patient
        self.mail, self.envelopes, self.last_sender = collections.defaultdict(list), [], None
        self.verbs, self.ahead = [], []

    def start(self):
        collector = self

        class Session(socketserver.BaseRequestHandler):
            def handle(self):
                collector.session(self.request)

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self.server = Threads(("127.0.0.1", 0), Session)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        if hasattr(self, "server"):
            self.server.shutdown()
            self.server.server_close()

    def take(self, user):
        return self.mail.pop(user, [])

    def session(self, connection):
        """One client, until it goes."""
        connection.settimeout(60)
        buffer, sender, recipients, octets = b"", None, [], b""

        def say(code, text):
            connection.sendall(f"{code} {text}\r\n".encode())

        def more():
            nonlocal buffer
            if not (got := connection.recv(1 << 16)):
                raise EOFError
            buffer += got

        def line(until=b"\r\n"):
            nonlocal buffer
            while until not in buffer:
                more()
            out, buffer = buffer.split(until, 1)
            return out

        def store():
            nonlocal sender, recipients, octets
            self.envelopes.append((sender, recipients[:]))
            self.last_sender = sender
            for _ in recipients if self.lmtp else recipients[:1]:
                say(250, "2.0.0 Kept")
            for path in recipients:
                self.mail[re.match(r"<([^@>]*)", path)[1]].append(octets)
            sender, recipients, octets = None, [], b""

        say(220, f"{DOMAIN} here")
        try:
            while True:
                command = line().decode("utf-8", "surrogateescape")
                verb, _, rest = command.partition(" ")
                verb = verb.upper()
                self.verbs.append(verb)
                if verb in ("EHLO", "LHLO"):
                    words = [DOMAIN, *self.offers]
                    connection.sendall("".join(f"250{' ' if n + 1 == len(words) else '-'}{word}\r\n"
                                               for n, word in enumerate(words)).encode())
                elif verb == "MAIL":
                    sender = rest.removeprefix("FROM:")
                    if self.patient:
                        self.ahead.append(bool(buffer or select.select([connection], [], [], 0.3)[0]))
                    say(250, "2.1.0 OK")
                elif verb == "RCPT" and rest[3:].startswith("<refused"):
                    say(550, "5.1.1 Who is that?")
                elif verb == "RCPT" and rest[3:].startswith("<later"):
                    say(450, "4.2.1 Try again later")
                elif verb == "RCPT":
                    recipients.append(rest.removeprefix("TO:"))
                    say(250, "2.1.5 OK")
                elif verb == "DATA" and not recipients:
                    say(503, "5.5.1 For whom?")
                elif verb == "DATA":
                    say(354, "Go on")
                    buffer = b"\r\n" + buffer  # the line end before the text: with it, an empty message ends like any other
                    text = line(b"\r\n.\r\n")
                    octets = re.sub(rb"(?m)^\.", b"", text[2:] + b"\r\n") if text else b""
                    store()
                elif verb == "BDAT":
                    size = int(rest.split()[0])
                    while len(buffer) < size:
                        more()
                    octets, buffer = octets + buffer[:size], buffer[size:]
                    if not recipients:
                        octets = b""
                        say(503, "5.5.1 For whom?")
                    elif rest.upper().endswith(" LAST"):
                        store()
                    else:
                        say(250, "2.0.0 More")
                elif verb == "QUIT":
                    say(221, "2.0.0 Bye")
                    return
                elif verb in ("RSET", "NOOP", "HELO"):
                    sender, recipients, octets = (None, [], b"") if verb == "RSET" else (sender, recipients, octets)
                    say(250, "2.0.0 OK")
                else:
                    say(500, "5.5.2 What?")
        except (EOFError, OSError):
            pass

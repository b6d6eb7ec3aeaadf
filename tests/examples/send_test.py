#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What 03_send does, seen from outside, with servers that play a script and with 02_receive. EHLO_SEND and EHLO_RECEIVE name the
programs; run.sh sets both."""

import contextlib
import email
import email.policy
import email.utils
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

SEND = os.environ.get('EHLO_SEND', '03_send')
RECEIVE = os.environ.get('EHLO_RECEIVE', '02_receive')
WAIT = 30  # seconds that nothing here should take
MESSAGE = b'Subject: x\r\n\r\n.text\r\n'


class Script:
    """A server on a free port of 127.0.0.1 that plays its steps to the first client: octets are sent, a string is a line that has to
    come, `...` reads to the end of mail data, a function is called, a context of TLS shakes hands,
    None closes. `wrong` tells what came instead."""

    def __init__(self, *steps, address='127.0.0.1'):
        self.steps, self.wrong, self.lines = steps, None, []
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.play)
        self.thread.start()

    def play(self):
        self.listener.settimeout(WAIT)
        try:
            client, _ = self.listener.accept()
        except OSError:
            self.wrong = 'nobody came'
            return
        client.settimeout(WAIT)
        with client, client.makefile('rb') as octets, contextlib.ExitStack() as tls:
            for step in self.steps:
                if step is None:
                    return
                if isinstance(step, bytes):
                    client.sendall(step)
                elif callable(step):
                    step()
                elif isinstance(step, ssl.SSLContext):
                    try:
                        client = tls.enter_context(step.wrap_socket(client, server_side=True))
                    except OSError:
                        self.wrong = 'no TLS'
                        return
                    octets = tls.enter_context(client.makefile('rb'))
                elif step is ...:
                    self.data = b''
                    while not self.data.endswith(b'\r\n.\r\n') and self.data != b'.\r\n':
                        line = octets.readline()
                        if not line:
                            self.wrong = 'the end within mail data'
                            return
                        self.data += line
                else:
                    line = octets.readline().decode().rstrip('\r\n')
                    self.lines.append(line)
                    if not re.fullmatch(step, line):
                        self.wrong = f'{line!r} and not {step!r}'
                        return
            left = octets.read()
            if left not in (b'', b'QUIT\r\n'):
                self.wrong = f'{left!r} behind the script'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join()


GREETED = (b'220 mx.example ESMTP\r\n', 'EHLO .*', b'250-mx.example\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n')
TO_DATA = (*GREETED, 'MAIL FROM:<a@client.example>.*', b'250 2.1.0 ok\r\n', r'RCPT TO:<b@mx.example>', b'250 2.1.5 ok\r\n', 'DATA',
           b'354 go\r\n')
BYE = ('QUIT', b'221 2.0.0 bye\r\n')


class Sent:
    def __init__(self, done):
        self.status, self.out, self.errors = done.returncode, done.stdout.decode(), done.stderr.decode()


def send(port, *options, octets=MESSAGE, to=('b@mx.example',), sender='a@client.example', file='-', host='127.0.0.1', environment=None):
    words = [SEND, '--server', f'{host}:{port}', '--tls', 'never', '--hostname', 'client.example', '--from', sender]
    for each in to:
        words += ['--to', each]
    return Sent(subprocess.run([*words, *options, file], input=octets, capture_output=True, timeout=WAIT, env=environment))


class CommandLine(unittest.TestCase):
    def test_help_names_every_option_and_succeeds(self):
        out = subprocess.run([SEND, '--help'], capture_output=True, timeout=WAIT)
        self.assertEqual((out.returncode, out.stderr), (0, b''))
        for option in ['server', 'from', 'to', 'tls', 'ca', 'user', 'password-file', 'mechanism', 'lmtp', 'hostname', 'all-or-nothing',
                       'notify', 'ret', 'envid', 'subject', 'cc', 'normalize', 'no-pipelining', 'no-chunking', 'verbose', 'help']:
            self.assertIn(f'--{option}', out.stdout.decode())

    def test_a_wrong_argument_is_explained_and_ends_the_program_with_64(self):
        good = ['--server', 'mx.example:25', '--from', 'a@b.example', '--to', 'c@d.example']
        for words, said in [
            ([*good], 'FILE is missing'),
            ([*good, 'x', 'y'], "'y'"),
            (good[2:] + ['x'], '--server is missing'),
            (good[:2] + good[4:] + ['x'], '--from is missing'),
            (good[:4] + ['x'], '--to is missing'),
            ([*good, '--nonsense', 'x'], 'nonsense'),
            ([*good, '--server', '[::1', 'x'], 'HOST:PORT'),
            ([*good, '--server', 'mx:', 'x'], 'HOST:PORT'),
            ([*good, '--server', '[::1]junk', 'x'], 'HOST:PORT'),
            ([*good, '--server', '[127.0.0.1]junk:25', 'x'], 'HOST:PORT'),
            ([*good, '--server', '[]:25', 'x'], 'HOST:PORT'),
            ([*good, '--server', 'mx:0', 'x'], "'0'"),
            ([*good, '--server', '127.0.0.1:65561', 'x'], "'65561'"),
            ([*good, '--server', '[::1]:+25', 'x'], "'+25'"),
            ([*good, '--tls', 'perhaps', 'x'], "'perhaps'"),
            ([*good, '--mechanism', 'ROT13', 'x'], "'ROT13'"),
            ([*good, '--mechanism', 'PLAIN', 'x'], '--user'),
            ([*good, '--hostname', 'a..b', 'x'], 'octet 2'),
            ([*good, '--notify', 'sometimes', 'x'], '--notify'),
            ([*good, '--ret', 'some', 'x'], '--ret'),
            ([*good, '--envid', 'x' * 101, 'x'], '--envid'),
            ([*good, '--user', 'me', 'x'], '--password-file'),
            ([*good, '--to', 'nobody', '/dev/null'], 'nobody'),
            ([*good, '--to', 'a@b\r\nRSET', '/dev/null'], 'octet'),
            ([*good, '--subject', 'a\r\nBcc: x@y', '/dev/null'], 'header'),
            (good[:2] + ['--from', '<>'] + good[4:] + ['--subject', 'x', '/dev/null'], 'author'),
        ]:
            with self.subTest(words=words):
                out = subprocess.run([SEND, *words], capture_output=True, timeout=WAIT)
                self.assertEqual((out.returncode, out.stdout), (64, b''))
                self.assertIn(said, out.stderr.decode())

    def test_what_cannot_be_read_ends_it_with_66(self):
        good = ['--server', '127.0.0.1:1', '--from', 'a@b.example', '--to', 'c@d.example']
        for words in [['/nonexistent'], ['/'], ['--ca', '/nonexistent', '/dev/null'],
                      ['--user', 'me', '--password-file', '/nonexistent', '/dev/null'],
                      ['--user', 'me', '--password-file', '/dev/null', '/dev/null']]:
            with self.subTest(words=words):
                out = subprocess.run([SEND, *good, *words], capture_output=True, timeout=WAIT)
                self.assertEqual((out.returncode, out.stdout), (66, b''))
                self.assertNotEqual(out.stderr, b'')
        for size, status in [(16383, 75), (16384, 66)]:  # of a password; nobody listens
            with tempfile.NamedTemporaryFile() as password:
                password.write(b'x' * size + b'\n')
                password.flush()
                out = subprocess.run([SEND, *good, '--user', 'me', '--password-file', password.name, '/dev/null'], capture_output=True,
                                     timeout=WAIT)
                self.assertEqual((out.returncode, b'too long' in out.stderr), (status, status == 66))
        for size in [2000, 100000]:  # of a copy that may have 1000 octets; the signal that this sends is ignored here
            out = subprocess.run([SEND, *good, '-'], input=b'x' * size, capture_output=True, timeout=WAIT, restore_signals=False,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
            self.assertEqual((out.returncode, out.stdout), (66, b''))
            self.assertIn('too large', out.stderr.decode())


class Verdicts(unittest.TestCase):
    def check(self, steps, status, out, *options, said='', **words):
        with Script(*steps) as server:
            sent = send(server.port, *options, **words)
        self.assertIsNone(server.wrong)
        self.assertEqual((sent.status, sent.out), (status, out), sent.errors)
        self.assertIn(said, sent.errors)
        return server

    def test_a_delivery_is_told_with_the_reply(self):
        server = self.check((*TO_DATA, ..., b'250-2.0.0 kept\r\n250 2.0.0 as 7\r\n', *BYE), 0,
                            '<b@mx.example> delivered: 250 2.0.0 kept as 7\n')
        self.assertEqual(server.data, b'Subject: x\r\n\r\n..text\r\n.\r\n')

    def test_a_reply_cannot_act_on_the_terminal(self):  # THREATS [T24]
        self.check((*TO_DATA, ..., b'250 2.0.0 \x1b[2J\x07\x9bx\r\n', *BYE), 0, '<b@mx.example> delivered: 250 2.0.0 ?[2J??x\n')

    def test_no_reply_to_the_end_of_mail_data_is_unknown_and_75(self):  # THREATS [T16]
        self.check((*TO_DATA, ..., None), 75, '<b@mx.example> unknown: the channel ended before the reply came\n')

    def test_a_channel_lost_before_the_end_of_mail_data_is_not_sent_and_75(self):
        self.check((*GREETED, 'MAIL FROM:.*', None), 75, '<b@mx.example> not sent: the channel ended before the reply came\n')

    def test_421_is_deferred_at_every_point(self):
        bye = b'421 4.3.2 closing\r\n'
        for steps in [(bye,), (*GREETED[:2], bye), (*GREETED, 'MAIL FROM:.*', bye), (*TO_DATA[:6], bye), (*TO_DATA[:-1], bye),
                      (*TO_DATA, ..., bye)]:
            with self.subTest(steps=steps[-2:]):
                with Script(*steps, None) as server:
                    sent = send(server.port)
                self.assertIsNone(server.wrong)
                self.assertEqual((sent.status, sent.out[:33]), (75, '<b@mx.example> deferred: 421 '[:33] + sent.out[29:33]))

    def test_a_refusal_is_told_with_its_reply_at_every_stage(self):
        for stage, steps in {
            'greeting': (b'554 no service\r\n', *BYE),
            'EHLO': (*GREETED[:2], b'550 5.7.1 not you\r\n', *BYE),
            'MAIL': (*GREETED, 'MAIL FROM:.*', b'530 5.7.0 who are you?\r\n', *BYE),
            'RCPT': (*TO_DATA[:6], b'550 5.1.1 nobody\r\n', 'RSET', b'250 2.0.0 ok\r\n', *BYE),
            'DATA': (*TO_DATA[:-1], b'554 5.7.1 no\r\n', 'RSET', b'250 2.0.0 ok\r\n', *BYE),
            'message': (*TO_DATA, ..., b'552 5.3.4 too much\r\n', *BYE),
        }.items():
            with self.subTest(stage=stage):
                # The session may end with or without RSET before QUIT: what matters here is what is told.
                steps = tuple(step for step in steps if step not in ('RSET', b'250 2.0.0 ok\r\n'))
                with Script(*steps) as server:
                    sent = send(server.port)
                self.assertIn(server.wrong, (None, "'RSET' and not 'QUIT'"))
                self.assertEqual(sent.status, 69, sent.errors)
                self.assertRegex(sent.out, r'\A<b@mx\.example> refused: 5\d\d .*\n\Z')

    def test_a_server_that_breaks_the_protocol_ends_it_with_76(self):
        for steps in [(b'hello\r\n',), (*GREETED, 'MAIL FROM:.*', b'250-a\r\n550 b\r\n'), (*GREETED, 'MAIL FROM:.*', b'354 go\r\n'),
                      (b'220 mx\r\n250 what?\r\n',), (*TO_DATA[:-1], b'250 go\r\n')]:
            with self.subTest(steps=steps[-1:]):
                with Script(*steps, None) as server:
                    sent = send(server.port)
                self.assertEqual(sent.status, 76, sent.errors)
                self.assertRegex(sent.out, r'\A<b@mx\.example> not sent: .*\n\Z')

    def test_each_recipient_has_its_own_verdict(self):
        steps = (*TO_DATA[:6], b'250 2.1.5 ok\r\n', 'RCPT TO:<c@mx.example>', b'550 5.1.1 nobody\r\n', 'RCPT TO:<d@mx.example>',
                 b'450 4.2.1 later\r\n', 'DATA', b'354 go\r\n', ..., b'250 2.0.0 kept\r\n', *BYE)
        self.check(steps, 69, '<b@mx.example> delivered: 250 2.0.0 kept\n<c@mx.example> refused: 550 5.1.1 nobody\n'
                   '<d@mx.example> deferred: 450 4.2.1 later\n', to=('b@mx.example', 'c@mx.example', 'd@mx.example'))

    def test_all_or_nothing_sends_nothing(self):
        steps = (*TO_DATA[:6], b'250 2.1.5 ok\r\n', 'RCPT TO:<c@mx.example>', b'450 4.2.1 later\r\n', 'RSET', b'250 2.0.0 ok\r\n', *BYE)
        with Script(*steps) as server:
            sent = send(server.port, '--all-or-nothing', to=('b@mx.example', 'c@mx.example'))
        self.assertIsNone(server.wrong)
        self.assertEqual(sent.status, 75)
        self.assertRegex(sent.out, r'\A<b@mx\.example> not sent: .*\n<c@mx\.example> deferred: 450 4\.2\.1 later\n\Z')

    def test_helo_after_a_server_that_knows_no_ehlo(self):
        self.check((b'220 old\r\n', 'EHLO .*', b'502 what?\r\n', 'HELO client.example', b'250 old\r\n', 'MAIL FROM:<a@client.example>',
                    b'250 ok\r\n', 'RCPT TO:<b@mx.example>', b'250 ok\r\n', 'DATA', b'354 go\r\n', ..., b'250 kept\r\n', *BYE), 0,
                   '<b@mx.example> delivered: 250 kept\n')

    def test_what_the_server_cannot_take_is_not_begun(self):
        bare = (b'220 mx\r\n', 'EHLO .*', b'250-mx\r\n250 SIZE 100\r\n', *BYE)
        for octets, said in [(b'\xe9\r\n', '8BITMIME'), (b'Subject: \xc3\xa9\r\n\r\n', '8BITMIME'), (b'x' * 99 + b'\r\n', 'size'),
                             (b'a\nb\r\n', 'LF'), (b'x' * 999 + b'\r\n', '1000')]:
            with self.subTest(octets=octets[:10]):
                with Script(*bare) as server:
                    sent = send(server.port, octets=octets)
                self.assertIsNone(server.wrong)
                self.assertEqual(sent.status, 65, sent.errors)
                self.assertRegex(sent.out, r'\A<b@mx\.example> not sent: ')
                self.assertIn(said, sent.errors)

    def test_without_starttls_nothing_is_said_under_required_tls(self):  # THREATS [T11]
        self.check((*GREETED, *BYE), 77, '<b@mx.example> not sent: STARTTLS is not offered\n', '--tls', 'required')

    def test_a_password_is_not_shown_to_a_server_without_tls(self):  # THREATS [T36]
        with tempfile.NamedTemporaryFile() as password:
            password.write(b'secret\n')
            password.flush()
            auth = (b'220 mx\r\n', 'EHLO .*', b'250-mx\r\n250 AUTH PLAIN LOGIN\r\n', *BYE)
            server = self.check(auth, 77, '<b@mx.example> not sent: none of the mechanisms is offered, or not safely\n', '--user', 'me',
                                '--password-file', password.name)
        self.assertEqual(server.lines[-1], 'QUIT')


class Tls(unittest.TestCase):
    WAYS = [('implicit', ()), ('required', (b'220 mx\r\n', 'EHLO .*', b'250-mx\r\n250 STARTTLS\r\n', 'STARTTLS', b'220 2.0.0 go\r\n'))]

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def make_context(self):
        """The server's end of TLS, with a certificate for 127.0.0.1."""
        if not shutil.which('openssl'):
            self.skipTest('needs openssl to make a certificate')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key', '-out', 'certificate', '-subj', '/CN=x',
                        '-addext', 'subjectAltName=IP:127.0.0.1'], cwd=self.folder, check=True, capture_output=True, timeout=WAIT)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / 'certificate', self.folder / 'key')
        return context

    def test_a_certificate_of_nobody_who_is_trusted_is_told_with_77(self):
        context = self.make_context()
        for policy, steps in self.WAYS:
            with self.subTest(policy=policy), Script(*steps, context) as server:
                sent = send(server.port, '--tls', policy)
                self.assertEqual((sent.status, sent.out), (77, '<b@mx.example> not sent: the TLS handshake failed\n'))
                self.assertIn('03_send: its certificate: self', sent.errors)

    def test_a_token_that_fits_in_no_line_is_told_with_77(self):
        password = self.folder / 'password'
        password.write_text('x' * 9300)
        with Script(self.make_context(), b'220 mx\r\n', 'EHLO .*', b'250-mx\r\n250 AUTH XOAUTH2\r\n', *BYE) as server:
            sent = send(server.port, '--tls', 'implicit', '--ca', str(self.folder / 'certificate'), '--user', 'me', '--mechanism', 'XOAUTH2',
                        '--password-file', str(password))
        self.assertEqual((sent.status, server.wrong), (77, None))
        self.assertIn('the line is too long', sent.errors)

    def test_a_server_that_is_silent_is_tried_again_later(self):
        compiler = shutil.which('c++')
        library = self.folder / 'fast_clock.so'
        source = pathlib.Path(__file__).absolute().with_name('fast_clock.cpp')
        subprocess.run([compiler, '-std=c++20', '-shared', '-fPIC', '-o', library, source, '-ldl'], check=True, timeout=WAIT)
        faster = {**os.environ, 'LD_PRELOAD': str(library)}
        # A program with a sanitizer wants its own library first.
        if subprocess.run([SEND, '--help'], env=faster, capture_output=True, timeout=WAIT).returncode != 0:
            self.skipTest('this build cannot be given another library')
        for policy, steps in self.WAYS:
            with self.subTest(policy=policy), Script(*steps) as server:
                sent = send(server.port, '--tls', policy, environment=faster)
                self.assertEqual((sent.status, sent.out), (75, '<b@mx.example> not sent: the reply did not come in time\n'))


class Addresses(unittest.TestCase):
    def test_the_next_address_is_tried(self):
        # localhost is ::1 first on many machines, where nobody listens.
        with Script(*TO_DATA, ..., b'250 2.0.0 kept\r\n', *BYE) as server:
            sent = send(server.port, host='localhost')
        self.assertEqual((sent.status, server.wrong), (0, None))

    def test_an_address_literal_with_brackets_is_a_host(self):
        try:
            server = Script(*TO_DATA, ..., b'250 2.0.0 kept\r\n', *BYE, address='::1')
        except OSError:
            self.skipTest('no IPv6 here')
        with server:
            server.listener.listen()
            sent = send(server.port, host='[::1]')
        self.assertEqual((sent.status, server.wrong), (0, None))


class Streams(unittest.TestCase):
    KEPT = (*TO_DATA, ..., b'250 2.0.0 kept\r\n', *BYE)

    def check(self, streams, steps, status, out, said='', options='', descriptors=()):
        """Runs 03_send with the streams that the shell sets up."""
        with Script(*steps) as server:
            done = subprocess.run(['sh', '-c', f'exec {SEND} --server 127.0.0.1:{server.port} --tls never --hostname client.example '
                                   f'--from a@client.example --to b@mx.example {options} - {streams}'], input=MESSAGE,
                                  capture_output=True, pass_fds=descriptors, timeout=WAIT)
        self.assertEqual((done.returncode, done.stdout.decode(), server.wrong), (status, out, None))
        self.assertIn(said, done.stderr.decode())

    def test_verdicts_that_cannot_be_printed_are_told_with_74(self):
        self.check('>/dev/full', self.KEPT, 74, '', 'could not be printed')
        self.check('>/dev/full', (b'554 no service\r\n', *BYE), 69, '', 'could not be printed')

    def test_notes_that_cannot_be_printed_change_nothing(self):
        self.check('2>/dev/full', (b'554 no service\r\n', *BYE), 69, '<b@mx.example> refused: 554 no service\n')
        reader, nobody = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, nobody)
        self.check(f'2>&{nobody}', self.KEPT, 0, '<b@mx.example> delivered: 250 2.0.0 kept\n', options='--verbose', descriptors=[nobody])

    def test_the_dialogue_is_not_printed_into_the_channel(self):
        self.check('>&- 2>&-', self.KEPT, 0, '', options='--verbose')

    def test_a_standard_input_that_is_closed_is_not_an_empty_message(self):
        out = subprocess.run(['sh', '-c', f'exec {SEND} --server 127.0.0.1:1 --from a@b.example --to c@d.example - <&-'],
                             capture_output=True, timeout=WAIT)
        self.assertEqual((out.returncode, out.stdout), (66, b''))


class Receiver:
    """A running 02_receive for mx.example, and what it stored."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([RECEIVE, '--listen', '127.0.0.1:0', '--hostname', 'mx.example', '--domain', 'mx.example',
                                         '--maildir', self.folder.name + '/%u'], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(':', 1)[1])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(WAIT)
        self.process.stdout.close()
        self.folder.cleanup()

    def take(self, user):
        """The one message of a mailbox, without the two trace fields on top."""
        path, = pathlib.Path(self.folder.name, user, 'new').iterdir()
        octets = path.read_bytes()
        path.unlink()
        return re.sub(rb'\AReturn-Path:[^\r]*\r\nReceived:(?:[^\r]|\r\n[ \t])*\r\n', b'', octets)


class Messages(unittest.TestCase):
    def test_a_text_gets_a_header_section(self):
        text = 'Gr\u00fc\u00dfe\n.dot\r\nlast'.encode()
        with Receiver() as server:
            sent = send(server.port, '--subject', 'A subject that is so long that it has to be folded somewhere, of course', '--cc',
                        'c@mx.example', octets=text)
            self.assertEqual(sent.status, 0, sent.errors)
            self.assertEqual(sent.out.count('delivered'), 2)
            octets = server.take('b')
            self.assertEqual(server.take('c'), octets)
        self.assertTrue(octets.endswith('\r\n\r\nGr\u00fc\u00dfe\r\n.dot\r\nlast\r\n'.encode()), octets)
        parsed = email.message_from_bytes(octets, policy=email.policy.SMTP)
        self.assertEqual(parsed.defects, [])
        self.assertEqual((parsed['From'], parsed['To'], parsed['Cc']), ('a@client.example', 'b@mx.example', 'c@mx.example'))
        self.assertEqual(parsed['Subject'], 'A subject that is so long that it has to be folded somewhere, of course')
        self.assertEqual((parsed['MIME-Version'], parsed['Content-Transfer-Encoding'], parsed.get_content_charset()), ('1.0', '8bit', 'utf-8'))
        self.assertRegex(parsed['Message-ID'], r'\A<[0-9a-f.]+@client\.example>\Z')
        self.assertIsNotNone(email.utils.parsedate_to_datetime(parsed['Date']))

    def test_cc_alone_composes_and_is_a_recipient(self):
        with Receiver() as server:
            sent = send(server.port, '--cc', 'c@mx.example', octets=b'x\n', to=())
            self.assertEqual((sent.status, sent.out), (0, '<c@mx.example> delivered: 250 2.6.0 Message accepted\n'))
            self.assertIn(b'Cc: c@mx.example\r\n', server.take('c'))

    def test_line_ends_are_normalized_where_asked(self):
        with Receiver() as server:
            for options in [(), ('--no-chunking',), ('--no-pipelining', '--no-chunking')]:
                sent = send(server.port, '--normalize', *options, octets=b'a: b\n\n.\nc\rd\r\n')
                self.assertEqual(sent.status, 0, sent.errors)
                self.assertEqual(server.take('b'), b'a: b\r\n\r\n.\r\nc\r\nd\r\n')
            self.assertEqual(send(server.port, octets=b'a: b\n\n').status, 65)

    def test_a_file_and_standard_input_are_the_same(self):
        octets = b'a: b\r\n\r\n' + b'.line\r\n' * 100000
        with Receiver() as server, tempfile.NamedTemporaryFile() as file:
            file.write(octets)
            file.flush()
            for name in ('-', file.name):
                self.assertEqual(send(server.port, octets=octets, file=name).status, 0)
                self.assertEqual(server.take('b'), octets)

    def test_a_file_that_cannot_be_read_twice_is_sent_whole(self):
        octets = b'a: b\r\n\r\n' + b'.line\r\n' * 100000
        reader, writer = os.pipe()
        thread = threading.Thread(target=lambda: open(writer, 'wb').write(octets))
        thread.start()
        with Receiver() as server:
            words = [SEND, '--server', f'127.0.0.1:{server.port}', '--tls', 'never', '--from', 'a@client.example', '--to', 'b@mx.example']
            done = subprocess.run([*words, f'/dev/fd/{reader}'], stdout=subprocess.DEVNULL, pass_fds=[reader], timeout=WAIT)
            os.close(reader)
            thread.join()
            self.assertEqual(done.returncode, 0)
            self.assertEqual(server.take('b'), octets)

    def test_a_file_that_becomes_shorter_is_not_delivered(self):
        for size in [0, 100, 400000]:
            with self.subTest(size=size), tempfile.NamedTemporaryFile() as file:
                file.write(b'a: b\r\n\r\n' + b'line\r\n' * 100000)
                file.flush()
                with Script(lambda: file.truncate(size), *TO_DATA, ...) as server:
                    sent = send(server.port, file=file.name)
                self.assertEqual((sent.status, server.wrong), (74, 'the end within mail data'))
                self.assertRegex(sent.out, r'\A<b@mx\.example> not sent: ')
                self.assertIn('shorter', sent.errors)

    def test_a_terminal_shows_how_far_a_large_message_is(self):
        octets = b'a: b\r\n\r\n' + b'x' * 70 + b'\r\n'
        large = octets + (b'x' * 70 + b'\r\n') * 50000
        with Receiver() as server, tempfile.NamedTemporaryFile() as file:
            for message, has_bar in ((octets, False), (large, True)):
                file.seek(0)
                file.truncate()
                file.write(message)
                file.flush()
                master, slave = pty.openpty()
                done = subprocess.Popen([SEND, '--server', f'127.0.0.1:{server.port}', '--tls', 'never', '--from', 'a@client.example',
                                         '--to', 'b@mx.example', file.name], stdout=subprocess.DEVNULL, stderr=slave)
                os.close(slave)
                shown = b''
                try:
                    while piece := os.read(master, 4096):
                        shown += piece
                except OSError:  # how Linux tells that nobody writes any more
                    pass
                os.close(master)
                self.assertEqual(done.wait(WAIT), 0)
                self.assertEqual(b'100 %' in shown and b'####' in shown, has_bar, shown)
            self.assertEqual(send(server.port, octets=large).errors, '')

    def test_verbose_shows_the_dialogue_without_mail_data(self):
        for options, said in [([], 'C: BDAT 13 LAST\nC: [13 octets of mail data]\nS: 250 2.6.0'),
                              (['--no-chunking'], 'C: [13 octets of mail data]\nC: .\nS: 250 2.6.0')]:
            with Receiver() as server:
                sent = send(server.port, '--verbose', *options, octets=b'a: secret\r\n\r\n')
                self.assertTrue(sent.errors.startswith('S: 220 mx.example ESMTP\nC: EHLO client.example\nS: 250-mx.example\n'), sent.errors)
                self.assertIn('C: MAIL FROM:<a@client.example>', sent.errors)
                self.assertIn(said, sent.errors)
                self.assertTrue(sent.errors.endswith('C: QUIT\nS: 221 2.0.0 mx.example Service closing transmission channel\n'), sent.errors)
                self.assertNotIn('secret', sent.errors)

    def test_verbose_hides_what_a_reply_could_do_to_a_terminal(self):
        with Script(b'220 mx \x1b[2Jx\r\n', 'EHLO .*', b'250 mx\r\n', 'MAIL .*', b'550 no\r\n', *BYE) as server:
            self.assertIn('S: 220 mx \\x1B[2Jx\n', send(server.port, '--verbose').errors)


if __name__ == '__main__':
    unittest.main(verbosity=2)

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the example programs do, seen from outside. EHLO_DIALOGUE, EHLO_RECEIVE and EHLO_IN_MEMORY name them; run.sh
sets all of them."""

import base64
import glob
import os
import re
import resource
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import threading
import time
import unittest

DIALOGUE = os.environ.get('EHLO_DIALOGUE', '01_dialogue')
RECEIVE = os.environ.get('EHLO_RECEIVE', '02_receive')
IN_MEMORY = os.environ.get('EHLO_IN_MEMORY', '04_in_memory')
WAIT = 30  # seconds that nothing here should take


def run(program, *arguments, octets=b''):
    return subprocess.run([program, *arguments], input=octets, capture_output=True, timeout=WAIT)


def lines(*commands):
    return b''.join(c.encode() + b'\r\n' for c in commands)


class Options(unittest.TestCase):
    def test_help_names_every_option_and_succeeds(self):
        wanted = {
            DIALOGUE: ['--hostname', '--lmtp', '--max-size', '--max-recipients', '--max-errors', '--tls-active', '--auth', '--reject-rcpt',
                       '--user', '--list', '--actions', '--help'],
            RECEIVE: ['--listen', '--hostname', '--domain', '--maildir', '--discard', '--lmtp', '--max-size', '--max-connections',
                      '--proxy', '--timeout', '--max-time', '--grace', '--verbose', '--help'],
            IN_MEMORY: ['--from', '--to', '--refuse', '--file', '--cut', '--lmtp', '--no-pipelining', '--no-chunking', '--help'],
        }
        for program, options in wanted.items():
            out = run(program, '--help')
            self.assertEqual(out.returncode, 0)
            self.assertEqual(out.stderr, b'')
            for option in options:
                self.assertIn(option.encode(), out.stdout)

    def test_a_wrong_argument_is_explained_and_ends_the_program(self):
        folder = ['--maildir', '/nonexistent/%u']
        for program, arguments, said in [
            (DIALOGUE, ['--nonsense'], 'nonsense'),
            (DIALOGUE, ['--hostname'], 'hostname'),
            (DIALOGUE, ['--hostname', 'a..b'], 'octet 2'),
            (DIALOGUE, ['--max-size', 'big'], "'big'"),
            (DIALOGUE, ['--max-size', '1'], 'minimum'),
            (DIALOGUE, ['--max-recipients', '99'], 'minimum'),
            (DIALOGUE, ['--max-errors', '-1'], "'-1'"),
            (DIALOGUE, ['--auth', 'rose'], 'USER:PASSWORD'),
            (DIALOGUE, ['--reject-rcpt', 'a@b'], "'='"),
            (DIALOGUE, ['--reject-rcpt', 'a@b=250'], 'refuses'),
            (DIALOGUE, ['--reject-rcpt', 'a=550'], "'a'"),
            (DIALOGUE, ['--user', 'Fred <fred>'], "'fred'"),
            (DIALOGUE, ['--user', 'Fr\ned <fred@a>'], 'octet'),
            (DIALOGUE, ['--list', 'all'], 'NAME='),
            (DIALOGUE, ['--list', 'all='], 'members'),
            (DIALOGUE, ['file.txt'], 'file.txt'),
            (IN_MEMORY, ['--cut', '0'], 'from 1'),
            (IN_MEMORY, ['--refuse', 'x'], "'x'"),
            (IN_MEMORY, ['--file', '/nonexistent'], '/nonexistent'),
            (RECEIVE, [], '--maildir is missing'),
            (RECEIVE, folder + ['--discard'], 'exclude'),
            (RECEIVE, ['--maildir', '/x/%z'], '%u'),
            (RECEIVE, folder + ['--listen', '2525'], 'ADDR:PORT'),
            *((RECEIVE, folder + ['--listen', place], 'ADDR:PORT')
              for place in ['127.0.0.1:', ':2525', '127.0.0.1:86000', '127.0.0.1:65561', '127.0.0.1: 2525', '127.0.0.1:+2525', '[::1]']),
            *((RECEIVE, folder + ['--listen', place, '--lmtp'], 'port 25') for place in ['127.0.0.1:25', '127.0.0.1:025']),
            (RECEIVE, folder + ['--domain', 'a@b'], "'a@b'"),
            (RECEIVE, folder + ['--timeout', '0'], 'from 1'),
            (RECEIVE, folder + ['--proxy', 'v2'], "'v2'"),
            (RECEIVE, folder + ['--proxy', 'any', '--proxy', '7'], "'7'"),
            (RECEIVE, folder + ['--max-connections', '1e3'], "'1e3'"),
            (RECEIVE, folder + ['--max-connections', '18446744073709551615'], 'to 1000000'),
            (RECEIVE, folder + ['--max-size', '18446744073709551616'], 'number'),
        ]:
            with self.subTest(program=program, arguments=arguments):
                out = run(program, *arguments)
                self.assertEqual(out.returncode, 2)
                self.assertEqual(out.stdout, b'')
                self.assertIn(said, out.stderr.decode())
                self.assertIn('--help', out.stderr.decode())


class InMemory(unittest.TestCase):
    def test_cuts_change_nothing_on_the_wire(self):
        for options in [[], ['--lmtp'], ['--no-chunking'], ['--lmtp', '--no-pipelining', '--no-chunking']]:
            words = ['--to', 'a@mx.example', '--to', 'no@mx.example', '--to', 'b@mx.example', '--refuse', 'no@mx.example', *options]
            whole = run(IN_MEMORY, *words)
            self.assertEqual((whole.returncode, whole.stderr), (0, b''))
            self.assertIn(b'S: 550 5.1.1 No such user here', whole.stdout)
            self.assertIn(b'stored: 33 octets from <sender@client.example> to <a@mx.example> <b@mx.example>\n', whole.stdout)
            told = whole.stdout.split(b'\n\n')[1]
            for cut in ['1', '2', '7']:
                self.assertEqual(run(IN_MEMORY, *words, '--cut', cut).stdout.split(b'\n\n')[1], told)

    def test_a_message_of_a_file_goes_over_and_a_faulty_one_does_not(self):
        with tempfile.NamedTemporaryFile() as file:
            for octets, status, said in [(b'', 0, b'stored: 0 octets'), (b'.\r\n' * 5000, 0, b'stored: 15000 octets'),
                                         (b'a\nb\r\n', 1, b'not sent: '), (b'\r\n\xe9\r\n', 0, b'stored: 5 octets')]:
                file.seek(0)
                file.truncate()
                file.write(octets)
                file.flush()
                for options in [[], ['--no-chunking']]:
                    out = run(IN_MEMORY, '--file', file.name, '--cut', '100', *options)
                    self.assertEqual(out.returncode, status)
                    self.assertIn(said, out.stdout)


    def test_standard_output_that_cannot_be_written_is_said(self):
        with tempfile.NamedTemporaryFile() as file:
            for octets in [b'', b'.\r\n' * 50000]:  # before and after a buffer is full
                file.write(octets)
                file.flush()
                read, write = os.pipe()
                os.close(read)  # a reader that is gone
                for output in [os.open('/dev/full', os.O_WRONLY), write]:
                    out = subprocess.run([IN_MEMORY, '--file', file.name], stdout=output, stderr=subprocess.PIPE, timeout=WAIT)
                    os.close(output)
                    self.assertEqual((out.returncode, out.stderr.decode()), (74, IN_MEMORY + ': standard output: it cannot be written\n'))


class Dialogue(unittest.TestCase):
    def replies(self, commands, *options):
        """The codes and texts of the replies behind the greeting."""
        out = run(DIALOGUE, '--hostname', 'mx.example.org', *options, octets=lines(*commands))
        self.assertEqual(out.returncode, 0, out.stderr)
        got = out.stdout.decode()
        self.assertTrue(got.endswith('\r\n') and '\n' not in got.replace('\r\n', ''), got)
        self.assertTrue(got.startswith('220 mx.example.org '), got)
        return got.split('\r\n')[1:-1]

    def codes(self, commands, *options):
        return [r[:3] for r in self.replies(commands, *options) if r[3:4] != '-']

    def test_a_message_is_taken_and_the_session_ends_with_quit(self):
        self.assertEqual(
            self.codes(['EHLO c.example', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@mx.example.org>', 'DATA', 'Subject: x', '', '.', 'QUIT']),
            ['250', '250', '250', '354', '250', '221'])

    def test_recipients_elsewhere_are_refused_unless_told_otherwise(self):  # THREATS [T52]
        talk = ['HELO c.example', 'MAIL FROM:<>', 'RCPT TO:<b@elsewhere.example>', 'RCPT TO:<b@example.org>',
                'RCPT TO:<@mx.example.org:b@elsewhere.example>', 'RCPT TO:<b%elsewhere.example@mx.example.org>', 'RCPT TO:<Postmaster>']
        self.assertEqual(self.codes(talk), ['250', '250', '550', '250', '550', '250', '250'])
        self.assertEqual(self.codes(talk, '--accept-any'), ['250', '250', '250', '250', '250', '250', '250'])
        self.assertEqual(self.codes(talk, '--user', 'B <b@elsewhere.example>'), ['250', '250', '250', '250', '250', '250', '250'])

    def test_reject_rcpt_answers_with_the_code(self):
        for code in ['550', '551', '552', '553', '450', '451', '452']:
            got = self.codes(['HELO c', 'MAIL FROM:<>', 'RCPT TO:<no@mx.example.org>', 'RCPT TO:<yes@mx.example.org>'],
                             '--reject-rcpt', 'no@mx.example.org=' + code)
            self.assertEqual(got, ['250', '250', code, '250'])
        self.assertEqual(self.codes(['HELO c', 'MAIL FROM:<>', 'RCPT TO:<no@x>', 'NOOP'], '--reject-rcpt', 'no@x=421'), ['250', '250', '421'])

    def test_vrfy_finds_one_none_or_several(self):
        users = ['--user', 'Fred Smith <fred@mx.example.org>', '--user', 'John Smith <john@mx.example.org>']
        self.assertEqual(self.replies(['VRFY fred'], *users), ['250 2.1.5 Fred Smith <fred@mx.example.org>'])
        self.assertEqual(self.replies(['VRFY fred@MX.example.org'], *users), ['250 2.1.5 Fred Smith <fred@mx.example.org>'])
        self.assertEqual(self.replies(['VRFY smith'], *users),
                         ['553-5.1.4 Fred Smith <fred@mx.example.org>', '553 5.1.4 John Smith <john@mx.example.org>'])
        self.assertEqual(self.codes(['VRFY nobody'], *users), ['550'])
        self.assertEqual(self.codes(['VRFY fred']), ['252'])

    def test_a_name_too_long_for_a_reply_verifies_nothing(self):
        name = ['--user', 'F' * 480 + ' <fred@mx.example.org>']
        self.assertEqual(self.codes(['VRFY fred', 'NOOP'], *name), ['252', '250'])
        self.assertEqual(self.codes(['VRFY fred', 'NOOP'], *name, *name), ['252', '250'])

    def test_expn_shows_the_members_of_a_list(self):
        lists = ['--list', 'garden=rose@a.example,tulip@b.example']
        got = self.replies(['EXPN garden', 'EXPN other'], *lists)
        self.assertEqual([g[:4] for g in got], ['250-', '250 ', '550 '])
        self.assertIn('<rose@a.example>', got[0])
        self.assertIn('<tulip@b.example>', got[1])
        self.assertEqual(self.codes(['EXPN garden']), ['502'])

    def test_auth_takes_the_password_and_shows_it_nowhere(self):  # THREATS [T37]
        def b64(text):
            return base64.b64encode(text.encode()).decode()
        secrets = ['thorn:5', b64('thorn:5'), b64('\0rose\0thorn:5'), b64('wrong'), b64('\0rose\0wrong')]
        options = ['--auth', 'rose:thorn:5', '--tls-active', '--actions']
        for commands, wanted in [
            (['AUTH PLAIN ' + secrets[2]], ['235']),
            (['AUTH PLAIN', secrets[2]], ['334', '235']),
            (['AUTH PLAIN ' + secrets[4]], ['535']),
            (['AUTH PLAIN ' + b64('fred\0rose\0thorn:5')], ['535']),
            (['AUTH PLAIN ' + b64('rose\0thorn:5')], None),
            (['AUTH PLAIN', '*'], ['334', '501']),
            (['AUTH LOGIN', b64('rose'), secrets[1]], ['334', '334', '235']),
            (['AUTH LOGIN ' + b64('rose'), secrets[1]], ['334', '235']),
            (['AUTH LOGIN', b64('rose'), secrets[3]], ['334', '334', '535']),
            (['AUTH LOGIN', b64('fred'), secrets[1]], ['334', '334', '535']),
            (['AUTH PLAIN ' + secrets[2], 'AUTH PLAIN ' + secrets[2]], ['235', '503']),
        ]:
            with self.subTest(commands=commands):
                out = run(DIALOGUE, *options, octets=lines('EHLO c', *commands))
                got = [r[:3].decode() for r in out.stdout.split(b'\r\n')[1:-1] if r[3:4] != b'-'][1:]
                if wanted:
                    self.assertEqual(got, wanted)
                else:
                    self.assertIn(got[0], ['501', '535'])
                for secret in secrets:
                    self.assertNotIn(secret.encode(), out.stdout + out.stderr)

    def test_auth_needs_tls(self):  # THREATS [T31]
        got = self.replies(['EHLO c', 'AUTH PLAIN AHJvc2UAdGhvcm41'], '--auth', 'rose:thorn5')
        self.assertFalse([r for r in got if 'AUTH' in r])
        self.assertIn(got[-1][:3], ['504', '538'])
        self.assertEqual(self.codes(['EHLO c', 'AUTH PLAIN AHJvc2UAdGhvcm41'], '--tls-active'), ['250', '502'])

    def test_lmtp_answers_for_each_recipient(self):
        got = self.codes(['EHLO c', 'LHLO c', 'MAIL FROM:<>', 'RCPT TO:<a@mx.example.org>', 'RCPT TO:<no@x>', 'RCPT TO:<b@mx.example.org>',
                          'DATA', 'x', '.', 'QUIT'], '--lmtp')
        self.assertEqual(got, ['500', '250', '250', '250', '550', '250', '354', '250', '250', '221'])

    def test_limits_hold(self):
        self.assertEqual(self.codes(['EHLO c', 'MAIL FROM:<> SIZE=65537', 'MAIL FROM:<> SIZE=65536'], '--max-size', '65536'),
                         ['250', '552', '250'])
        rcpts = [f'RCPT TO:<u{i}@mx.example.org>' for i in range(101)]
        self.assertEqual(self.codes(['EHLO c', 'MAIL FROM:<>', *rcpts], '--max-recipients', '100')[-2:], ['250', '452'])
        self.assertEqual(self.codes(['BAD'] * 9, '--max-errors', '3'), ['500', '500', '500', '421'])

    def test_actions_are_printed_on_standard_error(self):
        out = run(DIALOGUE, '--actions', octets=lines('EHLO c', 'MAIL FROM:<>', 'NONSENSE', 'QUIT'))
        told = out.stderr.decode().splitlines()
        names = [re.match(r'\w+', line)[0] for line in told]
        for name in ['greeting_question', 'transmit', 'receive', 'hello_question', 'mail_question', 'violation', 'transaction_reset',
                     'close_channel']:
            self.assertIn(name, names)

    def test_octets_that_come_one_by_one_change_nothing(self):
        octets = lines('EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<a@mx.example.org>', 'DATA', '..x', '.', 'VRFY a', 'QUIT')
        whole = run(DIALOGUE, octets=octets)
        ours, theirs = socket.socketpair()  # as under inetd
        with ours, subprocess.Popen([DIALOGUE], stdin=theirs, stdout=theirs) as program:
            theirs.close()
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            for i in range(len(octets)):
                ours.send(octets[i:i + 1])
                if i % 8 == 0:
                    time.sleep(0.001)
            got = b''
            while part := ours.recv(4096):
                got += part
            self.assertEqual(program.wait(WAIT), 0)
        self.assertEqual(got, whole.stdout)

    def test_the_end_of_the_input_ends_it(self):
        for octets in [b'', b'EH', lines('EHLO c', 'MAIL FROM:<>', 'RCPT TO:<a@mx.example.org>', 'DATA') + b'x\r\n.']:
            out = run(DIALOGUE, octets=octets)
            self.assertEqual(out.returncode, 0)
            self.assertNotIn(b'2.6.0', out.stdout)

    def test_streams_that_fail_end_it_with_1(self):
        reader, nobody = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, nobody)
        for streams, said in [('</', 'standard input: '), ('<&-', 'standard input: '), ('>/dev/full', 'standard output: '),
                              (f'>&{nobody}', 'standard output: ')]:
            with self.subTest(streams=streams):
                out = subprocess.run(['sh', '-c', f'exec {DIALOGUE} {streams}'], stdin=subprocess.DEVNULL, capture_output=True,
                                     pass_fds=[nobody], timeout=WAIT)
                self.assertEqual(out.returncode, 1)
                self.assertIn(said, out.stderr.decode())

    def test_actions_that_cannot_be_printed_end_nothing(self):
        out = run('sh', '-c', f'exec {DIALOGUE} --actions 2>/dev/full', octets=lines('QUIT'))
        self.assertEqual((out.returncode, out.stdout[-2:]), (0, b'\r\n'))


class Server:
    """02_receive on a free port, with its Maildirs in a folder of its own."""

    def __init__(self, *options, maildir='%u', limits=(), folder=None, listen='127.0.0.1:0', environment=None,
                 prepare=lambda: None):
        self.folder = folder or tempfile.mkdtemp(prefix='ehlo-receive-')
        self.log = open(self.folder + '.log', 'w+b')

        def begin():
            prepare()
            for name, value in limits:
                resource.setrlimit(name, (value, value))

        self.process = subprocess.Popen(
            [RECEIVE, '--listen', listen, '--hostname', 'mx.example.org', '--domain', 'example.org',
             *(['--maildir', os.path.join(self.folder, maildir)] if maildir else ['--discard']), *options],
            stdout=subprocess.PIPE, stderr=self.log, preexec_fn=begin, env={**os.environ, **(environment or {})})
        said = self.process.stdout.readline().decode()
        self.address, self.port = re.fullmatch(r'listening on (.*):(\d+)\n', said).groups()
        self.port = int(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()
        os.unlink(self.log.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(WAIT)

    def connect(self, greeted=True):
        return Client(self, greeted)

    def files(self, part='new', user='*'):
        return sorted(glob.glob(os.path.join(self.folder, user, part, '*')))

    def messages(self, user='*'):
        """The stored octets, and behind the trace fields what the client had sent."""
        out = []
        for path in self.files('new', user):
            with open(path, 'rb') as file:
                out.append(without_trace(file.read()))
        return out

    def deliver(self, text=b'Subject: x\r\n\r\nx\r\n', to='bob@example.org'):
        with self.connect() as client:
            client.begin(to)
            return client.finish(text)

    def seconds_of_cpu(self):
        with open(f'/proc/{self.process.pid}/stat') as file:
            fields = file.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def kilobytes(self):
        with open(f'/proc/{self.process.pid}/status') as file:
            return int(re.search(r'VmRSS:\s+(\d+)', file.read())[1])


TRACE = re.compile(rb'Return-Path: <[^\r\n]*>\r\nReceived: [^\r\n]*\r\n([ \t][^\r\n]*\r\n)*')


def without_trace(stored):
    found = TRACE.match(stored)
    assert found, stored[:400]
    return stored[found.end():]


class Client:
    """A client that says what it is told, and reads one reply at a time."""

    def __init__(self, server, greeted=True):
        address = server.address.strip('[]')
        self.socket = socket.create_connection((address, server.port), WAIT)
        self.reader = self.socket.makefile('rb')
        if greeted:
            assert self.reply().startswith('220 '), 'no greeting'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def reply(self):
        while True:
            line = self.reader.readline().decode()
            if line[3:4] != '-':
                return line

    def say(self, command):
        self.socket.sendall(command.encode() + b'\r\n')
        return self.reply()

    def begin(self, *recipients, hello='EHLO client.example', mail='MAIL FROM:<alice@client.example>'):
        for command in [hello, mail, *(f'RCPT TO:<{r}>' for r in recipients)]:
            got = self.say(command)
            assert got.startswith('250'), (command, got)
        got = self.say('DATA')
        assert got.startswith('354'), got

    def finish(self, text):
        self.socket.sendall(text + b'.\r\n')
        return self.reply()

    def is_closed(self):
        try:
            return self.reader.read() == b''
        except ConnectionError:
            return True


class Receive(unittest.TestCase):
    def test_the_message_is_stored_as_it_was_sent_below_its_trace_fields(self):
        with Server() as server:
            text = b'Subject: x\r\n\r\n.dot\r\n..\r\nno white space changes  \r\n\t\r\n' + bytes(range(128, 256)) + b'\r\n'
            got = server.deliver(text.replace(b'\r\n.', b'\r\n..'))
            self.assertTrue(got.startswith('250'), got)
            self.assertEqual(server.messages(), [text])
            self.assertEqual(server.files('tmp'), [])
            with open(server.files()[0], 'rb') as file:
                stored = file.read().decode('latin-1')
            top = stored[:stored.index('Subject')]
            self.assertTrue(top.startswith('Return-Path: <alice@client.example>\r\nReceived: '), top)
            for part in ['client.example', '[127.0.0.1]', 'mx.example.org', 'ESMTP', '<bob@example.org>']:
                self.assertIn(part, top)
            self.assertEqual(os.stat(server.files()[0]).st_mode & 0o777, 0o600)
            self.assertEqual(os.path.basename(os.path.dirname(os.path.dirname(server.files()[0]))), 'bob')

    def test_a_header_of_a_proxy_names_the_client(self):  # THREATS [T50]
        with Server('--proxy', 'any') as server:
            address = bytes.fromhex('20010db8' + '00' * 11 + '01')
            for header, client_address in [
                (b'PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n', '[192.0.2.7]'),
                (b'PROXY UNKNOWN\r\n', '[127.0.0.1]'),
                (b'\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24' + address + address + b'\0\1\0\x19', '[IPv6:2001:db8::1]'),
                (b'\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', '[127.0.0.1]'),
            ]:
                with server.connect(greeted=False) as client:
                    for octet in header:
                        client.socket.sendall(bytes([octet]))
                    self.assertEqual(client.reply()[:4], '220 ')
                    client.begin('bob@example.org')
                    self.assertTrue(client.finish(b'Subject: x\r\n\r\nx\r\n').startswith('250'))
                with open(server.files()[0], 'rb') as file:
                    self.assertIn(client_address, file.read().decode('latin-1'))
                os.unlink(server.files()[0])
            with server.connect(greeted=False) as client:
                client.socket.sendall(b'EHLO client.example\r\n')
                self.assertTrue(client.is_closed())  # without a word

    def test_empty_messages_and_messages_without_header_are_kept(self):
        with Server(maildir='all') as server:
            for text in [b'', b'\r\n', b'no header here\r\n', b'\r\n\r\n']:
                self.assertTrue(server.deliver(text).startswith('250'))
            self.assertEqual(sorted(server.messages()), sorted([b'', b'\r\n', b'no header here\r\n', b'\r\n\r\n']))

    def test_the_longest_name_of_a_host_leaves_room_in_the_name_of_a_file(self):
        name = '.'.join(['a' * 63, 'b' * 63, 'c' * 63, 'd' * 63])
        with Server('--hostname', name) as server:
            got = server.deliver()
            self.assertTrue(got.startswith('250'), got)
            with open(server.files()[0], 'rb') as file:
                self.assertIn(name.encode(), file.read())
            self.assertLess(len(os.path.basename(server.files()[0])), 200)

    def test_chunks_are_stored_octet_by_octet(self):
        text = bytes(range(256)) * 300
        with Server() as server, server.connect() as client:
            client.say('EHLO client.example')
            client.say('MAIL FROM:<> BODY=BINARYMIME')
            client.say('RCPT TO:<bob@example.org>')
            client.socket.sendall(b'BDAT 70000\r\n' + text[:70000])
            self.assertTrue(client.reply().startswith('250'))
            client.socket.sendall(b'BDAT %d LAST\r\n' % (len(text) - 70000) + text[70000:])
            self.assertTrue(client.reply().startswith('250'))
            self.assertEqual(server.messages(), [text])

    def test_verbose_shows_the_dialogue_without_mail_data(self):  # THREATS [T37]
        with Server('--verbose') as server:
            self.assertTrue(server.deliver(b'Subject: hidden\r\n\r\nhidden\r\n').startswith('250'))
            with server.connect() as client:
                client.say('AUTH PLAIN AGFsaWNlAHNlY3JldA==')
                client.say('AGFsaWNlAHNlY3JldA==')
            server.stop()
            server.log.seek(0)
            log = server.log.read()
            self.assertIn(b'[127.0.0.1] C: RCPT TO:<bob@example.org>\n[127.0.0.1] S: 250 2.1.5', log)
            self.assertIn(b'[127.0.0.1] C: [27 octets of mail data]\n[127.0.0.1] C: .\n[127.0.0.1] S: 250 2.6.0', log)
            self.assertIn(b'[127.0.0.1] C: AUTH PLAIN ****\n', log)
            self.assertNotIn(b'hidden', log)
            self.assertNotIn(b'AGFsaWNl', log)

    def test_relaying_is_refused(self):  # THREATS [T52]
        with Server(maildir='all') as server, server.connect() as client:
            client.say('EHLO client.example')
            client.say('MAIL FROM:<alice@example.org>')
            for to, code in [
                ('bob@elsewhere.example', '550'),
                ('@example.org:bob@elsewhere.example', '550'),
                ('"bob@example.org"@elsewhere.example', '550'),
                ('bob@sub.example.org', '550'),
                ('bob@[127.0.0.1]', '550'),
                ('bob', '501'),
                ('bob%elsewhere.example@example.org', '250'),  # an ordinary local-part, stored here
                ('@elsewhere.example:bob@EXAMPLE.org', '250'),
                ('Postmaster', '250'),
            ]:
                self.assertEqual(client.say(f'RCPT TO:<{to}>')[:3], code, to)
        with Server(maildir='all') as server:
            with server.connect() as client:
                client.begin('pOSTmaster')
                self.assertTrue(client.finish(b'x\r\n').startswith('250'))

    def test_discard_takes_mail_for_anyone_and_stores_none(self):
        for protocol in [], ['--lmtp']:
            with Server(*protocol, maildir=None) as server, server.connect() as client:
                client.say(('LHLO' if protocol else 'EHLO') + ' client.example')
                for _ in range(2):
                    client.say('MAIL FROM:<alice@example.org>')
                    self.assertTrue(client.say('RCPT TO:<bob@elsewhere.example>').startswith('250'))
                    self.assertTrue(client.say('DATA').startswith('354'))
                    self.assertTrue(client.finish(b'Received: x\r\n' * 200 + b'\r\n' + b'x' * 70000 + b'\r\n').startswith('250'))
                self.assertEqual(os.listdir(server.folder), [])

    def test_only_a_plain_local_part_becomes_a_folder(self):  # THREATS [T22]
        with Server() as server, server.connect() as client:
            client.say('EHLO client.example')
            client.say('MAIL FROM:<>')
            for local, code in [('"../../x"', '553'), ('a/b', '553'), ('-f', '553'), ('"a b"', '553'), ('".."', '553'), ('".x"', '553'),
                                ('$HOME', '553'), ('`id`', '553'), ('""', '553'), ('a|b', '553'), ('%u', '553'),
                                ('bob+x.y-z_1', '250'), ('"bob"', '250'), ('"b\\ob"', '250'), ('POSTMASTER', '250')]:
                self.assertEqual(client.say(f'RCPT TO:<{local}@example.org>')[:3], code, local)
            self.assertEqual(client.say('DATA')[:3], '354')
            self.assertTrue(client.finish(b'x\r\n').startswith('250'))
            self.assertEqual(sorted(os.listdir(server.folder)), ['bob', 'bob+x.y-z_1', 'postmaster'])
            self.assertEqual(len(server.messages('bob')), 1)
            self.assertEqual(len(server.messages('bob+x.y-z_1')), 1)
            self.assertEqual(len(server.messages('postmaster')), 1)

    def test_one_maildir_gets_one_copy(self):
        with Server(maildir='all') as server, server.connect() as client:
            client.begin('bob@example.org', 'carol@example.org', 'bob@example.org')
            self.assertTrue(client.finish(b'x\r\n').startswith('250'))
            self.assertEqual(server.messages(), [b'x\r\n'])

    def test_a_message_for_several_is_delivered_to_all_or_none(self):
        with Server() as server:
            os.mkdir(os.path.join(server.folder, 'carol'))
            with open(os.path.join(server.folder, 'carol', 'new'), 'w'):  # no folder can be made here
                pass
            for order in [['bob', 'carol', 'dave'], ['carol', 'bob'], ['bob', 'dave', 'carol']]:
                with server.connect() as client:
                    client.begin(*(user + '@example.org' for user in order))
                    self.assertTrue(client.finish(b'x\r\n').startswith('451'))
                    self.assertEqual(server.messages(), [])
                    self.assertEqual(server.files('tmp'), [])
                    client.begin('bob@example.org', hello='NOOP')  # the session goes on
                    self.assertTrue(client.finish(b'y\r\n').startswith('250'))
                self.assertEqual(server.messages(), [b'y\r\n'])
                os.unlink(server.files()[0])

    def test_lmtp_answers_for_each_mailbox(self):
        with Server('--lmtp') as server, server.connect() as client:
            os.mkdir(os.path.join(server.folder, 'carol'))
            with open(os.path.join(server.folder, 'carol', 'new'), 'w'):
                pass
            client.begin('bob@example.org', 'carol@example.org', 'dave@example.org', 'bob@example.org', hello='LHLO client.example')
            client.socket.sendall(b'x\r\n.\r\n')
            self.assertEqual([client.reply()[:3] for _ in range(4)], ['250', '451', '250', '250'])
            self.assertEqual(server.messages(), [b'x\r\n'] * 2)
            self.assertEqual(server.files('tmp'), [])

    def test_a_loop_is_broken(self):
        with Server('--max-hops', '3') as server, server.connect() as client:
            for hops, code in [(3, '250'), (4, '554 5.4.0')]:
                client.begin('bob@example.org')
                text = b'Received: from a\r\n by b; x\r\n' * hops + b'Subject: x\r\n\r\n' + b'Received: in the body\r\n' * 9
                self.assertEqual(client.finish(text)[:len(code)], code)
            self.assertEqual(len(server.messages()), 1)
            self.assertEqual(server.files('tmp'), [])

    def test_a_line_feed_alone_ends_nothing(self):  # THREATS [T1]
        with Server() as server, server.connect() as client:
            client.begin('bob@example.org')
            got = client.finish(b'x\n.\nMAIL FROM:<forged@example.org>\r\n')
            self.assertTrue(got.startswith('554'), got)
            self.assertEqual(server.messages() + server.files('tmp'), [])
            self.assertTrue(client.say('NOOP').startswith('250'))

    def test_ipv6_and_several_addresses(self):
        if not socket.has_ipv6:
            self.skipTest('no IPv6')
        try:
            socket.create_server(('::1', 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest('no IPv6')
        with Server('--listen', '127.0.0.1:0', listen='[::1]:0') as server:
            self.assertTrue(server.deliver().startswith('250'))
            with open(server.files()[0], 'rb') as file:
                self.assertIn(b'[IPv6:::1]', file.read())
            server.address, server.port = '127.0.0.1', int(server.process.stdout.readline().rpartition(b':')[2])
            self.assertTrue(server.deliver().startswith('250'))
            self.assertEqual(len(server.messages()), 2)

    def test_a_port_that_is_taken_is_explained(self):
        with Server() as server:
            out = run(RECEIVE, '--listen', f'127.0.0.1:{server.port}', '--maildir', server.folder + '/x')
            self.assertEqual(out.returncode, 1)
            self.assertIn(b'cannot listen', out.stderr)

    # ---- Clients that are slow, silent or many

    def test_a_client_that_does_not_read_is_not_read_from_and_loses_nothing(self):  # THREATS [T43]
        count = 400000
        with Server() as server:
            before = server.kilobytes()
            slow = socket.socket()
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            slow.connect(('127.0.0.1', server.port))
            slow.settimeout(WAIT)
            sender = threading.Thread(target=slow.sendall, args=(b'HELO c\r\n' + b'VRFY bob\r\n' * count + b'QUIT\r\n',))
            sender.start()
            time.sleep(0.5)
            self.assertTrue(sender.is_alive())  # it is held back
            self.assertTrue(server.deliver().startswith('250'))  # others are served meanwhile
            got = bytearray()
            while part := slow.recv(65536):
                got += part
                if len(got) < 200000:
                    time.sleep(0.001)
            sender.join()
            slow.close()
            replies = bytes(got).split(b'\r\n')
            self.assertEqual([r[:3] for r in replies], [b'220', b'250'] + [b'252'] * count + [b'221', b''])
            self.assertLess(server.kilobytes() - before, 2000)

    def test_a_client_that_never_reads_is_left(self):
        with Server('--timeout', '1') as server:
            slow = socket.socket()
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(('127.0.0.1', server.port))
            slow.settimeout(10)
            with self.assertRaises(OSError) as caught:
                while True:
                    slow.sendall(b'VRFY bob\r\n' * 1000)
            self.assertIsInstance(caught.exception, (ConnectionError, BrokenPipeError))
            slow.close()
            self.assertTrue(server.deliver().startswith('250'))

    def test_silence_ends_with_421_and_single_octets_do_not_stretch_it(self):  # THREATS [T42]
        with Server('--timeout', '1') as server, server.connect() as silent, server.connect() as dripping, server.connect() as writing:
            writing.begin('bob@example.org')
            writing.socket.sendall(b'half a mess')
            begun = time.monotonic()
            replies = []
            reader = threading.Thread(target=lambda: replies.append(dripping.reply()))
            reader.start()
            try:
                while reader.is_alive() and time.monotonic() < begun + 10:
                    dripping.socket.send(b'X')
                    time.sleep(0.1)
            except ConnectionError:
                pass
            reader.join(WAIT)
            self.assertLess(time.monotonic() - begun, 5)
            self.assertEqual(replies[0][:9], '421 4.4.2')
            for client in [silent, writing]:
                self.assertEqual(client.reply()[:9], '421 4.4.2')
                self.assertTrue(client.is_closed())
            self.assertEqual(server.messages() + server.files('tmp'), [])

    def test_however_busy_a_client_is_its_time_has_an_end(self):
        with Server('--max-time', '1', '--grace', '1') as server:
            def drip(client, octets):
                begun = time.monotonic()
                reader = threading.Thread(target=lambda: replies.append(client.reply()[:9]))
                reader.start()
                try:
                    while reader.is_alive() and time.monotonic() < begun + 10:
                        client.socket.send(octets)
                        time.sleep(0.1)
                except ConnectionError:
                    pass
                reader.join(WAIT)
                self.assertLess(time.monotonic() - begun, 5)

            replies = []
            with server.connect() as client:
                client.begin('bob@example.org')
                drip(client, b'x')
            with server.connect() as client:
                client.say('EHLO client.example')
                client.say('MAIL FROM:<>')
                client.say('RCPT TO:<bob@example.org>')
                client.socket.sendall(b'BDAT 1000\r\n')
                drip(client, b'x')
            with server.connect() as client:  # a chunk that is too large
                client.say('EHLO client.example')
                client.say('MAIL FROM:<>')
                client.say('RCPT TO:<bob@example.org>')
                client.socket.sendall(b'BDAT 99999999999 LAST\r\n')
                drip(client, b'x')
            with server.connect() as client:
                client.say('EHLO client.example')
                begun = time.monotonic()
                while (got := client.say('NOOP')).startswith('250') and time.monotonic() < begun + 10:
                    time.sleep(0.1)
                replies.append(got[:9])
                self.assertLess(time.monotonic() - begun, 5)
            self.assertEqual(replies, ['421 4.3.2', '421 4.3.2', '421 4.4.2', '421 4.3.2'])
            self.assertEqual(server.messages() + server.files('tmp'), [])
        with Server('--max-time', '1', '--grace', '10') as server, server.connect() as client:
            client.begin('bob@example.org')
            client.socket.sendall(b'first\r\n')
            time.sleep(1.5)
            self.assertTrue(client.finish(b'second\r\n').startswith('250'))
            self.assertEqual(client.reply()[:9], '421 4.3.2')
            self.assertEqual(server.messages(), [b'first\r\nsecond\r\n'])

    def test_without_free_descriptors_it_goes_on_and_stays_calm(self):
        with Server() as server:
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (24, 24))  # as if the system had no more
            clients = [server.connect(greeted=False) for _ in range(40)]
            first = [c.reply()[:3] for c in clients]
            self.assertIn('220', first)
            self.assertIn('421', first)
            self.assertEqual(set(first), {'220', '421'})
            before = server.seconds_of_cpu()
            waiting = [server.connect(greeted=False) for _ in range(3)]
            time.sleep(1)
            self.assertLess(server.seconds_of_cpu() - before, 0.2)
            one = clients[first.index('220')]  # no descriptor is left for its message
            one.begin('bob@example.org')
            self.assertRegex(one.finish(b'x\r\n'), '^45')
            self.assertEqual(server.messages(), [])
            for c in clients + waiting:
                c.close()
            time.sleep(0.3)
            self.assertTrue(server.deliver().startswith('250'))
            self.assertEqual(len(server.messages()), 1)

    def test_more_connections_than_wanted_are_told_421(self):
        with Server('--max-connections', '2') as server:
            with server.connect(), server.connect(), server.connect(greeted=False) as third:
                self.assertEqual(third.reply()[:3], '421')
                self.assertTrue(third.is_closed())
            time.sleep(0.3)
            self.assertTrue(server.deliver().startswith('250'))

    def test_clients_above_the_limit_take_nothing_from_those_that_are_served(self):
        files = 2 * 20 + 24
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with Server('--max-connections', '20', limits=[(resource.RLIMIT_NOFILE, files)]) as server:
            served = [server.connect() for _ in range(20)]
            above = [server.connect(greeted=False) for _ in range(150)]
            for client in served:
                client.begin('bob@example.org')
            more = [server.connect(greeted=False) for _ in range(150)]
            for client in served:
                self.assertTrue(client.finish(b'x\r\n').startswith('250'))
            for client in above + more:
                self.assertEqual(client.reply()[:3], '421')
                self.assertTrue(client.is_closed())
            for client in served + above + more:
                client.close()
        out = run('sh', '-c', f'ulimit -n {files} && exec "$0" "$@"', RECEIVE, '--listen', '127.0.0.1:0', '--discard',
                  '--max-connections', '50')
        self.assertEqual(out.returncode, 1)
        self.assertIn(b'--max-connections 50 wants 74 open files, and 64 are allowed', out.stderr)

        def few():  # the soft limit, which the program may raise
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))

        with Server('--max-connections', '50', prepare=few) as server:
            self.assertEqual(resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE), (2 * 50 + 24, hard))

    def test_guessing_mailboxes_has_an_end(self):  # THREATS [T47]
        with Server() as server, server.connect() as client:
            client.say('EHLO client.example')
            client.say('MAIL FROM:<>')
            codes = []
            while not codes or codes[-1] == '550':
                codes.append(client.say(f'RCPT TO:<user{len(codes)}@elsewhere.example>')[:3])
            self.assertEqual(codes, ['550'] * 100 + ['421'])

    def test_an_error_reply_arrives_before_the_connection_closes(self):  # THREATS [T8]
        with Server() as server, server.connect() as client:
            client.socket.sendall(b'POST / HTTP/1.1\r\nHost: mx\r\n\r\n' + b'x' * 200000)
            self.assertEqual(client.reply()[:3], '421')
            client.socket.shutdown(socket.SHUT_WR)

    # ---- Standard output and standard error

    def test_what_nobody_can_read_ends_no_server(self):
        def full():
            os.dup2(os.open('/dev/full', os.O_WRONLY), 2)

        def left():
            reader, writer = os.pipe()
            os.dup2(writer, 2)
            os.close(reader)

        def closed():
            os.close(2)

        for prepare in [full, left, closed]:
            with self.subTest(error=prepare.__name__):
                with Server('--verbose', prepare=prepare) as server:
                    for _ in range(2):
                        self.assertTrue(server.deliver().startswith('250'))
                    self.assertEqual(server.stop(), 0)
                with Server('--proxy', 'any', prepare=prepare) as server:
                    for _ in range(2):
                        with server.connect(greeted=False) as client:
                            client.socket.sendall(b'GET / HTTP/1.1\r\n')
                            self.assertTrue(client.is_closed())
                    self.assertEqual(server.stop(), 0)

    def test_a_standard_output_that_took_nothing_is_told_of_at_the_end(self):
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        with open('/dev/full', 'wb') as full:
            server = subprocess.Popen([RECEIVE, '--listen', f'127.0.0.1:{port}', '--hostname', 'mx.example.org', '--discard'],
                                      stdout=full, stderr=subprocess.PIPE)
        with server:
            try:
                deadline = time.monotonic() + WAIT
                while True:
                    try:
                        with smtplib.SMTP('127.0.0.1', port, local_hostname='client.example', timeout=WAIT) as client:
                            self.assertEqual(client.noop()[0], 250)
                        break
                    except ConnectionRefusedError:
                        self.assertLess(time.monotonic(), deadline)
                        time.sleep(0.05)
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(WAIT), 1)
                self.assertIn(b'nobody was told', server.stderr.read())
            finally:
                server.kill()

    # ---- The disk

    def check_full(self, server):
        with server.connect() as client:
            client.begin('bob@example.org')
            got = client.finish(b'Subject: large\r\n\r\n' + (b'x' * 998 + b'\r\n') * 1000)
            self.assertEqual(got[:9], '452 4.3.1')
            self.assertEqual(server.messages() + server.files('tmp'), [])
            client.begin('bob@example.org', 'carol@example.org')
            self.assertTrue(client.finish(b'small\r\n').startswith('250'))
            self.assertEqual(server.messages(), [b'small\r\n'] * 2)

    def test_a_file_that_cannot_grow_is_452_and_leaves_nothing(self):
        with Server(limits=[(resource.RLIMIT_FSIZE, 200000)]) as server:
            self.check_full(server)

    def test_a_full_disk_is_452_and_leaves_nothing(self):
        folder = tempfile.mkdtemp(prefix='ehlo-full-')
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], capture_output=True)
        if mounted.returncode != 0:
            os.rmdir(folder)
            self.skipTest('needs the right to mount a small file system')
        try:
            with Server(folder=folder) as server:
                self.check_full(server)
                # What fits once and not twice is delivered to nobody.
                with server.connect() as client:
                    client.begin('bob@example.org', 'carol@example.org')
                    got = client.finish((b'x' * 998 + b'\r\n') * 150)
                    self.assertEqual(got[:9], '452 4.3.1')
                    self.assertEqual(server.messages(), [b'small\r\n'] * 2)
                    self.assertEqual(server.files('tmp'), [])
        finally:
            subprocess.run(['umount', folder], check=True)
            os.rmdir(folder)

    def test_a_link_to_nothing_takes_no_mail_and_ends_nothing(self):
        with Server() as server:
            nowhere = os.path.join(server.folder, 'bob')
            os.symlink('/nonexistent/bob', nowhere)
            with server.connect() as client:
                client.begin('bob@example.org')
                self.assertEqual(client.finish(b'x\r\n')[:3], '451')
            self.assertTrue(server.deliver(to='carol@example.org').startswith('250'))
            for folder in [nowhere, nowhere + '/deep/in/it']:
                out = run(RECEIVE, '--listen', '127.0.0.1:0', '--maildir', folder)
                self.assertEqual(out.returncode, 1)
                self.assertIn(b'No such file', out.stderr)

    def disk_shim(self):
        """The library of failing_disk.cpp, for LD_PRELOAD."""
        compiler = shutil.which('c++')
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'failing_disk.cpp')
        folder = tempfile.mkdtemp(prefix='ehlo-disk-')
        self.addCleanup(shutil.rmtree, folder)
        library = os.path.join(folder, 'failing_disk.so')
        subprocess.run([compiler, '-std=c++20', '-shared', '-fPIC', '-o', library, source, '-ldl'], check=True, timeout=WAIT)
        # A program with a sanitizer wants its own library first.
        if run('sh', '-c', f'LD_PRELOAD={library} exec {RECEIVE} --help').returncode != 0:
            self.skipTest('this build cannot be given another library')
        return library

    def test_whatever_step_fails_the_message_is_refused_and_nothing_stays(self):
        library = self.disk_shim()
        for step in range(1, 100):
            with Server(environment={'LD_PRELOAD': library, 'EHLO_DISK_FAILS': str(step)}) as server, server.connect() as client:
                client.begin('bob@example.org', 'carol@example.org')
                got = client.finish(b'first\r\n')
                if got.startswith('250'):  # there are not that many steps
                    break
                with self.subTest(step=step):
                    self.assertEqual(got[:9], '451 4.3.0')
                    self.assertEqual(server.messages() + server.files('tmp'), [])
                    client.begin('bob@example.org', 'carol@example.org', hello='NOOP')
                    self.assertTrue(client.finish(b'second\r\n').startswith('250'))
                    self.assertEqual(server.messages(), [b'second\r\n'] * 2)
        self.assertGreater(step, 15)

    def test_250_is_said_when_files_and_folders_are_on_disk(self):
        library = self.disk_shim()
        with tempfile.NamedTemporaryFile('r') as log:
            with Server(environment={'LD_PRELOAD': library, 'EHLO_DISK_LOG': log.name}) as server, server.connect() as client:
                client.begin('bob@example.org', 'carol@example.org')
                self.assertTrue(client.finish(b'x\r\n').startswith('250'))
                name = os.path.basename(server.files()[0])
                folder = os.path.realpath(server.folder)
            told = log.read().splitlines()
            said = told.index('send 250 2.6.0 Message accepted')
            for user in ['bob', 'carol']:
                steps = [told.index(f'fsync {folder}/{user}/tmp/{name}'), told.index(f'rename {server.folder}/{user}/new/{name}'),
                         told.index(f'fsync {folder}/{user}/new'), said]
                self.assertEqual(steps, sorted(steps))

    # ---- The end

    def test_sigterm_tells_idle_clients_421_and_ends(self):
        for how in [signal.SIGTERM, signal.SIGINT]:
            with Server() as server, server.connect() as idle, server.connect() as busy:
                busy.say('EHLO client.example')
                busy.say('MAIL FROM:<>')
                begun = time.monotonic()
                server.process.send_signal(how)
                for client in [idle, busy]:
                    self.assertEqual(client.reply()[:9], '421 4.3.2')
                    self.assertTrue(client.is_closed())
                    client.close()
                self.assertEqual(server.process.wait(WAIT), 0)
                self.assertLess(time.monotonic() - begun, 2)

    def test_sigterm_lets_a_message_come_to_its_end(self):
        with Server('--grace', '10') as server, server.connect() as client:
            client.begin('bob@example.org')
            client.socket.sendall(b'first\r\n')
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertTrue(client.finish(b'second\r\n').startswith('250'))
            self.assertEqual(client.reply()[:9], '421 4.3.2')
            client.close()
            self.assertEqual(server.process.wait(WAIT), 0)
            self.assertEqual(server.messages(), [b'first\r\nsecond\r\n'])

    def test_sigterm_leaves_nothing_half_written(self):
        for options, signals in [(['--grace', '1'], 1), (['--grace', '60'], 2)]:
            with Server(*options) as server, server.connect() as client, server.connect() as large:
                client.begin('bob@example.org')
                client.socket.sendall(b'half a mess')
                large.begin('carol@example.org')
                large.socket.sendall(b'x\r\n' * 100000)
                time.sleep(0.2)
                self.assertEqual(len(server.files('tmp')), 2)
                begun = time.monotonic()
                for _ in range(signals):
                    server.process.send_signal(signal.SIGTERM)
                    time.sleep(0.1)
                self.assertEqual(client.reply()[:9], '421 4.3.2')
                client.close()
                large.close()
                self.assertEqual(server.process.wait(WAIT), 0)
                self.assertLess(time.monotonic() - begun, 5)
                self.assertEqual(server.files('tmp') + server.files('new'), [])

    def test_a_client_that_goes_leaves_nothing(self):
        with Server() as server:
            for reset in [False, True]:
                client = server.connect()
                client.begin('bob@example.org')
                client.socket.sendall(b'half a mess\r\n.\r')
                time.sleep(0.1)
                if reset:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
                client.close()
                time.sleep(0.2)
                self.assertEqual(server.files('tmp') + server.files('new'), [])

    def load(self, server, sessions, count):
        """Messages from parallel sessions; gives those that were answered with 250."""
        accepted = []

        def client(number):
            try:
                with smtplib.SMTP('127.0.0.1', server.port, local_hostname='client.example', timeout=WAIT) as smtp:
                    for i in range(count):
                        text = f'Subject: {number}-{i}\r\n\r\n' + f'{number}-{i} line\r\n' * (i % 50)
                        to = [f'user{i % 3}@example.org'] + (['copy@example.org'] if i % 10 == 0 else [])
                        smtp.sendmail('alice@client.example', to, text)
                        accepted.append((text.encode(), len(to)))
            except (OSError, smtplib.SMTPException):
                pass

        threads = [threading.Thread(target=client, args=(n,)) for n in range(sessions)]
        for t in threads:
            t.start()
        return threads, accepted

    def test_twenty_parallel_sessions_lose_nothing(self):
        with Server() as server:
            threads, accepted = self.load(server, 20, 100)
            for t in threads:
                t.join()
            self.assertEqual(len(accepted), 2000)
            wanted = sorted(text for text, copies in accepted for _ in range(copies))
            self.assertLess(len(os.listdir(f'/proc/{server.process.pid}/fd')), 12)  # nothing is left open
            self.assertEqual(sorted(server.messages()), wanted)
            self.assertEqual(server.files('tmp'), [])

    def test_kill_under_load_loses_nothing_that_was_answered(self):
        for after in [0.3, 0.6, 1.0]:
            with Server() as server:
                threads, accepted = self.load(server, 20, 100000)
                time.sleep(after)
                server.process.kill()
                server.process.wait()
                for t in threads:
                    t.join()
                self.assertGreater(len(accepted), 0)
                stored = server.messages()
                for text, copies in accepted:
                    self.assertEqual(stored.count(text), copies)


if __name__ == '__main__':
    unittest.main(verbosity=2)

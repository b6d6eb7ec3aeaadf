#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What 06_observe makes of captures that are written here, packet by packet. EHLO_OBSERVE names the program; run.sh sets it."""

import os
import socket
import struct
import subprocess
import tempfile
import time
import unittest

OBSERVE = os.environ.get('EHLO_OBSERVE', '06_observe')
WAIT = 30  # seconds that nothing here should take
CLIENT, SERVER = ('192.0.2.1', 40000), ('192.0.2.25', 25)
CLIENT_6, SERVER_6 = ('2001:db8::1', 40000), ('2001:db8::25', 25)
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETHERNET, LOOPBACK, RAW, NULL, COOKED, COOKED_2, PPP = 1, 108, 101, 0, 113, 276, 9


def ip_of(source, destination, content, protocol=6, fragment=0):
    if ':' in source[0]:
        head = struct.pack('!IHBB', 6 << 28, len(content), protocol, 64)
        return head + b''.join(socket.inet_pton(socket.AF_INET6, a[0]) for a in (source, destination)) + content
    head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(content), 1, fragment, 64, protocol, 0)
    return head + b''.join(socket.inet_pton(socket.AF_INET, a[0]) for a in (source, destination)) + content


def frame_of(link, ip, tags=0):
    kind = b'\x08\x00' if ip[0] >> 4 == 4 else b'\x86\xdd'
    return {
        ETHERNET: bytes(12) + b'\x81\x00\x00\x05' * tags + kind,
        LOOPBACK: struct.pack('!I', 2 if ip[0] >> 4 == 4 else 24),
        NULL: struct.pack('<I', 2 if ip[0] >> 4 == 4 else 30),
        RAW: b'',
        COOKED: bytes(14) + kind,
        COOKED_2: kind + bytes(18),
    }.get(link, b'') + ip


class Capture:
    """A capture of one connection; `client` and `server` send octets, cut into segments of `segment` octets."""

    def __init__(self, link=ETHERNET, client=CLIENT, server=SERVER, tags=0, segment=1460, first=0xFFFFFFC0):
        self.link, self.ends, self.tags, self.segment = link, (client, server), tags, segment
        self.next = [first, 7000]
        self.packets = []

    def packet(self, who, flags, octets=b'', sequence=None):
        """One packet, which is also given back."""
        source, destination = self.ends[who], self.ends[1 - who]
        sequence = self.next[who] if sequence is None else sequence
        acknowledged = self.next[1 - who] if flags & ACK else 0
        tcp = struct.pack('!HHIIBBHHH', source[1], destination[1], sequence % 2**32, acknowledged % 2**32, 8 << 4, flags, 1000, 0, 0) + b'\1' * 12 + octets
        self.packets.append(frame_of(self.link, ip_of(source, destination, tcp), self.tags))
        return self.packets[-1]

    def open(self):
        self.packet(0, SYN)
        self.next[0] += 1
        self.packet(1, SYN | ACK)
        self.next[1] += 1
        self.packet(0, ACK)
        return self

    def send(self, who, octets):
        for at in range(0, len(octets), self.segment):
            part = octets[at:at + self.segment]
            self.packet(who, ACK | PSH, part)
            self.next[who] += len(part)
        self.packet(1 - who, ACK)

    def client(self, *lines):
        self.send(0, b''.join(line.encode('latin-1') + b'\r\n' for line in lines))

    def server(self, *lines):
        self.send(1, b''.join(line.encode('latin-1') + b'\r\n' for line in lines))

    def close(self):
        for who in (0, 1):
            self.packet(who, FIN | ACK)
            self.next[who] += 1
        self.packet(0, ACK)

    def octets(self, cut=None):
        out = struct.pack('<IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, 262144, self.link)
        for n, packet in enumerate(self.packets):
            kept = packet[:cut]
            out += struct.pack('<IIII', 1700000000 + n, 0, len(kept), len(packet)) + kept
        return out


def run(*arguments, octets=b''):
    return subprocess.run([OBSERVE, *arguments], input=octets, capture_output=True, timeout=WAIT)


def transaction(capture):
    """A dialogue with pipelining, a refused BDAT and the beginning of TLS."""
    capture.open()
    capture.server('220 mx.example ESMTP')
    capture.client('EHLO client.example')
    capture.server('250-mx.example', '250-PIPELINING', '250-CHUNKING', '250 STARTTLS')
    capture.client('MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'RCPT TO:<no@mx.example>', 'DATA')
    capture.server('250 ok', '250 ok', '550 no such user', '354 go')
    capture.client('Subject: dots', '', '..', 'text', '.')
    capture.server('250 taken')
    capture.client('MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'BDAT 6', 'RSET', 'BDAT 6 LAST', 'QUIT', 'RSET')
    capture.server('250 ok', '250 ok', '452 disk full', '503 no', '250 reset')
    capture.client('STARTTLS')
    capture.server('220 go')
    capture.send(0, b'\x16\x03\x01\x00\x05hello')
    capture.send(1, b'\x16\x03\x03\x00\x05hello')
    return capture


DIALOGUE = """\
S: 220 mx.example ESMTP
C: EHLO client.example
S: 250-mx.example
S: 250-PIPELINING
S: 250-CHUNKING
S: 250 STARTTLS
C: MAIL FROM:<a@client.example>
C: RCPT TO:<b@mx.example>
C: RCPT TO:<no@mx.example>
C: DATA
S: 250 ok
S: 250 ok
S: 550 no such user
S: 354 go
- a message of 26 octets
S: 250 taken
C: MAIL FROM:<a@client.example>
C: RCPT TO:<b@mx.example>
C: BDAT 6
C: BDAT 6 LAST
- a message of 12 octets
C: RSET
S: 250 ok
S: 250 ok
S: 452 disk full
- the transaction ended without a message: refused
S: 503 no
S: 250 reset
C: STARTTLS
S: 220 go
- TLS begins
- 249 octets of the client and 203 of the server in all
"""


class Observe(unittest.TestCase):
    def watch(self, capture, *options, status=0, errors=b''):
        """The dialogues of a capture without their titles."""
        out = run(*options, '-', octets=capture if isinstance(capture, bytes) else capture.octets())
        self.assertEqual((out.returncode, out.stderr), (status, errors))
        return out.stdout.decode()

    def body(self, *arguments, **words):
        return self.watch(*arguments, **words).split('\n', 1)[1]

    def test_a_conversation_is_printed_as_a_dialogue(self):
        capture = transaction(Capture())
        capture.close()
        title = '== 192.0.2.1:40000 to 192.0.2.25:25, 2023-11-14 22:13:20 UTC\n'
        self.assertEqual(self.watch(capture, '--check'), title + DIALOGUE)

    def test_addresses_link_types_tags_and_small_segments_change_nothing(self):
        for link in (ETHERNET, LOOPBACK, RAW, NULL, COOKED, COOKED_2):
            for ends in ((CLIENT, SERVER), (CLIENT_6, SERVER_6)):
                for segment in (1, 7, 1460):
                    with self.subTest(link=link, ends=ends, segment=segment):
                        self.assertEqual(self.body(transaction(Capture(link, *ends, segment=segment))), DIALOGUE)
        self.assertEqual(self.body(transaction(Capture(tags=2))), DIALOGUE)
        self.assertIn('[2001:db8::1]:40000 to [2001:db8::25]:25', self.watch(transaction(Capture(RAW, CLIENT_6, SERVER_6))))

    def test_segments_in_another_order_and_more_than_once_change_nothing(self):
        # Sequence numbers pass 2^32 on the way. What one end sends in a row is turned around.
        whole = transaction(Capture(segment=5)).packets
        source = [packet[14 + 12:14 + 16] for packet in whole]
        for stride in (2, 3, 5):
            capture = Capture()
            at = 0
            while at < len(whole):
                end = at  # the first three packets open the connection
                while end < len(whole) and source[end] == source[at] and end - at < stride:
                    end += 1
                part = whole[at:end] if at < 3 else whole[at:end][::-1]
                capture.packets += part + part[:2]
                at = end
            self.assertEqual(self.body(capture), DIALOGUE)

    def test_a_retransmission_may_be_cut_elsewhere(self):
        capture = Capture().open()
        capture.server('220 mx.example')
        first = capture.next[0]
        octets = b'EHLO client.example\r\n'
        capture.packet(0, ACK, octets[10:], sequence=first + 10)
        capture.packet(0, ACK, octets[:4], sequence=first)
        capture.packet(0, ACK, octets[:12], sequence=first)
        capture.packet(0, ACK, octets, sequence=first)
        capture.packet(0, ACK, b'\0', sequence=first - 1)  # a probe whether the other end is still there
        capture.next[0] += len(octets)
        capture.server('250 mx.example')
        capture.close()
        self.assertEqual(self.body(capture), 'S: 220 mx.example\nC: EHLO client.example\nS: 250 mx.example\n')

    def test_octets_that_were_not_captured_are_told_and_what_follows_is_joined(self):
        capture = transaction(Capture())
        lost = capture.packets[9:10]  # MAIL, RCPT, RCPT, DATA
        self.assertIn(b'MAIL FROM', lost[0])
        capture.packets.remove(lost[0])
        told = self.body(capture)
        self.assertIn('? 85 octets of the client are not there\n? the beginning is not there\n', told)
        self.assertNotIn('!', told)
        self.assertIn('C: BDAT 6 LAST', told)
        # And at the end, where nothing comes behind.
        capture = Capture().open()
        capture.server('220 mx.example')
        capture.client('QUIT')
        del capture.packets[-2]
        self.assertIn('? 6 octets of the client are not there', self.body(capture))
        # Packets of which only the beginning was kept.
        capture = Capture()
        transaction(capture)
        told = self.body(capture.octets(cut=14 + 20 + 32 + 40))
        self.assertIn('? 45 octets of the client are not there', told)

    def test_a_connection_seen_from_the_middle_is_joined(self):
        capture = transaction(Capture())
        del capture.packets[:4]
        told = self.body(capture)
        self.assertTrue(told.startswith('? the beginning is not there\n'))
        self.assertIn('C: BDAT 6 LAST', told)
        self.assertNotIn('!', told)

    def test_anomalies_are_told_with_their_clause(self):
        capture = Capture().open()
        capture.client('EHLO client.example')
        capture.server('220 mx.example', '250 mx.example')
        capture.client('MAIL FROM: <a@client.example>')
        capture.server('250 ok', '250 what?')
        capture.close()
        told = self.body(capture)
        self.assertIn('! octets of the client came before the greeting (RFC 5321 4.3.1), at octet 0 of the client\n', told)
        self.assertIn('! a reply came that no command asked for (RFC 5321 4.3.1), at octet ', told)
        self.assertEqual(self.body(capture, '--check', status=76), told)

    def test_no_password_is_printed_and_nothing_acts_on_the_terminal(self):
        capture = Capture().open()
        capture.server('220 \x1b[2J')
        capture.client('EHLO client.example')
        capture.server('250-mx.example', '250 AUTH PLAIN LOGIN')
        capture.client('AUTH PLAIN AGEAc2VjcmV0')
        capture.server('535 no')
        capture.client('AUTH LOGIN')
        capture.server('334 VXNlcm5hbWU6')
        capture.client('YQ==')
        capture.server('334 UGFzc3dvcmQ6')
        capture.client('*')
        capture.server('501 cancelled')
        capture.client('AUTH secret')
        capture.server('504 what is secret?')
        capture.client('auth Secret c2VjcmV0')
        capture.server('504 what is Secret?')
        capture.client('auth scram-sha-256')
        capture.server('504 no')
        capture.client('PASS secret')
        capture.server('500 what is PASS secret?')
        self.assertEqual(self.body(capture).split('\n'), [
            'S: 220 ?[2J', 'C: EHLO client.example', 'S: 250-mx.example', 'S: 250 AUTH PLAIN LOGIN',
            'C: AUTH PLAIN (12 octets, not shown)', 'S: 535 (the text may repeat a secret, not shown)', 'C: AUTH LOGIN',
            'S: 334 (12 octets, not shown)',
            'C: (4 octets, not shown)', 'S: 334 (12 octets, not shown)', 'C: *', 'S: 501 (the text may repeat a secret, not shown)',
            'C: AUTH ****', 'S: 504 (the text may repeat a secret, not shown)',
            'C: AUTH **** (8 octets, not shown)', 'S: 504 (the text may repeat a secret, not shown)',
            'C: AUTH scram-sha-256', 'S: 504 (the text may repeat a secret, not shown)',
            'C: (11 octets, not shown: no such command (RFC 5321 4.2.4))', 'S: 500 (the text may repeat a secret, not shown)', ''])
        capture = Capture().open()
        capture.server('220 \xc3\xbc\xc2\x9b\xff\x07')
        self.assertEqual(self.body(capture).split('\n')[0], 'S: 220 \u00fc???')

    def test_mail_data_are_printed_when_asked_for(self):
        told = self.body(transaction(Capture(segment=3)), '--data')
        self.assertIn('S: 354 go\nC| Subject: dots\nC| \nC| .\nC| text\n- a message of 26 octets\n', told)
        self.assertIn('C: BDAT 6\nC| RSET\nC: BDAT 6 LAST\nC| QUIT\n', told)

    def test_a_long_message_that_comes_at_once_is_printed_in_little_time(self):
        for text in (b'\r\n' * 2**20, b'x' * 2**20):
            capture = Capture(segment=60000).open()
            capture.server('220 mx.example')
            capture.client('HELO client.example', 'MAIL FROM:<>', 'RCPT TO:<b@mx.example>', 'DATA')
            capture.server('250 mx.example', '250 ok', '250 ok', '354 go')
            first = len(capture.packets)
            capture.send(0, text + b'\r\n.\r\n')
            capture.packets[first:] = capture.packets[first + 1:-1] + [capture.packets[first], capture.packets[-1]]  # behind a gap until then
            capture.server('250 taken')
            begin = time.monotonic()
            told = self.body(capture, '--data')
            self.assertLess(time.monotonic() - begin, 20)
            lines = text.count(b'\r\n') + 1
            self.assertEqual(told.count('\nC| '), lines)
            self.assertTrue(told.endswith(f'- a message of {len(text) + 2} octets\nS: 250 taken\n'), told[-200:])

    def test_conversations_are_told_apart(self):
        capture = Capture(client=('192.0.2.1', 1))
        other = Capture(client=('192.0.2.1', 2))
        web = Capture(server=('192.0.2.25', 80))
        transaction(capture)
        transaction(other)
        transaction(web)
        again = Capture(client=('192.0.2.1', 1), first=5)
        again.open()
        again.server('220 again')
        mixed = Capture()
        for trio in zip(capture.packets, other.packets, web.packets):
            mixed.packets += trio
        mixed.packets += again.packets
        told = self.watch(mixed)
        self.assertEqual(told.count(DIALOGUE), 2)
        self.assertEqual(told.count('== '), 3)
        self.assertIn('S: 220 again\n', told)
        self.assertEqual(self.watch(mixed, '--filter', 'tcp port 2').count('== '), 1)
        self.assertEqual(self.watch(mixed, '--port', '80', '--port', '25').count('== '), 4)
        none = b'06_observe: no conversation with one of the ports in it; see --port\n'
        self.assertEqual(self.watch(mixed, '--port', '81', errors=none), '')

    def test_a_reset_ends_a_conversation(self):
        capture = Capture().open()
        capture.server('220 mx.example')
        capture.client('EHLO client.example')
        capture.server('250 mx.example')
        capture.client('MAIL FROM:<a@client.example>')
        capture.server('250 ok')
        capture.packet(0, RST)
        self.assertTrue(self.watch(capture).endswith('S: 250 ok\n- the transaction ended without a message: peer_gone\n'))

    def test_other_packets_are_passed_over(self):
        capture = transaction(Capture())
        noise = [b'', b'\0' * 13, frame_of(ETHERNET, ip_of(CLIENT, SERVER, b'', protocol=17)), bytes(12) + b'\x08\x06' + bytes(28),
                 frame_of(ETHERNET, ip_of(CLIENT, SERVER, b'\0' * 5)), frame_of(ETHERNET, b'\x45' + bytes(30)),
                 frame_of(ETHERNET, b'\x60' + bytes(20)), frame_of(ETHERNET, b'\x4f' + bytes(25)), bytes(12) + b'\x81\x00']
        capture.packets = [packet for each in capture.packets for packet in (each, *noise)]
        self.assertEqual(self.body(capture), DIALOGUE)
        capture.packets.append(frame_of(ETHERNET, ip_of(CLIENT, SERVER, bytes(40), fragment=0x2000)))
        self.assertEqual(self.body(capture, errors=b'06_observe: 1 fragments of IP packets were passed over\n'), DIALOGUE)

    def test_what_cannot_be_read_is_said(self):
        whole = transaction(Capture()).octets()
        with tempfile.TemporaryDirectory() as folder:
            broken = os.path.join(folder, 'broken')
            for octets, said in [(b'', 'truncated'), (b'no capture, but text', 'format'), (whole[:30], 'truncated'),
                                 (whole[:-1], 'truncated')]:
                with open(broken, 'wb') as file:
                    file.write(octets)
                out = run(broken)
                self.assertEqual(out.returncode, 65, octets[:40])
                self.assertIn(said, out.stderr.decode())
            self.assertIn(b'- TLS begins', out.stdout)  # what came before the break
            self.assertEqual(run(folder).returncode, 66)
        out = run('-', octets=Capture(PPP).octets())
        self.assertEqual(out.returncode, 65)
        self.assertIn(b'PPP', out.stderr)
        out = run('/nonexistent/file')
        self.assertEqual((out.returncode, out.stdout), (66, b''))
        self.assertIn(b'/nonexistent/file: No such file', out.stderr)
        for arguments, said in [([], 'FILE is missing'), (['a', 'b'], 'one too many'), (['--port', '0', 'a'], 'from 1'),
                                (['--nonsense'], 'nonsense')]:
            out = run(*arguments)
            self.assertEqual((out.returncode, out.stdout), (64, b''))
            self.assertIn(said, out.stderr.decode())
        out = run('--filter', 'port or', '-', octets=whole)
        self.assertEqual(out.returncode, 64)

    def test_standard_output_that_cannot_be_written_is_said(self):
        capture = Capture().open()
        capture.server('220 mx.example')
        capture.close()
        long = Capture().open()
        long.server(*['220-mx.example'] * 500, '220 mx.example')
        long.close()
        for octets in (capture.octets(), long.octets()):
            read, write = os.pipe()
            os.close(read)  # a reader that is gone
            for output in (os.open('/dev/full', os.O_WRONLY), write):
                out = subprocess.run([OBSERVE, '-'], input=octets, stdout=output, stderr=subprocess.PIPE, timeout=WAIT)
                os.close(output)
                self.assertEqual((out.returncode, out.stderr), (74, b'06_observe: standard output: it cannot be written\n'))

    def test_standard_streams_that_are_closed_change_nothing(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(transaction(Capture()).octets())
            file.flush()
            whole = run(file.name).stdout
            for closed in ('<&-', '2>&-', '<&- 2>&-'):
                out = subprocess.run(['sh', '-c', f'"$0" "$1" {closed}', OBSERVE, file.name], capture_output=True, timeout=WAIT)
                self.assertEqual((out.returncode, out.stdout, out.stderr), (0, whole, b''))
            self.assertEqual(subprocess.run(['sh', '-c', '"$0" "$1" <&- >&- 2>&-', OBSERVE, file.name], timeout=WAIT).returncode, 0)

    def test_help_names_every_option(self):
        out = run('--help')
        self.assertEqual((out.returncode, out.stderr), (0, b''))
        for option in ('--port', '--filter', '--lmtp', '--data', '--check', '--help'):
            self.assertIn(option.encode(), out.stdout)


if __name__ == '__main__':
    unittest.main()

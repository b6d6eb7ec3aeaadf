#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes the corpora of the benchmarks, from a fixed seed and no input: corpus.py FOLDER

cmd_mix.txt     command lines with CRLF as a server sees them, one wrong line in thirty
cmd_mailp.txt   MAIL with parameters
cmd_rcpt.txt    RCPT
addr_mix.txt    mailboxes, one a line that ends with LF: with quotes, literals and UTF-8
reply_mix.txt   replies of servers, of one line and of several
body_*.bin      mail data as on the wire, without the end mark: b64 (76 columns), text (prose), long (998 columns), dots (short lines)
session.bin     what 500 clients say: EHLO, MAIL, RCPT, DATA, about 4 KiB, QUIT
"""
import base64
import os
import random
import string
import sys

R = random.Random(5321)

FIRST = """james mary robert patricia john jennifer michael linda david elizabeth wei li anna ivan olga jose maria kenji yuki fatima ahmed
priya arjun chloe lucas emma noah""".split()
LAST = """smith johnson williams brown jones garcia miller davis rodriguez martinez wang zhang novak kowalski mueller schmidt rossi tanaka
suzuki khan patel dubois silva""".split()
NAMES = ["example", "mail-gw", "contoso", "northwind", "initech", "acme-corp", "wayne", "tyrell", "university-of-somewhere", "city-council"]
TOP = ["com", "org", "net", "de", "co.uk", "io", "edu", "gov.br", "co.jp", "fr"]
SUB = ["", "", "", "mx1.", "mail.", "lists.", "bounce.", "eu-west-1.smtp.", "news.", "corp."]
WORDS = """the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were
her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new
some could time these two may then do first any my now such like our over man me even most made after also did many before must through
back years where much your way well down should because each just those people how too little state good very make world""".split()

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits


def chance(probability):
    return R.random() < probability


def one_of(*choices):
    """One of `(weight, function)`, called."""
    functions = [function for _, function in choices]
    return R.choices(functions, weights=[weight for weight, _ in choices])[0]()


def domain():
    number = str(R.randrange(1, 999)) if chance(0.3) else ""
    return R.choice(SUB) + R.choice(NAMES) + number + "." + R.choice(TOP)


def host():
    return R.choice(["mail", "mx", "smtp-out", "relay", "mta"]) + str(R.randrange(1, 64)) + "." + domain()


def dot_string():
    first, last = R.choice(FIRST), R.choice(LAST)
    tag = R.choice(["news", "shop", "spam", "tag-%d" % R.randrange(9999)])
    bounce = "bounces+%d-%s=%s" % (R.randrange(10**7), "".join(R.choices(LOWER, k=8)), first)
    return R.choice([first, first + "." + last, first[0] + last, first + "_" + last, "%s.%s%d" % (first, last, R.randrange(99)),
                     first + "+" + tag, bounce, "no-reply", "info"])


def plain_mailbox():
    return dot_string() + "@" + domain()


def mailbox():
    return one_of(
        (90, plain_mailbox),
        (3, lambda: '"%s %s"@%s' % (R.choice(FIRST), R.choice(LAST), domain())),
        (1, lambda: '"%s\\"%s"@%s' % (R.choice(FIRST), R.choice(LAST), domain())),
        (2, lambda: "%s@[192.0.2.%d]" % (dot_string(), R.randrange(1, 255))),
        (1, lambda: "%s@[IPv6:2001:db8::%x]" % (dot_string(), R.randrange(1, 65535))),
        (2, lambda: R.choice(["j\u00fcrgen", "\u7528\u6237", "\u043f\u043e\u043b\u044c\u0437\u043e\u0432\u0430\u0442\u0435\u043b\u044c"]) + "@" +
         R.choice(["b\u00fccher.example", "\u4f8b\u3048.example", "\u043f\u0440\u0438\u043c\u0435\u0440.example"])),
        (1, lambda: "a" * 60 + "@" + "x" * 50 + "." + "y" * 50 + ".example.org"))


def xtext(size):
    return "".join(R.choice(ALNUM + ".-_") if chance(0.95) else "+2B" for _ in range(size))


def hello():
    return "EHLO " + (host() if chance(0.9) else "[192.0.2.%d]" % R.randrange(1, 255))


def mail(address=mailbox):
    return "MAIL FROM:<%s>" % ("" if chance(0.08) else address())


def mail_with_parameters(address=mailbox):
    possible = [(0.85, "SIZE=%d" % R.randrange(500, 40_000_000)), (0.60, "BODY=" + R.choice(["8BITMIME", "7BIT", "BINARYMIME"])),
                (0.25, "SMTPUTF8"), (0.25, "RET=" + R.choice(["FULL", "HDRS"])), (0.25, "ENVID=" + xtext(R.randrange(8, 40))),
                (0.05, "AUTH=<>")]
    chosen = [text for probability, text in possible if chance(probability)]
    R.shuffle(chosen)
    return " ".join([mail(address)] + chosen)


def rcpt(address=mailbox):
    return "RCPT TO:<%s>" % address()


def rcpt_with_parameters():
    out = rcpt() + " NOTIFY=" + R.choice(["NEVER", "SUCCESS,FAILURE", "FAILURE", "SUCCESS,FAILURE,DELAY", "FAILURE,DELAY"])
    if chance(0.7):
        out += " ORCPT=rfc822;" + plain_mailbox().replace("+", "+2B").replace("=", "+3D")
    return out


def auth():
    secret = "\0%s\0%s" % (plain_mailbox(), "".join(R.choices(ALNUM, k=R.randrange(8, 24))))
    return "AUTH PLAIN " + base64.b64encode(secret.encode()).decode()


def bdat():
    return "BDAT %d%s" % (R.randrange(100, 1_000_000), R.choice(["", "", " LAST"]))


def wrong():
    return R.choice([
        "MAIL FROM:" + plain_mailbox(), "RCPT TO:<" + plain_mailbox(), "RCPT TO:<@>", "MAIL FROM:<a..b@%s>" % domain(), "FOO",
        "GET / HTTP/1.1", "RCPT", "MAIL", "HELO", "EHLO", "BDAT x", "AUTH", "RCPT TO:<%s> BAD PARAM=" % plain_mailbox(), "STARTTLS now",
        "", "\x16\x03\x01\x02", "MAIL FROM:<%s> SIZE=abc" % plain_mailbox()])


def command():
    line = one_of((13, hello), (6, mail), (15, mail_with_parameters), (20, rcpt), (12, rcpt_with_parameters), (10.5, lambda: "DATA"),
                  (4, lambda: "RSET"), (8, lambda: "QUIT"), (3, auth), (3, bdat), (2, lambda: R.choice(["NOOP", "NOOP keepalive"])),
                  (3.5, wrong))
    if " " in line and chance(0.125):  # some clients write verbs in lower case
        verb, rest = line.split(" ", 1)
        return verb.lower() + " " + rest
    return line


def reply():
    queued = "".join(R.choices("0123456789ABCDEF", k=10))
    capabilities = ["PIPELINING", "SIZE %d" % R.randrange(10**7, 10**8), "VRFY", "ETRN", "STARTTLS", "AUTH PLAIN LOGIN",
                    "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8"]
    refusal = ["This message was refused: its sender is not known.", "The sender has to be known by SPF or by DKIM.",
               " SPF of %s: no" % domain()]
    return one_of(
        (30, lambda: "250 2.1.0 Ok\r\n"),
        (20, lambda: "250 2.1.5 Ok\r\n"),
        (10, lambda: "354 End data with <CR><LF>.<CR><LF>\r\n"),
        (12, lambda: "250 2.0.0 Ok: queued as %s\r\n" % queued),
        (6, lambda: "221 2.0.0 Bye\r\n"),
        (6, lambda: "220 %s ESMTP\r\n" % host()),
        (6, lambda: "".join("250-%s\r\n" % line for line in [host()] + capabilities) + "250 CHUNKING\r\n"),
        (5, lambda: "550 5.1.1 <%s>: no such user here, nor in the table of aliases\r\n" % plain_mailbox()),
        (5, lambda: "".join("550-5.7.26 %s\r\n" % line for line in refusal) + "550 5.7.26 See https://help.example.com/%s\r\n" % queued))


def prose():
    size, words = R.randrange(0, 78), []
    if size < 6:
        return b""
    while sum(len(word) + 1 for word in words) < size:
        words.append(R.choice(WORDS))
    return (" ".join(words) + R.choice(["", "", ".", ","])).encode()


def session():
    lines = []
    while sum(len(line) + 2 for line in lines) < 4096:
        lines.append(prose())
    head = "EHLO %s\r\n%s SIZE=%d\r\n%s\r\nDATA\r\n" % (host(), mail(plain_mailbox), R.randrange(4096, 8192), rcpt(plain_mailbox))
    return head.encode() + b"".join(line + b"\r\n" for line in lines) + b".\r\nQUIT\r\n"


def write(name, pieces, size):
    """Writes pieces until there are `size` octets."""
    written = count = 0
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        while written < size:
            written += file.write(pieces())
            count += 1
    print("%-14s %9d octets, %7d items" % (name, written, count))


def lines_of(make, end):
    return lambda: (make() + end).encode()


def body_of(lines):
    """Lines as on the wire: a dot that begins one is doubled."""
    wire = [(b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines]
    return lambda: R.choice(wire)


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    write("cmd_mix.txt", lines_of(command, "\r\n"), 1_000_000)
    write("cmd_mailp.txt", lines_of(lambda: mail_with_parameters(plain_mailbox), "\r\n"), 250_000)
    write("cmd_rcpt.txt", lines_of(lambda: rcpt(plain_mailbox), "\r\n"), 250_000)
    write("addr_mix.txt", lines_of(mailbox, "\n"), 500_000)
    write("reply_mix.txt", lines_of(reply, ""), 500_000)
    size = 16 << 20
    write("body_b64.bin", body_of(base64.b64encode(R.randbytes(57)) for _ in range(4096)), size)
    letters = b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:<>/=\""
    write("body_long.bin", body_of(bytes(R.choices(letters, k=998)) for _ in range(512)), size)
    few = [b".", b"..", b"...", b".x", b". .", b"", b"a", b"-- ", b".sig", b"1. item"]
    write("body_dots.bin", body_of(few + [b"." * R.randrange(1, 8) + b"w" * R.randrange(0, 12) for _ in range(200)]), size)
    write("body_text.bin", body_of(prose() for _ in range(8192)), size)
    with open(os.path.join(sys.argv[1], "session.bin"), "wb") as file:
        file.writelines(session() for _ in range(500))


if __name__ == "__main__":
    main()

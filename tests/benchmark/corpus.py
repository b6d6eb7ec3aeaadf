#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Makes the shared benchmark corpora for SMTP parsers (own script, no input files, deterministic).

usage: gen_corpus.py OUTDIR [--mb N]     N = size of each body corpus in MiB (default 16)

OUTDIR/cmd_mix.txt    ~1 MB, CRLF command lines: the realistic mix (see MIX below), ~3.5 % errors
OUTDIR/cmd_core.txt   ~1 MB, only lines every peer can accept (EHLO/HELO, MAIL/RCPT with and without SIZE/BODY,
                      DATA, RSET, QUIT, bare NOOP; dot-atom @ domain only)
OUTDIR/cmd_<kind>.txt ~256 KB each: ehlo mail mailp rcpt rcptp short auth bdat err
OUTDIR/addr_mix.txt   mailboxes, one a line (LF), incl. quoted local parts, literals, UTF-8
OUTDIR/addr_core.txt  mailboxes, one a line (LF), dot-atom @ domain only
OUTDIR/reply_mix.txt  server replies as they come on the wire, single and multi line (CRLF)
OUTDIR/body_*.bin     DATA bodies in wire form (dot-stuffed), without the final CRLF.CRLF:
                      b64 (76 col), long (998), dots (short lines, many leading dots), text (prose),
                      binary (random octets, BDAT only)
OUTDIR/session.bin    500 whole client transcripts (EHLO MAIL RCPT DATA, ~4 KiB body, end mark, QUIT)
Prints one line per file: name, bytes, items.
"""
import argparse, base64, os, random, string

ap = argparse.ArgumentParser()
ap.add_argument("outdir"); ap.add_argument("--mb", type=int, default=16)
a = ap.parse_args()
os.makedirs(a.outdir, exist_ok=True)
R = random.Random(5321)

FIRST = "james mary robert patricia john jennifer michael linda david elizabeth wei li anna ivan olga jose maria kenji yuki fatima ahmed priya arjun chloe lucas emma noah".split()
LAST = "smith johnson williams brown jones garcia miller davis rodriguez martinez wang zhang novak kowalski mueller schmidt rossi tanaka suzuki khan patel dubois silva".split()
SLD = "example mail-gw contoso fabrikam northwind globex initech umbrella acme-corp hooli stark wayne cyberdyne tyrell soylent wonka oscorp university-of-somewhere city-council".split()
TLD = ["com", "org", "net", "de", "co.uk", "io", "edu", "gov.br", "co.jp", "fr"]
SUB = ["", "", "", "mx1.", "mail.", "lists.", "bounce.", "eu-west-1.smtp.", "news.", "corp."]

def domain(): return R.choice(SUB) + R.choice(SLD) + (str(R.randrange(1, 999)) if R.random() < .3 else "") + "." + R.choice(TLD)
def host(): return R.choice(["mail", "mx", "smtp-out", "relay", "mta"]) + str(R.randrange(1, 64)) + "." + domain()
def local_core():
    f, l = R.choice(FIRST), R.choice(LAST)
    return R.choice([f, f + "." + l, f[0] + l, f + "_" + l, f + "." + l + str(R.randrange(99)), f + "+" + R.choice(["news", "shop", "spam", "tag-%d" % R.randrange(9999)]),
                     "bounces+%d-%s=%s" % (R.randrange(10**7), "".join(R.choices(string.ascii_lowercase + string.digits, k=8)), f), "no-reply", "info"])
def addr_core(): return local_core() + "@" + domain()
def addr_mix():
    x = R.random()
    if x < .90: return addr_core()
    if x < .93: return '"%s %s"@%s' % (R.choice(FIRST), R.choice(LAST), domain())
    if x < .94: return '"%s\\"%s"@%s' % (R.choice(FIRST), R.choice(LAST), domain())
    if x < .96: return "%s@[192.0.2.%d]" % (local_core(), R.randrange(1, 255))
    if x < .97: return "%s@[IPv6:2001:db8::%x]" % (local_core(), R.randrange(1, 65535))
    if x < .99: return "%s@%s" % (R.choice(["jürgen", "用户", "пользователь", "josé.garcía"]), R.choice(["bücher.example", "例え.example", "пример.example"]))
    return "a" * 60 + "@" + "x" * 50 + "." + "y" * 50 + ".example.org"
def xtext(n): return "".join(R.choice(string.ascii_letters + string.digits + ".-_") if R.random() < .95 else "+2B" for _ in range(n))

def c_ehlo(): return "EHLO " + (host() if R.random() < .9 else "[192.0.2.%d]" % R.randrange(1, 255))
def c_ehlo_core(): return R.choice(["EHLO ", "EHLO ", "EHLO ", "HELO "]) + host()
def c_mail(af=addr_core): return "MAIL FROM:<%s>" % ("" if R.random() < .08 else af())
def c_mail_core():
    s = c_mail()
    if R.random() < .7: s += " SIZE=%d" % R.randrange(500, 40_000_000)
    if R.random() < .4: s += " BODY=" + R.choice(["8BITMIME", "7BIT"])
    return s
def c_mailp(af=addr_core):
    s = c_mail(af)
    p = []
    if R.random() < .85: p.append("SIZE=%d" % R.randrange(500, 40_000_000))
    if R.random() < .60: p.append("BODY=" + R.choice(["8BITMIME", "7BIT", "BINARYMIME"]))
    if R.random() < .25: p.append("SMTPUTF8")
    if R.random() < .25: p.append("RET=" + R.choice(["FULL", "HDRS"]))
    if R.random() < .25: p.append("ENVID=" + xtext(R.randrange(8, 40)))
    if R.random() < .05: p.append("AUTH=<>")
    R.shuffle(p)
    return " ".join([s] + p)
def c_rcpt(af=addr_core): return "RCPT TO:<%s>" % af()
def c_rcptp(af=addr_core):
    s = c_rcpt(af)
    s += " NOTIFY=" + R.choice(["NEVER", "SUCCESS,FAILURE", "FAILURE", "SUCCESS,FAILURE,DELAY", "FAILURE,DELAY"])
    if R.random() < .7: s += " ORCPT=rfc822;" + addr_core().replace("+", "+2B").replace("=", "+3D")  # xtext, RFC 3461 section 4
    return s
def c_short(): return R.choice(["DATA", "DATA", "RSET", "QUIT", "NOOP"])
def c_auth():
    u, p = addr_core(), "".join(R.choices(string.ascii_letters + string.digits, k=R.randrange(8, 24)))
    return "AUTH PLAIN " + base64.b64encode(("\0%s\0%s" % (u, p)).encode()).decode()
def c_bdat(): return "BDAT %d%s" % (R.randrange(100, 1_000_000), R.choice(["", "", " LAST"]))
def c_noop(): return R.choice(["NOOP", "NOOP keepalive"])
def c_err(): return R.choice([
    "MAIL FROM:" + addr_core(), "RCPT TO:<%s" % addr_core(), "RCPT TO:<@>", "MAIL FROM:<a..b@%s>" % domain(), "XCLIENT ADDR=192.0.2.1",
    "FOO", "GET / HTTP/1.1", "RCPT", "MAIL", "HELO", "EHLO", "BDAT x", "AUTH", "RCPT TO:<%s> BAD PARAM=" % addr_core(), "STARTTLS now", "",
    "\x16\x03\x01\x02", "MAIL FROM:<%s> SIZE=abc" % addr_core()])

def mix_line():
    x = R.random()
    if x < .13: return c_ehlo()
    if x < .19: return c_mail(addr_mix)
    if x < .34: return c_mailp(addr_mix)
    if x < .54: return c_rcpt(addr_mix)
    if x < .66: return c_rcptp(addr_mix)
    if x < .765: return "DATA"
    if x < .805: return "RSET"
    if x < .885: return "QUIT"
    if x < .915: return c_auth()
    if x < .945: return c_bdat()
    if x < .965: return c_noop()
    s = c_err(); return s
def low(s):  # one command in eight in lower or mixed case verb, as clients send
    if R.random() < .125 and " " in s:
        v, r = s.split(" ", 1); return v.lower() + " " + r
    return s

def write(name, data, items):
    p = os.path.join(a.outdir, name)
    with open(p, "wb") as f: f.write(data)
    print("%-16s %10d bytes %7d items" % (name, len(data), items))
def lines(name, size, fn, eol="\r\n"):
    out, n, tot = [], 0, 0
    while tot < size:
        b = (fn() + eol).encode("utf-8"); out.append(b); tot += len(b); n += 1
    write(name, b"".join(out), n)

MB = 1_000_000
lines("cmd_mix.txt", MB, lambda: low(mix_line()))
def core_line():
    x = R.random()
    if x < .14: return c_ehlo_core()
    if x < .36: return c_mail_core()
    if x < .70: return c_rcpt()
    return c_short()
lines("cmd_core.txt", MB, lambda: low(core_line()))
for k, fn in dict(ehlo=c_ehlo, mail=c_mail, mailp=c_mailp, rcpt=c_rcpt, rcptp=c_rcptp, short=c_short, auth=c_auth, bdat=c_bdat, err=c_err).items():
    lines("cmd_%s.txt" % k, MB // 4, fn)
lines("addr_mix.txt", MB // 2, addr_mix, "\n")
lines("addr_core.txt", MB // 2, addr_core, "\n")

def reply():
    x = R.random()
    q = "".join(R.choices("0123456789ABCDEF", k=10))
    if x < .30: return "250 2.1.0 Ok\r\n"
    if x < .50: return "250 2.1.5 Ok\r\n"
    if x < .60: return "354 End data with <CR><LF>.<CR><LF>\r\n"
    if x < .72: return "250 2.0.0 Ok: queued as %s\r\n" % q
    if x < .78: return "221 2.0.0 Bye\r\n"
    if x < .84: return "220 %s ESMTP Postfix\r\n" % host()
    if x < .90: return ("250-%s\r\n250-PIPELINING\r\n250-SIZE %d\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n"
                        "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n") % (host(), R.randrange(10**7, 10**8))
    if x < .95: return "550 5.1.1 <%s>: Recipient address rejected: User unknown in virtual mailbox table\r\n" % addr_core()
    return ("550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n550-5.7.26 The sender must authenticate with either SPF or DKIM.\r\n"
            "550-5.7.26  DKIM = did not pass\r\n550-5.7.26  SPF [%s] with ip: [192.0.2.%d] = did not pass\r\n550 5.7.26 For instructions see https://support.example.com/mail/answer/%d %s - gsmtp\r\n"
            % (domain(), R.randrange(1, 255), R.randrange(99999), q.lower()))
lines("reply_mix.txt", MB // 2, reply, "")
def enh_reply():
    return R.choice(["250 2.1.0 Ok\r\n", "250 2.1.5 Ok\r\n", "250 2.0.0 Ok: queued as 4F1B22C\r\n", "550 5.1.1 <%s>: Recipient address rejected: User unknown\r\n" % addr_core()])

SZ = a.mb << 20
def body(name, gen):
    out, tot, n = [], 0, 0
    while tot < SZ:
        l = gen()
        if l.startswith(b"."): l = b"." + l
        l += b"\r\n"; out.append(l); tot += len(l); n += 1
    write(name, b"".join(out), n)
blk = [base64.b64encode(R.randbytes(57)) for _ in range(4096)]
body("body_b64.bin", lambda: R.choice(blk))
lng = [bytes(R.choices(b"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:<>/=\"", k=998)) for _ in range(512)]
body("body_long.bin", lambda: R.choice(lng))
dots = [b".", b"..", b"...", b".x", b". .", b"", b"a", b"-- ", b".sig", b"1. item"] + [b"." * R.randrange(1, 8) + b"w" * R.randrange(0, 12) for _ in range(200)]
body("body_dots.bin", lambda: R.choice(dots))
W = "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people mr how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three".split()
def prose():
    n, w = R.randrange(0, 78), []
    if n < 6: return b""
    while sum(len(x) + 1 for x in w) < n: w.append(R.choice(W))
    return (" ".join(w) + R.choice(["", "", ".", ","])).encode()
pr = [prose() for _ in range(8192)]
body("body_text.bin", lambda: R.choice(pr))
write("body_binary.bin", R.randbytes(SZ), 1)
# whole sessions as a client sends them, one after the other: EHLO, MAIL, RCPT, DATA, ~4 KiB body, end mark, QUIT
def session():
    b = []
    while sum(len(x) + 2 for x in b) < 4096: b.append(prose())
    return ("%s\r\n%s\r\n%s\r\nDATA\r\n" % (c_ehlo_core(), c_mail_core(), c_rcpt())).encode() + b"".join((b"." if x.startswith(b".") else b"") + x + b"\r\n" for x in b) + b".\r\nQUIT\r\n"
write("session.bin", b"".join(session() for _ in range(500)), 500)

# SPDX-License-Identifier: BSL-1.0
"""The figures: what each row measures, what it must be and what it aims at. `m` gives times and counts by the names of cases."""

ROWS = {}


class Row:
    def __init__(self, number, title, figures):
        self.number, self.title, self.figures = number, title, figures


class Figure:
    """One measured value beside its goals. `best` says whether less or more is better."""

    def __init__(self, what, value, unit, must=None, aim=None, best="less"):
        self.what, self.value, self.unit, self.must, self.aim, self.best = what, value, unit, must, aim, best

    def reaches(self, goal):
        return self.value <= goal if self.best == "less" else self.value >= goal

    def verdict(self):
        if self.aim is not None and self.reaches(self.aim):
            return "aim"
        if self.must is not None and self.reaches(self.must):
            return "must"
        return "shown" if self.must is None and self.aim is None else "missed" if self.must is not None else "-"

    def goal_text(self, goal):
        return "" if goal is None else ("<= " if self.best == "less" else ">= ") + number(goal)

    def text(self):
        return "%-62s %10s %-22s must %-9s aim %-9s %s" % (
            self.what, number(self.value), self.unit, self.goal_text(self.must), self.goal_text(self.aim), self.verdict())


def number(value):
    """Three digits that matter."""
    if isinstance(value, int) and value < 1000:
        return str(value)
    if value >= 1000:
        return format(round(value), ",")
    if value >= 100:
        return "%.0f" % value
    if value >= 10:
        return "%.1f" % value
    return "%.2f" % value if value >= 0.1 else "%.3f" % value


def row(n, title):
    def enter(figures):
        ROWS[n] = Row(n, title, figures)
        return figures
    return enter


def instructions(m, case, per="items"):
    counted = m.count(case)
    return counted.instructions / getattr(counted, per)


# What profiles show of rows that may be missed.
WHY = {
    1: "A quarter of its instructions reads mailboxes and another quarter parameters, both by masks of 64 octets; the others cut lines, "
       "tell words apart and move results.",
    6: "A feed of 64 octets takes some 100 instructions. A third of them look at the octets (with AVX2); the others check the state, count "
       "the line and build the answer, once for each feed, however short it is. Long feeds are read at tens of gigabytes a second, and "
       "what makes those faster makes this ratio worse.",
    21: "The standard headers that a session needs take most of what the goal allows. Of the rest, half is the instantiation of templates: "
        "the variants of actions, and a result and an optional for each of some sixty types of values.",
    22: "The session's own functions are more than the goal by themselves. All extensions are chosen at run time, so that the linker can leave "
        "out none of them. With -Os the program is a fifth smaller.",
}


@row(1, "command parsing, realistic mix, octets to typed command")
def _(m):
    yield Figure("instructions a command", instructions(m, "command/mix/ehlo"), "instructions", 770, 590)
    time = m.time("command/mix/ehlo")
    yield Figure("time against the prototype", time / m.time("command/mix/floor"), "x prototype")
    yield Figure("time against Dovecot", time / m.time("command/mix/dovecot"), "x Dovecot", 0.18, 0.13)


@row(2, "DATA, RSET, QUIT, NOOP")
def _(m):
    for verb in ("DATA", "RSET", "QUIT", "NOOP"):
        yield Figure(verb, instructions(m, "command/%s/ehlo" % verb), "instructions", 150, 100)


@row(3, "mailbox")
def _(m):
    counted = m.count("mailbox/mix/ehlo", branches=True)
    yield Figure("instructions a mailbox", counted.instructions / counted.items, "instructions")
    yield Figure("mispredicted branches a mailbox", counted.mispredicted / counted.items, "branches")
    yield Figure("instructions + 50 x mispredicted", (counted.instructions + 50 * counted.mispredicted) / counted.items, "", 750, 500)
    yield Figure("time against the prototype", m.time("mailbox/mix/ehlo") / m.time("mailbox/mix/floor"), "x prototype")
    yield Figure("time against Dovecot", m.time("mailbox/mix/ehlo") / m.time("mailbox/mix/dovecot"), "x Dovecot", 0.20, 0.15)


@row(4, "commands fed to a session in pieces, instructions against the same in feeds of 16 KiB")
def _(m):
    whole = instructions(m, "commands-fed/16384/ehlo")
    yield Figure("feeds of 16 KiB", whole, "instructions")
    for feed, must, aim in ((64, 1.5, 1.3), (16, 1.8, 1.6), (1, 3.5, 3)):
        yield Figure("feeds of %d" % feed, instructions(m, "commands-fed/%d/ehlo" % feed) / whole, "x", must, aim)


BODIES = (("b64", "base64"), ("text", "text"), ("long", "long lines"))


@row(5, "mail data as slices, strict, feeds of 1460 octets and more")
def _(m):
    for name, what in BODIES:
        for feed in (1460, 16384, 65536):
            case = "data/%s/%d/" % (name, feed)
            time = m.time(case + "ehlo")
            yield Figure("%s, feeds of %d: speed against the SSE2 scan" % (what, feed), m.time("data/%s/scan-sse2" % name) / time,
                         "x scan", 0.60, 0.85, "more")
            yield Figure("%s, feeds of %d: speed against Dovecot" % (what, feed), m.time(case + "dovecot") / time, "x Dovecot", 20,
                         None, "more")


@row(6, "mail data in small feeds (text)")
def _(m):
    case = "data/text-1M/%d/%s"
    yield Figure("feeds of 64: speed against own at 64 KiB", m.time(case % (65536, "ehlo")) / m.time(case % (64, "ehlo")), "x", 0.35, 0.6,
                 "more")
    for feed, must, aim in ((16, 2, 470), (1, 10, 410)):
        time = m.time(case % (feed, "ehlo"))
        yield Figure("feeds of %d: speed" % feed, 1e3 / time, "MB/s", None, aim, "more")
        yield Figure("feeds of %d: speed against Dovecot" % feed, m.time(case % (feed, "dovecot")) / time, "x Dovecot", must, None, "more")


@row(7, "mail data with AVX2 (-march=x86-64-v3)")
def _(m):
    for name, what in BODIES:
        yield Figure("%s, feeds of 16384: speed against the AVX2 scan" % what,
                     m.time("v3:data/%s/scan-avx2" % name) / m.time("v3:data/%s/16384/ehlo" % name), "x scan", 0.55, 0.8, "more")


@row(8, "mail data of short lines with many dots")
def _(m):
    yield Figure("feeds of 16384: speed against Dovecot", m.time("data/dots/16384/dovecot") / m.time("data/dots/16384/ehlo"),
                 "x Dovecot", 4, 8, "more")
    yield Figure("feeds of 16384: speed against the prototype", m.time("data/dots/16384/prototype-sse2") / m.time("data/dots/16384/ehlo"),
                 "x prototype", None, None, "more")


@row(9, "mail data, instructions an octet (base64, feeds of 16 KiB)")
def _(m):
    yield Figure("instructions an octet", instructions(m, "data/b64/16384/ehlo", "octets"), "instructions", 1.5, 1.2)


@row(10, "BDAT: the time of a feed does not depend on its size")
def _(m):
    small = m.time("bdat/64/ehlo")
    yield Figure("64 KiB against 64 octets", m.time("bdat/65536/ehlo") / small, "x", 1.2)
    yield Figure("a feed of 64 octets", small, "ns", None, 15)


@row(11, "reply parsing")
def _(m):
    yield Figure("instructions a reply", instructions(m, "reply/mix/ehlo"), "instructions")
    yield Figure("time against the prototype", m.time("reply/mix/ehlo") / m.time("reply/mix/floor"), "x prototype")
    yield Figure("time against Dovecot", m.time("reply/mix/ehlo") / m.time("reply/mix/dovecot"), "x Dovecot", 0.20, 0.12)


@row(12, "reply formatting: one line, and the answer to EHLO in nine lines")
def _(m):
    one = m.time("write-reply/one/ehlo")
    yield Figure("one line, instructions", instructions(m, "write-reply/one/ehlo"), "instructions")
    yield Figure("nine lines, instructions", instructions(m, "write-reply/hello/ehlo"), "instructions")
    yield Figure("one line, time against FMT_COMPILE", one / m.time("write-reply/one/fmt"), "x FMT_COMPILE", None, 1.2)
    yield Figure("one line, time against snprintf", one / m.time("write-reply/one/snprintf"), "x snprintf", 0.20)
    yield Figure("one line, time against Dovecot", one / m.time("write-reply/one/dovecot"), "x Dovecot")
    yield Figure("nine lines, time against Dovecot", m.time("write-reply/hello/ehlo") / m.time("write-reply/hello/dovecot"), "x Dovecot",
                 0.30, 0.17)


@row(13, "whole server session in memory (EHLO MAIL RCPT DATA 4 KiB QUIT, feeds of 16 KiB)")
def _(m):
    yield Figure("instructions a session", instructions(m, "server/4K/ehlo"), "instructions", 12000, 9000)
    yield Figure("time against one memchr pass for LF", m.time("server/4K/ehlo") / m.time("server/4K/memchr"), "x memchr", 2.0, 1.4)


@row(14, "client session in memory, the same message, both ends joined")
def _(m):
    yield Figure("instructions a message", instructions(m, "both-ends/4K/ehlo"), "instructions", 30000, 20000)


@row(15, "mail data writing (stuffing, strict) into a ring")
def _(m):
    for name, what in (("b64", "base64"), ("text", "text")):
        yield Figure("%s: speed against memcpy" % what, m.time("write/%s/memcpy" % name) / m.time("write/%s/ehlo" % name), "x memcpy", 0.45,
                     0.7, "more")
        yield Figure("%s: speed of slices without a copy against memcpy" % what,
                     m.time("write/%s/memcpy" % name) / m.time("write/%s/ehlo-slices" % name), "x memcpy", None, None, "more")


@row(16, "heap allocations in steady state")
def _(m):
    for name, value in m.outside("allocations").items():
        yield Figure(name, value, "allocations", 0, 0)


@row(17, "02_receive discarding, smtp-source -d -s 20 -l 4096, CPU for a message")
def _(m):
    spent = m.outside("servers")
    yield Figure("02_receive", spent["4K", "ehlo"], "us")
    yield Figure("against smtp-sink", spent["4K", "ehlo"] / spent["4K", "smtp-sink"], "x smtp-sink", 0.65)
    yield Figure("against the null server", spent["4K", "ehlo"] / spent["4K", "floor"], "x null server", None, 1.1)
    counted = m.outside("servers_in_user_mode")
    yield Figure("02_receive in user mode", counted["ehlo"], "instructions")
    yield Figure("against smtp-sink, in user mode", counted["ehlo"] / counted["smtp-sink"], "x smtp-sink", 0.25)


@row(18, "the same with bodies of 4 MiB (-s 1)")
def _(m):
    spent = m.outside("servers")
    yield Figure("02_receive", spent["4M", "ehlo"], "us")
    yield Figure("against smtp-sink", spent["4M", "ehlo"] / spent["4M", "smtp-sink"], "x smtp-sink", 0.10)
    yield Figure("against the null server", spent["4M", "ehlo"] / spent["4M", "floor"], "x null server", None, 1.3)


@row(19, "resident memory for each of 10,000 idle connections after EHLO")
def _(m):
    octets = m.outside("idle")
    yield Figure("02_receive", octets["ehlo"] / 1024, "KiB", 1, 0.5)
    yield Figure("smtp-sink", octets["smtp-sink"] / 1024, "KiB")
    yield Figure("the null server", octets["floor"] / 1024, "KiB")


@row(20, "sizeof of each session with storage on demand")
def _(m):
    for name, value in m.outside("sizes").items():
        yield Figure(name, value, "octets", 512, 256)


@row(21, "including a header, CPU of the compiler at -O0")
def _(m):
    spent = m.outside("include_cost")
    yield Figure("ehlo.hpp against fmt/format.h", spent["ehlo"] / spent["fmt"], "x fmt/format.h", 1.0, 0.75)
    yield Figure("server/session.hpp against <string>", spent["server"] / spent["string"], "x <string>", 2.0, 1.3)
    yield Figure("of it, the standard headers that it needs", spent["standard"] / spent["string"], "x <string>")


@row(22, "code and constants of a program with one server session, -O2")
def _(m):
    octets = m.outside("code_size")
    yield Figure("the program", octets["one server"] / 1000, "KB", 48, 32)
    yield Figure("of it, functions of the session", octets["session"] / 1000, "KB")
    yield Figure("of it, parsers, tables and values", octets["parsers"] / 1000, "KB")
    yield Figure("an empty program", octets["empty"] / 1000, "KB")


@row(23, "linear time: instructions for an octet at 1 MiB against 64 KiB, the worst of feeds of 1, 64, 1460 octets and the whole")
def _(m):
    feeds = ("1", "64", "1460", "whole")
    for name, what in (("body", "mail data, text"), ("dots", "mail data, dots"), ("body-of-one-line", "mail data, one line"),
                       ("command-line", "command line"), ("auth-line", "line of an AUTH exchange"), ("reply-line", "reply of one line"),
                       ("reply-lines", "reply of many lines")):
        yield Figure(what, max(growth(m, "linear/%s/%s" % (name, feed)) for feed in feeds), "x", 1.3, 1.1)
    yield Figure("list of parameters", growth(m, "linear/parameters/whole"), "x", 1.3, 1.1)
    yield Figure("list of keywords without values", growth(m, "linear/keywords/whole"), "x", 1.3, 1.1)
    yield Figure("one long parameter", growth(m, "linear/one-parameter/whole"), "x", 1.3, 1.1)


def growth(m, case):
    return instructions(m, case + "/1M", "octets") / instructions(m, case + "/64K", "octets")

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Changes the library in one place at a time, and counts how many changes the tests notice.

    tests/mutation/run.py [--number N] [--seed S] [--jobs J] [--only PATTERN]   draws N changes (300), spread over the headers, and tries
                                                                      those that have no result yet
    tests/mutation/run.py --again                                     tries those again that nothing noticed and nothing explains
    tests/mutation/run.py --report                                    writes docs/reference/mutation.md from the results

A change is noticed when a `static_assert` of its header or of a test that concerns it fails, or when such a test fails or does not end.
A change that does not compile for another reason is none, and the next one is drawn. Every test passes without a change first.
`results.tsv` keeps what came of each change, so that a run that was stopped goes on; a header that has changed since is tried again.
`equivalent.tsv` says of survivors why they change nothing. It needs Clang, whose precompiled headers can stand on each other, and takes
about ten seconds for a change.
"""
import argparse
import collections
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / "include/ehlo"
TESTS = ROOT / "tests"
WORK = ROOT / "build/mutation"
RESULTS = pathlib.Path(__file__).with_name("results.tsv")
EQUIVALENT = pathlib.Path(__file__).with_name("equivalent.tsv")
PAGE = ROOT / "docs/reference/mutation.md"
FLAGS = ["-std=c++20", "-w", "-fpch-instantiate-templates", "-DFMT_HEADER_ONLY=1", f'-DEHLO_SOURCE_DIR="{ROOT}"', "-I", ROOT / "include", "-I",
         TESTS, "-I", ROOT / "fuzz"]
MEMORY = 4 << 30  # octets that a test may take: some changes take all there are

# What no change touches, compiled once.
OUTSIDE = """#include "support/catch.hpp"
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <variant>
#include <vector>
#include <fmt/format.h>
"""
# What the tests that play sessions share, compiled once for a change.
SHARED = """#include <ehlo/ehlo.hpp>
extern template class ehlo::basic_client_session<ehlo::growing_storage>;
extern template class ehlo::basic_server_session<ehlo::growing_storage>;
"""
# These try all texts or walk all states, and take minutes without the optimizer.
EXHAUSTIVE = re.compile(r"(^|/)(walk|walk_two_ends|octet_scan|octet_run|abnf|mail_data_reader)$")

# Headers without a test of their own: what concerns them, nearest first.
CONCERNS = {
    "ascii": ["grammar/local_part", "grammar/domain", "grammar/parameter", "format", "message/header_section"],
    "result": ["grammar/path", "envelope", "codec/command_writer", "reply"],
    "limits": ["server/limits", "client/limits", "server/session_basics"],
    "error": ["format", "server/replies"],
    "storage": ["server/memory", "client/memory", "server/limits", "client/limits"],
    "parameters": ["server/rfc3461", "grammar/parameter", "server/transaction"],
    "received_reply": ["codec/reply_parser", "format", "client/session_basics"],
    "actions": ["server/session_basics", "format"],
    "command": ["codec/command_writer", "server/session_basics"],
    "codec/chunk_reader": ["server/rfc3030", "server/cuts", "client/two_ends"],
    "codec/command_parser": ["server/session_basics", "server/hello", "server/lookup", "server/rfc4954", "server/rfc3030",
                             "server/transaction", "server/rfc6531", "codec/command_writer"],
    "codec/octet_scan": ["codec/mail_data_reader", "codec/message_traits", "codec/mail_data_writer"],
    "extension/auth": ["server/rfc4954", "client/auth"],
    "extension/body": ["server/mail_data", "server/rfc3030", "client/plan"],
    "extension/dsn": ["server/rfc3461", "envelope"],
    "extension/limits": ["capabilities", "client/limits"],
    "extension/size": ["server/transaction", "capabilities", "server/limits"],
    "extension/xclient": ["server/xclient", "codec/attribute_writer"],
    "extension/xforward": ["server/xforward", "codec/attribute_writer"],
    "message/field_writer": ["message/header_writer", "message/trace"],
    "protocol/order_of_commands": ["server/order", "docs/state_diagram"],
    "protocol/order_of_replies": ["server/replies", "docs/state_diagram"],
    "client/actions": ["client/session_basics", "client/failures", "format"],
    "client/options": ["client/session_basics", "client/limits", "client/plan"],
    "client/session": ["client/session_basics", "client/stages", "client/failures", "client/tls", "client/auth", "client/lmtp", "client/limits",
                       "client/commands", "client/mail_data", "client/two_ends", "client/threats", "client/tickets", "protocol/effect_of_replies",
                       "client/plan", "client/memory", "client/rfc5321", "dispatch", "client/xclient"],
    "server/actions": ["server/session_basics", "format"],
    "server/options": ["server/session_basics", "server/limits", "server/rfc4954", "server/greeting"],
    "server/reply_for": ["server/replies", "server/session_basics"],
    "server/session": ["server/session_basics", "server/order", "server/transaction", "server/limits", "server/answers", "server/rfc4954",
                       "server/rfc3030", "server/rfc2033", "server/mail_data", "server/greeting", "server/hello", "server/lookup",
                       "server/replies", "server/cuts", "server/views", "server/memory", "server/rfc3461", "server/rfc6531", "server/walk",
                       "client/two_ends", "server/xclient", "server/xforward"],
}
for name in ("external", "login", "oauthbearer", "plain", "text", "xoauth2"):
    CONCERNS[f"sasl/{name}"] = ["sasl/messages", "sasl/server", "sasl/client"]

OPERATORS = {" == ": " != ", " != ": " == ", " < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > ", " && ": " || ", " || ": " && ",
             " + ": " - ", " - ": " + ", " += ": " -= ", "++": "--", "| ": "& ", " << ": " >> ", " >> ": " << "}


def code_lines(text):
    """The lines of a header that hold code which runs: their numbers, and the lines without comments and strings (as spaces)."""
    in_assert = False
    for number, line in enumerate(text.split("\n")):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: '"' + " " * (len(m[0]) - 2) + '"', line)
        bare = re.sub(r"//.*|/\*.*?\*/", lambda m: " " * len(m[0]), bare)
        if in_assert or re.match(r"\s*static_assert\b", bare):
            in_assert = ";" not in bare
            continue
        if re.match(r"\s*(#|template\b|using\b|namespace\b|friend\b)", bare) or not bare.strip():
            continue
        yield number, bare


def sites(text):
    """Every change: the number of the line, its columns, what stands there, what shall stand there."""
    for number, line in code_lines(text):
        for old, new in OPERATORS.items():
            for match in re.finditer(re.escape(old), line):
                if old in (" < ", " > ") and "template" in line:
                    continue
                yield number, match.start(), old, new
        for match in re.finditer(r"(?<![\w.'])(\d+)(?=[U\s;,)}\]])(?![\w.]*')", line):
            yield number, match.start(1), match[1], str(int(match[1]) + 1)
        for match in re.finditer(r"\b(true|false)\b", line):
            yield number, match.start(), match[0], "false" if match[0] == "true" else "true"
        for match in re.finditer(r"'(\w)'", line):
            yield number, match.start(), match[0], f"'{chr(ord(match[1]) + 1)}'"
        match = re.search(r"\b(if|while) (constexpr )?\((.*)\)( \{| return|$| [a-z])", line)
        if match and ";" not in match[3] and match[3].count("(") == match[3].count(")") and " const auto " not in match[3]:
            yield number, match.start(3), match[3], f"!({match[3]})"
        if re.match(r"\s*/?\*?.*\{\{", line) or re.match(r"\s*(?:/\*.*\*/)?\s*\{\{", line):  # a row of a table
            for match in re.finditer(r"\b(refuse|stay|reset|done|go_on|refused|broken)\b", line):
                yield number, match.start(), match[0], {"refuse": "stay", "stay": "refuse", "reset": "stay", "done": "refused", "go_on": "done",
                                                        "refused": "done", "broken": "done"}[match[0]]
        match = re.match(r"(\s+)([a-z_]+(?:\.[a-z_]+)*_? = [^;]*;)$", line)
        if match and "constexpr" not in line and "==" not in line:
            yield number, match.start(2), match[2], ";"  # an assignment left out


@functools.cache
def included(path):
    """The files of ours that a file includes, itself among them."""
    found, open_ends = set(), [path]
    while open_ends:
        if (at := open_ends.pop()) in found:
            continue
        found.add(at)
        for name in re.findall(r'^#include [<"]((?:ehlo|support)/[^>"]+)[>"]', at.read_text(), re.M):
            open_ends += [file for root in (ROOT / "include", TESTS, ROOT / "fuzz") if (file := root / name).exists()][:1]
    return frozenset(found)


def file_of(test):
    return TESTS / f"{test}_test.cpp"


@functools.cache
def tests_of(header):
    """The tests that concern a header, nearest first: its twin; those that CONCERNS names; for what belongs to a session, the others of
    its room; the twins of the headers that include it."""
    name = header.removesuffix(".hpp")
    room = name.split("/")[0]
    others = sorted(str(file.relative_to(TESTS)).removesuffix("_test.cpp") for file in (TESTS / room).glob("*_test.cpp")) if room in (
        "server", "client", "observer") else []
    others = [test for test in others if not EXHAUSTIVE.search(test)] + [test for test in others if EXHAUSTIVE.search(test)]
    above = [str(file.relative_to(HEADERS)).removesuffix(".hpp") for file in sorted(HEADERS.rglob("*.hpp"))
             if f"#include <ehlo/{header}>" in file.read_text()]
    return [test for test in dict.fromkeys([name, *CONCERNS.get(name, []), *others, *above]) if file_of(test).exists()]


def asserted(text):
    """The numbers of the lines that are inside a `static_assert`: a change of these changes a test."""
    found, depth = set(), 0
    for number, line in enumerate(text.split("\n")):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'|//.*', "", line)
        if depth == 0 and re.match(r"\s*static_assert\b", bare) or depth > 0:
            depth += bare.count("(") - bare.count(")")
            found.add(number)
    assert depth == 0
    return found


class Compiler:
    """The compiler, and what it has compiled of what no change touches."""

    def __init__(self, program):
        self.program = program
        WORK.mkdir(parents=True, exist_ok=True)
        self.outside = WORK / "outside.pch"
        source = WORK / "outside.hpp"
        source.write_text(OUTSIDE)
        self.check("-x", "c++-header", source, "-o", self.outside)
        self.main = WORK / "catch_main.o"
        self.check("-c", TESTS / "support/catch_main.cpp", "-o", self.main)
        seen = subprocess.run([str(word) for word in (program, *FLAGS, "-x", "c++", "-", "-E")], input='#include "support/catch.hpp"\n', text=True,
                              stdout=subprocess.PIPE, check=True).stdout
        self.libraries = ["-lCatch2Main", "-lCatch2"] if "catch_all.hpp" in seen else []
        if shutil.which("ld.lld"):
            self.libraries.append("-fuse-ld=lld")

    def run(self, *words):
        """What the compiler said if it failed, else nothing."""
        # The words stand first: a changed header hides the other.
        done = subprocess.run([str(word) for word in (self.program, *words, *FLAGS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return "" if done.returncode == 0 else done.stdout or "failed"

    def check(self, *words):
        if said := self.run(*words):
            sys.exit(said)


class NotCompiled(Exception):
    pass


class Library:
    """The library with at most one change, and its tests as programs."""

    def __init__(self, compiler, folder, header=None, text=None):
        self.compiler, self.folder = compiler, folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if header:
            self.header = folder / "ehlo" / header
            self.header.parent.mkdir(parents=True)
            self.header.write_text(text)

    def compile(self, *words):
        if said := self.compiler.run("-I", self.folder, *words):
            raise NotCompiled(said)

    def check_header(self):
        self.compile("-include-pch", self.compiler.outside, "-fsyntax-only", "-x", "c++", self.header)

    @functools.cached_property
    def shared(self):
        source, out = self.folder / "shared.hpp", self.folder / "shared.pch"
        source.write_text(SHARED)
        self.compile("-include-pch", self.compiler.outside, "-x", "c++-header", source, "-o", out)
        return out

    def part(self, name):
        """The sessions, or the player of a kind of dialogues."""
        out = self.folder / f"{name}.o"
        if not out.exists():
            self.compile("-include-pch", self.shared, "-c", TESTS / f"support/{name}.cpp", "-o", out)
        return out

    def build(self, test):
        program, file = self.folder / "test", file_of(test)
        parts = [self.part(name) for name in re.findall(r'#include "support/(\w+_dialogue)\.hpp"', file.read_text())]
        if EXHAUSTIVE.search(test):
            before = ["-O1"]  # without what was compiled at another level
        elif any(HEADERS / f"{end}/session.hpp" in included(file) for end in ("client", "server")):
            before = ["-include-pch", self.shared]
            parts.append(self.part("precompiled"))
        else:
            before = ["-include-pch", self.compiler.outside]
        counter = file_of("server/memory")  # what counts allocations stands there
        files = {file, counter} if TESTS / "support/allocations.hpp" in included(file) else {file}
        self.compile(*before, *files, self.compiler.main, *parts, "-o", program, *self.compiler.libraries)
        return program

    def passes(self, program, longest):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

        try:
            return subprocess.run([program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, timeout=longest,
                                  preexec_fn=limit).returncode == 0
        except subprocess.TimeoutExpired:
            return False


class Judge:
    """Tries changes."""

    def __init__(self, program):
        self.compiler = Compiler(program)
        self.unchanged = Library(self.compiler, WORK / "unchanged")
        self.lock = threading.Lock()
        self.kept = WORK / "unchanged.json"
        self.seconds = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def longest(self, test):
        """How long a test may take: it has passed without a change, and that took so long."""
        with self.lock:
            key = f"{test} " + digest("".join(file.read_text() for file in sorted(included(file_of(test)))))
            if key not in self.seconds:
                try:
                    program = self.unchanged.build(test)
                except NotCompiled as reason:
                    sys.exit(f"{test} does not compile without a change: {reason}")
                start = time.monotonic()
                if not self.unchanged.passes(program, 600):
                    sys.exit(f"{test} does not pass without a change")
                self.seconds[key] = round(time.monotonic() - start, 2)
                self.kept.write_text(json.dumps(self.seconds, indent=0))
            return 10 + 10 * self.seconds[key]

    def judge(self, header, changed, folder):
        """"noticed", "survived", or "invalid", and by what."""
        library, at = Library(self.compiler, folder, header, changed), "header"
        try:
            library.check_header()
            for at in tests_of(header):
                longest = self.longest(at)
                if not library.passes(library.build(at), longest):
                    return "noticed", at
        except NotCompiled as reason:
            said = next((line for line in str(reason).split("\n") if "error:" in line), str(reason).split("\n")[0])
            if re.search(r"static_assert|static assertion|constant expression", said) and "never produces" not in said:
                return "noticed", f"{at} (static_assert)"
            return "invalid", re.sub(r".*error: |\t", "", said)
        return "survived", ""


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Change(collections.namedtuple("Change", "header number column old new")):
    """A place and what shall stand there."""

    __slots__ = ()

    @property
    def text(self):
        return text_of(self.header)

    @property
    def line(self):
        return self.text.split("\n")[self.number].strip()

    @property
    def words(self):
        return f"{self.old.strip()} -> {self.new.strip()}"

    @property
    def is_explained(self):
        return (self.header, self.line, self.words) in reasons()

    @property
    def key(self):
        return self.header, digest(self.text), str(self.number + 1), str(self.column + 1), self.words

    def applied(self):
        lines = self.text.split("\n")
        line = lines[self.number]
        assert line[self.column:self.column + len(self.old)] == self.old or '"' in line, (line, self.old)
        lines[self.number] = line[:self.column] + self.new + line[self.column + len(self.old):]
        return "\n".join(lines)


@functools.cache
def text_of(header):
    return (HEADERS / header).read_text()


def is_half_of_or(text, number, column, old):
    return old == "| " and text.split("\n")[number][column - 1] == "|"


def draw(seed):
    """All changes in the order in which they are tried: first one of each header, then by chance; a header with more places gets more
    of the draws, by its square root."""
    rows = {}
    for path in sorted(HEADERS.rglob("*.hpp")):
        header = str(path.relative_to(HEADERS))
        found = sorted(set(sites(text_of(header)))) if tests_of(header) else []
        random.Random(f"{seed} {header}").shuffle(found)
        tests = asserted(text_of(header))
        found = [site for site in found if site[0] not in tests and not is_half_of_or(text_of(header), *site[:3])]
        if found:
            rows[header] = collections.deque(Change(header, *site) for site in found)
    weights = {header: len(row) ** 0.5 for header, row in rows.items()}
    for row in rows.values():
        yield row.popleft()
    chooser = random.Random(seed)
    while rows := {header: row for header, row in rows.items() if row}:
        header = chooser.choices(list(rows), [weights[h] for h in rows])[0]
        yield rows[header].popleft()


def load():
    """What came of each change, and by what: by the place and the digest of the header."""
    if not RESULTS.exists():
        return {}
    rows = [line.split("\t") for line in RESULTS.read_text().splitlines() if not line.startswith("#")]
    return {tuple(row[:5]): (row[5], row[6]) for row in rows if digest_now(row[0]) == row[1]}


def digest_now(header):
    return digest(text_of(header)) if (HEADERS / header).exists() else ""


def store(known):
    rows = sorted(known.items(), key=lambda row: (row[0][0], int(row[0][2]), int(row[0][3]), row[0][4]))
    lines = ["# What came of each change. Columns: header, its digest, line, column, change, result, by what test."]
    RESULTS.write_text("\n".join(lines + ["\t".join((*key, *result)) for key, result in rows]) + "\n")


def try_changes(options):
    """The changes drawn that compile, with their results."""
    judge, known, lock, changes = None, load(), threading.Lock(), draw(options.seed)
    forgotten = {change.key for change in draw(options.seed) if options.again and not change.is_explained}
    known = {key: result for key, result in known.items() if result[0] != "survived" or key not in forgotten}
    results, busy = [], 0

    def work(slot):
        nonlocal busy, judge
        while True:
            with lock:
                if sum(1 for _, result in results if result[0] != "invalid") + busy >= options.number:
                    return
                change = next((c for c in changes if re.search(options.only, c.header)), None)
                if change is None:
                    return
                busy += 1
                result = known.get(change.key)
                if result is None and judge is None:
                    judge = Judge(options.compiler)
            if result is None and not options.report:
                start = time.monotonic()
                result = judge.judge(change.header, change.applied(), WORK / f"slot{slot}")
                print(f"{result[0]} after {time.monotonic() - start:.0f} s: {change.header}:{change.number + 1}: {change.line}: {change.words} "
                      f"{result[1]}", flush=True)
                with lock:
                    known[change.key] = result
                    store(known)
            with lock:
                busy -= 1
                if result:
                    results.append((change, result))

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(work, slot) for slot in range(options.jobs)]:
            done.result()
    return [(change, result) for change, result in results if result[0] != "invalid"]


@functools.cache
def reasons():
    """Why a survivor changes nothing: by its header, its line and the change."""
    out = {}
    for line in EQUIVALENT.read_text().splitlines():
        if line and not line.startswith("#"):
            header, text, change, why = line.split("\t")
            out[header, text, change] = why
    return out


def report(rows, seed):
    rows = sorted(rows)
    why = reasons()
    survivors = [change for change, result in rows if result[0] == "survived"]
    equivalent = [change for change in survivors if change.is_explained]
    counted = len(rows) - len(equivalent)
    noticed = len(rows) - len(survivors)
    by_compiler = sum("static_assert" in result[1] for _, result in rows)
    lines = ["# What the tests notice", "",
             "The library is changed in one place at a time: an operator, a number, a condition, a cell of a table, an assignment. A change is",
             "noticed when a test that concerns its header fails or does not end, or when a `static_assert` fails. Made by",
             f"`tests/mutation/run.py --number {len(rows)} --seed {seed}` and `--report`.", "",
             f"Of {len(rows)} changes in {len({change.header for change, _ in rows})} headers {noticed} were noticed, {by_compiler} of them by the",
             f"compiler; {len(equivalent)} of the others change nothing that can be seen. **{100 * noticed / max(counted, 1):.1f} %** of the rest were",
             "noticed. Tests were written for those that went unnoticed at first, so what the tests make of changes that they have not met is told by",
             "another seed.", "",
             "| Header | Changes | Noticed |", "|---|---|---|"]
    by_header = collections.defaultdict(list)
    for change, result in rows:
        by_header[change.header].append(result[0] == "noticed")
    lines += [f"| {header} | {len(each)} | {sum(each)} |" for header, each in sorted(by_header.items())]
    lines += ["", "## Survivors", "", "| Where | Change | Why |", "|---|---|---|"]
    for change in survivors:
        cells = (f"{change.header}: `{change.line}`", f"`{change.words}`", why.get((change.header, change.line, change.words), "not noticed"))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    PAGE.write_text("\n".join(lines) + "\n")
    return 100 * noticed / max(counted, 1)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--number", type=int, default=300)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--jobs", type=int, default=os.cpu_count())
    words.add_argument("--only", default="", metavar="PATTERN", help="headers whose path has it")
    words.add_argument("--compiler", default="clang++")
    words.add_argument("--again", action="store_true", help="try the survivors again")
    words.add_argument("--report", action="store_true", help="write the page, of the changes that have a result")
    words.add_argument("--least", type=float, default=0, metavar="PERCENT", help="fail if fewer were noticed")
    options = words.parse_args()
    rows = try_changes(options)
    if options.report:
        share = report(rows, options.seed)
    else:
        counted = [result for change, result in rows if result[0] == "noticed" or not change.is_explained]
        share = 100 * sum(result[0] == "noticed" for result in counted) / max(len(counted), 1)
    print(f"{len(rows)} changes, {share:.1f} % noticed")
    sys.exit(0 if share >= options.least else 1)


main()

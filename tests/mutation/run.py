#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Changes the library in one place at a time, and counts how many changes the tests notice.

    tests/mutation/run.py [--number N] [--seed S] [--jobs J] [--only PATTERN]   draws N changes (200), spread over the headers, and tries
                                                                      those that have no result yet
    tests/mutation/run.py --report                                    writes docs/reference/mutation.md from the results

A change is noticed when a test that concerns its header does not compile because a `static_assert` fails, fails, or does not end. A
change that does not compile for another reason is none, and the next one is drawn. Results are kept in build/mutation for each change,
so that a run that was stopped goes on; a header that has changed since is tried again. `equivalent.tsv` says of each survivor why it
changes nothing. It takes hours: .ci/run tries a handful.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / "include/ehlo"
WORK = ROOT / "build/mutation"
EQUIVALENT = pathlib.Path(__file__).with_name("equivalent.tsv")
FLAGS = ["-std=c++20", "-O0", "-w", "-DFMT_HEADER_ONLY=1", f'-DEHLO_SOURCE_DIR="{ROOT}"', "-I", str(ROOT / "include"), "-I", str(ROOT / "tests"),
         "-I", str(ROOT / "fuzz")]
LONGEST = 120  # seconds of a test

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


def tests_of(header):
    name = header.removesuffix(".hpp")
    twin = [name] if (ROOT / f"tests/{name}_test.cpp").exists() else []
    known = [*twin, *(other for other in CONCERNS.get(name, []) if other not in twin)]
    return [path for other in known if (path := ROOT / f"tests/{other}_test.cpp").exists()]


class Bench:
    """Builds and runs tests with a changed header."""

    def __init__(self, compiler):
        self.compiler = compiler
        WORK.mkdir(parents=True, exist_ok=True)
        self.main = WORK / "catch_main.o"
        self.precompiled = WORK / "catch.hpp"
        if not self.main.exists():
            self.run([compiler, *FLAGS, "-c", ROOT / "tests/support/catch_main.cpp", "-o", self.main])
            self.precompiled.write_text('#include "support/catch.hpp"\n')
            self.run([compiler, *FLAGS, "-x", "c++-header", self.precompiled, "-o", f"{self.precompiled}.gch"])
        probe = subprocess.run([compiler, "-x", "c++", "-", "-E", *FLAGS], input='#include "support/catch.hpp"\n', text=True,
                               stdout=subprocess.PIPE, check=True).stdout
        self.libraries = ["-lCatch2Main", "-lCatch2"] if "catch_all.hpp" in probe else []
        if "lCatch2Main" in str(self.libraries):
            self.main = pathlib.Path("/dev/null")

    @staticmethod
    def run(command, **words):
        return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **words)

    def compile(self, folder, *words):
        """What the compiler said if it failed, else nothing."""
        command = [self.compiler, "-I", folder, "-include", self.precompiled, *FLAGS, *words]
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return "" if done.returncode == 0 else done.stdout or "failed"

    def build(self, test, folder, players):
        """The program, or what the compiler said. The player of its dialogues is compiled once for a change: see `players`."""
        program = folder / "test"
        objects = [self.main] if self.main.name.endswith(".o") else []
        for name in re.findall(r'#include "support/(\w+_dialogue)\.hpp"', test.read_text()):
            player = folder / f"{name}.o"
            if name not in players:
                said = self.compile(folder, "-c", ROOT / f"tests/support/{name}.cpp", "-o", player)
                if said:
                    return None, said
                players.add(name)
            objects.append(player)
        said = self.compile(folder, test, *objects, "-o", program, *self.libraries)
        return (None, said) if said else (program, "")

    def passes(self, program):
        try:
            return subprocess.run([program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, timeout=LONGEST).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def judge(self, header, changed, folder):
        """"noticed", "survived", or "invalid", and by what."""
        place = folder / "ehlo" / header
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(changed)
        tests = tests_of(header)
        players = set()
        for test in tests:
            program, said = self.build(test, folder, players)
            name = str(test.relative_to(ROOT / "tests")).removesuffix("_test.cpp")
            if program is None:
                errors = [line for line in said.split("\n") if "error" in line]
                is_assertion = any("static assertion failed" in e or "static_assert" in e or "not a constant expression" in e for e in errors)
                return ("noticed", f"{name} (static_assert)") if is_assertion else ("invalid", errors[0] if errors else said[:200])
            if not self.passes(program):
                return "noticed", name
        return "survived", ", ".join(str(t.relative_to(ROOT / "tests")).removesuffix("_test.cpp") for t in tests)


def draw(seed):
    """All changes in the order in which they are tried: one of each header, then one more of each, each with its own shuffle."""
    rows = {}
    for path in sorted(HEADERS.rglob("*.hpp")):
        header = str(path.relative_to(HEADERS))
        text = path.read_text()
        found = sorted(set(sites(text))) if tests_of(header) else []
        random.Random(f"{seed} {header}").shuffle(found)
        if found:
            rows[header] = collections.deque((header, *site) for site in found)
    # A header with more places gets more of the draws: by its square root.
    weights = {header: len(row) ** 0.5 for header, row in rows.items()}
    chooser = random.Random(seed)
    while rows:
        header = chooser.choices(list(rows), [weights[h] for h in rows])[0]
        yield rows[header].popleft()
        if not rows[header]:
            del rows[header]


def key_of(change):
    header, number, column, old, new = change
    text = (HEADERS / header).read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{header}:{number + 1}:{column + 1}: {old.strip()} -> {new.strip()} [{digest}]"


def apply(change):
    header, number, column, old, new = change
    lines = (HEADERS / header).read_text().split("\n")
    line = lines[number]
    assert line[column:column + len(old)] == old or '"' in line, (line, old)
    lines[number] = line[:column] + new + line[column + len(old):]
    return "\n".join(lines)


def load():
    path = WORK / "results.jsonl"
    return {row["key"]: row for row in map(json.loads, path.read_text().splitlines())} if path.exists() else {}


def try_changes(options):
    bench, known, lock = Bench(options.compiler), load(), threading.Lock()
    stream = (c for c in draw(options.seed) if re.search(options.only, c[0]))
    results, wanted = [], options.number

    def work(slot):
        folder = WORK / f"slot{slot}"
        while True:
            with lock:
                if sum(1 for r in results if r["result"] != "invalid") + busy[0] >= wanted:
                    return
                change = next(stream, None)
                if change is None:
                    return
                busy[0] += 1
            key = key_of(change)
            row = known.get(key)
            if row is None:
                header, number, _, _, _ = change
                result, by = bench.judge(header, apply(change), folder)
                (folder / "ehlo" / header).unlink()
                row = {"key": key, "header": header, "line": (HEADERS / header).read_text().split("\n")[number].strip(), "result": result,
                       "by": by, "seed": options.seed}
                with lock, open(WORK / "results.jsonl", "a") as out:
                    out.write(json.dumps(row) + "\n")
                if result != "invalid":
                    print(f"{result}: {key} {by}", flush=True)
            with lock:
                busy[0] -= 1
                results.append(row)

    busy = [0]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(work, slot) for slot in range(options.jobs)]:
            done.result()
    return [row for row in results if row["result"] != "invalid"]


def reasons():
    """Why a survivor changes nothing: by its header, its line and the change."""
    out = {}
    if EQUIVALENT.exists():
        for line in EQUIVALENT.read_text().splitlines():
            if line and not line.startswith("#"):
                header, text, change, why = line.split("\t")
                out[header, text, change] = why
    return out


def change_of(row):
    return re.sub(r"^[^ ]+: | \[\w+\]$", "", row["key"])


def report(rows, seed):
    rows = sorted(rows, key=lambda row: row["key"])
    why = reasons()
    survivors = [row for row in rows if row["result"] == "survived"]
    equivalent = [row for row in survivors if (row["header"], row["line"], change_of(row)) in why]
    counted = len(rows) - len(equivalent)
    noticed = len(rows) - len(survivors)
    lines = ["# What the tests notice", "",
             "The library is changed in one place at a time: an operator, a number, a condition, a cell of a table, an assignment. A change is",
             "noticed when a test that concerns its header fails, or no longer compiles because a `static_assert` fails. Made by",
             f"`tests/mutation/run.py --number {len(rows)} --seed {seed}` and `--report`.", "",
             f"Of {len(rows)} changes in {len({row['header'] for row in rows})} headers {noticed} were noticed; {len(equivalent)} of the others change",
             f"nothing that can be seen. **{100 * noticed / max(counted, 1):.1f} %** of the rest were noticed.", "",
             "| Header | Changes | Noticed |", "|---|---|---|"]
    by_header = collections.defaultdict(list)
    for row in rows:
        by_header[row["header"]].append(row)
    lines += [f"| {header} | {len(each)} | {sum(row['result'] == 'noticed' for row in each)} |" for header, each in sorted(by_header.items())]
    lines += ["", "## Survivors", "", "| Where | Change | Why |", "|---|---|---|"]
    for row in survivors:
        cells = (f"{row['header']}: `{row['line']}`", f"`{change_of(row)}`", why.get((row["header"], row["line"], change_of(row)), "not noticed"))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    (ROOT / "docs/reference/mutation.md").write_text("\n".join(lines) + "\n")
    return 100 * noticed / max(counted, 1)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--number", type=int, default=200)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--jobs", type=int, default=os.cpu_count())
    words.add_argument("--only", default="", metavar="PATTERN", help="headers whose path has it")
    words.add_argument("--compiler", default="c++")
    words.add_argument("--report", action="store_true", help="write the page")
    words.add_argument("--least", type=float, default=0, metavar="PERCENT", help="fail if fewer were noticed")
    options = words.parse_args()
    rows = try_changes(options)
    if options.report:
        share = report(rows, options.seed)
    else:
        known = reasons()
        counted = [row for row in rows if (row["header"], row["line"], change_of(row)) not in known]
        share = 100 * sum(row["result"] == "noticed" for row in counted) / max(len(counted), 1)
    print(f"{len(rows)} changes, {share:.1f} % noticed")
    sys.exit(0 if share >= options.least else 1)


main()

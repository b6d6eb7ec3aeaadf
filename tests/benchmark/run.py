#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Measures the figures of `rows.py` and prints them; tests/benchmark/run.sh builds what this needs and calls it.

usage: run.py --build FOLDER [--only ROW...] [--repetitions N] [--write FILE]

With --write FILE the table, the machine and the versions of the peers are written there. Rows that were measured earlier and not now are
kept in FOLDER/results.json: on a machine that was disturbed some can be measured again.
"""
import argparse
import collections
import json
import os
import platform
import re
import subprocess
import sys

import measure
import outside
import rows


class Wanted:
    """Notes which cases a row asks for."""

    def __init__(self):
        self.timed = []

    def time(self, case):
        self.timed.append(case)
        return 1.0

    def count(self, case, branches=False):
        del case, branches
        return measure.Count(1, 1, 1, 1)

    def outside(self, name):
        del name
        return collections.defaultdict(lambda: 1.0)


class Measured:
    """Answers what a row asks for."""

    def __init__(self, programs, times, build):
        self.programs, self.times, self.build = programs, times, build
        self.counts, self.results = {}, {}

    def time(self, case):
        if case not in self.times:
            raise measure.Missing("no " + case)
        return self.times[case]

    def count(self, case, branches=False):
        if (case, branches) not in self.counts:
            self.counts[case, branches] = measure.count(self.programs, case, branches)
        return self.counts[case, branches]

    def outside(self, name):
        if name not in self.results:
            try:
                self.results[name] = getattr(outside, name)(self.build)
            except (measure.Missing, OSError, subprocess.SubprocessError) as reason:
                self.results[name] = reason
        if isinstance(self.results[name], Exception):
            raise measure.Missing(str(self.results[name]))
        return self.results[name]


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        return ""


def package(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name) or "not here"


def machine():
    """Lines of a table: what was measured on, and beside what."""
    cpu = "unknown"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            cpu = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), cpu)
    except OSError:
        pass
    with open("/etc/os-release", encoding="utf-8") as file:
        system = re.search(r'PRETTY_NAME="?([^"\n]+)', file.read()).group(1)
    caches = first_line("getconf", "LEVEL2_CACHE_SIZE"), first_line("getconf", "LEVEL3_CACHE_SIZE")
    return [
        ("Processor", "%s, %d cores; L2 %s octets, L3 %s octets" % (cpu, os.cpu_count() or 1, *caches)),
        ("System", "%s, Linux %s, %s" % (system, platform.release().split("-")[0], " ".join(platform.libc_ver()))),
        ("Compiler", first_line(outside.compiler(), "--version") + "; -O2, no -march"),
        ("Dovecot", "lib-smtp of dovecot-dev " + package("dovecot-dev")),
        ("Postfix", "smtp-sink and smtp-source of postfix " + package("postfix")),
        ("fmt", "libfmt-dev " + package("libfmt-dev")),
        ("Callgrind", first_line("valgrind", "--version")),
    ]


PAGE = """# Performance

How fast `ehlo` is, beside its peers and beside what plain code reaches. `tests/benchmark/run.sh` measures all of it and writes this page;
[the explanation of the tests](../explanation/testing.md) says how.

Read the ratios, not the times: both sides of a ratio were measured in one run, in turn. A time is the least CPU time of
%(repetitions)d repetitions, since what else the machine does only adds to it; of servers and of the compiler it is the median.
Instructions are counted by callgrind for one pass over the corpus, without start-up, and with the C library's SSE2
functions, so that they are the same on each machine with this compiler. A *prototype* is a program of `tests/benchmark/floors/`, without
the library's checks and errors; the *null server* gives a correct dialogue and does nothing else. "Must" and "aim" are goals that were
set before; *shown* has none.

| Measured on | |
|---|---|
%(machine)s

%(met)s

| Row | Figure | Measured | | Must | Aim | Reached |
|---|---|---|---|---|---|---|
%(rows)s
%(why)s"""


def page(results, repetitions):
    lines, musts, missed, aims, reached = [], 0, [], [0, 0], [0, 0]
    for number, figures, reason in results:
        lines.append("| **%d** | **%s** | | | | | |" % (number, rows.ROWS[number].title))
        if reason:
            lines.append("| | not measured: %s | | | | | |" % reason)
        for figure in figures:
            lines.append("| | %s | %s | %s | %s | %s | %s |" % (
                figure.what, rows.number(figure.value), figure.unit, figure.goal_text(figure.must), figure.goal_text(figure.aim),
                figure.verdict()))
        with_must = [figure for figure in figures if figure.must is not None]
        with_aim = [figure for figure in figures if figure.aim is not None]
        musts += all(figure.reaches(figure.must) for figure in with_must) and not reason
        if reason or not all(figure.reaches(figure.must) for figure in with_must):
            missed.append(number)
        if with_aim:
            aims[1] += 1
            aims[0] += all(figure.reaches(figure.aim) for figure in with_aim) and not reason
            reached[1] += len(with_aim)
            reached[0] += sum(figure.reaches(figure.aim) for figure in with_aim)
    met = "Rows whose every must is met: %d of %d%s. Aims reached: %d of %d; rows whose every aim is reached: %d of %d that have one." % (
        musts, len(results), "; missed or not measured: " + ", ".join(str(n) for n in missed) if missed else "", *reached, *aims)
    return PAGE % {"repetitions": repetitions, "machine": "\n".join("| %s | %s |" % line for line in machine()), "met": met,
                   "rows": "\n".join(lines), "why": why(missed)}


def why(missed):
    told = ["- Row %d. %s\n" % (number, rows.WHY[number]) for number in missed if number in rows.WHY]
    return "\n## Why rows are missed\n\n" + "".join(told) if told else ""


def read_results(build):
    try:
        with open(os.path.join(build, "results.json"), encoding="utf-8") as file:
            kept = json.load(file)
    except OSError:
        return {}
    return {int(n): ([rows.Figure(**figure) for figure in figures], reason) for n, (figures, reason) in kept.items() if int(n) in rows.ROWS}


def write_results(build, results):
    with open(os.path.join(build, "results.json"), "w", encoding="utf-8") as file:
        json.dump({n: ([vars(figure) for figure in figures], reason) for n, (figures, reason) in results.items()}, file, indent=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", type=int, nargs="+", default=sorted(rows.ROWS), choices=sorted(rows.ROWS), metavar="ROW")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--write")
    given = parser.parse_args()
    results = read_results(given.build)
    lost = sorted(set(rows.ROWS) - set(results) - set(given.only))
    if given.write and lost:
        parser.error("--write: rows %s were never measured here, and the page would lose them; measure all once" % ", ".join(map(str, lost)))
    wanted = Wanted()
    for number in given.only:
        list(rows.ROWS[number].figures(wanted))
    programs = measure.Programs(given.build)
    measured = Measured(programs, measure.times(programs, dict.fromkeys(wanted.timed), given.repetitions), given.build)
    for number in given.only:
        row = rows.ROWS[number]
        print("%d  %s" % (number, row.title))
        figures, reason = [], None
        try:
            for figure in row.figures(measured):
                print("    " + figure.text(), flush=True)
                figures.append(figure)
        except measure.Missing as missing:
            reason = str(missing)
            print("    not measured: " + reason, flush=True)
        results[number] = (figures, reason)
    write_results(given.build, results)
    if given.write:
        with open(given.write, "w", encoding="utf-8") as file:
            file.write(page([(number, *results[number]) for number in sorted(results)], given.repetitions))
    return 0


if __name__ == "__main__":
    sys.exit(main())

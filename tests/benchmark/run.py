#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Measures the figures of `rows.py` and prints them; tests/benchmark/run.sh builds what this needs and calls it.

usage: run.py --build FOLDER [--only ROW...] [--repetitions N] [--write FILE]
"""
import argparse
import os
import subprocess
import sys

import measure
import rows


class Wanted:
    """Notes which cases a row asks for."""

    def __init__(self):
        self.timed, self.counted, self.other = [], [], []

    def time(self, case):
        self.timed.append(case)
        return 1.0

    def count(self, case, branches=False):
        self.counted.append(case)
        return measure.Count(1, 1, 1, 1)

    def outside(self, name):
        return 1.0


class Measured:
    """Answers what a row asks for."""

    def __init__(self, programs, times, build):
        self.programs, self.times, self.build = programs, times, build
        self.counts = {}

    def time(self, case):
        if case not in self.times:
            raise measure.Missing("no " + case)
        return self.times[case]

    def count(self, case, branches=False):
        if (case, branches) not in self.counts:
            self.counts[case, branches] = measure.count(self.programs, case, branches)
        return self.counts[case, branches]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", type=int, nargs="+", default=sorted(rows.ROWS))
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--write")
    given = parser.parse_args()
    corpus = os.path.join(given.build, "corpus")
    if not os.path.exists(os.path.join(corpus, "session.bin")):
        subprocess.run([sys.executable, os.path.join(measure.HERE, "corpus.py"), corpus], check=True, stdout=subprocess.DEVNULL)
    wanted = Wanted()
    for number in given.only:
        list(rows.ROWS[number].figures(wanted))
    programs = measure.Programs(given.build, corpus)
    measured = Measured(programs, measure.times(programs, dict.fromkeys(wanted.timed), given.repetitions), given.build)
    for number in given.only:
        row = rows.ROWS[number]
        print("%d  %s" % (number, row.title))
        try:
            for figure in row.figures(measured):
                print("    " + figure.text(), flush=True)
        except measure.Missing as reason:
            print("    not measured: %s" % reason, flush=True)


if __name__ == "__main__":
    main()

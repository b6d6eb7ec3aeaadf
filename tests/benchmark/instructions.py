#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds the instruction counts: none may be more than 3 % above its baseline, so that a slower commit is seen.

usage: instructions.py --build FOLDER [--update]

The baseline of a compiler and C library is tests/benchmark/instructions/COMPILER.tsv; with others there is nothing to compare with,
which is said aloud. --update writes it, and is for a commit that means to change the counts. The counts are callgrind's for one pass of
a case over the corpus; they do not depend on the processor, nor on what else runs.
"""
import argparse
import hashlib
import os
import platform
import subprocess
import sys

import measure
import outside

MARGIN = 0.03
CASES = [
    "command/mix/ehlo", "command/DATA/ehlo", "command/RSET/ehlo", "command/QUIT/ehlo", "command/NOOP/ehlo", "mailbox/mix/ehlo",
    "commands-fed/16384/ehlo", "commands-fed/64/ehlo", "commands-fed/1/ehlo",
    "data/b64/16384/ehlo", "data/text/1460/ehlo", "data/text-1M/64/ehlo", "data/text-1M/1/ehlo", "data/dots/16384/ehlo",
    "bdat/64/ehlo", "write/b64/ehlo", "write/text/ehlo", "write/dots/ehlo-slices",
    "reply/mix/ehlo", "write-reply/one/ehlo", "write-reply/hello/ehlo",
    "server/4K/ehlo", "both-ends/4K/ehlo", "linear/parameters/whole/64K", "linear/keywords/whole/64K",
]


def identity():
    """The compiler's name with its version, and the C library's."""
    version = subprocess.run([outside.compiler(), "-dumpfullversion", "-dumpversion"], capture_output=True, text=True, check=True)
    said = subprocess.run([outside.compiler(), "--version"], capture_output=True, text=True, check=True).stdout
    name = "clang++" if "clang" in said else "g++"
    return "%s-%s-%s" % (name, version.stdout.split()[0], "-".join(platform.libc_ver()))


def digest():
    with open(os.path.join(measure.HERE, "corpus.py"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def read(path):
    with open(path, encoding="ascii") as file:
        lines = [line.rstrip("\n") for line in file if not line.startswith("#")]
    fields = dict(line.split("\t") for line in lines)
    return fields.pop("corpus"), {case: int(count) for case, count in fields.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--update", action="store_true")
    given = parser.parse_args()
    path = os.path.join(measure.HERE, "instructions", identity() + ".tsv")
    if not given.update:
        if not os.path.exists(path):
            known = sorted(os.listdir(os.path.dirname(path)))
            print("SKIPPED: no baseline for %s; there are: %s" % (identity(), " ".join(known)))
            return 0
        corpus, baseline = read(path)
        if corpus != digest():
            print("the corpus is not that of the baseline: run with --update")
            return 1
    programs = measure.Programs(given.build)
    counts = {}
    worse = []
    for case in CASES:
        counts[case] = measure.count(programs, case).instructions
        if given.update:
            print("%-28s %12d" % (case, counts[case]), flush=True)
            continue
        if case not in baseline:
            print("%-28s has no baseline: run with --update" % case)
            worse.append(case)
            continue
        change = counts[case] / baseline[case] - 1
        is_worse = change > MARGIN
        print("%-28s %12d  %+6.1f %%%s" % (case, counts[case], 100 * change, "  TOO MANY" if is_worse else ""), flush=True)
        if is_worse:
            worse.append(case)
    if given.update:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write("# Instructions of one pass; written by tests/benchmark/instructions.py --update\n")
            file.write("corpus\t%s\n" % digest())
            for case, instructions in counts.items():
                file.write("%s\t%d\n" % (case, instructions))
        print("written: instructions/" + os.path.basename(path))
        return 0
    print("%d cases, %d over the margin of %d %%" % (len(CASES), len(worse), round(100 * MARGIN)))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())

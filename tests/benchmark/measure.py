# SPDX-License-Identifier: BSL-1.0
"""Runs the benchmark programs: interleaved repetitions for time, callgrind for instructions."""
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Which program has a case, by the first word of its name.
PROGRAMS = {
    "command": "command", "mailbox": "command", "commands-fed": "command",
    "data": "mail_data", "bdat": "mail_data", "write": "mail_data",
    "reply": "reply", "write-reply": "reply",
    "server": "session", "both-ends": "session",
    "linear": "linear",
}

# The C library chooses its memchr and memcpy by the processor; the counts must be the same on each.
SAME_EVERYWHERE = "glibc.cpu.hwcaps=-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM,-BMI2,-SSE4_2,-SSSE3,-Fast_Unaligned_Copy"


class Missing(Exception):
    """A figure that this machine cannot give: its peer or its tool is not here."""


class Programs:
    """The built programs and their corpus."""

    def __init__(self, build):
        self.folder = os.path.join(build, "benchmark")
        self.corpus = os.path.join(build, "corpus")
        self.listed = {}
        self.make_corpus()

    def make_corpus(self):
        """Makes the corpus if it is not there, or was made by another version of its script."""
        script = os.path.join(HERE, "corpus.py")
        used = os.path.join(self.corpus, "corpus.py")
        if os.path.exists(used) and open(used, "rb").read() == open(script, "rb").read():
            return
        subprocess.run([sys.executable, script, self.corpus], check=True, stdout=subprocess.DEVNULL)
        shutil.copy(script, used)

    def of(self, case):
        """The program that has `case`, which may begin with 'v3:' (built for x86-64-v3)."""
        variant, _, name = case.rpartition(":")
        program = PROGRAMS[name.split("/")[0]] + ("_v3" if variant else "")
        path = os.path.join(self.folder, "benchmark_" + program)
        if not os.path.exists(path):
            raise Missing(program + " is not built")
        if path not in self.listed:
            out = subprocess.run([path, self.corpus, "--list"], check=True, capture_output=True, text=True).stdout
            self.listed[path] = set(out.split())
        if name not in self.listed[path]:
            raise Missing("no " + name)
        return path, name


def times(programs, cases, repetitions):
    """Nanoseconds of CPU for one item of each case: the least of repetitions in random order, for what else the machine does only adds to
    a time."""
    by_program = {}
    for case in cases:
        try:
            path, name = programs.of(case)
        except Missing:
            continue
        by_program.setdefault(path, {})[name] = case
    out = {}
    for path, names in by_program.items():
        wanted = "^(" + "|".join(sorted(names)) + ")$"
        ran = subprocess.run(
            [path, programs.corpus, "--benchmark_filter=" + wanted, "--benchmark_repetitions=%d" % repetitions,
             "--benchmark_enable_random_interleaving=true", "--benchmark_min_time=0.05", "--benchmark_format=json"],
            check=True, capture_output=True, text=True)
        samples = {}
        for run in json.loads(ran.stdout)["benchmarks"]:
            if run["run_type"] == "iteration":
                assert run["time_unit"] == "ns"
                samples.setdefault(run["run_name"], []).append(run["cpu_time"] / run["items"])
        for name, values in samples.items():
            out[names[name]] = min(values)
    return out


class Count:
    """What callgrind counted in one pass."""

    def __init__(self, instructions, mispredicted, items, octets):
        self.instructions, self.mispredicted, self.items, self.octets = instructions, mispredicted, items, octets


def count(programs, case, branches=False):
    """Instructions, and with `branches` the mispredicted ones by callgrind's model, of one pass of `case`."""
    path, name = programs.of(case)
    if shutil.which("valgrind") is None:
        raise Missing("valgrind is not here")
    ran = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=ehlo_measured_pass",
         "--branch-sim=" + ("yes" if branches else "no"), path, programs.corpus, "--pass", name],
        capture_output=True, text=True, env={**os.environ, "GLIBC_TUNABLES": SAME_EVERYWHERE})
    if ran.returncode != 0:
        raise RuntimeError(case + ": " + ran.stderr[-2000:])
    instructions = int(re.search(r"Collected : (\d+)", ran.stderr).group(1))
    missed = re.search(r"Mispredicts: +([\d,]+)", ran.stderr)
    said = dict(re.findall(r"(\w+)=(\d+)", ran.stdout))
    return Count(instructions, int(missed.group(1).replace(",", "")) if missed else 0, int(said["items"]), int(said["octets"]))

# SPDX-License-Identifier: BSL-1.0
"""Figures of whole programs: allocations, sizes, the cost of including a header, servers over loopback. Each function gives values by
names. What runs is on loopback only, bounded, and ended by the one who started it."""
import os
import re
import resource
import selectors
import shlex
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from measure import Missing, ROOT


def table_of(program, build):
    out = subprocess.run([os.path.join(build, "benchmark", program)], check=True, capture_output=True, text=True).stdout
    return {name: int(value) for name, value in (line.split("\t") for line in out.splitlines())}


def allocations(build):
    return table_of("benchmark_allocations", build)


def sizes(build):
    return table_of("benchmark_sizes", build)


def code_size(build):
    """Octets of code and constants of a program with one server session, and of an empty one."""
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "empty.cpp")
        with open(source, "w", encoding="ascii") as file:
            file.write("int main() {}\n")
        empty = os.path.join(folder, "empty")
        subprocess.run([compiler(), "-O2", source, "-o", empty], check=True)
        for name, path in (("one server", os.path.join(build, "benchmark", "benchmark_one_server")), ("empty", empty)):
            said = subprocess.run(["size", path], check=True, capture_output=True, text=True).stdout
            out[name] = int(said.splitlines()[1].split()[0])
    out |= code_by_owner(os.path.join(build, "benchmark", "benchmark_one_server"))
    return out


def code_by_owner(program):
    """Octets of the functions of the session itself, and of all others of the library: parsers, tables, values."""
    out = {"session": 0, "parsers": 0}
    said = subprocess.run(["nm", "--demangle", "--print-size", program], check=True, capture_output=True, text=True).stdout
    for line in said.splitlines():
        fields = line.split(maxsplit=3)
        if len(fields) < 4 or "ehlo::" not in fields[3].split("(")[0]:
            continue
        out["session" if "basic_server_session" in fields[3].split("(")[0] else "parsers"] += int(fields[1], 16)
    return out


def compiler():
    return os.environ.get("CXX", "c++")


# What server/session.hpp and the headers that it includes take from the standard library.
STANDARD = ("algorithm", "array", "bit", "cassert", "compare", "cstddef", "cstdint", "cstring", "iterator", "limits", "new", "optional", "span",
            "string_view", "type_traits", "utility", "variant")

INCLUDED = {
    "standard": "".join("#include <%s>\n" % name for name in STANDARD) + "int main() { return std::optional<int>{0}.value(); }\n",
    "string": "#include <string>\nint main() { std::string s(\"x\"); return static_cast<int>(s.size()); }\n",
    "fmt": "#include <fmt/format.h>\nint main() { return static_cast<int>(fmt::format(\"{} {}\", 42, \"x\").size()); }\n",
    "ehlo": "#include <ehlo/ehlo.hpp>\nint main() { ehlo::server_options o{.hostname = \"a.example\"}; return o.check() ? 0 : 1; }\n",
    "server": "#include <ehlo/server/session.hpp>\nint main() { ehlo::server_options o{.hostname = \"a.example\"}; return o.check() ? 0 : 1; }\n",
}


def include_cost(build, rounds=7):
    """Milliseconds of CPU to compile a few lines that include each, at -O0: the median of rounds in turn."""
    del build
    spent = {name: [] for name in INCLUDED}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in INCLUDED.items():
            with open(os.path.join(folder, name + ".cpp"), "w", encoding="ascii") as file:
                file.write(text)
        for _ in range(rounds):
            for name in INCLUDED:
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                ran = subprocess.run([compiler(), "-std=c++20", "-I", os.path.join(ROOT, "include"), "-c", os.path.join(folder, name + ".cpp"),
                                      "-o", os.path.join(folder, name + ".o")], capture_output=True, text=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                if ran.returncode != 0:
                    raise Missing(name + " does not compile: " + ran.stderr[:300])
                spent[name].append(1e3 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime))
    return {name: statistics.median(values) for name, values in spent.items()}


# ---- Servers over loopback


def programs(build):
    sink, source = (shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin") for name in ("smtp-sink", "smtp-source"))
    if sink is None or source is None:
        raise Missing("smtp-sink and smtp-source (Postfix) are not here")
    user = " -u nobody" if os.getuid() == 0 else ""
    folder = os.path.join(build, "benchmark")
    return source, {
        "floor": folder + "/floor_server {port}",
        "smtp-sink": sink + user + " -m 20000 127.0.0.1:{port} 4096",
        "ehlo": folder + "/benchmark_receive --discard --hostname mx.example --max-size 0 --max-connections 10100 --listen 127.0.0.1:{port}",
    }


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def seconds_of_cpu(pid):
    """All that the threads of a process have used, by the scheduler's account."""
    total = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, thread), encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def octets_resident(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def started(command, said=subprocess.DEVNULL):
    """A server that is ready, with `said` as its standard error, and its port."""
    port = free_port()
    process = subprocess.Popen(shlex.split(command.format(port=port)), stdout=subprocess.DEVNULL, stderr=said)
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as s:
                s.recv(200)
                s.sendall(b"QUIT\r\n")
                s.recv(200)
            return process, port
        except OSError:
            time.sleep(0.05)
    process.kill()
    process.wait()
    raise Missing("no server came up: " + command)


def servers(build, rounds=16):
    """CPU of each server for a message, in microseconds: medians over many short rounds in which the servers take turns, forth and back,
    so that what else the machine does meets all of them. For small messages server and client share a core: what it takes to wake another
    one, which is much on a virtual machine, is not the server's. Large ones come from another core, as a stream."""
    source, commands = programs(build)
    cases = {"4K": ("-d -s 20 -l 4096", 2000, on_core(0)), "4M": ("-d -s 1 -l 4194304", 6, on_core(1))}
    running, spent = {}, {}
    try:
        for name, command in commands.items():
            running[name] = started(" ".join(on_core(0) + [command]))
        for number in range(rounds):
            for case, (arguments, messages, beginning) in cases.items():
                for name, (process, port) in list(running.items())[:: 1 if number % 2 == 0 else -1]:
                    before = seconds_of_cpu(process.pid)
                    send(beginning + [source] + arguments.split(), messages, port)
                    spent.setdefault((case, name), []).append(1e6 * (seconds_of_cpu(process.pid) - before) / messages)
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.wait()
    return {key: statistics.median(values) for key, values in spent.items()}


def on_core(number):
    """What a command begins with to stay on this core."""
    return ["taskset", "-c", str(number)] if number < (os.cpu_count() or 1) and shutil.which("taskset") else []


def send(source, messages, port):
    subprocess.run(source + ["-m", str(messages), "-f", "a@client.example", "-t", "b@mx.example", "-M", "client.example",
                             "127.0.0.1:%d" % port], check=True, capture_output=True, timeout=300)


def servers_in_user_mode(build):
    """Instructions of each server in user mode for a message of 4 KiB: what a thousand more of them add. The system's account of time in
    user mode is made at ticks, and on some machines gives a server that has nothing to do there a fifth of its time."""
    if shutil.which("valgrind") is None:
        raise Missing("valgrind is not here")
    source, commands = programs(build)
    few, many = 200, 1200

    def count(command, messages):
        with tempfile.TemporaryFile("w+") as said:
            process, port = started("valgrind --tool=callgrind --callgrind-out-file=/dev/null " + command, said)
            try:
                send([source, "-d", "-s", "20", "-l", "4096"], messages, port)
            finally:
                process.terminate()
                process.wait()
            said.seek(0)
            return int(re.search(r"Collected : (\d+)", said.read()).group(1))

    return {name: (count(command, many) - count(command, few)) / (many - few) for name, command in commands.items()}


def idle(build, connections=10000):
    """Resident octets of each server for a connection that has said EHLO and is silent."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 200
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, OSError):
            raise Missing("only %d open files are allowed" % hard) from None
    _, commands = programs(build)
    return {name: idle_octets(command, connections) for name, command in commands.items()}


def idle_octets(command, connections):
    process, port = started(command)
    sockets = []
    try:
        time.sleep(0.5)
        before = octets_resident(process.pid)
        for number in range(connections):
            s = socket.socket()
            sockets.append(s)
            s.bind(("127.0.1.%d" % (1 + number // 9000), 0))  # each address has so many ports
            s.connect(("127.0.0.1", port))
            if number % 500 == 499:
                time.sleep(0.02)  # the queue of connections is short
        hear(sockets, b"")
        hear(sockets, b"EHLO client.example\r\n")
        time.sleep(1)
        return (octets_resident(process.pid) - before) / connections
    finally:
        for s in sockets:
            s.close()
        process.terminate()
        process.wait()


def hear(sockets, said):
    """Sends `said` on each, and waits for a whole reply on each."""
    deadline = time.monotonic() + 120
    heard = {s: b"" for s in sockets}
    with selectors.EpollSelector() as selector:
        for s in sockets:
            if said:
                s.sendall(said)
            selector.register(s, selectors.EVENT_READ)
        while selector.get_map():
            if time.monotonic() > deadline:
                raise Missing("%d connections got no reply" % len(selector.get_map()))
            for key, _ in selector.select(1):
                octets = key.fileobj.recv(4096)
                heard[key.fileobj] += octets
                lines = heard[key.fileobj].split(b"\r\n")[:-1]
                if not octets:
                    raise Missing("the server has closed a connection")
                if lines and lines[-1][3:4] == b" ":
                    selector.unregister(key.fileobj)

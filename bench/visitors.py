#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""visitors.py - is mail slower while thousands look at the status site?

    bench/visitors.py [--rounds 5] [--messages 30000] [--rate 1000]
                      [--kinds flood,makers] [--boost] [--write]

A server with its status site (20 systems with their 90 days) takes messages of
10 KB by SMTP into 20 mailboxes (bench/smtp_load.c: 20 connections, each
reply waited for), alternately without visitors and with them
(bench/visit_load.c). Each visitor comes from an address of its own, over a
connection of its own, and takes the first page as browsers do, with gzip:

    steady  --rate of them a second, for as long as the mail takes
    flood   10 000, all as soon as they can, 1 000 at once
    makers  nobody: a program takes the CPU time that making the flood before
            it took, in the same class of scheduling, and speaks to no server
    storm   as many as can be for as long as the mail takes, 1 000 at once
    nginx   the storm, but on Debian's nginx that hands out a copy of the page
            (one worker, nice 15 as role web): what visitors cost who only
            share the machine

The table has the median of deliveries a second of each, with the smallest and
the largest, and the ratio of pairs of rounds that ran one behind the other:
what else goes on meanwhile goes on for both.

With --boost (root, cgroups) all of that is one group of processes that goes
before others of the machine, as a service of systemd can be; within it
priorities count as they do on a machine that has nothing else to do. (Not far
before: else the kernel's own threads, of which network and disk have some, would
wait for it, and it for them.)

Visitors have to be made on this machine, too, which costs about as much as
answering them. So their program gets the time that nobody else wants (SCHED_IDLE), and the
column "visitors' CPU" says how much of the two cores it took all the same: that much
is not the server's doing, but it is in the ratio. The last line of the table is the
flood's rounds by those of makers, one behind the other: what is left is what the
server does for visitors. (Over loopback each end's kernel work is half done in the
other's time: about as much of ours is counted as theirs as the other way round.)
"""
import argparse
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "bench")]
import figures  # noqa: E402
from lib.instance import DOMAIN, Instance, wait_for  # noqa: E402
from lib.watched import Peer  # noqa: E402
from status_site import SYSTEMS, fill, get  # noqa: E402

BOXES = 20
KINDS = ("none", "steady", "flood", "makers", "storm", "nginx")
FLOOD = 10000


class Group:
    """This process and what it starts, before all others."""

    def __init__(self, wanted):
        v1 = os.path.isdir("/sys/fs/cgroup/cpu")
        self.root = pathlib.Path("/sys/fs/cgroup", "cpu" if v1 else "")
        self.folder = wanted and self.root / "mailstead-bench"
        self.weight = ("cpu.shares", "4096") if v1 else (
            "cpu.weight", "400")

    def __enter__(self):
        if self.folder:
            self.folder.mkdir()
            (self.folder / self.weight[0]).write_text(self.weight[1])
            (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def __exit__(self, *args):
        if self.folder:
            (self.root / "cgroup.procs").write_text(str(os.getpid()))
            self.folder.rmdir()


def built(folder, name):
    out = pathlib.Path(folder, name)
    subprocess.run(["cc", "-O2", "-o", out, ROOT / "bench" / f"{name}.c"],
                   check=True)
    return out


class Copy(Peer):
    """nginx with a copy of the first page, as role web would send it."""
    PACKAGE, PORTS = "nginx", ("http",)
    page = b""

    def command(self):
        www = self.dir / "www"
        www.mkdir(exist_ok=True)
        (www / "index.html").write_bytes(self.page)
        www.chmod(0o755)
        self.dir.chmod(0o755)
        temps = "".join(
            f"{n}_temp_path {self.dir}/{n};\n"
            for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = self.dir / "conf"
        conf.write_text(f"""daemon off;
{"user nobody nogroup;" if os.geteuid() == 0 else ""}
worker_processes 1;
worker_priority 15;
worker_rlimit_nofile 8192;
pid {self.dir}/pid;
error_log {self.dir}/log;
events {{ worker_connections 4096; }}
http {{
access_log off;
open_file_cache max=10;
{temps}
server {{
listen {self.at("http")} backlog=4096;
root {www};
add_header Content-Encoding gzip;
}}
}}
""")
        return [self.root / "usr/sbin/nginx", "-c", conf]


class Visitors:
    """They come until the block ends; then result says how it went."""

    def __init__(self, program, port, kind, rate, burn_s):
        self.result, self.kind = None, kind
        words = {"steady": ["-r", str(rate)],
                 "makers": ["-b", f"{burn_s:.3f}"]}.get(kind, [])
        self.command = kind != "none" and [
            "chrt", "--idle", "0", program, "-c", "1000", *words,
            "-n", str(FLOOD if kind == "flood" else 0),
            "127.0.0.1", str(port)]

    def __enter__(self):
        if self.command:
            self.process = subprocess.Popen(self.command, text=True,
                                            stdout=subprocess.PIPE)
            if self.kind not in ("flood", "makers"):
                time.sleep(0.5)
        return self

    def __exit__(self, *args):
        if self.command:
            self.process.send_signal(signal.SIGTERM)
            self.result = json.loads(self.process.communicate(timeout=60)[0])


def role_seconds(server):
    """CPU seconds of each role until now."""
    sums = {}
    for p in server.status()["processes"]:
        stat = pathlib.Path(f"/proc/{p['pid']}/stat").read_text()
        v = stat.rsplit(")", 1)[1].split()
        sums[p["role"]] = sums.get(p["role"], 0) + (
            int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")
    return sums


def one_round(server, copy, programs, kind, messages, rate, burn_s=0):
    """(deliveries a second, CPU seconds of the server, what visitors got or None)"""
    before = role_seconds(server)
    port = (copy if kind == "nginx" else server).ports["http"]
    with Visitors(programs["visit_load"], port, kind, rate,
                  burn_s) as visitors:
        out = subprocess.run(
            [programs["smtp_load"], "-c", "20", "-n", str(messages),
             "-s", "10240", "-t", f"box%u@{DOMAIN}", "-m", str(BOXES),
             "127.0.0.1", str(server.ports["mx"])],
            check=True, stdout=subprocess.PIPE, text=True).stdout
    mail = json.loads(out)
    assert mail["accepted"] == messages
    used = {k: v - before[k] for k, v in role_seconds(server).items()}
    print(f"{kind}: {mail['accepted'] / mail['seconds']:.0f}/s, CPU seconds: "
          + ", ".join(f"{k} {v:.2f}" for k, v in used.items() if v >= 0.01),
          visitors.result or "", file=sys.stderr, flush=True)
    return (mail["accepted"] / mail["seconds"], sum(used.values()),
            visitors.result)


def spread(values, digits=0):
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}–{max(values):.{digits}f})")


def table(rates, cpu, seen):
    lines = ["| | deliveries/s | with visitors / without | server's CPU, s | "
             "visitors/s | first page, p50 and p99, ms | their makers' CPU, s |",
             "|---|---|---|---|---|---|---|"]
    lines.append(f"| no visitors | {spread(rates['none'])} | | "
                 f"{spread(cpu['none'], 2)} | | | |")
    for kind in list(rates)[1:]:
        ratio = [b / a for a, b in zip(rates["none"], rates[kind])]
        v = seen[kind]
        first = (f"| {kind} | {spread(rates[kind])} | {spread(ratio, 3)} | "
                 f"{spread(cpu[kind], 2)} | ")
        if kind == "makers":
            lines.append(first + f"none | | {spread([x['cpu_s'] for x in v], 2)} |")
            continue
        lines.append(
            first
            + spread([x["visitors"] / x["seconds"] for x in v]) + " | "
            + spread([x["p50_ms"] for x in v], 1) + "; "
            + spread([x["p99_ms"] for x in v], 1) + " | "
            + spread([x["cpu_s"] for x in v], 2) + " |")
    if "makers" in rates:
        ratio = [b / a for a, b in zip(rates["makers"], rates["flood"])]
        lines.append(f"| flood by makers | | {spread(ratio, 3)} | | | | |")
    return "\n".join(lines)


def rounds(args, programs):
    """Deliveries a second, and what visitors got, by kind."""
    rates = {k: [] for k in args.kinds}
    cpu = {k: [] for k in args.kinds}
    seen = {k: [] for k in args.kinds}
    copy = Copy()
    stand_in = socket.create_server(("127.0.0.1", 0), backlog=4000)
    # As it is by default, but for limits of an address, since all mail comes
    # from one.
    server = Instance({"store": {"segment_size": "64M", "reserve": "64M"},
                       "smtp": {"messages": "1000000"},
                       "watch": {"confirm": "15s"}})
    try:
        server.start()
        server.add_domain()
        for i in range(BOXES):
            server.add_user(f"box{i}@{DOMAIN}")
        fill(server, f"127.0.0.1:{stand_in.getsockname()[1]}")
        wait_for(lambda: get(server)[1].count(b"Operational") > SYSTEMS, 60,
                 "all systems are up")
        Copy.page = get(server, **{"Accept-Encoding": "gzip"})[1]
        copy.start()
        one_round(server, copy, programs, "storm", args.messages // 5,
                  args.rate)
        for _ in range(args.rounds):
            for kind in args.kinds:
                burn_s = (seen["flood"][-1]["cpu_s"] if kind == "makers"
                          else 0)
                rate, used, visitors = one_round(
                    server, copy, programs, kind, args.messages, args.rate,
                    burn_s)
                rates[kind].append(rate)
                cpu[kind].append(used)
                if visitors:
                    seen[kind].append(visitors)
        server.stop()
    finally:
        copy.remove()
        server.remove()
        stand_in.close()
    return rates, cpu, seen


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--messages", type=int, default=30000)
    p.add_argument("--rate", type=int, default=1000)
    p.add_argument("--kinds", default=",".join(KINDS[1:]))
    p.add_argument("--boost", action="store_true")
    p.add_argument("--write", action="store_true")
    args = p.parse_args()
    args.kinds = [k for k in KINDS if k in ("none", *args.kinds.split(","))]
    if "makers" in args.kinds and "flood" not in args.kinds:
        p.error("makers take what the flood before them took")
    with tempfile.TemporaryDirectory() as folder, Group(args.boost):
        programs = {n: built(folder, n) for n in ("smtp_load", "visit_load")}
        text = table(*rounds(args, programs))
    print(text)
    if args.write:
        figures.write("visitors", text)


if __name__ == "__main__":
    main()

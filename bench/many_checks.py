#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""many_checks.py - what it costs to watch 500 checks, each once a minute, with five
years of history.

    bench/many_checks.py [--checks 500] [--minutes 5] [--write]

A fifth each of smtp, tcp, tls, imap and ping, five of a system, all answered on
loopback by the server itself: those are other processes than role watch, which is
what is measured. Each history is a file that is full: five years, made by
tests/tools/ring before the server starts. When every check has a result, the
clock begins: time of the processor (of one core), memory looked at each second, and
how many probes there were, so that it is seen that none was left out.

Time of the processor is what watch itself used, so other work on the machine changes
it little; that it had some is said by the load.
"""
import argparse
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "bench")]
import figures  # noqa: E402
from lib.instance import Instance, wait_for  # noqa: E402

EACH = 5
YEARS = 5
GOALS = {"cpu": 3.0, "memory": 60, "disk": 400}


def kinds(server):
    """(kind, target, options) of the checks of one system."""
    at = {s: f"127.0.0.1:{server.ports[s]}" for s in ("mx", "imap", "imaps")}
    return [("smtp", at["mx"], {}), ("tcp", at["imap"], {}),
            ("tls", at["imaps"], {"verify": "no"}),
            ("imap", at["imap"], {"tls": "never"}), ("ping", "127.0.0.1", {})]


def put_checks(server, n):
    """By the API, over one connection."""
    key = json.loads(server.cli("key", "add", "bench", "--scopes", "systems",
                                "--json"))["token"]
    c = http.client.HTTPConnection("127.0.0.1", server.ports["http"])

    def put(path, value):
        c.request("PUT", "/api/v1" + path, json.dumps(value),
                  {"Authorization": f"Bearer {key}",
                   "Content-Type": "application/json"})
        r = c.getresponse()
        text = r.read()
        assert r.status in (201, 204), text
    for i in range(n // EACH):
        put(f"/systems/S{i:03}", {"role": "mail"})
        for kind, target, options in kinds(server):
            put(f"/checks/S{i:03}/{kind}", {
                "kind": kind, "target": target,
                "options": {**options, "every": "1m"}})


def write_histories(server):
    """One is made, and each check has a copy of it."""
    tool = ROOT / "build" / "tests" / "tools" / "ring"
    subprocess.run(["make", "-s", str(tool.relative_to(ROOT))], cwd=ROOT,
                   check=True)
    rings = list(pathlib.Path(server.data, "watch").glob("*.ring"))
    made = server.dir / "made.ring"
    subprocess.run([tool, made, str(int(time.time())), str(YEARS * 366), "900",
                    "down:8640000:86400", "degraded:864000:7200"], check=True)
    for ring in rings:
        # Its own blocks and its owner stay.
        with open(made, "rb") as f, open(ring, "r+b") as to:
            shutil.copyfileobj(f, to)
    return len(rings)


def checks(server):
    return json.loads(server.cli("watch", "status", "--json"))["checks"]


def probes(server):
    c = http.client.HTTPConnection("127.0.0.1", server.ports["metrics"])
    c.request("GET", "/metrics")
    text = c.getresponse().read().decode()
    c.close()
    return sum(int(line.split()[-1]) for line in text.splitlines()
               if line.startswith("mailstead_watch_probes_total"))


def cpu_seconds(pid):
    v = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")


def disk(server):
    """MB of blocks."""
    return sum(f.stat().st_blocks * 512
               for f in pathlib.Path(server.data, "watch").iterdir()) / 1e6


def look(pid, peak):
    """MB: all of it, with what it shares by its share, and what is no file."""
    names = {"Rss": "rss", "Pss": "pss", "Anonymous": "own"}
    for line in open(f"/proc/{pid}/smaps_rollup"):
        k, _, v = line.partition(":")
        if k in names:
            peak[names[k]] = max(peak.get(names[k], 0),
                                 int(v.split()[0]) * 1024 / 1e6)


def measure(server, seconds):
    pid, = server.pids("watch")
    before, began, used = probes(server), time.monotonic(), cpu_seconds(pid)
    peak, loads = {}, []
    while time.monotonic() < began + seconds:
        look(pid, peak)
        loads.append(os.getloadavg()[0])
        time.sleep(1)
    took = time.monotonic() - began
    result = {"cpu": 100 * (cpu_seconds(pid) - used) / took,
              "rate": (probes(server) - before) / took * 60,
              "load": sum(loads) / len(loads), "disk": disk(server)}
    # All their histories at once, as the most that anybody asks for.
    asked = time.monotonic()
    server.cli("watch", "status")
    result["status"] = time.monotonic() - asked
    look(pid, peak)
    return {**result, **peak}


def table(n, r):
    return "\n".join([
        f"| {n} checks a minute, {YEARS} years | measured | goal |", "|---|---|---|",
        f"| probes a minute | {r['rate']:.0f} | {n} |",
        f"| processor, of one core | {r['cpu']:.2f} % | ≤ {GOALS['cpu']:.0f} % |",
        f"| memory at most (RSS) | {r['rss']:.0f} MB | ≤ {GOALS['memory']} MB |",
        f"| the same, shared pages by their share (PSS) | {r['pss']:.0f} MB | |",
        f"| of it no files | {r['own']:.0f} MB | |",
        f"| history on disk | {r['disk']:.0f} MB | ≤ {GOALS['disk']} MB |",
        f"| `mailstead watch status` of all, with their 90 days | "
        f"{r['status']:.2f} s | |",
        f"| load of the machine meanwhile | {r['load']:.1f} | |"])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--checks", type=int, default=500)
    p.add_argument("--minutes", type=float, default=5)
    p.add_argument("--write", action="store_true")
    args = p.parse_args()
    n = args.checks // EACH * EACH
    server = Instance({"watch": {"api_networks": ["127.0.0.0/8"],
                                 "confirm": "15s"}})
    try:
        server.start()
        put_checks(server, n)
        wait_for(lambda: len(checks(server)) == n, what="watch has them")
        server.stop()
        assert write_histories(server) == n
        server.start()
        wait_for(lambda: all(c["status"] == "up" for c in checks(server)), 180,
                 "all are up")
        result = measure(server, args.minutes * 60)
        server.stop()
    finally:
        server.remove()
    # Each minute is up to a twentieth longer, by chance.
    assert result["rate"] > 0.9 * n, f"probes were left out: {result}"
    text = table(n, result)
    print(text)
    if args.write:
        figures.write("many-checks", text)


if __name__ == "__main__":
    main()

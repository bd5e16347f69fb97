#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""outage.py - how long does it take until an outage is on the public page?

    bench/outage.py [--outages 30] [--write]

A server as it is by default (a probe each 30 s, a failure is confirmed for 15 s)
watches a port of each of many systems. The ports close one after the other,
at random moments of an interval, and the first page of the status site is read
five times a second, until it shows each system as down. Half of the ports
refuse connections then, and half swallow them (nobody answers, so a probe
takes its 5 s), as a machine without power does.
"""
import argparse
import http.client
import pathlib
import random
import re
import socket
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import figures  # noqa: E402
from lib.instance import Instance, wait_for  # noqa: E402

INTERVAL_S = 30
GIVE_UP_S = 150


class Port:
    """A port with somebody behind it, until it is closed."""

    def __init__(self, swallows):
        self.swallows = swallows
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.where = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.crowd = []

    def fail(self):
        if not self.swallows:
            self.listener.close()
            return
        # A full queue: the kernel drops who comes then.
        self.listener.listen(0)
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(self.listener.getsockname())
            self.crowd.append(s)

    def close(self):
        self.listener.close()
        for s in self.crowd:
            s.close()


def down(connection):
    """Names of the systems that the first page shows as down."""
    connection.request("GET", "/")
    text = connection.getresponse().read().decode()
    part = text[text.index("Systems at a glance"):]
    return {name for name, state in re.findall(
        r'>(X\d{3})</a></h3>.*?<p class="is">(.*?)</p>', part, re.S)
        if re.search(r"\bDown\b", state)}


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(p * len(values)))]


def measure(server, ports, seed):
    """Seconds until each was shown."""
    rnd = random.Random(seed)
    due = {n: rnd.random() * INTERVAL_S for n in ports}
    began, failed, shown = time.monotonic(), {}, {}
    page = http.client.HTTPConnection("127.0.0.1", server.ports["http"])
    while len(shown) < len(ports):
        now = time.monotonic()
        assert now - began < GIVE_UP_S, f"never shown: {ports.keys() - shown}"
        for name, at in due.items():
            if name not in failed and now - began >= at:
                ports[name].fail()
                failed[name] = time.monotonic()
        for name in down(page):
            assert name in failed, f"{name} is up, and shown as down"
            shown.setdefault(name, time.monotonic() - failed[name])
        time.sleep(0.2)
    return shown


def line(name, values):
    return (f"| {name} | {len(values)} | {min(values):.1f} | "
            f"{statistics.median(values):.1f} | "
            f"{percentile(values, 0.95):.1f} | {max(values):.1f} |")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--outages", type=int, default=30)
    p.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    p.add_argument("--write", action="store_true")
    args = p.parse_args()
    ports = {f"X{i:03}": Port(i % 2 == 1) for i in range(args.outages)}
    server = Instance({"watch": {"confirm": "15s"}})
    try:
        server.start()
        for name, port in ports.items():
            server.cli("system", "add", name, "relay")
            server.cli("check", "add", f"{name}/port", "tcp", port.where)
        wait_for(lambda: server.cli("watch", "status").count(" up ") >=
                 len(ports), 90, "all are up")
        print(f"seed {args.seed}", file=sys.stderr)
        shown = measure(server, ports, args.seed)
        server.stop()
    finally:
        server.remove()
        for port in ports.values():
            port.close()
    text = "\n".join([
        "| | outages | shortest, s | p50, s | p95, s | longest, s |",
        "|---|---|---|---|---|---|",
        line("refuses", [v for n, v in shown.items()
                         if not ports[n].swallows]),
        line("swallows", [v for n, v in shown.items() if ports[n].swallows]),
        line("all", list(shown.values()))])
    print(text)
    if args.write:
        figures.write("outage", text)


if __name__ == "__main__":
    main()

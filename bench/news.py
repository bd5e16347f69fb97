#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A post to many subscribers through one relay on loopback, which is Postfix's
smtp-sink: how long it takes until the relay has all of them, over how many
connections, and how much the process grows.

    bench/news.py [SUBSCRIBERS...]
"""
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from lib import peers  # noqa: E402
from lib.instance import Instance, free_ports, wait_for  # noqa: E402


def subscribe(server, n):
    """By the API, which takes many at once over one connection."""
    key = json.loads(server.cli("key", "add", "bench", "--scopes",
                                "subscribers", "--json"))["token"]
    c = http.client.HTTPConnection("127.0.0.1", server.ports["http"])
    for i in range(n):
        c.request("POST", "/api/v1/subscribers",
                  json.dumps({"to": f"a{i}@example.org"}),
                  {"Authorization": f"Bearer {key}",
                   "Content-Type": "application/json"})
        r = c.getresponse()
        r.read()
        assert r.status == 201, r.status


def memory(server):
    pid, = server.pids("watch")
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) // 1024


def taken(server):
    return len(re.findall(r"event=watch\.told ", server.log()))


def measure(n, sink, root):
    port = free_ports(1)[0]
    command = [sink, "-c", f"127.0.0.1:{port}", "1000"]
    if os.geteuid() == 0:
        command[1:1] = ["-u", "nobody"]
    with tempfile.TemporaryFile() as counts:
        process = subprocess.Popen(
            command,
            env=root and peers.environment(root, "usr/lib/postfix"),
            stdout=counts, stderr=counts)
        server = Instance({"watch": {"relays": [f"127.0.0.1:{port}"],
                                     "direct": "no"}})
        server.start()
        try:
            wait_for(lambda: peers.greets("127.0.0.1", port), 10, "smtp-sink")
            subscribe(server, n)
            before = memory(server)
            begin = time.monotonic()
            server.cli("post", "new", "incident", "Mail is slow", "--text",
                       "We *know* why, and say so. " * 20)
            most = before
            while taken(server) < n and time.monotonic() < begin + 300:
                most = max(most, memory(server))
                time.sleep(0.05)
            took = time.monotonic() - begin
        finally:
            server.stop()
            process.terminate()
            process.wait()
        counts.seek(0)
        last = counts.read().decode().split("\r")[-1].strip()
        print(f"{n} subscribers: {took:.1f} s, {n / took:.0f}/s; "
              f"memory {before} to {most} MiB; smtp-sink: {last}")


def main():
    root = peers.root_of("postfix")
    sink = root / "usr/sbin/smtp-sink" if root else shutil.which("smtp-sink")
    if sink is None:
        sys.exit("smtp-sink " + peers.MISSING)
    for n in [int(w) for w in sys.argv[1:]] or [1000, 10000]:
        measure(n, sink, root)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The first page with 20 systems and their 90 days: its size, and how many
requests one worker answers, from its cache, to wrk (Debian package wrk).

    bench/status_site.py [SECONDS]
"""
import gzip
import http.client
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from lib.instance import Instance, wait_for  # noqa: E402

SYSTEMS = 20
PLACES = (("Amsterdam", "Netherlands"), ("Toronto", "Canada"),
          ("Lusaka", "Zambia"), ("Sydney", "Australia"),
          ("New York", "United States of America"))
ROLES = ("mail", "relay", "web", "primary-ns", "secondary-ns", "phone")


def get(server, **fields):
    c = http.client.HTTPConnection("127.0.0.1", server.ports["http"])
    c.request("GET", "/", headers=fields)
    r = c.getresponse()
    return r, r.read()


def fill(server, where):
    """Systems, a check of each, and a history for it."""
    ring = ROOT / "build" / "tests" / "tools" / "ring"
    subprocess.run(["make", "-s", str(ring.relative_to(ROOT))], cwd=ROOT,
                   check=True)
    for i in range(SYSTEMS):
        city, country = PLACES[i % len(PLACES)]
        server.cli("system", "add", f"NC{i:03}", ROLES[i % len(ROLES)],
                   "--city", city, "--country", country)
        service = ["service=read"] if i % len(ROLES) == 0 else []
        server.cli("check", "add", f"nc{i:03}/port", "tcp", where, *service)
    server.stop()
    now = int(time.time())
    for i in range(SYSTEMS):
        words = [f"down:{(3 + 7 * i + 11 * k) % 89 * 86400}:{600 * (k + 1)}"
                 for k in range(3)]
        words += [f"degraded:{(5 + 3 * i) % 89 * 86400}:7200",
                  f"planned:{(9 + 5 * i) % 89 * 86400}:14400"]
        path = pathlib.Path(server.data, "watch", f"nc{i:03},port.ring")
        subprocess.run([ring, path, str(now), "90", str(9000 + 4000 * i),
                        *words], check=True)
    server.start()


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    if not shutil.which("wrk"):
        sys.exit("wrk is not there (Debian package wrk)")
    stand_in = socket.create_server(("127.0.0.1", 0), backlog=100)
    server = Instance({"workers": {"web": 1}})
    server.start()
    try:
        fill(server, f"127.0.0.1:{stand_in.getsockname()[1]}")
        wait_for(lambda: get(server)[1].count(b"Operational") > SYSTEMS, 60,
                 "all systems are up")
        _, plain = get(server)
        r, packed = get(server, **{"Accept-Encoding": "gzip"})
        assert r.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed)
        days = len(re.findall(rb'<li class="[udgpn]\d?"><b>', plain))
        print(f"first page, {SYSTEMS} systems, {days} bars: "
              f"{len(plain)} bytes, {len(packed)} with gzip")
        url = f"http://127.0.0.1:{server.ports['http']}/"
        for n in (4, 64):
            out = subprocess.run(
                ["wrk", "-t1", f"-c{n}", f"-d{seconds}s", "--latency",
                 "-H", "Accept-Encoding: gzip", url],
                capture_output=True, text=True, check=True).stdout
            rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
            p99 = re.search(r"99%\s+(\S+)", out)[1]
            print(f"{n} connections: {rate:.0f} requests/s, p99 {p99}"
                  + ("  (with errors)" if "Non-2xx" in out else ""))
    finally:
        server.stop()
        server.remove()
        stand_in.close()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: ISC
"""A name server on loopback: Debian's knot, with zones that tests write."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from lib.instance import free_ports

KNOTD = shutil.which("knotd") or "/usr/sbin/knotd"


def is_there():
    return pathlib.Path(KNOTD).exists()


class NameServer:
    """Serves the zone example. from a list of records, one a line. Zones in
    children are there, too, without records and signatures; others: more
    zones, a list of records each."""

    def __init__(self, records, zone="example.", signed=False, children=(),
                 others=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="knot-"))
        self.port = free_ports(1)[0]
        self.zone, self.signed = zone, signed
        self.others = others or {}
        self.serial = 1
        self.process = None
        (self.dir / "db").mkdir()
        (self.dir / "knot.conf").write_text(f"""
server:
  rundir: {self.dir}
  listen: 127.0.0.1@{self.port}
control:
  listen: {self.dir}/knot.sock
database:
  storage: {self.dir}/db
log:
  - target: stderr
    any: warning
policy:
  - id: fast
    algorithm: ecdsap256sha256
    single-type-signing: on
zone:
  - domain: {zone}
    storage: {self.dir}
    file: zone
    journal-content: none
    zonefile-load: whole
    zonefile-sync: -1
    dnssec-signing: {"on" if signed else "off"}
    dnssec-policy: fast
""" + "".join(f"""  - domain: {other}
    storage: {self.dir}
    file: {other}zone
    journal-content: none
    zonefile-load: whole
    zonefile-sync: -1
""" for other in self.others))
        for child in children:
            self.add_child(child)
        self.write(records)

    def add_child(self, zone):
        file = self.dir / zone
        file.write_text(f"$ORIGIN {zone}\n$TTL 2\n@ SOA ns.{self.zone} "
                        f"admin.{self.zone} 1 60 60 600 2\n"
                        f"@ NS ns.{self.zone}\n")
        with open(self.dir / "knot.conf", "a") as conf:
            conf.write(f"  - domain: {zone}\n    file: {file}\n")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def write(self, records):
        self.serial += 1
        self.write_zone("zone", self.zone, records)
        for other, more in self.others.items():
            self.write_zone(f"{other}zone", other, more)

    def write_zone(self, file, zone, records):
        lines = ["$TTL 2", f"@ SOA ns.{self.zone} admin.{self.zone} "
                 f"{self.serial} 60 60 600 2", f"@ NS ns.{self.zone}"]
        if zone == self.zone:
            lines.append("ns A 127.0.0.1")
        (self.dir / file).write_text(
            f"$ORIGIN {zone}\n" + "\n".join(lines + records) + "\n")

    def start(self):
        self.process = subprocess.Popen(
            [KNOTD, "-c", self.dir / "knot.conf"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.dir / "log", "wb"))
        deadline = time.monotonic() + 10
        while not self.answers():
            if self.process.poll() is not None or \
                    time.monotonic() > deadline:
                said = (self.dir / "log").read_text()
                self.stop()
                raise AssertionError(said)
            time.sleep(0.05)
        return self

    def answers(self):
        """Does it answer a question about its zone with NOERROR?"""
        name = b"".join(bytes([len(p)]) + p.encode()
                        for p in self.zone.rstrip(".").split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.sendto(b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + name +
                     b"\0\6\0\1", ("127.0.0.1", self.port))
            try:
                reply = s.recv(4096)
            except OSError:
                return False
        return len(reply) > 3 and reply[3] & 15 == 0

    def anchor(self):
        """DS records of a signed zone, as a trust anchor."""
        said = subprocess.run(
            ["/usr/sbin/keymgr", "-c", self.dir / "knot.conf", self.zone,
             "ds"], check=True, capture_output=True, text=True).stdout
        return "".join(f"{line}\n" for line in said.splitlines()
                       if " DS " in line)

    def change(self, records):
        self.write(records)
        subprocess.run(["/usr/sbin/knotc", "-s", self.dir / "knot.sock",
                        "-b", "zone-reload"], check=True,
                       capture_output=True)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None
        shutil.rmtree(self.dir, ignore_errors=True)

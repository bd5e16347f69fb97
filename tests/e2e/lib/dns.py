# SPDX-License-Identifier: ISC
"""A name server on loopback: Debian's knot, with zones that tests write."""
import base64
import hashlib
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from dns import message, query, rdatatype, tsigkeyring, update

from lib.instance import PATIENCE_S, free_ports

KNOTD = shutil.which("knotd") or "/usr/sbin/knotd"


def is_there():
    return pathlib.Path(KNOTD).exists()


def secret(name):
    """The TSIG key of that name."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def knot_remote(address):
    return f"remote:\n  - id: remote\n    address: {address}@53\n" \
        if address else ""


def knot_keys(names, may_change):
    """Sections key and acl of knot's configuration."""
    if not names:
        return ""
    return "key:\n" + "".join(f"""
  - id: {name}
    algorithm: {"hmac-sha512" if "512" in name else "hmac-sha256"}
    secret: {secret(name)}
""" for name in names) + f"""
acl:
  - id: update
    key: [{", ".join(may_change)}]
    action: [update, transfer]
"""


class NameServer:
    """Serves the zone example. from a list of records, one a line. Zones in
    children are there, too, without records and signatures; others: more
    zones, a list of records each."""

    def __init__(self, records, zone="example.", signed=False, children=(),
                 others=None, keys=(), may_change=None,
                 address="127.0.0.1", port=None, notify=None):
        """keys: names of TSIG keys; may_change: those that may change the
        zone, if not all; notify: address of a secondary, at port 53."""
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="knot-"))
        self.ip = address
        self.port = port or free_ports(1)[0]
        self.zone, self.signed = zone, signed
        self.others = others or {}
        self.children = []
        self.serial = 1
        self.process = None
        (self.dir / "db").mkdir()
        changes = bool(keys)
        (self.dir / "knot.conf").write_text(f"""
server:
  rundir: {self.dir}
  listen: {self.ip}@{self.port}
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
{knot_keys(keys, may_change or keys)}
{knot_remote(notify)}
zone:
  - domain: {zone}
    storage: {self.dir}
    file: zone
    journal-content: {"changes" if changes else "none"}
    zonefile-load: whole
    zonefile-sync: {0 if changes else -1}
    {"acl: update" if keys else ""}
    {"notify: remote" if notify else ""}
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
        self.children.append(zone)
        file = self.dir / zone
        file.write_text(f"$ORIGIN {zone}\n$TTL 2\n@ SOA ns.{self.zone} "
                        f"admin.{self.zone} 1 60 60 600 2\n"
                        f"@ NS ns.{self.zone}\n")
        with open(self.dir / "knot.conf", "a") as conf:
            conf.write(f"  - domain: {zone}\n    file: {file}\n")

    @property
    def address(self):
        return f"{self.ip}:{self.port}"

    def write(self, records):
        self.serial += 1
        self.write_zone("zone", self.zone, records)
        for other, more in self.others.items():
            self.write_zone(f"{other}zone", other, more)

    def write_zone(self, file, zone, records):
        lines = ["$TTL 2", f"@ SOA ns.{self.zone} admin.{self.zone} "
                 f"{self.serial} 60 60 600 2", f"@ NS ns.{self.zone}"]
        if zone == self.zone:
            lines.append(f"ns A {self.ip}")
        (self.dir / file).write_text(
            f"$ORIGIN {zone}\n" + "\n".join(lines + records) + "\n")

    def start(self):
        return self.run([KNOTD, "-c", self.dir / "knot.conf"])

    def run(self, command, env=None):
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.dir / "log", "wb"), env=env)
        deadline = time.monotonic() + PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or \
                    time.monotonic() > deadline:
                said = (self.dir / "log").read_text()
                self.stop()
                raise AssertionError(said)
            time.sleep(0.05)
        return self

    def answers(self):
        """Does it answer a question about each of its zones with NOERROR?"""
        return all(map(self.has_zone, (self.zone, *self.others,
                                       *self.children)))

    def has_zone(self, zone):
        name = b"".join(bytes([len(p)]) + p.encode()
                        for p in zone.rstrip(".").split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.sendto(b"\x12\x34\0\0\0\1\0\0\0\0\0\0" + name +
                     b"\0\6\0\1", (self.ip, self.port))
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

    def end(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def stop(self):
        self.end()
        shutil.rmtree(self.dir, ignore_errors=True)

    def ask(self, name, kind):
        """The records of a name and type, as text, sorted."""
        question = message.make_query(name, kind)
        reply = query.tcp(question, self.ip, PATIENCE_S, self.port)
        return sorted(str(item) for rrset in reply.answer
                      if rrset.rdtype == rdatatype.from_text(kind)
                      for item in rrset)

    def alter(self, key, *changes):
        """Somebody else's update: ("add", name, ttl, type, text) and so on."""
        u = update.UpdateMessage(self.zone, keyring=tsigkeyring.from_text(
            {key: secret(key)}))
        for verb, *words in changes:
            getattr(u, verb)(*words)
        reply = query.tcp(u, self.ip, PATIENCE_S, self.port)
        assert reply.rcode() == 0, reply


class Secondary(NameServer):
    """Has its zone from another server, which sends NOTIFY."""

    def __init__(self, zone, primary, address, key):
        super().__init__([], zone=zone, address=address, port=53)
        text = (self.dir / "knot.conf").read_text()
        text = text.replace("zone:\n", f"""
key:
  - id: {key}
    algorithm: {"hmac-sha512" if "512" in key else "hmac-sha256"}
    secret: {secret(key)}
remote:
  - id: primary
    address: {primary.ip}@{primary.port}
    key: {key}
acl:
  - id: notify
    address: 127.0.0.0/8
    action: notify
zone:
""").replace("    file: zone\n", "    file: copy\n    master: primary\n"
             "    acl: notify\n").replace(
            "journal-content: none", "journal-content: changes")
        (self.dir / "knot.conf").write_text(text)

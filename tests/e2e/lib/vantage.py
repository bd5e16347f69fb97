# SPDX-License-Identifier: ISC
"""Vantage points: agents that are processes of ours, and one that is written
here, which can also do what no honest agent does."""
import hashlib
import http.client
import select
import signal
import ssl
import struct
import subprocess
import time

from nacl.signing import SigningKey

from lib.instance import BINARY, PATIENCE_S, START_S, TROUBLE, wait_for

ENROL, SYNC = "/api/agent/v1/enrol", "/api/agent/v1/sync"
OK, SLOW, FAILED, INCONCLUSIVE = range(4)


def token(server, name, network, *words):
    """Make an agent's row; its token."""
    import json
    return json.loads(server.cli("watch", "agent", "add", name,
                                 f"network={network}", *words,
                                 "--json"))["token"]


def let_in(server, name, network, enrol):
    """enrol(token), with another one while it fails: the watcher may not have
    heard of a row yet, or its answer come too late to be passed on."""
    def is_in():
        if enrol(token(server, name, network)):
            return True
        server.cli("watch", "agent", "remove", name)
        return False
    wait_for(is_in, what="it is not let in")


class Agent:
    """mailstead agent, in a folder of its own."""

    def __init__(self, server, name, network, *options):
        self.server, self.name = server, name
        self.dir = server.dir / f"agent-{name}"
        self.log_file = server.dir / f"agent-{name}.log"
        self.process = None
        let_in(server, name, network, lambda secret: self.enrol(
            secret, *options).returncode == 0)
        conf = self.dir / "agent.conf"
        with open(conf, "a") as f:
            f.write('watch {\n\tconfirm = "1s"\n}\n')

    def enrol(self, secret, *options, state=None, ca=None):
        return subprocess.run(
            [BINARY, "agent", "enrol",
             f"https://127.0.0.1:{self.server.ports['https']}", "-",
             "--state", state or self.dir, "--ca",
             ca or self.server.certificate, "--user", "nobody", *options],
            input=secret + "\n", capture_output=True, text=True,
            timeout=2 * PATIENCE_S)

    def configure(self, old, new):
        conf = self.dir / "agent.conf"
        text = conf.read_text()
        assert old in text
        conf.write_text(text.replace(old, new))

    def start(self):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "agent", "run", "--state", self.dir],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        said = select.select([self.process.stdout], [], [], START_S)[0]
        assert said and self.process.stdout.readline() == b"ready\n", \
            self.log()
        return self

    def stop(self, signo=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(signo)
        status = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        self.process = None
        assert status == (0 if signo == signal.SIGTERM else -signo), self.log()
        assert not TROUBLE.search(self.log()), self.log()

    def log(self):
        return self.log_file.read_text(errors="replace")


# --- the format, once more (proto/agent/agent_message.h) ---------------------------


def varint(v):
    out = b""
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def vstr(s):
    s = s.encode() if isinstance(s, str) else s
    return varint(len(s)) + s


def text(s):
    return struct.pack("<I", len(s)) + s


def result(key, age_s, outcome=OK, cause=0, took_ms=20, us=15000, said=""):
    return (vstr(key) + varint(int(age_s * 1000)) + varint(took_ms) +
            bytes([outcome, cause]) + varint(us) + struct.pack("<H", 65535) +
            vstr(said))


def enrolled(server, name, network):
    """One by hand that is let in, and heard."""
    h = HandMade(server, name)
    let_in(server, name, network, lambda secret: h.enrol(secret)[0] == 200)
    wait_for(lambda: h.sync() == 200, what="it is not heard")
    return h


class HandMade:
    """An agent in Python, one request at a time."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.key = SigningKey.generate()
        self.epoch = self.seq = self.list = 0
        self.keys = []

    def envelope(self, path, payload, name=None, key=None, seq=None,
                 time_ms=None):
        name = (name or self.name).encode()
        if seq is None:
            self.seq += 1
        numbers = struct.pack("<QQQ", self.epoch, self.seq if seq is None
                              else seq, time_ms or int(time.time() * 1000))
        signed = (vstr("mailstead agent 1") + vstr("POST") + vstr(path) +
                  vstr(name) + numbers + struct.pack("<Q", len(payload)))
        signature = (key or self.key).sign(
            hashlib.sha256(signed + payload).digest()).signature
        return b"\1" + vstr(name) + numbers + text(payload) + vstr(signature)

    def post(self, path, body, service="https"):
        """(status, body)"""
        tls = ssl.create_default_context(cafile=self.server.certificate)
        kind = http.client.HTTPSConnection if service == "https" else \
            http.client.HTTPConnection
        more = {"context": tls} if service == "https" else {}
        c = kind("127.0.0.1", self.server.ports[service], timeout=PATIENCE_S,
                 **more)
        try:
            c.request("POST", path, body=body)
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def post_all(self, path, bodies):
        """Many in one write, on one connection; the status of each."""
        with self.server.connect("https") as s:
            s.sendall(b"".join(
                b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                % (path.encode(), len(body)) + body for body in bodies))
            answers, f = [], s.makefile("rb")
            for _ in bodies:
                head = f.readline()
                answers.append(int(head.split()[1]))
                f.read(int(http.client.parse_headers(f)["Content-Length"]))
        return answers

    def enrol(self, secret, key=None):
        payload = (b"\1" + vstr(secret) + vstr(bytes(self.key.verify_key)) +
                   vstr("by hand"))
        return self.post(ENROL, self.envelope(ENROL, payload, name="-",
                                              key=key, seq=0))

    def sync_body(self, results=(), left=0, wait_ms=None, **more):
        results = list(results)
        payload = (b"\1" + vstr("by hand") + struct.pack("<Q", self.list) +
                   varint(left) + varint(0) + varint(len(results)) +
                   text(b"".join(results)))
        if wait_ms is not None:
            payload += varint(wait_ms)
        return self.envelope(SYNC, payload, **more)

    def take(self, body):
        """What an answer says: epoch, number, keys of checks when they came."""
        self.epoch, self.seq = struct.unpack_from("<QQ", body, 1)
        self.list, has_checks = struct.unpack_from("<QB", body, 1 + 28)
        if not has_checks:
            return
        at, self.keys, n = 1 + 37, [], body[1 + 37]
        assert n < 128
        at += 1 + 4
        for _ in range(n):
            size = body[at]
            self.keys.append(body[at + 1:at + 1 + size].decode())
            at += 1 + size
            shift = size = 0
            while True:
                byte, at = body[at], at + 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            at += size

    def sync(self, results=(), left=0):
        """As an agent does: it learns the epoch from a refusal; the status."""
        results = list(results)
        for _ in range(2):
            status, body = self.post(SYNC, self.sync_body(results, left))
            if status in (200, 409):
                self.take(body)
            if status != 409:
                break
        return status

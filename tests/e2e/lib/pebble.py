# SPDX-License-Identifier: ISC
"""An authority of certificates on loopback: Debian's pebble."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time

from lib.instance import PATIENCE_S, free_ports

PEBBLE = shutil.which("pebble")


def is_there():
    return PEBBLE is not None


class Pebble:
    """At https://HOST:port/dir; HOST leads to it in the zone of dns, by which it
    looks names up. http, https: where it looks for answers to challenges."""

    def __init__(self, cert, host, dns, http, https, binding=None):
        self.cert, self.host, self.dns = cert, host, dns
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="pebble-"))
        self.port, self.management = free_ports(2)
        self.config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(cert.pem), "privateKey": str(cert.key),
            "httpPort": http, "tlsPort": https, "ocspResponderURL": ""}
        if binding:
            self.config["externalAccountBindingRequired"] = True
            self.config["externalAccountMACKeys"] = binding
        self.process = None

    @property
    def directory(self):
        return f"https://{self.host}:{self.port}/dir"

    def start(self, bad_nonces=15, env=None):
        """bad_nonces: of a hundred nonces so many are refused."""
        file = self.dir / "config.json"
        file.write_text(json.dumps({"pebble": self.config}))
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                [PEBBLE, "-config", file, "-dnsserver", self.dns.address,
                 "-strict"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1",
                     "PEBBLE_WFE_NONCEREJECT": str(bad_nonces),
                     "PEBBLE_AUTHZREUSE": "0", **(env or {})})
        deadline = time.monotonic() + PATIENCE_S
        while not self.answers():
            assert self.process.poll() is None and \
                time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        return self

    def answers(self):
        """Both of its servers: they do not begin in the same moment."""
        try:
            self.get("/roots/0")
            self.get("/dir", self.port)
            return True
        except OSError:
            return False

    def get(self, path, port=None):
        """From where it is managed, if not from another port."""
        ctx = ssl.create_default_context()
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        c = http.client.HTTPSConnection("127.0.0.1", port or self.management,
                                        context=ctx, timeout=60)
        with contextlib.closing(c):
            c.request("GET", path)
            return c.getresponse().read().decode()

    def root(self):
        """The certificate that its certificates lead to."""
        return self.get("/roots/0")

    def log(self):
        return (self.dir / "log").read_text(errors="replace")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

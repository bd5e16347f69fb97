# SPDX-License-Identifier: ISC
"""DANE with real servers: Debian's Postfix and Exim, each with its certificate,
in a zone that knot signs."""
import hashlib
import json
import subprocess

import pytest

from lib import dns, exim, postfix
from lib.instance import make_certificate, wait_for
from test_send import World

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")


@pytest.fixture
def world():
    w = World(signed=True)
    yield w
    w.close()


def digest_of(certificate):
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout",
                          "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         input=key, check=True, capture_output=True).stdout
    return hashlib.sha256(der).hexdigest()


def start(kind, world, folder):
    """A server for KIND.example; its certificate."""
    module = postfix if kind == "postfix" else exim
    if module.why_not():
        pytest.skip(module.why_not())
    ip = world.ip()
    there = {"domains": [f"{kind}.example"], "host": ip, "port": world.port,
             "back": world.server.ports["mx"]}
    if kind == "exim":
        there = exim.Exim(**there)
        return there.start(), ip, there.dir / "certificate.pem"
    cert, key = make_certificate(folder, "mx.postfix.example")
    there = postfix.Postfix(
        smtpd_tls_security_level="may", smtpd_tls_received_header="yes",
        smtpd_tls_cert_file=cert, smtpd_tls_key_file=key, **there)
    return there.start(), ip, cert


def add_zone(world, kind, ip, digest):
    world.add(f"mx.{kind} A {ip}", f"{kind} MX 10 mx.{kind}",
              f"_{world.port}._tcp.mx.{kind} TLSA 3 1 1 {digest}")


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_the_certificate_has_to_be_that_of_the_zone(world, tmp_path, kind):
    there, ip, cert = start(kind, world, tmp_path)
    try:
        user = world.server.new_account()
        address = f"u@{kind}.example"
        digest = digest_of(cert)
        add_zone(world, kind, ip, "00" * 32)
        m = world.send(user, address)
        world.server.wait_log(
            rf"event=send\.defer [^\n]*rcpt={address}[^\n]*4\.7\.5")
        assert there.messages(address) == []
        # The zone is put right: what waits leaves.
        world.records[:] = [r for r in world.records if "TLSA" not in r]
        world.add(f"_{world.port}._tcp.mx.{kind} TLSA 3 1 1 {digest}")
        came = wait_for(lambda: there.messages(address), 60,
                        there.log()[-2000:])
        assert len(came) == 1 and came[0].endswith(m)
        assert b"TLSv1.3" in came[0] or b"TLS1.3" in came[0]
        rows = json.loads(world.server.cli("trace", address,
                                           "--json"))["trace"]
        assert "verified by DANE" in [r["tls"] for r in rows
                                      if r.get("tls")][-1]
    finally:
        there.stop()

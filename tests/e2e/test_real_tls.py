# SPDX-License-Identifier: ISC
"""DANE and MTA-STS with real servers: Debian's Postfix and Exim, each with its
certificate, in a zone that knot signs, or with a policy on a web server."""
import pytest

from lib import dns, exim, pki, postfix
from lib.instance import wait_for
from test_mta_sts import StsWorld
from test_send import World
from test_tls_out import deferred, result_of

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")


@pytest.fixture
def world():
    w = World(signed=True)
    yield w
    w.close()


@pytest.fixture
def sts_world():
    w = StsWorld()
    yield w
    w.close()


def start(kind, world, cert):
    """A server for KIND.example, and its address."""
    module = postfix if kind == "postfix" else exim
    if module.why_not():
        pytest.skip(module.why_not())
    ip = world.ip()
    there = {"domains": [f"{kind}.example"], "host": ip, "port": world.port,
             "back": world.server.ports["mx"]}
    if kind == "exim":
        return exim.Exim(certificate=cert, **there).start(), ip
    return postfix.Postfix(
        smtpd_tls_security_level="may", smtpd_tls_received_header="yes",
        smtpd_tls_cert_file=cert.pem, smtpd_tls_key_file=cert.key,
        **there).start(), ip


def wait_for_mail(world, there, address, m, how):
    """It came once, encrypted, and trace says how that was verified."""
    came = wait_for(lambda: there.messages(address), 60, there.log()[-2000:])
    assert len(came) == 1 and came[0].endswith(m)
    assert b"TLSv1.3" in came[0] or b"TLS1.3" in came[0]
    world.server.wait_log(rf"event=send\.done [^\n]*rcpt={address}")
    assert how in result_of(world, address)


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_the_certificate_has_to_be_that_of_the_zone(world, kind):
    cert = pki.Cert(f"mx.{kind}.example")
    there, ip = start(kind, world, cert)
    try:
        address = f"u@{kind}.example"
        record = f"_{world.port}._tcp.mx.{kind} TLSA "
        world.add(f"mx.{kind} A {ip}", f"{kind} MX 10 mx.{kind}",
                  record + "3 1 1 " + "00" * 32)
        m = world.send(world.server.new_account(), address)
        deferred(world, address, r"4\.7\.5")
        assert there.messages(address) == []
        # The zone is put right: what waits leaves.
        world.records.pop()
        world.add(record + cert.tlsa())
        wait_for_mail(world, there, address, m, "verified by DANE")
    finally:
        there.stop()


@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_the_host_has_to_be_one_of_the_policy(sts_world, kind):
    world = sts_world
    there, ip = start(kind, world, world.authority.issue(f"mx.{kind}.example"))
    try:
        address = f"u@{kind}.example"
        world.add(f"mx.{kind} A {ip}", f"{kind} MX 10 mx.{kind}")
        world.sts(kind, "enforce", "mx.else.example")
        m = world.send(world.server.new_account(), address)
        deferred(world, address, "does not name this host")
        assert there.messages(address) == []
        world.sts(kind, "enforce", f"mx.{kind}.example", id="2")
        wait_for_mail(world, there, address, m, "verified by MTA-STS")
    finally:
        there.stop()

# SPDX-License-Identifier: ISC
"""Certificates by host name, from files: which one each service shows, what a
reload takes over, what becomes of a bad one."""
import json
import os
import socket
import ssl
import subprocess

import pytest

from lib import pki
from lib.instance import PATIENCE_S, Instance

IMPLICIT = ("submissions", "imaps", "pop3s", "https")
STARTTLS = {"mx": (b"EHLO x\r\n", b"250 ", b"STARTTLS\r\n", b"220 "),
            "imap": (b"", b"", b"a STARTTLS\r\n", b"a OK"),
            "pop3": (b"", b"", b"STLS\r\n", b"+OK")}


def read_until(s, mark):
    """Lines until one begins with mark."""
    data = b""
    while not (data.endswith(b"\n") and
               data.split(b"\n")[-2].startswith(mark)):
        got = s.recv(4096)
        assert got, data
        data += got


def shown(server, service, name):
    """The certificate that a service shows to who asks for name, as DER."""
    ctx = ssl.create_default_context()
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", server.ports[service]),
                                  PATIENCE_S) as s:
        if service in STARTTLS:
            greet, mark, ask, answer = STARTTLS[service]
            read_until(s, b"")
            if greet:
                s.sendall(greet)
                read_until(s, mark)
            s.sendall(ask)
            read_until(s, answer)
        with ctx.wrap_socket(s, server_hostname=name) as t:
            return t.getpeercert(binary_form=True)


def der(pem):
    return ssl.PEM_cert_to_DER_cert(
        pem.read_text().split("-----END CERTIFICATE-----")[0]
        + "-----END CERTIFICATE-----")


def put(folder, name, cert):
    """As certbot leaves it: links to files elsewhere."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    for file, target in (("fullchain.pem", cert.pem),
                         ("privkey.pem", cert.key)):
        link = folder / name / file
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def listed(server):
    return {c["name"]: c for c in json.loads(
        server.cli("certificate", "list", "--json"))["certificates"]}


@pytest.fixture(scope="module")
def served():
    s = Instance()
    folder = s.dir / "live"
    folder.mkdir()
    (folder / "README").write_text("no certificate\n")
    authority = pki.Cert("Test Authority", is_ca=True)
    certs = {name: authority.issue(name)
             for name in ("one.example", "two.example")}
    certs["wild"] = authority.issue("wild.example", alt="*.wild.example")
    for name, cert in certs.items():
        put(folder, name, cert)
    s.configure({"tls": {"folder": str(folder)}})
    s.start()
    s.folder, s.certs, s.authority = folder, certs, authority
    yield s
    try:
        s.stop()
    finally:
        s.remove()


@pytest.mark.parametrize("service", [*IMPLICIT, *STARTTLS])
def test_each_service_shows_the_certificate_of_the_name(served, service):
    own = der(served.certificate)
    for asked, want in (("one.example", der(served.certs["one.example"].pem)),
                        ("two.example", der(served.certs["two.example"].pem)),
                        ("x.wild.example", der(served.certs["wild"].pem)),
                        ("mail.test.example", own), ("other.example", own)):
        assert shown(served, service, asked) == want, asked


def test_the_list_says_what_is_in_force(served):
    rows = listed(served)
    assert set(rows) == {"mail.test.example", "one.example", "two.example",
                         "wild"}
    assert rows["mail.test.example"]["default"]
    assert rows["mail.test.example"]["source"] == "tls.certificate"
    one = rows["one.example"]
    assert one["source"] == "tls.folder" and not one["default"]
    assert one["names"] == ["one.example"] and one["kind"] == "ECDSA"
    assert one["issuer"] == "Test Authority" and one["days_left"] in (29, 30)
    assert one["fault"] is None
    assert rows["wild"]["names"] == ["*.wild.example"]
    assert "one.example" in served.cli("certificate", "list")
    text = served.cli("metrics")
    assert 'ends_seconds{source="tls.folder",name="one.example"} 1' in text \
        or 'ends_seconds{source="tls.folder",name="one.example"} 2' in text


def test_a_reload_takes_new_ones_and_open_sessions_go_on(served):
    with served.connect("imaps") as old:
        new = served.authority.issue("one.example")
        put(served.folder, "one.example", new)
        put(served.folder, "new.example",
            served.authority.issue("new.example"))
        served.cli("reload")
        assert shown(served, "imaps", "one.example") == der(new.pem)
        assert "new.example" in listed(served)
        read_until(old, b"* OK")
        old.sendall(b"a CAPABILITY\r\n")
        read_until(old, b"a OK")


def test_a_bad_one_takes_nothing_away(served):
    before = shown(served, "imaps", "two.example")
    broken = served.authority.issue("two.example")
    put(served.folder, "two.example", broken)
    key = served.folder / "two.example" / "privkey.pem"
    key.unlink()
    key.symlink_to(served.certs["one.example"].key)
    (served.folder / "half.example").mkdir()
    (served.folder / "half.example" / "fullchain.pem").write_text("x")
    served.cli("reload")
    assert shown(served, "imaps", "two.example") == before
    rows = listed(served)
    assert "does not belong" in rows["two.example"]["fault"]
    assert rows["two.example"]["days_left"] > 0
    assert "expected a certificate" in rows["half.example"]["fault"]
    assert rows["half.example"]["ends"] is None
    served.wait_log(r"supervisor.certificate.bad .*name=two.example")
    put(served.folder, "two.example", broken)
    served.cli("reload")
    assert shown(served, "imaps", "two.example") == der(broken.pem)
    assert listed(served)["two.example"]["fault"] is None


def test_rsa_and_ecdsa_of_one_name_stand_side_by_side(served):
    rsa = served.dir / "rsa"
    rsa.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-batch",
         "-subj", "/CN=one.example", "-addext",
         "subjectAltName=DNS:one.example", "-keyout", rsa / "privkey.pem",
         "-out", rsa / "fullchain.pem"], check=True, capture_output=True)
    os.symlink(rsa, served.folder / "one.example-rsa")
    served.cli("reload")
    for sigalg, want in (("rsa_pss_rsae_sha256", "RSA-PSS"),
                         ("ecdsa_secp256r1_sha256", "ECDSA")):
        said = subprocess.run(
            ["openssl", "s_client", "-connect",
             f"127.0.0.1:{served.ports['imaps']}", "-servername",
             "one.example", "-sigalgs", sigalg], input="", text=True,
            capture_output=True).stdout
        assert f"Peer signature type: {want}" in said, said
        assert "CN = one.example" in said, said

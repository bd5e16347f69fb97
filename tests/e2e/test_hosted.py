# SPDX-License-Identifier: ISC
"""What role web serves under names of the domains that are hosted here: the
MTA-STS policy and the settings of mail programs, the same as "mailstead dns" says."""
import http.client
import json
import os
import re
import signal
import xml.etree.ElementTree as ET

import pytest

from lib import dns, pki
from lib.instance import DOMAIN, PATIENCE_S, Instance, wait_for
from test_send import World
from test_tls_out import deferred, nothing_came, result_of

POLICY = "/.well-known/mta-sts.txt"
CONFIG = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig" + CONFIG


def get(server, host, path, service="https", **fields):
    kind, more = (http.client.HTTPSConnection, {"context": server.tls()}) \
        if service == "https" else (http.client.HTTPConnection, {})
    c = kind("127.0.0.1", server.ports[service], timeout=PATIENCE_S, **more)
    c.request("GET", path, headers={"Host": host, **fields})
    r = c.getresponse()
    body = r.read().decode()
    c.close()
    return r, body


def told_in_dns(server, purpose, domain=DOMAIN):
    said = json.loads(server.cli("dns", domain, "--json"))["records"]
    return {r["name"]: r["value"] for r in said if r["purpose"] == purpose}


def policy_fields(text):
    assert text.endswith("\r\n")
    return [tuple(line.split(": ", 1)) for line in text.splitlines()]


# --- MTA-STS ----------------------------------------------------------------

def test_the_policy_is_what_dns_says(server):
    r, body = get(server, f"mta-sts.{DOMAIN}", POLICY)
    assert r.status == 200 and r.headers["Content-Type"] == "text/plain"
    mx = told_in_dns(server, "mx")[DOMAIN].split()[1].rstrip(".")
    assert policy_fields(body) == [
        ("version", "STSv1"), ("mode", "enforce"), ("mx", mx),
        ("max_age", "604800")]
    # People are shown the same text, and the id goes with it.
    shown = server.cli("dns", DOMAIN)
    assert all(f"; {line}\n" in shown for line in body.splitlines())
    id = re.fullmatch(r"v=STSv1; id=(\w+)", told_in_dns(
        server, "mta-sts")[f"_mta-sts.{DOMAIN}"]).group(1)
    assert r.headers["ETag"] == f'"{id}"'
    assert r.headers["Cache-Control"] == "no-cache"
    again, body = get(server, f"mta-sts.{DOMAIN}", POLICY,
                      **{"If-None-Match": f'"{id}"'})
    assert (again.status, body) == (304, "")


def test_names_are_compared_as_dns_does(server):
    server.cli("domain", "add", "bäcker.example")
    for host in (f"MTA-STS.{DOMAIN.upper()}", f"mta-sts.{DOMAIN}:443",
                 f"mta-sts.{DOMAIN}.", "mta-sts.xn--bcker-gra.example"):
        assert get(server, host, POLICY)[0].status == 200, host


@pytest.mark.parametrize("host, path", [
    ("mta-sts.elsewhere.example", POLICY), (DOMAIN, POLICY),
    (f"mta-sts.sub.{DOMAIN}", POLICY), (f"x.mta-sts.{DOMAIN}", POLICY),
    (f"autoconfig.{DOMAIN}", POLICY), ("mta-sts.", POLICY),
    ("mta-sts._", POLICY), ("127.0.0.1", POLICY), ("[::1]:443", POLICY),
    ("mta-sts." + "a" * 200, POLICY), ("mta-sts.xn--a.example", POLICY),
    ("autoconfig.elsewhere.example", CONFIG), (DOMAIN, CONFIG),
    (f"mta-sts.{DOMAIN}", CONFIG), ("elsewhere.example", WELL_KNOWN),
    (f"autoconfig.{DOMAIN}", CONFIG + "?emailaddress=a@elsewhere.example"),
    (f"autoconfig.{DOMAIN}", CONFIG + "?emailaddress=a"),
    (f"autoconfig.{DOMAIN}", CONFIG + "?emailaddress=a%40" + "b" * 900)])
def test_of_others_there_is_no_such_page(server, host, path):
    """As of any path that does not exist."""
    def alike():
        """Both say how things are, which may change between the two."""
        one, two = get(server, host, path), get(server, host, "/nothing")
        return one[1] == two[1] and (one, two)
    (r, body), (other, _) = wait_for(alike, what="they differ")
    assert r.status == other.status == 404
    assert "mail.test.example:" not in body and "<port>" not in body
    assert r.headers["Cache-Control"] == other.headers["Cache-Control"]


def test_a_domain_that_comes_or_goes_counts_at_once(server):
    def status(path):
        host = "mta-sts" if path == POLICY else "autoconfig"
        return get(server, f"{host}.brief.example", path)[0].status
    assert status(POLICY) == status(CONFIG) == 404
    server.cli("domain", "add", "brief.example")
    assert status(POLICY) == status(CONFIG) == 200
    server.cli("domain", "remove", "brief.example")
    assert status(POLICY) == status(CONFIG) == 404


def test_when_nobody_can_tell_it_is_not_missing(make_server):
    server = make_server()
    store = server.pids("store")[0]
    os.kill(store, signal.SIGSTOP)
    try:
        for host, path in ((f"mta-sts.{DOMAIN}", POLICY),
                           (f"autoconfig.{DOMAIN}", CONFIG)):
            r, _ = get(server, host, path)
            assert r.status == 503 and r.headers["Retry-After"]
            assert r.headers["Cache-Control"] == "no-store"
    finally:
        os.kill(store, signal.SIGCONT)
    wait_for(lambda: get(server, f"mta-sts.{DOMAIN}",
                         POLICY)[0].status == 200)


# --- mail programs -------------------------------------------------------------

def settings(text):
    """{(protocol, TLS from the first byte): (host, port)}, the provider's id."""
    root = ET.fromstring(text)
    assert (root.tag, root.get("version")) == ("clientConfig", "1.1")
    provider = root.find("emailProvider")
    assert provider.get("id") == provider.findtext("domain")
    found = {}
    for s in [*provider.iter("incomingServer"),
              *provider.iter("outgoingServer")]:
        assert s.findtext("username") == "%EMAILADDRESS%"
        assert s.findtext("authentication") == "password-cleartext"
        found[s.get("type"), s.findtext("socketType")] = (
            s.findtext("hostname"), s.findtext("port"))
    return found, provider.get("id")


KINDS = {"_imaps": ("imap", "SSL"), "_imap": ("imap", "STARTTLS"),
         "_pop3s": ("pop3", "SSL"), "_pop3": ("pop3", "STARTTLS"),
         "_submissions": ("smtp", "SSL"), "_submission": ("smtp", "STARTTLS")}


@pytest.mark.parametrize("service", ["http", "https"])
def test_settings_are_what_dns_says(server, service):
    r, body = get(server, f"autoconfig.{DOMAIN}", CONFIG, service)
    assert r.status == 200 and "xml" in r.headers["Content-Type"]
    assert r.headers["Cache-Control"] == "public, max-age=3600"
    want = {}
    for name, value in told_in_dns(server, "srv").items():
        _, _, port, host = value.split()
        want[KINDS[name.split(".")[0]]] = (host.rstrip("."), port)
    assert settings(body) == (want, DOMAIN) and len(want) == 6


@pytest.mark.parametrize("host, path", [
    (DOMAIN, WELL_KNOWN), (f"autoconfig.{DOMAIN}", WELL_KNOWN),
    (f"autoconfig.{DOMAIN}", CONFIG + "?emailaddress="),
    (f"AutoConfig.{DOMAIN}:80", CONFIG),
    (f"autoconfig.{DOMAIN}", CONFIG + f"?emailaddress=a%40{DOMAIN}"),
    ("autoconfig.provider.example", CONFIG + f"?x=1&emailaddress=a@{DOMAIN}"),
    ("elsewhere.example", WELL_KNOWN + f"?emailaddress=a@b@{DOMAIN.upper()}")])
def test_a_name_or_an_address_says_whose(server, host, path):
    assert settings(get(server, host, path, "http")[1])[1] == DOMAIN


# --- who keeps to it ------------------------------------------------------------

@pytest.mark.skipif(not dns.is_there(),
                    reason="the name server knot is not installed")
def test_our_own_senders_accept_the_policy():
    """Two servers: one hosts domains, the other sends to them."""
    authority = pki.Cert("an authority", is_ca=True)
    hosting = Instance({"": {"hostname": "mx1.example"}})
    cert = authority.issue(
        "hosting", alt="mta-sts.kept.example,DNS:mta-sts.other.example")
    hosting.certificate.write_bytes(cert.pem.read_bytes())
    hosting.key.write_bytes(cert.key.read_bytes())
    world = None
    try:
        hosting.start()
        world = World(authorities=authority.pem,
                      https_port=hosting.ports["https"])
        named, unnamed = world.receiver("kept"), world.receiver("other")
        assert (named.name, unnamed.name) == ("mx1.example", "mx2.example")
        for r in (named, unnamed):
            r.tls = authority.issue(r.name).context()
        for n in ("kept", "other"):
            hosting.cli("domain", "add", f"{n}.example")
            record = told_in_dns(hosting, "mta-sts", f"{n}.example")
            world.add(f"mta-sts.{n} A 127.0.0.1", '_mta-sts.{} TXT "{}"'.format(
                n, record[f"_mta-sts.{n}.example"]))
        user = world.server.new_account()
        world.send(user, ["a@kept.example", "a@other.example"])
        assert named.wait()[0].is_tls
        world.server.wait_log(r"event=send\.done .*rcpt=a@kept\.")
        assert "verified by MTA-STS" in result_of(world, "a@kept.example")
        deferred(world, "a@other.example", "does not name this host")
        nothing_came(unnamed)
    finally:
        if world is not None:
            world.close()
        hosting.stop()
        hosting.remove()

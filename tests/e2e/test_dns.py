# SPDX-License-Identifier: ISC
"""DKIM keys by command line, and the DNS records that a domain needs, looked
up in a real name server that has them, has none, or has others."""
import base64
import json
import re
import subprocess

import pytest

from lib import dns
from lib.instance import DOMAIN, PATIENCE_S, wait_for

OK, REFUSED, USAGE, TEMPFAIL = 0, 1, 2, 75
HOST = "mail.test.example"


def js(server, *args, **kw):
    return json.loads(server.cli(*args, "--json", **kw))


def keys_of(server, domain=DOMAIN):
    return {k["selector"]: k for k in js(server, "dkim", "list",
                                         domain)["keys"]}


def records_of(server, purpose, domain=DOMAIN):
    return [r for r in js(server, "dns", domain)["records"]
            if r["purpose"] == purpose]


def openssl(*args, stdin=b""):
    return subprocess.run(["openssl", *args], input=stdin, check=True,
                          capture_output=True).stdout


def tags(record):
    return dict(t.strip().split("=", 1) for t in record.split(";"))


# --- keys ------------------------------------------------------------------

def test_a_new_domain_has_a_key_of_each_kind(server):
    server.cli("domain", "add", "keys.example")
    keys = keys_of(server, "keys.example")
    assert sorted(k["algorithm"] for k in keys.values()) == \
        ["ed25519", "rsa-2048"]
    assert all(re.fullmatch(r"ms\d{6}[re]", s) for s in keys)
    assert all(k["state"] == "active" and k["activated"] and
               k["changes"] is None for k in keys.values())
    for r in records_of(server, "dkim", "keys.example"):
        t = tags(r["value"])
        der = base64.b64decode(t["p"], validate=True)
        if t["k"] == "rsa":
            text = openssl("pkey", "-pubin", "-inform", "DER", "-noout",
                           "-text", stdin=der).decode()
            assert "Public-Key: (2048 bit)" in text
        else:
            assert len(der) == 32
    server.cli("domain", "remove", "keys.example")
    gone = server.cli("dkim", "list", "keys.example", check=False)
    assert gone.returncode == REFUSED


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_a_key_from_elsewhere_is_published_as_openssl_has_it(
        server, algorithm):
    name = f"{algorithm}.example"
    server.cli("domain", "add", name)
    made = ["-algorithm", "ed25519"] if algorithm == "ed25519" else \
        ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    pem = openssl("genpkey", *made).decode()
    added = js(server, "dkim", "add", name, "--selector", "from.elsewhere",
               "--key-stdin", input=pem)
    assert added == {"added": ["from.elsewhere"]}
    public = openssl("pkey", "-pubout", "-outform", "DER",
                     stdin=pem.encode())
    record = [r for r in records_of(server, "dkim", name)
              if r["name"] == f"from.elsewhere._domainkey.{name}"][0]
    want = public[-32:] if algorithm == "ed25519" else public
    assert base64.b64decode(tags(record["value"])["p"]) == want
    # One of its kind signs already.
    assert keys_of(server, name)["from.elsewhere"]["state"] == "published"
    server.cli("dkim", "activate", name, "from.elsewhere")
    states = {k["algorithm"]: (s, k["state"]) for s, k in
              keys_of(server, name).items() if k["state"] == "active"}
    assert len(states) == 2 and "from.elsewhere" in [
        s for s, _ in states.values()]
    kept = server.cli("dkim", "remove", name, "from.elsewhere", check=False)
    assert kept.returncode == REFUSED and "--force" in kept.stderr
    server.cli("dkim", "remove", name, "from.elsewhere", "--force")
    assert "from.elsewhere" not in keys_of(server, name)
    # Neither the log nor a listing has a word of it.
    secret = pem.splitlines()[1][:40]
    shown = server.cli("dkim", "list") + server.cli("dns", name)
    assert "PRIVATE" not in shown and secret not in shown
    assert "PRIVATE" not in server.log() and secret not in server.log()


@pytest.mark.parametrize("pem", [
    "", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"
    "-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(server, pem):
    r = server.cli("dkim", "add", DOMAIN, "--selector", "x", "--key-stdin",
                   input=pem, check=False)
    assert r.returncode == USAGE and "no private key" in r.stderr


def states_of(server, domain):
    return {s: k["state"] for s, k in keys_of(server, domain).items()}


def rotated(server, domain, **times):
    """A new domain and its rotation under such times: (old keys, new ones)."""
    server.configure({"dkim": times})
    server.cli("reload")
    server.cli("domain", "add", domain)
    old = set(keys_of(server, domain))
    new = set(js(server, "dkim", "rotate", domain)["added"])
    assert len(old) == len(new) == 2 and not old & new
    return old, new


def test_a_rotation_goes_by_itself(make_server):
    """From step to step, each seen by a domain that stays at it."""
    server = make_server()
    old, new = rotated(server, "begun.example", wait="1h", keep="1h")
    keys = keys_of(server, "begun.example")
    assert {s for s in keys if keys[s]["state"] == "active"} == old
    assert {s for s in keys if keys[s]["state"] == "published"} == new
    assert all(keys[s]["changes"] for s in new)
    published = {r["name"].split(".")[0]
                 for r in records_of(server, "dkim", "begun.example")}
    assert published == old | new
    old, new = rotated(server, "turned.example", wait="1s", keep="1h")
    wait_for(lambda: states_of(server, "turned.example") == {
        **{s: "retired" for s in old}, **{s: "active" for s in new}},
        what="the new ones do not sign")
    old, new = rotated(server, "ended.example", wait="1s", keep="1s")
    wait_for(lambda: states_of(server, "ended.example") == {
        s: "active" for s in new}, what="the old ones stay")
    assert server.cli("check")


def test_old_keys_are_told_and_rotated_together(make_server):
    server = make_server({"dkim": {"rotate": "1s"}})
    server.cli("domain", "add", "second.example")
    # Old when the store counts, which it does each hour and when it starts.
    wait_for(lambda: all(k["old"] for d in (DOMAIN, "second.example")
                         for k in keys_of(server, d).values()))
    server.kill("store")
    wait_for(lambda: js(server, "status").get("dkim_old") == 2, PATIENCE_S,
             "nobody tells of old keys")
    assert "The DKIM keys of 2 domains sign for longer" in \
        server.cli("status")
    server.wait_log(r"store\.dkim\.old.* domains=[12]")
    assert all(k["old"] for k in keys_of(server).values())
    assert "old: rotate it" in server.cli("dkim", "list", DOMAIN)
    assert js(server, "dkim", "rotate", "--all", "--older-than", "365d") == {
        "rotated": []}
    # What it has no key of gets none.
    kinds = {k["algorithm"]: s for s, k in keys_of(
        server, "second.example").items()}
    server.cli("dkim", "remove", "second.example", kinds["ed25519"],
               "--force")
    done = js(server, "dkim", "rotate", "--all")["rotated"]
    assert {(r["domain"], r["selector"][8], r["error"]) for r in done} == {
        (DOMAIN, "r", None), (DOMAIN, "e", None),
        ("second.example", "r", None)} and len(done) == 3
    assert js(server, "dkim", "rotate", "--all")["rotated"] == []
    new = keys_of(server)
    assert sorted(k["state"] for k in new.values()) == [
        "active", "active", "published", "published"]
    assert not any(k["old"] for k in new.values())
    wait_for(lambda: js(server, "status").get("dkim_old") == 0, PATIENCE_S,
             "they are still told")


# --- records ----------------------------------------------------------------

@pytest.fixture
def name_server():
    if not dns.is_there():
        pytest.skip("knotd is not there")
    ns = dns.NameServer([], zone=f"{DOMAIN}.")
    ns.start()
    yield ns
    ns.stop()


@pytest.fixture
def asking(make_server, name_server):
    """A server that asks that name server."""
    return make_server({"dns": {"servers": [name_server.address],
                                "dnssec": "no"}})


def check(server):
    done = server.cli("dns", DOMAIN, "--check", "--json", check=False)
    states = {}
    for r in json.loads(done.stdout)["records"]:
        states.setdefault(r["purpose"], []).append(r["state"])
    return done.returncode, states


def test_the_records_are_a_zone_that_checks(asking, name_server):
    code, states = check(asking)
    assert code == REFUSED
    assert {s for all in states.values() for s in all} == {"missing"}
    zone = asking.cli("dns", DOMAIN, "--zone").splitlines()
    assert zone and not any(line.startswith(";") for line in zone)
    # With its comments it is a zone as well.
    for text in (zone, asking.cli("dns", DOMAIN).splitlines()):
        name_server.change(text + ["mail A 127.0.0.1"])
        code, states = check(asking)
        assert code == OK, states
        assert {s for all in states.values() for s in all} == {"ok"}
        assert len(states["dkim"]) == 2 and len(states["srv"]) == 6
        assert set(states) == {
            "host", "mx", "tlsa", "spf", "dkim", "dmarc", "tls-rpt",
            "mta-sts", "mta-sts-host", "autoconfig", "srv"}


def test_what_differs_is_told(asking, name_server):
    good = asking.cli("dns", DOMAIN, "--zone")
    key = re.search(r"ms\d+e\._domainkey.*p=([^\"]+)", good).group(1)
    other = base64.b64encode(bytes(32)).decode()
    cases = [
        (good.replace("MX 10 mail.", "MX 10 else."), "mx", "differs"),
        (good + f"{DOMAIN}. MX 20 else.{DOMAIN}.", "mx", "ok"),
        (good.replace("v=spf1 mx", "v=spf1 a"), "spf", "differs"),
        (good.replace("v=spf1 mx ~all",
                      "v=spf1 include:x.example +MX -all"), "spf", "ok"),
        (good + f'{DOMAIN}. TXT "v=spf1 mx -all"', "spf", "differs"),
        (good + f'{DOMAIN}. TXT "else=1"', "spf", "ok"),
        (good.replace(key, other), "dkim", "differs"),
        (good.replace("p=none", "p=reject"), "dmarc", "ok"),
        (good.replace("v=DMARC1", "v=DMARC"), "dmarc", "missing"),
        (re.sub(r"(TLSA 3 1 1 )..", r"\g<1>00", good), "tlsa", "differs"),
        (re.sub(r"(_imaps.* )\d+( mail)", r"\g<1>1\2", good), "srv",
         "differs"),
        (re.sub(r"(mta-sts\.\S+) IN CNAME .*", r"\1 A 192.0.2.1", good),
         "mta-sts-host", "ok"),
    ]
    for zone, purpose, want in cases:
        name_server.change(zone.splitlines() + ["mail A 127.0.0.1"])
        code, states = check(asking)
        assert want in states.pop(purpose), (purpose, want)
        assert code == (OK if want == "ok" else REFUSED)
        assert {s for all in states.values() for s in all} == {"ok"}
    # Nobody has to have a web server.
    web = [line for line in good.splitlines()
           if "mta-sts" not in line and "autoconfig" not in line]
    name_server.change(web + ["mail A 127.0.0.1"])
    code, states = check(asking)
    assert code == OK and states["mta-sts"] == states["autoconfig"] == \
        states["mta-sts-host"] == ["missing"]
    text = asking.cli("dns", DOMAIN, "--check", check=False).stdout
    assert text.count("(of use only with a web server that answers)") == 3
    assert re.search(rf"^ok +MX +{re.escape(DOMAIN)}$", text, re.M)


def test_a_server_that_does_not_answer_is_no_missing_record(
        asking, name_server):
    name_server.stop()
    done = asking.cli("dns", DOMAIN, "--check", check=False)
    assert done.returncode == TEMPFAIL
    assert "missing" not in done.stdout and "unknown" in done.stdout


def test_the_digest_is_that_of_the_certificate(server):
    der = openssl("pkey", "-pubin", "-outform", "DER",
                  stdin=openssl("x509", "-in", str(server.certificate),
                                "-noout", "-pubkey"))
    want = openssl("dgst", "-sha256", "-r", stdin=der).split()[0].decode()
    tlsa = records_of(server, "tlsa")
    assert [r["value"].lower() for r in tlsa] == [f"3 1 1 {want}"]


def test_ports_are_those_that_are_listened_on(server):
    srv = {r["name"].split(".")[0]: r["value"]
           for r in records_of(server, "srv")}
    for name in ("imaps", "imap", "submissions", "submission", "pop3s",
                 "pop3"):
        assert srv["_" + name].split()[2:] == [
            str(server.ports[name]), f"{HOST}."]


def test_a_long_key_is_cut_into_strings(server):
    zone = server.cli("dns", DOMAIN, "--zone")
    line = [x for x in zone.splitlines() if "k=rsa" in x][0]
    strings = re.findall(r'"([^"]*)"', line)
    assert len(strings) == 2 and max(map(len, strings)) == 255
    assert "".join(strings) in [
        r["value"] for r in records_of(server, "dkim")]


def test_records_of_another_zone_are_comments(server):
    server.cli("domain", "add", "müller.example")
    text = server.cli("dns", "müller.example")
    assert f"; _25._tcp.{HOST}. IN TLSA" in text
    assert "xn--mller-kva.example. IN MX 10" in text
    assert "TLSA" not in server.cli("dns", "müller.example", "--zone")
    assert "müller.example" in {d["name"] for d in js(
        server, "domain", "list")["domains"]}


def test_a_domain_that_is_not_ours_has_no_records(server):
    r = server.cli("dns", "nowhere.example", check=False)
    assert r.returncode == REFUSED and r.stdout == ""

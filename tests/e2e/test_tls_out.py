# SPDX-License-Identifier: ISC
"""TLS with other servers: what DANE, MTA-STS and the operator's rules ask for,
with receivers that do and do not do it."""
import json
import ssl

import pytest

from lib import dns, pki
from lib.instance import wait_for
from test_send import World

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")


@pytest.fixture(scope="module")
def world():
    w = World(signed=True)
    yield w
    w.close()


@pytest.fixture
def make_world():
    made = []

    def make(**how):
        made.append(World(**how))
        return made[-1]
    yield make
    for w in made:
        w.close()


@pytest.fixture
def user(world):
    return world.server.new_account()


def tlsa(world, r, *data):
    """TLSA records of a receiver."""
    host = r.name.split(".")[0]
    world.add(*(f"_{world.port}._tcp.{host} TLSA {d}" for d in data))


def deferred(world, address, words, timeout=15):
    return world.server.wait_log(
        rf"event=send\.defer [^\n]*rcpt={address}[^\n]*{words}", timeout)


def nothing_came(r):
    """Nothing of any mail was said to it."""
    assert r.messages == [] and r.seen == []
    assert not [c for c in r.commands if c.upper().startswith("MAIL")]


def result_of(world, address):
    """What trace says of TLS with the last delivery, when it is known: the
    receiver has the message before."""
    def delivered():
        rows = json.loads(world.server.cli("trace", address,
                                           "--json"))["trace"]
        return [r["tls"] for r in rows if r["event"] == "delivered"]
    return wait_for(delivered, what="it is not delivered")[-1]


# --- DANE ---------------------------------------------------------------------

@pytest.mark.parametrize("record", [
    (3, 1, 1), (3, 1, 2), (3, 0, 1), (3, 1, 0), (3, 0, 0)])
def test_the_own_key_is_enough(world, user, record):
    """DANE-EE: neither name nor dates count (RFC 7672 section 3.1.1)."""
    n = "ee" + "".join(map(str, record))
    cert = pki.Cert("someone.else.example", days=-1)
    r = world.receiver(n, tls=cert.context())
    tlsa(world, r, cert.tlsa(*record))
    world.send(user, f"a@{n}.example")
    assert r.wait()[0].is_tls
    world.server.wait_log(rf"event=send\.done .*rcpt=a@{n}\.")
    assert "verified by DANE" in result_of(world, f"a@{n}.example")


def test_another_key_gets_nothing(world, user):
    r = world.receiver("wrong", tls=pki.Cert("mx").context())
    tlsa(world, r, pki.Cert("mx").tlsa())
    world.send(user, "a@wrong.example")
    deferred(world, "a@wrong.example",
             r"4\.7\.5.*TLSA records \(DANE\).*mailstead tls-rule add "
             rf"mx:{r.name} may")
    nothing_came(r)


def test_two_keys_at_a_change(world, user):
    old, new = pki.Cert("mx"), pki.Cert("mx")
    r = world.receiver("change", tls=old.context())
    tlsa(world, r, new.tlsa(), old.tlsa())
    world.send(user, "a@change.example")
    r.wait()
    r.tls = new.context()
    world.send(user, "b@change.example")
    assert all(m.is_tls for m in r.wait(2))


@pytest.fixture(scope="module")
def authority():
    return pki.Cert("an authority", is_ca=True)


def ta_case(world, authority, n, matches, data=None, with_root=True, **leaf):
    r = world.receiver(n)
    name = leaf.pop("name", r.name)
    r.tls = authority.issue(name, **leaf).context(with_root)
    tlsa(world, r, data or authority.tlsa(2, 0, 1))
    world.send(world.server.new_account(), f"a@{n}.example")
    if matches:
        assert r.wait()[0].is_tls
        world.server.wait_log(rf"event=send\.done .*rcpt=a@{n}\.")
        assert "verified by DANE" in result_of(world, f"a@{n}.example")
    else:
        deferred(world, f"a@{n}.example", r"4\.7\.5")
        nothing_came(r)


def test_an_issuer_with_the_hosts_name(world, authority):
    ta_case(world, authority, "ta", True)


def test_an_issuer_that_the_chain_does_not_show(world, authority):
    """Only its digest is known, so there has to be a certificate to hash
    (section 3.1.2)."""
    ta_case(world, authority, "tashort", False, with_root=False)


def test_an_issuer_whose_key_is_in_the_record(world, authority):
    ta_case(world, authority, "tafull", True, authority.tlsa(2, 0, 0),
            with_root=False)


def test_an_issuer_and_another_name(world, authority):
    ta_case(world, authority, "taname", False, name="else.example")


def test_an_issuer_and_old_dates(world, authority):
    ta_case(world, authority, "taold", False, days=-1)


def test_tls_that_was_taken_out_of_the_answer(world, user):
    r = world.receiver("stripped")
    tlsa(world, r, pki.Cert("mx").tlsa())
    world.send(user, "a@stripped.example")
    deferred(world, "a@stripped.example",
             r"4\.7\.4.*does not offer TLS.*\(DANE\)")
    nothing_came(r)


def test_a_refused_starttls_under_dane(world, user):
    cert = pki.Cert("mx")
    r = world.receiver("refused", tls=cert.context(), rule=lambda r, s, st, a:
                       "454 4.7.0 not now" if st == "STARTTLS" else None)
    tlsa(world, r, cert.tlsa())
    world.send(user, "a@refused.example")
    deferred(world, "a@refused.example", "454.*not now")
    nothing_came(r)


def test_a_handshake_that_fails_under_dane(world, user):
    class Broken:
        def wrap_socket(self, sock, server_side):
            raise OSError("no")
    r = world.receiver("broken", tls=Broken())
    tlsa(world, r, pki.Cert("mx").tlsa())
    world.send(user, "a@broken.example")
    deferred(world, "a@broken.example", r"TLS with mx\d+\.example failed")
    nothing_came(r)


class Deaf:
    """Takes the STARTTLS, and says nothing more."""

    def __init__(self, receiver):
        self.receiver = receiver

    def wrap_socket(self, sock, server_side):
        self.receiver.stopping.wait(30)
        raise OSError("nobody came")


def test_a_handshake_that_never_ends(make_world):
    """Without a need for TLS, once more without it; else mail waits."""
    world = make_world(signed=True, timeout="2s")
    user = world.server.new_account()
    may, dane = world.receiver("deafmay"), world.receiver("deafdane")
    may.tls, dane.tls = Deaf(may), Deaf(dane)
    tlsa(world, dane, pki.Cert("mx").tlsa())
    world.send(user, "a@deafmay.example")
    world.send(user, "a@deafdane.example")
    assert not may.wait(1, 30)[0].is_tls
    deferred(world, "a@deafdane.example", r"TLS with mx\d+\.example failed", 30)
    nothing_came(dane)


def test_a_server_of_long_ago(world, user):
    """TLS 1.1 and no more: for who asks for nothing that is no TLS."""
    cert = pki.Cert("mx")
    ctx = cert.context()
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    may, dane = world.receiver("oldmay", tls=ctx), \
        world.receiver("olddane", tls=ctx)
    tlsa(world, dane, cert.tlsa())
    world.send(user, "a@oldmay.example")
    world.send(user, "a@olddane.example")
    assert not may.wait()[0].is_tls
    deferred(world, "a@olddane.example", r"TLS with mx\d+\.example failed")
    nothing_came(dane)


def test_tls_1_2_is_good_enough(world, user):
    cert = pki.Cert("mx")
    ctx = cert.context()
    ctx.maximum_version = ssl.TLSVersion.TLSv1_2
    r = world.receiver("tls12", tls=ctx)
    tlsa(world, r, cert.tlsa())
    world.send(user, "a@tls12.example")
    assert r.wait()[0].is_tls
    world.server.wait_log(r"event=send\.done .*rcpt=a@tls12\.")
    assert result_of(world, "a@tls12.example").startswith("TLSv1.2 ")


def test_records_that_smtp_cannot_use(world, user):
    """TLS, with whomever (section 2.2); never without."""
    r = world.receiver("unusable", tls=pki.Cert("mx").context())
    tlsa(world, r, pki.Cert("mx").tlsa(1, 1, 1), "3 1 9 00", "3 0 0 0102")
    world.send(user, "a@unusable.example")
    assert r.wait()[0].is_tls
    assert "untrusted" in result_of(world, "a@unusable.example")
    r = world.receiver("unusable2")
    tlsa(world, r, pki.Cert("mx").tlsa(1, 1, 1))
    world.send(user, "a@unusable2.example")
    deferred(world, "a@unusable2.example", "does not offer TLS")
    nothing_came(r)


def test_the_next_host_when_the_first_does_not_match(world, user):
    good, bad = pki.Cert("mx"), pki.Cert("mx")
    first = world.receiver(tls=bad.context())
    second = world.receiver(tls=good.context())
    world.add(f"pair MX 10 {first.name}.", f"pair MX 20 {second.name}.")
    tlsa(world, first, good.tlsa())
    tlsa(world, second, good.tlsa())
    world.send(user, "a@pair.example")
    assert second.wait()[0].is_tls
    nothing_came(first)


def test_a_host_that_is_an_alias(world, user):
    """The end of the alias first, then its beginning (section 2.2.2)."""
    cert, other = pki.Cert("mx"), pki.Cert("mx")
    end = world.receiver(tls=cert.context())
    world.add("byend MX 1 alias1", f"alias1 CNAME {end.name}.")
    tlsa(world, end, cert.tlsa())
    world.add(f"_{world.port}._tcp.alias1 TLSA {other.tlsa()}")
    world.send(user, "a@byend.example")
    assert end.wait()[0].is_tls
    plain = world.receiver(tls=cert.context())
    world.add("bystart MX 1 alias2", f"alias2 CNAME {plain.name}.",
              f"_{world.port}._tcp.alias2 TLSA {other.tlsa()}")
    world.send(user, "a@bystart.example")
    deferred(world, "a@bystart.example", r"4\.7\.5")
    nothing_came(plain)


def test_sni_and_what_is_said_after(world, user):
    """The name of the host is asked for; tickets and late records of TLS 1.3
    do not disturb."""
    cert = pki.Cert("mx")
    asked = []
    ctx = cert.context()
    ctx.num_tickets = 4
    ctx.sni_callback = lambda sock, name, c: asked.append(name)
    r = world.receiver("sni", tls=ctx)
    tlsa(world, r, cert.tlsa())
    for i in range(3):
        world.send(user, f"{i}@sni.example")
    r.wait(3)
    assert set(asked) == {r.name}


def test_without_dnssec_the_records_do_not_count(make_world):
    w = make_world()
    cert = pki.Cert("mx")
    r = w.receiver("insecure", tls=cert.context())
    tlsa(w, r, pki.Cert("mx").tlsa())
    w.send(w.server.new_account(), "a@insecure.example")
    assert r.wait()[0].is_tls
    assert "untrusted" in result_of(w, "a@insecure.example")


@pytest.mark.parametrize("served", [True, False])
def test_records_that_cannot_be_asked_for(make_world, served):
    """Forged, or no answer: the host is not used, and nothing goes plainly."""
    child = "_tcp.mx1.example."
    w = make_world(signed=True, children=[child] if served else [])
    r = w.receiver("dark", tls=pki.Cert("mx").context())
    w.add("_tcp.mx1 NS ns", "_tcp.mx1 DS 4711 13 2 " + "ab" * 32)
    w.send(w.server.new_account(), "a@dark.example")
    deferred(w, "a@dark.example", r"4\.7\.5.*TLSA records could not", 40)
    nothing_came(r)


# --- rules -------------------------------------------------------------------

def rule(world, pattern, word):
    world.server.cli("tls-rule", "add", pattern, word)


def test_rules_are_kept_and_shown(world):
    rule(world, "Kept.Example", "must")
    rule(world, ".b\u00fccher.example", "verify")
    rule(world, "mx:MX.kept.example.", "never")
    listed = {r["pattern"]: r for r in json.loads(
        world.server.cli("tls-rule", "list", "--json"))["rules"]}
    assert listed["kept.example"]["rule"] == "must"
    assert listed[".xn--bcher-kva.example"]["rule"] == "verify"
    assert listed["mx:mx.kept.example"]["made"]
    world.server.cli("tls-rule", "remove", "kept.example")
    again = world.server.cli("tls-rule", "remove", "kept.example",
                             check=False)
    assert again.returncode == 1 and "tls-rule list" in again.stderr
    lines = json.loads(world.server.cli(
        "audit", "list", "--object", "kept.example", "--json"))["lines"]
    assert [(x["what"], x["detail"]) for x in lines] == [
        ("tls-rule.put", "must"), ("tls-rule.remove", "")]
    for bad in (["*", "must"], ["a..example", "must"], ["a.example", "MUST"],
                ["from:a.example", "may"], ["a.example"]):
        assert world.server.cli("tls-rule", "add", *bad,
                                check=False).returncode == 2


def test_a_rule_wants_tls(world, user):
    r = world.receiver("plainly")
    rule(world, "plainly.example", "must")
    world.send(user, "a@plainly.example")
    deferred(world, "a@plainly.example",
             r"does not offer TLS, which mailstead tls-rule requires")
    nothing_came(r)
    r.tls = pki.Cert("mx").context()
    assert r.wait()[0].is_tls


def test_a_relay_with_a_good_certificate(make_world, authority):
    """tls=verify of a route; its name is the one that the route has."""
    w = make_world(authorities=authority.pem)
    user = w.server.new_account()
    good, bad = w.receiver("good"), w.receiver("bad")
    good.tls = authority.issue(good.name).context()
    bad.tls = authority.issue("else.example").context()
    for r, domain in ((good, "to.example"), (bad, "lost.example")):
        w.server.cli("route", "add", domain, f"{r.name}:{w.port}",
                     "tls=verify")
    w.send(user, "a@to.example")
    assert good.wait()[0].is_tls
    w.send(user, "a@lost.example")
    deferred(w, "a@lost.example", "is not what the route requires")
    assert "tls-rule" not in w.server.cli("trace", "a@lost.example")
    nothing_came(bad)
    done = w.server.cli("route", "add", "*", "direct", "tls=verify",
                        check=False)
    assert done.returncode == 2 and "is for relays" in done.stderr


def test_a_rule_wants_a_good_certificate(make_world, authority):
    w = make_world(authorities=authority.pem)
    user = w.server.new_account()
    w.server.cli("tls-rule", "add", ".example", "verify")
    good = w.receiver("good")
    good.tls = authority.issue(good.name).context()
    for n, cert in {
            "name": authority.issue("else.example"),
            "self": pki.Cert("mx3.example"),
            "old": authority.issue("mx4.example", days=-1)}.items():
        r = w.receiver(n, tls=cert.context())
        w.send(user, f"a@{n}.example")
        deferred(w, f"a@{n}.example", "certificate of mx")
        nothing_came(r)
    w.send(user, "a@good.example")
    assert good.wait()[0].is_tls
    assert "trusted" in result_of(w, "a@good.example")


def test_a_rule_wants_dane(world, user):
    r = world.receiver("nodane", tls=pki.Cert("mx").context())
    rule(world, "nodane.example", "dane")
    world.send(user, "a@nodane.example")
    deferred(world, "a@nodane.example", "no TLSA records that can be used")
    nothing_came(r)


def test_rules_let_mail_go(world, user):
    """The way out of DANE that fails: by domain, by host."""
    r = world.receiver("let1", "let2", tls=pki.Cert("mx").context())
    tlsa(world, r, pki.Cert("mx").tlsa())
    world.send(user, "a@let1.example")
    deferred(world, "a@let1.example", r"4\.7\.5")
    nothing_came(r)
    rule(world, f"mx:{r.name}", "may")
    assert r.wait()[0].is_tls
    rule(world, "let2.example", "never")
    world.send(user, "a@let2.example")
    assert not r.wait(2)[1].is_tls


def test_what_would_happen_is_told(world):
    cert = pki.Cert("mx")
    r = world.receiver("told", tls=cert.context())
    tlsa(world, r, cert.tlsa(), cert.tlsa(3, 0, 1))
    host = json.loads(world.server.cli("tls-rule", "test", "told.example",
                                       "--json"))["hosts"][0]
    assert host == {"host": r.name, "preference": 10, "secure": True,
                    "tlsa": "usable", "records": 2, "sts": "none",
                    "rule": "auto",
                    "tls": "dane, by DANE"}
    world.receiver("untold")
    rule(world, "untold.example", "dane")
    host = json.loads(world.server.cli("tls-rule", "test", "untold.example",
                                       "--json"))["hosts"][0]
    assert host["tlsa"] == "absent" and "not used" in host["tls"]
    gone = world.server.cli("tls-rule", "test", "gone.example", check=False)
    assert gone.returncode == 1 and "no such domain" in gone.stderr
    assert r.sessions == 0


def test_rules_are_there_before_the_first_mail(world, user):
    """A killed process does not forget them."""
    r = world.receiver("early")
    rule(world, "early.example", "must")
    world.server.kill("send")
    world.send(user, "a@early.example")
    deferred(world, "a@early.example", "does not offer TLS")
    nothing_came(r)

# SPDX-License-Identifier: ISC
"""MTA-STS (RFC 8461): policies over HTTPS from hosts that serve them well,
badly, or not at all; and what mail does then."""
import json
import threading
import time

import pytest

from lib import dns, pki, policyhost
from lib.instance import free_ports, wait_for
from test_send import World
from test_tls_out import deferred, nothing_came, result_of, rule, tlsa

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")


class StsWorld(World):
    def __init__(self, signed=False, **send):
        self.authority = pki.Cert("an authority", is_ca=True)
        port = free_ports(1)[0]
        self.web = policyhost.PolicyHost(self.authority, port)
        super().__init__(signed=signed, authorities=self.authority.pem,
                         https_port=port, **send)

    def good(self, *domains, **how):
        """A receiver whose certificate is as it should be."""
        r = self.receiver(*domains, **how)
        r.tls = self.authority.issue(r.name).context()
        return r

    def sts(self, name, mode=None, *mx, id="1", age=86400):
        # Made before it is asked for: a key takes its time.
        self.web.context(f"mta-sts.{name}.example")
        if mode:
            self.web.policy(f"{name}.example", mode, *mx, age=age)
        self.records = [r for r in self.records
                        if not r.startswith((f"_mta-sts.{name} ",
                                             f"mta-sts.{name} "))]
        self.add(f"mta-sts.{name} A 127.0.0.1",
                 f'_mta-sts.{name} TXT "v=STSv1; id={id};"')

    def close(self):
        super().close()
        self.web.stop()


@pytest.fixture(scope="module")
def world():
    w = StsWorld()
    yield w
    w.close()


@pytest.fixture
def make_world():
    made = []

    def make(**how):
        made.append(StsWorld(**how))
        return made[-1]
    yield make
    for w in made:
        w.close()


@pytest.fixture
def user(world):
    return world.server.new_account()


def test_a_policy_is_kept_to(world, user):
    r = world.good("kept")
    world.sts("kept", "enforce", "*.example")
    world.send(user, "a@kept.example")
    assert r.wait()[0].is_tls
    world.server.wait_log(r"event=send\.done .*rcpt=a@kept\.")
    assert "verified by MTA-STS" in result_of(world, "a@kept.example")
    assert world.web.asked[-1] == ("mta-sts.kept.example",
                                   "/.well-known/mta-sts.txt")
    host = json.loads(world.server.cli("tls-rule", "test", "kept.example",
                                       "--json"))["hosts"][0]
    assert host["sts"] == "enforce" and host["tls"] == "verify, by MTA-STS"


@pytest.mark.parametrize("fault", ["self", "name", "old", "none"])
def test_a_host_that_does_not_keep_to_it(world, user, fault):
    n = f"not{fault}"
    r = world.receiver(n)
    r.tls = {"self": lambda: pki.Cert(r.name),
             "name": lambda: world.authority.issue("else.example"),
             "old": lambda: world.authority.issue(r.name, days=-1),
             "none": lambda: None}[fault]()
    r.tls = r.tls and r.tls.context()
    world.sts(n, "enforce", r.name)
    world.send(user, f"a@{n}.example")
    deferred(world, f"a@{n}.example",
             r"MTA-STS policy.*mailstead tls-rule add")
    nothing_came(r)


def test_a_host_that_it_does_not_name(world, user):
    """The next one, which it names, is used."""
    first, second = world.good(), world.good()
    world.add(f"named MX 1 {first.name}.", f"named MX 2 {second.name}.")
    world.sts("named", "enforce", second.name)
    world.send(user, "a@named.example")
    assert second.wait()[0].is_tls
    nothing_came(first)
    lone = world.good("unnamed")
    world.sts("unnamed", "enforce", "mx.else.example")
    world.send(user, "a@unnamed.example")
    deferred(world, "a@unnamed.example", "does not name this host")
    nothing_came(lone)


def test_testing_tells_and_delivers(world, user):
    r = world.receiver("trial", tls=pki.Cert("x.example").context())
    world.sts("trial", "testing", "mx.else.example")
    world.send(user, "a@trial.example")
    assert r.wait()[0].is_tls
    world.server.wait_log(rf"event=send\.mta-sts\.misfit .*mx={r.name}")


def test_mode_none_asks_for_nothing(world, user):
    r = world.receiver("nothing")
    world.sts("nothing", "none")
    world.send(user, "a@nothing.example")
    assert not r.wait()[0].is_tls


def redirect(handler):
    policyhost.PolicyHost.reply(
        handler, "", status=301, fields=[
            ("Location", "https://mta-sts.kept.example/.well-known/"
             "mta-sts.txt")])


GOOD = "version: STSv1\r\nmode: enforce\r\nmx: else.example\r\n" \
    "max_age: 86400\r\n"


@pytest.mark.parametrize("what, page", [
    ("missing", None), ("redirect", redirect),
    ("html", lambda h: policyhost.PolicyHost.reply(h, GOOD, "text/html")),
    ("notype", lambda h: policyhost.PolicyHost.reply(h, GOOD, None)),
    ("huge", GOOD + "x: " + "y" * 70000 + "\r\n"),
    ("noversion", GOOD.replace("version", "versio")),
    ("error", lambda h: policyhost.PolicyHost.reply(h, GOOD, status=500))])
def test_what_is_no_policy_asks_for_nothing(world, user, what, page):
    n = f"bad{what}"
    r = world.receiver(n)
    if page:
        world.web.pages[f"mta-sts.{n}.example"] = page
    world.sts(n)
    world.send(user, f"a@{n}.example")
    assert not r.wait()[0].is_tls
    assert world.web.count(f"{n}.example") == 1
    world.server.wait_log(rf"event=send\.mta-sts\.fail domain={n}\.")


def test_a_policy_from_someone_else(world, user):
    """A certificate that is not good: no policy."""
    r = world.receiver("forged")
    world.web.bad["mta-sts.forged.example"] = pki.Cert(
        "mta-sts.forged.example")
    world.sts("forged", "enforce", "else.example")
    world.send(user, "a@forged.example")
    r.wait()
    assert world.web.count("forged.example") == 0
    world.server.wait_log(r"event=send\.mta-sts\.fail domain=forged\.")


def test_slow_hosts_keep_nobody_waiting(world, user):
    """All of the names of one organisation are silent; others do not wait."""
    ends = threading.Event()
    names = [f"n{i}.slow" for i in range(40)]
    r = world.receiver(*names)
    quick = world.good("quick")
    for n in names:
        world.web.pages[f"mta-sts.{n}.example"] = lambda h: ends.wait(60)
    world.add(*(f"mta-sts.{n} A 127.0.0.1" for n in names),
              *(f'_mta-sts.{n} TXT "v=STSv1; id=1;"' for n in names))
    world.sts("quick", "enforce", "*.example")
    began = time.monotonic()
    try:
        world.send(user, [f"a@{n}.example" for n in names])

        def asked():
            return sum(world.web.count(f"{n}.example") for n in names)
        wait_for(lambda: asked() >= 4, 10, "not four of them")
        world.send(user, "a@quick.example")
        assert quick.wait()[0].is_tls
        # Four at a time, and each for ten seconds.
        assert asked() <= 4 * (2 + (time.monotonic() - began) // 10)
        # Who says nothing for ten seconds loses the place.
        world.server.wait_log(r"event=send\.mta-sts\.fail domain=n\d+\.slow\.",
                              timeout=60)
        assert r.wait(timeout=60)
    finally:
        ends.set()


def test_a_changed_policy_counts(world, user):
    r = world.receiver("changed")
    world.sts("changed", "enforce", "else.example")
    world.send(user, "a@changed.example")
    deferred(world, "a@changed.example", "does not name")
    nothing_came(r)
    world.sts("changed", "none", id="2")
    assert not r.wait(1, 40)[0].is_tls
    assert world.web.count("changed.example") == 2


def test_it_holds_when_its_host_is_gone(make_world):
    """And when its record is, and over the death of who fetched it."""
    w = make_world()
    user = w.server.new_account()
    r = w.good("holds", "holds2")
    w.sts("holds", "enforce", r.name)
    w.send(user, "a@holds.example")
    assert r.wait()[0].is_tls
    w.web.stop()
    r.tls = None
    w.records = [x for x in w.records if "mta-sts" not in x]
    w.add()
    w.server.kill("send")
    w.server.kill("store")
    w.send(user, "b@holds.example")
    deferred(w, "b@holds.example", "does not offer TLS, which the domain's "
             "MTA-STS")
    assert len(r.messages) == 1
    # Without a kept one, a host that is down is no policy.
    w.sts("holds2")
    w.send(user, "a@holds2.example")
    assert not r.wait(2)[1].is_tls


def test_its_age_ends(make_world):
    w = make_world(idle="1s")
    user = w.server.new_account()
    r = w.good("aged")
    w.sts("aged", "enforce", r.name, age=4)
    w.send(user, "a@aged.example")
    assert r.wait()[0].is_tls
    w.web.stop()
    r.tls = None
    wait_for(lambda: "QUIT" in r.commands, 15, "the connection stays")
    w.send(user, "b@aged.example")
    assert not r.wait(2, 40)[1].is_tls


def test_it_is_fetched_anew_before_its_age_ends(world, user):
    r = world.good("fresh")
    world.sts("fresh", "enforce", r.name, age=20)
    for i in range(100):
        world.send(user, f"{i}@fresh.example")
        r.wait(i + 1)
        if world.web.count("fresh.example") > 1:
            break
        r.stopping.wait(0.5)
    assert world.web.count("fresh.example") >= 2
    assert all(m.is_tls for m in r.messages)


def test_dane_goes_before_it(make_world):
    w = make_world(signed=True)
    user = w.server.new_account()
    cert = pki.Cert("mx")
    r = w.receiver("both", tls=cert.context())
    tlsa(w, r, cert.tlsa())
    w.sts("both", "enforce", "else.example")
    w.send(user, "a@both.example")
    assert r.wait()[0].is_tls
    w.server.wait_log(r"event=send\.done .*rcpt=a@both")
    assert "verified by DANE" in result_of(w, "a@both.example")
    r = w.good("wrongkey")
    tlsa(w, r, pki.Cert("mx").tlsa())
    w.sts("wrongkey", "enforce", r.name)
    w.send(user, "a@wrongkey.example")
    deferred(w, "a@wrongkey.example", r"\(DANE\)")
    nothing_came(r)


def test_a_rule_goes_before_it(world, user):
    r = world.receiver("overruled")
    world.sts("overruled", "enforce", "else.example")
    rule(world, "overruled.example", "may")
    world.send(user, "a@overruled.example")
    r.wait()

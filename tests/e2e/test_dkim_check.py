# SPDX-License-Identifier: ISC
"""No DKIM key signs before DNS has its record: looked up in a real name server
that has it, does not, has another one, or says nothing."""
import base64
import json

import pytest

from lib import dns
from lib.instance import DOMAIN, PATIENCE_S, wait_for

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

OK, REFUSED, TEMPFAIL = 0, 1, 75
# A record of another key.
OTHER = "v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def name_server():
    ns = dns.NameServer([], zone=f"{DOMAIN}.").start()
    yield ns
    ns.stop()


@pytest.fixture
def server(make_server, name_server):
    return make_server({"dns": {"servers": [name_server.address],
                                "dnssec": "no"},
                        "dkim": {"check": "yes", "wait": "1s"}})


def keys_of(server):
    return {k["selector"]: k for k in json.loads(server.cli(
        "dkim", "list", DOMAIN, "--json"))["keys"]}


def states(server):
    """{selector: (state, what DNS has)}"""
    return {s: (k["state"], k["dns"]) for s, k in keys_of(server).items()}


def become(server, want, what="the keys are not as they should be"):
    wait_for(lambda: states(server) == want, PATIENCE_S, what)


def zone(server):
    """The records of keys, by selector."""
    lines = server.cli("dns", DOMAIN, "--zone").splitlines()
    return {line.split("._domainkey")[0]: line for line in lines
            if "._domainkey" in line}


def unpublished(server):
    return json.loads(server.cli("status", "--json"))["dkim_unpublished"]


def published(server, name_server):
    """Both first keys of the domain sign; their selectors."""
    name_server.change(list(zone(server).values()))
    first = list(keys_of(server))
    become(server, {s: ("active", "published") for s in first})
    return first


def test_keys_sign_when_they_are_published(server, name_server):
    rsa, ed25519 = sorted(keys_of(server), reverse=True)
    become(server, {s: ("pending", "missing") for s in (rsa, ed25519)})
    wait_for(lambda: unpublished(server) == 1, PATIENCE_S, "nobody tells")
    server.wait_log(r"store\.dkim\.unpublished.* domains=1")
    said = server.cli("dkim", "list", DOMAIN)
    assert said.count("does not sign: not in DNS yet; publish what "
                      "'mailstead dns' prints") == 2
    assert "DNS does not have DKIM keys of 1 domain as" in \
        server.cli("status")
    # One of them; the other one's name has another key.
    name_server.change([zone(server)[rsa],
                        f'{ed25519}._domainkey TXT "{OTHER}"'])
    become(server, {rsa: ("active", "published"),
                    ed25519: ("pending", "different")})
    assert "DNS has another record" in server.cli("dkim", "list", DOMAIN)
    published(server, name_server)
    for s in (rsa, ed25519):
        server.wait_log(fr"store\.dkim\.seen .*selector={s} ")
        server.wait_log(fr"store\.dkim\.signs .*selector={s} ")
    wait_for(lambda: unpublished(server) == 0, PATIENCE_S, "it is told on")

    # A rotation: what signed goes on until the new ones were seen.
    new = json.loads(server.cli("dkim", "rotate", DOMAIN, "--json"))["added"]
    old = {s: ("active", "published") for s in (rsa, ed25519)}
    become(server, {**old, **{s: ("pending", "missing") for s in new}})
    kept = {s: zone(server)[s] for s in new[:1]}
    name_server.change([zone(server)[s] for s in (rsa, ed25519)] +
                       list(kept.values()))
    wait_for(lambda: states(server)[new[0]] == ("active", "published"),
             PATIENCE_S, "the new key does not sign")
    now = states(server)
    assert now[new[1]] == ("pending", "missing")
    assert [now[s][0] for s in (rsa, ed25519)].count("active") == 1
    name_server.change(list(zone(server).values()))
    wait_for(lambda: all(states(server)[s][0] == "active" for s in new),
             PATIENCE_S, "they do not sign")
    assert all(states(server)[s] == ("retired", None)
               for s in (rsa, ed25519) if s in states(server))
    assert server.cli("check")


def test_a_key_that_signs_and_is_gone_is_told(server, name_server):
    first = published(server, name_server)
    name_server.change([zone(server)[first[0]]])

    def look_again():
        """It is looked at once a day, and when the setting comes back; what
        DNS said before may still count then."""
        for check in ("no", "yes"):
            server.configure({"dkim": {"check": check}})
            server.cli("reload")
            wait_for(lambda: all((k["dns"] == "unknown") == (check == "no")
                                 for k in keys_of(server).values()),
                     PATIENCE_S, "the setting does not count")
        return states(server)[first[1]] == ("active", "missing")
    wait_for(look_again, PATIENCE_S, "it is not missed")
    assert states(server)[first[0]] == ("active", "published")
    server.wait_log(fr"store\.dkim\.lost .*selector={first[1]} "
                    r"found=missing")
    wait_for(lambda: unpublished(server) == 1, PATIENCE_S, "nobody tells")
    assert "signs in vain: not in DNS" in server.cli("dkim", "list", DOMAIN)


def test_what_a_silent_name_server_does_not_say(server, name_server):
    become(server, {s: ("pending", "missing") for s in keys_of(server)})
    old = set(keys_of(server))
    name_server.end()
    added = json.loads(server.cli("dkim", "add", DOMAIN, "--algorithm",
                                  "rsa", "--json"))["added"]
    new, = added
    done = server.cli("dkim", "activate", DOMAIN, new, check=False)
    assert done.returncode == TEMPFAIL
    assert "could not be looked up" in done.stderr
    now = states(server)
    assert now[new] == ("published", "unknown")
    assert all(now[s] == ("pending", "missing") for s in old)


def test_a_key_is_not_activated_unseen(server, name_server):
    first = published(server, name_server)
    new, = json.loads(server.cli("dkim", "add", DOMAIN, "--algorithm",
                                 "rsa", "--json"))["added"]
    done = server.cli("dkim", "activate", DOMAIN, new, check=False)
    assert done.returncode == REFUSED
    assert f"DNS does not have the record of key {new}" in done.stderr
    assert states(server)[new][0] == "published"
    none = server.cli("dkim", "activate", DOMAIN, "nosuch", check=False)
    assert none.returncode == REFUSED and "exist" in none.stderr
    server.cli("dkim", "activate", DOMAIN, new, "--force")
    assert states(server)[new][0] == "active"
    name_server.change(list(zone(server).values()))
    old = [s for s in first if states(server)[s][0] == "retired"][0]
    server.cli("dkim", "activate", DOMAIN, old)
    assert states(server)[old][0] == "active"


def test_without_the_setting_nothing_is_waited_for(make_server,
                                                   name_server):
    server = make_server({"dns": {"servers": [name_server.address],
                                  "dnssec": "no"},
                          "dkim": {"check": "no", "wait": "1s"}})
    assert set(states(server).values()) == {("active", "unknown")}
    new = json.loads(server.cli("dkim", "rotate", DOMAIN, "--json"))["added"]
    wait_for(lambda: all(states(server)[s] == ("active", "unknown")
                         for s in new), PATIENCE_S, "they do not sign")
    assert unpublished(server) == 0

# SPDX-License-Identifier: ISC
"""Vantage points elsewhere: a master, agents on loopback in networks of their
own by name, and one agent written by hand that lies."""
import contextlib
import datetime
import json
import re
import signal
import socket
import threading
import time
import urllib.request

import pytest

from lib import dns, pki
from lib.instance import Instance, free_ports, wait_for
from lib.port import Port
from lib.vantage import (ENROL, FAILED, OK, SYNC, Agent, HandMade, enrolled,
                         result, token, vstr)
from nacl.signing import SigningKey

pytestmark = pytest.mark.skipif(not dns.is_there(), reason="no knot")


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def states(server):
    return {c["check"]: c for c in js(server, "watch", "status")["checks"]}


def places(server, check):
    rows = js(server, "watch", "status", check, "--places")["places"]
    return {r["agent"]: r for r in rows}


def agents(server):
    return {a["agent"]: a for a in js(server, "watch", "agent",
                                      "list")["agents"]}


def add(server, name, kind, target, *options, password=None):
    words = ["--password-stdin"] if password else []
    server.cli("check", "add", f"box/{name}", kind, target, "every=2s",
               *options, *words, input=password + "\n" if password else None)


def known_s(server, check, days=1):
    """Seconds of the last day that history knows, and those up of them."""
    row = js(server, "watch", "status", check, "--days", days)["checks"][0]
    known = (row["coverage_ppm"] or 0) * 86400e-6
    return known, known * (row["uptime_ppm"] or 0) / 1e6


class World:
    """A master; ndola, which sees what it sees; and kitwe, whose name server
    says that the target is where nobody listens."""

    def __init__(self):
        self.target = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.taken = 0  # connections
        threading.Thread(target=self.take, daemon=True).start()
        self.port = self.target.getsockname()[1]
        self.names = [dns.NameServer(["target A 127.0.0.1"]).start(),
                      dns.NameServer(["target A 127.0.0.9"]).start()]
        self.server = Instance({"dns": {"servers": self.names[0].address,
                                        "dnssec": "no"}})
        self.server.start()
        self.server.cli("system", "add", "Box", "mail")
        self.closed, = free_ports(1)
        add(self.server, "fine", "tcp", f"127.0.0.1:{self.port}", "at=all")
        add(self.server, "split", "tcp", f"target.example:{self.port}")
        add(self.server, "dead", "tcp", f"127.0.0.1:{self.closed}", "at=all")
        add(self.server, "inner", "tcp", f"127.0.0.1:{self.port}")
        add(self.server, "login", "imap",
            f"target.example:{self.server.ports['imap']}", "login=a@b",
            "verify=no", password="very secret 1")
        self.agents = []
        for i, (name, network) in enumerate((("ndola", "AS64500"),
                                             ("kitwe", "AS64501"))):
            agent = Agent(self.server, name, network, "--dns",
                          self.names[i].address)
            agent.configure("dns {\n", "dns {\n\tdnssec = \"no\"\n")
            self.agents.append(agent.start())
        add(self.server, "kitwe", "tcp", f"127.0.0.1:{self.port}", "at=kitwe")

        self.server.cli("alert", "add", "ops", "mail=ops@target.example")

    def take(self):
        with contextlib.suppress(OSError):
            while True:
                self.target.accept()[0].close()
                self.taken += 1

    def end(self):
        for agent in self.agents:
            agent.stop()
        self.server.stop()
        self.server.remove()
        for name in self.names:
            name.stop()
        self.target.close()


@pytest.fixture(scope="module")
def world():
    w = World()
    try:
        yield w
    finally:
        w.end()


@pytest.fixture
def hand(world):
    """An agent by hand, which is enrolled; removed again."""
    yield enrolled(world.server, "hand", "AS64502")
    world.server.cli("watch", "agent", "remove", "hand", check=False)


def first_page(server):
    with urllib.request.urlopen(
            f"http://127.0.0.1:{server.ports['http']}/", timeout=60) as r:
        return r.read().decode()


# --- what is seen from where ------------------------------------------------------


def test_a_minority_makes_degraded_a_majority_down(world):
    server = world.server

    def is_settled():
        s = states(server)
        return s["box/split"]["status"] == "degraded" and \
            s["box/dead"]["status"] == "down" and \
            s["box/fine"]["status"] == "up" and \
            s["box/kitwe"]["status"] == "up" and \
            s["box/fine"]["places"] == 3 and \
            all(s[c]["places_heard"] == 3 for c in ("box/fine", "box/dead"))

    def all_see_it():
        rows = [p["verdict"] for p in places(server, "box/dead").values()]
        return rows == ["down"] * 3

    def is_split():
        now = places(server, "box/split")
        return {k: p["verdict"] for k, p in now.items()} == {
            "here": "up", "ndola": "up", "kitwe": "down"} and now
    wait_for(is_settled, 120, "states")
    # Two who agree are enough; the third comes a moment later.
    wait_for(all_see_it, 60, "all see that it is down")
    # Whether ndola had been heard by then is luck.
    assert re.search("fails from 1 of [23] places", server.log())
    split = wait_for(is_split, what="what each sees")
    assert split["kitwe"]["network"] == "AS64501"
    assert "refused" in split["kitwe"]["found"]
    # Everybody is told from how many places, and how old the oldest is.
    at = '<time datetime="([^"]+)"[^>]*>[^<]*</time>'
    last, oldest = wait_for(lambda: re.findall(
        f"Last result {at}, from 3 places; the oldest of them {at}",
        first_page(server)))[0]
    assert oldest <= last


def test_checks_go_where_they_should(world):
    server = world.server
    assert set(places(server, "box/inner")) == {"here"}
    assert set(places(server, "box/login")) == {"here"}
    assert set(places(server, "box/kitwe")) == {"kitwe"}
    assert states(server)["box/kitwe"]["places"] == 1
    for agent in world.agents:
        kept = (agent.dir / "checks").read_bytes()
        assert b"box/fine" in kept and b"box/inner" not in kept
        assert b"secret" not in kept and b"box/login" not in kept
    assert b"box/kitwe" not in (world.agents[0].dir / "checks").read_bytes()
    listed = agents(server)
    assert listed["ndola"]["state"] == "heard"
    assert (listed["ndola"]["checks"], listed["kitwe"]["checks"]) == (3, 4)
    # Less what the request was under way, which may be some seconds.
    assert abs(listed["ndola"]["clock_ahead_ms"]) < 300_000


def test_an_agent_has_a_sandbox_and_a_folder_to_itself(world):
    agent = world.agents[0]
    assert "event=agent.start" in agent.log()
    status = open(f"/proc/{agent.process.pid}/status").read()
    assert "Uid:\t0" not in status and "NoNewPrivs:\t1" in status
    assert (agent.dir.stat().st_mode & 0o777) == 0o700
    assert ((agent.dir / "key.pem").stat().st_mode & 0o777) == 0o600


def test_an_agent_goes_on_where_it_was(world):
    """Killed, and started while its master is there."""
    agent = world.agents[1]
    agent.stop(signal.SIGKILL)
    agent.start()
    before = agents(world.server)["kitwe"]["seen"]
    wait_for(lambda: agents(world.server)["kitwe"]["seen"] > before,
             what="it is heard again")
    assert agents(world.server)["kitwe"]["lost"] == 0


# --- the master is away -------------------------------------------------------------


def test_a_gap_of_the_master_is_filled(world):
    server = world.server
    logs = {agent: len(agent.log()) for agent in world.agents}
    server.kill_all()
    said, taken = len(server.log()), world.taken
    # Nobody else probes meanwhile. Those under way are not results yet.
    wait_for(lambda: world.taken >= taken + 12, 120, "they go on")
    for agent in world.agents:
        wait_for(lambda: "state=away" in agent.log()[logs[agent]:], 120,
                 "it notices")
    server.start()

    def filled():
        return sum(map(int, re.findall(r"watch\.filled.*results=(\d+)",
                                       server.log()[said:])))
    wait_for(lambda: filled() >= 8, 120, "the gap stays")
    wait_for(lambda: all(a["waiting"] == 0 and a["state"] == "heard"
                         for k, a in agents(server).items() if k != "hand"),
             what="nothing waits")
    # A request that brings nothing waits at the master for some seconds.
    wait_for(lambda: all("state=back" in a.log()[n:]
                         for a, n in logs.items()), what="agents see it, too")


def test_what_is_past_goes_into_history_and_alarms_nobody(world, hand):
    server = world.server
    add(server, "past", "tcp", f"127.0.0.1:{world.port}", "at=hand")
    wait_for(lambda: hand.sync() == 200 and "box/past" in hand.keys, 10,
             "it is given")
    # From an hour ago on: ten minutes well, ten down, ten well; each 30 s.
    ages = [3600 - 30 * i for i in range(61)]
    rows = [result("box/past", a, FAILED if 20 <= i < 40 else OK,
                   2 if 20 <= i < 40 else 0, said="refused")
            for i, a in enumerate(ages)]
    # Of a check that is another's, and of one that is none.
    rows += [result("box/inner", 100, FAILED, 2), result("no/such", 1)]
    assert hand.sync(rows) == 200
    wait_for(lambda: known_s(server, "box/past")[0] > 1700, 10, "history")
    known, up = known_s(server, "box/past")
    assert known == pytest.approx(1800, abs=40)
    assert up == pytest.approx(1200, abs=40)
    row = states(server)["box/past"]
    assert row["status"] == "unknown" and row["checked"] is None
    assert not [x for x in server.log().splitlines()
                if "check=box/past" in x and "watch.changed" in x]
    # The same once more: nothing is counted twice, but for minutes that were
    # known in part.
    count = server.log().count("watch.filled")
    assert hand.sync(rows) == 200
    wait_for(lambda: server.log().count("watch.filled") > count, 10, "again")
    assert known_s(server, "box/past")[0] == pytest.approx(known, abs=125)
    server.cli("check", "remove", "box/past")


# --- who may speak ------------------------------------------------------------------


def test_a_token_is_good_once(world):
    server = world.server
    secret = token(server, "once", "AS1")
    first, second = HandMade(server, "once"), HandMade(server, "once")
    assert first.enrol("once." + "0" * 40)[0] == 403
    wait_for(lambda: first.enrol(secret, key=SigningKey.generate())[0] == 401,
             what="the watcher has not heard of it")
    assert first.enrol(secret) == (200, b"once")
    assert second.enrol(secret)[0] == 403
    assert server.cli("watch", "agent", "add", "Once", "network=x",
                      check=False).returncode == 1
    # The program says so, and leaves no agent behind.
    done = world.agents[0].enrol(secret, state=server.dir / "twice")
    assert done.returncode == 1 and "was used" in done.stderr
    assert not (server.dir / "twice" / "enrolled").exists()
    assert secret not in server.log()
    server.cli("watch", "agent", "remove", "once")


def test_a_master_with_another_certificate_is_none(world):
    other = pki.Cert("other", is_ca=True)
    secret = token(world.server, "pinned", "AS1")
    done = world.agents[0].enrol(secret, state=world.server.dir / "pinned",
                                 ca=other.pem)
    assert done.returncode == 1 and "certificate" in done.stderr
    done = world.server.cli("watch", "agent", "add", "pinned", "network=AS1",
                            check=False)
    assert done.returncode == 1 and "it exists already" in done.stderr
    world.server.cli("watch", "agent", "remove", "pinned")
    assert "pinned" not in agents(world.server)


def test_replayed_tampered_and_foreign_requests_are_refused(world, hand):
    body = hand.sync_body([result("box/fine", 1)])
    assert hand.post(SYNC, body)[0] == 200
    status, said = hand.post(SYNC, body)
    assert status == 409, "the same request twice"
    hand.take(said)
    # A bit of what it says, of its number, of its signature.
    body = hand.sync_body([result("box/fine", 1)])
    for at in (30, len(body) // 2, len(body) - 1):
        bad = bytearray(body)
        bad[at] ^= 1
        assert hand.post(SYNC, bytes(bad))[0] in (400, 401), at
    assert hand.post(SYNC, body[:-1])[0] == 400
    assert hand.post(SYNC, body)[0] == 200, "the true one is still good"
    # Another's name, another's path, an epoch that was.
    assert hand.post(SYNC, hand.sync_body(name="kitwe"))[0] == 401
    assert hand.post(SYNC, hand.sync_body(key=SigningKey.generate()))[0] == 401
    assert hand.post(ENROL, hand.sync_body())[0] == 400
    epoch, hand.epoch = hand.epoch, 7
    assert hand.post(SYNC, hand.sync_body())[0] == 409
    hand.epoch = epoch
    # More results than one request has, an outcome that is none, garbage.
    many = hand.sync_body([result("box/fine", 1)] * 2001)
    assert hand.post(SYNC, many)[0] == 400
    assert hand.post(SYNC, hand.sync_body([result("box/fine", 1, 9)]))[0] == 400
    assert hand.post(SYNC, b"\1" * 1000)[0] == 400
    with contextlib.suppress(OSError):  # it may hang up before it has all
        assert hand.post(SYNC, b"x" * 300000)[0] == 413
    assert hand.post(SYNC, hand.sync_body(), "http")[0] == 403
    assert hand.sync() == 200


def test_an_agent_that_asks_too_often_has_to_wait(world, hand):
    # In one write: it may have five a second for long.
    got = wait_for(lambda: (got := hand.post_all(
        SYNC, [hand.sync_body() for _ in range(60)])) and 429 in got and got,
        what="it never has to")
    assert got[0] == 200 and set(got) == {200, 429}
    wait_for(lambda: hand.sync() == 200, what="it may again")


def test_more_results_than_anybody_can_have_are_not_counted(world, hand):
    """Else each change would be a line of the log, and a new page."""
    server = world.server
    add(server, "mad", "tcp", f"127.0.0.1:{world.port}", "at=hand")
    wait_for(lambda: hand.sync() == 200 and "box/mad" in hand.keys, 10, "given")
    fine = [result("box/mad", 0, took_ms=0)]
    wait_for(lambda: hand.sync(fine) == 200 and
             states(server)["box/mad"]["status"] == "up", 5, "it counts")
    mad = ([result("box/mad", 0, FAILED, 2, took_ms=0)] * 3 +
           [result("box/mad", 0, took_ms=0)] * 2) * 400
    for _ in range(3):
        assert wait_for(lambda: hand.sync(mad) == 200, 5, "it is heard")
    changes = [x for x in server.log().splitlines() if "check=box/mad" in x]
    assert 3 < len(changes) < 200
    server.cli("check", "remove", "box/mad")


def test_what_an_agent_says_does_not_steer_a_terminal(world, hand):
    server = world.server
    add(server, "odd", "tcp", f"127.0.0.1:{world.port}", "at=hand")
    wait_for(lambda: hand.sync() == 200 and "box/odd" in hand.keys, 10, "given")
    odd = [result("box/odd", 0.1, FAILED, 2, said="\x1b[2J\nevent=x \xff")]
    # What is older than the check is about the past.
    wait_for(lambda: hand.sync(odd) == 200 and
             places(server, "box/odd")["hand"]["found"], 5, "it says it")
    row = places(server, "box/odd")["hand"]
    assert row["found"] == "?[2J?event=x ??"
    assert row["verdict"] == "unknown", "one failure is none"
    server.cli("check", "remove", "box/odd")


def test_a_request_waits_for_something_to_say(world, hand):
    server = world.server

    def asked(*args, **more):
        began = time.monotonic()
        status, body = hand.post(SYNC, hand.sync_body(*args, **more))
        took = time.monotonic() - began
        assert status == 200
        hand.take(body)
        return took, body
    asked()
    # Once all that fails has been confirmed nothing is left to say.
    wait_for(lambda: asked(wait_ms=1500)[0] >= 1.5, 30, "it waits")
    # It waits for ten seconds at most, and not with results.
    wait_for(lambda: asked([result("box/fine", 1)], wait_ms=60000)[0] < 8,
             what="results")
    there = Port()
    began = time.monotonic()
    later = threading.Timer(0.5, add, (
        server, "new", "tcp", there.target, "at=here", "at=hand"))
    later.start()
    wait_for(lambda: asked(wait_ms=60000) and "box/new" in hand.keys,
             what="a new check")
    assert time.monotonic() - began >= 0.5
    later.join()
    # The server itself sees it fail: the agent is to look.
    wait_for(lambda: states(server)["box/new"]["status"] == "up", what="up")
    later = threading.Timer(0.5, there.close)
    later.start()
    wait_for(lambda: b"box/new" in asked(wait_ms=60000)[1], what="look")
    later.join()
    # An agent that is removed is told so, although it waits.
    server.cli("check", "remove", "box/new")
    wait_for(lambda: hand.sync() == 200 and "box/new" not in hand.keys,
             what="it is gone")
    later = threading.Timer(0.5, server.cli, ("watch", "agent", "remove",
                                              "hand"))
    later.start()
    assert wait_for(lambda: (code := hand.post(SYNC, hand.sync_body(
        wait_ms=60000))[0]) != 200 and code) == 403
    later.join()


def test_a_clock_that_is_wrong_is_told_and_does_no_harm(world, hand):
    body = hand.sync_body([result("box/fine", 1)],
                          time_ms=int(time.time() * 1000) - 3600_000)
    assert hand.post(SYNC, body)[0] == 200
    row = agents(world.server)["hand"]
    assert row["clock_ahead_ms"] == pytest.approx(-3600_000, abs=300_000)
    seen = places(world.server, "box/fine")["hand"]["checked"]
    seen = datetime.datetime.fromisoformat(seen).timestamp()
    assert abs(time.time() - seen) < 300
    world.server.wait_log(r"watch\.agent-clock agent=hand")


def test_a_revoked_agent_is_refused_and_has_no_vote(world):
    server = world.server
    h = enrolled(server, "gone", "AS3")
    assert "gone" in places(server, "box/fine")
    server.cli("watch", "agent", "remove", "GONE")
    wait_for(lambda: h.sync() == 403, 5, "it is refused")
    assert agents(server)["gone"]["state"] == "revoked"
    assert "gone" not in places(server, "box/fine")
    # The name can be used again, with another key.
    enrolled(server, "gone", "AS3")
    assert h.sync() == 401
    server.cli("watch", "agent", "remove", "gone")
    done = server.cli("watch", "agent", "remove", "gone", check=False)
    assert done.returncode == 1 and "there is none" in done.stderr


def test_silence_is_told_and_what_it_saw_is_unknown(world):
    server = world.server
    agent = world.agents[0]
    wait_for(lambda: places(server, "box/fine")["ndola"]["found"] ==
             "it works", what="it works")
    said = len(server.log())
    agent.stop()
    wait_for(lambda: "watch.agent-silent agent=ndola" in server.log()[said:],
             150, "it is not told")
    assert agents(server)["ndola"]["state"] == "silent"
    assert places(server, "box/fine")["ndola"]["verdict"] == "unknown"

    def what_is_left():
        s = states(server)["box/fine"]
        return (s["status"], s["places_heard"], s["places"]) == ("up", 2, 3)
    wait_for(what_is_left, what="two places are heard")
    agent.start()
    wait_for(lambda: agents(server)["ndola"]["state"] == "heard", what="back")
    wait_for(lambda: {m["subject"] for m in js(server, "watch", "outbox")[
        "messages"] if m["about"] == "ndola"} == {
            "[HEARD] The vantage point ndola is heard again",
            "[SILENT] The vantage point ndola is not heard"},
        what="who is told of it")


def test_words_that_are_none(world):
    server = world.server
    for bad in (("add",), ("add", "x"), ("add", "all", "network=a"),
                ("add", "x", "net=a"), ("add", "x", "network=a", "--for", "1s"),
                ("show",), ("frob",)):
        done = server.cli("watch", "agent", *bad, check=False)
        assert done.returncode == 2, bad
    for bad in (("show", "nobody"), ("remove", "nobody")):
        assert server.cli("watch", "agent", *bad,
                          check=False).returncode == 1, bad
    assert vstr("a") == b"\1a"

# SPDX-License-Identifier: ISC
"""What the server itself knows is wrong: a provider refuses our address, an
operator hears of it, and the public when he says so."""
import html
import json
import urllib.request

import pytest

from lib import dns
from lib.instance import wait_for
from test_routes import BANNED, LINK, OURS, Provider, Routed

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")
REFUSED, USAGE = 1, 2
ID = f"refused/domain:hotmail.example/{OURS}"


def signals(server):
    return json.loads(server.cli("reach", "signals", "--json"))["signals"]


def audit_of_a_key(server):
    token = json.loads(server.cli("key", "add", "all", "--scopes", "all",
                                  "--json"))["token"]
    with urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{server.ports['http']}/api/v1/audit?limit=100",
            headers={"Authorization": f"Bearer {token}"})) as r:
        return json.load(r)["lines"]


def first_page(server):
    with urllib.request.urlopen(
            f"http://127.0.0.1:{server.ports['http']}/", timeout=60) as r:
        return html.unescape(r.read().decode())


def test_a_refusal_is_a_signal_for_operators_first():
    world = Routed()
    try:
        server = world.server
        ban = Provider()
        world.big("hotmail", rule=ban)
        world.relay()
        world.send(server.new_account(), "bob@hotmail.example")
        s, = wait_for(lambda: [s for s in signals(server)
                               if s["messages"] == 1], 10, "no signal")
        assert (s["id"], s["signal"], s["state"]) == (ID, "refused",
                                                      "suspected")
        assert s["reply"] == BANNED and s["link"] == LINK
        assert s["accounts"] == 1 and s["public"] is None
        assert s["network"] is None and s["service"] is None
        said = server.cli("reach", "signals")
        assert ID in said and LINK in said
        assert "Suspected" not in first_page(server)

        draft = json.loads(server.cli("reach", "draft", ID, "--json"))
        assert draft["title"] == "Mail to one other provider arrives late"
        assert "another way" in draft["body"] and "UTC" in draft["body"]
        for secret in (OURS, "hotmail", "banned"):
            assert secret not in draft["title"] + draft["body"]
        assert draft["link"] == LINK
        assert BANNED in draft["removal"] and OURS in draft["removal"]
        said = server.cli("reach", "draft", ID, "--language", "fr")
        assert "prennent un autre chemin" in said and LINK in said
        assert "a répondu" in said and BANNED in said
        for bad in (["x"], [ID, "--language", "de"]):
            assert server.cli("reach", "draft", *bad,
                              check=False).returncode in (REFUSED, USAGE)

        # How long it took is counted, and shown every five seconds.
        def longest():
            return max(int(line.split()[-1])
                       for line in server.cli("metrics").splitlines()
                       if line.startswith("mailstead_send_handover_max_ms"))
        assert 0 < wait_for(longest, 10, "no percentile") < 60000

        # And by stage: the relay, which is no known provider, took it.
        def stages():
            rows = json.loads(server.cli("queue", "latency", "--json"))
            return {r["stage"]: r for r in rows["latency"]
                    if r["receiver"] == "others" and r["messages"] > 0}
        got = wait_for(lambda: (lambda s: len(s) == 3 and s)(stages()), 15,
                       "no stages")
        assert {s["messages"] for s in got.values()} == {1}
        whole = got["whole"]
        assert 0 < got["queue"]["p95_ms"] <= whole["p95_ms"] < 60000
        assert 0 < got["dialogue"]["p95_ms"] <= whole["p95_ms"]
        assert whole["usual_p95_ms"] is None and whole["refused"] == 0
        assert whole["verdict"] == "too little known"
        assert "dialogue" in server.cli("queue", "latency", "--since", "1h")
        done = server.cli("queue", "list", "--since", "1h", check=False)
        assert done.returncode == USAGE

        # In our words: no address, no domain, nothing that others said.
        server.cli("reach", "approve", ID)
        text = "mail to one other provider is refused, waits or takes"
        page = wait_for(lambda: (lambda p: text in p and p)(
            first_page(server)), 10, "it is not told")
        for secret in (OURS, "hotmail", "banned", "5.7.606"):
            assert secret not in page
        s, = signals(server)
        assert s["state"] == "approved" and s["public"]

        assert server.cli("reach", "approve", ID, "--text", "a\nb",
                          check=False).returncode == USAGE
        server.cli("reach", "approve", ID, "--text", "Mail is <late>, & safe")
        wait_for(lambda: "Mail is <late>, & safe" in first_page(server), 10,
                 "not in these words")
        server.cli("reach", "dismiss", ID)
        wait_for(lambda: "Suspected" not in first_page(server), 10,
                 "it is still told")
        assert signals(server)[0]["state"] == "dismissed"
        lines = json.loads(server.cli("audit", "list", "--json"))["lines"]
        assert [(x["what"], x["object"]) for x in lines
                if x["what"].startswith("signal.")] == [
            ("signal.approve", ID)] * 2 + [("signal.dismiss", ID)]
        # Keys cannot list signals, and do not find their names in the log.
        lines = [x for x in audit_of_a_key(server)
                 if x["what"].startswith("signal.")]
        assert len(lines) == 3
        assert not any(x["object"] or x["detail"] for x in lines)
        # A new watcher knows the same.
        server.kill("watch")
        wait_for(lambda: [s["state"] for s in signals(server)] ==
                 ["dismissed"], 10, "forgotten")

        ban.is_banning = False
        server.cli("route", "resume", "domain:hotmail.example")
        wait_for(lambda: signals(server) == [], 10, "it is not over")
    finally:
        world.close()


def test_what_waits_is_shown_by_destination_with_its_cause():
    world = Routed()
    try:
        server = world.server
        is_open = []

        def greylist(receiver, session, at, arg):
            return None if is_open or at != "RCPT" else (
                "450 4.2.0 Greylisted, please come again")

        def rows():
            return json.loads(server.cli("queue", "destinations",
                                         "--json"))["destinations"]
        assert rows() == []
        assert "Nothing waits" in server.cli("queue", "destinations")
        world.big("hotmail", "outlook", rule=greylist)
        user = server.new_account()
        # The first one may have waited when role send began to count; what
        # comes behind it makes the queue grow.
        world.send(user, "bob@hotmail.example")
        wait_for(lambda: [r for r in rows() if r["waiting"] == 1])
        world.send(user, "joe@hotmail.example")
        world.send(user, "ann@outlook.example")
        # Two domains of one provider are one destination.
        row, = wait_for(lambda: [r for r in rows() if r["waiting"] == 3
                                 and r["cause"]], 15, "not what waits")
        assert (row["destination"], row["domains"]) == ("microsoft", 2)
        assert (row["cause"], row["code"]) == ("greylisted", 450)
        assert "come again" in row["reply"] and row["trend"] == "grows"
        assert row["in_per_hour"] > 0 and row["empty_at"] is None
        assert row["stuck_since"] is None and row["oldest"] is not None
        text = server.cli("queue", "destinations")
        assert "greylisted" in text and "450 4.2.0 Greylisted" in text
        # What the operator holds does not wait for a server.
        server.cli("queue", "hold", "--domain", "outlook.example")
        wait_for(lambda: [(r["waiting"], r["held"]) for r in rows()] ==
                 [(2, 1)], 10, "held")
        server.cli("queue", "release", "--domain", "outlook.example")
        wait_for(lambda: sum(r["waiting"] for r in rows()) == 3, 10,
                 "released")
        # A new process of either side hears it again.
        for role in ("send", "store"):
            server.kill(role)
            wait_for(lambda: sum(r["waiting"] for r in rows()) == 3, 20,
                     f"{role} forgot")
        is_open.append(True)
        server.cli("queue", "retry", "--all")
        wait_for(lambda: rows() == [], 20, "it is not empty")
    finally:
        world.close()

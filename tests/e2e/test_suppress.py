# SPDX-License-Identifier: ISC
"""Addresses that do not exist are not tried for ever; and times of retries
that the operator sets, by domain, sender and priority."""
import datetime
import email
import json
import smtplib
import time

import pytest

from lib.instance import PASSWORD, free_ports, wait_for
from lib.imap import read_all
from lib.receiver import Receiver

REFUSED, USAGE = 1, 2


def epoch(text):
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


class World:
    def __init__(self, make_server, rule, **send):
        port = free_ports(1)[0]
        self.receiver = Receiver(rule, host="127.0.0.1", port=port)
        self.server = make_server({"send": {
            "routes": [f"* 127.0.0.1:{port} tls=never"], "retry": "1s",
            "retry_max": "1s", **send}})
        self.user = self.server.new_account()

    def send(self, to, sender=None):
        with smtplib.SMTP_SSL(
                "127.0.0.1", self.server.ports["submissions"],
                context=self.server.tls(), timeout=60) as c:
            c.login(str(self.user), PASSWORD)
            c.sendmail(str(self.user), [to], (
                f"From: <{self.user}>\r\nSubject: t\r\n\r\nhello\r\n"))

    def inbox(self):
        return [email.message_from_bytes(m) for m in read_all(self.user)]

    def bounced(self, n):
        wait_for(lambda: len(self.inbox()) >= n, 10, f"no bounce {n}")
        return self.inbox()[n - 1]

    def send_and_bounce(self, to):
        n = len(self.inbox())
        self.send(to)
        return self.bounced(n + 1)

    def row(self, address):
        return js(self.server, "suppress", "show", address)


@pytest.fixture
def make_world(make_server):
    made = []

    def make(rule=None, **send):
        made.append(World(make_server, rule, **send))
        return made[-1]
    yield make
    for w in made:
        w.receiver.close()


class Refusals:
    """Counts RCPT; refuses those that are in it."""

    def __init__(self, **replies):
        self.replies, self.asked = replies, []

    def __call__(self, receiver, session, stage, arg):
        if stage != "RCPT":
            return None
        local = arg.split("@")[0]
        self.asked.append(local)
        return self.replies.get(local)


def test_a_dead_address_is_not_tried_any_more(make_world):
    rule = Refusals(dead="550 5.1.1 No such user here",
                    policy="550 5.7.1 Rejected by policy",
                    full="552 5.2.2 Mailbox full")
    w = make_world(rule, suppress_after=2, suppress_apart="1s",
                   suppress="1d")
    w.send_and_bounce("dead@far.example")
    row = wait_for(lambda: js(w.server, "suppress", "list", "--all")[
        "addresses"])[0]
    assert (row["state"], row["messages"]) == ("counting", 1)
    assert js(w.server, "suppress", "list")["addresses"] == []
    # Another one, a second later.
    wait_for(lambda: time.time() > epoch(row["first"]) + 2)
    w.send_and_bounce("dead@far.example")
    wait_for(lambda: w.row("dead@far.example")["state"] == "suppressed")
    asked = rule.asked.count("dead")
    text = w.send_and_bounce("dead@far.example").as_string()
    assert "does not exist: not tried since" in text
    assert "550 5.1.1 No such user here" in text.replace("\n ", " ")
    assert "Status: 5.1.1" in text
    assert rule.asked.count("dead") == asked
    # What the server keeps in mind survives a crash, and other refusals do not
    # count.
    w.server.kill("send")
    w.server.kill("store")
    w.send_and_bounce("dead@far.example")
    assert rule.asked.count("dead") == asked
    for local in ("policy", "full"):
        for _ in range(3):
            w.send_and_bounce(local + "@far.example")
    assert [a["address"] for a in js(w.server, "suppress", "list", "--all")[
        "addresses"]] == ["dead@far.example"]
    # It is back: the operator says so, and the next mail goes.
    assert w.server.cli("suppress", "remove", "dead@far.example") == \
        "no longer suppressed: dead@far.example\n"
    rule.replies = {}
    w.send("dead@far.example")
    w.receiver.wait(1)
    assert js(w.server, "suppress", "list", "--all")["addresses"] == []


def test_it_is_probed_after_a_while(make_world):
    rule = Refusals(dead="550 5.1.1 No such user here")
    w = make_world(rule, suppress_after=1, suppress_apart="0s",
                   suppress="1s")
    w.send("dead@far.example")
    w.bounced(1)
    wait_for(lambda: w.row("dead@far.example")["state"] == "to-be-tried")
    w.send("dead@far.example")
    w.bounced(2)
    assert rule.asked.count("dead") == 2
    wait_for(lambda: w.row("dead@far.example")["state"] == "to-be-tried")
    rule.replies = {}
    w.send("dead@far.example")
    w.receiver.wait(1)
    wait_for(lambda: w.server.cli("suppress", "show", "dead@far.example",
                                  check=False).returncode == REFUSED)


def test_what_the_operator_adds(make_world):
    w = make_world()
    server = w.server
    server.cli("suppress", "add", "No@far.example", "--note", "asked us to")
    assert w.row("no@far.example")["state"] == "manual"
    w.send("no@far.example")
    text = w.bounced(1).as_string().replace("\n ", " ")
    assert "The operator has taken this address out" in text
    assert "asked us to" in text
    bad = server.cli("suppress", "add", f"x@{server.domain}", check=False)
    assert bad.returncode == REFUSED and "served here" in bad.stderr
    bad = server.cli("suppress", "add", "a@b.example", "--for", "long",
                     check=False)
    assert bad.returncode == USAGE
    bad = server.cli("suppress", "remove", "a@b.example", check=False)
    assert bad.returncode == REFUSED
    server.cli("suppress", "remove", "no@far.example")
    w.send("no@far.example")
    w.receiver.wait(1)
    # What was refused changed nothing, and is no line.
    lines = json.loads(server.cli("audit", "list", "--json"))["lines"]
    assert [(x["what"], x["object"], x["detail"]) for x in lines
            if x["what"].startswith("suppress.")] == [
        ("suppress.put", "no@far.example", "asked us to"),
        ("suppress.remove", "no@far.example", "")]


def test_other_times_for_a_domain(make_world):
    def busy(receiver, session, stage, arg):
        return "451 4.3.0 busy" if stage == "RCPT" else None
    w = make_world(busy, retry="1h", retry_max="2h")
    server = w.server
    assert server.cli("retry", "set", "Quick.example", "retry=1s",
                      "retry_max=1s", "expire=3s") == \
        "set rule quick.example\n"
    assert js(server, "retry", "list")["rules"] == [{
        "pattern": "quick.example", "retry": "1s", "retry_max": "1s",
        "expire": "3s", "delay_notice": None}]
    w.send("x@usual.example")
    w.send("x@quick.example")
    # Given up after three seconds, which the other one is not.
    text = w.bounced(1).as_string()
    assert "x@quick.example" in text and "x@usual.example" not in text
    rows = js(server, "queue", "list")["queue"]
    assert [(r["recipient"], r["attempts"]) for r in rows] == [
        ("x@usual.example", 1)]
    # Rules outlive the processes, and go.
    server.kill("send")
    server.kill("store")
    server.cli("retry", "set", f"from:{w.user}", "expire=1s")
    server.cli("queue", "retry", "--all")
    assert "x@usual.example" in w.bounced(2).as_string()
    server.cli("retry", "remove", "quick.example")
    assert [x["what"] for x in js(server, "audit", "list", "--object",
                                  "quick.example")["lines"]] == [
        "retry.put", "retry.remove"]
    assert [r["pattern"] for r in js(server, "retry", "list")["rules"]] == [
        f"from:{w.user}"]
    for words, why in (
            (("set", "a b", "retry=1m"), "is not a pattern"),
            (("set", "x.example", "retry=soon"), "is no time"),
            (("set", "x.example", "expire=0"), "only delay_notice"),
            (("set", "x.example", "speed=1m"), "is no time")):
        bad = server.cli("retry", *words, check=False)
        assert bad.returncode == USAGE and why in bad.stderr
    bad = server.cli("retry", "remove", "x.example", check=False)
    assert bad.returncode == REFUSED

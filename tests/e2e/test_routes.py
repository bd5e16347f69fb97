# SPDX-License-Identifier: ISC
"""Routes that heal themselves: a provider refuses our address, mail goes another
way, and comes back when the ban is over.

Our first address is 127.0.0.2. The provider is whoever has mail
servers below big.example; its table is an operator's file. What it says is a rule
of Microsoft's, so that is its name there.
"""
import datetime
import json
import os
import smtplib
import time

import pytest

from lib import dns
from lib.instance import PASSWORD, PATIENCE_S, wait_for
from lib.receiver import Receiver
from test_send import World, inbox, wait_inbox

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

OURS = "127.0.0.2"
BANNED = ("550 5.7.606 Access denied, banned sending IP [127.0.0.2]. To "
          "request removal from this list please visit "
          "https://sender.office.com/ and follow the directions.")
LISTED = ("554 5.7.1 Service unavailable; Client host [127.0.0.2] blocked using "
          "zen.spamhaus.org")
LINK = "https://sender.office.com/"


class Provider:
    """Its rule refuses our first address, at one stage, while is_banning."""

    def __init__(self, stage="RCPT", reply=BANNED, only=None):
        self.stage, self.reply, self.only = stage, reply, only
        self.is_banning = True
        self.refused = 0

    def __call__(self, receiver, session, stage, arg):
        if not self.is_banning or session.peer != OURS or \
                stage != self.stage or (self.only and arg != self.only):
            return None
        self.refused += 1
        return self.reply


class Routed(World):
    def __init__(self, tables="microsoft \"Big Mail\" big.example\ndefault\n",
                 **send):
        self.table = os.path.join(
            os.environ.get("TMPDIR", "/tmp"), f"providers-{os.getpid()}-"
            f"{time.monotonic_ns()}")
        with open(self.table, "w") as f:
            f.write(tables)
        os.chmod(self.table, 0o644)
        super().__init__(**{"source4": OURS, "canary": "1h",
                            "providers": self.table, **send})
        self.numbers = 0

    def big(self, *domains, rule=None, **options):
        """A mail server of the provider for these domains."""
        r = self.receiver(rule=rule, **options)
        host = f"mx{self.hosts}.big"
        self.add(f"{host} A {r.ip}", *(f"{d} MX 10 {host}" for d in domains))
        return r

    def relay(self, pattern="fallback", options="", **kind):
        """A relay with a route of its own to it."""
        r = self.receiver(**kind)
        self.route(pattern, f"{r.ip}:{self.port}", *options.split())
        return r

    def route(self, *words, password=None):
        """Add a route; its number."""
        options = ["--password-stdin"] if password else []
        said = json.loads(self.server.cli(
            "route", "add", *options, *words, "--json",
            input=password and password + "\n"))
        # A route counts when send has heard of it.
        wait_for(lambda: any(r["number"] == int(said["added"])
                             for r in self.routes()), 5, "no such route")
        return int(said["added"])

    def routes(self):
        return json.loads(self.server.cli("route", "list", "--json"))["routes"]

    def refused(self):
        return json.loads(
            self.server.cli("route", "status", "--json"))["refused"]

    def wait_refused(self, n, timeout=60):
        return wait_for(lambda: (lambda got: len(got) == n and (got or [1]))(
            self.refused()), timeout, f"not {n} are refused")

    def test(self, sender, recipient):
        lines = json.loads(self.server.cli(
            "route", "test", sender, recipient, "--json"))["test"]
        return {k: [x for x in lines if x["kind"] == k]
                for k in ("mx", "route", "way", "answer")}

    def close(self):
        super().close()
        os.unlink(self.table)


@pytest.fixture
def make(request):
    made = []

    def make_world(**send):
        made.append(Routed(**send))
        return made[-1]
    yield make_world
    for w in made:
        w.close()


def seconds(text):
    """Of a time as JSON has it."""
    return datetime.datetime.fromisoformat(
        text.replace("Z", "+00:00")).timestamp()


def queue(world, *words):
    return json.loads(
        world.server.cli("queue", "list", *words, "--json"))["queue"]


def stays_empty(account):
    assert inbox(account) == [], "there is a bounce"


# --- a ban, from beginning to end -------------------------------------------------

def test_a_banned_address_and_the_way_round(make):
    world = make()
    user, other = world.server.new_account(), world.server.new_account()
    ban = Provider()
    big = world.big("hotmail", "outlook", rule=ban)
    twin = world.big("customer", rule=ban)
    relay = world.relay()

    # The message that is refused takes the relay at once, and no bounce.
    world.send(user, "bob@hotmail.example")
    m = relay.wait()[0]
    assert m.rcpts == ["bob@hotmail.example"]
    assert ban.refused == 1 and big.messages == []
    # What one domain's server says to RCPT may be that domain's own rule.
    row, = world.wait_refused(1)
    assert row["scope"] == "domain:hotmail.example"
    world.send(user, "bob@hotmail.example")
    relay.wait(2)
    assert ban.refused == 1

    # A second organisation is told the same: it is the provider.
    world.send(other, "ann@outlook.example")
    relay.wait(3)
    assert ban.refused == 2
    assert world.server.wait_log(r"event=send\.breaker\.open .*scope=microsoft")

    # So all others go that way at once, behind whatever host of it.
    world.send(other, ["ann@outlook.example", "joe@customer.example"])
    relay.wait(5)
    assert ban.refused == 2 and twin.sessions == 0

    # A restart of send forgets nothing. (Counts are written every two seconds.)
    def whole():
        return [r for r in world.refused() if r["scope"] == "microsoft"]
    wait_for(lambda: [r["messages"] for r in whole()] == [3], 15,
             "not counted")
    world.server.kill("send")
    world.send(user, "eve@customer.example")
    relay.wait(6)
    assert ban.refused == 2 and twin.sessions == 0

    assert sorted(r["scope"] for r in world.refused()) == [
        "domain:hotmail.example", "domain:outlook.example", "microsoft"]
    row, = whole()
    assert row["ip"] == OURS
    assert row["source"] == OURS and row["code"] == 550
    assert row["reply"] == BANNED[4:] and row["link"] == LINK
    assert row["rule"] == "ms-banned-ip"
    assert row["instead"] == f"{relay.ip}:{world.port}"
    assert row["mx"].endswith(".big.example") and not row["forced"]
    assert row["domain"] == "outlook.example"
    assert 3500 < seconds(row["next"]) - seconds(row["since"]) < 4200
    assert BANNED[4:] in row["letter"] and OURS in row["letter"]
    row, = wait_for(lambda: (lambda got: [r["messages"] for r in got] == [4]
                             and got)(whole()), 15, "the counts are wrong")
    assert row["accounts"] == 2
    said = world.server.cli("route", "status")
    assert "4 messages of 2 accounts" in said and LINK in said

    # What the operator reads of a message.
    trace = world.server.cli("trace", "bob@hotmail.example")
    assert f"route {relay.ip}:{world.port}: " in trace
    assert "550 5.7.606 Access denied, banned sending IP" in trace
    stays_empty(user)
    stays_empty(other)
    assert sorted(x for m in relay.messages for x in m.rcpts) == [
        "ann@outlook.example", "ann@outlook.example", "bob@hotmail.example",
        "bob@hotmail.example", "eve@customer.example",
        "joe@customer.example"], "each arrived once"

    # By hand, mail goes straight again; here the ban is still on.
    world.server.cli("route", "resume", "microsoft")
    world.wait_refused(2)
    world.server.cli("route", "resume", "domain:hotmail.example")
    world.wait_refused(1)
    ban.is_banning = False
    world.send(user, "zoe@hotmail.example")
    assert big.wait()[0].rcpts == ["zoe@hotmail.example"]


@pytest.mark.parametrize("stage, reply", [
    ("connect", "554 5.7.606 Access denied, banned sending IP [127.0.0.2]"),
    ("EHLO", BANNED), ("MAIL", BANNED), ("DATA", BANNED), ("end", BANNED),
])
def test_refusals_at_every_stage(make, stage, reply):
    world = make()
    user = world.server.new_account()
    # HELO is what we try when EHLO is refused.
    ban = Provider(stage, reply)

    def rule(r, s, at, arg):
        return ban(r, s, "EHLO" if at == "HELO" else at, arg)
    big = world.big("hotmail", rule=rule)
    relay = world.relay()
    world.send(user, ["a@hotmail.example", "b@hotmail.example"])
    assert relay.wait()[0].rcpts == ["a@hotmail.example", "b@hotmail.example"]
    world.send(user, "c@hotmail.example")
    relay.wait(2)
    assert big.messages == []
    assert ban.refused == {"MAIL": 1, "EHLO": 2}.get(stage, ban.refused)
    world.wait_refused(1)
    stays_empty(user)


def test_only_the_affected_recipients_move(make):
    world = make()
    user = world.server.new_account()
    ban = Provider(only="bad@hotmail.example")
    big = world.big("hotmail", rule=ban)
    fine = world.receiver("fine")
    relay = world.relay()
    world.send(user, ["good@hotmail.example", "bad@hotmail.example",
                      "x@fine.example"])
    assert big.wait()[0].rcpts == ["good@hotmail.example"]
    assert fine.wait()[0].rcpts == ["x@fine.example"]
    assert relay.wait()[0].rcpts == ["bad@hotmail.example"]
    stays_empty(user)
    # The others stay where they were.
    world.send(user, "y@fine.example")
    fine.wait(2)
    assert len(relay.messages) == 1


def test_a_server_of_no_provider_is_alone(make):
    world = make()
    user = world.server.new_account()
    ban = Provider(reply=LISTED)
    world.receiver("small", rule=ban)
    neighbour = world.receiver("other")
    relay = world.relay()
    world.send(user, "a@small.example")
    relay.wait()
    world.send(user, "b@other.example")
    neighbour.wait()
    row, = world.wait_refused(1)
    assert row["scope"] == "mx:mx1.example"


# --- the way back -------------------------------------------------------------------

def test_the_way_back_is_found(make):
    world = make(canary="1s", canary_max="2s")
    user = world.server.new_account()
    ban = Provider()
    big = world.big("hotmail", rule=ban)
    relay = world.relay()
    world.send(user, "first@hotmail.example")
    relay.wait()
    # A canary that is refused takes the relay at once: no bounce, no delay.
    time.sleep(1.2)
    world.send(user, "second@hotmail.example")
    relay.wait(2, timeout=5)
    assert ban.refused == 2
    assert world.server.wait_log(r"event=send\.canary\.refused")
    # When the ban has ended, one message finds out.
    ban.is_banning = False
    sent = 0
    deadline = time.monotonic() + PATIENCE_S
    while not big.messages:
        assert time.monotonic() < deadline, "no canary was sent"
        world.send(user, f"n{sent}@hotmail.example")
        sent += 1
        time.sleep(0.3)
    assert world.server.wait_log(r"event=send\.breaker\.close")
    world.wait_refused(0)
    world.send(user, "last@hotmail.example")
    wait_for(lambda: any("last@hotmail.example" in m.rcpts
                         for m in big.messages), 5, "it did not go straight")
    wait_for(lambda: len(relay.messages) + len(big.messages) == 3 + sent, 5,
             "not each message arrived once")
    assert not any("last@hotmail.example" in m.rcpts for m in relay.messages)
    stays_empty(user)


def test_one_canary_of_many_recipients(make):
    world = make(canary="1s")
    user = world.server.new_account()
    ban = Provider()
    big = world.big("hotmail", rule=ban)
    relay = world.relay()
    world.send(user, "first@hotmail.example")
    relay.wait()
    ban.is_banning = False
    time.sleep(1.3)
    rcpts = [f"r{i}@hotmail.example" for i in range(20)]
    world.send(user, rcpts)
    canary = big.wait()[0].rcpts
    relay.wait(2)
    assert len(canary) == 1 and len(big.messages) == 1
    assert sorted(canary + relay.messages[1].rcpts) == sorted(rcpts)
    world.wait_refused(0)


def test_a_canary_that_cannot_be_delivered_now(make):
    """Greylisted, a canary takes the other way too: it was only lent."""
    world = make(canary="1s")
    user = world.server.new_account()
    ban = Provider()
    world.big("hotmail", rule=ban)
    relay = world.relay()
    world.send(user, "first@hotmail.example")
    relay.wait()
    ban.reply = "451 4.7.1 Greylisted, please try again in 300 seconds"
    time.sleep(1.3)
    world.send(user, "second@hotmail.example")
    relay.wait(2, timeout=5)
    assert ban.refused == 2
    assert len(world.refused()) == 1


# --- where there is no other way -----------------------------------------------------

def test_without_another_way_it_waits(make):
    world = make()
    user = world.server.new_account()
    ban = Provider()
    big = world.big("hotmail", rule=ban)
    world.send(user, "a@hotmail.example")
    row, = world.wait_refused(1)
    entry, = wait_for(lambda: [q for q in queue(world) if q["reply"]], 5,
                      "nothing waits")
    assert entry["state"] == "deferred"
    assert "4.7.1 hotmail.example refuses our address" in entry["reply"]
    assert BANNED[4:60] in entry["reply"]
    assert seconds(entry["next"]) - time.time() > 3000, "a long pace"
    wait_for(lambda: world.refused()[0]["waits_for"], 5, "nobody was told")
    world.send(user, "b@hotmail.example")
    wait_for(lambda: len([q for q in queue(world) if q["reply"]]) == 2, 5,
             "it does not wait")
    assert ban.refused == 1
    # An operator finds them by the host that they wait for.
    assert len(queue(world, "--mx", "*.big.example")) == 2
    stays_empty(user)
    # A fall-back that comes later takes them.
    relay = world.relay()
    world.server.cli("queue", "retry", "--all")
    relay.wait(2)
    assert big.messages == []


def test_a_relay_that_refuses_us_too(make):
    world = make()
    user = world.server.new_account()
    world.big("hotmail", rule=Provider())
    no = Provider(reply=LISTED)
    relay = world.relay(rule=no)
    world.send(user, "a@hotmail.example")
    wait_for(lambda: len(world.refused()) == 2, 8, "both are refused")
    scopes = sorted(r["scope"] for r in world.refused())
    assert scopes == ["domain:hotmail.example", f"relay:{relay.ip}:{world.port}"]
    for _ in range(3):
        world.server.cli("queue", "retry", "--all")
        time.sleep(0.5)
    assert no.refused == 1, "it goes round in circles"
    assert queue(world)[0]["state"] == "deferred"
    stays_empty(user)


def test_a_second_fallback(make):
    world = make()
    user = world.server.new_account()
    world.big("hotmail", rule=Provider())
    first, second = world.receiver(rule=Provider(reply=LISTED)), \
        world.receiver()
    world.route("group:microsoft", "direct", "then",
                f"{first.ip}:{world.port}", "then",
                f"{second.ip}:{world.port}")
    world.send(user, "a@hotmail.example")
    assert second.wait()[0].rcpts == ["a@hotmail.example"]
    world.send(user, "b@hotmail.example")
    second.wait(2)
    assert first.messages == []


def test_another_address_of_ours(make):
    """The ban is about one address: another one of ours may be welcome."""
    world = make()
    user = world.server.new_account()
    ban = Provider()
    big = world.big("hotmail", rule=ban)
    world.route("group:microsoft", "direct", "then", "direct",
                "source=127.0.0.3", "helo=second.test.example")
    peers = []
    ban_and_note = ban

    def rule(r, s, stage, arg):
        if stage == "MAIL":
            peers.append((s.peer, s.helo))
        return ban_and_note(r, s, stage, arg)
    big.rule_fn = rule
    world.send(user, "a@hotmail.example")
    big.wait()
    assert peers == [(OURS, "mail.test.example"),
                     ("127.0.0.3", "second.test.example")]


# --- what the sender's domain allows -----------------------------------------------------

def spf_world(make, record, **kind):
    world = make()
    world.add(f'test TXT "{record}"')
    user = world.server.new_account()
    assert user.login.endswith("@test.example")
    for key in json.loads(world.server.cli("dkim", "list", "--json"))["keys"]:
        world.server.cli("dkim", "remove", "--force", key["domain"],
                         key["selector"])
    world.big("hotmail", rule=Provider())
    return world, user


def test_spf_that_forbids_the_relay(make):
    world, user = spf_world(make, "v=spf1 ip4:127.0.0.2 -all")
    relay = world.relay()
    world.send(user, "a@hotmail.example")
    entry, = wait_for(lambda: [q for q in queue(world) if q["reply"]], 8,
                      "nothing waits")
    assert "SPF record of test.example does not allow" in entry["reply"]
    assert relay.ip in entry["reply"] and entry["state"] == "deferred"
    assert relay.sessions == 0
    answer = world.test(user.login, "a@hotmail.example")
    assert answer["answer"][0]["text"] == "waits"
    assert [w["state"] for w in answer["way"]] == ["refused", "forbidden"]
    # Signed with a key of the domain it may go by any host.
    world.server.cli("dkim", "add", "test.example")
    for key in json.loads(world.server.cli("dkim", "list", "--json"))["keys"]:
        if key["state"] != "active":
            world.server.cli("dkim", "activate", "test.example",
                             key["selector"])
    world.server.kill("send")
    world.server.cli("queue", "retry", "--all")
    assert b"DKIM-Signature" in relay.wait()[0].data


@pytest.mark.parametrize("record, option", [
    ("v=spf1 ip4:127.0.0.0/8 -all", ""), ("v=spf1 ?all", ""),
    ("other text", ""), ("v=spf1 ip4:nonsense -all", ""),
    ("v=spf1 -all", "spf=ignore"),
])
def test_spf_that_allows_the_relay(make, record, option):
    world, user = spf_world(make, record)
    relay = world.relay(options=option)
    world.send(user, "a@hotmail.example")
    relay.wait()


# --- routes by themselves ---------------------------------------------------------------

@pytest.fixture(scope="module")
def plain():
    w = Routed(canary="1h")
    yield w
    w.close()


@pytest.fixture
def user(plain):
    return plain.server.new_account()


def without_route(world, number):
    world.server.cli("route", "remove", number)
    wait_for(lambda: all(r["number"] != number for r in world.routes()), 5,
             "the route is still there")


def test_who_takes_which_route(plain, user):
    by_group, by_mx, by_sender = (plain.receiver() for _ in range(3))
    to = [f"{r.ip}:{plain.port}" for r in (by_group, by_mx, by_sender)]
    numbers = [plain.route(f"from:{user.login}", to[2]),
               plain.route("mx:*.mxs.example", to[1]),
               plain.route("group:microsoft", to[0])]
    assert numbers == [10, 20, 30]
    plain.big("grouped")
    plain.add("bymx MX 10 a.mxs", f"a.mxs A {plain.ip()}")
    someone = plain.server.new_account()
    plain.send(someone, ["a@grouped.example", "b@bymx.example"])
    assert by_group.wait()[0].rcpts == ["a@grouped.example"]
    assert by_mx.wait()[0].rcpts == ["b@bymx.example"]
    plain.send(user, "c@grouped.example")
    assert by_sender.wait()[0].rcpts == ["c@grouped.example"]

    said = plain.test(user.login, "x@grouped.example")
    assert said["mx"][0]["why"] == "microsoft"
    fits = {r["number"]: r["why"] for r in said["route"] if r["fits"]}
    assert fits == {10: "counts", 30: "fits, but one before it counts"}
    assert said["answer"][0]["text"] == to[2]
    text = plain.server.cli("route", "test", user.login, "x@bymx.example")
    assert f"goes         {to[2]}" in text
    plain.server.cli("route", "change", 10, "from:nobody@nowhere.example",
                     "hold")
    wait_for(lambda: plain.test(user.login, "x@bymx.example")["answer"][0][
        "text"] == to[1], 5, "the change does not count")
    for n in numbers:
        without_route(plain, n)


def test_an_account_has_its_way_whatever_it_sends_as(plain, user):
    own, usual = (plain.receiver() for _ in range(2))
    number = plain.route(f"account:{user.login}", f"{own.ip}:{plain.port}")
    plain.add(f"wide MX 10 {usual.name}.")
    alias = "alias-" + user.login
    plain.server.cli("alias", "add", alias, user.login)
    with smtplib.SMTP("127.0.0.1", plain.server.ports["submission"]) as c:
        c.starttls(context=plain.server.tls())
        c.login(user.login, PASSWORD)
        c.sendmail(alias, ["a@wide.example"], f"From: {alias}\r\n\r\nHi\r\n")
    assert own.wait()[0].rcpts == ["a@wide.example"]
    plain.send(plain.server.new_account(), "b@wide.example")
    assert usual.wait()[0].rcpts == ["b@wide.example"]
    assert len(own.messages) == 1
    without_route(plain, number)


def test_weights_and_names(plain, user):
    seen = []
    r = plain.receiver("weighed", rule=lambda r, s, stage, arg:
                       seen.append((s.peer, s.helo))
                       if stage == "end" else None)
    number = plain.route(
        "weighed.example", "direct", "source=127.0.0.4", "weight=3",
        "helo=four.test.example", "or", "direct", "source=127.0.0.5",
        "helo=five.test.example", "weight=1")
    for i in range(40):
        plain.send(user, f"u{i}@weighed.example")
    r.wait(40)
    assert set(seen) == {("127.0.0.4", "four.test.example"),
                         ("127.0.0.5", "five.test.example")}
    # 40 throws with 3/4: outside of these bounds once in ten thousand runs
    # of ten thousand.
    n = sum(peer == "127.0.0.4" for peer, _ in seen)
    assert 12 < n < 40
    without_route(plain, number)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_signing_in(plain, user, mechanism):
    r = plain.receiver(users={"us": "right one"}, mechanisms=(mechanism,))
    number = plain.route(f"signed-{mechanism.lower()}.example",
                         f"{r.ip}:{plain.port}", "user=us", "cleartext=yes",
                         password="right one")
    plain.send(user, f"a@signed-{mechanism.lower()}.example")
    m = r.wait()[0]
    assert m.session.login == "us" and m.session.mechanism == mechanism
    row, = [x for x in plain.routes() if x["number"] == number]
    assert row["password"] is True and "right one" not in json.dumps(row)
    assert "right one" not in plain.server.log()
    # Once more would never be used; the log has who did it, and no password.
    again = plain.server.cli(
        "route", "add", "--password-stdin", *row["route"].split(),
        input="other\n", check=False)
    assert again.returncode == 1 and f"route {number} says" in again.stderr
    without_route(plain, number)
    lines = plain.server.cli("audit", "list", "--what", "route.", "--json")
    done = {(x["what"], x["object"]) for x in json.loads(lines)["lines"]}
    assert {("route.put", str(number)), ("route.remove", str(number))} <= done
    assert "right one" not in lines


def test_a_wrong_password_is_no_bounce(plain, user):
    r = plain.receiver(users={"us": "right one"})
    number = plain.route("wrong.example", f"{r.ip}:{plain.port}", "user=us",
                         "cleartext=yes", password="other")
    plain.send(user, "a@wrong.example")
    entry, = wait_for(lambda: [q for q in queue(plain, "--domain",
                                                "wrong.example")
                               if q["reply"]], 8, "nothing waits")
    assert entry["state"] == "deferred"
    assert "535 5.7.8 Error: authentication failed" in entry["reply"]
    stays_empty(user)
    plain.server.cli("route", "change", number, "--password-stdin",
                     input="right one\n")
    r.wait()
    without_route(plain, number)


def test_no_password_without_tls(plain, user):
    r = plain.receiver(users={"us": "pw"})
    number = plain.route("bare.example", f"{r.ip}:{plain.port}", "user=us",
                         password="pw")
    plain.send(user, "a@bare.example")
    entry, = wait_for(lambda: [q for q in queue(plain, "--domain",
                                                "bare.example")
                               if q["reply"]], 8, "nothing waits")
    assert "TLS" in entry["reply"] and r.messages == []
    assert not any(c.startswith("AUTH") for c in r.commands)
    plain.server.cli("queue", "cancel", "--domain", "bare.example")
    without_route(plain, number)


def test_a_relay_that_wants_a_sign_in_is_no_bounce(plain, user):
    r = plain.receiver(users={"us": "pw"})
    number = plain.route("anonymous.example", f"{r.ip}:{plain.port}")
    plain.send(user, "a@anonymous.example")
    entry, = wait_for(lambda: [q for q in queue(plain, "--domain",
                                                "anonymous.example")
                               if q["reply"]], 8, "nothing waits")
    assert entry["state"] == "deferred" and "530" in entry["reply"]
    stays_empty(user)
    plain.server.cli("queue", "cancel", "--domain", "anonymous.example")
    without_route(plain, number)


def test_by_hand(plain, user):
    big = plain.big("manual")
    relay = plain.relay()
    assert json.loads(plain.server.cli(
        "route", "avoid", "microsoft", "--json")) == {"avoided": "microsoft"}
    row, = plain.wait_refused(1)
    assert row["forced"] and row["next"] is None
    assert plain.server.cli("route", "status").startswith(
        "avoided by the operator: Big Mail")
    wait_for(lambda: plain.test(user.login, "a@manual.example")["answer"][0][
        "text"] == f"{relay.ip}:{plain.port}", 5, "it is not open")
    plain.send(user, "a@manual.example")
    relay.wait()
    plain.server.kill("send")
    plain.send(user, "b@manual.example")
    relay.wait(2)
    assert plain.server.cli("route", "resume", "--all", check=False) \
        .returncode == 0
    plain.wait_refused(0)
    wait_for(lambda: plain.test(user.login, "a@manual.example")["answer"][0][
        "text"] == "direct", 5, "it is not closed")
    plain.send(user, "c@manual.example")
    big.wait()
    # One domain alone, whoever serves it.
    plain.server.cli("route", "avoid", "domain:manual.example")
    wait_for(lambda: plain.test(user.login, "a@manual.example")["answer"][0][
        "text"] == f"{relay.ip}:{plain.port}", 5, "it is not open")
    plain.send(user, "d@manual.example")
    relay.wait(3)
    plain.server.cli("route", "resume", "domain:manual.example")
    plain.wait_refused(0)
    for r in plain.routes():
        without_route(plain, r["number"])


def test_a_route_that_says_the_same_is_refused(plain):
    first = plain.route("same.example", "127.0.0.1:25", "tls=must")
    other = plain.route("other.example", "127.0.0.1:25")
    words = "Same.Example", "127.0.0.1:25", "weight=100", "tls=must"
    for verb in (("add",), ("change", str(other))):
        done = plain.server.cli("route", *verb, *words, check=False)
        assert done.returncode != 0
        assert f"route {first} says the same already" in done.stderr
    # It may be written in another way itself.
    plain.server.cli("route", "change", str(first), *words)
    for number in (first, other):
        without_route(plain, number)


@pytest.mark.parametrize("words, said", [
    (("add", "*"), "usage"),
    (("add", "*", "nowhere"), "direct, hold, or host:port"),
    (("add", "*", "r:25", "user=a"), "--password-stdin"),
    (("add", "--number", "0", "*", "direct"), "is no number"),
    (("change", "4711", "*", "direct"), "there is no route 4711"),
    (("remove", "4711"), "there is no route 4711"),
    (("show", "4711"), "there is no route 4711"),
    (("resume", "google"), "no such way is avoided"),
    (("avoid", "gogle"), "is no provider group"),
    (("add", "group:gogle", "direct"), "is no provider group"),
    (("test", "a@b.example"), "usage"),
    (("test", "nonsense", "a@b.example"), "is not an address"),
])
def test_what_is_wrong_is_said(plain, words, said):
    done = plain.server.cli("route", *words, check=False)
    assert done.returncode != 0 and said in done.stderr


def test_a_table_of_providers_with_an_error(plain):
    done = plain.server.cli("route", "groups")
    assert "Microsoft 365" in done
    assert plain.server.cli("route", "refusals").startswith("# Microsoft")

# SPDX-License-Identifier: ISC
"""Who is told when something that is watched fails: by mail over relays, by
webhooks; one alert for each incident, whatever dies in between."""
import base64
import contextlib
import datetime
import email
import email.policy
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import signal
import smtplib
import socket
import ssl
import threading
import time

import pytest

from lib import dns, pki
from lib.instance import free_ports, wait_for
from lib.port import Port
from lib.receiver import CUT, Receiver

OK, REFUSED, USAGE, TEMPFAIL = 0, 1, 2, 75


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def attempts(server, **wanted):
    return [a for a in js(server, "alert", "log")["attempts"]
            if all(a[k] == v for k, v in wanted.items())]


def outbox(server, **wanted):
    return [m for m in js(server, "watch", "outbox")["messages"]
            if all(m[k] == v for k, v in wanted.items())]


def states(server):
    return {c["check"]: c["status"]
            for c in js(server, "watch", "status")["checks"]}


def parsed(message):
    return email.message_from_bytes(message.data, policy=email.policy.default)


class Hooks:
    """Receives webhooks; answers what it is told to."""

    def __init__(self):
        self.seen, self.answers = [], []
        hooks = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hooks.seen.append((dict(self.headers), body, self.path))
                code = hooks.answers.pop(0) if hooks.answers else 204
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=b"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def relays():
    """Two of them. What they refuse is in their lists."""
    made = []

    def rule(receiver, session, stage, arg):
        return receiver.refuses.get(stage)
    for _ in range(2):
        made.append(Receiver(rule=rule))
        made[-1].refuses = {}
    yield made
    for r in made:
        r.close()


@pytest.fixture
def box(make_server, relays):
    box = make_server({"watch": {
        "relays": [f"127.0.0.1:{r.port}" for r in relays],
        "retry": "1s", "direct": "no", "allow_local": "yes"},
        "site": {"title": "Example Mail", "from": "status@example.org",
                 "contact": "help@example.org"}})
    box.cli("system", "add", "Gate", "other")
    box.cli("system", "add", "Box", "mail", "--city", "Lusaka",
            "--country", "Zambia", "--parents", "gate")
    return box


def test_contacts_are_data(box):
    assert box.cli("alert", "add", "Ops", "mail=ops@example.org",
                   "system=Box") == "added contact Ops\n"
    added = js(box, "alert", "add", "pager",
               "webhook=https://pager.example.net/x", "min=down")
    assert base64.b64decode(added["secret"].removeprefix("whsec_"))
    rows = {r["contact"]: r for r in js(box, "alert", "list")["contacts"]}
    assert rows["Ops"] == {"contact": "Ops", "channel": "mail",
                           "to": "ops@example.org", "min": "degraded",
                           "systems": ["Box"]}
    assert rows["pager"]["min"] == "down"
    assert added["secret"] not in box.cli("alert", "list")
    assert box.cli("alert", "add", "ops", "mail=x@example.org",
                   check=False).returncode == REFUSED
    for bad in (["mail=nobody"], ["mail=a@b.example", "mail=c@d.example"],
                ["webhook=ftp://x.example/"], ["min=down"],
                ["mail=a@b.example", "min=some"], ["mail=a@b.example", "x"],
                ["mail=a b@example.org"],
                ["mail=a@b.example\r\nBcc: c@d.example"]):
        assert box.cli("alert", "add", "bad", *bad,
                       check=False).returncode == USAGE, bad
    for bad in (["mail=a@b.example", "system=mistyped"],
                ["mail=a@b.example", "system=Box", "system=mistyped"]):
        done = box.cli("alert", "add", "bad", *bad, check=False)
        assert done.returncode == REFUSED and "mistyped" in done.stderr
    box.cli("alert", "remove", "OPS")
    # Who did it, without any secret.
    lines = box.cli("audit", "list", "--what", "alert.", "--json")
    done = {(x["what"], x["object"], x["detail"])
            for x in json.loads(lines)["lines"]}
    ops = "mail=ops@example.org system=Box"
    assert {("alert.put", "ops", ops), ("alert.remove", "ops", ops),
            ("alert.put", "pager",
             "webhook=https://pager.example.net/... min=down")} <= done
    assert added["secret"] not in lines
    assert box.cli("alert", "remove", "ops", check=False).returncode == REFUSED
    assert box.cli("alert", "test", "ops", check=False).returncode == REFUSED


def test_contacts_change(box):
    box.cli("alert", "add", "one", "mail=one@example.org", "system=Box")
    def row():
        return js(box, "alert", "list")["contacts"][0]
    assert js(box, "alert", "change", "ONE", "min=down") == {
        "changed": "one", "secret": None}
    assert (row()["to"], row()["min"], row()["systems"]) == (
        "one@example.org", "down", ["Box"])
    box.cli("alert", "change", "one", "system=gate", "system=box",
            "mail=two@example.org")
    assert (row()["to"], row()["systems"]) == ("two@example.org",
                                               ["Gate", "Box"])
    box.cli("alert", "change", "one", "system=")
    assert row()["systems"] == []
    log = js(box, "audit", "list", "--object", "one")["lines"]
    assert {"mail=one@example.org min=down system=Box",
            "mail=two@example.org min=down"} <= {x["detail"] for x in log}
    # A webhook in place of an address is signed; the secret then stays.
    made = js(box, "alert", "change", "one", "webhook=https://a.example/x")
    assert made["secret"].startswith("whsec_")
    assert js(box, "alert", "change", "one", "webhook=https://b.example/x"
              )["secret"] is None
    assert (row()["channel"], row()["to"]) == ("webhook",
                                               "https://b.example/x")
    for bad, code in ((["one"], USAGE), (["one", "min=some"], USAGE),
                      (["one", "mail="], USAGE),
                      (["one", "system=mistyped"], REFUSED),
                      (["nobody", "min=down"], REFUSED)):
        assert box.cli("alert", "change", *bad, check=False
                       ).returncode == code, bad
    assert row()["to"] == "https://b.example/x"
    box.cli("alert", "remove", "one")


def test_webhooks_to_ourselves_are_refused_at_once(make_server):
    server = make_server({})
    for url in ("https://127.0.0.1:8443/x", "https://[::1]/x",
                "https://10.1.2.3/x", "https://localhost/x",
                "https://a.LocalHost/x", "https://[::ffff:192.168.1.1]/x"):
        for args in (("alert", "add", "hook", f"webhook={url}"),
                     ("subscriber", "add", url)):
            done = server.cli(*args, check=False)
            assert done.returncode == REFUSED, (args, done)
            assert "watch.allow_local" in done.stderr
    assert js(server, "alert", "list")["contacts"] == []
    server.cli("alert", "add", "hook", "webhook=https://hooks.example/x")


def test_that_nobody_watched_is_told_afterwards(make_server):
    server = make_server({})
    server.cli("alert", "add", "ops", "mail=ops@example.org")
    server.cli("system", "add", "Box", "other")
    server.cli("check", "add", "box/t", "tcp", "127.0.0.1:1")
    noted = server.data / "watch" / "watched.at"
    wait_for(lambda: noted.exists() and noted.stat().st_size == 8, 15, "noted")
    server.stop()
    noted.write_bytes(int((time.time() - 300) * 1000).to_bytes(8, "big"))
    server.start()
    told = wait_for(lambda: outbox(server, about="the watcher"), 20, "told")
    # And the time that it took to start.
    assert [re.sub("[678] min", "5 min", m["subject"]) for m in told] == [
        "[UNKNOWN] Nothing was watched for 5 min"]


def test_the_first_relay_that_takes_it(box, relays):
    first, second = relays
    first.refuses["MAIL"] = "451 4.3.0 not now"
    box.cli("alert", "add", "ops", "mail=ops@example.org")
    done = js(box, "alert", "test", "ops")
    assert done["state"] == "sent"
    assert done["by"] == f"127.0.0.1:{second.port}"
    tried = attempts(box)
    assert [(a["by"], a["result"]) for a in tried] == [
        (f"127.0.0.1:{first.port}", "later"),
        (f"127.0.0.1:{second.port}", "taken")]
    assert tried[0]["reply"] == "451 4.3.0 not now"
    message, = second.messages
    m = parsed(message)
    assert m["To"] == "ops@example.org" and message.rcpts == ["ops@example.org"]
    assert m["Auto-Submitted"] == "auto-generated"
    assert m["Date"].datetime and m["Message-ID"]
    assert "Nothing has happened" in m.get_content()
    # A relay's refusal is its own: the next one may think otherwise.
    first.refuses = {"RCPT": "550 5.7.1 relaying denied"}
    assert js(box, "alert", "test", "ops")["state"] == "sent"
    # Nobody takes it: our own queue is the last resort (which holds it here).
    for r in relays:
        r.refuses = {"RCPT": "450 4.2.1 later"}
    assert box.cli("alert", "test", "ops", check=False).returncode == TEMPFAIL
    wait_for(lambda: attempts(box, by="own queue", result="taken"), 30,
             "the queue takes it")
    queued, = js(box, "queue", "list")["queue"]
    assert queued["recipient"] == "ops@example.org"
    assert queued["sender"] in ("", "<>", None)


def test_webhooks(box):
    hooks = Hooks()
    try:
        added = js(box, "alert", "add", "hook", f"webhook={hooks.url}")
        hooks.answers = [500, 302, 429]
        d = box.cli("alert", "test", "hook", check=False)
        assert d.returncode == TEMPFAIL
        wait_for(lambda: outbox(box, state="sent"), what="it is not taken")
        assert len(hooks.seen) == 4, "it is tried again"
        assert {path for _, _, path in hooks.seen} == {"/hook?a=b"}
        assert len({h["webhook-id"] for h, _, _ in hooks.seen}) == 1
        key = base64.b64decode(added["secret"].removeprefix("whsec_"))
        for headers, body, _ in hooks.seen:
            text = (f"{headers['webhook-id']}.{headers['webhook-timestamp']}."
                    .encode() + body)
            mac = base64.b64encode(hmac.digest(key, text, hashlib.sha256))
            assert headers["webhook-signature"] == f"v1,{mac.decode()}"
            assert json.loads(body)["type"] == "test"
        assert [a["reply"] for a in attempts(box)] == [
            "status 500", "status 302", "status 429", "status 204"]
        # Gone is gone.
        hooks.answers = [410]
        assert box.cli("alert", "test", "hook",
                       check=False).returncode == REFUSED
        # Nothing of it is in the log, and the URL may be a secret.
        assert "whsec_" not in box.log() and "/hook" not in box.log()
        # Why nobody answered is there to its last word.
        port, = free_ports(1)
        box.cli("alert", "add", "closed", f"webhook=http://127.0.0.1:{port}/")
        assert box.cli("alert", "test", "closed",
                       check=False).returncode == TEMPFAIL
        said = [a["reply"] for a in attempts(box) if str(port) in a["reply"]]
        assert said and said[0].endswith("connect to server"), attempts(box)
        box.cli("alert", "remove", "closed")
        # Networks of our own are out of reach, unless a test wants them.
        box.configure({"watch": {"allow_local": "no", "retry": "1s"}})
        box.cli("reload")
        assert box.cli("alert", "test", "hook",
                       check=False).returncode == TEMPFAIL
        assert "address of this machine" in attempts(
            box, to=outbox(box, kind="test")[0]["to"])[-1]["reply"]
        assert len(hooks.seen) == 5
    finally:
        hooks.close()


def mails(relays):
    return [parsed(m) for r in relays for m in r.messages]


def subjects(relays):
    return [m["Subject"] for m in mails(relays)]


def test_one_alert_for_each_incident(box, relays):
    """A gate and a box behind it fail. Relays refuse, the watcher is killed,
    the store is killed; then each is told once, the box not at all."""
    hooks, gate, behind = Hooks(), Port(), Port()
    try:
        box.cli("alert", "add", "ops", "mail=ops@example.org", "min=down")
        box.cli("alert", "add", "hook", f"webhook={hooks.url}")
        box.cli("system", "add", "Elsewhere", "other")
        box.cli("alert", "add", "other", "mail=other@example.org",
                "system=elsewhere")
        box.cli("check", "add", "gate/t", "tcp", gate.target, "every=2s")
        box.cli("check", "add", "box/t", "tcp", behind.target, "every=2s")
        wait_for(lambda: set(states(box).values()) == {"up"}, 30, "all up")
        for r in relays:
            r.refuses = {"MAIL": "421 4.3.2 not now"}
        gate.close()
        behind.close()
        assert box.wait_log(r"watch.alert check=gate/t state=down", 60)
        wait_for(lambda: hooks.seen, 10, "the webhook came")
        # What is noted is not told again by who comes next.
        wait_for(lambda: outbox(box, about="gate/t", kind="alert",
                                state="sent"), what="rows")
        box.kill("watch", signal.SIGKILL)
        box.kill("store", signal.SIGKILL)
        for r in relays:
            r.refuses = {}
        wait_for(lambda: states(box).get("gate/t", "").startswith("down") and
                 states(box).get("box/t", "").startswith("down"), 60,
                 "both are down, also for the new one")
        wait_for(lambda: not outbox(box, state="waiting"), 30, "all is sent")
        told = [json.loads(body) for _, body, _ in hooks.seen]
        assert [(t["check"], t["state"]) for t in told] == [("gate/t", "down")]
        assert told[0]["cause"] == "connection refused"
        assert told[0]["is_new"] is True
        # Back again: "up" where "down" was told.
        behind.open()
        gate.open()
        assert box.wait_log(r"watch.alert check=gate/t state=fine", 60)
        wait_for(lambda: set(states(box).values()) == {"up"}, 60, "all up")
        wait_for(lambda: len(hooks.seen) == 2, 10, "and that is told")
        wait_for(lambda: not outbox(box, state="waiting"), 10, "all is sent")
        told = [json.loads(body) for _, body, _ in hooks.seen]
        assert [(t["check"], t["state"]) for t in told] == [
            ("gate/t", "down"), ("gate/t", "fine")]
        assert "box/t" not in " ".join(
            re.findall(r"watch.alert .*", box.log()))
        assert len(outbox(box, kind="alert")) == 4
        got = mails(relays)
        assert {m["To"] for m in got} <= {"ops@example.org"}
        up = [m for m in got if m["Subject"] == "[UP] Gate: t"]
        assert len(up) == 1 and up[0]["References"]
        assert "It all took" in up[0].get_content()
    finally:
        hooks.close()
        gate.close()
        behind.close()


@contextlib.contextmanager
def at_once(server):
    """What is done in it is one moment to the watcher."""
    watchers = server.pids("watch")
    for pid in watchers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in watchers:
            os.kill(pid, signal.SIGCONT)


def test_one_mail_for_what_fails_together(box, relays):
    """Three ports of a system close: one mail, one webhook each; and so when they are
    back. A port that opens and closes is told of a few times, and then no more."""
    hooks, ports = Hooks(), [Port() for _ in range(5)]
    try:
        box.cli("system", "add", "Flap", "other")
        box.cli("alert", "add", "ops", "mail=ops@example.org")
        box.cli("alert", "add", "hook", f"webhook={hooks.url}")
        for name, port in zip(("box/a", "box/b", "box/c", "box/d", "flap/e"),
                              ports):
            box.cli("check", "add", name, "tcp", port.target, "every=2s")
        flap, together = ports[4], ports[1:4]
        wait_for(lambda: list(states(box).values()) == ["up"] * 5, 30, "up")
        with at_once(box):
            for p in together:
                p.close()
        wait_for(lambda: len(hooks.seen) == 3, 40, "each is told")
        wait_for(lambda: not outbox(box, state="waiting"), 10, "all is sent")
        assert subjects(relays) == ["[DOWN] Box: b, c, d"]
        text = mails(relays)[0].get_content()
        assert "3 checks of 1 system failed at about the same time." in text
        assert all(f"box/{c} is down since" in text for c in "bcd")
        with at_once(box):
            for p in together:
                p.open()
        wait_for(lambda: len(hooks.seen) == 6, 40, "and their end")
        wait_for(lambda: not outbox(box, state="waiting"), 10, "all is sent")
        assert subjects(relays) == ["[DOWN] Box: b, c, d", "[UP] Box: b, c, d"]
        down, up = mails(relays)
        assert set(down["References"].split()) == set(up["References"].split())
        # Five changes within an hour.
        for is_down in (True, False, True, False, True):
            (flap.close if is_down else flap.open)()
            wait_for(lambda: states(box)["flap/e"].startswith("down")
                     == is_down, 40, "it changes")
        wait_for(lambda: "[UNSTABLE] Flap: e" in subjects(relays), 30, "told")
        wait_for(lambda: not outbox(box, state="waiting"), 10, "all is sent")
        n = len(mails(relays))
        assert n <= 7
        for is_down in (False, True, False):
            (flap.close if is_down else flap.open)()
            wait_for(lambda: states(box)["flap/e"].startswith("down")
                     == is_down, 40, "it changes")
        wait_for(lambda: not outbox(box, state="waiting"), 10, "all is sent")
        assert len(mails(relays)) == n, "and not again"
        assert len({m["References"] for m in mails(relays)[2:]}) == 1
    finally:
        hooks.close()
        for p in ports:
            p.close()


def queued(box, number):
    """Who got a post by the queue of this server: the way behind three rounds in
    which all others failed, which do not take long here."""
    return [a["to"] for a in attempts(box, kind="news",
                                      about=f"{number:08}/0000",
                                      by="own queue", result="taken")]


def post_to_all(box, title):
    """A post of a box that is down; its number when there is a message to each
    of the twenty."""
    number = js(box, "post", "new", "notice", title, "--text", "This is it.",
                "--affects", "box=down")["added"]
    number = int(number) if str(number).isdigit() else number
    wait_for(lambda: len(outbox(box, kind="news",
                                about=f"{number:08}/0000")) == 20,
             what="not all are told")
    return number


def take_one_back(box):
    """A post that is deleted while messages about it wait. Now and then they have
    all gone by then."""
    said = len(box.log())

    def is_told():
        box.cli("post", "delete", str(post_to_all(box, "A mistake")))
        # Rounds that are under way end as they would have.
        wait_for(lambda: not outbox(box, state="waiting"), 60, "all is over")
        return "watch.tell.gone" in box.log()[said:]
    wait_for(is_told, 4 * 60, "they go out all the same")


def test_news_to_subscribers_once_each(box, relays):
    """Each post, each update, to who wants it; however often the watcher
    dies meanwhile."""
    first, second = relays
    people = {f"a{i}@example.org" for i in range(20)}
    for who in people:
        box.cli("subscriber", "add", who)
    box.cli("subscriber", "add", "chef@example.org", "--systems", "gate",
            "--language", "fr")
    box.cli("subscriber", "add", "tags@example.org", "--tags", "disks")
    for r in relays:
        r.refuses = {"MAIL": "451 4.3.0 not now"}
    box.cli("post", "new", "incident", "Mail is slow", "--text",
            "We *know* why.", "--affects", "box=down", "--state",
            "identified")
    wait_for(lambda: len(outbox(box, kind="news")) == 20, 20, "all are told")
    for _ in range(2):
        box.kill("watch", signal.SIGKILL)
    first.refuses = {}
    wait_for(lambda: not outbox(box, state="waiting"), 60, "all is sent")
    got = [m.rcpts[0] for m in first.messages] + queued(box, 1)
    assert sorted(got) == sorted(people)
    m = parsed(first.messages[0])
    assert m["Subject"].endswith("identified: Mail is slow")
    assert "Box (down)" in m.get_content().replace("box", "Box")
    assert m["From"] == "Example Mail <status@example.org>"
    assert m["Reply-To"] == "help@example.org" and m["List-Id"]
    assert m["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.search(r"<(https://\S+/unsubscribe\?to=\S+&token=\S+)>",
                     m["List-Unsubscribe"])
    assert link and link.group(1) in m.get_content()
    # An update, which is in the scope of one more; then one that is quiet.
    first.messages.clear()
    box.cli("post", "update", "1", "--text", "The gate as well.",
            "--affects", "box=down, gate=down")
    wait_for(lambda: len(first.messages) == 21, 60, "all got it")
    french, = [parsed(m) for m in first.messages
               if m.rcpts == ["chef@example.org"]]
    assert "cause trouvée" in french["Subject"]
    assert french["References"] == m["References"]
    box.cli("post", "update", "1", "--text", "Ssh.", "--quiet")
    box.cli("post", "new", "notice", "New disks", "--text", "Big ones.",
            "--tags", "disks", "--draft")
    first.messages.clear()
    box.cli("post", "edit", "2", "--publish", "+1s")
    wait_for(lambda: len(first.messages) == 21, 60, "when it is public")
    assert {m.rcpts[0] for m in first.messages} == people | {
        "tags@example.org"}
    # A new start finds nothing that is new.
    box.restart()
    assert box.wait_log("watch.loaded|proc.ready", 10)
    wait_for(lambda: js(box, "watch", "outbox"), 5, "it is there")
    box.cli("alert", "add", "ops", "mail=ops@example.org")
    assert js(box, "alert", "test", "ops")["state"] == "sent"
    assert len(first.messages) == 22
    assert not outbox(box, state="waiting")
    # What is taken back before it went out is not told.
    first.messages.clear()
    for r in relays:
        r.refuses = {"MAIL": "451 4.3.0 not now"}
    take_one_back(box)
    assert not first.messages and not second.messages
    # Nor is who left, and who is no contact any more.
    number = post_to_all(box, "Another")
    box.cli("alert", "add", "gone", "mail=gone@example.org")
    assert box.cli("alert", "test", "gone",
                   check=False).returncode == TEMPFAIL
    box.cli("alert", "remove", "gone")
    box.cli("subscriber", "remove", "a7@example.org")
    first.refuses = {}
    wait_for(lambda: not outbox(box, state="waiting"), 60, "all is over")
    got = {m.rcpts[0] for m in first.messages}
    early = set(queued(box, number))
    assert "a7@example.org" not in got and not got & early
    assert got | early | {"a7@example.org"} == people
    over = {m["to"] for m in outbox(box, state="expired", about=f"{number:08}/0000")
            + outbox(box, state="expired", kind="test")}
    assert "a7@example.org" in over | early and "gone@example.org" in over


def by_api(box, method, path, *values):
    """The last answer to these values, on one connection; or to none."""
    key = js(box, "key", "add", "test", "--scopes", "subscribers")["token"]
    c = http.client.HTTPConnection("127.0.0.1", box.ports["http"], timeout=60)
    for value in values or (None,):
        c.request(method, "/api/v1" + path,
                  None if value is None else json.dumps(value),
                  {"Authorization": f"Bearer {key}",
                   **({} if value is None else
                      {"Content-Type": "application/json"})})
        with c.getresponse() as r:
            answer = json.loads(r.read())
            assert r.status in (200, 201), answer
    c.close()
    return answer


def subscribe(box, people):
    by_api(box, "POST", "/subscribers", *({"to": who} for who in people))


def test_news_share_connections(make_server):
    """A few connections carry all. What one receiver's mail meets is nothing to the
    others, and a watcher that is killed repeats what was under way at most."""
    places, cut = 12, []
    is_killed = threading.Event()

    def rule(receiver, session, stage, arg):
        if stage == "RCPT" and arg == "a3@example.org":
            return "550 5.1.1 no such user"
        # The second mail of a connection: it ends behind the first.
        if stage == "MAIL" and session.mails == 1 and len(cut) < 3:
            cut.append(session.number)
            return "421 4.3.2 enough" if len(cut) == 2 else CUT
        # Some have it, and the others do not: that is when the watcher is killed.
        if stage == "end" and len(receiver.messages) >= 30:
            is_killed.wait(120)
        return None
    relay = Receiver(rule=rule)
    people = [f"a{i}@example.org" for i in range(100)]
    try:
        box = make_server({"watch": {"relays": [f"127.0.0.1:{relay.port}"],
                                     "retry": "1s", "direct": "no"}})
        subscribe(box, people)
        box.cli("post", "new", "notice", "Much to carry", "--text", "Yes.")
        wait_for(lambda: len(relay.messages) >= 30, 30, "they come")
        before = [m.rcpts[0] for m in relay.messages]
        box.kill("watch", signal.SIGKILL)
        is_killed.set()
        assert len(before) < 90 and len(set(before)) == len(before)
        wait_for(lambda: len({m.rcpts[0] for m in relay.messages}) == 99, 60,
                 "all but one have it")
        wait_for(lambda: not outbox(box, state="waiting"), 20, "noted")
        assert [m["to"] for m in outbox(box, state="refused")] == [
            "a3@example.org"]
        got = [m.rcpts[0] for m in relay.messages]
        assert set(got) == set(people) - {"a3@example.org"}
        assert len(got) - len(set(got)) <= places
        ids = {(m.rcpts[0], parsed(m)["Message-ID"]) for m in relay.messages}
        assert len(ids) == 99, "who got it twice can see that"
        assert len(cut) == 3
        # Places of two processes, three that were cut, and what refused one.
        assert relay.sessions <= 2 * places + 3 + 20
        assert "watch.tell.later" not in box.log()
    finally:
        relay.close()


def report(box, path, status="5.1.1", text=None):
    """As a mail server sends it to the return path; its answer."""
    text = text or (
        "Content-Type: multipart/report; report-type=delivery-status;"
        " boundary=b\r\nSubject: Undelivered\r\n\r\n--b\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.org\r\n\r\n"
        "Final-Recipient: rfc822; who@example.org\r\nAction: failed\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; 550 {status} no such "
        "user\r\n--b--\r\n")
    with smtplib.SMTP("127.0.0.1", box.ports["mx"]) as c:
        c.ehlo("mx.example.org")
        c.docmd("MAIL", "FROM:<>")
        assert c.docmd("RCPT", f"TO:<{path}>")[0] == 250
        return c.data(text.encode())[0]


def test_what_comes_back(make_server):
    """News and confirmations name their subscription in the return path. What comes
    back there counts, and what is refused at once; nobody else's word does."""
    def rule(receiver, session, stage, arg):
        if stage == "RCPT" and arg == "refused@example.org":
            return "550 5.1.1 no such user"
        return None
    relay = Receiver(rule=rule)
    try:
        box = make_server({"watch": {"relays": [f"127.0.0.1:{relay.port}"],
                                     "retry": "1s", "direct": "no"},
                           "site": {"from": "status@test.example"}})

        def people():
            return {s["to"]: s
                    for s in js(box, "subscriber", "list")["subscribers"]}

        def path_to(who):
            return {m.rcpts[0]: m.sender for m in relay.messages}.get(who)
        subscribe(box, ["back@example.org", "well@example.org",
                        "refused@example.org"])
        # A new watcher asks at once whose domain it is: now there is one.
        box.kill("watch", signal.SIGKILL)

        def is_tagged():
            box.cli("post", "new", "notice", "Hello", "--text", "Hello.")
            wait_for(lambda: path_to("back@example.org"), 20, "it comes")
            path = path_to("back@example.org")
            relay.messages.clear() if "+" not in path else None
            return "+" in path
        wait_for(is_tagged, 70, "the return path has a tag")
        path = path_to("back@example.org")
        local, domain = path.split("@")
        assert local.startswith("mail-reports+") and domain == "test.example"
        assert path != path_to("well@example.org")
        m, = [m for m in relay.messages if m.rcpts == ["back@example.org"]]
        assert parsed(m)["From"].endswith("<status@test.example>")
        # Not what may be well tomorrow, what nobody of ours made, what is no report.
        assert report(box, path, "4.2.2") == 250
        assert report(box, "mail-reports+" + "a" * 32 + "@test.example") == 250
        assert report(box, path, text="Subject: I am away\r\n\r\nbye\r\n") == 550
        assert report(box, path.upper()) == 250
        wait_for(lambda: people()["back@example.org"]["bounces"], 20, "counted")
        assert report(box, path) == 250
        wait_for(lambda: people()["refused@example.org"]["bounces"], 20,
                 "so is what is refused")
        assert {s["to"]: (s["state"], s["bounces"]) for s in
                people().values()} == {
            "back@example.org": ("confirmed", 1),
            "refused@example.org": ("confirmed", 1),
            "well@example.org": ("confirmed", 0)}
        assert people()["back@example.org"]["why"] == "550 5.1.1 no such user"
        box.cli("subscriber", "resume", "back@example.org")
        assert people()["back@example.org"]["bounces"] == 0
        # By the API as well, with a line of the log.
        path = "/subscribers?to=refused@example.org"
        before, = by_api(box, "GET", path)["subscribers"]
        assert (before["bounces"], before["why"]) == (
            1, people()["refused@example.org"]["why"])
        assert by_api(box, "POST", path.replace("?", "/resume?")) == {
            **before, "bounces": 0, "why": None}
        assert people()["refused@example.org"]["bounces"] == 0
        assert {x["object"]: x["who"][:4]
                for x in js(box, "audit", "list")["lines"]
                if x["what"] == "subscriber.resume"} == {
                    "back@example.org": "user", "refused@example.org": "key "}
        # Who never confirmed is forgotten.
        c = http.client.HTTPConnection("127.0.0.1", box.ports["http"])
        c.request("POST", "/subscribe", "address=new%40example.org",
                  {"Content-Type": "application/x-www-form-urlencoded"})
        c.getresponse().read()
        wait_for(lambda: path_to("new@example.org"), 20, "it asks")
        assert people()["new@example.org"]["state"] == "pending"
        assert report(box, path_to("new@example.org")) == 250
        wait_for(lambda: "new@example.org" not in people(), 20, "dropped")
    finally:
        relay.close()


def test_an_alert_waits_for_nothing_that_hangs(make_server):
    """No name server answers; the first relay takes connections and says nothing;
    of the second a check says that it is down, and it is the one that works."""
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 0))
    hangs = socket.create_server(("127.0.0.1", 0), backlog=1000)
    works = Receiver()
    first, second = (f"127.0.0.1:{port}" for port in (
        hangs.getsockname()[1], works.port))
    try:
        box = make_server({
            "dns": {"servers": [f"127.0.0.1:{names.getsockname()[1]}"],
                    "dnssec": "no"},
            "watch": {"relays": [first, second], "confirm": "1s"}})
        box.cli("alert", "add", "ops", "mail=ops@example.org")
        box.cli("system", "add", "Relay", "relay")
        box.cli("check", "add", "relay/odd", "imap", second, "tls=never",
                "every=2s")
        assert box.wait_log(r"watch.alert check=relay/odd state=down", 60)
        now = wait_for(lambda: [m for m in outbox(box, state="waiting")
                                if m["trying"]], 5, "it is being tried")[0]
        # First of all the one that hangs; but it may have been given up.
        assert now["trying"] in (first, "example.org", second)
        since = datetime.datetime.fromisoformat(now["trying_since"])
        assert -1 <= time.time() - since.timestamp() < 120
        assert re.search(
            rf" (being tried +({first}|example\.org|{second})|sent) ",
            box.cli("watch", "outbox"))
        wait_for(lambda: works.messages, 60, "it was told")
        done, = wait_for(lambda: outbox(box, state="sent"), 10, "noted")
        assert done["trying"] is None and done["trying_since"] is None
        assert [a["by"] for a in attempts(box)] == [
            first, "example.org", second]
        # That they do not answer is known: what needs no name comes first.
        assert js(box, "alert", "test", "ops")["state"] == "sent"
        assert [a["by"] for a in attempts(box, kind="test")] == [first, second]
    finally:
        names.close()
        hangs.close()
        works.close()


@pytest.mark.skipif(not dns.is_there(), reason="knot is not installed")
def test_the_receivers_own_servers(make_server):
    """Without relays: the MX hosts, in their order; who refuses the receiver
    has the last word, but not about an alert."""
    receiver = Receiver(rule=lambda r, s, stage, arg: r.refuses.get(stage))
    receiver.refuses = {}
    zone = dns.NameServer(["@ MX 10 nobody", "@ MX 20 mx", "nobody A 127.0.0.9",
                           "mx A 127.0.0.1", "none MX 0 ."]).start()
    try:
        box = make_server({
            "dns": {"servers": [f"127.0.0.1:{zone.port}"], "dnssec": "no"},
            "send": {"port": receiver.port},
            "watch": {"retry": "1s", "allow_local": "yes"}})
        box.cli("alert", "add", "ops", "mail=ops@example")
        box.cli("alert", "add", "none", "mail=ops@none.example")
        done = js(box, "alert", "test", "ops")
        assert (done["state"], done["by"]) == (
            "sent", f"mx.example:{receiver.port}")
        assert [a["by"] for a in attempts(box)] == [
            f"nobody.example:{receiver.port}", f"mx.example:{receiver.port}"]
        receiver.refuses = {"RCPT": "550 5.1.1 no such user"}
        d = box.cli("alert", "test", "ops", check=False)
        assert d.returncode == REFUSED and "5.1.1 no such user" in d.stdout
        d = box.cli("alert", "test", "none", check=False)
        assert d.returncode == REFUSED and "null MX" in d.stdout
        assert not js(box, "queue", "list")["queue"]
        # Addresses of this machine are nobody's mail servers.
        box.configure({
            "dns": {"servers": [f"127.0.0.1:{zone.port}"], "dnssec": "no"},
            "send": {"port": receiver.port},
            "watch": {"retry": "1s", "allow_local": "no"}})
        box.cli("reload")
        receiver.refuses = {}
        d = box.cli("alert", "test", "ops", check=False)
        assert d.returncode == TEMPFAIL
        assert "address of this machine" in d.stdout
        assert len(receiver.messages) == 1
    finally:
        zone.stop()
        receiver.close()


def test_relays_that_want_signing_in(make_server, tmp_path):
    """Behind TLS, and a certificate that is good; else the next one."""
    ca = pki.Cert("Test CA", is_ca=True)
    good = pki.Cert("localhost", issuer=ca)
    bad = pki.Cert("localhost")
    contexts = []
    for cert in (bad, good):
        contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        contexts[-1].load_cert_chain(cert.pem, cert.key)
    users = {"alerts": "the pass word"}
    relays = [Receiver(tls=c, users=users) for c in contexts]
    logins = tmp_path / "logins"
    logins.write_text("# relays\nlocalhost alerts the pass word\nnonsense\n")
    try:
        box = make_server({"watch": {
            "relays": [f"localhost:{r.port}" for r in relays],
            "relay_logins": logins, "ca_file": ca.pem, "direct": "no"}})
        box.cli("alert", "add", "ops", "mail=ops@example.org")
        assert js(box, "alert", "test", "ops")["state"] == "sent"
        first, second = attempts(box)
        assert "certificate" in first["reply"] and first["result"] == "later"
        assert not any(c.startswith("AUTH") for c in relays[0].commands)
        message, = relays[1].messages
        assert message.is_tls and message.session.login == "alerts"
        assert "pass word" not in box.log()
    finally:
        for r in relays:
            r.close()

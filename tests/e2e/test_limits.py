# SPDX-License-Identifier: ISC
"""Accounts that send too much: what is taken and held, who is told, what the
operator does, and that a crash changes none of it."""
import json
import re
import smtplib
import time

import pytest

from lib.instance import PASSWORD, free_ports, wait_for
from lib.imap import read_all
from lib.receiver import Receiver

REFUSED, USAGE = 1, 2


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def show(server, account):
    return js(server, "account", "show", account)


class World:
    def __init__(self, make_server):
        port = free_ports(1)[0]
        self.receiver = Receiver(host="127.0.0.1", port=port)
        self.server = make_server({
            "send": {"routes": [f"* 127.0.0.1:{port} tls=never"],
                     "retry": "1s", "retry_max": "1s"},
            "limits": {"account_recipients": 20, "account_first_time": 8,
                       "account_surge": 5}})

    def submit(self, account, *to):
        with smtplib.SMTP_SSL(
                "127.0.0.1", self.server.ports["submissions"],
                context=self.server.tls(), timeout=60) as c:
            c.login(str(account), PASSWORD)
            return c.sendmail(str(account), to, (
                f"From: <{account}>\r\nSubject: t\r\n\r\nhello\r\n"))

    def arrived(self):
        return sorted(r for m in self.receiver.messages for r in m.rcpts)

    def wait_arrived(self, n):
        wait_for(lambda: len(self.arrived()) >= n, 10,
                 f"{n} did not arrive: {self.arrived()}")
        assert len(self.arrived()) == n


@pytest.fixture
def world(make_server):
    w = World(make_server)
    yield w
    w.receiver.close()


def names(first, n):
    return [f"r{i}@far.example" for i in range(first, first + n)]


def held(server, account):
    return sorted(r["recipient"] for r in js(
        server, "queue", "list", "--account", account)["queue"])


def inbox(account):
    return [m.decode() for m in read_all(account)]


def test_a_stolen_account_is_held_and_told_of(world):
    server = world.server
    thief, postmaster = server.new_account(), server.new_account()
    server.cli("alias", "add", "postmaster@" + server.domain, postmaster)
    world.submit(thief, *names(0, 8))
    world.wait_arrived(8)
    # One stranger too many: it is taken, and all of it waits.
    world.submit(thief, *names(6, 4))
    world.submit(thief, *names(0, 1))
    row = show(server, thief)
    assert row["state"] == "held" and row["held"] == 5
    assert row["why"] == "first-time recipients today: 10, limit 8"
    assert (row["first_time"], row["recipients"]) == (10, 13)
    assert held(server, thief) == sorted(names(6, 4) + names(0, 1))
    assert [a["address"] for a in js(
        server, "account", "list", "--held")["accounts"]] == [str(thief)]
    server.wait_log(rf"event=store.account.held login={thief} .*"
                    r"why=first-time found=10 limit=8")
    wait_for(lambda: re.search(r"^mailstead_accounts_held{.*store.*} 1$",
                               server.cli("metrics"), re.M))
    # The operator has one mail, with the commands.
    mails = wait_for(lambda: inbox(postmaster), 60)
    assert f"Subject: Held: mail of {thief}" in mails[0]
    assert f"mailstead account release {thief}" in mails[0]
    time.sleep(1.5)  # it would come with the next second
    assert len(inbox(postmaster)) == 1
    # Whose life is told.
    mid = js(server, "queue", "list", "--account", thief)["queue"][0]["id"]
    events = js(server, "trace", mid)["trace"]
    assert "held-by-limit" in [e["event"] for e in events]
    # Nobody else is concerned.
    world.submit(postmaster, *names(100, 1))
    world.wait_arrived(9)


def test_release_lets_all_of_it_go(world):
    server, owner = world.server, world.server.new_account()
    world.submit(owner, *names(0, 9))
    world.submit(owner, *names(9, 3))
    assert show(server, owner)["held"] == 12
    assert world.arrived() == []
    done = js(server, "account", "release", owner)
    assert done == {"address": str(owner), "done": "released",
                    "recipients": 12}
    world.wait_arrived(12)
    row = show(server, owner)
    assert row["state"] == "open" and row["held"] == 0
    # The day begins anew, with what was sent known.
    world.submit(owner, *names(0, 8))
    world.wait_arrived(20)


def test_a_blocked_account_is_refused(world):
    server, thief = world.server, world.server.new_account()
    world.submit(thief, *names(0, 9))
    text = server.cli("account", "block", thief)
    assert text == f"blocked {thief}\n"
    with pytest.raises(smtplib.SMTPSenderRefused) as e:
        world.submit(thief, *names(0, 1))
    assert e.value.smtp_code == 550 and b"5.7.1" in e.value.smtp_error
    with pytest.raises(smtplib.SMTPSenderRefused):
        world.submit(thief, str(server.new_account()))
    assert show(server, thief)["held"] == 9
    text = server.cli("account", "open", thief, "--cancel")
    assert text == f"opened {thief}; 9 held recipients were cancelled\n"
    world.submit(thief, *names(20, 8))
    world.wait_arrived(8)
    assert show(server, thief)["state"] == "open"


def test_limits_of_an_account_and_of_a_domain(world):
    server, a = world.server, world.server.new_account()
    row = js(server, "account", "limit", a, "--first-time", "none")
    assert row["max_first_time"] is None and row["own_limits"] is True
    world.submit(a, *names(0, 15))
    world.wait_arrived(15)
    assert server.cli("account", "limit", server.domain, "--first-time",
                      "12") == f"changed the limits of {server.domain}\n"
    b = server.new_account()
    world.submit(b, *names(0, 12))
    world.wait_arrived(27)
    assert show(server, b)["max_first_time"] == 12
    bad = server.cli("account", "limit", b, "--first-time", "many",
                     check=False)
    assert bad.returncode == USAGE and '"many" is no number' in bad.stderr
    none = server.cli("account", "show", "nobody@test.example", check=False)
    assert none.returncode == REFUSED


def test_a_crash_loses_neither_counts_nor_held_mail(world):
    server, owner = world.server, world.server.new_account()
    world.submit(owner, *names(0, 5))
    server.kill("store")
    world.submit(owner, *names(5, 3))
    server.kill("store")
    world.submit(owner, *names(0, 8))
    world.wait_arrived(16)
    assert show(server, owner)["first_time"] == 8
    world.submit(owner, *names(8, 1))
    server.kill("store")
    server.kill_all()
    server.start()
    row = show(server, owner)
    assert row["state"] == "held" and row["held"] == 1
    assert row["known"] == 9 and row["recipients"] == 17
    world.submit(owner, *names(0, 2))
    server.cli("account", "release", owner)
    world.wait_arrived(19)
    assert server.cli("check", check=False).returncode == 0

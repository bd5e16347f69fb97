# SPDX-License-Identifier: ISC
"""Attacks that once got through: by what requests cost, by what slow clients
make the server keep, by what an answer gives away."""
import base64
import os
import re
import socket
import struct
import threading
import time

import pytest

from lib.cpu import cpu_s
from lib.dialogue import Dialogue, in_time
from lib.imap import Imap
from lib.instance import PATIENCE_S, Instance
from lib.testdata import message

MIB = 1 << 20
IS_SLOW = "MAILSTEAD_BIN" in os.environ
LARGE = message("large", ("y" * 76 + "\n") * (12 * MIB // 78))


@pytest.fixture(scope="module")
def attacked():
    """One for all tests here; nobody in it may die."""
    s = Instance({"auth": {"failures": 1000}})
    try:
        s.start()
        s.add_domain()
        yield s
        died = [p for p in s.status()["processes"] if p["restarts"]]
        assert not died, f"somebody died: {died}"
        s.stop()
    finally:
        s.remove()


def memory(server, role):
    total = 0
    for pid in server.pids(role):
        with open(f"/proc/{pid}/smaps_rollup") as f:
            total += 1024 * int(
                re.search(r"(?m)^Pss:\s+(\d+) kB", f.read()).group(1))
    return total


class Bystander(threading.Thread):
    """Another client of the same worker: how much did that work at most before
    it had an answer?"""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.client = Imap.sign_in(server.new_account())
        self.workers = server.pids("imap")
        self.longest, self.is_over = 0.0, False

    def run(self):
        while not self.is_over:
            start = cpu_s(self.workers)
            self.client.ok("NOOP")
            self.longest = max(self.longest, cpu_s(self.workers) - start)
            time.sleep(0.005)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.join(60)
        self.client.close()


# --- what an answer gives away -----------------------------------------------------


def salt(server, login):
    first = base64.b64encode(f"n,,n={login},r=abcdef".encode()).decode()
    with Imap(server, "imap") as c:
        c.start(f"AUTHENTICATE SCRAM-SHA-256 {first}")
        challenge = base64.b64decode(c.response().split(b" ", 1)[1])
    return re.search(rb",s=([^,]+),i=\d+", challenge)[1]


def test_a_salt_does_not_tell_who_exists(attacked):
    real, ghost = str(attacked.new_account()), "ghost@test.example"
    for login in (real, ghost):
        assert salt(attacked, login) == salt(attacked, login.upper())
    assert salt(attacked, real) != salt(attacked, ghost)


# --- sign-ins that nobody waits for ----------------------------------------------------


def reset(sock):
    sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_abandoned_sign_ins_leave_nothing_behind(attacked):
    account = attacked.new_account()
    token = base64.b64encode(
        f"\0{account}\0{account.password}".encode()).decode()
    for _ in range(100):
        c = Imap(attacked)
        c.send(f"a AUTHENTICATE PLAIN {token}")
        reset(c.sock)
        d = Dialogue(attacked.connect("submissions"))
        d.line()
        d.send("EHLO x.example", f"AUTH PLAIN {token}")
        reset(d.sock)
    with Imap.sign_in(account, "INBOX") as c:
        c.ok("NOOP")


# --- what requests cost ------------------------------------------------------------------


def test_a_list_of_wildcards_makes_nobody_wait(attacked):
    account = attacked.new_account()
    base = "/".join(["a" * 30] * 30)
    with Imap.sign_in(account) as c:
        for at in range(0, 2000, 200):
            tags = [c.start(f'CREATE "{base}/{"a" * 40}{i}"')
                    for i in range(at, at + 200)]
            for tag in tags:
                assert c.until(tag)[1].startswith(b"OK")
        with Bystander(attacked) as other:
            for pattern in ("*a" * 250 + "b", "%a*" * 300, "*" + "a" * 900):
                assert c.ok(f'LIST "" "{pattern}b"') == []
            many = " ".join(f'"{"*a" * 60}{i}x"' for i in range(20))
            assert c.ok(f'LIST "" ({many})') == []
    assert IS_SLOW or other.longest < 1, other.longest


def test_the_longest_list_there_can_be(attacked):
    """Mailboxes and as many other subscriptions: it once ended the store."""
    account = attacked.new_account()
    n = 9900
    with Imap.sign_in(account) as c:
        for command, letter in ("CREATE", "a"), ("SUBSCRIBE", "b"):
            base = "/".join([letter * 30] * 30) + "/" + letter * 50
            for at in range(0, n, 300):
                tags = [c.start(f'{command} "{base}{i}"')
                        for i in range(at, min(at + 300, n))]
                for tag in tags:
                    assert c.until(tag)[1].startswith(b"OK")
        assert len(c.ok('LIST "" "*"')) >= n
        assert len(c.ok('LSUB "" "*"')) >= n
        both = c.ok('LIST "" "*" RETURN (SUBSCRIBED STATUS (MESSAGES))')
        assert len(both) >= 2 * n


def test_a_search_for_many_strings_makes_nobody_wait(attacked):
    account = attacked.new_account()
    account.deliver(LARGE)
    keys = " ".join(f"NOT TEXT {'y' * 20}z{i}" for i in range(200))
    with Imap.sign_in(account, "INBOX") as c:
        with Bystander(attacked) as other:
            assert c.ok(f"SEARCH {keys}") == [b"* SEARCH 1"]
            assert c.ok(f"SEARCH {keys} TEXT absent") == [b"* SEARCH"]
    assert IS_SLOW or other.longest < 1, other.longest


# --- clients that do not read -----------------------------------------------------------


def test_unread_large_messages_cost_bounded_memory_imap(attacked):
    account = attacked.new_account()
    account.deliver(LARGE)
    clients = [Imap.sign_in(account, "INBOX") for _ in range(30)]
    before = memory(attacked, "imap")
    answers = []
    for c in clients:
        c.start("FETCH 1 BODY.PEEK[]")
        answers.append(c.line())
    assert IS_SLOW or memory(attacked, "imap") - before < 300 * MIB
    assert answers[0].startswith(b"* 1 FETCH "), answers
    assert answers[-1].startswith(b"t3 NO [LIMIT]"), answers
    for c in clients:
        c.close()
    with Imap.sign_in(account, "INBOX") as c:
        c.ok("FETCH 1 BODY.PEEK[]")


def test_unread_large_messages_cost_bounded_memory_pop3(attacked):
    account = attacked.new_account()
    account.deliver(LARGE)
    clients = []
    for _ in range(30):
        d = Dialogue(attacked.connect("pop3s"))
        d.line()
        d.ask(f"USER {account}", r"\+OK .*")
        d.ask(f"PASS {account.password}", r"\+OK .*")
        clients.append(d)
    before = memory(attacked, "imap")
    for d in clients:
        d.send("RETR 1")
    time.sleep(2)
    assert IS_SLOW or memory(attacked, "imap") - before < 100 * MIB
    for d in clients[:3]:
        d.expect(r"\+OK \d+ octets")
        assert d.until_dot().endswith(LARGE)
    for d in clients:
        d.close()


# --- messages that do not end ---------------------------------------------------------------


def test_a_message_that_stops_coming_is_given_up(make_server):
    server = make_server({"smtp": {"idle": "1s", "data_idle": "1s"}})
    account = server.new_account()

    def talk():
        d = Dialogue(server.connect("mx"))
        d.line()
        d.ask("HELO x.example", "250 .*")
        d.ask("MAIL FROM:<>", "250 .*")
        d.ask(f"RCPT TO:<{account}>", "250 .*")
        d.ask("DATA", "354 .*")
        d.send_raw((b"y" * 76 + b"\r\n") * 20000)
        return d
    d = in_time(talk)
    start = time.monotonic()
    with pytest.raises(OSError):
        while time.monotonic() < start + PATIENCE_S:
            d.send_raw(b"y")
            time.sleep(0.1)

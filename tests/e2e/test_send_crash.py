# SPDX-License-Identifier: ISC
"""SIGKILL at random moments between our queue and a receiver that counts.

Every message that was accepted arrives. Whatever dies but role send, it arrives
once. When send dies, what was between the final dot and its reply comes again,
which SMTP cannot avoid. What was behind a reply that was read never does: send
notes it where it outlives every process. The receiver can tell these apart, for
behind a reply that was read the client went on.

MAILSTEAD_SEND_CRASHES=200 MAILSTEAD_SEND_MESSAGES=100000 for the long run;
MAILSTEAD_SEEDS as in test_crash.py.
"""
import json
import os
import random
import re
import signal
import smtplib
import time

import pytest

from lib.counter import WENT_ON, Counter
from lib.instance import PASSWORD, wait_for
from lib.load import Imap
from lib.killer import Killer, targets
from lib.submitter import Submitter

KILLS = int(os.environ.get("MAILSTEAD_SEND_CRASHES", "16"))
MESSAGES = int(os.environ.get("MAILSTEAD_SEND_MESSAGES", "4000"))
SEEDS = [int(x) for x in os.environ.get("MAILSTEAD_SEEDS", "1").split(",")]
OTHERS = ("store", "store", "store", "smtp", "filter", "auth")
SENDERS = ("send", "send", "send", "store", "smtp", "supervisor", "all")
# What a kill of the sender can repeat: a message on each connection to the one
# destination (send.connections_per_destination).
AGAIN_MAX = 20
PROCESSES = 2
SETTLE_S = 120


def settings(port):
    return {"auth": {"allow_plaintext": "yes"},
            "store": {"segment_size": "4M", "reserve": "16M"},
            "limits": {"account_recipients": 0, "account_first_time": 0,
                       "account_surge": 0},
            "send": {"routes": [f"* 127.0.0.1:{port} tls=never"],
                     "retry": "1s", "retry_max": "2s"}}


def kill_while_they_submit(killer, counter, rnd, which):
    """The kills lie evenly over the messages, at random moments. How often
    role send died with them, and a report."""
    chosen = targets(rnd, KILLS, which)
    for i, target in enumerate(chosen):
        began = time.monotonic()
        while counter.count() < MESSAGES * i // KILLS and \
                time.monotonic() - began < SETTLE_S:
            time.sleep(0.02)
        time.sleep(rnd.random() * 0.3)
        killer.kill(target)
    return (sum(t in ("send", "supervisor", "all") for t in chosen),
            killer.report())


def wait_until_empty(server, counter, wanted):
    """All that was accepted came, and the queue knows it."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        queue = json.loads(server.cli("queue", "list", "--json"))["queue"]
        if not queue and counter.count() >= wanted:
            return
        assert time.monotonic() < deadline, \
            f"{counter.count()} of {wanted} came; in the queue: {queue[:5]}"
        time.sleep(0.2)


def submit_and_kill(make_server, seed, which):
    """(numbers accepted, those without a reply, what came, kills of send)"""
    counter = Counter()
    submitters = []
    try:
        server = make_server(settings(counter.port))
        login = server.new_account().login
        share = MESSAGES // PROCESSES
        submitters += [
            Submitter(server.ports["submission"], login, PASSWORD, "m",
                      i * share, (i + 1) * share) for i in range(PROCESSES)]
        rnd = random.Random(seed)
        killer = Killer(server, rnd)
        kills, report = kill_while_they_submit(killer, counter, rnd, which)
        accepted, unknown = set(), set()
        for s in submitters:
            result = s.wait(SETTLE_S)
            accepted |= {f"m-{n}" for n in result["accepted"]}
            unknown |= {f"m-{n}" for n in result["unknown"]}
        wait_until_empty(server, counter, len(accepted))
        seen = counter.stop()
    finally:
        counter.kill()
        for s in submitters:
            s.kill()
    print(f"seed {seed}: {KILLS} kills ({report}); {len(accepted)} messages "
          f"accepted, {len(unknown)} without a reply; {len(seen)} came")
    assert accepted - set(seen) == set(), "accepted, and did not come"
    assert set(seen) - accepted - unknown == set()
    server.cli("check")
    return seen, kills


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_comes_twice_when_others_than_the_sender_die(
        make_server, seed):
    seen, kills = submit_and_kill(make_server, seed, OTHERS)
    assert kills == 0
    assert {k: v for k, v in seen.items() if len(v) > 1} == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_little_comes_twice_when_the_sender_dies(
        make_server, seed):
    seen, kills = submit_and_kill(make_server, seed, SENDERS)
    again = sum(len(v) - 1 for v in seen.values())
    was_read = {k: v for k, v in seen.items() if WENT_ON in v[:-1]}
    print(f"{again} came once more after {kills} kills of the sender, "
          f"{len(was_read)} of them behind a reply that had been read")
    assert was_read == {}
    assert again <= kills * AGAIN_MAX


def kill_behind_its_delivery(server, sender, to, number):
    """A message to a user here, held for a second (RFC 4865). Role send dies
    when the store has been asked to deliver it, and has not answered. How much
    time send has for asking grows with the number, for slow machines."""
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as c:
        c.login(sender.login, PASSWORD)
        c.ehlo()
        c.sendmail(sender.login, [to.login],
                   f"Subject: held {number}\r\n\r\nx\r\n", ["HOLDFOR=1"])
    filters, store = server.pids("filter"), server.pids("store")[0]
    for pid in filters:
        os.kill(pid, signal.SIGSTOP)
    # Send has read the message, and waits for its structure; or it was quicker
    # than we were, and there is nothing to kill it in.
    def states():
        rows = json.loads(server.cli("queue", "list", "--json"))["queue"]
        return [r["state"] for r in rows]
    wait_for(lambda: states() in ([], ["active"]), 10, "it is not due")
    time.sleep(0.05 * (number + 1))
    os.kill(store, signal.SIGSTOP)
    for pid in filters:
        os.kill(pid, signal.SIGCONT)
    time.sleep(0.05 * (number + 1))
    os.kill(server.pids("send")[0], signal.SIGKILL)
    os.kill(store, signal.SIGCONT)
    wait_for(lambda: not json.loads(server.cli("queue", "list", "--json"))
             ["queue"], 20, "it is still in the queue")


def count(server, account):
    imap = Imap(server, account.login)
    untagged = imap.ok("EXAMINE INBOX")[1]
    imap.close()
    return next(int(r[0].split()[1]) for r in untagged
                if r[0].endswith(b" EXISTS"))


def test_held_mail_for_a_user_here_comes_once(make_server):
    server = make_server({"auth": {"allow_plaintext": "yes"}})
    sender, to = server.new_account(), server.new_account()
    for number in range(20):
        kill_behind_its_delivery(server, sender, to, number)
        asked = re.findall(r"event=store.deliver trace=(\S+h) ", server.log())
        assert count(server, to) == number + 1
        if len(asked) > len(set(asked)):
            return
    raise AssertionError("none was asked for twice")

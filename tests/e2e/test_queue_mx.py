# SPDX-License-Identifier: ISC
"""queue ... --mx: all mail for a host, what was never tried, too. Senders ask for a
later time, so that nothing is tried before the command looks."""
import json
import os
import signal

import pytest

from lib import dns
from lib.instance import PATIENCE_S, wait_for
from test_send import World

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

LATER = ["HOLDFOR=86400"]


@pytest.fixture(scope="module")
def world():
    w = World()
    w.add("mx1.big A 127.0.1.1", "mx2.big A 127.0.1.2", "mx A 127.0.1.3",
          "one MX 10 mx1.big", "two MX 5 mx", "two MX 10 mx2.big",
          "other MX 10 mx", "dead MX 0 .")
    yield w
    w.close()


@pytest.fixture
def user(world):
    yield world.server.new_account()
    world.server.cli("queue", "cancel", "--all")


def send_later(world, user, *to):
    world.send(user, list(to), options=LATER)


def js(world, *args, code=0):
    done = world.server.cli("queue", *args, "--json", check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout), done.stderr


def rows(world, *args, **options):
    told, _ = js(world, "list", *args, **options)
    return sorted((r["recipient"], r["state"], r["attempts"])
                  for r in told["queue"])


def test_what_was_never_tried_is_held_released_and_cancelled(world, user):
    send_later(world, user, "a@one.example", "b@two.example",
               "c@other.example", "d@dead.example", "e@mx1.big.example")
    big = ("--mx", "*.big.example")
    assert rows(world, *big) == [
        ("a@one.example", "waiting", 0), ("b@two.example", "waiting", 0),
        ("e@mx1.big.example", "waiting", 0)]
    assert rows(world, "--mx", "MX.example") == [
        ("b@two.example", "waiting", 0), ("c@other.example", "waiting", 0)]
    assert rows(world, "--mx", "*.big.example", "--domain", "two.example") \
        == [("b@two.example", "waiting", 0)]
    assert rows(world, "--mx", "mx.example", "--recipient",
                "a@one.example") == []
    told, err = js(world, "hold", *big)
    assert (told["changed"], told["unknown"], err) == (3, 0, "")
    assert [state for _, state, _ in rows(world)] == [
        "held", "held", "waiting", "waiting", "held"]
    # What comes now as well, and what moved there since.
    world.ns.change([r.replace("other MX 10 mx", "other MX 10 mx2.big")
                     for r in world.records])
    send_later(world, user, "z@one.example")
    assert js(world, "hold", "--mx", "mx1.big.example")[0]["changed"] == 1
    wait_for(lambda: rows(world, "--mx", "mx2.big.example", "--domain",
                          "other.example"), PATIENCE_S, "it did not move")
    assert js(world, "release", *big)[0]["changed"] == 4
    assert js(world, "cancel", "--mx", "mx1.big.example")[0]["changed"] == 3


def test_what_cannot_be_looked_up_is_told(world, user):
    # The name server refuses what is outside its zone.
    send_later(world, user, "a@one.example", "b@gone.example.net",
               "c@gone.example.net")
    told, err = js(world, "list", "--mx", "*.big.example", code=75)
    assert [r["recipient"] for r in told["queue"]] == ["a@one.example"]
    assert told["unknown"] == 2
    assert "2 recipients are left out" in err and "gone.example.net: " in err
    told, _ = js(world, "hold", "--mx", "*.big.example", code=75)
    assert (told["changed"], told["unknown"]) == (1, 2)
    # Of those that others selectors leave, nothing is said.
    told, err = js(world, "list", "--mx", "*.big.example", "--domain",
                   "one.example")
    assert (told["unknown"], err) == (0, "")


def test_that_mail_goes_nowhere_is_not_believed_for_ever(world, user):
    def direct(value):
        world.server.configure({"send": {"direct": value}})
        world.server.cli("reload")
    try:
        direct("no")
        send_later(world, user, "b@gone.example.net")
        told, err = js(world, "list", "--mx", "*.big.example")
        assert (told["queue"], told["unknown"], err) == ([], 0, "")
    finally:
        direct("yes")
    # It may go there now, and nobody can say where that is.
    told, err = js(world, "list", "--mx", "*.big.example", code=75)
    assert (told["queue"], told["unknown"]) == ([], 1)


def test_without_the_process_that_looks_up(world, user):
    def without():
        """It is ended until the supervisor does not start it at once; what
        the command learned when it did is forgotten with the mail."""
        world.server.cli("queue", "cancel", "--all")
        send_later(world, user, "a@one.example")
        for pid in world.server.pids("send"):
            os.kill(pid, signal.SIGKILL)
        done = world.server.cli("queue", "list", "--mx", "*.big.example",
                                "--json", check=False)
        return done.returncode == 75 and done
    done = wait_for(without, PATIENCE_S, "it is always there")
    told = json.loads(done.stdout)
    assert (told["queue"], told["unknown"]) == ([], 1)
    assert "process send does not answer" in done.stderr
    wait_for(lambda: world.server.cli("queue", "hold", "--mx",
                                      "*.big.example", check=False)
             .returncode == 0, PATIENCE_S, "send does not come back")
    assert rows(world) == [("a@one.example", "held", 0)]


def test_many_domains(world, user):
    names = [f"n{i}" for i in range(450)]
    world.add(*(f"{n} MX 10 mx{i % 2 + 1}.big"
                for i, n in enumerate(names)))
    for i in range(0, len(names), 90):
        send_later(world, user, *(f"a@{n}.example" for n in names[i:i + 90]))
    assert js(world, "hold", "--mx", "mx2.big.example")[0] == {
        "changed": 225, "in_delivery": 0, "held": 0, "unknown": 0}

# SPDX-License-Identifier: ISC
"""SIGKILL of any process, and of all at once, at random moments under load.

What was acknowledged is there afterwards, exactly once and byte for byte; the
rest is there as a whole or not at all. MAILSTEAD_CRASHES=100 kills a hundred
times instead of a few; MAILSTEAD_SEEDS=1,2,3 chooses the seeds.
"""
import os
import random
import re
import signal
import time

import pytest

from lib.instance import wait_for
from lib.load import Load

KILLS = int(os.environ.get("MAILSTEAD_CRASHES", "28"))
SEEDS = [int(x) for x in os.environ.get("MAILSTEAD_SEEDS", "1").split(",")]
# A role is back in less than a second; one that had not served for a second
# when it ended again has to wait a little before. Sanitizers are slow.
IS_SLOW = "MAILSTEAD_BIN" in os.environ
BACK_S = 10.0 if IS_SLOW else 1.0
BACK_AGAIN_S = BACK_S + 3.0
# A killed supervisor is started by somebody else; its old processes have
# up to two seconds to finish what they do.
RESTART_S = 20.0 if IS_SLOW else 5.0

SETTINGS = {
    "auth": {"allow_plaintext": "yes"},
    # Small segments: rotation and collection meet the kills, too.
    "store": {"segment_size": "1M", "reserve": "16M"},
    "workers": {"smtp": "2", "imap": "2"},
}
TARGETS = ("store", "store", "store", "auth", "filter", "smtp", "imap",
           "supervisor", "all", "all")


class Killer:
    def __init__(self, server, rnd):
        self.server, self.rnd = server, rnd
        self.times = {}
        self.back = {}  # when each role was back

    def kill(self, target):
        """Kill and wait; the seconds until all is well again."""
        began = time.monotonic()
        limit = RESTART_S
        if target == "all":
            self.server.kill_all()
            began = time.monotonic()
            self.server.start()
        elif target == "supervisor":
            self.kill_supervisor()
            self.server.start()
        else:
            began, limit = self.kill_role(target)
        now = time.monotonic()
        took = now - began
        self.back[target] = now
        self.times.setdefault(target, []).append(took)
        assert took < limit, f"{target} was back after {took:.2f} s"

    def kill_supervisor(self):
        s = self.server
        s.process.kill()
        s.process.wait(10)
        s.process.stdout.close()
        s.process = None

    def one_of(self, role, not_in=()):
        def find():
            all_of_it = [p for p in self.server.status()["processes"]
                         if p["role"] == role and p["pid"]]
            return [p for p in all_of_it if p["pid"] not in not_in]
        return self.rnd.choice(
            wait_for(find, BACK_AGAIN_S, f"{role} is missing"))

    def kill_role(self, role):
        victim = self.one_of(role)["pid"]
        os.kill(victim, signal.SIGKILL)
        had_served = time.monotonic() - self.back.get(role, 0) > 1.5
        limit = BACK_S if had_served else BACK_AGAIN_S
        if self.rnd.random() < 0.2:
            # Once more, while it starts and reads its log again.
            limit = BACK_AGAIN_S
            again = self.one_of(role, [victim])["pid"]
            time.sleep(self.rnd.random() * 0.05)
            try:
                os.kill(again, signal.SIGKILL)
            except ProcessLookupError:
                pass
            victim = again
        began = time.monotonic()

        def is_back():
            now = [p for p in self.server.status()["processes"]
                   if p["role"] == role]
            return all(p["state"] == "serving" and p["pid"] != victim
                       for p in now)
        wait_for(is_back, limit, f"{role} is not back in {limit} s:\n" +
                 self.server.log()[-2000:])
        return began, limit

    def report(self):
        return ", ".join(
            f"{t} x{len(v)}: {max(v):.2f} s at most"
            for t, v in sorted(self.times.items()))


def targets(rnd, n):
    """Each of them now and then, in an order that the seed decides."""
    out = []
    while len(out) < n:
        some = list(TARGETS)
        rnd.shuffle(some)
        out += some
    return out[:n]


def check_ids(log):
    """No id was given to two messages, whoever was started again: the store
    knows by the id which messages it has."""
    sessions = {}
    for m in re.finditer(r"event=smtp\.accept .*?sid=(\S+) id=(\S+) ", log):
        sessions.setdefault(m.group(2), set()).add(m.group(1))
    twice = [i for i, s in sessions.items() if len(s) > 1]
    assert sessions and not twice, f"given twice: {twice}"


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_acknowledged_is_lost_when_processes_are_killed(
        make_server, seed):
    server = make_server(SETTINGS)
    rnd = random.Random(seed)
    killer = Killer(server, rnd)
    load = Load(server, seed).start()
    try:
        for i, target in enumerate(targets(rnd, KILLS)):
            time.sleep(0.1 + rnd.random() * 0.7)
            killer.kill(target)
            load.check_failures()
            if i % 10 == 9:
                load.pause()
                load.verify()
                load.resume()
    finally:
        load.stop()
    load.verify()
    assert load.ledger.count_acked() > 10 * KILLS
    check_ids(server.log())
    server.cli("check")
    server.stop(signal.SIGTERM)
    server.cli("check")
    server.start()
    load.verify(is_whole=True)
    print(f"seed {seed}: {KILLS} kills ({killer.report()}); {load.report()}")

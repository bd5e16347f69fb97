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
from lib.killer import Killer, targets
from lib.load import Load

KILLS = int(os.environ.get("MAILSTEAD_CRASHES", "28"))
SEEDS = [int(x) for x in os.environ.get("MAILSTEAD_SEEDS", "1").split(",")]

SETTINGS = {
    "auth": {"allow_plaintext": "yes"},
    # Small segments: rotation and collection meet the kills, too.
    "store": {"segment_size": "1M", "reserve": "16M"},
    "workers": {"smtp": "2", "imap": "2"},
}
TARGETS = ("store", "store", "store", "auth", "filter", "smtp", "imap",
           "supervisor", "all", "all")


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
        for i, target in enumerate(targets(rnd, KILLS, TARGETS)):
            time.sleep(0.1 + rnd.random() * 0.7)
            killer.kill(target)
            load.check_failures()
            if i % 10 == 9:
                load.pause()
                load.verify()
                load.resume()
        # The fewer there are, the less was proved.
        wait_for(lambda: load.failures or
                 load.ledger.count_acked() > 10 * KILLS, 300, "little came")
    finally:
        load.stop()
    load.verify()
    check_ids(server.log())
    server.cli("check")
    server.stop(signal.SIGTERM)
    server.cli("check")
    server.start()
    load.verify(is_whole=True)
    print(f"seed {seed}: {KILLS} kills ({killer.report()}); {load.report()}")

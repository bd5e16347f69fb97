# SPDX-License-Identifier: ISC
"""SIGKILL of a role, of the supervisor, or of all at once, and the wait until
all is well again."""
import os
import signal
import time

from lib.instance import wait_for

IS_SLOW = "MAILSTEAD_BIN" in os.environ
# A role is back in less than a second; one that had not served for a second
# when it ended again has to wait a little before. Sanitizers are slow.
BACK_S = 10.0 if IS_SLOW else 1.0
# A killed supervisor is started by somebody else; its old processes have
# up to two seconds to finish what they do.
RESTART_S = 20.0 if IS_SLOW else 5.0


class Killer:
    def __init__(self, server, rnd, back_s=BACK_S, restart_s=RESTART_S):
        self.server, self.rnd = server, rnd
        self.back_s, self.restart_s = back_s, restart_s
        self.again_s = back_s + 3.0
        self.times = {}
        self.back = {}  # when each role was back

    def kill(self, target):
        """Kill and wait; the seconds until all is well again."""
        began = time.monotonic()
        limit = self.restart_s
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
            wait_for(find, self.again_s, f"{role} is missing"))

    def kill_role(self, role):
        victim = self.one_of(role)["pid"]
        os.kill(victim, signal.SIGKILL)
        had_served = time.monotonic() - self.back.get(role, 0) > 1.5
        limit = self.back_s if had_served else self.again_s
        if self.rnd.random() < 0.2:
            # Once more, while it starts and reads its log again.
            limit = self.again_s
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


def targets(rnd, n, which):
    """Each of them now and then, in an order that the seed decides."""
    out = []
    while len(out) < n:
        some = list(which)
        rnd.shuffle(some)
        out += some
    return out[:n]

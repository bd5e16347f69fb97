# SPDX-License-Identifier: ISC
"""SIGKILL of a role, of the supervisor, or of all at once, and the wait until
all is well again."""
import os
import signal
import time

from lib.instance import wait_for

# A role is back in less than a second where nothing else runs, and a server
# whose supervisor was killed in three: here other tests run.
BACK_S = 60.0


class Killer:
    def __init__(self, server, rnd):
        self.server, self.rnd = server, rnd
        self.times = {}

    def kill(self, target):
        """Kill and wait; the seconds until all is well again."""
        began = time.monotonic()
        if target == "all":
            self.server.kill_all()
            began = time.monotonic()
            self.server.start()
        elif target == "supervisor":
            self.kill_supervisor()
            self.server.start()
        else:
            began = self.kill_role(target)
        self.times.setdefault(target, []).append(time.monotonic() - began)

    def kill_supervisor(self):
        s = self.server
        s.process.kill()
        s.process.wait(BACK_S)
        s.process.stdout.close()
        s.process = None

    def one_of(self, role, not_in=()):
        def find():
            all_of_it = [p for p in self.server.status()["processes"]
                         if p["role"] == role and p["pid"]]
            return [p for p in all_of_it if p["pid"] not in not_in]
        return self.rnd.choice(
            wait_for(find, BACK_S, f"{role} is missing"))

    def kill_role(self, role):
        victim = self.one_of(role)["pid"]
        os.kill(victim, signal.SIGKILL)
        if self.rnd.random() < 0.2:
            # Once more, while it starts and reads its log again.
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
        wait_for(is_back, BACK_S, f"{role} is not back:\n" +
                 self.server.log()[-2000:])
        return began

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

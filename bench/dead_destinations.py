#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""dead_destinations.py - do dead destinations slow down the living ones?

    sudo bench/dead_destinations.py [--recipients 500000] [--rounds 3] [--write]

Fills a queue with messages of one recipient each, to 1 000 domains with a mail
server of their own, half of which are dead: a quarter of those refuse
connections, a quarter are black holes (nothing answers at all), a quarter greet
with 421, and a quarter accept connections and say nothing. Another queue has the
half for the living alone. Then Mailstead is started on copies of both in turn,
and delivers: how many messages a second reach the living, and what memory its
processes take at most. The limits of the configuration are the defaults.

Everything happens in a network namespace of its own: root, or a user who may
make one. The name server is Debian's knot.
"""
import argparse, os, select, shutil, signal, statistics, subprocess
import sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
sys.path.insert(0, HERE)
from lib import dns  # noqa: E402
from lib.instance import Instance, PASSWORD  # noqa: E402
import compare_send  # noqa: E402
import figures  # noqa: E402

PORT = 2525
KINDS = ["refused", "hole", "busy", "mute"]


def namespace():
    """Go on in a network of our own, with a hole in it."""
    if os.environ.get("DEAD_DESTINATIONS") != "inside":
        os.environ["DEAD_DESTINATIONS"] = "inside"
        os.execvp("unshare", ["unshare", "-n" if os.geteuid() == 0 else "-rn",
                              sys.executable] + sys.argv)
    for c in ("link set lo up", "link add v0 type veth peer name v1",
              "addr add 10.9.0.1/16 dev v0", "link set v0 arp off up",
              "link set v1 up"):
        subprocess.run(["ip", *c.split()], check=True)


def address(i, living):
    """Of domain i, and what its server is like."""
    low = f"{i // 250 % 250}.{i % 250 + 2}"
    if i < living:
        return "127.1." + low, "ok"
    kind = KINDS[i % len(KINDS)]
    return ("10.9." if kind == "hole" else "127.1.") + low, kind


def enter(group):
    with open(group + "/cgroup.procs", "w") as f:
        f.write(str(os.getpid()))


class World:
    def __init__(self, work, args):
        self.args, self.living = args, args.domains // 2
        self.work = work
        self.load = os.path.join(work, "smtp_load")
        many = os.path.join(work, "many_mx")
        for to, src in ((self.load, "smtp_load.c"), (many, "many_mx.c")):
            subprocess.run(["cc", "-O2", "-o", to, f"{HERE}/{src}"], check=True)
        hosts = [address(i, self.living) for i in range(args.domains)]
        self.ns = dns.NameServer(
            [f"d{i} 86400 MX 10 mx{i}\nmx{i} 86400 A {a}"
             for i, (a, _) in enumerate(hosts)]).start()
        self.mx = subprocess.Popen([many, str(PORT), str(args.slow)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.mx.stdin.write("".join(
            f"{a} {k}\n" for a, k in hosts
            if k in ("ok", "busy", "mute")).encode())
        self.mx.stdin.close()
        assert self.mx.stdout.readline() == b"ready\n"
        os.set_blocking(self.mx.stdout.fileno(), False)
        self.taken, self.open, self.rest = 0, 0, b""
        self.servers = []

    def start(self, server):
        """In a group of processes that may have so much memory, file pages and
        all: what is over is taken from them."""
        group = "/sys/fs/cgroup/memory/dead-destinations"
        if not self.args.memory:
            server.start()
            return
        os.makedirs(group, exist_ok=True)
        with open(group + "/memory.limit_in_bytes", "w") as f:
            f.write(str(self.args.memory << 20))
        try:
            enter(group)
            server.start()
        finally:
            enter("/sys/fs/cgroup/memory")

    def instance(self):
        tempfile.tempdir = self.work
        server = Instance({
            "dns": {"servers": [self.ns.address], "dnssec": "no"},
            "auth": {"allow_plaintext": "yes"},
            "smtp": {"messages": 1000000},
            "queue": {"entries": 0, "account_entries": 0},
            # Counted as always, and never reached.
            "limits": {k: 4000000000 for k in (
                "account_recipients", "account_first_time", "account_surge")},
            "store": {"segment_size": "64M"},
            "send": {"direct": "yes", "port": PORT, "allow_loopback": "yes",
                     **({"connections": self.args.connections}
                        if self.args.connections else {})}})
        tempfile.tempdir = None
        return server

    def fill(self, n, domains):
        """A data folder with a queue of n recipients."""
        data = os.path.join(self.args.queues or self.work,
                            f"queue-{n}-{domains}-{self.args.unsigned:d}")
        if os.path.isdir(data):
            return data
        server = self.instance()
        self.servers.append(server)
        server.start()
        server.add_domain()
        login = server.add_user("load@" + server.domain)
        if self.args.unsigned:
            compare_send.drop_keys(server)
        # Nothing leaves while its process stands still.
        os.kill(server.pids("send")[0], signal.SIGSTOP)
        began = time.monotonic()
        subprocess.run(
            [self.load, "-c", "50", "-n", str(n), "-s", str(self.args.size),
             "-f", login, "-a", f"{login}:{PASSWORD}", "-m", str(domains),
             "-t", "someone@d%u.example", "127.0.0.1",
             str(server.ports["submission"])], check=True,
            stdout=subprocess.DEVNULL)
        took = time.monotonic() - began
        print(f"filled: {n} in {took:.0f} s, {n / took:.0f}/s", flush=True)
        server.kill_all()
        os.rename(server.data, data)
        server.remove()
        return data

    def count(self):
        """Messages that the living have taken."""
        if select.select([self.mx.stdout], [], [], 0.05)[0]:
            got = self.rest + (self.mx.stdout.read() or b"")
            lines = got.split(b"\n")
            self.rest = lines[-1]
            if len(lines) > 1:
                self.taken, _, self.open = map(int, lines[-2].split())
        return self.taken

    def close(self):
        for server in self.servers:
            server.remove()
        self.mx.terminate()
        self.mx.wait()
        self.ns.stop()


def memory(pid):
    """KB: of its own, of mapped files, its share of all."""
    out = {}
    try:
        for name in ("status", "smaps_rollup"):
            for line in open(f"/proc/{pid}/{name}"):
                k, _, v = line.partition(":")
                if k in ("RssAnon", "RssFile", "Pss", "Pss_Anon"):
                    out[k] = int(v.split()[0])
    except (OSError, ValueError):
        pass
    return out


def disk_reads(pid):
    """Waits for a page of a mapped file, and MB that came from the disk."""
    with open(f"/proc/{pid}/stat") as f:
        faults = int(f.read().rsplit(")", 1)[1].split()[9])
    with open(f"/proc/{pid}/io") as f:
        read = next(int(line.split()[1]) for line in f
                    if line.startswith("read_bytes"))
    return faults, read / (1 << 20)


class Watch:
    """Peaks of memory."""

    def __init__(self, server):
        self.roles = {p["pid"]: p["role"] for p in server.status()["processes"]}
        self.roles[server.process.pid] = "supervisor"
        self.peak, self.last = {}, 0

    def look(self):
        if time.monotonic() < self.last + 0.5:
            return
        self.last = time.monotonic()
        total = {}
        for pid, role in self.roles.items():
            m = memory(pid)
            for k in ("RssAnon", "RssFile", "Pss"):
                v = m.get(k, 0) / 1024
                self.peak[role, k] = max(self.peak.get((role, k), 0), v)
                total[k] = total.get(k, 0) + v
        for k, v in total.items():
            self.peak["all", k] = max(self.peak.get(("all", k), 0), v)


def forget_pages(folder):
    """What is read again belongs to who reads it."""
    subprocess.run(["sync"])
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                fd = os.open(path, os.O_RDONLY)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)


def deliver(world, data, n_living):
    server = world.instance()
    os.rmdir(server.data) if os.path.isdir(server.data) else None
    subprocess.run(["cp", "-a", data, server.data], check=True)
    forget_pages(server.data)
    had = world.count()
    began = time.monotonic()
    world.servers.append(server)
    began = time.monotonic()
    world.start(server)
    watch = Watch(server)
    opened = time.monotonic() - began
    times = [(0.0, 0)]
    first = None
    while world.count() < had + n_living:
        now = time.monotonic() - began
        got = world.taken - had
        if got > times[-1][1]:
            first = first or now
            times.append((now, got))
        elif now > times[-1][0] + 120:
            print(server.log()[-3000:])
            sys.exit(f"stuck: {got} of {n_living}")
        watch.look()
        if world.args.verbose and int(now) > int(times[-2][0] if len(times) > 1 else 0) and int(now) % 5 == 0:
            print(f"  {now:.0f} s: {got}", flush=True)
    took = time.monotonic() - began
    times.append((took, n_living))
    low = next(t for t in times if t[1] >= n_living * 0.05)
    high = next(t for t in times if t[1] >= n_living * 0.95)
    cpu = compare_send.tree(server.process.pid)
    faults, read = disk_reads(server.pids("store")[0])
    r = dict(faults=faults, read=read, rate=(high[1] - low[1]) / (high[0] - low[0]), took=took,
             first=first, opened=opened, cpu=sum(cpu.values()),
             peak={f"{a} {b}": v for (a, b), v in watch.peak.items()},
             parts={watch.roles[p]: v for p, v in cpu.items() if p in watch.roles})
    if world.args.keep_log:
        shutil.copy(server.log_file, world.args.keep_log)
    server.kill_all()  # the dead are many: it may take its time otherwise
    server.remove()
    return r


def concurrent(world, data):
    """Servers that take their time: how many deliveries at once, and what one
    costs in memory of role send."""
    server = world.instance()
    world.servers.append(server)
    subprocess.run(["cp", "-a", data, server.data], check=True)
    server.start()
    pid = server.pids("send")[0]
    limit = world.args.connections or 2000
    began, since = time.monotonic(), 0
    peak, most, had = 0, 0, 0
    while time.monotonic() < began + 180:
        world.count()
        most = max(most, world.open)
        peak = max(peak, memory(pid).get("RssAnon", 0))
        # The rate when all connections are in use, for as long as three
        # deliveries take: the first of them does not count.
        if world.open >= limit * 0.95 and not since:
            since = time.monotonic()
        if since and time.monotonic() < since + world.args.slow:
            had = world.taken
        if since and time.monotonic() > since + 4 * world.args.slow:
            break
        time.sleep(0.1)
    ticks = sum(map(int, open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
    server.kill_all()
    server.remove()
    print(f"{most} deliveries at once, send has {peak / 1024:.0f} MB of its own", flush=True)
    if since:
        print(f"full after {since - began:.0f} s; then "
              f"{(world.taken - had) / (3 * world.args.slow):.0f} messages/s, send has used "
              f"{ticks / os.sysconf('SC_CLK_TCK'):.1f} s of CPU for {world.taken}", flush=True)


def table(results, args):
    """Rows of the page: both queues, and how they compare."""
    fmt, rows = compare_send.fmt, []
    for name, key in (("to the living, messages/s", "rate"),
                      ("ready after, s", "opened"), ("first delivery after, s", "first"),
                      ("CPU until all living had theirs, s", "cpu"),
                      ("store: waits for a page of the index", "faults"),
                      ("store: read from the disk, MB", "read")):
        rows.append([name] + [[r[key] for r in results[w]] for w in ("living", "all")])
    for name, key in (("store: its own memory, MB", "store RssAnon"),
                      ("send: its own memory, MB", "send RssAnon"),
                      ("all processes: their own memory, MB", "all RssAnon"),
                      ("all processes: mapped pages of files, MB", "all RssFile")):
        rows.append([name] + [[r["peak"][key] for r in results[w]]
                              for w in ("living", "all")])
    half = args.recipients // 2
    out = [f"| {'unsigned' if args.unsigned else 'signed'} | {half:,} living | "
           f"{args.recipients:,}, half dead |", "|---|---|---|"]
    out += [f"| {n} | {fmt(a)} | {fmt(b)} |" for n, a, b in rows]
    rates = [statistics.median(v) for v in rows[0][1:]]
    out.append(f"| share of the rate | | {100 * rates[1] / rates[0]:.0f} % |")
    return "\n".join(out)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--recipients", type=int, default=500000)
    ap.add_argument("--domains", type=int, default=1000)
    ap.add_argument("--size", type=int, default=2048)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--unsigned", action="store_true", help="without DKIM")
    ap.add_argument("--memory", type=int, default=0, metavar="MB",
                    help="limit of all processes together, page cache included "
                         "(cgroup v1)")
    ap.add_argument("--slow", type=float, default=0, metavar="SECONDS",
                    help="only count deliveries at once: servers take so long")
    ap.add_argument("--connections", type=int, default=0,
                    help="send.connections, when it is not the default")
    ap.add_argument("--queues", default="",
                    help="a folder that keeps filled queues for the next time")
    ap.add_argument("--boost", action="store_true")
    ap.add_argument("--verbose", action="store_true")
    ap.add_argument("--keep-log", default="")
    ap.add_argument("--write", action="store_true")
    args = ap.parse_args()
    namespace()
    if args.boost:
        compare_send.boost(os.getpid())
        Instance_start = Instance.start

        def start(self, env=None):
            Instance_start(self, env)
            compare_send.boost(self.process.pid)
            return self
        Instance.start = start
    work = tempfile.mkdtemp(prefix="dead-destinations-")
    os.chmod(work, 0o755)
    world = World(work, args)
    half = args.recipients // 2
    results = {"living": [], "all": []}
    try:
        if args.slow:
            concurrent(world, world.fill(half, args.domains // 2))
            return
        data = dict(living=world.fill(half, args.domains // 2),
                    all=world.fill(args.recipients, args.domains))
        for i in range(args.rounds):
            for which in ("living", "all"):
                r = deliver(world, data[which], half)
                results[which].append(r)
                print(f"{which}: {r['rate']:.0f}/s, {r['took']:.1f} s, "
                      f"ready {r['opened']:.2f} s, first {r['first']:.2f} s, "
                      f"CPU {r['cpu']:.1f} s, {r['faults']} faults, "
                      f"{r['read']:.0f} MB read, "
                      + ", ".join(f"{k} {v:.1f}" for k, v in r["parts"].items() if v > 0.2)
                      + "; MB at most: "
                      + ", ".join(f"{k} {v:.0f}" for k, v in r["peak"].items() if v > 8),
                      flush=True)
    finally:
        world.close()
        shutil.rmtree(work, ignore_errors=True)
    text = table(results, args)
    print(text)
    if args.write:
        figures.write("dead-destinations", text)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""compare_send.py - sending, Mailstead and Debian's Postfix side by side.

    sudo bench/compare_send.py [--rounds 5] [--write]

Both take the same messages from the same load generator (bench/smtp_load.c,
50 connections, one recipient a message, every reply waited for) and bring
them through their queue to the same smtp-sink. A round ends when smtp-sink
has all of them. Rounds take turns; the table has medians with their spread,
and the ratio of the medians. CPU is that of all processes of a server, ended
ones too. Both write the queue durably, as they always do.

Users of Mailstead have to sign in, so the load generator does (once a
connection, without TLS); Postfix is spared that: it trusts the address. The
package is postfix; root, because Postfix starts as root.

Signing (DKIM) is off on both sides. With --dkim Mailstead signs as it always
does, with RSA (2048 bits) and Ed25519, and Debian's opendkim does it for Postfix
as a milter, with RSA alone. --dkim=ours leaves Postfix without.
"""
import argparse, json, os, pwd, re, select, shutil, socket, statistics, subprocess
import sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "tests/e2e"))
import figures  # noqa: E402
from lib.instance import Instance, PASSWORD, free_ports  # noqa: E402

HZ = os.sysconf("SC_CLK_TCK")


def wait_port(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing answers on port {port}")


def stat_of(pid):
    """Parent, and CPU seconds with those of children that it has waited for."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            v = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return int(v[1]), sum(map(int, v[11:15])) / HZ


def tree(root):
    """{pid: CPU seconds} of a process and all below it."""
    stats = {int(p): stat_of(p) for p in os.listdir("/proc") if p.isdigit()}
    kids = {}
    for pid, s in stats.items():
        if s:
            kids.setdefault(s[0], []).append(pid)
    found, todo = {}, [root]
    while todo:
        pid = todo.pop()
        if stats.get(pid):
            found[pid] = stats[pid][1]
            todo += kids.get(pid, [])
    return found


class Sink:
    """smtp-sink, and how many messages it has."""

    def __init__(self, work):
        self.port = free_ports(1)[0]
        self.proc = subprocess.Popen(
            ["smtp-sink", "-c", "-u", "nobody", f"127.0.0.1:{self.port}",
             "1000"], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.proc.stdout.fileno(), False)
        self.count, self.rest = 0, b""
        wait_port(self.port)

    def look(self, timeout=0.01):
        if not select.select([self.proc.stdout], [], [], timeout)[0]:
            return self.count
        time.sleep(timeout)
        got = self.rest + (self.proc.stdout.read() or b"")
        self.rest = got[-100:]
        n = re.findall(rb"mesg=(\d+)\r", got)
        if n:
            self.count = int(n[-1])
        return self.count

    def stop(self):
        self.proc.terminate()
        self.proc.wait()


class OpenDKIM:
    """A milter that signs what Postfix takes."""

    def __init__(self, work):
        self.port = free_ports(1)[0]
        os.makedirs(work)
        key = os.path.join(work, "key.pem")
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", key, "2048"],
                       check=True, stderr=subprocess.DEVNULL)
        conf = os.path.join(work, "conf")
        with open(conf, "w") as f:
            f.write(f"Mode s\nCanonicalization relaxed/relaxed\n"
                    f"Domain source.example\nSelector k\nKeyFile {key}\n"
                    f"Socket inet:{self.port}@127.0.0.1\nRequireSafeKeys no\n"
                    f"Background no\n")
        self.proc = subprocess.Popen(
            ["opendkim", "-f", "-x", conf], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_port(self.port)

    def stop(self):
        self.proc.terminate()
        self.proc.wait()


class Postfix:
    name = "postfix"
    auth = None
    sender = "load@source.example"

    def __init__(self, work, sink, args):
        self.conf = os.path.join(work, "conf")
        self.port = free_ports(1)[0]
        self.work = work
        self.milter = OpenDKIM(work + ".dkim") if args.dkim == "both" else None
        for d in (work, self.conf, work + "/queue", work + "/queue/pid",
                  work + "/data"):
            os.makedirs(d, exist_ok=True)
        os.chmod(work, 0o711)
        postfix = pwd.getpwnam("postfix")
        os.chown(work + "/data", postfix.pw_uid, postfix.pw_gid)
        milter = ""
        if self.milter:
            milter = f"smtpd_milters = inet:127.0.0.1:{self.milter.port}"
        for f in ("main.cf", "master.cf"):
            text = open(f"{HERE}/peers/conf/relay-{f}.in").read()
            for k, v in dict(WORK=work, PORT=self.port, SINK_PORT=sink.port,
                             PROCESSES=args.processes, MILTER=milter,
                             CONCURRENCY=args.concurrency).items():
                text = text.replace(f"@{k}@", str(v))
            open(os.path.join(self.conf, f), "w").write(text)

    def do(self, *args):
        subprocess.run(["postfix", "-c", self.conf, *args], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        self.do("check")
        self.do("start")
        wait_port(self.port)
        pid = open(self.work + "/queue/pid/master.pid").read()
        self.roots = [int(pid)]
        if self.milter:
            self.roots.append(self.milter.proc.pid)

    def stop(self):
        self.do("stop")
        if self.milter:
            self.milter.stop()


def drop_keys(server):
    """Mail of the domain is not signed any more."""
    for k in json.loads(server.cli("dkim", "list", "--json"))["keys"]:
        server.cli("dkim", "remove", k["domain"], k["selector"], "--force")


class Mailstead:
    name = "mailstead"

    def __init__(self, work, sink, args):
        tempfile.tempdir = work
        os.makedirs(work, exist_ok=True)
        os.chmod(work, 0o755)
        self.server = Instance({
            "auth": {"allow_plaintext": "yes"},
            "smtp": {"messages": 1000000},
            "queue": {"entries": 0, "account_entries": 0},
            # Counted as always, and never reached.
            "limits": {k: 4000000000 for k in (
                "account_recipients", "account_first_time", "account_surge")},
            "store": {"segment_size": "64M"},
            "send": {"routes": [f"* 127.0.0.1:{sink.port}"],
                     "connections_per_destination": args.concurrency}})
        self.signs = args.dkim
        self.port = self.server.ports["submission"]
        tempfile.tempdir = None

    def start(self):
        self.server.start()
        self.server.add_domain()
        self.sender = self.server.add_user("load@" + self.server.domain)
        self.auth = f"{self.sender}:{PASSWORD}"
        if not self.signs:
            drop_keys(self.server)
        self.roots = [self.server.process.pid]

    def stop(self):
        self.server.stop()
        self.server.remove()


def boost(pid):
    """Other work on the machine gets what is left, with both servers alike."""
    try:
        with open(f"/proc/{pid}/autogroup", "w") as f:
            f.write("-20")
    except OSError:
        pass


def roles(server):
    """{pid: role} of Mailstead's processes."""
    if server.name != "mailstead":
        return {}
    return {p["pid"]: p["role"] for p in server.server.status()["processes"]}


def settle(server):
    """What a server does behind a round counts, too: until it does nothing."""
    last = {}
    for _ in range(60):
        now = {}
        for r in server.roots:
            now.update(tree(r))
        if last and sum(now.values()) - sum(last.values()) < 0.02:
            break
        last = now
        time.sleep(1)
    return now


def run(server, sink, load, args, n):
    """One round; rate, CPU ms a message, and CPU of each process."""
    before, had = {}, sink.look(0.2)
    for r in server.roots:
        before.update(tree(r))
    began = time.monotonic()
    cmd = [load, "-c", str(args.sessions), "-n", str(n), "-s", str(args.size),
           "-f", server.sender]
    if server.auth:
        cmd += ["-a", server.auth]
    p = subprocess.Popen(cmd + ["127.0.0.1", str(server.port)],
                         stdout=subprocess.PIPE)
    while sink.look() < had + n:
        if p.poll() not in (None, 0) or time.monotonic() > began + 300:
            sys.exit(f"{server.name}: {sink.count - had} of {n} came")
    took = time.monotonic() - began
    said = json.loads(p.communicate()[0])
    after = settle(server)
    if sink.look() != had + n:
        sys.exit(f"{server.name}: {sink.count - had} came instead of {n}")
    spent = {pid: s - before.get(pid, 0) for pid, s in after.items()}
    return dict(rate=n / took, accept=n / said["seconds"],
                cpu=1000 * sum(spent.values()) / n,
                parts={pid: 1e6 * s / n for pid, s in spent.items()})


def fmt(v):
    m = statistics.median(v)
    return f"{m:.4g}" if len(v) == 1 else f"{m:.4g} ({min(v):.3g}–{max(v):.3g})"


METRICS = (("rate", "to smtp-sink: messages/s"),
           ("accept", "accepted: messages/s"), ("cpu", "CPU ms/message"))


def table(label, results):
    rows = []
    for key, name in METRICS:
        ours = [r[key] for r in results["mailstead"]]
        theirs = [r[key] for r in results["postfix"]]
        a, b = statistics.median(ours), statistics.median(theirs)
        ratio = b / a if key == "cpu" else a / b
        rows.append(f"| {label}, {name} | {fmt(ours)} | {fmt(theirs)} | {ratio:.3g}× |")
    return rows


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--sessions", type=int, default=50)
    ap.add_argument("--size", type=int, default=10240)
    ap.add_argument("--messages", type=int, default=20000,
                    help="of a round of Mailstead; Postfix gets a fifth")
    ap.add_argument("--processes", type=int, default=100,
                    help="Postfix's default_process_limit")
    ap.add_argument("--concurrency", type=int, default=20,
                    help="connections to smtp-sink, of both")
    ap.add_argument("--dkim", nargs="?", const="both", default="",
                    choices=["both", "ours"])
    ap.add_argument("--boost", action="store_true",
                    help="ahead of all other work on a busy machine")
    ap.add_argument("--only", default="")
    ap.add_argument("--write", action="store_true")
    args = ap.parse_args()
    work = tempfile.mkdtemp(prefix="compare-send-")
    os.chmod(work, 0o711)
    load = os.path.join(work, "smtp_load")
    subprocess.run(["cc", "-O2", "-o", load, HERE + "/smtp_load.c"], check=True)
    if args.boost:
        boost(os.getpid())
    sink = Sink(work)
    servers = [c(os.path.join(work, c.name), sink, args)
               for c in (Mailstead, Postfix) if args.only in ("", c.name)]
    results = {s.name: [] for s in servers}
    started = []
    try:
        for s in servers:
            s.start()
            started.append(s)
            if args.boost:
                for r in s.roots:
                    boost(r)
            run(s, sink, load, args, 500)  # processes are there
        for i in range(args.rounds):
            for s in servers:
                n = args.messages if s.name == "mailstead" else args.messages // 5
                r = run(s, sink, load, args, n)
                results[s.name].append(r)
                who = roles(s)
                parts = ", ".join(f"{who[p]} {v:.0f}" for p, v in r["parts"].items()
                                  if p in who)
                print(f"{s.name}: {r['rate']:.0f}/s, accepted {r['accept']:.0f}/s, "
                      f"CPU {r['cpu']:.3f} ms/message {parts}", flush=True)
    finally:
        for s in started:
            s.stop()
        sink.stop()
        shutil.rmtree(work, ignore_errors=True)
    if not args.only:
        label = f"{args.size // 1024} KB, {args.sessions} sessions"
        rows = table(label + (", signed" if args.dkim else ""), results)
        text = "\n".join(["| | Mailstead | Postfix | ratio |", "|---|---|---|---|"] + rows)
        print(text)
        if args.write:
            figures.write("compare-send-dkim" if args.dkim else "compare-send", text)


if __name__ == "__main__":
    main()

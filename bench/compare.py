#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""compare.py - Mailstead and Postfix + Dovecot, side by side, in one run.

    sudo bench/compare.py [--rounds 5] [--steps deliver,big,idle,slow] [--write]

Starts Debian's Postfix and Dovecot (maildir and mdbox) and Mailstead on
loopback, takes turns, and prints a table of medians with their spread and the
ratio of the medians. --write puts the table into docs/performance.md. All
servers keep durability on. Needs root (cgroups for CPU and memory), the
packages of packaging/apt-build.txt and apt-peers.txt, and about 20 minutes.
"""
import argparse, json, os, shutil, signal, statistics, subprocess, sys, time

import figures

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
PEERS = os.path.join(HERE, "peers")
BIN = os.environ.get("MAILSTEAD_BIN", os.path.join(ROOT, "build/mailstead"))
PORTS = dict(smtp=10025, imap=10143)  # of `mailstead demo`


def sh(cmd, env, **kw):
    return subprocess.run(cmd, env=env, check=True, text=True, **kw)


class Server:
    """One server under test: env for the measuring scripts, start and stop."""

    def __init__(self, name, work, env):
        self.name, self.work = name, work
        self.env = dict(os.environ, BL_WORK=work, **env)

    def path(self, name):
        return os.path.join(self.work, name)


class Peer(Server):
    def __init__(self, storage, work, preload):
        super().__init__("dovecot-" + storage, os.path.join(work, storage), dict(
            BL_STORAGE=storage, BL_CG="bl" + storage, BL_USERFMT="user%d",
            BL_DOMAIN="example.test", BL_PASS="pass", BL_SMTP_PORT="2525",
            BL_IMAP_PORT="2143", BL_IMAPS_PORT="2993", BL_POP3_PORT="2110"))
        self.smtp, self.imap = 2525, 2143
        self.preload = preload
        os.makedirs(self.work, exist_ok=True)
        os.chmod(self.work, 0o711)

    def start(self):
        env = dict(self.env, **self.preload)
        sh([PEERS + "/peers.sh", "start"], env, stdout=subprocess.DEVNULL,
           stderr=subprocess.DEVNULL)
        wait_port(self.imap)
        wait_port(self.smtp)

    def stop(self):
        sh([PEERS + "/peers.sh", "stop"], self.env, stdout=subprocess.DEVNULL,
           stderr=subprocess.DEVNULL)


class Ours(Server):
    def __init__(self, work, preload):
        super().__init__("mailstead", os.path.join(work, "mailstead"), dict(
            BL_CG="blours", BL_USERFMT="user%d@demo.example",
            BL_DOMAIN="demo.example", BL_PASS="mailstead-demo",
            BL_IMAP_PORT=str(PORTS["imap"]), BL_SMTP_PORT=str(PORTS["smtp"])))
        self.smtp, self.imap = PORTS["smtp"], PORTS["imap"]
        self.preload = preload
        self.proc = None
        os.makedirs(self.work, exist_ok=True)
        os.chmod(self.work, 0o711)

    def start(self):
        def enter():
            for c in ("cpuacct", "memory"):
                d = f"/sys/fs/cgroup/{c}/blours"
                try:
                    os.makedirs(d, exist_ok=True)
                    with open(d + "/cgroup.procs", "w") as f:
                        f.write(str(os.getpid()))
                except OSError:
                    pass
        conf = self.path("data/mailstead.conf")
        if not os.path.exists(conf):
            # The demo makes accounts and a configuration: change one thing.
            self.launch()
            self.stop()
            with open(conf, "a") as f:
                f.write("auth {\n\tallow_plaintext = true\n}\n")
        self.launch()

    def launch(self):
        def enter():
            for c in ("cpuacct", "memory"):
                d = f"/sys/fs/cgroup/{c}/blours"
                try:
                    os.makedirs(d, exist_ok=True)
                    with open(d + "/cgroup.procs", "w") as f:
                        f.write(str(os.getpid()))
                except OSError:
                    pass
        log = open(self.path("log"), "a")
        self.proc = subprocess.Popen(
            [BIN, "demo", self.path("data")], env=dict(os.environ, **self.preload),
            stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=enter)
        for line in self.proc.stdout:
            if line.strip() == "ready":
                break
        else:
            sys.exit("mailstead did not start: see " + self.path("log"))
        self.env["BL_PIDS"] = str(self.proc.pid)

    def stop(self):
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(30)


def wait_port(port):
    import socket
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"nothing answers on port {port}")


class Results:
    def __init__(self):
        self.values = {}

    def add(self, metric, server, value):
        if value is not None:
            self.values.setdefault(metric, {}).setdefault(server, []).append(value)
            print(f"  {metric}: {server} {value:.4g}", flush=True)


def deliver(servers, res, rounds, tag="", msgs=24000, single=8000):
    for i in range(rounds):
        for s in servers:
            for label, size, n, sess in (("10 KB, 20 sessions", 10240, msgs, 20),
                                         ("1 KB, 1 session", 1024, single, 1)):
                out = s.path("smtp.jsonl")
                open(out, "w").close()
                n_here = n if s.name == "mailstead" else n // 8
                sh([PEERS + "/bench_smtp.sh", "127.0.0.1", str(s.smtp), str(size),
                    str(n_here), str(sess), "new", out, label], s.env,
                   stdout=subprocess.DEVNULL)
                r = json.loads(open(out).read().splitlines()[-1])
                res.add(f"{tag}{label}: delivered/s", s.name, r["deliver_rate"])
                if sess == 20:
                    res.add(f"{tag}{label}: CPU ms/message", s.name, r["cpu_per_1000"])
                    res.add(f"{tag}{label}: flushes/message", s.name, r["flush_per_msg"])


BIG = [("fetch_flags_uid", "FETCH FLAGS of 20,000, s"),
       ("fetch_envelope", "FETCH ENVELOPE of 20,000, s"),
       ("fetch_body_all", "FETCH BODY.PEEK[] of 20,000 (220 MB), s"),
       ("search_body_none", "SEARCH BODY, absent word, s"),
       ("search_body_rare", "SEARCH BODY, rare word, s")]


SLOW_BIG = 5000  # messages of the mailbox when flushes are slowed


def counted(name, count):
    """The name of a figure for another number of messages."""
    return name.replace("20,000 (220 MB)", f"{count:,}").replace("20,000", f"{count:,}") \
        if count != 20000 else name


def big(servers, res, rounds, count=20000, tag=""):
    for s in servers:
        user = s.env["BL_USERFMT"] % 1
        out = s.path("big.jsonl")
        for step in ["append"] + ["meta,search,body"] * rounds:
            open(out, "w").close()
            sh([PEERS + "/bench_big.py", "127.0.0.1", str(s.imap), user,
                s.env["BL_PASS"], str(count), out, s.name, step], s.env,
               stdout=subprocess.DEVNULL)
            rows = [json.loads(x) for x in open(out).read().splitlines()]
            if step == "append":
                res.add(tag + counted("APPEND of 20,000, one connection, s", count),
                        s.name, sum(r["s"] for r in rows))
                continue
            for key, name in BIG:
                for r in rows:
                    if r["step"].split("#")[0] == key:
                        res.add(tag + counted(name, count), s.name, r["s"])


def idle(servers, res, n=2000):
    for s in servers:
        for tls in (False, True):
            env = dict(s.env, **({"BL_IMAP_TLS": "1"} if tls else {}))
            out = sh(["python3", PEERS + "/bench_idle.py", "127.0.0.1",
                      str(s.imap), str(n if s.name == "mailstead" else n // 4),
                      s.env["BL_USERFMT"], "100", s.env["BL_PASS"]], env,
                     stdout=subprocess.PIPE).stdout
            for line in out.splitlines():
                if line.startswith("RESULT") and "idle_kb" in line:
                    kb = json.loads(line[7:])["idle_kb"]
                    res.add(f"idle IMAP connection{', TLS' if tls else ''}, KB",
                            s.name, kb)


def fmt(v):
    m = statistics.median(v)
    if len(v) == 1:
        return f"{m:.4g}"
    return f"{m:.4g} ({min(v):.3g}–{max(v):.3g})"


def table(res):
    rows = ["| | Mailstead | Postfix + Dovecot, maildir | mdbox | ratio to the better |",
            "|---|---|---|---|---|"]
    for metric, by in res.values.items():
        ours = by.get("mailstead")
        cells = [fmt(by[k]) if k in by else "" for k in
                 ("mailstead", "dovecot-maildir", "dovecot-mdbox")]
        ratio = ""
        peers = [statistics.median(v) for k, v in by.items() if k != "mailstead"]
        if ours and peers:
            m = statistics.median(ours)
            is_rate = metric.endswith("/s")
            best = max(peers) if is_rate else min(peers)
            r = m / best if is_rate else best / m if m else float("inf")
            ratio = f"{r:.3g}×"
        rows.append("| " + " | ".join([metric] + cells + [ratio]) + " |")
    return "\n".join(rows)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--steps", default="deliver,big,idle,slow")
    ap.add_argument("--work", default="/tmp/mailstead-bench")
    ap.add_argument("--only", default="", help="one server, e.g. mailstead")
    ap.add_argument("--write", action="store_true")
    args = ap.parse_args()
    steps = args.steps.split(",")
    res = Results()
    os.makedirs(args.work, exist_ok=True)
    os.chmod(args.work, 0o711)
    for pass_name, tag in (("normal", ""), ("slow", "flush +2 ms: ")):
        if pass_name == "slow" and "slow" not in steps:
            continue
        preload = {}
        if tag:
            so = os.path.join(args.work, "slowflush.so")
            sh(["cc", "-O2", "-shared", "-fPIC", "-o", so,
                HERE + "/slowflush.c", "-ldl"], os.environ)
            preload = dict(LD_PRELOAD=so, SLOWFLUSH_US="2000")
        work = os.path.join(args.work, pass_name)
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        os.chmod(work, 0o711)
        for make in (lambda: Ours(work, preload), lambda: Peer("maildir", work, preload),
                     lambda: Peer("mdbox", work, preload)):
            s = make()
            if args.only and args.only != s.name:
                continue
            print(s.name, pass_name, flush=True)
            s.start()
            try:
                # Idle first: what it costs should not depend on how much
                # mail the other steps leave in the mailbox.
                if "idle" in steps and not tag and s.name != "dovecot-mdbox":
                    idle([s], res)
                if "deliver" in steps:
                    deliver([s], res, args.rounds, tag)
                if "big" in steps and not tag:
                    big([s], res, args.rounds)
                elif "big" in steps:
                    big([s], res, 1, SLOW_BIG, tag)
            finally:
                s.stop()
    text = table(res)
    print(text)
    if args.write:
        figures.write("compare", text)


if __name__ == "__main__":
    main()

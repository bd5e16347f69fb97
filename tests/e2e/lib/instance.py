# SPDX-License-Identifier: ISC
"""A Mailstead of its own for tests: folder, ports, configuration, log.

MAILSTEAD_BIN names another program than build/mailstead, for example one that
was built with sanitizers. Only processes that were started here are ended.
"""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("MAILSTEAD_BIN", str(ROOT / "build" / "mailstead"))
DOMAIN = "test.example"
PASSWORD = "correct horse battery"
SERVICES = ("mx", "submission", "submissions", "imap", "imaps", "pop3",
            "pop3s", "http", "https")
START_S = 60
# Ctrl-C ends it in well under two seconds on a machine with nothing else to do;
# this is far from what a busy one needs, and from never.
STOP_S = 45.0

# What no server may ever write.
TROUBLE = re.compile(
    r"bug at |fatal: |AddressSanitizer|LeakSanitizer|ThreadSanitizer|"
    r"runtime error:|SIGSYS|SIGSEGV|SIGABRT|stack smashing|buffer overflow")

# Limits that a test can reach, and none that tests on one address would hit
# by accident; an outage is one after two seconds.
SETTINGS = {
    "smtp": {"message_size": "20M"},
    "limits": {"connections": 20000, "connections_per_address": 0,
               "rate_per_address": 0, "account_recipients": 0,
               "account_first_time": 0, "account_surge": 0},
    "store": {"segment_size": "4M", "reserve": "16M"},
    "auth": {"failures": 100000},
    "watch": {"confirm": "1s"},
    # Most tests publish no keys; test_dkim_check.py does.
    "dkim": {"check": "no"},
}


# Ports below those that the system gives to whoever connects: what is free stays
# free. A process of tests has a block of them to itself, by a lock that ends
# with it, so that several can run at the same time.
PORTS_FIRST, PORTS_BLOCK, PORTS_BLOCKS = 12000, 200, 100
_ports = {}


def take_block():
    """Lock a block of ports until this process ends; its first one."""
    folder = pathlib.Path(tempfile.gettempdir()) / "mailstead-test-ports"
    folder.mkdir(mode=0o777, exist_ok=True)
    for block in range(PORTS_BLOCKS):
        lock = open(folder / str(block), "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _ports.update(pid=os.getpid(), lock=lock, next=0,
                      first=PORTS_FIRST + block * PORTS_BLOCK)
        return
    raise RuntimeError("no block of ports is free for tests")


def is_free(port):
    """Nobody listens there, on any address, over TCP or UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as s:
            if kind == socket.SOCK_STREAM:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True


def free_ports(n):
    """Ports of loopback that nobody has now, and nobody else will take."""
    if _ports.get("pid") != os.getpid():
        take_block()
    found = []
    for _ in range(PORTS_BLOCK):
        port = _ports["first"] + _ports["next"] % PORTS_BLOCK
        _ports["next"] += 1
        if is_free(port):
            found.append(port)
        if len(found) == n:
            return found
    raise RuntimeError(f"no {n} ports are free for tests")


def make_certificate(folder, name="mail.test.example"):
    """A self-signed pair; (certificate, key)."""
    cert, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-batch", "-days", "30",
         "-subj", f"/CN={name}", "-addext",
         f"subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    return cert, key


def conf_value(v):
    """A value as the configuration file has it: a text, or a list of them."""
    if isinstance(v, (list, tuple)):
        return "{ " + ", ".join(f'"{x}"' for x in v) + " }"
    return f'"{v}"'


def merged(*layers):
    """Settings by section; later ones win."""
    out = {}
    for layer in layers:
        for section, options in (layer or {}).items():
            out.setdefault(section, {}).update(options)
    return out

# What is waited for comes; how soon says more of the machine than of us.
PATIENCE_S = 60


class Instance:
    """One server. Settings: {"section": {"option": value}}, "" for none."""

    def __init__(self, settings=None, domain=DOMAIN, also_v6=()):
        """also_v6: services that are on ::1 as well."""
        self.also_v6 = also_v6
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="mailstead-"))
        self.data = self.dir / "data"
        self.conf = self.dir / "mailstead.conf"
        self.log_file = self.dir / "log"
        self.lmtp = str(self.data / "run" / "lmtp.sock")
        self.certificate, self.key = make_certificate(self.dir)
        ports = free_ports(len(SERVICES) + 1)
        self.ports = dict(zip(SERVICES + ("metrics",), ports))
        self.settings = merged(SETTINGS, settings)
        self.domain = domain
        self.process = None
        self.count = 0
        self.allowed_trouble = None
        self.cli_env = {}
        self.prefix = []  # what the server's command line begins with
        # The roles run as another user than root: let that one pass.
        self.dir.chmod(0o755)
        self.configure()

    # --- configuration ----------------------------------------------------

    def configure(self, settings=None):
        """Write the configuration file, with more settings."""
        self.settings = merged(self.settings, settings)
        top = {"hostname": "mail.test.example", "data": self.data,
               "user": "nobody", "log_level": "info",
               **self.settings.get("", {})}
        lines = [f'{k} = "{v}"' for k, v in top.items()]
        lines.append(f'tls {{\n\tcertificate = "{self.certificate}"\n'
                     f'\tkey = "{self.key}"\n}}')
        addresses = {s: [f"127.0.0.1:{self.ports[s]}"] for s in SERVICES}
        for s in self.also_v6:
            addresses[s].append(f"[::1]:{self.ports[s]}")
        listen = "".join(f"\t{s} = {conf_value(a)}\n"
                         for s, a in addresses.items())
        lines.append(f'listen {{\n{listen}\tlmtp = {{ "{self.lmtp}" }}\n'
                     f'\tmetrics = "127.0.0.1:{self.ports["metrics"]}"\n}}')
        for section, options in self.settings.items():
            if section:
                body = "".join(f"\t{k} = {conf_value(v)}\n"
                               for k, v in options.items())
                lines.append(f"{section} {{\n{body}}}")
        self.conf.write_text("\n".join(lines) + "\n")

    def new_certificate(self):
        """In the same files; the running server keeps the old one."""
        make_certificate(self.dir)

    # --- life ---------------------------------------------------------------

    def start(self, env=None):
        """Start and wait for "ready"."""
        assert self.process is None
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, BINARY, "-c", self.conf, "run"], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                env={**os.environ, **(env or {})})
        said = select.select([self.process.stdout], [], [], START_S)[0]
        line = self.process.stdout.readline() if said else b""
        if line != b"ready\n":
            self.kill_all()
            raise RuntimeError("did not start:\n" + self.log())
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, signo=signal.SIGINT):
        """Stop as Ctrl-C does; the seconds it took. Checks that nothing is
        left and that the log is clean."""
        if self.process is None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signo)
        try:
            status = self.process.wait(STOP_S + 10)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError("did not stop:\n" + self.log()[-4000:])
        took = time.monotonic() - began
        group = self.process.pid
        self.process.stdout.close()
        self.process = None
        assert status == 0, f"exit status {status}\n" + self.log()[-4000:]
        assert not group_exists(group), "processes are left"
        assert took < STOP_S, f"stopping took {took:.2f} s"
        self.check_log()
        return took

    def restart(self):
        self.stop()
        return self.start()

    def kill_all(self, signo=signal.SIGKILL):
        """The whole server at once, as a power cut would (tests of crashes)."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signo)
        except ProcessLookupError:
            pass
        self.process.wait(PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        while group_exists(self.process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.process.stdout.close()
        self.process = None

    def remove(self):
        self.kill_all()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- looking ------------------------------------------------------------

    def log(self):
        return self.log_file.read_text(errors="replace")

    def check_log(self):
        """No bug, no sanitizer report, no sandbox violation."""
        for line in self.log().splitlines():
            if TROUBLE.search(line) and not (
                    self.allowed_trouble and
                    re.search(self.allowed_trouble, line)):
                raise AssertionError(f"{line}\n\n{self.log()[-8000:]}")

    def wait_log(self, pattern, timeout=PATIENCE_S):
        """Wait until a line matches; the match."""
        return wait_for(lambda: re.search(pattern, self.log()), timeout,
                        f"no log line matches {pattern}")

    def status(self):
        return json.loads(self.cli("status", "--json"))

    def pids(self, role):
        return [p["pid"] for p in self.status()["processes"]
                if p["role"] == role]

    def kill(self, role, signo=signal.SIGKILL, wait=True):
        """Kill the processes of a role; by default wait for their successors
        to be ready."""
        old = self.pids(role)
        assert old, f"no process of role {role}"
        for pid in old:
            os.kill(pid, signo)
        if not wait:
            return old

        def is_back():
            now = [p for p in self.status()["processes"]
                   if p["role"] == role]
            return len(now) == len(old) and all(
                p["pid"] not in old and p["state"] == "serving" for p in now)
        wait_for(is_back, 10, f"{role} did not come back")
        return old

    # --- administration -------------------------------------------------------

    def cli(self, *args, input=None, check=True):
        """Run the command line; its standard output. check=False gives the
        whole CompletedProcess instead."""
        done = subprocess.run(
            [BINARY, "-c", self.conf, *map(str, args)], input=input,
            capture_output=True, text=True, timeout=2 * PATIENCE_S,
            env={**os.environ, **self.cli_env})
        if not check:
            return done
        assert done.returncode == 0, f"{args}: {done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def environment(self, **variables):
        """Of the command line, for a while."""
        self.cli_env = variables
        try:
            yield
        finally:
            self.cli_env = {}

    def add_domain(self, name=None):
        self.cli("domain", "add", name or self.domain)

    def add_user(self, login, password=PASSWORD, *options):
        self.cli("user", "add", login, "--password-stdin", *options,
                 input=password + "\n")
        return login

    def new_account(self, password=PASSWORD):
        self.count += 1
        login = f"u{self.count}@{self.domain}"
        self.add_user(login, password)
        return Account(self, login, password)

    # --- connections ------------------------------------------------------------

    def tls(self):
        """A client context that trusts this server."""
        ctx = ssl.create_default_context(cafile=str(self.certificate))
        ctx.check_hostname = False
        return ctx

    def connect(self, service, timeout=PATIENCE_S):
        """A socket; with TLS where the service has it from the first byte."""
        s = socket.create_connection(("127.0.0.1", self.ports[service]),
                                     timeout)
        if service in ("submissions", "imaps", "pop3s", "https"):
            s = self.tls().wrap_socket(s, server_hostname="mail.test.example")
        return s


class Account:
    """An address with its password, on one server."""

    def __init__(self, server, login, password):
        self.server, self.login, self.password = server, login, password

    def __str__(self):
        return self.login

    def deliver(self, *messages, sender="sender@elsewhere.example"):
        """Bring messages in by LMTP: bytes with CRLF line ends, unchanged."""
        deliver(self.server, [self.login], messages, sender)


def deliver(server, rcpts, messages, sender="sender@elsewhere.example"):
    import smtplib
    with smtplib.LMTP(server.lmtp) as c:
        for m in messages:
            assert c.sendmail(sender, rcpts, m) == {}


def group_exists(pgid):
    try:
        os.killpg(pgid, 0)
        return True
    except ProcessLookupError:
        return False


def wait_for(fn, timeout=PATIENCE_S, what="nothing came"):
    """Until fn() is true; its value. Fails after timeout, PATIENCE_S at least."""
    deadline = time.monotonic() + max(timeout, PATIENCE_S)
    while True:
        began = time.monotonic()
        value = fn()
        if value:
            return value
        now = time.monotonic()
        assert now < deadline, what
        # Half of the time at most goes into looking: who is looked at needs it.
        time.sleep(min(max(now - began, 0.02), 0.5))

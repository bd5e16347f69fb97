# SPDX-License-Identifier: ISC
"""`mailstead demo`: ready, sign-in, clean stop, mail that stays."""
import fcntl
import json
import os
import pathlib
import poplib
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

import pytest

from lib.instance import (BINARY, PATIENCE_S, STOP_S, TROUBLE, group_exists,
                          is_free, wait_for)
from lib.testdata import message, original_of

PASSWORD = "mailstead-demo"
OFFSETS = {"mx": 25, "submission": 587, "submissions": 465, "imap": 143,
           "imaps": 993, "pop3": 110, "pop3s": 995, "http": 80,
           "https": 443, "metrics": 90, "names": 53, "phone": 506}
LOCKS = {}  # by first port
GREETINGS = {"mx": b"220 ", "submission": b"220 ", "imap": b"* OK ",
             "pop3": b"+OK "}


STAND_INS = [("127.0.0.33", "names"), ("127.0.0.35", "names"),
             ("127.0.0.34", "phone")]


def stands_in(base):
    """Whether somebody has the ports, by TCP and by UDP, of what stands in for
    other systems."""
    for address, service in STAND_INS:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as s:
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind((address, base + OFFSETS[service]))
                    yield False
                except OSError:
                    yield True


def free_base(but=None):
    """A first port such that all of the demo's are free, and stay so: no other
    process of tests takes it before this one ends. Not "but"."""
    folder = pathlib.Path(tempfile.gettempdir()) / "mailstead-test-ports"
    folder.mkdir(mode=0o777, exist_ok=True)
    for base in range(20000, 60000, 1000):
        if base == but:
            continue
        lock = LOCKS.get(base) or open(folder / f"demo-{base}", "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        if all(is_free(base + off) for off in OFFSETS.values()) and \
                not any(stands_in(base)):
            LOCKS[base] = lock
            return base
        if base not in LOCKS:
            lock.close()
    raise RuntimeError("no free ports")


class Demo:
    def __init__(self, folder, base):
        self.folder, self.base = folder, base
        self.process = None
        self.output = ""

    def start(self, base=True):
        options = ["--ports", str(self.base)] if base else []
        self.process = subprocess.Popen(
            [BINARY, "demo", *options, self.folder],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=open(self.folder.parent / "log", "a"),
            start_new_session=True, text=True)
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if line == "ready\n":
                return self
        self.process.wait(PATIENCE_S)
        raise AssertionError("no ready:\n" + self.output + self.log())

    def stop(self, signo=signal.SIGINT):
        """As the terminal does on Ctrl-C: to the whole group."""
        began = time.monotonic()
        os.killpg(self.process.pid, signo)
        status = self.process.wait(STOP_S + 10)
        took = time.monotonic() - began
        self.process.stdout.close()
        assert status == 0, self.log()
        assert took < STOP_S, f"took {took:.2f} s"
        assert not group_exists(self.process.pid), "processes are left"
        assert not TROUBLE.search(self.log()), self.log()

    def end(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE_S)

    def log(self):
        return (self.folder.parent / "log").read_text()

    def cli(self, *args):
        return subprocess.run(
            [BINARY, "-c", self.folder / "mailstead.conf", *args],
            capture_output=True, text=True, timeout=60)

    def port(self, service):
        return self.base + OFFSETS[service]

    def pop3(self, user="alice"):
        ctx = ssl.create_default_context(
            cafile=str(self.folder / "certificate.pem"))
        p = poplib.POP3_SSL("localhost", self.port("pop3s"), context=ctx)
        p.user(f"{user}@demo.example")
        p.pass_(PASSWORD)
        return p


@pytest.fixture
def demo(tmp_path):
    d = Demo(tmp_path / "demo data", free_base())
    yield d
    d.end()


def test_ready_means_that_every_port_answers(demo):
    demo.start()
    for service, greeting in GREETINGS.items():
        with socket.create_connection(
                ("127.0.0.1", demo.port(service)), PATIENCE_S) as s:
            assert s.recv(100).startswith(greeting), service
    for service in ("submissions", "imaps", "pop3s"):
        ctx = ssl.create_default_context(
            cafile=str(demo.folder / "certificate.pem"))
        with socket.create_connection(
                ("127.0.0.1", demo.port(service)), PATIENCE_S) as s, \
                ctx.wrap_socket(s, server_hostname="localhost") as t:
            assert t.recv(100), service
    with smtplib.LMTP(str(demo.folder / "run" / "lmtp.sock")) as c:
        assert c.noop()[0] == 250
    with socket.create_connection(
            ("127.0.0.1", demo.port("metrics")), PATIENCE_S) as s:
        s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.")
    assert demo.output.splitlines().count("ready") == 1
    assert "swaks" in demo.output and "curl" in demo.output
    assert str(demo.port("imaps")) in demo.output
    demo.stop()


def test_all_accounts_can_sign_in(demo):
    demo.start()
    for user in ("alice", "bob", "user1", "user50", "user100"):
        p = demo.pop3(user)
        # The mail that goes round each minute comes to bob.
        assert p.stat() == (0, 0) or user == "bob"
        p.quit()
    users = demo.cli("user", "list", "demo.example", "--json").stdout
    # The folder is enough: its configuration is found there.
    records = subprocess.run([BINARY, "-d", demo.folder, "dns", "demo.example"],
                             capture_output=True, text=True, timeout=60)
    assert "DKIM1" in records.stdout, records.stderr
    assert users.count('"address"') == 102
    demo.stop()


def test_the_postmaster_is_there(demo):
    demo.start()
    with smtplib.SMTP("127.0.0.1", demo.port("mx"), timeout=60) as s:
        s.ehlo()
        s.mail("a@elsewhere.example")
        for name in ("postmaster@demo.example", "Postmaster"):
            assert s.rcpt(name)[0] == 250, name


def test_mail_stays_over_a_restart(demo):
    demo.start()
    want = message("stays", "here\n.\n")
    with smtplib.SMTP("127.0.0.1", demo.port("mx")) as c:
        c.sendmail("me@elsewhere.example", ["alice@demo.example"], want)
    demo.stop()
    conf = (demo.folder / "mailstead.conf").read_text()
    demo.start(base=False)
    p = demo.pop3()
    got = b"".join(x + b"\r\n" for x in p.retr(1)[1])
    assert original_of(got) == want
    p.quit()
    assert (demo.folder / "mailstead.conf").read_text() == conf
    demo.stop(signal.SIGTERM)


def test_a_removed_account_does_not_come_back(demo):
    demo.start()
    assert demo.cli("user", "remove", "bob@demo.example").returncode == 0
    demo.stop()
    demo.start()
    users = demo.cli("user", "list").stdout
    assert "bob@" not in users and "alice@" in users
    demo.stop()


def test_stops_quickly_with_clients_connected(demo):
    demo.start()
    held = [socket.create_connection(("127.0.0.1", demo.port(s)), PATIENCE_S)
            for s in ("mx", "submission", "imap", "pop3", "imaps", "pop3s")]
    p = demo.pop3()
    demo.stop()
    for s in held:
        s.close()
    p.close()


def test_files_are_private(demo):
    demo.start()
    # Others may pass through, to the LMTP socket, and see nothing.
    assert demo.folder.stat().st_mode & 0o066 == 0
    for name in ("key.pem", "mailstead.conf"):
        assert (demo.folder / name).stat().st_mode & 0o077 == 0
    demo.stop()


def test_sandbox_is_on(demo):
    demo.start()
    status = demo.cli("status").stdout
    demo.stop()
    if "sanitizer build" in demo.log():
        pytest.skip("a sanitizer build has no sandbox")
    for role in ("store", "auth", "filter", "smtp", "imap"):
        line = [x for x in status.splitlines() if x.startswith(role)][0]
        assert " yes " in line, line


def failing(*args):
    done = subprocess.run([BINARY, "demo", *args], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode != 0
    assert "ready" not in done.stdout
    return done.stderr


def test_port_in_use_names_the_port_and_what_to_do(demo):
    with socket.socket() as s:
        s.bind(("127.0.0.1", demo.port("imap")))
        s.listen()
        error = failing("--ports", str(demo.base), demo.folder)
    assert str(demo.port("imap")) in error
    assert "another program has this port" in error


def test_so_does_a_port_of_what_stands_in_for_others(demo):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as s:
            s.bind(("127.0.0.35", demo.port("names")))
            if kind == socket.SOCK_STREAM:
                s.listen()
            error = failing("--ports", str(demo.base), demo.folder)
        assert f"127.0.0.35 port {demo.port('names')}" in error
        assert "another program has this port" in error
        assert not any(stands_in(demo.base)), "somebody is left"


def test_second_demo_on_one_folder_is_refused(demo):
    demo.start()
    error = failing("--ports", str(free_base()), demo.folder)
    assert "another Mailstead runs" in error
    assert demo.cli("status").returncode == 0
    demo.stop()


def test_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "not a folder" in failing(tmp_path / "file")
    assert "cannot make the folder" in failing(tmp_path / "no" / "such")
    assert "too long" in failing(tmp_path / ("x" * 120))
    assert "usage:" in failing()
    assert "--ports" in failing("--ports", "many", tmp_path / "d")


def test_an_error_in_the_configuration_is_told(demo):
    demo.start()
    demo.stop()
    conf = demo.folder / "mailstead.conf"
    conf.write_text("hostnam = \"x\"\n" + conf.read_text())
    error = failing(demo.folder)
    assert "mailstead.conf:1" in error


def test_what_was_changed_in_the_configuration_stays(demo):
    demo.start()
    demo.stop()
    conf = demo.folder / "mailstead.conf"
    conf.write_text("# ours\n" + conf.read_text())
    demo.start()
    demo.stop()
    assert conf.read_text().startswith("# ours\n"), "the same ports"
    was = conf.read_text()
    demo.base = free_base(but=demo.base)
    demo.start()
    assert "ours" not in conf.read_text(), "other ports"
    assert (demo.folder / "mailstead.conf.old").read_text() == was
    assert "mailstead.conf.old" in demo.log()
    demo.stop()
    # Once more, and what was kept stays.
    demo.base = free_base(but=demo.base)
    demo.start()
    assert (demo.folder / "mailstead.conf.old").read_text() == was
    assert (demo.folder / "mailstead.conf.old.1").exists()
    demo.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="we are an ordinary user")
def test_as_an_ordinary_user(demo):
    """The same, as nobody in a folder of its own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mailstead-own-"))
    os.chown(folder, 65534, 65534)
    try:
        p = subprocess.Popen(
            [BINARY, "demo", "--ports", str(demo.base), folder / "d"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            user=65534, group=65534, extra_groups=[], start_new_session=True)
        demo.process = p
        lines = iter(p.stdout.readline, "")
        assert any(x == "ready\n" for x in lines), p.stderr.read()
        demo.folder = folder / "d"
        assert demo.pop3().stat() == (0, 0)
        p.send_signal(signal.SIGINT)
        assert p.wait(PATIENCE_S) == 0
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)


SERVED = {"NC023": {"smtp", "tcp"}, "NC028": {"http"}, "NC031": {"http"},
          "NC033": {"soa", "dns"}, "NC034": {"sip"}, "NC035": {"dns", "tcp"},
          "NC036": {"smtp", "submission", "imap", "pop3", "tls", "roundtrip"},
          "NC040": {"http"}, "NC041": {"http", "tls"}, "NC042": {"http"}}


def rows(demo, kind, *command):
    return json.loads(demo.cli(*command, "--json").stdout)[kind]


def test_ten_systems_are_watched(demo):
    demo.start()
    kinds = {system: set() for system in SERVED}
    for check in rows(demo, "checks", "check", "list"):
        kinds[check["check"].split("/")[0].upper()].add(check["kind"])
    assert kinds == {s: {"ping", *served} for s, served in SERVED.items()}
    wait_for(lambda: {c["status"] for c in rows(
        demo, "checks", "watch", "status")} == {"up"}, 4 * PATIENCE_S,
        "all checks are up")
    wait_for(lambda: {s["status"] for s in rows(
        demo, "systems", "system", "list")} == {"up"}, 4 * PATIENCE_S,
        "all systems are up")
    assert {s["system"] for s in rows(demo, "systems", "system", "list")} == \
        set(SERVED)


def found(demo, check):
    """What a probe says that is well, and what it says that was said. The watcher
    may know nothing of the check yet, and a machine be too slow once."""
    last = {}

    def is_well():
        said = demo.cli("check", "run", check, "--json").stdout
        last.clear()
        last.update(json.loads(said or "{}"))
        return last.get("outcome") == "ok"
    wait_for(is_well, what=f"{check} never is well")
    return (last["outcome"], last["found"]), "\n".join(last["dialogue"])


def test_name_servers_and_the_telephone_are_spoken_with(demo):
    """And are at the same places when the demo is started again."""
    demo.start()
    for _ in range(2):
        said, talk = found(demo, "nc033/soa")
        assert said[0] == "ok" and said[1].startswith("2 servers have serial")
        assert "127.0.0.33" in talk and "127.0.0.35" in talk
        said, talk = found(demo, "nc033/zone")
        assert said[0] == "ok" and "ns2.demo.example" in talk
        assert found(demo, "nc035/mail-host")[0] == (
            "ok", "1 record: 127.0.0.36")
        for check in ("nc034/sip", "nc034/sip-tcp"):
            said, talk = found(demo, check)
            assert said == ("ok", "answers 200 OK") and "Allow: OPTIONS" in talk
        demo.stop()
        assert not any(stands_in(demo.base)), "somebody is left"
        demo.start(base=False)
    demo.stop()


def test_what_stands_in_takes_anything_and_ends_with_the_demo(demo):
    demo.start()
    assert all(stands_in(demo.base))
    names = ("127.0.0.33", demo.port("names"))
    phone = ("127.0.0.34", demo.port("phone"))
    junk = [b"", b"\r\n\r\n", b"x", b"\0" * 12, b"\xff" * 12, b"\xc0" * 512,
            b"\1\2\0\0\0\1\0\0\0\0\0\0" + b"\x3f" * 500,
            b"OPTIONS sip:x SIP/2.0\r\n" + b"Via: a\r\n" * 900,
            b"OPTIONS sip:x SIP/2.0\r\n\r\n", os.urandom(1400)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for packet in junk:
            s.sendto(packet, names)
            s.sendto(packet, phone)
    for where in (names, phone):
        for packet in junk:
            with socket.create_connection(where, 60) as s:
                s.sendall(packet)
                s.shutdown(socket.SHUT_WR)
        # More than it has room for, which say nothing.
        held = [socket.create_connection(where, 60) for _ in range(40)]
        for s in held:
            s.close()
    for check in ("nc033/soa", "nc034/sip"):
        assert found(demo, check)[0][0] == "ok"
    assert found(demo, "nc034/sip-tcp")[0][0] == "ok"
    # Also when the demo is killed.
    demo.process.kill()
    demo.process.wait(60)
    wait_for(lambda: not any(stands_in(demo.base)))


def test_the_site_has_links(demo):
    demo.start()
    site = f"http://127.0.0.1:{demo.port('http')}"
    with urllib.request.urlopen(site + "/", timeout=60) as page:
        foot = page.read().decode().split('<ul class="links">')[1]
    links = re.findall(r'<li><a href="([^"]+)">', foot)
    own = [x for x in links if x.startswith(site)]
    assert len(own) == 2 and "mailto:postmaster@demo.example" in links
    for link in own:
        with urllib.request.urlopen(link, timeout=60) as page:
            assert page.status == 200 and page.read()

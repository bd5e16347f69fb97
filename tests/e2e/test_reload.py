# SPDX-License-Identifier: ISC
"""Reload, restart, stop and metrics: what an operator does all day, without a
session being dropped."""
import os
import re
import signal
import socket
import ssl
import subprocess
import urllib.request

import pytest

from lib.instance import BINARY, PATIENCE_S, free_ports, make_certificate, wait_for
from lib.load import Imap, Load, Smtp
from lib.testdata import message

PLAIN = {"auth": {"allow_plaintext": "yes"}}


@pytest.fixture
def plain_server(make_server):
    return make_server(PLAIN)


def presented(server, service="imaps"):
    """The certificate that a new client is shown."""
    ctx = ssl.create_default_context()
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    with socket.create_connection(
            ("127.0.0.1", server.ports[service]), PATIENCE_S) as s:
        with ctx.wrap_socket(s) as t:
            return t.getpeercert(True)


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as s:
            return s.recv(100)
    except OSError:
        return b""


# --- certificates -----------------------------------------------------------------


@pytest.mark.parametrize("by", ["command", "signal"])
def test_a_new_certificate_is_for_new_connections(plain_server, by):
    server = plain_server
    account = server.new_account()
    before = presented(server)
    tls_session = Imap(server, account.login, "imaps")
    session = Imap(server, account.login)
    make_certificate(server.dir)
    if by == "command":
        server.cli("reload")
        # The command answers when it is done.
        assert presented(server) != before
        assert presented(server, "submissions") != before
    else:
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: presented(server) != before and
                 presented(server, "submissions") != before)
    # Both were signed in all the time.
    for s in (tls_session, session):
        s.ok("SELECT INBOX")
        assert s.ok("NOOP")
        s.close()


# --- a bad configuration ------------------------------------------------------------


BAD = [
    ("workers { smtp = lots }", r"workers\.smtp: \"lots\".*expected"),
    ("smtp { recipients = 3 }", r"smtp\.recipients: \"3\".*expected"),
    ("smtp { message_size = 3M }", "message_size is given twice"),
    ("smtp { mesage_size = 3M }", r"mesage_size.*expected one of: .*"
     "message_size"),
    ("smtp {", "smtp is not closed"),
]


@pytest.mark.parametrize("bad,why", BAD)
def test_a_bad_file_is_told_and_changes_nothing(plain_server, bad, why):
    server = plain_server
    account = server.new_account()
    session = Imap(server, account.login)
    good = server.conf.read_text()
    line = good.count("\n") + 1
    server.conf.write_text(good + bad + "\n")
    where = rf"{re.escape(str(server.conf))}:({line}|{line + 1}): "
    done = server.cli("reload", check=False)
    assert done.returncode != 0
    assert re.search(where + ".*" + why, done.stderr), done.stderr
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(re.findall("event=supervisor.config.bad",
                                    server.log())) == 2)
    logged = [x for x in server.log().splitlines()
              if "event=supervisor.config.bad" in x]
    assert all(f"{server.conf}:" in x for x in logged), logged
    # The old configuration goes on, and status says why.
    session.ok("NOOP")
    session.close()
    account.deliver(message())
    assert "error" in server.cli("status")
    server.conf.write_text(good)
    server.cli("reload")
    assert "error" not in server.cli("status")


def test_a_key_that_does_not_fit_changes_nothing(plain_server):
    server = plain_server
    before = presented(server)
    other = server.dir / "other"
    other.mkdir()
    _, key = make_certificate(other)
    good = server.key.read_text()
    server.key.write_text(key.read_text())
    done = server.cli("reload", check=False)
    assert done.returncode != 0 and "key" in done.stderr, done.stderr
    assert presented(server) == before
    server.key.write_text(good)
    server.cli("reload")
    assert presented(server) == before


# --- ports and workers ---------------------------------------------------------------


def test_ports_come_and_go(plain_server):
    server = plain_server
    account = server.new_account()
    session = Imap(server, account.login)
    old, new = server.ports["mx"], free_ports(1)[0]
    assert answers(old)[:4] == b"220 "
    server.ports["mx"] = new
    server.configure()
    server.cli("reload")
    assert answers(new)[:4] == b"220 "
    assert answers(old) == b""
    server.ports["mx"] = old
    server.configure()
    server.cli("reload")
    assert answers(old)[:4] == b"220 "
    assert answers(new) == b""
    session.ok("NOOP")
    session.close()


def test_a_port_that_is_taken_is_named_and_changes_nothing(plain_server):
    server = plain_server
    old = server.ports["mx"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server.ports["mx"] = other.getsockname()[1]
        server.configure()
        done = server.cli("reload", check=False)
        assert done.returncode != 0
        assert f"port {server.ports['mx']}" in done.stderr, done.stderr
    assert answers(old)[:4] == b"220 "
    server.ports["mx"] = old
    server.configure()
    server.cli("reload")
    assert answers(old)[:4] == b"220 "


def test_what_counts_later_is_named(plain_server):
    server = plain_server
    assert "anew" not in server.cli("reload")
    server.configure({"dns": {"servers": "127.0.0.1:1"},
                      "send": {"retry": "4m"}})
    said = server.cli("reload")
    assert said.rstrip().endswith("started anew: dns.servers")
    assert "anew" not in server.cli("reload"), "nothing changed again"


def test_workers_come_and_go_and_sessions_stay(plain_server):
    server = plain_server
    account = server.new_account()
    session = Imap(server, account.login)
    for workers in (3, 1):
        server.configure({"workers": {"smtp": str(workers),
                                      "imap": str(workers)}})
        server.cli("reload")
        wait_for(lambda n=workers: all(
            [p["state"] for p in server.status()["processes"]
             if p["role"] == r] == ["serving"] * n for r in ("smtp", "imap")))
        account.deliver(message())
        # The first worker is not the one that goes.
        session.ok("NOOP")
        Imap(server, account.login).close()
    session.close()


# --- processes -------------------------------------------------------------------------


def test_status_shows_each_process_and_its_sandbox(plain_server):
    all_of_it = plain_server.status()["processes"]
    roles = {p["role"]: p for p in all_of_it}
    assert set(roles) == {"supervisor", "store", "auth", "filter", "smtp",
                          "imap", "send", "watch", "web"}
    for name, p in roles.items():
        assert p["state"] == "serving" and p["restarts"] == 0
        os.kill(p["pid"], 0)
        if name != "supervisor":
            assert p["seccomp"] and p["no_new_privs"]
            assert os.geteuid() != 0 or p["uid"] != 0


def test_a_role_that_hangs_is_told(plain_server):
    """It is alive, and does nothing: a disk that hangs, or a debugger."""
    server = plain_server
    before = len(server.log())

    def row():
        row, = [p for p in server.status()["processes"]
                if p["role"] == "filter"]
        return row
    pid = row()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: row()["state"] == "silent", what="it is not told")
        assert re.fullmatch(r"no answer for \d+ s", row()["note"])
        assert all(p["state"] == "serving"
                   for p in server.status()["processes"]
                   if p["role"] != "filter")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: row()["state"] == "serving", what="it is told for ever")
    assert (row()["pid"], row()["restarts"], row()["note"]) == (pid, 0, None)
    log = server.log()[before:]
    assert "event=supervisor.silent role=filter " in log
    assert re.search(r"event=supervisor\.answers role=filter .*silent_s=\d\d",
                     log)


@pytest.mark.parametrize(
    "role", ["store", "auth", "filter", "smtp", "imap"])
def test_a_killed_role_is_back(plain_server, role):
    server = plain_server
    account = server.new_account()
    [old] = server.pids(role)
    os.kill(old, signal.SIGKILL)

    def is_back():
        [p] = [p for p in server.status()["processes"] if p["role"] == role]
        return p["pid"] != old and p["state"] == "serving" and p
    p = wait_for(is_back, what=f"{role} is not back")
    assert p["restarts"] == 1 and "KILL" in p["last_exit"]
    assert p["note"] is None
    server.wait_log(rf"event=supervisor\.exit .*role={role} .*SIGKILL")
    account.deliver(message())
    Imap(server, account.login).close()


def test_stops_in_two_seconds_under_load(make_server):
    server = make_server({"auth": {"allow_plaintext": "yes"}})
    load = Load(server, seed=3, think_s=0.001).start()
    try:
        # With all of their mailboxes made, which verify() looks into.
        wait_for(lambda: load.failures or (
            load.ledger.count_acked() > 50 and
            all(getattr(w, "has_boxes", True) for w in load.workers)), 60)
        # stop() measures, and looks for processes that are left.
        server.stop(signal.SIGTERM)
    finally:
        load.stop()
    server.start()
    load.verify()
    server.cli("check")


# --- metrics -----------------------------------------------------------------------------


SAMPLE = re.compile(
    r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? '
    r'(-?[0-9.e+]+|NaN|[+-]Inf)')


def parse_metrics(text):
    """The text format of Prometheus, strictly: {(name, labels): value}."""
    types, helps, out = {}, {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("counter", "gauge") and name not in types, line
            types[name] = kind
        elif line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helps, line
            helps[name] = line
        else:
            m = SAMPLE.fullmatch(line)
            assert m, f"not a sample: {line!r}"
            name, labels, value = m.groups()
            assert name in types and name in helps, f"no type: {line}"
            assert types[name] != "counter" or name.endswith("_total"), name
            assert (name, labels) not in out, f"twice: {line}"
            out[name, labels] = float(value)
    assert out
    return out


def total(metrics, name, *labels):
    return sum(v for (n, x), v in metrics.items()
               if n == name and all(y in x for y in labels))


def scrape(server):
    url = f"http://127.0.0.1:{server.ports['metrics']}/metrics"
    with urllib.request.urlopen(url, timeout=60) as r:
        assert r.headers["Content-Type"].startswith("text/plain")
        return r.read().decode()


@pytest.mark.parametrize("how", ["command", "http"])
def test_metrics_count_what_happens(plain_server, how):
    server = plain_server
    account = server.new_account()

    def look():
        return parse_metrics(
            server.cli("metrics") if how == "command" else scrape(server))
    before = look()
    account.deliver(message(), message())
    c = Smtp(server, "mx")
    assert c.ask("MAIL FROM:<a@elsewhere.example>")[0] == "2"
    assert c.ask(f"RCPT TO:<nobody@{server.domain}>")[:3] == "550"
    after = look()
    for name, n, labels in (
            ("mailstead_messages_accepted_total", 2, ()),
            ("mailstead_deliveries_total", 2, ()),
            ("mailstead_events_total", 1, ('event="smtp.rcpt.reject"',))):
        grown = total(after, name, *labels) - total(before, name, *labels)
        assert grown == n, f"{name} grew by {grown}"
    assert total(after, "mailstead_sessions", 'role="smtp"') >= 1
    c.close()
    # The store tells its figures once a second.
    wait_for(lambda: total(look(), "mailstead_store_flushes_total") >= 1)


def test_config_check_says_what_reload_would(plain_server):
    server = plain_server
    assert os.access(BINARY, os.X_OK)
    server.cli("config", "check")
    good = server.conf.read_text()
    server.conf.write_text(good + "imap { idle = soon }\n")
    by_check = server.cli("config", "check", check=False)
    by_reload = server.cli("reload", check=False)
    assert by_check.returncode != 0 and by_reload.returncode != 0
    said = [x for x in by_check.stderr.splitlines() if "imap.idle" in x]
    assert said and said[0].split("mailstead: ")[-1] in by_reload.stderr
    server.conf.write_text(good)


@pytest.mark.parametrize("watch,is_told", [
    ("", True), ('uplink = { "127.0.0.1:1" }', False), ("enabled = no", False)])
def test_config_check_asks_how_we_know_of_our_own_outage(
        plain_server, tmp_path, watch, is_told):
    conf = tmp_path / "mailstead.conf"
    conf.write_text(f"{plain_server.conf.read_text()}watch {{\n{watch}\n}}\n")
    done = subprocess.run([BINARY, "config", "check", conf],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ("watch.uplink is empty" in done.stderr) == is_told


def test_config_check_reads_the_tables_of_the_operator(plain_server, tmp_path):
    table = tmp_path / "refusals"
    conf = tmp_path / "mailstead.conf"
    plain_server.configure({"send": {"refusals": table}})
    conf.write_text(plain_server.conf.read_text())
    plain_server.configure({"send": {"refusals": ""}})
    gone = plain_server.cli("config", "check", conf, check=False)
    assert gone.returncode == 1 and "send.refusals: cannot read" in gone.stderr
    table.write_text("default\nfoo bar\n")
    bad = plain_server.cli("config", "check", conf, check=False)
    assert bad.returncode == 1 and f"{table}:2: " in bad.stderr
    table.write_text("default\n")
    plain_server.cli("config", "check", conf)


def test_a_service_manager_hears_when_mail_is_served(plain_server, tmp_path):
    server = plain_server
    server.stop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        server.start(env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert manager.recv(100) == b"READY=1"
        server.stop()
        assert manager.recv(100) == b"STOPPING=1"
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)

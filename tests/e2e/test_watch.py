# SPDX-License-Identifier: ISC
"""What is watched: checks against this server itself and stand-ins on
loopback, in good and in broken states; states, history, restarts."""
import http.server
import imaplib
import json
import os
import re
import signal
import socket
import ssl
import threading

import pytest
from dns import message, rrset

from lib import dns, pki
from lib.instance import PATIENCE_S, free_ports, wait_for
from test_diskfull import SmallDisk

OK, REFUSED, USAGE, TEMPFAIL = 0, 1, 2, 75


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def add(server, name, kind, target, *options, password=None):
    words = ["--password-stdin"] if password else []
    server.cli("check", "add", f"box/{name}", kind, target, *options, *words,
               input=password + "\n" if password else None)


def run(server, name):
    """One probe now: (exit status, what it found)."""
    done = wait_for(lambda: (d := server.cli(
        "check", "run", f"box/{name}", "--json", check=False)) and
        "no such check" not in d.stderr and d, 5, "the watcher knows it")
    return done.returncode, json.loads(done.stdout)


def probe(server, kind, target, *options, password=None):
    """Add a check, probe it, remove it. A stand-in may be slow on a busy
    machine: where silence is not what is looked for, there is time."""
    if kind != "roundtrip" and not any(
            o.startswith("timeout=") for o in options):
        options = (*options, "timeout=20s")
    add(server, "x", kind, target, *options, password=password)
    try:
        return run(server, "x")
    finally:
        server.cli("check", "remove", "box/x")
        wait_for(lambda: not states(server).get("box/x"), 5, "it is gone")


class States(dict):
    """By check. The watcher hears of one a moment after it was added."""

    def __missing__(self, name):
        return {"status": None, "flags": [], "checked": None,
                "coverage_ppm": None, "uptime_ppm": None}


def states(server):
    return States((c["check"], c)
                  for c in js(server, "watch", "status")["checks"])


@pytest.fixture
def box(fresh_server):
    fresh_server.cli("system", "add", "Box", "mail", "--city", "Lusaka",
                     "--country", "Zambia")
    return fresh_server


@pytest.fixture
def silent_port():
    """Connections come in, nothing goes out."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]


def speak(greeting, answer=None):
    """A server that says greeting and then answers each line the same."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                c, _ = listener.accept()
            except OSError:
                return
            with c:
                try:
                    c.sendall(greeting)
                    while c.recv(4096):
                        c.sendall(answer or b"")
                except OSError:
                    pass
    threading.Thread(target=serve, daemon=True).start()
    return listener, listener.getsockname()[1]


# --- data ------------------------------------------------------------------------


def test_systems_and_checks_are_data(box):
    box.cli("system", "add", "ns1", "primary-ns", "--internal", "--order", 5)
    box.cli("system", "change", "BOX", "--parents", "ns1", "--order", 9)
    rows = js(box, "system", "list")["systems"]
    assert [r["system"] for r in rows] == ["ns1", "Box"]
    assert rows[0]["audience"] == "internal"
    assert rows[1]["place"] == "Lusaka, Zambia"
    assert (rows[1]["status"], rows[1]["flags"]) == ("unwatched", [])
    assert "not watched" in box.cli("system", "list")
    for more in ([], ["--places"]):
        done = box.cli("watch", "status", "nobody", *more, check=False)
        assert done.returncode == 1 and "no check" in done.stderr, more
    add(box, "smtp", "smtp", f"127.0.0.1:{box.ports['mx']}", "every=1m")
    box.cli("check", "change", "box/smtp", "slow=2s", "every=")
    row, = js(box, "check", "list", "box")["checks"]
    assert row == {"check": "box/smtp", "kind": "smtp", "every_s": 30,
                   "target": f"127.0.0.1:{box.ports['mx']}",
                   "options": "slow=2s"}
    box.cli("check", "change", "box/smtp", "target=127.0.0.1:9", "slow=1s")
    row, = js(box, "check", "list", "box")["checks"]
    assert (row["target"], row["options"]) == ("127.0.0.1:9", "slow=1s")
    add(box, "web", "http", "http://x.example/", "body=a", "body=b")
    box.cli("check", "change", "box/web", "body=c", "body=d")
    rows = js(box, "check", "list", "box")["checks"]
    assert rows[1]["options"] == "body=c body=d"
    box.cli("check", "remove", "box/web")
    assert box.cli("watch", "status", "nothing",
                   check=False).returncode == REFUSED
    for bad in (["system", "add", "box", "mail"],
                ["check", "add", "box/smtp", "smtp", "x"]):
        assert box.cli(*bad, check=False).returncode == REFUSED
    for bad in (["system", "add", "no good", "mail"],
                ["system", "add", "b2", "boat"],
                ["check", "add", "box/y", "smtp", "a b"],
                ["check", "add", "box/y", "smtp", "a", "target=b"],
                ["check", "change", "box/smtp", "target=a b"],
                ["check", "change", "box/smtp", "target="],
                ["check", "add", "box/y", "tcp", "h:1", "every=1s"],
                ["check", "add", "box", "tcp", "h:1"],
                ["check", "frob"], ["maintenance", "add", "box"]):
        assert box.cli(*bad, check=False).returncode == USAGE, bad
    for words in (["add", "box/y", "tcp", "h:1"], ["change", "box/smtp"]):
        done = box.cli("check", *words, "evry=30s", check=False)
        assert done.returncode == USAGE
        assert '"evry": expected NAME=VALUE' in done.stderr
    for words, said in ((["--for", "2h", "--every", "1h"], "--every: expected"),
                        (["--for", "1h", "--from", "2020-01-01"], "is over")):
        done = box.cli("maintenance", "add", "box", *words, check=False)
        assert done.returncode == USAGE and said in done.stderr
    for what in "check", "maintenance":
        done = box.cli(what, "list", "nosuch", check=False)
        assert done.returncode == REFUSED, what
    done = box.cli("check", "change", "box/smtp", "at=here", "at=nosuch",
                   check=False)
    assert done.returncode == REFUSED and '"at=nosuch"' in done.stderr
    box.cli("maintenance", "add", "box", "--for", "2h", "--note", "disks")
    window, = js(box, "maintenance", "list")["windows"]
    assert window["note"] == "disks"
    done = box.cli("system", "remove", "BOX", check=False)
    assert done.returncode == REFUSED
    for word in "system Box", "smtp", "--with-checks":
        assert word in done.stderr
    checks = len(js(box, "check", "list")["checks"])
    assert checks > 0 and js(box, "system", "list")["systems"] != []
    assert js(box, "system", "remove", "box", "--with-checks") == {
        "removed": "Box", "checks": checks, "maintenance": 1,
        "subscribers": 0, "contacts": 0}
    assert js(box, "check", "list")["checks"] == []
    assert js(box, "maintenance", "list")["windows"] == []
    # The check of the store is still there.
    assert "clean" in box.cli("check")


def test_passwords_are_never_shown(box):
    add(box, "imap", "imap", f"127.0.0.1:{box.ports['imap']}", "login=a@b",
        "verify=no", password="very secret 1")
    _, found = run(box, "imap")
    listed = box.cli("check", "list")
    assert "box/imap" in listed
    shown = (listed + box.cli("check", "show", "box/imap") +
             box.cli("watch", "status") + json.dumps(found) + box.log())
    assert "secret" not in shown and "login=a@b" in shown


# --- kinds, against this server ---------------------------------------------------


def test_mail_protocols_of_this_server(box):
    account = box.new_account()
    login = (f"login={account}", "verify=no")
    for kind, port, options in (
            ("tcp", "mx", ()), ("smtp", "mx", ()),
            ("smtp", "mx", ("tls=starttls", "verify=no")),
            ("submission", "submission", login),
            ("submission", "submissions", ("tls=implicit", *login)),
            ("imap", "imap", login),
            ("imap", "imaps", ("tls=implicit", *login)),
            ("pop3", "pop3", login),
            ("pop3", "pop3s", ("tls=implicit", *login))):
        has_login = options and options[-1] == "verify=no" and len(
            options) > 1 and kind != "smtp"
        status, r = probe(box, kind, f"127.0.0.1:{box.ports[port]}",
                          *options,
                          password=account.password if has_login else None)
        assert status == OK, r
        assert r["outcome"] == "ok" and r["time_us"] > 0
        if has_login:
            assert r["found"] == "signed in"
            assert r["stages"][-1].startswith("login ")


def test_wrong_passwords_and_no_tls(box):
    account = box.new_account()
    for kind, port in (("submission", "submission"), ("imap", "imap"),
                       ("pop3", "pop3")):
        status, r = probe(box, kind, f"127.0.0.1:{box.ports[port]}",
                          f"login={account}", "verify=no", password="wrong")
        assert (status, r["cause"]) == (REFUSED, "login"), r
    listener, port = speak(b"220 x ESMTP\r\n", b"250 x\r\n")
    with listener:
        status, r = probe(box, "smtp", f"127.0.0.1:{port}", "tls=starttls")
        assert (status, r["cause"]) == (REFUSED, "tls"), r
        assert r["found"] == "offers no STARTTLS (tls=never if that is meant)"
    listener, port = speak(b"+OK x\r\n", b"-ERR what?\r\n")
    with listener:
        status, r = probe(box, "pop3", f"127.0.0.1:{port}", "tls=starttls")
        assert (status, r["cause"]) == (REFUSED, "tls"), r
        assert r["found"].startswith(
            "offers no STARTTLS (tls=never if that is meant): ")


def test_a_mail_goes_round(box):
    account = box.new_account()
    words = ("roundtrip", account, f"via=127.0.0.1:{box.ports['submission']}",
             f"imap=127.0.0.1:{box.ports['imap']}", "verify=no",
             f"login={account}")
    status, r = probe(box, *words, password=account.password)
    assert status == OK, r
    # In whole seconds by this machine's own clock.
    stages = [s.split() for s in r["stages"]]
    assert [s[0] for s in stages[-3:]] == ["arrive", "hop", "mailbox"], r
    assert stages[-2][1] == "mail.test.example" and stages[-2][3] == "s", r
    assert [s[0] for s in stages].index("submit") > 0
    with imaplib.IMAP4_SSL("127.0.0.1", box.ports["imaps"],
                           ssl_context=box.tls()) as c:
        c.login(str(account), account.password)
        c.select("INBOX")
        assert c.search(None, "ALL")[1] == [b""]
    # Taken by the server, and never there: it goes to somebody else.
    other = box.new_account()
    for most in ("3s", "20s", "60s"):
        status, r = probe(box, "roundtrip", other, *words[2:],
                          f"timeout={most}", password=account.password)
        if "has not arrived" in r["found"]:
            break  # else submitting alone took as long
    assert (status, r["cause"]) == (REFUSED, "timeout")
    assert "has not arrived" in r["found"]
    assert r["stages"][-1].startswith("arrive ") and \
        r["stages"][-1].endswith(" ms (not over)"), r
    assert any(s.startswith("submit ") for s in r["stages"])
    # What the last regular probe went through stays to be seen.
    add(box, "trip", *words, "every=3s", password=account.password)
    row = wait_for(lambda: (r := states(box).get("box/trip")) and
                   r["stages"] and r, PATIENCE_S, "it was probed")
    assert [s.split()[0] for s in row["stages"]][:4] == \
        ["name", "connect", "tls", "login"], row
    shown = box.cli("watch", "status", "box/trip")
    assert re.search(r"^STAGES +name .* ms, connect .* ms, ", shown, re.M), \
        shown


# --- kinds, against stand-ins ------------------------------------------------------


def test_what_does_not_answer_or_answers_nonsense(box, silent_port):
    port, = free_ports(1)
    for kind in ("smtp", "imap", "pop3", "sieve", "tls"):
        status, r = probe(box, kind, f"127.0.0.1:{port}")
        assert (status, r["cause"]) == (REFUSED, "refused"), r
        status, r = probe(box, kind, f"127.0.0.1:{silent_port}",
                          "timeout=600ms")
        assert (status, r["cause"]) == (REFUSED, "timeout"), r
    listener, port = speak(b"HELLO \x1b[31mworld\r\n")
    with listener:
        for kind in ("smtp", "imap", "pop3", "sieve"):
            status, r = probe(box, kind, f"127.0.0.1:{port}")
            assert (status, r["cause"]) == (
                REFUSED, "protocol"), r
            assert "\x1b" not in json.dumps(r)
        assert probe(box, "tls", f"127.0.0.1:{port}")[1]["cause"] == \
            "tls"
    # Each line is one that the protocol allows, and there is no last one.
    for kind, greeting, answer in (
            ("sieve", b'"X" "y"\r\n' * 400000, None),
            ("http", b"", b"HTTP/1.1 100 \r\n\r\n" * 200000)):
        listener, port = speak(greeting, answer)
        with listener:
            target = f"127.0.0.1:{port}"
            status, r = probe(box, kind, f"http://{target}/"
                              if kind == "http" else target, *(
                                  () if kind == "http" else ("tls=never",)))
            assert (status, r["cause"]) == (REFUSED, "protocol"), r
            assert "no end" in r["found"]
    status, r = probe(box, "tcp", "no-such-host.invalid:25")
    assert (status, r["cause"]) == (REFUSED, "name"), r


def answer_late(listener):
    """To each that comes: the check's own first probe may come in between."""
    while True:
        try:
            c, _ = listener.accept()
            with c:
                threading.Event().wait(0.3)
                c.sendall(b"+OK\r\n")
                c.recv(100)
        except OSError:
            if listener.fileno() < 0:
                return


def test_slow_answers_are_slow(box):
    status, r = probe(box, "submission",
                      f"127.0.0.1:{box.ports['submission']}", "verify=no",
                      "slow=1ms")
    assert status == OK and r["outcome"] in ("ok", "slow")
    listener = socket.create_server(("127.0.0.1", 0))

    threading.Thread(target=answer_late, args=(listener,),
                     daemon=True).start()
    with listener:
        status, r = probe(box, "pop3",
                          f"127.0.0.1:{listener.getsockname()[1]}",
                          "tls=never", "slow=200ms")
    assert (status, r["outcome"]) == (OK, "slow")


def test_what_answers_later_than_its_limit_fails(box):
    status, r = probe(box, "pop3", f"127.0.0.1:{box.ports['pop3']}",
                      "tls=never", "limit=20s")
    assert (status, r["outcome"]) == (OK, "ok"), r
    listener = socket.create_server(("127.0.0.1", 0))

    threading.Thread(target=answer_late, args=(listener,),
                     daemon=True).start()
    with listener:
        status, r = probe(box, "pop3",
                          f"127.0.0.1:{listener.getsockname()[1]}",
                          "tls=never", "slow=100ms", "limit=200ms")
    assert (status, r["cause"]) == (REFUSED, "late"), r
    assert r["found"].endswith("its limit is 200 ms")


def test_certificates(make_server):
    ca = pki.Cert("Test CA", is_ca=True)
    good = pki.Cert("good.test", issuer=ca, days=60)
    # Whole days: it depends on the tick of a second which of the two.
    cases = [(good, "good.test", (), OK, "ok",
              "certificate good for (59|60) days"),
             (good, "other.test", (), REFUSED, "failed", "certificate: "),
             (good, "other.test", ("verify=no",), OK, "ok", ""),
             (good, "good.test", ("days=90",), OK, "slow", "ends in (59|60) "),
             (pki.Cert("old.test", issuer=ca, days=-1), "old.test", (),
              REFUSED, "failed", "expired"),
             (pki.Cert("alone.test"), "alone.test", (), REFUSED, "failed",
              "self-signed")]
    box = make_server({"watch": {"ca_file": ca.pem}})
    box.cli("system", "add", "box", "web")
    for cert, name, options, code, outcome, text in cases:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert.pem, cert.key)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def serve(listener=listener, context=context):
                while listener.fileno() >= 0:
                    try:
                        context.wrap_socket(listener.accept()[0],
                                            server_side=True).recv(1)
                    except OSError:
                        pass
            threading.Thread(target=serve, daemon=True).start()
            status, r = probe(
                box, "tls", f"127.0.0.1:{listener.getsockname()[1]}",
                f"name={name}", *options)
        assert (status, r["outcome"]) == (code, outcome), r
        assert re.search(text, r["found"]), r


def test_certificates_behind_starttls(make_server):
    box = make_server()
    box.cli("system", "add", "box", "mail")
    box.configure({"watch": {"ca_file": box.certificate}})
    box.restart()
    for protocol, port in (("smtp", "mx"), ("imap", "imap"),
                           ("pop3", "pop3"), ("tls", "imaps")):
        for name, code in (("mail.test.example", OK), ("x.test", REFUSED)):
            status, r = probe(box, "tls", f"127.0.0.1:{box.ports[port]}",
                              f"protocol={protocol}", f"name={name}")
            assert status == code, r


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body, status = b'{"state": {"ok": true, "n": [1, 7]}}', 200
        if self.path == "/gone":
            body, status = b"gone", 410
        self.send_response(status)
        if self.path == "/chunked":
            self.protocol_version = "HTTP/1.1"
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
            return
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_web_pages(box):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{web.server_port}"
        for path, options, code in (
                ("/", (), OK), ("/", ("json=state.ok=true",), OK),
                ("/", ("json=state.n.1=7",), OK),
                ("/", ("json=state.ok=false",), REFUSED),
                ("/", ("json=nothing=1",), REFUSED),
                ("/", ("body=state",), OK), ("/", ("body=x y z",), REFUSED),
                ("/chunked", ("body=hello world",), OK),
                ("/chunked", ("json=a=1",), REFUSED),
                ("/gone", (), REFUSED), ("/gone", ("code=410",), OK),
                ("/", ("code=301",), REFUSED)):
            status, r = probe(box, "http", url + path, *options)
            assert status == code, (path, options, r)
            assert code == OK or r["cause"] == "content"
        web.shutdown()


def test_sip(box):
    def answer(data, line):
        fields = dict(x.split(": ", 1) for x in data.decode().split("\r\n")
                      if ": " in x)
        return (f"SIP/2.0 {line}\r\nVia: {fields['Via']}\r\n"
                f"Call-ID: {fields['Call-ID']}\r\n\r\n").encode()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(0.05)
        replies, over = [lambda d: answer(d, "200 OK")], threading.Event()

        def serve():
            while not over.is_set():
                try:
                    data, peer = s.recvfrom(4096)
                    s.sendto(replies[-1](data), peer)
                except OSError:
                    pass
        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        target = f"127.0.0.1:{s.getsockname()[1]}"
        assert probe(box, "sip", target)[1]["found"] == "answers 200 OK"
        replies.append(lambda d: answer(d, "403 Forbidden"))
        assert probe(box, "sip", target)[0] == OK
        replies.append(lambda d: b"what?")
        assert probe(box, "sip", target)[1]["cause"] == \
            "protocol"
        over.set()
        serving.join()
    status, r = probe(box, "sip", target, "timeout=600ms")
    assert (status, r["cause"]) == (REFUSED, "refused")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def over_tcp():
            c, _ = listener.accept()
            with c:
                whole = answer(c.recv(4096), "405 No")
                c.sendall(whole[:20])
                c.sendall(whole[20:])
                c.recv(1)
        threading.Thread(target=over_tcp, daemon=True).start()
        status, r = probe(box, "sip",
                          f"127.0.0.1:{listener.getsockname()[1]}",
                          "transport=tcp")
        assert (status, r["found"]) == (OK, "answers 405 No")


@pytest.mark.skipif(not dns.is_there(), reason="knot is not installed")
def test_names_and_zones(make_server):
    records = ["www A 192.0.2.7", "www A 192.0.2.8",
               "@ MX 10 mail.example.",
               "2.0.0.127.bl A 127.0.0.2", "7.2.0.192.bl A 127.0.0.4",
               "2.0.0.127.all A 127.0.0.2", "1.0.0.127.all A 127.0.0.2",
               "7.2.0.192.all A 127.0.0.2",
               "2.0.0.127.no A 127.0.0.2",
               "7.2.0.192.no A 127.255.255.254",
               # More than a packet holds.
               *(f'long TXT "{i:02}{"x" * 150}"' for i in range(20))]
    first, second = (dns.NameServer(records).start() for _ in range(2))
    try:
        at = [f"127.0.0.1:{s.port}" for s in (first, second)]
        box = make_server({"dns": {"servers": [at[0]], "dnssec": "no"}})
        box.cli("system", "add", "box", "primary-ns")
        both = [f"server={a}" for a in at]
        for kind, target, options, code, found in (
                ("dns", "www.example", (), OK, "2 records"),
                ("dns", "www.example", ("value=192.0.2.8",), OK, ""),
                ("dns", "www.example", ("value=192.0.2.9",), REFUSED,
                 "192.0.2.9 is not among"),
                ("dns", "example", ("type=MX", "value=10 mail.example",
                                    *both), OK, ""),
                ("dns", "long.example", ("type=TXT", *both,
                                         "value=19" + "x" * 150), OK,
                 "20 records"),
                ("dns", "nothing.example", (), REFUSED, "no such record"),
                # Nobody here could tell: that is no outage.
                ("dns", "www.example", ("dnssec=yes",), TEMPFAIL,
                 "dns.trust_anchor"),
                ("soa", "example", (*both, "dnssec=yes"), TEMPFAIL,
                 "dns.trust_anchor"),
                ("dns", "nothing.example", (both[0],), REFUSED, "NXDOMAIN"),
                ("soa", "example", both, OK, "2 servers have serial"),
                ("soa", "other.test", both, REFUSED, "REFUSED"),
                ("blocklist", "192.0.2.7", ("list=bl.example",), REFUSED,
                 "listed by bl.example (127.0.0.4)"),
                ("blocklist", "192.0.2.9", ("list=bl.example",), OK,
                 "not listed by 1 list"),
                # Dead: it lists everybody; it lists nobody; it refuses.
                ("blocklist", "192.0.2.7", ("list=all.example",), TEMPFAIL,
                 "no list works"),
                ("blocklist", "192.0.2.7", ("list=nobody.example",),
                 TEMPFAIL, "no list works"),
                ("blocklist", "192.0.2.7", ("list=no.example",), TEMPFAIL,
                 "no list works"),
                ("blocklist", "192.0.2.7",
                 ("list=all.example", "list=bl.example"), REFUSED,
                 "listed by bl.example")):
            status, r = probe(box, kind, target, *options)
            assert (status, found in r["found"]) == (code, True), r
        # The secondary stays behind.
        first.change(records + ["new A 192.0.2.1"])
        status, r = probe(box, "soa", "example", *both)
        assert (status, r["cause"]) == (REFUSED, "disagrees"), r
        assert r["found"].endswith("it is behind")
        second.end()
        status, r = probe(box, "soa", "example", *both, "timeout=600ms")
        assert status == REFUSED, r
    finally:
        first.stop()
        second.stop()


@pytest.fixture
def old_signature():
    """A name server all of whose signatures ended long ago."""
    times = "20200201000000 20200101000000"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))

        def serve():
            while True:
                wire, peer = s.recvfrom(4096)
                if not wire:
                    return
                asked = message.from_wire(wire)
                name = asked.question[0].name
                reply = message.make_response(asked)
                reply.answer = [
                    rrset.from_text(name, 2, "IN", "A", "192.0.2.9"),
                    rrset.from_text(name, 2, "IN", "RRSIG",
                                    f"A 13 2 2 {times} 1 old. AAAA")]
                s.sendto(reply.to_wire(), peer)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{s.getsockname()[1]}"
        s.sendto(b"", s.getsockname())
        thread.join()


@pytest.mark.skipif(not dns.is_there(), reason="knot is not installed")
def test_signatures_of_zones(make_server, tmp_path, old_signature):
    ns = dns.NameServer(["www A 192.0.2.7"], signed=True, others={
        "plain.": ["www A 192.0.2.8"],
        "broken.": ["www A 192.0.2.8"]}).start()
    try:
        # Of the zone broken there is an anchor, and no key.
        anchor = tmp_path / "anchor"
        anchor.write_text(ns.anchor() + f"broken. IN DS 1 13 2 {'0' * 64}\n")
        tmp_path.chmod(0o755)
        box = make_server({"dns": {"servers": [ns.address], "dnssec": "yes",
                                   "trust_anchor": anchor}})
        box.cli("system", "add", "box", "primary-ns")
        at = f"server={ns.address}"
        cases = (
            ("dns www.example dnssec=yes days=1", "ok", None, ""),
            ("dns www.example dnssec=yes days=5000", "slow", None,
             "signature ends in"),
            ("dns www.plain dnssec=yes", "failed", "unsigned", "DS record"),
            ("dns www.broken dnssec=yes", "failed", "bogus", "do not hold"),
            (f"dns www.example {at} days=1", "ok", None, ""),
            (f"dns www.example {at} days=5000", "slow", None,
             "signature ends in"),
            (f"dns www.plain {at} days=1", "failed", "unsigned",
             "sends no signature"),
            (f"dns old server={old_signature} days=1", "failed", "bogus",
             "ended Sat, 01 Feb 2020"),
            (f"soa example {at} {at} dnssec=yes days=1", "ok", None, ""),
            (f"soa plain {at} {at} dnssec=yes", "failed", "unsigned",
             "DS record"),
            (f"soa plain {at} {at} days=1", "failed", "unsigned",
             "sends no signature"),
            (f"soa broken {at} {at} dnssec=yes", "failed", "bogus",
             "do not hold"))
        for i, (words, *_) in enumerate(cases):
            add(box, f"c{i}", *words.split(), "timeout=20s")
        for i, (words, outcome, cause, found) in enumerate(cases):
            _, r = run(box, f"c{i}")
            assert (r["outcome"], r["cause"], found in r["found"]) == \
                (outcome, cause, True), (words, r)
    finally:
        ns.stop()


def test_pings(box):
    status, r = probe(box, "ping", "127.0.0.1")
    if status == TEMPFAIL:
        pytest.skip(r["found"])
    assert status == OK and 0 < r["time_us"] < 20000000
    # Nobody may ping everybody: nothing leaves this machine.
    status, r = probe(box, "ping", "255.255.255.255")
    assert (status, r["cause"]) == (REFUSED, "unreachable")


# --- states -------------------------------------------------------------------------


def test_states_change_after_confirmation(make_server):
    # Long enough to be seen by who asks again and again.
    box = make_server({"watch": {"confirm": "6s"}})
    box.cli("system", "add", "Box", "mail")
    port, = free_ports(1)
    listener = socket.create_server(("127.0.0.1", port))
    target = f"127.0.0.1:{port}"
    add(box, "t", "tcp", target, "every=2s")
    wait_for(lambda: states(box)["box/t"]["status"] == "up", 20, "up")
    row = states(box)["box/t"]
    assert row["ping_us"] > 0 and row["found"] == "accepts connections"
    listener.close()
    wait_for(lambda: "suspected" in states(box)["box/t"]["flags"], 20,
             "a failure is being confirmed")
    wait_for(lambda: states(box)["box/t"]["status"] == "down", 45, "down")
    assert box.wait_log(r"watch.changed.*check=box/t from=up to=down")
    system, = js(box, "system", "list")["systems"]
    assert system["status"] == "down"
    assert 0 < system["uptime_ppm"] < 1000000
    # Planned work stands beside the state and does not hide it.
    box.cli("maintenance", "add", "box", "--for", "1h")
    wait_for(lambda: "planned" in states(box)["box/t"]["flags"], 5,
             "maintenance")
    assert states(box)["box/t"]["status"] == "down"


def test_a_check_has_its_own_number_of_failures(box):
    target = f"127.0.0.1:{free_ports(1)[0]}"
    add(box, "one", "tcp", target, "every=2s", "confirm=1")
    add(box, "more", "tcp", target, "every=2s", "confirm=10")
    wait_for(lambda: states(box)["box/one"]["status"] == "down", PATIENCE_S,
             "down")
    assert box.wait_log(
        r'check=box/one from=unknown to=down reason="?1 failure: connection')
    row = wait_for(lambda: (r := states(box)["box/more"]) and
                   "suspected" in r["flags"] and r, PATIENCE_S,
                   "a failure is being confirmed")
    assert row["status"] == "unknown"
    for words, said in (("confirm=11", "a number from 1 to 10"),
                        ("limit=1h", "not above timeout"),
                        ("loss=101", "a number from 1 to 100")):
        r = box.cli("check", "change", "box/one", words, check=False)
        assert r.returncode == USAGE and said in r.stderr, r.stderr


def test_history_survives_kill_and_restart(box):
    add(box, "smtp", "smtp", f"127.0.0.1:{box.ports['mx']}", "every=2s")
    wait_for(lambda: states(box)["box/smtp"]["status"] == "up", 20, "up")
    wait_for(lambda: states(box)["box/smtp"]["coverage_ppm"], 30, "history")
    before = states(box)["box/smtp"]["coverage_ppm"]
    files = list((box.data / "watch").glob("*.ring"))
    assert [f.name for f in files] == ["box,smtp.ring"]
    assert os.stat(files[0]).st_blocks * 512 >= 782336
    box.kill("watch", signal.SIGKILL)
    wait_for(lambda: states(box).get("box/smtp"), 10, "it is back")
    assert (states(box)["box/smtp"]["coverage_ppm"] or 0) >= before
    # The store goes away: states go on as they are.
    box.kill("store")
    wait_for(lambda: states(box)["box/smtp"]["status"] == "up", 30, "up")
    box.cli("check", "remove", "box/smtp")
    wait_for(lambda: not list((box.data / "watch").glob("*.ring")), 5,
             "removed")


def test_without_an_uplink_nothing_is_down(make_server):
    port, = free_ports(1)
    box = make_server({"watch": {"uplink": [f"127.0.0.1:{port}"]}})
    box.cli("system", "add", "box", "web")
    add(box, "t", "tcp", f"127.0.0.1:{port}", "every=2s")
    wait_for(lambda: states(box)["box/t"]["checked"], 20, "probed")
    assert box.wait_log("watch.uplink.*state=lost", 10)
    row = states(box)["box/t"]
    assert row["status"] == "unknown"
    assert row["uptime_ppm"] is None
    # The way is back, and the thing is down indeed.
    with socket.create_server(("127.0.0.1", port)):
        wait_for(lambda: states(box)["box/t"]["status"] == "up", 40, "up")


def test_it_can_be_switched_off(box):
    box.configure({"watch": {"enabled": "no"}})
    box.cli("reload")
    wait_for(lambda: not box.pids("watch"), 5, "it ended")
    assert box.cli("watch", "status", check=False).returncode == TEMPFAIL
    box.configure({"watch": {"enabled": "yes"}})
    box.cli("reload")
    wait_for(lambda: box.pids("watch"), 5, "it is back")


def test_a_full_disk_costs_history_and_nothing_else():
    box = SmallDisk(64, {"store": {"segment_size": "1M", "reserve": "0"}})
    try:
        box.start()
        box.cli("system", "add", "box", "mail")
        add(box, "a", "smtp", f"127.0.0.1:{box.ports['mx']}", "every=2s")
        wait_for(lambda: states(box).get("box/a"), 5, "it is watched")
        box.leave(600 << 10)
        add(box, "b", "smtp", f"127.0.0.1:{box.ports['mx']}", "every=2s")
        assert box.wait_log("watch.history check=box/b error=")
        box.leave(0)
        # What has a file goes on with it; what has none is watched as well.
        for name in ("box/a", "box/b"):
            wait_for(lambda: states(box)[name]["status"] == "up", 20, name)
        wait_for(lambda: states(box)["box/a"]["uptime_ppm"] == 1000000, 30,
                 "history on a full disk")
        assert states(box)["box/b"]["uptime_ppm"] is None
        box.make_room()
        assert box.wait_log("watch.history check=box/b.*kept again", 90)
        box.stop()
    finally:
        box.remove()


def test_what_depends_on_a_parent_is_marked(box):
    """A system depends on the check that speaks for its parent, and its own
    other checks on the one that speaks for it."""
    target = f"127.0.0.1:{free_ports(1)[0]}"
    box.cli("system", "add", "gate", "other")
    box.cli("system", "change", "box", "--parents", "gate")
    box.cli("check", "add", "gate/t", "tcp", target, "every=2s")
    add(box, "t", "tcp", target, "every=2s")
    add(box, "mail", "smtp", target, "every=2s")
    wait_for(lambda: all(s["status"].startswith("down")
                         for s in states(box).values()), 60, "all are down")
    masked = {name: "masked" in s["flags"]
              for name, s in states(box).items()}
    assert masked == {"gate/t": False, "box/t": True, "box/mail": True}
    # No ring of parents.
    done = box.cli("system", "change", "gate", "--parents", "box",
                   check=False)
    assert done.returncode == REFUSED, done.stderr
    assert "does not depend on this one itself" in done.stderr

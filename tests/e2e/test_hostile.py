# SPDX-License-Identifier: ISC
"""Clients that mean harm: each is answered with the right code and a log line,
nobody else notices, and memory stays bounded."""
import base64
import os
import random
import re
import resource
import select
import socket
import ssl
import time

import pytest

from lib.cpu import cpu_s
from lib.dialogue import Closed, Dialogue, in_time
from lib.instance import PATIENCE_S, Instance, merged, wait_for
from lib.load import Imap, Smtp, fetched
from lib.testdata import message, original_of

MIB = 1 << 20
SENDER = "sender@elsewhere.example"
ROLES = ("store", "auth", "filter", "smtp", "imap")
IS_SLOW = "MAILSTEAD_BIN" in os.environ
SETTINGS = {
    "smtp": {"message_size": "20M"},
    "auth": {"allow_plaintext": "yes"},
}
# Times that a test can wait for. Who is slow meanwhile is sent away.
SHORT = {
    "smtp": {"idle": "2s", "data_idle": "2s"},
    "imap": {"preauth_idle": "1s"},
    "pop3": {"idle": "2s"},
}


def outliving(settings):
    """A server that must outlive all that is done to it."""
    s = Instance(settings)
    try:
        s.start()
        s.add_domain()
        yield s
        died = [p for p in s.status()["processes"] if p["restarts"]]
        assert not died, f"somebody died: {died}"
        s.stop()
    finally:
        s.remove()


@pytest.fixture(scope="module")
def patient_server():
    yield from outliving(SETTINGS)


@pytest.fixture(scope="module")
def quick_server():
    """With short times."""
    yield from outliving(merged(SETTINGS, SHORT))


# --- helpers -----------------------------------------------------------------------


def pss(server):
    """Bytes of memory by role."""
    out = dict.fromkeys(ROLES, 0)
    for p in server.status()["processes"]:
        if p["role"] in out:
            with open(f"/proc/{p['pid']}/smaps_rollup") as f:
                out[p["role"]] += 1024 * int(
                    re.search(r"(?m)^Pss:\s+(\d+) kB", f.read()).group(1))
    return out


class Memory:
    """No role grows by more than that, while or after something is done."""

    def __init__(self, server, most):
        self.server, self.most = server, most

    def __enter__(self):
        self.before = pss(self.server)
        return self

    def check(self):
        after = pss(self.server)
        grown = {r: after[r] - self.before[r] for r in ROLES}
        # Sanitizers keep what was freed.
        assert IS_SLOW or max(grown.values()) < self.most, grown

    def __exit__(self, kind, *_):
        if kind is None:
            self.check()


def connect(server, service):
    if service == "lmtp":
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(60)
        s.connect(server.lmtp)
        return Dialogue(s)
    return Dialogue(server.connect(service))


def greeted(server, service):
    d = connect(server, service)
    d.line()
    return d


def offer(server, account, data, service="mx"):
    """Offer a message by DATA; the last reply."""
    c = Smtp(server, service)
    try:
        assert c.ask(f"MAIL FROM:<{SENDER}>")[0] == "2"
        assert c.ask(f"RCPT TO:<{account}>")[0] == "2"
        assert c.ask("DATA")[0] == "3"
        c.send(re.sub(rb"(?m)^\.", b"..", data) + b".\r\n")
        return c.reply()
    finally:
        c.close()


def inbox(account):
    c = Imap(account.server, account.login)
    try:
        _, untagged = c.ok("EXAMINE INBOX")
        if any(r[0] == b"* 0 EXISTS" for r in untagged):
            return []
        _, untagged = c.ok("UID FETCH 1:* (UID BODY.PEEK[])")
        return [e["body"] for e in fetched(untagged).values()]
    finally:
        c.close()


def until_closed(sock, seconds):
    """All that comes; fails when the connection is still open then."""
    got = b""
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        assert left > 0, f"still open after {seconds} s, got {got!r}"
        sock.settimeout(left)
        try:
            more = sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            return got
        except (TimeoutError, socket.timeout):
            continue
        if not more:
            return got
        got += more


# --- too much of a good thing ---------------------------------------------------------


FIRST_LINE = {
    "mx": "500 5.5.6 ", "submission": "500 5.5.6 ",
    "submissions": "500 5.5.6 ", "lmtp": "500 5.5.6 ",
    "imap": r"\* B[AY]", "imaps": r"\* B[AY]",
    "pop3": "-ERR ", "pop3s": "-ERR ",
}


@pytest.mark.parametrize("service", FIRST_LINE)
def test_lines_of_many_megabytes_are_cut_off(patient_server, service):
    with Memory(patient_server, 4 * MIB):
        with greeted(patient_server, service) as d:
            try:
                for _ in range(16):
                    d.send_raw(b"A" * MIB)
            except OSError:
                pass  # closed in the middle, as it may
            try:
                line = d.line().decode()
            except (Closed, OSError):
                return  # the answer was overrun by what we still sent
            assert re.match(FIRST_LINE[service], line), line


def test_a_line_of_five_megabytes_in_a_message(patient_server):
    account = patient_server.new_account()
    data = message("long") + b"x" * (5 * MIB) + b"\r\n"
    assert offer(patient_server, account, data)[:4] == "250 "
    assert [original_of(x) for x in inbox(account)] == [data]


def test_a_million_fields_cost_bounded_memory(patient_server):
    account = patient_server.new_account()
    data = b"A: b\r\n" * 1000000 + b"\r\nx\r\n"
    # Space for the message itself, for a moment in several places.
    with Memory(patient_server, 40 * MIB):
        assert offer(patient_server, account, data)[:4] == "250 "
        c = Imap(patient_server, account.login)
        c.ok("EXAMINE INBOX")
        text, untagged = c.ok("FETCH 1 (ENVELOPE BODYSTRUCTURE)")
        assert untagged
        c.close()
    assert original_of(inbox(account)[0]) == data


def nested(depth, kind):
    """A message within a message, or a multipart within a multipart."""
    lines = [b"Subject: deep", b"MIME-Version: 1.0"]
    for i in range(depth):
        if kind == "multipart":
            lines += [b"Content-Type: multipart/mixed; boundary=b%d" % i,
                      b"", b"--b%d" % i]
        else:
            lines += [b"Content-Type: message/rfc822", b""]
    return b"\r\n".join(lines + [b"Content-Type: text/plain", b"", b"x",
                                 b""])


MIME = dict([
    ("multipart", nested(10000, "multipart")),
    ("rfc822", nested(10000, "rfc822")),
    ("parts", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
     b"--b\r\n\r\nx\r\n" * 100000 + b"--b--\r\n"),
    ("boundaries", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
     b"--" * 1000000 + b"\r\n--b--\r\n"),
    ("parameters", b"Content-Type: text/plain" +
     b"".join(b";\r\n x*%d=y" % i for i in range(100000)) + b"\r\n\r\nx\r\n"),
    ("addresses", b"To: " + b"a@b.example,\r\n " * 200000 +
     b"a@b.example\r\n\r\nx\r\n"),
    ("comments", b"From: " + b"(" * 100000 + b"a@b.example\r\n\r\nx\r\n"),
    ("words", b"Subject: " + b"=?utf-8?q?a?=\r\n " * 100000 +
     b"x\r\n\r\nx\r\n"),
])


@pytest.mark.parametrize("name", MIME)
def test_mime_that_is_too_much(patient_server, name):
    """It is delivered as it is; what is told of it is cut, and says so."""
    data = MIME[name]
    account = patient_server.new_account()
    everybody = [p["pid"] for p in patient_server.status()["processes"]]
    began = cpu_s(everybody)
    with Memory(patient_server, 32 * MIB):
        reply = offer(patient_server, account, data)
        assert reply[:4] == "250 ", reply
        c = Imap(patient_server, account.login)
        c.ok("SELECT INBOX")
        assert c.ok("FETCH 1 (BODYSTRUCTURE BODY)")[1]
        assert c.ok("FETCH 1 (ENVELOPE)")[1]
        assert c.ok("SEARCH SUBJECT nothing-like-this")
        assert c.ok("SEARCH TEXT nothing-like-this")
        c.close()
    assert IS_SLOW or cpu_s(everybody) - began < 30, "takes too long"
    assert original_of(inbox(account)[0]) == data
    if name in ("multipart", "rfc822", "parts"):
        assert "event=filter.limit " in patient_server.log()


# --- those who say nothing, or little ---------------------------------------------------------


def client_hello():
    """The first bytes of a real handshake."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    out = ssl.MemoryBIO()
    tls = ctx.wrap_bio(ssl.MemoryBIO(), out, server_hostname="x.example")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return out.read()


@pytest.mark.parametrize("how", ["silence", "half", "garbage"])
@pytest.mark.parametrize("service", ["submissions", "imaps", "pop3s"])
def test_half_open_tls_ends(quick_server, service, how):
    hello = client_hello()
    first = {"silence": b"", "half": hello[:len(hello) // 2],
             "garbage": b"EHLO x\r\n" * 4}[how]
    s = socket.create_connection(
        ("127.0.0.1", quick_server.ports[service]), PATIENCE_S)
    with s:
        s.sendall(first)
        got = until_closed(s, 60)
        # At most an alert: nothing is said in the clear.
        assert got == b"" or got[0] == 0x15, got


@pytest.mark.parametrize("service,start", [
    ("submission", "EHLO x\r\nSTARTTLS\r\n"), ("imap", "a STARTTLS\r\n"),
    ("pop3", "STLS\r\n")])
def test_half_open_starttls_ends(quick_server, service, start):
    hello = client_hello()

    def talk():
        d = greeted(quick_server, service)
        for line in start.splitlines():
            d.send(line)
            while not (said := re.match(rb"(\d\d\d |\* |a |\+OK)", d.line())):
                pass
            assert said[0] in (b"250 ", b"220 ", b"a ", b"+OK"), said
        d.send_raw(hello[:len(hello) // 2])
        return d
    with in_time(talk) as d:
        until_closed(d.sock, 60)


DRIPS = {
    "mx": ([], "421 4.4.2 "),
    "submission": ([], "421 4.4.2 "),
    "imap": ([], r"\* BYE "),
    # RFC 1939 section 3: closed without a word.
    "pop3": ([], "(-ERR |$)"),
    "data": (["EHLO x", f"MAIL FROM:<{SENDER}>", "RCPT TO:<{account}>",
              "DATA"], "421 4.4.2 "),
    "bdat": (["EHLO x", f"MAIL FROM:<{SENDER}>", "RCPT TO:<{account}>",
              "BDAT 100000"], "421 4.4.2 "),
}


@pytest.mark.parametrize("where", DRIPS)
def test_who_sends_a_byte_now_and_then_is_sent_away(quick_server, where):
    account = quick_server.new_account()
    before = len(quick_server.log())
    lines, want = DRIPS[where]
    service = where if where in quick_server.ports else "mx"

    def talk():
        d = greeted(quick_server, service)
        for line in lines:
            d.send(line.format(account=account))
            while not line.startswith("BDAT") and \
                    (said := d.line())[3:4] == b"-":
                pass
            assert line.startswith("BDAT") or said[:1] in b"23", said
        return d
    with in_time(talk) as d:
        deadline = time.monotonic() + PATIENCE_S
        while not select.select([d.sock], [], [], 0.1)[0]:
            assert time.monotonic() < deadline, "is never sent away"
            d.send_raw(b"A")
        got = until_closed(d.sock, 60).decode()
        assert re.match(want, got), got
    name = service if service in ("imap", "pop3") else "smtp"
    wait_for(lambda: f"event={name}.timeout " in quick_server.log()[before:],
             what="it is not in the log")


# --- ten thousand at once ---------------------------------------------------------------------


def raise_files():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (30000, 30000))
        most = 30000
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def test_ten_thousand_connections(make_server):
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10000, raise_files() - 500)
    server = make_server({"auth": {"allow_plaintext": "yes"}})
    account = server.new_account()
    names = ("mx", "imap", "submissions", "pop3")
    held = []
    try:
        # The server takes each before it forgets any.
        with Memory(server, 10000 * 24 * 1024) as memory:
            for i in range(count):
                s = socket.create_connection(
                    ("127.0.0.1", server.ports[names[i % 4]]), 4 * PATIENCE_S)
                held.append(s)
            for i, s in enumerate(held):
                if names[i % 4] != "submissions":
                    assert s.recv(200)[:1] in b"2*+"
            # Somebody else comes, and everything works.
            assert offer(server, account, message("in between"))[0] == "2"
            assert len(inbox(account)) == 1
            memory.check()
            for s in held:
                s.close()
            wait_for(lambda: sessions(server) == 0, 300, "sessions are left")
        assert offer(server, account, message("after"))[0] == "2"
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (old[0], old[1]))
    print(f"{count} connections at once")


def sessions(server):
    return sum(int(x.rsplit(" ", 1)[1])
               for x in server.cli("metrics").splitlines()
               if x.startswith("mailstead_sessions{"))


# --- limits of an address -----------------------------------------------------------------------


REFUSED = {"mx": "421 4.7.0 ", "imap": r"\* BYE \[UNAVAILABLE\] ",
           "pop3": r"-ERR \[SYS/TEMP\] "}


@pytest.mark.parametrize("limit,n", [("connections_per_address", 3),
                                     ("rate_per_address", 3)])
def test_limits_of_an_address(make_server, limit, n):
    server = make_server({"limits": {limit: str(n)}})
    for service, want in REFUSED.items():
        server.kill("smtp"), server.kill("imap")  # counts begin anew
        held = [connect(server, service) for _ in range(n)]
        for d in held:
            assert not re.match(want, d.line().decode())

        def is_refused(s=service, w=want):
            with connect(server, s) as d:
                if not re.match(w, d.line().decode()):
                    return False
                d.expect_closed()
                return True
        # Twenty seconds later one more may come, by the rate.
        if limit == "connections_per_address":
            assert is_refused()
        else:
            wait_for(is_refused, what="none is refused")
        name = "smtp" if service == "mx" else service
        server.wait_log(rf"event={name}\.limit .*service={service}")
        for d in held:
            d.close()
        if limit == "connections_per_address":
            # Who left makes room.
            def has_room(s=service, w=want):
                with connect(server, s) as d:
                    return not re.match(w, d.line().decode())
            wait_for(has_room)


# --- injection and smuggling -------------------------------------------------------------------------


@pytest.mark.parametrize("service,start,injected,probe,answer", [
    ("submission", "STARTTLS", "EHLO evil.example\r\n", "MAIL FROM:<>",
     "503 5.5.1 .*"),
    ("imap", "a STARTTLS", 'b CREATE "injected"\r\n', "c NOOP",
     "c OK .*"),
    ("pop3", "STLS", "CAPA\r\nUSER x\r\n", "NOOP", "-ERR .*"),
])
def test_nothing_passes_a_handshake(patient_server, service, start, injected,
                                    probe, answer):
    with greeted(patient_server, service) as d:
        if service == "submission":
            d.send("EHLO x")
            while d.line()[3:4] == b"-":
                pass
        d.send_raw(start.encode() + b"\r\n" + injected.encode())
        d.line()
        d.start_tls(patient_server)
        # The first thing to come is the answer to what is asked now.
        d.ask(probe, answer)


EOLS = (b"\n", b"\r", b"\r\n", b"\r\r\n", b"\n\r", b"\0\r\n", b"\r\0\n",
        b"\x85", b"\xe2\x80\xa8")
ENDINGS = [a + b"." + b for a in EOLS for b in EOLS
           if b"\r\n.\r\n" not in a + b"." + b]


def test_no_other_ending_ends_a_message(patient_server):
    """RFC 5321 section 4.1.1.4. Whatever stands around the dot, there is one
    reply, and one message or none; the commands behind it are text."""
    account = patient_server.new_account()
    inner = (f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{account}>\r\nDATA\r\n"
             "Subject: smuggled\r\n\r\nevil\r\n").encode()
    accepted = []
    for ending in ENDINGS:
        c = Smtp(patient_server, "mx")
        assert c.ask(f"MAIL FROM:<{SENDER}>")[0] == "2"
        assert c.ask(f"RCPT TO:<{account}>")[0] == "2"
        assert c.ask("DATA")[0] == "3"
        data = b"Subject: outer\r\n\r\nx" + ending + inner
        c.send(data + b".\r\nNOOP\r\nQUIT\r\n")
        reply = c.reply()
        assert reply[:3] in ("250", "550", "554"), (ending, reply)
        assert c.reply()[:9] == "250 2.0.0", ending
        assert c.reply()[:4] == "221 ", ending
        c.close()
        if reply[:3] == "250":
            accepted.append(data.replace(b"\r\n.", b"\r\n"))
        else:
            assert b"\0" in ending or re.search(
                rb"\r(?!\n)|(?<!\r)\n", ending), (ending, reply)
    got = [original_of(x) for x in inbox(account)]
    assert got == accepted
    assert not [x for x in got if x.startswith(b"Subject: smuggled")]
    patient_server.wait_log("event=smtp.data.reject .*CR or LF alone")


def test_the_same_endings_in_chunks(patient_server):
    """BDAT counts bytes: no ending means anything."""
    account = patient_server.new_account()
    accepted = []
    for ending in ENDINGS:
        c = Smtp(patient_server, "mx")
        data = b"Subject: outer\r\n\r\nx" + ending + b"QUIT\r\n"
        assert c.ask(f"MAIL FROM:<{SENDER}> BODY=8BITMIME")[0] == "2"
        assert c.ask(f"RCPT TO:<{account}>")[0] == "2"
        c.send(b"BDAT %d LAST\r\n" % len(data) + data + b"NOOP\r\n")
        reply = c.reply()
        assert reply[:3] in ("250", "550", "554"), (ending, reply)
        assert c.reply()[:9] == "250 2.0.0"
        c.close()
        if reply[:3] == "250":
            accepted.append(data)
    assert [original_of(x) for x in inbox(account)] == accepted


# --- guessing passwords --------------------------------------------------------------------------------


def plain(login, password):
    return base64.b64encode(f"\0{login}\0{password}".encode()).decode()


def guess(server, account, n):
    """Sign in with wrong passwords; how long each answer took."""
    times = []
    for i in range(n):
        with greeted(server, "submission") as d:
            d.send("EHLO x")
            while d.line()[3:4] == b"-":
                pass
            began = time.monotonic()
            d.ask(f"AUTH PLAIN {plain(account, f'wrong{i}')}", "535 5.7.8 .*")
            times.append(time.monotonic() - began)
    server.wait_log("event=auth.ban .*127.0.0.1")
    return times


def test_guessing_gets_slower_and_then_stops(make_server):
    server = make_server({"auth": {"failures": 4, "window": "1h",
                                   "ban": "1h", "allow_plaintext": "yes"}})
    account = server.new_account()
    times = guess(server, account, 4)
    # 0.2 s, doubled each time, and what the hash itself costs.
    assert times[0] > 0.19 and times[2] > 0.7 and times[3] > 1.5, times
    # Now also the right password must wait, whatever the protocol.
    with greeted(server, "submission") as d:
        d.send("EHLO x")
        while d.line()[3:4] == b"-":
            pass
        d.ask(f"AUTH PLAIN {plain(account, account.password)}",
              "421 4.7.0 .*too many failed sign-ins.*")
    with greeted(server, "imap") as d:
        d.ask(f'a LOGIN {account} "{account.password}"', r"a NO \[LIMIT\] .*")
    with greeted(server, "pop3") as d:
        d.ask(f"USER {account}", r"\+OK.*")
        d.ask(f"PASS {account.password}", "-ERR .*")


def test_a_ban_ends(make_server):
    """Trying meanwhile does not make it longer."""
    server = make_server({"auth": {"failures": 2, "window": "1h",
                                   "ban": "2s", "allow_plaintext": "yes"}})
    account = server.new_account()
    guess(server, account, 2)

    def may_sign_in():
        with greeted(server, "imap") as d:
            d.send(f'a LOGIN {account} "{account.password}"')
            return d.line().startswith(b"a OK")
    wait_for(may_sign_in, what="the ban does not end")


def test_many_guessers_cost_bounded_memory(make_server):
    server = make_server({"auth": {"failures": 100000,
                                   "allow_plaintext": "yes"}})
    # Two threads compute hashes, with 16 MiB and more each (auth.threads); as
    # many as there are guessers would be far over the bound.
    with Memory(server, 56 * MIB) as memory:
        socks = []
        for i in range(24):
            d = greeted(server, "imap")
            d.send(f'a LOGIN nobody{i}@{server.domain} "{i}"')
            socks.append(d)
        # Others are served meanwhile.
        with greeted(server, "imap") as d:
            d.ask("a NOOP", "a OK .*")
        memory.check()
        for d in socks:
            d.close()
        wait_for(lambda: sessions(server) == 0, 300, "sessions are left")
        wait_for(lambda: IS_SLOW or pss(server)["auth"] <
                 memory.before["auth"] + 4 * MIB, 30, "memory is kept")


# --- noise -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", FIRST_LINE)
def test_noise_is_survived(patient_server, service):
    rnd = random.Random(service)
    for i in range(20):
        with greeted(patient_server, service) as d:
            try:
                for _ in range(4):
                    d.send_raw(rnd.randbytes(rnd.randint(1, 5000)) +
                               rnd.choice((b"", b"\r\n", b"{99999999999}\r\n",
                                           b"\0", b"\xff" * 100)))
            except OSError:
                pass
    account = patient_server.new_account()
    assert offer(patient_server, account, message())[0] == "2"
    assert len(inbox(account)) == 1

# SPDX-License-Identifier: ISC
"""Mail to real servers of Debian: Postfix, and Exim.

Each runs from its unpacked package on loopback. What we send has to arrive byte
for byte, whatever it contains and however often the way there breaks.
"""
import email
import hashlib
import os
import pathlib
import random
import smtplib
import socket
import tempfile
import threading
import time

import pytest

from lib import exim, postfix
from lib.between import Between
from lib.imap import read_all
from lib.instance import PASSWORD, free_ports, make_certificate, wait_for

DOMAIN = "there.example"
KINDS = {"postfix": (postfix, postfix.Postfix), "exim": (exim, exim.Exim)}
SETTINGS = {
    "limits": {"account_recipients": 0, "account_first_time": 0,
               "account_surge": 0, "connections_per_address": 0},
    "smtp": {"message_size": "50M"},
    "auth": {"allow_plaintext": "yes"},
}
QUICK = {"retry": "1s", "retry_max": "2s", "timeout": "10s"}


class Pair:
    """A Mailstead, and a server of the kind behind it."""

    def __init__(self, make_server, kind, tls="may", between=None, **options):
        module, make = KINDS[kind]
        if module.why_not():
            pytest.skip(module.why_not())
        self.kind = kind
        # Each needs the other's port.
        port = free_ports(1)[0]
        way = between(port) if between else port
        self.server = make_server({**SETTINGS, "send": {
            "routes": [f"{DOMAIN} 127.0.0.1:{way} tls={tls}"], **QUICK}})
        self.there = make([DOMAIN], self.server.ports["mx"], port=port,
                          **options)
        try:
            self.there.start()
        except BaseException:
            self.there.stop()
            raise
        self.user = self.server.new_account()
        self.sent = 0

    def message(self, body, head=""):
        self.sent += 1
        return (f"From: <{self.user.login}>\r\nTo: <x@{DOMAIN}>\r\n"
                f"Message-ID: <{self.kind}-{self.sent}@test.example>\r\n"
                "Date: Mon, 30 Nov 2026 10:00:00 +0000\r\n"
                f"Subject: number {self.sent}\r\n{head}\r\n").encode() + body

    def connect(self):
        c = smtplib.SMTP("127.0.0.1", self.server.ports["submission"])
        c.ehlo("user.example")
        c.login(self.user.login, PASSWORD)
        return c

    def submit(self, message, to="u", options=(), rcpt=()):
        with self.connect() as c:
            address = to if "@" in to else f"{to}@{DOMAIN}"
            c.mail(self.user.login, [f"size={len(message)}", *options])
            code, said = c.rcpt(address, list(rcpt))
            assert code == 250, said
            # Bytes as they are: no dots, no line ends of smtplib's own.
            code, said = c.docmd("DATA")
            assert code == 354, said
            text = b"\r\n" + message
            c.send(text.replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
            code, said = c.getreply()
            assert code == 250, said

    def arrived(self, n=1, to="u", timeout=60):
        """The n messages of an address, when they are there."""
        address = f"{to}@{DOMAIN}"
        try:
            wait_for(lambda: len(self.there.messages(address)) >= n, timeout)
        except AssertionError:
            raise AssertionError(
                f"{len(self.there.messages(address))} of {n} came\n" +
                self.there.log()[-3000:] + self.server.log()[-3000:])
        return self.there.messages(address)

    def is_empty(self):
        return not self.server.cli("queue", "list").strip().splitlines()[1:]

    def inbox(self, n=1):
        """The messages that came back, parsed."""
        def all_there():
            got = read_all(self.user)
            return len(got) >= n and got
        return [email.message_from_bytes(m) for m in
                wait_for(all_there, 60, self.there.log()[-3000:])]

    def close(self):
        self.there.stop()


@pytest.fixture
def make_pair(make_server):
    made = []

    def make(*args, **kw):
        made.append(Pair(make_server, *args, **kw))
        return made[-1]
    yield make
    for p in made:
        p.close()


@pytest.fixture(params=list(KINDS))
def kind(request):
    return request.param


@pytest.fixture
def pair(make_pair, kind):
    return make_pair(kind)


# --- what arrives -------------------------------------------------------------

def odd_bodies():
    rnd = random.Random(1)
    letters = bytes(range(32, 127))
    return {
        "plain": b"Hello\r\n",
        "empty": b"",
        "dots": b".\r\n..\r\n. \r\n.x\r\n\r\n.\r\n...\r\n",
        "no line": b"\r\n\r\n\r\n",
        "longest lines": (bytes(rnd.choices(letters, k=998)) + b"\r\n") * 5,
        "from": b"From me\r\n>From you\r\nFrom \r\n",
        "blanks": b"  \r\n\t\r\nend  \t\r\n",
        "like the end": b"QUIT\r\n354\r\nDATA\r\nRSET\r\n",
    }


def test_odd_content_arrives_byte_for_byte(pair):
    bodies = odd_bodies()
    messages = [pair.message(b) for b in bodies.values()]
    for m in messages:
        pair.submit(m)
    there = pair.arrived(len(messages))
    for name, m in zip(bodies, messages):
        assert sum(t.endswith(m) for t in there) == 1, name
    wait_for(pair.is_empty, 10, "the queue is not empty")


def test_eight_bits_pass_as_they_are(pair):
    body = "Grüße, κόσμε, мир\r\n".encode() + bytes(range(160, 256)) + b"\r\n"
    m = pair.message(body, "MIME-Version: 1.0\r\nContent-Type: text/plain; "
                     "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")
    pair.submit(m, options=["BODY=8BITMIME"])
    assert pair.arrived()[0].endswith(m)


def test_twenty_megabytes(pair):
    rnd = random.Random(2)
    m = pair.message(b"".join(rnd.randbytes(38).hex().encode() + b"\r\n"
                              for _ in range(20 * 2 ** 20 // 78)))
    assert len(m) > 20 * 10 ** 6
    pair.submit(m)
    assert pair.arrived()[0].endswith(m)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r\n"])
def test_a_bare_line_end_does_not_get_that_far(pair, end):
    m = pair.message(b"one" + end + b"two\r\n")
    with pytest.raises((AssertionError, smtplib.SMTPException)):
        pair.submit(m)
    pair.submit(pair.message(b"good\r\n"))
    assert len(pair.arrived()) == 1


def test_an_international_address(pair):
    m = pair.message(b"Hello\r\n")
    with pair.connect() as c:
        assert c.has_extn("smtputf8")
        c.command_encoding = "utf-8"
        c.mail(pair.user.login, ["SMTPUTF8"])
        assert c.rcpt(f"Jürgen@{DOMAIN}")[0] == 250
        assert c.data(m)[0] == 250
    assert pair.arrived(to="Jürgen")[0].endswith(m)


def test_a_thousand_messages(pair):
    rnd = random.Random(3)
    messages = [pair.message("".join(
        rnd.choice(".ab ") * rnd.randrange(70) + "\r\n"
        for _ in range(rnd.randrange(20))).encode()) for _ in range(1000)]

    def part(i):
        with pair.connect() as c:
            for m in messages[i::4]:
                c.sendmail(pair.user.login, [f"u@{DOMAIN}"], m)
    threads = [threading.Thread(target=part, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    there = pair.arrived(1000, timeout=240)
    sent = sorted(hashlib.sha256(m).hexdigest() for m in messages)
    # What we sent begins with the From field that is ours alone.
    came = sorted(hashlib.sha256(
        m[m.index(b"From: <" + pair.user.login.encode()):]).hexdigest()
        for m in there)
    assert came == sent


def test_with_tls(make_pair, kind, tmp_path):
    options = {}
    if kind == "postfix":
        cert, key = make_certificate(tmp_path, "mx.postfix.example")
        options = {"smtpd_tls_security_level": "encrypt",
                   "smtpd_tls_received_header": "yes",
                   "smtpd_tls_cert_file": cert, "smtpd_tls_key_file": key}
    else:
        options = {"rules": "  deny message = TLS first\n"
                            "       !encrypted = *\n"}
    pair = make_pair(kind, **options)
    m = pair.message(b"Hello\r\n" * 10000)
    pair.submit(m)
    there = pair.arrived()[0]
    assert there.endswith(m)
    assert b"TLSv1.3" in there or b"TLS1.3" in there


# --- what does not, and later --------------------------------------------------

def parts(report):
    assert report.get_content_type() == "multipart/report"
    return [p.get_content_type() for p in report.get_payload()]


def test_a_refusal_of_theirs_comes_back_to_the_sender(pair):
    m = pair.message(b"Hello\r\n")
    pair.submit(m, to="nobody", options=["ENVID=e+2B1", "RET=HDRS"],
                rcpt=[f"ORCPT=rfc822;nobody@{DOMAIN}"])
    report = pair.inbox()[0]
    assert parts(report)[:2] == ["text/plain", "message/delivery-status"]
    status = report.get_payload()[1].get_payload()
    assert status[0]["Original-Envelope-Id"] == "e+1"
    assert status[1]["Action"] == "failed"
    assert status[1]["Status"].startswith("5.1.")
    assert "nobody" in status[1]["Final-Recipient"]
    assert status[1]["Diagnostic-Code"].startswith("smtp;")
    wait_for(pair.is_empty, 10, "the queue is not empty")


def test_their_word_of_success_comes_back_to_the_sender(pair):
    m = pair.message(b"Hello\r\n")
    pair.submit(m, options=["ENVID=success1", "RET=HDRS"],
                rcpt=["NOTIFY=SUCCESS", f"ORCPT=rfc822;u@{DOMAIN}"])
    assert pair.arrived()[0].endswith(m)
    report = pair.inbox()[0]
    assert report["From"] and pair.kind in report.as_string().lower()
    status = report.get_payload()[1].get_payload()
    assert status[0]["Original-Envelope-Id"] == "success1"
    # Postfix relays to its own delivery; both have done it.
    assert status[1]["Action"] == "delivered"


class Policy:
    """A policy service of Postfix: decide(number, request) for each RCPT."""

    def __init__(self, decide):
        self.decide, self.n = decide, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.lock = threading.Lock()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(s,),
                             daemon=True).start()

    def talk(self, s):
        request = {}
        with s, s.makefile("rw") as f:
            for line in f:
                name, is_field, value = line.strip().partition("=")
                if is_field:
                    request[name] = value
                    continue
                with self.lock:
                    self.n += 1
                    action = self.decide(self.n, request)
                f.write(f"action={action}\n\n")
                f.flush()
                request = {}

    def options(self):
        return {"smtpd_recipient_restrictions":
                f"check_policy_service inet:127.0.0.1:{self.port}"}


def greylist():
    seen = set()

    def decide(_, request):
        triplet = tuple(request.get(k) for k in (
            "client_address", "sender", "recipient"))
        if triplet in seen:
            return "DUNNO"
        seen.add(triplet)
        return "DEFER 4.7.1 Greylisted, come back later"
    return decide


GREY = """  defer message = 4.7.1 greylisted
        condition = ${if !exists{%s}}
"""


@pytest.fixture
def shared_folder():
    """Where a server that runs as another user can look."""
    with tempfile.TemporaryDirectory(prefix="mailstead-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def test_greylisting_is_waited_for(make_pair, kind, shared_folder):
    known = shared_folder / "known"
    if kind == "postfix":
        policy = Policy(greylist())
        pair = make_pair(kind, **policy.options())
    else:
        pair = make_pair(kind, rules=GREY % known)
    messages = [pair.message(b"Hello\r\n") for _ in range(5)]
    for i, m in enumerate(messages):
        pair.submit(m, to=f"u{i}")
    pair.server.wait_log(r"4\.7\.1")
    known.touch()
    for i, m in enumerate(messages):
        there = pair.arrived(to=f"u{i}")
        assert len(there) == 1 and there[0].endswith(m)
    wait_for(pair.is_empty, 10, "the queue is not empty")


def test_a_storm_of_temporary_failures_delays_only(make_pair, kind):
    if kind == "postfix":
        rnd = random.Random(4)
        policy = Policy(lambda n, _: rnd.choice(
            ["DUNNO", "450 4.2.1 busy", "451 4.3.0 later", "421 4.7.0 bye"]))
        pair = make_pair(kind, **policy.options())
    else:
        pair = make_pair(kind, rules="""
  defer message = 4.2.1 busy
        condition = ${if !eq{${randint:3}}{0}}
""")
    messages = [pair.message(b"Hello %d\r\n" % i) for i in range(30)]
    for m in messages:
        pair.submit(m)
    there = pair.arrived(30, timeout=120)
    assert len(there) == 30
    for m in messages:
        assert sum(t.endswith(m) for t in there) == 1
    wait_for(pair.is_empty, 20, "the queue is not empty")


STAGES = ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "end", "BDAT",
          "chunk", "last"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_connection_cut_at_any_stage_loses_nothing(make_pair, kind, stage):
    betweens = []

    def make_between(port):
        betweens.append(Between(
            port, [stage, stage],
            chunking=stage in ("BDAT", "chunk", "last")).__enter__())
        return betweens[-1].port
    try:
        pair = make_pair(kind, tls="never", between=make_between)
        m = pair.message(b"Hello\r\n" * 100)
        pair.submit(m)
        # Behind the end the server has it: that it comes again is what
        # SMTP wants then, and only then.
        n = 3 if stage in ("end", "last") else 1
        there = pair.arrived(n)
        assert all(t.endswith(m) for t in there)
        wait_for(pair.is_empty, 20, "the queue is not empty")
        assert len(pair.arrived(n)) == n
        assert betweens[0].cuts == [stage, stage]
    finally:
        for b in betweens:
            b.__exit__()

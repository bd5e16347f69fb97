# SPDX-License-Identifier: ISC
"""SMTP in: MX, submission, submissions and LMTP, with real clients and with
clients that nobody should have."""
import base64
import hashlib
import hmac
import os
import re
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

from lib.dialogue import Dialogue
from lib.imap import read_all
from lib.instance import Account, PASSWORD, PATIENCE_S, wait_for
from lib import testdata
from lib.testdata import message, original_of

SENDER = "sender@elsewhere.example"


# --- helpers -------------------------------------------------------------------

def connect(server, service="mx"):
    d = Dialogue(server.connect(service))
    d.expect(r"220 mail\.test\.example ESMTP Mailstead")
    return d


def replies(d):
    """The lines of one reply."""
    lines = [d.line().decode()]
    while lines[-1][3] == "-":
        lines.append(d.line().decode())
    return lines


def ehlo(d, verb="EHLO"):
    d.send(f"{verb} client.example")
    lines = replies(d)
    assert lines[0].startswith("250")
    return [x[4:] for x in lines[1:]]


def plain(account, password=None):
    text = f"\0{account}\0{password or account.password}"
    return base64.b64encode(text.encode()).decode()


def signed_in(account, service="submissions"):
    d = connect(account.server, service)
    ehlo(d)
    if service == "submission":
        d.ask("STARTTLS", "220 2.0.0 .*")
        d.start_tls(account.server)
        ehlo(d)
    d.ask(f"AUTH PLAIN {plain(account)}", "235 2.7.0 .*")
    return d


def send(d, rcpt, data, sender=SENDER):
    """MAIL, RCPT and DATA; the last reply."""
    d.ask(f"MAIL FROM:<{sender}>", "250 2.1.0 .*")
    d.ask(f"RCPT TO:<{rcpt}>", "250 2.1.5 .*")
    d.ask("DATA", "354 .*")
    d.send_raw(re.sub(rb"(?m)^\.", b"..", data) + b".\r\n")
    return replies(d)[-1]


def swaks(server, service, *args, code=0):
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port",
         str(server.ports[service]), "--helo", "client.example", *args],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


# --- what is offered --------------------------------------------------------------

def test_each_port_offers_what_belongs_to_it(server):
    common = {"PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN",
              "SMTPUTF8", "CHUNKING", "BINARYMIME", "SIZE 20971520",
              "LIMITS MAILMAX=1000 RCPTMAX=1000"}
    users = {"DELIVERBY", "MT-PRIORITY", "FUTURERELEASE"}

    def offers(d):
        """Without the date of FUTURERELEASE."""
        return {"FUTURERELEASE" if k.startswith("FUTURERELEASE ") else k
                for k in ehlo(d)}
    with connect(server) as d:
        assert offers(d) == common | {"STARTTLS", "DELIVERBY"}
        d.ask("AUTH PLAIN AGEAYg==", "502 5.5.1 .*")
        d.ask("LHLO x", "500 5.5.1 .*")
    with connect(server, "submission") as d:
        assert offers(d) == common | users | {"STARTTLS"}
        d.ask("AUTH PLAIN AGEAYg==", "538 5.7.11 .*")
        d.ask("STARTTLS", "220 2.0.0 .*")
        d.start_tls(server)
        d.ask("MAIL FROM:<>", "503 5.5.1 .*")
        auth = "AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN"
        assert offers(d) == common | users | {auth, "REQUIRETLS"}
        d.ask("STARTTLS", "503 5.5.1 .*")
    with connect(server, "submissions") as d:
        assert offers(d) == common | users | {auth, "REQUIRETLS"}
    with Dialogue(socket.socket(socket.AF_UNIX)) as d:
        d.sock.connect(server.lmtp)
        d.expect("220 .*LMTP.*")
        d.ask("EHLO x", "500 5.5.1 .*")
        assert set(ehlo(d, "LHLO")) == common


# --- real clients ------------------------------------------------------------------

def test_swaks_delivers_by_mx(account):
    out = swaks(account.server, "mx", "--from", SENDER, "--to",
                account.login)
    assert re.search(r"250 2\.0\.0 Ok: id [0-9a-z]{13}", out)
    got = read_all(account)[0]
    assert got.startswith(f"Return-Path: <{SENDER}>\r\nDelivered-To: "
                          f"{account}\r\nReceived: from client.example "
                          "([127.0.0.1])\r\n\tby mail.test.example with "
                          "ESMTP id ".encode())
    assert f"\r\n\tfor <{account}>;\r\n".encode() in got


@pytest.mark.parametrize("service, tls", [("submission", "-tls"),
                                          ("submissions", "-tlsc")])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(account, service, tls, mechanism):
    swaks(account.server, service, tls, "--auth", mechanism, "--auth-user",
          account.login, "--auth-password", account.password, "--from",
          account.login, "--to", account.login)
    got = read_all(account)[0]
    assert b"with ESMTPSA id " in got and b"(TLSv1.3 TLS_" in got


def test_swaks_is_refused_with_a_wrong_password(account):
    swaks(account.server, "submissions", "-tlsc", "--auth", "PLAIN",
          "--auth-user", account.login, "--auth-password", "wrong",
          "--from", account.login, "--to", account.login, code=28)
    account.server.wait_log("event=smtp.auth.fail")


def test_smtplib_with_starttls(account):
    server = account.server
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as c:
        c.starttls(context=server.tls())
        c.login(account.login, account.password)
        c.sendmail(account.login, [account.login],
                   message("hello", From=account.login))
    assert b"Subject: hello\r\n" in read_all(account)[0]


def test_curl_submits(account, tmp_path):
    server = account.server
    (tmp_path / "m").write_bytes(message("by curl", From=account.login))
    subprocess.run(
        ["curl", "-sS", "--fail", "--cacert", server.certificate, "--resolve",
         f"mail.test.example:{server.ports['submissions']}:127.0.0.1",
         f"smtps://mail.test.example:{server.ports['submissions']}",
         "--user", f"{account}:{account.password}", "--mail-from",
         account.login, "--mail-rcpt", account.login, "--upload-file",
         tmp_path / "m"], check=True, timeout=60)
    assert b"Subject: by curl\r\n" in read_all(account)[0]


def test_lmtp_answers_for_each_recipient(server):
    a, b = server.new_account(), server.new_account()
    with Dialogue(socket.socket(socket.AF_UNIX)) as d:
        d.sock.connect(server.lmtp)
        d.expect("220 .*")
        ehlo(d, "LHLO")
        d.send(f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{a}>",
               f"RCPT TO:<nobody@{server.domain}>", f"RCPT TO:<{b}>", "DATA")
        for want in ("250 2.1.0", "250 2.1.5", "550 5.1.1", "250 2.1.5",
                     "354"):
            assert replies(d)[-1].startswith(want)
        d.send_raw(message("lmtp") + b".\r\n")
        d.expect("250 2.0.0 .*")
        d.expect("250 2.0.0 .*")
        d.ask("QUIT", "221 .*")
        d.expect_closed()
    assert len(read_all(a)) == len(read_all(b)) == 1
    assert b"with LMTP id " in read_all(b)[0]


# --- SCRAM ------------------------------------------------------------------------------

def scram(account, password, binding=None, tamper=b""):
    """RFC 7677 by hand; the last reply. binding: (type, bytes)."""
    server = account.server
    ctx = server.tls()
    if binding == "tls-unique":
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
    sock = ctx.wrap_socket(socket.create_connection(
        ("127.0.0.1", server.ports["submissions"]), 10))
    d = Dialogue(sock)
    d.expect("220 .*")
    ehlo(d)
    header = f"p={binding},," if binding else "n,,"
    bound = header.encode()
    if binding:
        bound += sock.get_channel_binding(binding) + tamper
    first = f"n={account},r=clientnonce"
    d.send(f"AUTH SCRAM-SHA-256{'-PLUS' if binding else ''} " +
           base64.b64encode((header + first).encode()).decode())
    challenge = base64.b64decode(replies(d)[-1][4:]).decode()
    parts = dict(x.split("=", 1) for x in challenge.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                 base64.b64decode(parts["s"]),
                                 int(parts["i"]))

    def mac(key, text):
        return hmac.new(key, text, "sha256").digest()
    bare = f"c={base64.b64encode(bound).decode()},r={parts['r']}"
    text = ",".join((first, challenge, bare)).encode()
    key = mac(salted, b"Client Key")
    stored = hashlib.sha256(key).digest()
    proof = bytes(x ^ y for x, y in zip(key, mac(stored, text)))
    final = f"{bare},p={base64.b64encode(proof).decode()}"
    d.send(base64.b64encode(final.encode()).decode())
    reply = replies(d)[-1]
    if reply.startswith("334 "):
        want = b"v=" + base64.b64encode(
            mac(mac(salted, b"Server Key"), text))
        assert base64.b64decode(reply[4:]) == want
        d.send("")
        reply = replies(d)[-1]
    d.close()
    return reply


def test_scram_proves_both_sides(account):
    assert scram(account, account.password).startswith("235 2.7.0")
    assert scram(account, "wrong").startswith("535 5.7.8")


def test_scram_plus_is_bound_to_the_connection(account):
    word = account.password
    assert scram(account, word, "tls-unique").startswith("235 2.7.0")
    # Someone in the middle has another connection with us.
    assert scram(account, word, "tls-unique", b"x").startswith("535 5.7.8")


# --- who may send what to whom -------------------------------------------------------------

def test_no_open_relay(account):
    with connect(account.server) as d:
        ehlo(d)
        d.ask(f"MAIL FROM:<{account}>", "250 2.1.0 .*")
        for rcpt in ("x@elsewhere.example", "x%elsewhere.example@other.example",
                     f"@{account.server.domain}:x@elsewhere.example"):
            d.ask(f"RCPT TO:<{rcpt}>", "550 5.7.1 .*")
        d.ask(f"RCPT TO:<nobody@{account.server.domain}>", "550 5.1.1 .*")
        d.ask("DATA", "554 5.5.1 .*")


def test_submission_only_from_own_addresses(server):
    a, b = server.new_account(), server.new_account()
    with connect(server, "submissions") as d:
        ehlo(d)
        d.ask(f"MAIL FROM:<{a}>", "530 5.7.0 .*")
    with signed_in(a) as d:
        d.ask(f"MAIL FROM:<{b}>", "553 5.7.1 .*")
        d.ask("MAIL FROM:<>", "550 5.7.1 .*")
        d.ask(f"MAIL FROM:<{a}>", "250 2.1.0 .*")
        d.ask("RCPT TO:<x@elsewhere.example>", "250 2.1.5 .*")
        d.ask("RCPT TO:<x@[127.0.0.1]>", "501 5.1.3 .*")
        d.ask(f"RCPT TO:<{b}>", "250 2.1.5 .*")


def test_submission_adds_date_and_message_id(account):
    with signed_in(account, "submission") as d:
        send(d, account, b"Subject: bare\r\n\r\nx\r\n", account.login)
    with connect(account.server) as d:
        ehlo(d)
        send(d, account, b"Subject: bare\r\n\r\nx\r\n")
    submitted, foreign = read_all(account)
    assert re.search(rb"\r\nDate: .*\r\nMessage-ID: <[0-9a-z]+@mail\.test\."
                     rb"example>\r\nSubject: bare\r\n", submitted)
    assert b"\r\nDate:" not in foreign and b"Message-ID" not in foreign


def test_submission_only_in_own_name(account):
    own = account.login.encode()
    with signed_in(account, "submission") as d:
        d.ask(f"MAIL FROM:<{account.login}>", "250 .*")
        d.ask(f"RCPT TO:<{account.login}>", "250 .*")
        d.ask("DATA", "354 .*")
        d.send_raw(b"From: " + own + b" <ceo@bank.example>\r\n\r\n.\r\n")
        d.expect("550 5.7.1 .*ceo@bank.example, which does not belong.*")
        send(d, account, b"From: =?utf-8?q?ceo=40bank=2Eexample?= <" + own +
             b">\r\n\r\nx\r\n", account.login)
        send(d, account, b"Subject: no From\r\n\r\nx\r\n", account.login)
    named, bare = read_all(account)
    assert b"\r\nFrom: =?utf-8?q?ceo" in named
    assert b"\r\nFrom: " + own + b"\r\nDate: " in bare


def test_a_domain_has_one_name_in_two_spellings(server):
    u, a = "b\u00fccher.example", "xn--bcher-kva.example"
    server.add_domain(a)
    assert u in server.cli("domain", "list")
    server.add_user(f"uli@{u}")
    server.cli("alias", "add", f"alias@{a}", f"uli@{a}")
    with connect(server) as d:
        ehlo(d)
        for rcpt in (f"uli@{a}", f"ULI+x@{a.upper()}", f"alias@{a}"):
            send(d, rcpt, b"Subject: ASCII\r\n\r\nx\r\n")
        d.ask(f"MAIL FROM:<{SENDER}> SMTPUTF8", "250 .*")
        d.ask(f"RCPT TO:<Uli@B\u00dcCHER.example>", "250 .*")
        d.ask("DATA", "354 .*")
        d.send_raw(b"Subject: UTF-8\r\n\r\nx\r\n.\r\n")
        d.expect("250 .*")
    account = Account(server, f"uli@{a}", PASSWORD)  # as imaplib can
    assert len(read_all(account)) == 4
    with signed_in(account) as d:
        d.ask(f"MAIL FROM:<uli@{u}> SMTPUTF8", "250 .*")


# --- byte for byte ----------------------------------------------------------------------------

def corpus_comes_back(account, messages, step):
    for at in range(0, len(messages), step):
        with smtplib.SMTP("127.0.0.1", account.server.ports["mx"]) as c:
            for m in messages[at:at + step]:
                c.sendmail(SENDER, [account.login], m)
    got = [original_of(x) for x in read_all(account)]
    assert len(got) == len(messages)
    for want, have in zip(messages, got):
        assert have == want


def test_mime4j_comes_back_byte_for_byte(account):
    corpus_comes_back(account, [m for _, m in testdata.mime4j()], 50)


def test_spamassassin_comes_back_byte_for_byte(account):
    corpus_comes_back(account, testdata.spamassassin(200), 100)


def test_dots_and_long_lines_come_back(account):
    data = message("dots", "") + b".\r\n..\r\n.x\r\n" + b"y" * 2000000 + b"\r\n"
    with connect(account.server) as d:
        ehlo(d)
        assert send(d, account, data).startswith("250 2.0.0")
    assert original_of(read_all(account)[0]) == data


def test_binary_chunks_come_back(account):
    head = message("binary", "")
    body = bytes(range(1, 256)) * 100
    with connect(account.server) as d:
        ehlo(d)
        d.send(f"MAIL FROM:<{SENDER}> BODY=BINARYMIME", f"RCPT TO:<{account}>",
               f"BDAT {len(head)}")
        d.send_raw(head)
        d.send(f"BDAT {len(body)} LAST")
        d.send_raw(body)
        for want in ("250 2.1.0", "250 2.1.5", "250 2.0.0", "250 2.0.0"):
            assert replies(d)[-1].startswith(want)
    assert original_of(read_all(account)[0]) == head + body


def test_utf8_in_envelope_and_header(account):
    data = message("Grüße", "ä\n")
    with connect(account.server) as d:
        ehlo(d)
        d.ask("MAIL FROM:<grüße@elsewhere.example>", "5.*")
        d.ask("MAIL FROM:<grüße@elsewhere.example> SMTPUTF8", "250 2.1.0 .*")
        d.ask(f"RCPT TO:<{account}>", "250 2.1.5 .*")
        d.ask("DATA", "354 .*")
        d.send_raw(data + b".\r\n")
        d.expect("250 2.0.0 .*")
    got = read_all(account)[0]
    assert got.startswith("Return-Path: <grüße@elsewhere.example>".encode())
    assert b"with UTF8SMTP id " in got and original_of(got) == data


# --- hostile clients -----------------------------------------------------------------------------

@pytest.mark.parametrize("ending", [b"\n.\n", b"\n.\r\n", b"\r\n.\n",
                                    b"\r.\r", b"\r\n.\r", b"\r.\r\n"])
def test_only_crlf_dot_crlf_ends_a_message(account, ending):
    inner = (f"MAIL FROM:<{SENDER}>\r\nRCPT TO:<{account}>\r\nDATA\r\n"
             "Subject: smuggled\r\n\r\nx").encode()
    with connect(account.server) as d:
        ehlo(d)
        d.ask(f"MAIL FROM:<{SENDER}>", "250 2.1.0 .*")
        d.ask(f"RCPT TO:<{account}>", "250 2.1.5 .*")
        d.ask("DATA", "354 .*")
        d.send_raw(b"Subject: outer\r\n\r\nx" + ending + inner +
                   b"\r\n.\r\n")
        d.expect("550 5.6.11 .*")
        d.ask("NOOP", "250 2.0.0 .*")
    assert read_all(account) == []


def test_plaintext_behind_starttls_is_dropped(server):
    with connect(server, "submission") as d:
        ehlo(d)
        d.send("STARTTLS", "EHLO injected.example", "NOOP")
        d.expect("220 2.0.0 .*")
        d.start_tls(server)
        d.ask("MAIL FROM:<>", "503 5.5.1 .*")
        d.ask("NOOP", "250 2.0.0 .*")


def test_who_speaks_before_the_greeting_is_cut_off(server):
    os.kill(server.pids("smtp")[0], 19)  # SIGSTOP: the greeting is late
    pid = server.pids("smtp")[0]
    try:
        s = socket.create_connection(("127.0.0.1", server.ports["mx"]), 10)
        s.sendall(b"EHLO x\r\nMAIL FROM:<>\r\n")
        time.sleep(0.1)
    finally:
        os.kill(pid, 18)
    with Dialogue(s) as d:
        d.expect("(554 5.5.1|220) .*")
    # Other workers may have taken it: then it was an ordinary client.


def test_http_is_no_mail(server):
    with connect(server) as d:
        d.ask("GET / HTTP/1.1", "500 5.5.1 .*")
        d.expect_closed()
    server.wait_log("event=smtp.syntax .*another protocol")


def test_an_endless_line_ends_the_connection(server):
    with connect(server) as d:
        try:
            d.send_raw(b"A" * 1000000)
        except (ConnectionError, TimeoutError):
            pass
        d.expect("500 5.5.6 .*")


def test_a_million_header_fields_are_no_trouble(account):
    data = b"A: b\r\n" * 1000000 + b"\r\nx\r\n"
    with connect(account.server) as d:
        ehlo(d)
        assert send(d, account, data).startswith("250 2.0.0")
    assert original_of(read_all(account)[0]) == data


def test_a_message_over_the_size_is_refused(make_server):
    server = make_server({"smtp": {"message_size": "64K"}})
    account = server.new_account()
    with connect(server) as d:
        ehlo(d)
        d.ask("MAIL FROM:<> SIZE=65537", "552 5.3.4 .*")
        reply = send(d, account, testdata.big_message(100000))
        assert reply.startswith("552 5.3.4")
        reply = send(d, account, message("fits"))
        assert reply.startswith("250 2.0.0")
    assert len(read_all(account)) == 1


def test_loops_are_found(account):
    with connect(account.server) as d:
        ehlo(d)
        data = b"Received: from x by y\r\n" * 51 + message("loop")
        assert send(d, account, data).startswith("554 5.4.6")


def test_limits_of_one_connection(make_server):
    server = make_server({"smtp": {"errors": 3, "messages": 2,
                                   "recipients": 100}})
    account = server.new_account()
    with connect(server) as d:
        ehlo(d)
        for _ in range(3):
            d.ask("FOO", "500 5.5.1 .*")
        d.ask("FOO", "500 5.5.1 .*")
        d.expect("421 4.7.0 mail.test.example .*")
        d.expect_closed()
    with connect(server) as d:
        ehlo(d)
        for _ in range(2):
            assert send(d, account, message()).startswith("250")
        d.ask(f"MAIL FROM:<{SENDER}>", "421 4.7.0 .*")
        d.expect_closed()
    with connect(server) as d:
        ehlo(d)
        d.send(f"MAIL FROM:<{SENDER}>", *[f"RCPT TO:<{account}>"] * 101)
        lines = [replies(d)[-1] for _ in range(102)]
        assert lines[100].startswith("250 2.1.5")
        assert lines[101].startswith("452 4.5.3")


def test_limits_of_one_address(make_server):
    server = make_server({"limits": {"connections_per_address": 2}})
    workers = len(server.pids("smtp"))
    held, refused = [], 0
    for _ in range(2 * workers + 2):
        d = Dialogue(server.connect("mx"))
        if d.line().startswith(b"421 4.7.0 mail.test.example too many"):
            refused += 1
        else:
            held.append(d)
    assert refused >= 2 and len(held) <= 2 * workers
    server.wait_log("event=smtp.limit .*limit=connections")
    for d in held:
        d.close()
    wait_for(lambda: Dialogue(server.connect("mx")).line()[:3] == b"220",
             5, "still refused")


def test_silent_and_slow_clients_time_out(make_server):
    server = make_server({"smtp": {"idle": "1", "data_idle": "1"}})
    account = server.new_account()
    with connect(server) as d:
        d.expect("421 4.4.2 .*")
        d.expect_closed()
    with connect(server) as d:  # a byte now and then does not help
        began = time.monotonic()
        try:
            while time.monotonic() - began < PATIENCE_S:
                d.send_raw(b"N")
                time.sleep(0.3)
        except ConnectionError:
            pass
        assert time.monotonic() - began < PATIENCE_S
        d.expect("421 4.4.2 .*")
    # Who writes a message has all the time that there is until DATA.
    server.configure({"smtp": {"idle": "5m"}})
    server.cli("reload")
    with connect(server) as d:
        ehlo(d)
        d.ask(f"MAIL FROM:<{SENDER}>", "250 .*")
        d.ask(f"RCPT TO:<{account}>", "250 .*")
        d.ask("DATA", "354 .*")
        d.expect("421 4.4.2 .*")
    server.wait_log("event=smtp.timeout")


def test_half_a_handshake_holds_nobody_up(account):
    server = account.server
    held = []
    for _ in range(200):
        s = socket.create_connection(
            ("127.0.0.1", server.ports["submissions"]), 10)
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01")
        held.append(s)
    with signed_in(account) as d:
        d.ask("NOOP", "250 .*")
    for s in held:
        s.close()


def test_old_tls_is_refused(server):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    ctx.minimum_version = ssl.TLSVersion.TLSv1
    ctx.maximum_version = ssl.TLSVersion.TLSv1_1
    s = socket.create_connection(
        ("127.0.0.1", server.ports["submissions"]), 10)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ctx.wrap_socket(s)


# --- when other processes are away --------------------------------------------------------------

def test_a_store_that_dies_costs_no_mail(make_server):
    server = make_server()
    account = server.new_account()
    with connect(server) as d, signed_in(account) as own:
        ehlo(d)
        assert send(d, account, message("before")).startswith("250")
        server.kill("store")
        # The session goes on; the sign-in is gone with the store.
        assert send(d, account, message("after")).startswith("250")
        own.ask(f"MAIL FROM:<{account}>", "421 4.7.0 .*")
    assert [re.search(rb"Subject: (\w+)", m)[1]
            for m in read_all(account)] == [
        b"before", b"after"]


def test_without_a_filter_the_client_keeps_its_message(make_server):
    server = make_server()
    account = server.new_account()
    with connect(server) as d:
        ehlo(d)
        d.ask(f"MAIL FROM:<{SENDER}>", "250 .*")
        d.ask(f"RCPT TO:<{account}>", "250 .*")
        d.ask("DATA", "354 .*")
        server.kill("filter", wait=False)
        d.send_raw(message() + b".\r\n")
        reply = replies(d)[-1]
    # Either it is back already, or the client is told to try again.
    assert reply.startswith(("250 2.0.0", "451 4.3.0"))
    assert len(read_all(account)) == reply.startswith("250")


def test_a_reload_drops_no_session(make_server):
    server = make_server()
    account = server.new_account()
    with connect(server) as d:
        ehlo(d)
        server.configure({"smtp": {"message_size": "1M"}})
        server.cli("reload")
        server.wait_log("event=proc.config")
        wait_for(lambda: "SIZE 1048576" in ehlo(d), 5, "old size")
        assert send(d, account, message()).startswith("250")


def test_stopping_says_421(make_server):
    server = make_server()
    with connect(server) as d:
        ehlo(d)
        server.process.send_signal(2)
        d.expect("421 4.3.2 .*")
        d.expect_closed()


def test_stopping_in_the_middle_of_a_message_is_quick(make_server):
    server = make_server()
    account = server.new_account()
    with connect(server) as d:
        ehlo(d)
        d.ask(f"MAIL FROM:<{SENDER}>", "250 .*")
        d.ask(f"RCPT TO:<{account}>", "250 .*")
        d.ask("DATA", "354 .*")
        d.send_raw(message()[:-10])
        # stop() has its own limit, far below what a client may be silent.
        server.stop()
        d.expect_closed()
    server.start()
    assert read_all(account) == []

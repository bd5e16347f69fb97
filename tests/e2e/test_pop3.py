# SPDX-License-Identifier: ISC
"""POP3: every command and error, TLS in both ways, real clients."""
import base64
import imaplib
import os
import poplib
import re
import socket
import subprocess
import time

import pytest

from lib.dialogue import Dialogue
from lib.instance import PASSWORD, wait_for
from lib import testdata
from lib.testdata import message, original_of


def connect(server, service="pop3"):
    d = Dialogue(server.connect(service))
    d.expect(r"\+OK mail\.test\.example Mailstead POP3 ready")
    return d


def sign_in(account, service="pop3s"):
    d = connect(account.server, service)
    if service == "pop3":
        d.ask("STLS", r"\+OK .*")
        d.start_tls(account.server)
    d.ask(f"USER {account}", r"\+OK .*")
    d.ask(f"PASS {account.password}", r"\+OK (\d+ messages|1 message)")
    return d


def plain(account, password=None):
    text = f"\0{account}\0{password or account.password}"
    return base64.b64encode(text.encode()).decode()


def capabilities(d):
    d.ask("CAPA", r"\+OK .*")
    return d.until_dot().decode().splitlines()


def count(account):
    with sign_in(account) as d:
        return int(d.ask("STAT", r"\+OK (\d+) \d+")[1])


# --- capabilities and TLS ------------------------------------------------------

def test_capa_without_tls_offers_no_plaintext(server):
    with connect(server) as d:
        caps = capabilities(d)
    assert "STLS" in caps and "USER" not in caps
    assert "SASL SCRAM-SHA-256" in caps
    for c in ("TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING",
              "EXPIRE NEVER", "IMPLEMENTATION Mailstead"):
        assert c in caps


def test_capa_with_tls(server):
    with connect(server, "pop3s") as d:
        caps = capabilities(d)
    assert "STLS" not in caps and "USER" in caps
    sasl = [c for c in caps if c.startswith("SASL ")][0].split()[1:]
    assert sasl == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"]


def handshakes(server):
    return sum(float(n) for n in re.findall(
        r"(?m)^mailstead_tls_handshakes_total\S* (\S+)$", server.cli("metrics")))


def test_a_handshake_counts_once(make_server):
    server = make_server()
    for service in ("pop3s", "imaps", "pop3s"):
        before = handshakes(server)
        Dialogue(server.connect(service)).close()
        wait_for(lambda: handshakes(server) > before, 10, "it is counted")
        assert handshakes(server) == before + 1, service


def test_capa_after_sign_in_has_no_stls(account):
    with sign_in(account, "pop3") as d:
        caps = capabilities(d)
    assert "STLS" not in caps and "UIDL" in caps and "USER" in caps


def test_plaintext_sign_in_needs_tls(account):
    with connect(account.server) as d:
        d.play(f"""
            C: USER {account}
            S: -ERR Use STLS first
            C: PASS {account.password}
            S: -ERR USER comes first
            C: AUTH PLAIN {plain(account)}
            S: -ERR Use STLS first
            C: AUTH LOGIN
            S: -ERR Use STLS first
            C: QUIT
            S: \\+OK .*
        """)
        d.expect_closed()


def test_stls_drops_what_was_sent_before_the_handshake(account):
    with connect(account.server) as d:
        d.send("STLS", "CAPA", "NOOP", "USER injected")
        d.expect(r"\+OK .*")
        d.start_tls(account.server)
        d.expect_silence()
        d.ask("PASS x", "-ERR USER comes first")
        d.ask("STLS", "-ERR TLS is on already")


def test_stls_forgets_the_user_name(make_server):
    s = make_server({"auth": {"allow_plaintext": "yes"}})
    a = s.new_account()
    with connect(s) as d:
        assert "USER" in capabilities(d)
        d.ask(f"USER {a}", r"\+OK .*")
        d.ask("STLS", r"\+OK .*")
        d.start_tls(s)
        d.ask(f"PASS {a.password}", "-ERR USER comes first")
    with connect(s) as d:
        d.ask(f"USER {a}", r"\+OK .*")
        d.ask(f"PASS {a.password}", r"\+OK 0 messages")


# --- signing in ------------------------------------------------------------------

def test_wrong_password_and_unknown_user_sound_the_same(account):
    with connect(account.server, "pop3s") as d:
        d.play(f"""
            C: USER {account}
            S: \\+OK Send your password
            C: PASS wrong
            S: -ERR \\[AUTH\\] Wrong user name or password
            C: USER nobody-at-all@test.example
            S: \\+OK Send your password
            C: PASS wrong
            S: -ERR \\[AUTH\\] Wrong user name or password
            C: PASS {account.password}
            S: -ERR USER comes first
            C: USER {account}
            S: \\+OK .*
            C: PASS {account.password}
            S: \\+OK 0 messages
        """)


def test_too_many_failed_sign_ins_end_the_connection(account):
    with connect(account.server, "pop3s") as d:
        for _ in range(5):
            d.ask(f"USER {account}", r"\+OK .*")
            d.ask("PASS wrong", r"-ERR \[AUTH\] .*")
        d.expect_closed()


def test_password_with_spaces(server):
    a = server.new_account(" two  words and more ")
    with connect(server, "pop3s") as d:
        d.ask(f"USER {a}", r"\+OK .*")
        d.ask(f"PASS {a.password}", r"\+OK 0 messages")


def test_auth_plain_with_and_without_initial_response(account):
    with connect(account.server, "pop3s") as d:
        d.ask(f"AUTH PLAIN {plain(account)}", r"\+OK 0 messages")
    with connect(account.server, "pop3s") as d:
        d.ask("AUTH plain", r"\+ ")
        d.ask(plain(account), r"\+OK 0 messages")


def test_auth_login(account):
    def b64(s):
        return base64.b64encode(s.encode()).decode()
    with connect(account.server, "pop3s") as d:
        d.ask("AUTH LOGIN", r"\+ .*")
        d.ask(b64(account.login), r"\+ .*")
        d.ask(b64(account.password), r"\+OK 0 messages")


def test_auth_scram_without_tls(account):
    import hashlib
    import hmac

    def hi(*a):
        return hmac.new(a[0], a[1], hashlib.sha256).digest()
    with connect(account.server) as d:
        first = f"n={account},r=abcdefgh"
        d.send("AUTH SCRAM-SHA-256 " +
               base64.b64encode(b"n,," + first.encode()).decode())
        challenge = base64.b64decode(d.expect(r"\+ (\S+)")[1]).decode()
        p = dict(x.split("=", 1) for x in challenge.split(","))
        assert p["r"].startswith("abcdefgh")
        salted = hashlib.pbkdf2_hmac(
            "sha256", account.password.encode(), base64.b64decode(p["s"]),
            int(p["i"]))
        key = hi(salted, b"Client Key")
        last = "c=biws,r=" + p["r"]
        auth = ",".join((first, challenge, last)).encode()
        proof = bytes(x ^ y for x, y in zip(
            key, hi(hashlib.sha256(key).digest(), auth)))
        d.send(base64.b64encode(
            (last + ",p=" + base64.b64encode(proof).decode()).encode()))
        server_last = base64.b64decode(d.expect(r"\+ (\S+)")[1]).decode()
        expected = hi(hi(salted, b"Server Key"), auth)
        assert server_last == "v=" + base64.b64encode(expected).decode()
        d.ask("", r"\+OK 0 messages")


def test_auth_errors(account):
    with connect(account.server, "pop3s") as d:
        d.play(f"""
            C: AUTH
            S: \\+OK Mechanisms
            S: ...
            C: AUTH CRAM-MD5
            S: -ERR .*
            C: AUTH PLAIN not*base64
            S: -ERR The initial response is not base64
            C: AUTH PLAIN
            S: \\+ .*
            C: *
            S: -ERR Exchange ended
            C: AUTH PLAIN
            S: \\+ .*
            C: ?????
            S: -ERR Exchange ended
            C: AUTH PLAIN {plain(account, "wrong")}
            S: -ERR \\[AUTH\\] .*
            C: AUTH PLAIN {plain(account)}
            S: \\+OK 0 messages
        """)


def test_initial_response_in_an_overlong_line_is_refused(server):
    with connect(server, "pop3s") as d:
        d.send("AUTH PLAIN " + "A" * 400)
        d.expect("-ERR Line too long")
        d.expect_closed()


def test_an_overlong_line_in_the_exchange_is_refused(server):
    with connect(server, "pop3s") as d:
        d.ask("AUTH PLAIN", r"\+ .*")
        d.send("A" * 13000)
        d.expect("-ERR Line too long")
        d.expect_closed()


def test_apop_is_refused(server):
    with connect(server) as d:
        d.ask("APOP user c4c9334bac560ecc979e58001b3e22fb", "-ERR .*APOP.*")


# --- states and syntax ---------------------------------------------------------------

def test_commands_need_a_sign_in(server):
    with connect(server, "pop3s") as d:
        for c in ("STAT", "LIST", "UIDL", "RETR 1", "TOP 1 0", "DELE 1",
                  "NOOP", "RSET"):
            d.ask(c, "-ERR Sign in first")
        d.ask("QUIT", r"\+OK .*")


def test_signed_in_commands_and_their_errors(account):
    account.deliver(message())
    with sign_in(account) as d:
        d.play("""
            C: USER x
            S: -ERR Signed in already
            C: noop
            S: \\+OK.*
            C: LIST 2
            S: -ERR No such message
            C: LIST 0
            S: -ERR .*
            C: LIST x
            S: -ERR .*
            C: LIST 99999999999999999999
            S: -ERR .*
            C: UIDL 2
            S: -ERR No such message
            C: RETR
            S: -ERR .*
            C: RETR 2
            S: -ERR No such message
            C: TOP 1
            S: -ERR .*
            C: TOP 1 -1
            S: -ERR .*
            C: DELE 4294967295
            S: -ERR No such message
            C: XYZZY
            S: -ERR .*
            C: UTF8
            S: -ERR .*
            C: LANG
            S: -ERR .*
            C: DELE 1
            S: \\+OK .*
            C: DELE 1
            S: -ERR The message is marked as deleted
            C: RETR 1
            S: -ERR The message is marked as deleted
            C: LIST 1
            S: -ERR The message is marked as deleted
            C: STAT
            S: \\+OK 0 0
            C: LIST
            S: \\+OK .*
            S: \\.
            C: RSET
            S: \\+OK .*
            C: STAT
            S: \\+OK 1 \\d+
            C: QUIT
            S: \\+OK .*
        """)
        d.expect_closed()


def test_too_many_bad_commands_end_the_connection(server):
    with connect(server) as d:
        d.send(*["BOGUS"] * 40)
        for _ in range(20):
            d.expect("-ERR .*")
        d.expect("-ERR Too many bad commands")
        d.expect_closed()


@pytest.mark.parametrize("bad, answer", [
    (b"NOOP\n", "-ERR A line must end with CRLF"),
    (b"NO\rOP\r\n", "-ERR A line must end with CRLF"),
    (b"N" * 300, "-ERR Line too long"),
    (b"\0" * 20000, "-ERR Line too long"),
])
def test_bad_lines_end_the_connection(server, bad, answer):
    with connect(server) as d:
        d.send_raw(bad)
        d.expect(answer)
        d.expect_closed()


def test_binary_noise_is_survived(server):
    with connect(server) as d:
        d.send_raw(os.urandom(64) + b"\r\n")
        assert d.line().startswith(b"-ERR ")


# --- messages ---------------------------------------------------------------------------

def test_one_message_is_one(account):
    account.deliver(message("one"))
    with connect(account.server, "pop3s") as d:
        d.ask(f"USER {account}", r"\+OK .*")
        d.ask(f"PASS {account.password}", r"\+OK 1 message")
        d.ask("LIST", r"\+OK 1 message \(\d+ octets\)")
        d.until_dot()


def test_messages_come_back_byte_for_byte(account):
    sent = [message("one"), message("dots", ".\n..\n.x\nend\n"),
            message("empty", ""), message("8 bit", "gr\u00fc\u00dfe\n"),
            testdata.big_message(300_000), testdata.big_message(3_000_000)]
    account.deliver(*sent)
    with sign_in(account) as d:
        total = 0
        for i, want in enumerate(sent, 1):
            size = int(d.ask(f"LIST {i}", rf"\+OK {i} (\d+)")[1])
            d.ask(f"RETR {i}", rf"\+OK {size} octets")
            got = re.sub(rb"(?m)^\.", b"", d.until_dot())
            assert len(got) == size
            assert original_of(got) == want
            total += size
        d.ask("STAT", rf"\+OK {len(sent)} {total}")


def test_sizes_are_those_of_what_is_sent(account):
    odd = [b"Subject: LF\n\n.one\ntwo\n", b"Subject: none\r\n\r\nno end",
           b"Subject: mixed\r\n\nx\r\ny\n\r\nlast", b"\n",
           b"Subject: fine\r\n\r\nx\r\n"]
    with imap(account) as c:
        for m in odd:
            c.send(b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(m), m))
            while not c.readline().startswith(b"a OK"):
                pass
        c.select("INBOX")
        c.copy("1,2", "INBOX")  # a copy is as long
    with Dialogue(account.server.connect("mx")) as d:
        d.expect("220 .*")
        d.ask("HELO x", "250 .*")
        d.ask("MAIL FROM:<>", "250 .*")
        d.ask(f"RCPT TO:<{account}>", "250 .*")
        d.send_raw(b"BDAT 4 LAST\r\na: b")
        d.expect("250 .*")
    with sign_in(account) as d:
        number, total = map(int, d.ask("STAT", r"\+OK (\d+) (\d+)").groups())
        d.ask("LIST", r"\+OK .*")
        sizes = [int(x.split()[1]) for x in d.until_dot().splitlines()]
        assert number == len(sizes) == 8 and total == sum(sizes)
        for i, size in enumerate(sizes, 1):
            d.ask(f"RETR {i}", rf"\+OK {size} octets")
            assert len(re.sub(rb"(?m)^\.", b"", d.until_dot())) == size
            d.ask(f"LIST {i}", rf"\+OK {i} {size}")


def test_dots_are_stuffed_on_the_wire(account):
    account.deliver(message("dots", ".\n..\n.x\nend\n"))
    with sign_in(account) as d:
        d.ask("RETR 1", r"\+OK \d+ octets")
        assert d.until_dot().endswith(b"\r\n\r\n..\r\n...\r\n..x\r\nend\r\n")


def test_top(account):
    body = "".join(f"line {i}\n" for i in range(10))
    account.deliver(message("top", body))
    with sign_in(account) as d:
        d.ask("RETR 1", r"\+OK .*")
        whole = d.until_dot()
        header = whole[:whole.index(b"\r\n\r\n") + 4]
        for n in (0, 1, 3, 10, 11, 4294967295):
            d.ask(f"TOP 1 {n}", r"\+OK .*")
            want = header + "".join(
                f"line {i}\r\n" for i in range(min(n, 10))).encode()
            assert d.until_dot() == want


def test_top_of_messages_with_long_headers_and_bodies(account):
    long_header = message("h", "body\n", X_Long="a" * 900 + "\n "
                          + "\n ".join("b" * 900 for _ in range(60)))
    big = testdata.big_message(2_500_000)
    account.deliver(long_header, big)
    with sign_in(account) as d:
        for i, want in enumerate((long_header, big), 1):
            d.ask(f"RETR {i}", r"\+OK .*")
            whole = d.until_dot()
            lines = whole.count(b"\r\n")
            for n in (0, 5, lines):
                d.ask(f"TOP {i} {n}", r"\+OK .*")
                got = d.until_dot()
                end = whole.index(b"\r\n\r\n") + 4
                for _ in range(n):
                    at = whole.find(b"\r\n", end)
                    end = at + 2 if at >= 0 else len(whole)
                assert got == whole[:end]


def test_corpus_comes_back_byte_for_byte(account):
    mails = testdata.mime4j() + [
        (f"spamassassin {i}", m)
        for i, m in enumerate(testdata.spamassassin(200))]
    account.deliver(*[m for _, m in mails])
    p = poplib.POP3_SSL("127.0.0.1", account.server.ports["pop3s"],
                        context=account.server.tls())
    poplib._MAXLINE = 10_000_000
    p.user(account.login)
    p.pass_(account.password)
    assert p.stat()[0] == len(mails)
    for i, (name, want) in enumerate(mails, 1):
        _, lines, octets = p.retr(i)
        got = b"".join(x + b"\r\n" for x in lines)
        assert original_of(got) == want, name
        assert p.list(i).split()[2] == b"%d" % len(got), name
    p.quit()


def test_pipelined_commands_are_answered_in_order(account):
    account.deliver(*[message(f"m{i}") for i in range(20)])
    with connect(account.server, "pop3s") as d:
        d.send(f"USER {account}", f"PASS {account.password}", "STAT", "LIST",
               "UIDL", *[f"RETR {i}" for i in range(1, 21)],
               *[f"DELE {i}" for i in range(1, 21)], "NOOP", "STAT", "RSET",
               "QUIT")
        d.expect(r"\+OK Send your password")
        d.expect(r"\+OK 20 messages")
        d.expect(r"\+OK 20 \d+")
        for _ in range(2):
            d.expect(r"\+OK 20 messages .*")
            assert d.until_dot().count(b"\r\n") == 20
        for i in range(20):
            d.expect(r"\+OK \d+ octets")
            assert b"Subject: m%d\r\n" % i in d.until_dot()
        for _ in range(20):
            d.expect(r"\+OK Marked.*")
        d.expect(r"\+OK.*")
        d.expect(r"\+OK 0 0")
        d.expect(r"\+OK .*")
        d.expect(r"\+OK Bye")
        d.expect_closed()
    assert count(account) == 20


def test_a_client_that_does_not_read_is_waited_for(account):
    """Many large answers are asked for before any is read: the server must
    neither lose bytes nor hold them all."""
    m = testdata.big_message(2_000_000)
    account.deliver(m)
    with sign_in(account) as d:
        d.send(*["RETR 1"] * 20)
        time.sleep(1)
        for _ in range(20):
            d.expect(r"\+OK \d+ octets")
            assert original_of(d.until_dot()) == m


# --- deletion ------------------------------------------------------------------------------

def test_deletion_happens_at_quit_and_only_there(account):
    account.deliver(*[message(f"m{i}") for i in range(5)])
    with sign_in(account) as d:
        d.ask("DELE 2", r"\+OK .*")
        d.ask("DELE 4", r"\+OK .*")
    assert count(account) == 5, "dropped connection"
    with sign_in(account) as d:
        d.send("DELE 2", "DELE 3", "RSET", "DELE 1", "DELE 5", "STAT")
        for _ in range(5):
            d.expect(r"\+OK .*")
        d.expect(r"\+OK 3 \d+")
        d.ask("QUIT", r"\+OK Bye")
        d.expect_closed()
    with sign_in(account) as d:
        d.ask("STAT", r"\+OK 3 \d+")
        for i, subject in enumerate((b"m1", b"m2", b"m3"), 1):
            d.ask(f"TOP {i} 0", r"\+OK .*")
            assert b"Subject: %s\r\n" % subject in d.until_dot()


def test_removal_is_durable(fresh_server):
    a = fresh_server.new_account()
    a.deliver(*[message(f"m{i}") for i in range(4)])
    with sign_in(a) as d:
        d.ask("DELE 1", r"\+OK .*")
        d.ask("DELE 3", r"\+OK .*")
        d.ask("QUIT", r"\+OK Bye")
    fresh_server.kill_all()
    fresh_server.start()
    with sign_in(a) as d:
        d.ask("TOP 1 0", r"\+OK .*")
        assert b"Subject: m1\r\n" in d.until_dot()
        d.ask("STAT", r"\+OK 2 \d+")


def test_arrivals_do_not_change_an_open_maildrop(account):
    account.deliver(message("old"))
    with sign_in(account) as d:
        account.deliver(message("new"))
        d.ask("STAT", r"\+OK 1 \d+")
        d.ask("DELE 1", r"\+OK .*")
        d.ask("QUIT", r"\+OK Bye")
    with sign_in(account) as d:
        d.ask("STAT", r"\+OK 1 \d+")
        d.ask("TOP 1 0", r"\+OK .*")
        assert b"Subject: new\r\n" in d.until_dot()


def test_two_sessions_may_delete_the_same_message(account):
    account.deliver(message("a"), message("b"))
    with sign_in(account) as one, sign_in(account) as two:
        one.ask("DELE 1", r"\+OK .*")
        one.ask("QUIT", r"\+OK Bye")
        two.ask("RETR 1", "-ERR .*removed.*")
        two.ask("STAT", r"\+OK 2 \d+")
        two.ask("DELE 1", r"\+OK .*")
        two.ask("QUIT", r"\+OK Bye")
    assert count(account) == 1


def test_unique_ids_are_stable(fresh_server):
    a = fresh_server.new_account()
    a.deliver(*[message(f"m{i}") for i in range(5)])

    def ids():
        with sign_in(a) as d:
            d.ask("UIDL", r"\+OK .*")
            return [x.split()[1] for x in
                    d.until_dot().decode().splitlines()]
    before = ids()
    assert len(set(before)) == 5
    assert all(re.fullmatch(r"[!-~]{1,70}", x) for x in before)
    with sign_in(a) as d:
        d.ask("UIDL 3", rf"\+OK 3 {re.escape(before[2])}")
        d.ask("DELE 2", r"\+OK .*")
        d.ask("QUIT", r"\+OK .*")
    fresh_server.restart()
    assert ids() == [before[0]] + before[2:]
    a.deliver(message("m5"))
    after = ids()
    assert after[:4] == [before[0]] + before[2:]
    assert after[4] not in before


# --- with IMAP ----------------------------------------------------------------------------------

def imap(account):
    c = imaplib.IMAP4_SSL("127.0.0.1", account.server.ports["imaps"],
                          ssl_context=account.server.tls())
    c.login(account.login, account.password)
    return c


def flags(account):
    c = imap(account)
    c.select("INBOX", readonly=True)
    _, data = c.fetch("1:*", "(FLAGS)")
    c.logout()
    return [imaplib.ParseFlags(x) for x in data]


def test_reading_sets_seen_and_top_does_not(account):
    account.deliver(*[message(f"m{i}") for i in range(4)])
    with sign_in(account) as d:
        for i in (3, 1):
            d.ask(f"RETR {i}", r"\+OK .*")
            d.until_dot()
        d.ask("TOP 2 100", r"\+OK .*")
        d.until_dot()
        d.ask("QUIT", r"\+OK .*")
    assert [b"\\Seen" in f for f in flags(account)] == [
        True, False, True, False]


def test_reading_sets_seen_also_when_the_connection_drops(account):
    account.deliver(message())
    with sign_in(account) as d:
        d.ask("RETR 1", r"\+OK .*")
        d.until_dot()
    wait_for(lambda: b"\\Seen" in flags(account)[0])


def test_deleted_flag_of_imap_hides_nothing(account):
    account.deliver(message("a"), message("b"))
    c = imap(account)
    c.select("INBOX")
    c.store("1", "+FLAGS", "\\Deleted")
    with sign_in(account) as d:
        d.ask("STAT", r"\+OK 2 \d+")
        d.ask("DELE 2", r"\+OK .*")
        d.ask("QUIT", r"\+OK .*")
    c.noop()
    assert c.search(None, "ALL")[1] == [b"1"]
    c.logout()


# --- the server's own troubles -----------------------------------------------------------------------

def test_idle_client_is_logged_out_without_update(make_server):
    s = make_server({"pop3": {"idle": "1s"}})
    a = s.new_account()
    a.deliver(message())
    with connect(s, "pop3s") as d:
        began = time.monotonic()
        # At once: a second between two of them would be the end as well.
        d.send(f"USER {a}", f"PASS {a.password}", "DELE 1")
        d.expect(r"\+OK .*")
        d.expect(r"\+OK 1 message")
        d.expect(r"\+OK .*")
        d.expect_closed()
        assert time.monotonic() - began > 0.5
    s.configure({"pop3": {"idle": "10m"}, "imap": {"preauth_idle": "1s"}})
    s.cli("reload")
    with connect(s) as d:
        d.expect_closed()
    s.configure({"imap": {"preauth_idle": "1m"}})
    s.cli("reload")
    assert count(a) == 1


def test_store_that_dies_ends_sessions_and_loses_nothing(fresh_server):
    a = fresh_server.new_account()
    a.deliver(*[message(f"m{i}") for i in range(3)])
    with sign_in(a) as d:
        d.ask("DELE 1", r"\+OK .*")
        fresh_server.kill("store")
        d.expect(r"-ERR \[SYS/TEMP\] .*")
        d.expect_closed()
    assert count(a) == 3
    fresh_server.allowed_trouble = "SIGKILL"


def test_shutdown_says_so(fresh_server):
    a = fresh_server.new_account()
    with sign_in(a) as d:
        fresh_server.stop()
        d.expect(r"-ERR \[SYS/TEMP\] The server is stopping")
        d.expect_closed()


def test_implicit_tls_port_survives_plain_text(server):
    s = socket.create_connection(("127.0.0.1", server.ports["pop3s"]), 10)
    s.sendall(b"USER someone\r\n")
    data = b""
    try:
        while chunk := s.recv(1000):
            data += chunk
    except ConnectionError:
        pass
    assert b"+OK" not in data


def test_many_sign_ins_in_a_row(account):
    for _ in range(50):
        sign_in(account).close()


# --- real clients -----------------------------------------------------------------------------------------

def test_poplib_plain_stls_and_pop3s(make_server):
    s = make_server({"auth": {"allow_plaintext": "yes"}})
    a = s.new_account()
    want = message("hello", ".dot\n")
    a.deliver(want)

    def use(p):
        p.user(a.login)
        p.pass_(a.password)
        assert p.stat()[0] == 1
        got = b"".join(x + b"\r\n" for x in p.retr(1)[1])
        assert original_of(got) == want
        assert len(p.uidl()[1]) == 1 and len(p.list()[1]) == 1
        assert p.top(1, 0)[1][-1] == b""
        p.noop()
        p.rset()
        p.quit()
    use(poplib.POP3("127.0.0.1", s.ports["pop3"]))
    p = poplib.POP3("127.0.0.1", s.ports["pop3"])
    assert "STLS" in p.capa()
    p.stls(s.tls())
    assert "STLS" not in p.capa()
    use(p)
    use(poplib.POP3_SSL("127.0.0.1", s.ports["pop3s"], context=s.tls()))


@pytest.mark.parametrize("service, options", [
    ("pop3s", []),
    ("pop3", ["--ssl-reqd"]),
    ("pop3s", ["--login-options", "AUTH=PLAIN"]),
    ("pop3s", ["--login-options", "AUTH=LOGIN"]),
    ("pop3s", ["--sasl-ir", "--login-options", "AUTH=PLAIN"]),
])
def test_curl(account, service, options):
    want = message("for curl")
    account.deliver(want)
    s = account.server

    def curl(path):
        return subprocess.run(
            ["curl", "-sS", "--cacert", s.certificate, *options, "-u",
             f"{account}:{account.password}",
             f"{service}://localhost:{s.ports[service]}/{path}"],
            check=True, capture_output=True, timeout=60).stdout
    assert curl("").startswith(b"1 ")
    assert original_of(curl("1")) == want


def mail_folder(path):
    """A folder, and a program that puts each message it reads into it."""
    path.mkdir()
    script = path.parent / "put"
    script.write_text(f"#!/bin/sh\nexec cat > '{path}'/$$\n")
    script.chmod(0o755)
    return script


def without_added(mails):
    """From the first field that we sent; line ends made CRLF."""
    return sorted(m[m.index(b"From: Sender"):]
                  for m in map(testdata.crlf, mails))


def test_getmail(account, tmp_path):
    mails = [message(f"m{i}", f"body {i}\n.dot\n") for i in range(5)]
    account.deliver(*mails)
    s = account.server
    put = mail_folder(tmp_path / "mail")
    (tmp_path / "getmailrc").write_text(f"""[retriever]
type = SimplePOP3SSLRetriever
server = localhost
port = {s.ports["pop3s"]}
username = {account}
password = {account.password}
[destination]
type = MDA_external
path = {put}
allow_root_commands = true
[options]
delete = true
delivered_to = false
received = false
""")
    done = subprocess.run(["getmail", "--getmaildir", tmp_path],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    got = [f.read_bytes() for f in (tmp_path / "mail").iterdir()]
    assert without_added(got) == without_added(mails)
    assert count(account) == 0


def test_fetchmail(account, tmp_path):
    mails = [message(f"m{i}", f"body {i}\n.dot\n") for i in range(5)]
    account.deliver(*mails)
    s = account.server
    put = mail_folder(tmp_path / "mail")
    rc = tmp_path / "fetchmailrc"
    rc.write_text(f"""poll localhost proto pop3 port {s.ports["pop3"]} uidl
  user "{account}" password "{account.password}"
  sslproto "auto" sslcertck sslcertfile "{s.certificate}"
  sslcommonname "mail.test.example"
  mda "{put}"
""")
    rc.chmod(0o600)
    env = {**os.environ, "HOME": str(tmp_path),
           "FETCHMAILHOME": str(tmp_path)}
    done = subprocess.run(["fetchmail", "-f", rc, "--nosyslog"], env=env,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    got = [f.read_bytes() for f in (tmp_path / "mail").iterdir()]
    assert without_added(got) == without_added(mails)
    assert count(account) == 0
    again = subprocess.run(["fetchmail", "-f", rc, "--nosyslog"], env=env,
                           capture_output=True, text=True, timeout=60)
    assert again.returncode == 1, "1: no mail\n" + again.stdout

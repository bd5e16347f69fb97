# SPDX-License-Identifier: ISC
"""IMAP: hostile input is refused with the right answer, in bounded memory, and
without keeping others waiting."""
import socket
import time

import pytest

from lib.imap import Imap
from lib.instance import PATIENCE_S, wait_for


def memory(server):
    """Resident kilobytes of the imap workers."""
    total = 0
    for pid in server.pids("imap"):
        with open(f"/proc/{pid}/status") as f:
            total += next(int(x.split()[1]) for x in f
                          if x.startswith("VmRSS"))
    return total


@pytest.fixture
def alive(server, account):
    """Somebody else, who is served before, meanwhile and afterwards."""
    with Imap.sign_in(account) as other:
        pids = server.pids("imap")
        yield other
        other.ok("NOOP")
        assert server.pids("imap") == pids


def test_a_line_of_a_megabyte(server, account, alive):
    with Imap(server, "imap") as c:
        c.send_raw(b"a NOOP " + b"x" * 30000)
        c.expect("a BAD .*")
        c.send_raw(b"y" * 20000 + b"\r\nb NOOP\r\n")
        c.expect("b OK .*")
    with Imap.sign_in(account) as c:
        c.send_raw(b"a NOOP " + b"x" * 1000000 + b"\r\nb NOOP\r\n")
        c.expect("a BAD .*")
        c.expect("b OK .*")


def test_literals_before_sign_in(server, alive):
    for text in (b"a LOGIN {99999999999999999999}\r\n",
                 b"a LOGIN {4000000000}\r\n", b"a LOGIN {5000}\r\n"):
        with Imap(server) as c:
            c.send_raw(text)
            c.expect("a (BAD|NO) .*")
            c.ok("NOOP")
    with Imap(server) as c:
        c.send_raw(b"a LOGIN {4000000000+}\r\n")
        c.expect("a (BAD|NO) .*")
        c.expect(r"\* BYE .*")
        c.expect_closed()


def test_many_literals(account, alive):
    with Imap.sign_in(account) as c:
        c.send_raw(b"a SEARCH " + b"TEXT {1+}\r\nx " * 100 + b"\r\nb NOOP\r\n")
        c.expect("a BAD .*")
        c.expect("b OK .*")
        c.send_raw(b"a APPEND INBOX" + b" {1+}\r\nx" * 100 + b"\r\nb NOOP\r\n")
        c.expect("a (BAD|NO) .*")
        c.expect("b OK .*")


def test_deep_search(account, alive):
    with Imap.sign_in(account, "INBOX") as c:
        for n in (33, 1000, 20000):
            c.bad("SEARCH " + "(" * n + "ALL" + ")" * n)
            c.bad("SEARCH " + "NOT " * n + "ALL")
            c.ok("NOOP")
        c.bad("SEARCH " + "OR ALL " * 600 + "ALL")


def test_a_hundred_thousand_commands_at_once(account, alive):
    with Imap.sign_in(account) as c:
        c.sock.settimeout(60)
        block, n = b"x NOOP\r\n" * 1000, 0
        for _ in range(100):
            c.send_raw(block)
            for _ in range(1000):
                n += c.line() == b"x OK Done"
        assert n == 100000


def test_much_input_while_a_command_runs(account, alive):
    """The input buffer fills up to its limit: the server goes on."""
    for service in ("imaps", "imap"):
        with Imap.sign_in(account, "INBOX", service=service) as c:
            body = b"A: b\r\n\r\n" + b"x" * 3000000
            for _ in range(3):
                c.append(body)
    plain = socket.create_connection(
        ("127.0.0.1", account.server.ports["imap"]), PATIENCE_S)
    plain.sendall(b"a NOOP\r\n" * 40000)
    wait_for(lambda: plain.recv(100) != b"", 5, "no answer")
    plain.close()


def test_a_client_that_does_not_read(server, account, alive):
    with Imap.sign_in(account, "INBOX") as c:
        for _ in range(40):
            c.append(b"A: b\r\n\r\n" + b"0123456789abcde\r\n" * 50000)
        before = memory(server)
        for i in range(8):  # 270 MB
            c.send(f"f{i} FETCH 1:* BODY.PEEK[]")
        time.sleep(1)
        assert memory(server) - before < 60000
        alive.ok("NOOP")


def test_half_open_tls(server, alive):
    socks = [server.connect("imap") for _ in range(50)]
    for s in socks:
        s.sendall(b"a STARTTLS\r\n")
    raw = [socket.create_connection(
        ("127.0.0.1", server.ports["imaps"]), PATIENCE_S) for _ in range(50)]
    for s in raw:
        s.sendall(b"\x16\x03\x01\x02\x00\x01")
    alive.ok("NOOP")
    for s in socks + raw:
        s.close()


def test_a_slow_drip_before_sign_in_ends(make_server):
    server = make_server({"imap": {"preauth_idle": "1s"}})
    s = server.connect("imap")
    s.recv(1000)
    began = time.monotonic()
    with pytest.raises(OSError):
        while time.monotonic() - began < PATIENCE_S:
            s.sendall(b"x")
            time.sleep(0.25)

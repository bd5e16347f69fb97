# SPDX-License-Identifier: ISC
"""Servers that keep us busy instead of taking mail: what they do ends, and what
they did not take goes out when they do, once."""
import ssl
import threading

import pytest

from lib import dns
from lib.instance import PATIENCE_S
from test_send import World

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

STAGES = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "end", "QUIT")


@pytest.fixture(scope="module")
def world():
    w = World(timeout="4s", idle="1s")
    yield w
    w.close()


def pour(sock, what, pause=0.0):
    """Say it over and over, until the other side has gone."""
    over = threading.Event()
    while True:
        sock.sendall(what)
        over.wait(pause)


def is_gone(sock):
    """The other side ended the connection; what it still said is no matter."""
    sock.settimeout(PATIENCE_S)
    try:
        while sock.recv(65536):
            pass
    except (ConnectionError, ssl.SSLError):
        pass


def drip(sock):
    pour(sock, b"2", 0.2)


def drip_lines(sock):
    """No line is long, and no reply ends."""
    pour(sock, b"250-x\r\n", 0.2)


def lines_without_end(sock):
    pour(sock, b"250-" + b"x" * 500 + b"\r\n")


def no_line_end(sock):
    pour(sock, b"220-" + b"x" * 65536)


def bare_cr(sock):
    pour(sock, b"220 hello\r")


def silence(sock):
    is_gone(sock)


def nonsense(sock):
    sock.sendall(b"\x00\xff\x16\x03\x01\n\n\n\r\r\n")
    is_gone(sock)


def cut(sock):
    sock.close()


WAYS = (drip, drip_lines, lines_without_end, no_line_end, bare_cr, silence,
        nonsense, cut)


class Mean:
    """The first sessions at that stage are mean, the others as they should."""

    def __init__(self, stage, way):
        self.stage, self.way = stage, way
        self.times, self.ended = 1, threading.Semaphore(0)

    def do(self, sock):
        sock.settimeout(PATIENCE_S)
        try:
            self.way(sock)
        except (OSError, ssl.SSLError) as e:
            assert not isinstance(e, TimeoutError)
        self.ended.release()

    def __call__(self, receiver, session, stage, arg):
        if stage != self.stage or not self.times:
            return None
        self.times -= 1
        return self.do

    def wait(self):
        assert self.ended.acquire(timeout=PATIENCE_S), "it goes on and on"


@pytest.mark.parametrize("way", WAYS, ids=lambda w: w.__name__)
def test_it_ends_and_nothing_is_lost(world, way):
    sender = world.server.new_account()
    means = {}
    for stage in STAGES:
        mean = Mean(stage, way)
        name = f"{way.__name__}-{stage}".replace("_", "-").lower()
        means[stage] = mean, world.receiver(name, rule=mean)
        world.send(sender, f"x@{name}.example")
    for stage, (mean, receiver) in means.items():
        mean.wait()
        assert len(receiver.wait()) == 1, stage


def stall(sock):
    """TLS is offered, and then nothing comes of it."""
    sock.sendall(b"220 go on\r\n")
    is_gone(sock)


def stall_slowly(sock):
    """The beginning of a long record, a byte of it now and then."""
    sock.sendall(b"220 go on\r\n\x16\x03\x03\x3f\xff\x02\x00\x3f\xf0")
    pour(sock, b"\x03", 0.2)


@pytest.mark.parametrize("way", [stall, stall_slowly],
                         ids=lambda w: w.__name__)
def test_a_handshake_ends(world, way):
    mean = Mean("STARTTLS", way)
    name = way.__name__.replace("_", "-")
    r = world.receiver(name, rule=mean)
    r.capabilities.append("STARTTLS")
    world.send(world.server.new_account(), f"x@{name}.example")
    mean.wait()
    # Nobody asks for TLS there: it goes without.
    assert len(r.wait()) == 1

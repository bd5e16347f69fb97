# SPDX-License-Identifier: ISC
"""Our name in EHLO: each address that we come from has its own."""
import socket

import pytest

from lib import dns
from lib.receiver import Receiver
from test_send import World


def has_ipv6():
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
        try:
            s.bind(("::1", 0))
        except OSError:
            return False
    return True


pytestmark = [
    pytest.mark.skipif(not dns.is_there(),
                       reason="the name server knot is not installed"),
    pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")]


class Greeted:
    """Receivers for both families at the port of a world, and under which
    name each was greeted."""

    def __init__(self, world, refuses6=False):
        self.world, self.refuses6 = world, refuses6
        self.names4, self.names6 = [], []
        self.four = Receiver(self.rule, host=world.ip(), port=world.port)
        self.six = Receiver(self.rule, host="::1", port=world.port)
        world.receivers += [self.four, self.six]
        ip = f"127.0.1.{world.hosts}"
        world.add(f"h4 A {ip}", "h6 AAAA ::1", f"h46 A {ip}",
                  "h46 AAAA ::1", f"also A {ip}", "also AAAA ::1",
                  "four MX 1 h4", "six MX 1 h6", "both MX 1 h46",
                  "again MX 1 also", "next MX 1 h6", "next MX 2 h4")

    def rule(self, r, session, stage, arg):
        if stage == "EHLO":
            (self.names6 if r is self.six else self.names4).append(arg)
            if r is self.six and self.refuses6:
                return "421 4.3.2 not today"
        return None


@pytest.fixture
def make():
    worlds = []

    def make(**send):
        worlds.append(World(**send))
        return worlds[-1], worlds[-1].server.new_account()
    yield make
    for w in worlds:
        w.close()


def test_a_way_has_a_name_for_each_family(make):
    world, user = make()
    g = Greeted(world)
    world.server.cli("route", "add", "*", "direct", "source=127.0.0.3",
                     "source=::1", "helo=all.test.example",
                     "helo6=six.test.example")
    world.send(user, ["a@four.example", "a@six.example"])
    g.four.wait()
    g.six.wait()
    assert (g.names4, g.names6) == (["all.test.example"],
                                    ["six.test.example"])


def test_a_fall_back_between_families_greets_by_the_other_name(make):
    world, user = make()
    g = Greeted(world)
    world.server.cli("route", "add", "*", "direct", "source=127.0.0.3",
                     "source=::1", "helo4=four.test.example",
                     "helo6=six.test.example")
    world.send(user, ["a@both.example"])
    assert g.six.wait()[0].session.peer == "::1", "IPv6 comes first"
    assert (g.names4, g.names6) == ([], ["six.test.example"])
    # Nobody is there by IPv6: by IPv4, in the same attempt to connect.
    g.six.close()
    world.send(user, ["a@again.example"])
    assert g.four.wait()[0].session.peer == "127.0.0.3"
    assert g.names4 == ["four.test.example"]


def test_the_next_host_is_greeted_by_the_name_of_its_family(make):
    world, user = make(helo4="four.test.example", helo6="six.test.example")
    g = Greeted(world, refuses6=True)
    world.send(user, ["a@next.example"])
    g.four.wait()
    assert (g.names4, set(g.names6)) == (["four.test.example"],
                                         {"six.test.example"})


def test_addresses_of_the_configuration_have_names_too(make):
    world, user = make(helo6="six.test.example")
    g = Greeted(world)
    world.send(user, ["a@four.example", "a@six.example"])
    g.four.wait()
    g.six.wait()
    assert (g.names4, g.names6) == (["mail.test.example"],
                                    ["six.test.example"])

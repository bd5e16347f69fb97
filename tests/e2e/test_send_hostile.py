# SPDX-License-Identifier: ISC
"""What a user of ours could do to the mail of all others by way of role send."""
import imaplib
import json
import re

import pytest

from lib import dns
from lib.instance import PASSWORD, wait_for
from test_send import World

pytestmark = pytest.mark.skipif(
    not dns.is_there(), reason="the name server knot is not installed")

MIB = 1 << 20


@pytest.fixture
def world():
    w = World()
    yield w
    w.close()


def peak(server, role):
    """The most memory that a process of this role ever had."""
    with open(f"/proc/{server.pids(role)[0]}/status") as f:
        return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1))


def count(account):
    with imaplib.IMAP4_SSL("127.0.0.1", account.server.ports["imaps"],
                           ssl_context=account.server.tls()) as c:
        c.login(account.login, PASSWORD)
        return int(c.select("INBOX", readonly=True)[1][0])


def test_a_large_message_to_many_dead_domains(world):
    """Each of them means a report with all of the message in it."""
    sender = world.server.new_account()
    names = [f"dead{i}" for i in range(40)]
    world.add(*(f"{n} MX 0 ." for n in names))
    before = peak(world.server, "send")
    world.send(sender, [f"x@{n}.example" for n in names],
               (b"y" * 76 + b"\r\n") * (6 * MIB // 78), ["RET=FULL"])
    wait_for(lambda: count(sender) == len(names), 120, "not all reports")
    assert peak(world.server, "send") - before < 150 * MIB


def quoting(receiver, session, stage, arg):
    """A server that repeats the recipient, as most do."""
    if stage == "RCPT" and "bob" not in arg:
        return (f"550 5.1.1 <{arg}>: Recipient address rejected: User "
                "unknown in local recipient table")
    return None


@pytest.mark.parametrize("local", ["spamhaus.org/query/ip", '"(rly:b"'])
def test_nobody_puts_words_into_a_servers_mouth(world, local):
    r = world.receiver("there", rule=quoting)
    sender = world.server.new_account()
    world.send(sender, f"{local}@there.example")
    wait_for(lambda: count(sender) == 1, 10, "no report to the sender")
    world.send(sender, "bob@there.example")
    wait_for(lambda: r.messages, 10, "others' mail waits")
    said = world.server.cli("route", "status", "--json")
    assert json.loads(said)["refused"] == []

# SPDX-License-Identifier: ISC
"""mailstead trace: how messages came, whose mailboxes they went into, and what
became of those for others, however they came in."""
import json
import os
import re
import signal
import smtplib
import threading

import pytest

from lib.imap import read_all
from lib.instance import Instance, wait_for
from lib.receiver import Receiver


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def trace(server, what):
    return js(server, "trace", str(what))["trace"]


def brief(rows):
    return [(r["event"], r["recipient"], r["mailbox"]) for r in rows]


def arrive(server, sender, *to, body="Subject: t\r\n\r\nhello\r\n"):
    """From another server; the message's id."""
    with smtplib.SMTP("127.0.0.1", server.ports["mx"], timeout=60) as c:
        c.ehlo("client.far.example")
        c.starttls(context=server.tls())
        c.ehlo("client.far.example")
        assert c.mail(sender)[0] == 250
        for address in to:
            assert c.rcpt(str(address))[0] == 250
        code, text = c.data(f"From: <{sender or 'x@far.example'}>\r\n{body}")
        assert code == 250, text
        return re.search(rb"id (\w+)", text).group(1).decode()


# --- mail that comes in ----------------------------------------------------------

def test_mail_from_elsewhere_is_told(server, account):
    sender = f"bob-{account}".replace("@", ".") + "@far.example"
    mid = arrive(server, sender, account)
    rows = trace(server, mid)
    assert brief(rows) == [("received", "", ""),
                           ("delivered", str(account), "INBOX")]
    came, there = rows
    assert (came["service"], came["client"], came["ip"], came["account"]) == (
        "mx", "client.far.example", "127.0.0.1", "")
    assert came["tls"].startswith("TLSv1.") and came["sender"] == sender
    assert there["account"] == str(account) and there["id"] == mid
    local, _, domain = sender.rpartition("@")
    for what in (sender, sender.upper(), account, f'"{local}"@{domain}'):
        assert trace(server, what) == rows
    text = server.cli("trace", mid)
    assert f"{mid} from <{sender}>" in text
    assert "received by mx from client.far.example [127.0.0.1], TLSv1." in text
    assert f"delivered {account} into INBOX\n" in text
    assert "queued" not in text


def test_an_alias_is_told_by_both_names(server, account):
    alias = str(account).replace("@", "-sales@")
    server.cli("alias", "add", alias, str(account))
    mid = arrive(server, "", alias)
    rows = trace(server, alias)
    assert brief(rows)[1] == ("delivered", alias, "INBOX")
    assert rows[1]["account"] == str(account) and rows[0]["sender"] == ""
    assert trace(server, account) == rows
    assert f"delivered {alias} into INBOX of {account}\n" in \
        server.cli("trace", mid)


def test_each_name_of_a_mailbox_is_told(server, account):
    names = [str(account).replace("@", end + "@") for end in ("", "+a", "+b")]
    mid = arrive(server, "names@far.example", *names)
    for name in names:
        assert ("delivered", name, "INBOX") in brief(trace(server, name))
    assert [r["account"] for r in trace(server, mid)[1:]] == [str(account)] * 3


def test_lmtp_is_told(server, account):
    account.deliver(b"From: <a@far.example>\r\n\r\nx\r\n",
                    sender="lmtp@far.example")
    rows = trace(server, account)
    assert rows[0]["service"] == "lmtp" and rows[0]["tls"] == ""
    assert brief(rows)[1:] == [("delivered", str(account), "INBOX")]


def test_what_was_refused_leaves_nothing(server, account):
    with smtplib.SMTP("127.0.0.1", server.ports["mx"], timeout=60) as c:
        c.ehlo("client.far.example")
        c.mail("refused@far.example")
        assert c.rcpt(f"nobody-{account}")[0] == 550
        assert c.rcpt(str(account))[0] == 250
        assert c.data(b"From: <a@b.c>\r\n\r\nbare\nend\r\n")[0] >= 250
    assert trace(server, f"nobody-{account}") == []
    assert "nothing is known of no-such-id" in server.cli(
        "trace", "no-such-id")


# --- mail that goes out -----------------------------------------------------------

def refuse_some(receiver, session, stage, argument):
    if stage == "RCPT" and "nobody" in argument:
        return "550 5.1.1 nobody of that name"
    return None


@pytest.fixture(scope="module")
def world():
    far = Receiver(rule=refuse_some)
    server = Instance({"send": {
        "routes": [f"* 127.0.0.1:{far.port} tls=never"]}})
    server.start()
    server.add_domain()
    yield server
    server.stop()
    server.remove()
    far.close()


def submit(account, *to):
    with smtplib.SMTP_SSL("127.0.0.1", account.server.ports["submissions"],
                          context=account.server.tls(), timeout=60) as c:
        c.login(str(account), account.password)
        assert c.mail(str(account))[0] == 250
        for address in to:
            assert c.rcpt(str(address))[0] == 250
        code, text = c.data(f"From: <{account}>\r\nSubject: t\r\n\r\nx\r\n")
        assert code == 250, text
        return re.search(rb"id (\w+)", text).group(1).decode()


def test_one_message_for_here_and_elsewhere_is_one_life(world):
    sender, friend = world.new_account(), world.new_account()
    mid = submit(sender, friend, "bob@far.example", "nobody@far.example")
    rows = wait_for(lambda: (lambda got: "in-queue" not in [
        r["event"] for r in got] and got)(trace(world, mid)))
    assert brief(rows)[:3] == [
        ("received", "", ""), ("delivered", str(friend), "INBOX"),
        ("queued", "", "")]
    assert rows[0]["service"] == "submissions"
    assert rows[0]["account"] == str(sender)
    assert {(r["event"], r["recipient"], r["reply"][:3]) for r in rows[3:]} == {
        ("delivered", "bob@far.example", "250"),
        ("failed", "nobody@far.example", "550")}
    assert f"signed in as {sender}" in world.cli("trace", mid)
    # Who was one of them sees nothing of the others.
    assert brief(trace(world, friend))[1:] == [
        ("delivered", str(friend), "INBOX"), ("queued", "", "")]
    # The report is mail as well: it says who wrote it.
    report = wait_for(lambda: [r for r in trace(world, sender)
                               if r["event"] == "received"
                               and r["sender"] == ""])
    assert [r["service"] for r in report] == ["send"]
    assert report[0]["about"] == mid and rows[0]["about"] == ""
    assert f"written here by send about message {mid}\n" in world.cli(
        "trace", report[0]["id"])
    assert brief(trace(world, report[0]["id"]))[1:] == [
        ("delivered", str(sender), "INBOX")]


def test_what_an_alias_forwards_is_told_by_its_names(world):
    alias = str(world.new_account()).replace("@", "-far@")
    world.cli("alias", "add", alias, "joe@far.example")
    sender = alias.replace("@", ".") + "@sender.example"
    mid = arrive(world, sender, alias)
    for what in (mid, sender, alias, "joe@far.example"):
        rows = wait_for(lambda w=what: [r for r in trace(world, w)
                                        if r["id"] == mid])
        assert brief(rows)[:3] == [
            ("received", "", ""), ("forwarded", alias, ""), ("queued", "", "")]
        assert rows[1]["account"] == "joe@far.example"
        assert {r["sender"] for r in rows} == {sender}
    assert f"forwarded {alias} to joe@far.example" in world.cli("trace", mid)


# --- crashes ------------------------------------------------------------------------

def test_what_was_accepted_is_told_once_whenever_the_store_dies(make_server):
    server = make_server()
    account = server.new_account()
    stop, accepted = threading.Event(), []

    def keep_sending():
        while not stop.is_set():
            try:
                accepted.append(arrive(server, "bob@far.example", account))
            except (OSError, AssertionError, smtplib.SMTPException):
                pass
    senders = [threading.Thread(target=keep_sending) for _ in range(3)]
    for s in senders:
        s.start()
    try:
        for _ in range(4):
            n = len(accepted)
            wait_for(lambda: len(accepted) > n + 5)
            os.kill(server.pids("store")[0], signal.SIGKILL)
        n = len(accepted)
        wait_for(lambda: len(accepted) > n)
    finally:
        stop.set()
        for s in senders:
            s.join()
    rows = trace(server, account)
    for event in ("received", "delivered"):
        ids = [r["id"] for r in rows if r["event"] == event]
        assert len(ids) == len(set(ids)) and set(accepted) <= set(ids)
    assert len(read_all(account)) == len(rows) // 2

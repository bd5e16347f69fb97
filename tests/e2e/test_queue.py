# SPDX-License-Identifier: ISC
"""What goes to other servers, as the operator sees it: how it comes into the
queue, and what the command line does with it. Without send.direct nothing
leaves: role send holds what it finds, so that entries wait in their place."""
import json
import re
import shutil
import smtplib
import subprocess

import pytest

from lib.instance import wait_for

OK, REFUSED, USAGE = 0, 1, 2
ROW = {"id", "state", "attempts", "next", "sender", "recipient", "reply",
       "returning", "account", "size", "priority", "arrived", "tried", "mx",
       "route"}
EVENT = {"id", "sender", "recipient", "time", "event", "reply", "mx", "ip",
         "source_ip", "tls", "route", "next", "service", "client", "account",
         "mailbox", "results", "about"}


def js(server, *args):
    return json.loads(server.cli(*args, "--json"))


def queue(server, *args):
    return js(server, "queue", "list", *args)["queue"]


def recipients(server, *args):
    return sorted(r["recipient"] for r in queue(server, *args))


def submit(account, *to, body="hello"):
    """Over submissions; the message's id."""
    with smtplib.SMTP_SSL("127.0.0.1", account.server.ports["submissions"],
                          context=account.server.tls(), timeout=60) as c:
        c.login(str(account), account.password)
        assert c.mail(str(account))[0] == 250
        for address in to:
            assert c.rcpt(address)[0] == 250, address
        code, text = c.data(f"From: <{account}>\r\nTo: <{to[0]}>\r\n"
                            f"Subject: t\r\n\r\n{body}\r\n")
        assert code == 250, text
        return re.search(rb"id (\w+)", text).group(1).decode()


def hold(server, *selector):
    """Held, by us or by send: it finds no way. What send looks at just now it
    holds in its own time."""
    server.cli("queue", "hold", *selector, check=False)
    wait_for(lambda: {r["state"] for r in queue(server, *selector)} == {"held"},
             what="it is not held")


def events(server, what):
    return [e["event"] for e in js(server, "trace", what)["trace"]]


@pytest.fixture(scope="module")
def held(server):
    """The shared server, emptied: other tests may have left something."""
    server.cli("queue", "cancel", "--all")
    return server


def test_who_signed_in_writes_to_other_servers(held, account):
    mid = submit(account, "Some.One@Elsewhere.example", "x@other.example",
                 str(account))
    hold(held, mid)
    rows = queue(held, mid)
    assert all(set(r) == ROW for r in rows)
    assert [r["recipient"] for r in rows] == [
        "Some.One@elsewhere.example", "x@other.example"]
    assert {r["sender"] for r in rows} == {str(account)}
    assert rows[0]["size"] > 50 and rows[0]["account"] > 0
    assert rows[0]["attempts"] == 0 and rows[0]["returning"] is False
    # The local copy is there as well.
    user = [u for u in js(held, "user", "list")["users"]
            if u["address"] == str(account)]
    assert user[0]["messages"] == 1
    table = held.cli("queue", "list", mid).splitlines()
    assert table[0].split()[:4] == ["ID", "STATE", "TRIES", "NEXT"]
    assert len(table) == 3 and table[1].startswith(mid)
    # What is held is not retried, and that is said.
    assert "2 recipients are held" in held.cli("queue", "retry", "--all")
    assert "hold: 0 recipients\n2 recipients are held already" in held.cli(
        "queue", "hold", "--all")
    done = held.cli("queue", "retry", mid, check=False)
    assert done.returncode == 1 and "queue release" in done.stderr


def test_with_swaks(held, account):
    if not shutil.which("swaks"):
        pytest.skip("swaks is not installed")
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port",
         str(held.ports["submissions"]), "--tls-on-connect",
         "--auth", "PLAIN", "--auth-user", str(account), "--auth-password",
         account.password, "--from", str(account), "--to",
         "swaks@elsewhere.example", "--header", f"From: {account}"],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    assert recipients(held, "--sender", account) == [
        "swaks@elsewhere.example"]


def test_a_list_by_each_selector(held, account):
    mid = submit(account, "a@sel-one.example", "b@sel-two.example")
    assert recipients(held, "--domain", "Sel-One.example") == [
        "a@sel-one.example"]
    assert recipients(held, "--recipient", "B@sel-two.example") == [
        "b@sel-two.example"]
    assert recipients(held, "--sender", account, "--domain",
                      "sel-two.example") == ["b@sel-two.example"]
    assert recipients(held, mid) == ["a@sel-one.example",
                                     "b@sel-two.example"]
    assert recipients(held, "--mx", "mx.nowhere.example") == []
    assert recipients(held, "--sender", "<>") == []
    hold(held, mid)
    assert len(queue(held, "--state", "held", "--sender", account)) == 2


def test_hold_release_and_cancel(held, account):
    mid = submit(account, "x@hold.example", "y@hold.example")
    hold(held, "--domain", "hold.example")
    assert js(held, "queue", "release", "--domain", "hold.example")[
        "changed"] == 2
    hold(held, mid)  # send has looked at them again
    assert js(held, "queue", "cancel", "--recipient", "x@hold.example")[
        "changed"] == 1
    assert recipients(held, mid) == ["y@hold.example"]
    done = held.cli("queue", "cancel", mid)
    assert done.splitlines()[0] == "cancel: 1 recipient"
    again = held.cli("queue", "cancel", mid, check=False)
    assert again.returncode == REFUSED and "nothing to cancel" in again.stderr
    what = events(held, mid)
    assert what[:2] == ["received", "queued"]
    assert what.count("cancelled-by-operator") == 2
    assert what.count("released-by-operator") == 2


def test_a_route_is_kept_with_the_entry(held, account):
    mid = submit(account, "x@route.example")
    hold(held, mid)
    way = "relay.example:587 tls=must"
    assert js(held, "queue", "reroute", mid, way)["changed"] == 1
    assert queue(held, mid)[0]["route"] == way
    held.cli("queue", "reroute", "--domain", "route.example", "-")
    assert queue(held, mid)[0]["route"] == ""


def test_show_and_trace(held, account):
    mid = submit(account, "x@trace.example", "y@trace.example")
    hold(held, mid)
    text = held.cli("queue", "show", mid)
    assert "x@trace.example" in text and f"from <{account}>" in text
    rows = js(held, "trace", "X@Trace.example")["trace"]
    assert all(set(r) == EVENT for r in rows)
    assert [r["event"] for r in rows[:2]] == ["received", "queued"]
    assert rows[-1]["event"] == "in-queue"
    assert {r["recipient"] for r in rows} == {"", "x@trace.example"}
    assert {r["id"] for r in js(held, "trace", account)["trace"]} == {mid}
    assert "nothing is known" in held.cli("trace", "nobody@no.example")
    missing = held.cli("queue", "show", "nosuchid", check=False)
    assert missing.returncode == REFUSED
    missing = held.cli("queue", "show", "nosuchid", "--json", check=False)
    assert json.loads(missing.stdout)["error"]["reason"] == "refused"
    assert queue(held, mid)[0]["priority"] == 0


@pytest.mark.parametrize("way", [
    "relay", "relay:25 tls=maybe", "relay:25 user=me", "fallback direct"])
def test_a_way_that_is_none_changes_nothing(held, account, way):
    mid = submit(account, "x@noway.example")
    r = held.cli("queue", "reroute", mid, way, check=False)
    assert r.returncode == USAGE and "is no way" in r.stderr
    assert queue(held, mid)[0]["route"] != way
    held.cli("queue", "cancel", mid)


@pytest.mark.parametrize("args", [
    ["retry"], ["cancel"], ["reroute", "--all"], ["list", "a@b.example"],
    ["show"], ["list", "--state", "odd"], ["retry", "--bounce", "--all"],
    ["frobnicate"], ["list", "--domain", "not a domain"], []])
def test_what_is_no_command(held, args):
    assert held.cli("queue", *args, check=False).returncode == USAGE


def test_an_alias_leads_to_another_server(held):
    held.cli("alias", "add", f"away@{held.domain}", "Far.Away@Forward.example")
    with smtplib.SMTP("127.0.0.1", held.ports["mx"], timeout=60) as c:
        c.sendmail("someone@sender.example", [f"away@{held.domain}"],
                   "Subject: t\r\n\r\nx\r\n")
        # But nobody relays through us.
        assert c.mail("someone@sender.example")[0] == 250
        assert c.rcpt("x@forward.example")[0] == 550
    rows = queue(held, "--domain", "forward.example")
    assert [r["recipient"] for r in rows] == ["Far.Away@forward.example"]
    # Under a sender of ours, so that SPF holds (SRS).
    assert re.fullmatch(r"SRS0=\w+=\w+=sender\.example=someone@"
                        + re.escape(held.domain), rows[0]["sender"])
    assert rows[0]["account"] == 0


def test_too_much_of_one_account_waits(make_server):
    s = make_server({"queue": {"account_entries": 3}})
    a, b = s.new_account(), s.new_account()
    submit(a, "1@x.example", "2@x.example")
    with pytest.raises(AssertionError, match="452"):
        code_of_refusal(a, "3@x.example", "4@x.example")
    submit(b, "3@x.example", "4@x.example")
    submit(a, "3@x.example")
    hold(s, "--sender", a)
    s.cli("queue", "cancel", "--sender", a)
    submit(a, "4@x.example")


def code_of_refusal(account, *to):
    """Raises with the reply to DATA."""
    with smtplib.SMTP_SSL("127.0.0.1", account.server.ports["submissions"],
                          context=account.server.tls(), timeout=60) as c:
        c.login(str(account), account.password)
        c.mail(str(account))
        for address in to:
            c.rcpt(address)
        code, text = c.data(f"From: <{account}>\r\n\r\nx\r\n")
        assert code == 250, f"{code} {text}"


def test_the_queue_outlives_everything(fresh_server):
    s = fresh_server
    a = s.new_account()
    mids = [submit(a, f"{i}@one.example", f"{i}@two.example")
            for i in range(20)]
    s.kill("store")
    assert len(queue(s)) == 40
    assert sorted({r["id"] for r in queue(s)}) == sorted(mids)
    s.kill_all()
    s.start()
    assert len(queue(s)) == 40
    assert "40 recipients in the queue: clean" in s.cli("check")
    hold(s)
    s.cli("queue", "cancel", "--domain", "one.example")
    s.stop()
    assert "20 recipients in the queue: clean" in s.cli("check")
    s.start()


def test_metrics_tell_how_much_waits(fresh_server):
    a = fresh_server.new_account()
    submit(a, "x@one.example", "y@one.example")

    def value(name):
        return int(re.search(rf'^mailstead_{name}{{role="store".*}} (\d+)',
                             fresh_server.cli("metrics"), re.M).group(1))
    wait_for(lambda: [value(f"queue_{x}") for x in (
        "added_total", "entries", "domains")] == [2, 2, 1], what="the gauges")


def test_a_long_queue_is_listed_and_changed_in_portions(fresh_server):
    s = fresh_server
    a = s.new_account()
    for part in range(5):
        submit(a, *[f"u{part}.{i}@long.example" for i in range(500)])
    hold(s)
    assert len(queue(s)) == 2500
    assert len(queue(s, "--domain", "long.example")) == 2500
    assert len(queue(s, "--sender", a)) == 2500
    assert js(s, "queue", "cancel", "--all")["changed"] == 2500
    assert queue(s) == []
    assert "clean" in s.cli("check")

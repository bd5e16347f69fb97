# SPDX-License-Identifier: ISC
"""What does not answer, and nobody has written about, gets a post by itself:
one, whatever dies in between, until somebody takes it over."""
import json
import signal

import pytest

from lib.instance import wait_for
from lib.port import Port


@pytest.fixture
def gate():
    port = Port()
    yield port
    port.close()


@pytest.fixture
def box(make_server, gate):
    box = make_server({"site": {"post_after": "2s", "language": "fr"},
                       "watch": {"confirm": "1s"}})
    box.cli("system", "add", "Gate", "other")
    box.cli("check", "add", "gate/t", "tcp", f"127.0.0.1:{gate.number}",
            "every=2s")
    wait_for(lambda: states(box) == {"up"}, 30, "up")
    return box


def states(server):
    return {c["status"] for c in json.loads(
        server.cli("watch", "status", "--json"))["checks"]}


def posts(server):
    return [shown(server, p["number"]) for p in json.loads(
        server.cli("post", "list", "--json"))["posts"]]


def shown(server, number):
    return json.loads(server.cli("post", "show", str(number), "--json"))


def test_one_post_from_the_beginning_to_the_end(box, gate):
    gate.close()
    post = wait_for(lambda: posts(box), 30, "a post")[0]
    assert post["title"] == "Gate ne répond pas"
    assert post["state"] == "investigating"
    assert "Gate" in post["body"] and "UTC" in post["body"]
    for role in ("watch", "store"):
        box.kill(role, signal.SIGKILL)
    wait_for(lambda: any(s.startswith("down") for s in states(box)), 30,
             "down for the new one, too")
    gate.open()
    wait_for(lambda: posts(box)[0]["state"] == "resolved", 60, "resolved")
    post, = posts(box)
    assert [u["state"] for u in post["updates"]] == ["monitoring", "resolved"]
    log = box.cli("audit", "list")
    assert log.count("post.new") == 1 and log.count("post.resolve") == 1
    assert "monitoring" in log


def test_what_somebody_writes_about_is_theirs(box, gate):
    gate.close()
    number = wait_for(lambda: posts(box), 30, "a post")[0]["number"]
    box.cli("post", "update", str(number), "--text", "It is the disk.",
            "--state", "identified", "--affects", "gate=partial")
    gate.open()
    wait_for(lambda: states(box) == {"up"}, 30, "up")
    box.kill("watch", signal.SIGKILL)
    gate.close()
    wait_for(lambda: any(s.startswith("down") for s in states(box)), 60,
             "down once more")
    box.cli("post", "resolve", str(number), "--text", "The new disk is in.")
    # Whoever says resolved is believed, for this outage.
    gate.open()
    wait_for(lambda: states(box) == {"up"}, 30, "up")
    post, = posts(box)
    assert [u["state"] for u in post["updates"]] == ["identified", "resolved"]
    gate.close()
    wait_for(lambda: len(posts(box)) == 2, 30, "another outage, another post")


def test_it_does_not_lose_sight_of_its_own(box, gate):
    """However many others have been written about these days."""
    for i in range(12):
        box.cli("post", "new", "incident", f"Old {i}", "--affects", "gate=down",
                "--quiet", "--text", "x")
        box.cli("post", "resolve", str(i + 1), "--text", "y", "--quiet")
    gate.close()
    wait_for(lambda: len(posts(box)) == 13, 30, "one more")
    gate.open()
    wait_for(lambda: all(p["state"] == "resolved" for p in posts(box)), 60,
             "resolved")
    assert len(posts(box)) == 13


def test_a_reload_switches_it_on(make_server, gate):
    """While two are down; about one of them somebody has written already."""
    box = make_server({"watch": {"confirm": "1s"}})
    other = Port()
    try:
        for name, port in (("gate", gate), ("other", other)):
            box.cli("system", "add", name, "other")
            box.cli("check", "add", f"{name}/t", "tcp",
                    f"127.0.0.1:{port.number}", "every=2s")
        wait_for(lambda: states(box) == {"up"}, 30, "up")
    finally:
        other.close()
    box.cli("post", "new", "incident", "Our own words", "--text", "x",
            "--affects", "other=down")
    gate.close()
    wait_for(lambda: states(box) == {"down"}, 60, "both are down")
    box.configure({"site": {"post_after": "2s"}})
    box.cli("reload")
    wait_for(lambda: len(posts(box)) == 2, 30, "a post")
    assert {p["title"] for p in posts(box)} == {
        "Our own words", "gate does not answer"}


def test_a_certificate_that_is_not_trusted_is_no_silence(box):
    """Ours is our own: it answers, and is not accepted."""
    box.cli("check", "add", "gate/tls", "tls",
            f"127.0.0.1:{box.ports['imaps']}", "name=mail.test.example",
            "every=2s")
    post = wait_for(lambda: posts(box), 30, "a post")[0]
    assert post["title"] == "Le certificat de Gate n'est pas accepté"
    assert "`Gate` : son certificat n'est pas accepté, depuis" in post[
        "body"].replace("\xa0", " ")

# SPDX-License-Identifier: ISC
"""Posts, subscribers, keys of the API and the log of changes, by command and by
the HTTP API."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from lib.instance import BINARY
from test_demo import free_base

OK, REFUSED, USAGE = 0, 1, 2
MISSION = sorted((pathlib.Path(__file__).resolve().parents[3] / "shared" /
                  "mission").glob("*.txt"))


@pytest.fixture(autouse=True, scope="module")
def systems(server):
    for name in ("AB12", "ab13"):
        server.cli("system", "add", name, "mail")
    yield
    for name in ("AB12", "ab13"):
        server.cli("system", "remove", name)


def js(server, *args, **more):
    return json.loads(server.cli(*args, "--json", **more))


def post(server, *args, text="Text.\n"):
    """A new post; its number."""
    return js(server, "post", "new", *args, input=text)["added"]


def show(server, number):
    return js(server, "post", "show", str(number))


def audit(server, what, obj):
    return [(line["what"], line["object"]) for line in
            js(server, "audit", "list", "--what", what)["lines"]
            if line["object"] == str(obj)]


# --- commands -------------------------------------------------------------------


def test_what_is_affected_no_more_stays_named(server):
    n = post(server, "incident", "It was slow", "--affects",
             "AB12=degraded,ab13", text="x")
    server.cli("post", "update", str(n), "--state", "monitoring",
               "--affects", "none", "--text", "It is back; we watch it.")
    assert show(server, n)["affected"] == [
        {"system": "AB12", "impact": "none"},
        {"system": "ab13", "impact": "none"}]
    server.cli("post", "delete", str(n))


def test_the_life_of_an_incident(server):
    n = post(server, "incident", "AB12: no mail over one network",
             "--affects", "ab12=down,ab13=partial", "--tags", "mail,isp",
             "--next-update", "+30m", text="We *see* it.\r\n\r\n")
    p = show(server, n)
    assert (p["state"], p["body"]) == ("investigating", "We *see* it.")
    assert p["slug"].endswith("-ab12-no-mail-over-one-network")
    assert p["next_update"] > p["created"]
    assert p["affected"] == [{"system": "AB12", "impact": "down"},
                             {"system": "ab13", "impact": "partial"}]
    assert js(server, "post", "update", str(n), "--state", "identified",
              "--affects", "AB12=degraded", "--text", "A cable.") == {
                  "added": 1}
    server.cli("post", "resolve", str(n), "--text", "It works.")
    again = server.cli("post", "resolve", str(n), check=False, input="")
    assert again.returncode == REFUSED
    assert f"post {n} is resolved already" in again.stderr
    past = server.cli("post", "new", "maintenance", "x", "--from",
                      "2026-01-01 10:00Z", "--to", "2026-01-01 11:00Z",
                      "--text", "x", check=False)
    assert past.returncode == 2 and "is over" in past.stderr
    nothing = server.cli("post", "update", str(n), "--text", "", check=False)
    assert nothing.returncode == 2 and "says nothing" in nothing.stderr
    unknown = server.cli("post", "new", "incident", "x", "--affects", "nc777",
                         "--text", "x", check=False)
    assert unknown.returncode == 1 and "does not exist" in unknown.stderr
    p = show(server, n)
    assert (p["state"], p["next_update"]) == ("resolved", None)
    assert p["resolved"] and p["affected"] == [
        {"system": "AB12", "impact": "none"}]
    assert [(u["number"], u["state"], u["body"]) for u in p["updates"]] == [
        (1, "identified", "A cable."), (2, "resolved", "It works.")]
    for words in (("resolve", str(n), "--state", "monitoring"),
                  ("edit", str(n), "--state", "resolved"),
                  ("edit", str(n), "--quiet"), ("show", str(n), "--draft"),
                  ("edit", f"{n}/1", "--title", "Of an update")):
        refused = server.cli("post", *words, "--text", "q", check=False)
        assert refused.returncode == 2, words
        assert f"usage: mailstead post {words[0]}" in refused.stderr
    for more, said in ((["--text", ""], "--text or --file: expected"),
                       (["--text", "q", "--next-update", "30m"], "is over")):
        refused = server.cli("post", "update", str(n), *more, check=False)
        assert refused.returncode == 2 and said in refused.stderr
    server.cli("post", "edit", f"{n}/1", "--text", "A *cut* cable.")
    server.cli("post", "edit", str(n), "--title", "No mail", "--tags", "mail")
    p = show(server, n)
    assert (p["title"], p["tags"]) == ("No mail", ["mail"])
    assert p["updates"][0]["body"] == "A *cut* cable." and p["edited"]
    assert p["slug"].endswith("-ab12-no-mail-over-one-network")
    server.cli("post", "delete", f"{n}/1")
    assert [u["number"] for u in show(server, n)["updates"]] == [2]
    server.cli("post", "delete", str(n))
    assert server.cli("post", "show", str(n),
                      check=False).returncode == REFUSED
    # A number is never given again, and all of it was written down.
    assert post(server, "notice", "Something else") == n + 1
    for what in ("post.new", "post.update", "post.resolve", "post.edit",
                 "post.delete"):
        assert audit(server, what, n), what
    assert audit(server, "post.edit", f"{n}/1")
    server.cli("post", "delete", str(n + 1))


def test_slugs_of_one_day_differ(server):
    numbers = [post(server, "notice", "The same title") for _ in range(3)]
    slugs = [show(server, n)["slug"] for n in numbers]
    assert len(set(slugs)) == 3 and slugs[2] == slugs[0] + "-3"
    for n in numbers:
        server.cli("post", "delete", str(n))


def test_what_is_no_post_is_refused(server):
    for args in (("new", "rumour", "x"), ("new", "incident", ""),
                 ("new", "incident", "x", "--state", "done"),
                 ("new", "maintenance", "x"),
                 ("new", "notice", "x", "--affects", "AB12=broken"),
                 ("new", "notice", "two\nlines"),
                 ("new", "notice", "x", "--next-update", "soon"),
                 ("update", "x"), ("update", "1/2"), ("list", "x"),
                 ("show",), ("fly",)):
        done = server.cli("post", *args, check=False, input="")
        assert done.returncode == USAGE, (args, done)
    assert server.cli("post", "new", "notice", "x", check=False,
                      input="a\x1b[2Jb").returncode == USAGE
    assert server.cli("post", "new", "notice", "x", check=False,
                      input="a" * 32769).returncode == USAGE
    for empty in ("", " \n\n"):  # such as </dev/null
        done = server.cli("post", "new", "notice", "x", check=False,
                          input=empty)
        assert done.returncode == USAGE and "--text" in done.stderr
    assert server.cli("post", "new", "notice", "x", "--text", "",
                      check=False).returncode == USAGE
    n = post(server, "notice", "x")
    for kind, state, named in (("incident", "done", "investigating,"),
                               ("maintenance", "x", "planned, in-progress")):
        done = server.cli("post", "new", kind, "x", "--text", "x", "--state",
                          state, check=False)
        assert done.returncode == USAGE and named in done.stderr
    done = server.cli("post", "update", str(n), "--text", "x", "--state",
                      "identified", check=False)
    assert done.returncode == USAGE and "a notice" in done.stderr
    server.cli("post", "delete", str(n))
    for args in (("update", "9999", "--text", "x"), ("delete", "9999"),
                 ("new", "post-mortem", "x", "--incident", "9999",
                  "--text", "x")):
        assert server.cli("post", *args,
                          check=False).returncode == REFUSED, args


def test_drafts_and_lists(server):
    a = post(server, "maintenance", "New disks", "--from", "2030-01-01 10:00Z",
             "--to", "2030-01-01 12:00Z", "--draft", "--affects", "AB12")
    b = post(server, "notice", "Holidays", "--tags", "office")
    p = show(server, a)
    assert (p["published"], p["state"]) == (None, "planned")
    assert (p["from"], p["to"]) == ("2030-01-01T10:00:00Z",
                                    "2030-01-01T12:00:00Z")
    assert p["affected"][0]["impact"] == "maintenance"
    server.cli("post", "edit", str(a), "--publish", "now")
    assert show(server, a)["published"]

    def numbers(*args):
        return [x["number"] for x in js(server, "post", "list", *args)["posts"]]
    assert set(numbers()) >= {a, b}
    assert a in numbers("--open") and b not in numbers("--open")
    assert numbers("--tag", "Office") == [b]
    assert a in numbers("--kind", "maintenance")
    assert b not in numbers("--kind", "maintenance")
    assert len(numbers("--limit", "1")) == 1
    assert "New disks" in server.cli("post", "list")
    for n in (a, b):
        server.cli("post", "delete", str(n))


def edit_on_a_terminal(server, number, editor):
    ours, theirs = os.openpty()
    try:
        return subprocess.run(
            [BINARY, "-c", server.conf, "post", "edit", str(number)],
            stdin=theirs, capture_output=True, text=True, timeout=60,
            check=False, env={**os.environ, "VISUAL": editor})
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_text_comes_from_a_file_or_an_editor(server, tmp_path):
    (tmp_path / "t.md").write_text("From a file.\n")
    n = post(server, "notice", "T", "--file", str(tmp_path / "t.md"))
    assert show(server, n)["body"] == "From a file."
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i s/file/editor/ \"$2\"\n"
                      "test \"$1\" = --wait\n")
    editor.chmod(0o755)
    assert edit_on_a_terminal(server, n, f"{editor} --wait").returncode == OK
    assert show(server, n)["body"] == "From a editor."
    failed = edit_on_a_terminal(server, n, "false")
    assert failed.returncode == REFUSED and "EDITOR" in failed.stderr
    # What is no terminal is read, as by new and update.
    with server.environment(VISUAL="false"):
        server.cli("post", "edit", str(n), input="From a pipe.\n")
        assert show(server, n)["body"] == "From a pipe."
        for args, empty in ((("--text", ""), None), ((), ""), ((), "\n")):
            done = server.cli("post", "edit", str(n), *args, check=False,
                              input=empty)
            assert done.returncode == USAGE and "--text" in done.stderr
        server.cli("post", "edit", str(n), "--title", "Other", input="No.\n")
    assert show(server, n)["body"] == "From a pipe."
    server.cli("post", "delete", str(n))


PAGE = """Example Networks

AB12: Disks, part 2

7 June 2018 09:12:19 +0000

All is *well* with the mail server.

AB12: Disks

6 June 2018 11:00:00 +0200

Down.

Tags:

disks mail mail server
"""


def test_an_archive_is_imported_once(server, tmp_path):
    (tmp_path / "page").write_text(PAGE)
    page = str(tmp_path / "page")
    assert js(server, "post", "import", page, "--dry-run") == {
        "found": 2, "added": 2}
    assert js(server, "post", "import", page) == {"found": 2, "added": 2}
    assert js(server, "post", "import", page) == {"found": 2, "added": 0}
    found = {p["title"]: show(server, p["number"])
             for p in js(server, "post", "list")["posts"]
             if p["title"].startswith("AB12: Disks")}
    old, new = found["AB12: Disks"], found["AB12: Disks, part 2"]
    assert old["number"] < new["number"]
    assert old["published"] == "2018-06-06T09:00:00Z"
    assert new["slug"] == "2018-06-07-ab12-disks-part-2"
    assert new["imported"] and new["kind"] == "notice"
    assert new["body"] == "All is \\*well\\* with the mail server.\n"
    assert set(new["tags"]) == {"disks", "mail", "mail server"}
    assert new["affected"] == [{"system": "AB12", "impact": "none"}]
    (tmp_path / "none").write_text("no posts here\n")
    assert server.cli("post", "import", str(tmp_path / "none"),
                      check=False).returncode == REFUSED
    for p in found.values():
        server.cli("post", "delete", str(p["number"]))


@pytest.mark.skipif(not MISSION, reason="the page of ../shared/mission is not "
                    "on this machine")
def test_the_page_that_all_came_from_is_imported(server):
    done = js(server, "post", "import", str(MISSION[0]))
    assert done["found"] == done["added"] >= 10
    assert js(server, "post", "import", str(MISSION[0]))["added"] == 0
    posts = [show(server, p["number"])
             for p in js(server, "post", "list")["posts"] if
             p["title"].startswith("NC036: ")]
    assert len(posts) == done["found"]
    assert posts[0]["title"] == "NC036: Migration update 17"
    assert posts[0]["published"] == "2018-06-07T09:12:19Z"
    assert all(p["affected"][0]["system"] == "NC036" for p in posts)
    assert {"microsoft", "mail server"} <= {t for p in posts for t in p["tags"]}
    assert not any("Systems at a Glance" in p["body"] for p in posts)
    for p in posts:
        server.cli("post", "delete", str(p["number"]))


def test_the_demo_has_posts_and_an_archive(tmp_path):
    """The first time; what it makes again leaves them alone."""
    (tmp_path / "page").write_text(PAGE)
    folder = tempfile.mkdtemp(prefix="mailstead-demo-posts-")
    base = str(free_base())

    def run(*options):
        demo = subprocess.Popen([BINARY, "demo", "--ports", base, *options,
                                 folder], stdout=subprocess.PIPE, text=True,
                                start_new_session=True)
        try:
            assert "ready\n" in demo.stdout
            done = subprocess.run(
                [BINARY, "-d", folder, "post", "list", "--json"],
                capture_output=True, text=True, check=True, timeout=60)
            return json.loads(done.stdout)["posts"]
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=60)
            demo.stdout.close()
    try:
        posts = run("--posts", str(tmp_path / "page"))
        assert run() == posts
    finally:
        shutil.rmtree(folder)
    assert [p["title"] for p in posts if p["number"] < 3] == [
        "AB12: Disks, part 2", "AB12: Disks"]
    kinds = {p["kind"]: p for p in posts if p["number"] > 2}
    assert set(kinds) == {"incident", "maintenance", "notice", "post-mortem"}
    assert kinds["incident"]["state"] == "resolved"
    assert kinds["maintenance"]["state"] == "planned"


def test_subscribers(server):
    server.cli("subscriber", "add", "Alice@Example.org", "--systems", "AB12")
    hook = js(server, "subscriber", "add", "https://Hook.example/X")
    assert hook["added"] == "https://hook.example/X" and len(
        hook["secret"]) == 43
    assert server.cli("subscriber", "add", "alice@example.org",
                      check=False).returncode == REFUSED
    done = server.cli("subscriber", "add", "b@example.org", "--systems", "AB",
                      check=False)
    assert done.returncode == REFUSED and '"AB": expected' in done.stderr
    for bad in ("alice", "http://hook.example/", "a@b\r\nX: y"):
        assert server.cli("subscriber", "add", bad,
                          check=False).returncode == USAGE
    out = server.cli("subscriber", "list", "--json")
    assert hook["secret"] not in out
    rows = {s["to"]: s for s in json.loads(out)["subscribers"]}
    assert rows["alice@example.org"]["names"] == ["AB12"]
    done = server.cli("subscriber", "add", "d@example.org", "--language",
                      "xx", check=False)
    assert done.returncode == USAGE and "en, fr or pt" in done.stderr
    server.cli("system", "add", "Brief", "other")
    server.cli("subscriber", "add", "c@example.org", "--systems", "ab12,brief")
    server.cli("alert", "add", "both", "mail=c@example.org", "system=ab12",
               "system=brief")
    server.cli("alert", "add", "one", "mail=c@example.org", "system=BRIEF")
    told = js(server, "alert", "list")["contacts"]
    assert [c["systems"] for c in told] == [["AB12", "Brief"], ["Brief"]]
    assert ["AB12", "Brief"] in [s["names"] for s in js(
        server, "subscriber", "list")["subscribers"]]
    assert js(server, "system", "remove", "brief") == {
        "removed": "Brief", "checks": 0, "maintenance": 0, "subscribers": 1,
        "contacts": 2}
    for name in ("both", "one"):
        server.cli("alert", "remove", name)
    server.cli("subscriber", "remove", "c@example.org")
    assert rows["alice@example.org"]["state"] == "confirmed"
    server.cli("subscriber", "confirm", "alice@example.org")
    for who in rows:
        server.cli("subscriber", "remove", who)
    assert server.cli("subscriber", "remove", "alice@example.org",
                      check=False).returncode == REFUSED
    assert audit(server, "subscriber.add", "alice@example.org")
    assert audit(server, "subscriber.remove", "alice@example.org")


def test_keys_are_shown_once(server):
    key = js(server, "key", "add", "billing", "--scopes", "read,posts")
    assert key["token"].startswith(f"mss_{key['id']}_")
    out = server.cli("key", "list", "--json")
    assert key["token"].split("_", 2)[2] not in out
    (row,) = [k for k in json.loads(out)["keys"] if k["id"] == key["id"]]
    assert (row["name"], row["scopes"], row["state"]) == (
        "billing", "read,posts", "good")
    server.cli("key", "revoke", key["id"])
    assert server.cli("key", "revoke", key["id"],
                      check=False).returncode == REFUSED
    assert server.cli("key", "add", "x", check=False).returncode == USAGE
    assert server.cli("key", "add", "x", "--scopes", "write",
                      check=False).returncode == USAGE
    assert audit(server, "key.add", key["id"])
    assert audit(server, "key.revoke", key["id"])


def test_changes_of_systems_are_in_the_log_without_secrets(server):
    server.cli("system", "add", "AB99", "mail")
    server.cli("check", "add", "AB99/imap", "imap", "127.0.0.1",
               "login=probe@test.example", "--password-stdin",
               input="s3cret-of-a-check\n")
    server.cli("system", "remove", "AB99", "--with-checks")
    log = server.cli("audit", "list", "--json")
    assert "s3cret" not in log
    assert audit(server, "system.put", "ab99")
    assert audit(server, "check.put", "ab99/imap")
    assert audit(server, "system.remove", "ab99")
    assert "user " in log and "command line" in log

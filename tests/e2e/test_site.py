# SPDX-License-Identifier: ISC
"""The pages of the status site: what is watched and posted, in a browser, and
subscriptions by mail; one system's history, and a watcher that is silent."""
import concurrent.futures
import email
import email.policy
import gzip
import html
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse

import pytest

from conftest import started
from lib.instance import ROOT, free_ports, wait_for
from lib.receiver import Receiver

BROWSER = ROOT / "tests" / "browser"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
LONG = "\n".join(("### Deep\n", "y" * 300, "```", "z" * 300, "```", "# High",
                  "".join(f"- Line {i}\n" for i in range(200))))
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def ask(server, method, path, body=None, **fields):
    c = http.client.HTTPConnection("127.0.0.1", server.ports["http"],
                                   timeout=60)
    if body is not None:
        body = urllib.parse.urlencode(body)
        fields["Content-Type"] = "application/x-www-form-urlencoded"
    c.request(method, path, body, fields)
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r, text


def page(server, path="/"):
    r, text = ask(server, "GET", path)
    assert r.status == 200, path
    return text


def heading(text):
    return html.unescape(re.sub("<[^>]*>", "", re.search(
        r"<h1[^>]*>(.*?)</h1>", text, re.S)[1])).strip()


@pytest.fixture(scope="module")
def relay():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture(scope="module")
def port():
    """What is watched: a port that answers as long as it is open."""
    s = socket.create_server(("127.0.0.1", free_ports(1)[0]), backlog=1000)
    yield s
    s.close()


@pytest.fixture(scope="module")
def site(relay, port):
    server = started({
        "watch": {"relays": [f"127.0.0.1:{relay.port}"], "retry": "1s",
                  "direct": "no", "allow_local": "yes"},
        "site": {"title": EVIL, "url": "https://status.test.example",
                 "mail_host": "mail.test.example:8443",
                 "contact": "help@test.example",
                 "links": ["https://www.test.example/ " + EVIL]}})
    where = f"127.0.0.1:{port.getsockname()[1]}"
    server.cli("system", "add", "Box", "mail", "--city", EVIL,
               "--country", "Zambia")
    server.cli("system", "add", "Hidden", "relay", "--internal")
    for system in ("box", "hidden"):
        server.cli("check", "add", f"{system}/port", "tcp", where,
                   "service=read", "every=2s")
    server.cli("post", "new", "notice", "About " + EVIL, "--text",
               f"{EVIL}\n\n[a](javascript:alert(3)) **bold**",
               "--tags", "relay & co,<b>", "--categories", EVIL[:40])
    server.cli("post", "new", "incident", "Reading is slow", "--text",
               "We look into it.", "--affects", "box=degraded")
    server.cli("system", "add", "x" * 40, "secondary-ns",
               "--city", "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysilio")
    server.cli("post", "new", "notice", "W" * 200, "--text", LONG, "--tags",
               ",".join(f"tag-{i}" for i in range(16)))
    yield server
    try:
        server.stop()
    finally:
        server.remove()


HOUR = 3600
RING = ROOT / "build" / "tests" / "tools" / "ring"


@pytest.fixture(scope="module", autouse=True)
def ring():
    subprocess.run(["make", "-s", str(RING.relative_to(ROOT))], cwd=ROOT,
                   check=True)


@pytest.fixture(scope="module")
def old(port):
    """A system with 90 days behind it, and an outage a day ago."""
    server = started()
    server.cli("system", "add", "Old", "mail")
    server.cli("check", "add", "old/port", "tcp",
               f"127.0.0.1:{port.getsockname()[1]}", "service=read",
               "every=10s")
    server.cli("system", "add", "New", "mail")
    server.stop()
    write_ring(server, "old,port", f"down:{24 * HOUR}:{2 * HOUR}")
    server.start()
    yield server
    try:
        for pid in server.pids("watch"):
            os.kill(pid, signal.SIGCONT)
        server.stop()
    finally:
        server.remove()


def write_ring(server, check, *parts):
    subprocess.run([RING, server.data / "watch" / f"{check}.ring",
                    str(int(time.time())), "90", "30000", *parts], check=True)


def test_the_first_page_of_a_provider_is_small(port):
    """20 systems, of which each had trouble on every third of 90 days, in
    each language: 30 KB at most, with gzip, and no second request."""
    server = started()
    try:
        for i in range(20):
            server.cli("system", "add", f"NC{i:03}", "mail", "--city",
                       "Amsterdam", "--country", "Netherlands")
            server.cli("check", "add", f"nc{i:03}/port", "tcp",
                       f"127.0.0.1:{port.getsockname()[1]}", "service=read")
        server.stop()
        for i in range(20):
            write_ring(server, f"nc{i:03},port", *(
                f"{('down', 'degraded', 'planned')[(i + day) % 3]}:"
                f"{day * 24 * HOUR + i * 1700}:{(i + day) % 9 * HOUR + 600}"
                for day in range(i % 3 + 1, 88, 3)))
        server.start()
        wait_for(lambda: page(server).count('class="days"') == 20, 30,
                 "all have their days")
        for language in ("en", "fr", "pt"):
            c = http.client.HTTPConnection(
                "127.0.0.1", server.ports["http"], timeout=60)
            c.request("GET", f"/?lang={language}",
                      headers={"Accept-Encoding": "gzip"})
            r = c.getresponse()
            packed = r.read()
            c.close()
            assert r.headers["Content-Encoding"] == "gzip"
            text = gzip.decompress(packed).decode()
            assert text.count('class="d') > 20 * 10, "trouble is seen"
            assert len(packed) <= 30 * 1024, (language, len(packed))
            assert "<img" not in text and 'rel="stylesheet"' not in text
            assert "<script src" not in text
            print(language, len(text), len(packed))
        server.stop()
    finally:
        server.remove()


def shapes(text, name):
    """The stretches of a path of the chart: lists of its points."""
    d = re.search(rf'<path class="{name}" d="([^"]*)"', text)[1]
    return [[tuple(int(n) for n in point.split())
             for point in re.split("[LMz]", part) if point]
            for part in d.split("M")[1:]]


def test_the_chart_of_a_system(old):
    wait_for(lambda: "Mail is working." == heading(page(old)), 30, "it is up")
    text = page(old, "/systems/old")
    assert 'role="img" aria-label="Reply times from' in text
    lines, halves, wides = (shapes(text, n) for n in ("line", "half", "wide"))
    # Before the outage and behind it; nothing is drawn over it.
    assert len(lines) == len(halves) == len(wides) == 2
    right = lines[-1][-1][0]
    gap = (lines[1][0][0] - lines[0][-1][0]) / right
    assert 1.7 / 48 < gap < 2.6 / 48, "two hours, give or take a point"
    widest = 0
    for line, half, wide in zip(lines, halves, wides):
        n = len(line)
        assert len(half) == len(wide) == 2 * n
        for i, (x, y) in enumerate(line):
            # Each band goes along its upper edge, and back along the lower.
            (x1, p75), (x2, p25) = half[i], half[2 * n - 1 - i]
            (x3, p95), (x4, p5) = wide[i], wide[2 * n - 1 - i]
            assert x == x1 == x2 == x3 == x4
            assert p95 <= p75 <= y <= p25 <= p5, "upwards is more"
            widest = max(widest, p5 - p95)
    assert widest > 10
    # Marks where all was lost, as high as they get, and nowhere else.
    lost = [(int(x), int(high)) for x, high in re.findall(
        r"M(\d+) \d+h\d+v-(\d+)h", re.search(
            r'<path class="lost" d="([^"]*)"', text)[1])]
    assert lost and max(high for _, high in lost) == 20
    assert all(lines[0][-1][0] - 5 <= x <= lines[1][0][0] + 5
               for x, _ in lost)
    # In words what the bars show, and the table of months.
    assert re.search(r'<ul class="trouble"><li>\d+ \w+: down ', text)
    assert re.search(r'<th scope="row">\w+ \d{4}</th><td>\d', text)
    for span in ("90d", "5y"):
        assert shapes(page(old, f"/systems/old/{span}"), "line")


def test_check_when_another_system_is_down(old):
    """It does not say that nothing is wrong here, and names the system."""
    old.cli("system", "add", "Shop", "web")
    old.cli("post", "new", "incident", "Orders wait", "--text", "x",
            "--affects", "Shop=down")
    wait_for(lambda: heading(page(old)).startswith("Mail is working; some"),
             30, "the shop is down, and mail is not")
    text = html.unescape(re.sub("<[^>]*>", "", page(old, "/check")))
    old.cli("post", "delete", "1")
    old.cli("system", "remove", "Shop", "--with-checks")
    assert ("Mail is working; some of our other systems are not. If mail does "
            "not work for you, look at your device" in text)
    assert "Not working: Shop" in text
    assert "nothing wrong" not in text and "It is us" not in text


def test_nobody_waits_for_a_watcher_that_is_silent(old):
    """From here on; the last test looks what became of the page."""
    os.kill(old.pids("watch")[0], signal.SIGSTOP)
    paths = ("/check", "/systems/new", "/systems/old/90d")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        check, new, known = pool.map(lambda p: page(old, p), paths)
    assert "Nothing is held against your address." in check
    assert "We cannot tell just now; our own view is not whole." in check
    assert "We cannot tell." in check
    assert "There are no reply times for this time." in new
    assert shapes(known, "line"), "the former chart"


def test_agents_are_told_to_come_again(old):
    """As above: of what an agent says, nobody knows who may."""
    def post(path):
        c = http.client.HTTPSConnection(
            "127.0.0.1", old.ports["https"], timeout=60,
            context=ssl._create_unverified_context())
        c.request("POST", f"/api/agent/v1/{path}", b"something")
        r = c.getresponse()
        r.read()
        c.close()
        return r
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for r in pool.map(post, ("enrol", "sync")):
            assert r.status == 503 and int(r.headers["Retry-After"]) > 0


def test_what_is_watched_and_posted_is_shown(site):
    wait_for(lambda: "Mail is working, with problems." ==
             heading(page(site)), 30, "a first result, and the incident")
    text = page(site)
    assert "Reading is slow" in text and "We look into it." in text
    # One rule everywhere: the worse of what checks find and what is said.
    plain = html.unescape(re.sub("<[^>]*>", "", text))
    assert "With problems: Reading mail; Box" in plain
    assert "Reading mail Degraded" in plain
    assert "Degraded" in ask(site, "GET", "/badge/box.svg")[1]
    assert "It is us." in page(site, "/check")
    assert text.index("Going on now") < text.index("Systems at a glance")
    # Hidden is listed behind the others, and nothing is said of how it is.
    part = re.search(r'<details class="internal">.*?</details>', text, re.S)[0]
    assert "And one internal system" in part and "Hidden" in part
    assert "ms" not in part and "Operational" not in part
    assert "Hidden" not in text.replace(part, "")
    assert text.index('href="/systems/box"') < text.index(part)
    assert ask(site, "GET", "/systems/hidden")[0].status == 404
    assert len(text.encode()) < 120000


def test_windows_of_systems_are_planned(site):
    def add(system, *words):
        return json.loads(site.cli("maintenance", "add", system, "--for", "1h",
                                   *words, "--json"))["added"]

    def planned():
        found = re.search(r'aria-labelledby="coming">.*?</section>',
                          page(site), re.S)
        return html.unescape(re.sub("<[^>]*>", " ", found[0])) if found else ""

    ids = [add("box", "--from", "+20d", "--note", "Second " + EVIL),
           add("hidden", "--from", "+19d", "--note", "Nobody knows"),
           add("box", "--from", "+19d", "--note", "First"),
           add("box", "--from", "+30d", "--every", "30d", "--note", "Monthly"),
           add("box", "--from", "+2d", "--every", "5d", "--note", "Turns")]
    wait_for(lambda: "Turns" in planned(), 20, "the last of them")
    text = planned()
    assert text.index("First") < text.index("Second " + EVIL)
    assert "Nobody knows" not in text and "Monthly" not in text
    # A post that says so is enough.
    n = json.loads(site.cli(
        "post", "new", "maintenance", "Told by a post", "--text", "x",
        "--affects", "Box", "--from", "+19d", "--to", "+21d",
        "--json"))["added"]
    wait_for(lambda: "Told by a post" in planned(), 20, "the post")
    text = planned()
    assert "Turns" in text and "First" not in text and "Second" not in text
    site.cli("post", "delete", str(n))
    for i in ids:
        site.cli("maintenance", "remove", i)
    wait_for(lambda: planned() == "", 20, "none of them")


def test_texts_of_others_are_text(site):
    for path in ("/", "/posts/1", "/archive", "/systems/box", "/subscribe"):
        r, text = ask(site, "GET", path)
        if r.status == 303:
            r, text = ask(site, "GET", r.headers["Location"])
        assert r.status == 200
        assert "<script>alert" not in text and "<img" not in text, path
        assert "javascript:" not in text.replace("(javascript:", ""), path
    _, text = ask(site, "GET", ask(
        site, "GET", "/posts/1")[0].headers["Location"])
    assert "&lt;script&gt;alert(1)" in text and "<strong>bold</strong>" in text


def test_addresses_of_posts_and_lists(site):
    r, _ = ask(site, "GET", "/posts/2")
    where = r.headers["Location"]
    for language, behind in (("fr", "?lang=fr"), ("xx", "")):
        r, _ = ask(site, "GET", f"/posts/2?lang={language}")
        assert r.status == 303 and r.headers["Location"] == where + behind
    r, _ = ask(site, "GET", "/posts/2")
    assert r.status == 303 and re.fullmatch(
        r"/posts/\d{4}/\d\d/[a-z0-9-]+", where)
    assert heading(page(site, where)) == "Reading is slow"
    r, _ = ask(site, "GET", "/systems")
    assert r.status == 303 and r.headers["Location"] == "/#systems"
    month = "/archive/" + "/".join(where.split("/")[2:4])
    assert "Reading is slow" in page(site, month)
    assert "About" in page(site, "/tag/" + urllib.parse.quote("relay & co"))
    assert "About" in page(site, "/tag/%3Cb%3E")
    for path in ("/posts/99", "/posts/2018/06/none", "/archive/2018/6",
                 "/archive/1999/01", "/tag/none", "/systems/none",
                 "/systems/box/7d", "/category/none"):
        r, text = ask(site, "GET", path)
        assert r.status == 404 and heading(text) == "There is no such page."


def test_check_my_connection(site):
    text = page(site, "/check")
    assert "127.0.0.1 (IPv4)" in text and "this machine itself" in text
    assert "Nothing is held against your address." in text
    number = re.search(r'class="number">([0-9A-F]{4}-[0-9A-F]{4})<', text)[1]
    site.wait_log(f"event=web.check .*{number}")
    r, _ = ask(site, "GET", "/check")
    assert "connect-src https://mail.test.example:8443" in r.headers[
        "Content-Security-Policy"]
    assert r.headers["Cache-Control"] == "no-store"


def news(relay, n):
    wait_for(lambda: len(relay.messages) >= n, 20, f"{n} mails")
    return email.message_from_bytes(relay.messages[n - 1].data,
                                    policy=email.policy.default)


def test_a_subscription_from_the_form_to_its_end(site, relay):
    form = {"address": "Jo@Example.org", "about": "box", "lang": "fr"}
    r, first = ask(site, "POST", "/subscribe", form)
    assert r.status == 200 and heading(first) == "Look into your mailbox."
    mail = news(relay, 1)
    assert relay.messages[0].rcpts == ["jo@example.org"]
    assert "veuillez confirmer" in mail["Subject"]
    link = urllib.parse.urlparse(re.search(
        r"https://status.test.example(/\S+)", mail.get_content())[1])
    path = f"{link.path}?{link.query}"
    # Programs that follow links change nothing.
    assert "Yes, tell me" in page(site, path)
    listed = json.loads(site.cli("subscriber", "list", "--json"))
    assert [s["state"] for s in listed["subscribers"]] == ["pending"]
    bad = dict(urllib.parse.parse_qsl(link.query))
    bad["token"] = bad["token"][::-1]
    assert ask(site, "POST", link.path, bad)[0].status == 404
    # Nothing but an address is looked up or shown.
    for to in ("jo", "Your mailbox is locked", "jo@Example.org"):
        words = urllib.parse.urlencode({"to": to, "token": bad["token"]})
        r, text = ask(site, "GET", f"{link.path}?{words}")
        assert r.status != 200 and "locked" not in text
    good = dict(urllib.parse.parse_qsl(link.query))
    assert heading(ask(site, "POST", link.path, good)[1]) == (
        "You will be told.")
    listed = json.loads(site.cli("subscriber", "list", "--json"))
    assert [s["state"] for s in listed["subscribers"]] == ["confirmed"]
    # The same answer to one that is known, and no second mail.
    again = ask(site, "POST", "/subscribe", form)[1]
    assert re.sub("<time.*?</time>", "", again) == re.sub(
        "<time.*?</time>", "", first)
    site.cli("post", "update", "2", "--text", "It is the disk.")
    mail = news(relay, 2)
    leave = urllib.parse.urlparse(mail["List-Unsubscribe"].strip("<>"))
    assert "One-Click" in mail["List-Unsubscribe-Post"]
    r, text = ask(site, "POST", f"{leave.path}?{leave.query}",
                  {"List-Unsubscribe": "One-Click"})
    assert r.status == 200 and heading(text) == "That was the last mail."
    listed = json.loads(site.cli("subscriber", "list", "--json"))
    assert listed["subscribers"] == []
    assert len(relay.messages) == 2, [m.data for m in relay.messages]


def test_the_form_cannot_be_used_to_flood(site):
    assert ask(site, "POST", "/subscribe",
               {"address": "https://x.example/"})[0].status == 422
    states = [ask(site, "POST", "/subscribe", {"address": f"a{i}@x.example"})
              [0].status for i in range(6)]
    assert 429 in states
    assert ask(site, "POST", "/subscribe", {"address": "a" * 9000})[
        0].status == 413


@pytest.fixture(scope="module")
def browser():
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip(f"{CHROMIUM} is not there (Debian package chromium)")
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node:
        pytest.skip("node is not there (Debian package nodejs)")
    if not (BROWSER / "node_modules" / "axe-core").is_dir():
        done = npm and subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=BROWSER,
            capture_output=True, timeout=120, check=False)
        if not done or done.returncode:
            pytest.skip("npm cannot install what tests/browser asks for")
    return node


def test_in_a_browser(site, browser, port):
    """While the outage that it shows at the end is being confirmed."""
    port.close()
    post, wide = (ask(site, "GET", f"/posts/{n}")[0].headers["Location"]
                  for n in (1, 3))
    paths = ["/", "/?lang=fr", post, wide, "/systems/box", "/check", "/subscribe",
             "/archive", "/search", "/search?q=slow", "/nothing"]
    base = f"http://127.0.0.1:{site.ports['http']}"
    done = subprocess.run([browser, "look.mjs", base, *paths], cwd=BROWSER,
                          capture_output=True, text=True, timeout=240,
                          check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    policy = found.pop("policy")
    assert policy["errors"] == []
    assert policy["zones"] > 0, "times in the reader's zone"
    assert policy["lists"] == policy["stops"] == 1, "one system has bars"
    assert policy["old"] and not policy["young"]
    for path, looks in found.items():
        assert looks["html"] == [], path
        for how in ("plain", "light", "dark"):
            one = looks[how]
            assert one["axe"] == [], (path, how)
            assert [u for u in one["foreign"] if not u.startswith(
                "https://mail.test.example:8443/")] == [], (path, how)
            if path != "/check":
                assert one["errors"] == [] and one["foreign"] == [], path
            assert len(one["text"]) > 20
    wait_for(lambda: heading(page(site)) == "Mail is not working.", 60,
             "the outage is public")
    text = page(site)
    assert "Not working: Reading mail, since" in html.unescape(
        re.sub("<[^>]*>", "", text))
    assert re.search(r'class="ping">Ping\s+no reply', text)


def test_a_page_whose_watcher_is_silent_is_grey(old):
    """Stopped, not dead: nobody puts another one in its place."""
    seen = wait_for(lambda: (h := heading(page(old))) != "Mail is working."
                    and h, 90, "the page is stale")
    assert re.fullmatch(r"Not checked since \d\d:\d\d UTC\.", seen)
    assert heading(page(old, "/check")) == "Check my connection"
    for path in ("/", "/systems/old"):
        text = page(old, path)
        assert re.search(r'<body class="is-unknown is-stale">', text)
        # No state is green, and what is past is grey.
        assert 'class="state up"' not in text, path
        assert 'class="shape up"' not in text, path
        assert ".is-stale .days,.is-stale .legend i{filter:grayscale(1)}" in text
        assert '<span class="state unknown">' in text, path
        assert " ms</p>" not in text and "no reply" not in text, path
    assert "not checked" in ask(old, "GET", "/badge/old.svg")[1]
    status = json.loads(ask(old, "GET", "/api/v2/status.json")[1])["status"]
    assert status["indicator"] != "none"
    os.kill(old.pids("watch")[0], signal.SIGCONT)
    wait_for(lambda: not heading(page(old)).startswith("Not checked"), 30,
             "it speaks again, and so does the page")

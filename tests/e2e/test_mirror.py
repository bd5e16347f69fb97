# SPDX-License-Identifier: ISC
"""Static copies of the status site: exported, pushed for as long as it runs, and
grey by themselves when the server is gone."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from lib.feedcheck import CHECKS
from lib.instance import BINARY, Instance, wait_for

SITE = "https://status.test.example"
LINK = re.compile(r'(?:href|action)="([^"#]+)')
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server with something to show, and its configuration's two mirrors:
    a folder, and a target of rsync through a stand-in for ssh."""
    base = tmp_path_factory.mktemp("mirror")
    s = Instance({"site": {"title": "Test", "url": SITE,
                           "mirrors": [str(base / "www"),
                                       f"www@far.example:{base}/far"]}})
    s.base = base
    s.start()
    try:
        s.add_domain()
        s.cli("system", "add", "NC036", "relay")
        for i in range(3):
            s.cli("post", "new", "notice", f"Post <{i}> & \"more\"", "--tags",
                  "relay, AC/DC", "--text", f"Text *{i}*.")
        wait_for(lambda: "NC036" in (status(s) or ""), 20, "a first answer")
        yield s
        s.stop()
    finally:
        s.remove()


def status(s):
    done = s.cli("status", "export", str(s.base / "probe"), check=False)
    page = s.base / "probe" / "index.html"
    return page.read_text() if done.returncode == 0 else None


def files(folder):
    # Folders may go while they are walked through.
    return {os.path.relpath(os.path.join(where, n), folder)
            for where, _, names in os.walk(folder) for n in names}


def pages(folder):
    found = {}
    for n in files(folder):
        if n.endswith(".html") and ".~tmp~" not in n:
            # What is being replaced may be gone since it was listed.
            with contextlib.suppress(FileNotFoundError):
                found[n] = (folder / n).read_text()
    return found


# --- export -----------------------------------------------------------------------


def test_an_export_is_complete(site):
    out = site.base / "out"
    told = json.loads(site.cli("status", "export", str(out), "--json"))
    names = files(out)
    assert told["exported"] == str(out) and told["files"] == len(names) - 1
    assert told["written"] == told["files"] and told["removed"] == 0
    assert {"index.html", "fr/index.html", "pt/index.html", "feed.rss",
            "fr/feed.atom", "calendar.ics", "badge.svg", "badge/nc036.svg",
            "api/v2/summary.json", "posts/1/index.html"} <= names
    for form in CHECKS:
        assert len(CHECKS[form]((out / f"feed.{form}").read_bytes())) == 3
    ET.fromstring((out / "badge.svg").read_bytes())
    assert not [n for n in names if "mailstead-new" in n]
    for n in names:
        assert stat.S_IMODE((out / n).stat().st_mode) == 0o644, n
    assert '<html lang="fr"' in (out / "fr" / "index.html").read_text()


def test_every_link_of_a_copy_leads_to_a_file_of_it(site):
    out = site.base / "out"
    for name, page in pages(out).items():
        page = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.S)
        for link in LINK.findall(page):
            if re.match(r"(https?|mailto):", link):
                continue
            assert not link.startswith("/"), (name, link)
            to = (out / name).parent / urllib.parse.unquote(link)
            assert to.is_file(), (name, link)


def test_links_that_lead_nowhere_end_no_export(site):
    """What a link is decoded to is not decoded once more; nothing is asked that
    answers to a visitor; languages are those that there are."""
    links = ["/%2563heck", "/api%252Fv1/posts", "/a%25b", "/%2561rchive",
             "/api/agent/v1/sync", "/subscribe%2Fconfirm", "/?lang=qa",
             "/?lang=archive", "/?lang=" + "x" * 300, "/nothing", "/check"]
    site.cli("post", "new", "notice", "Links", "--tags", "50%",
             "--text", " ".join(f"[x]({link})" for link in links))
    number = json.loads(site.cli("post", "list", "--json"))["posts"]
    number = max(p["number"] for p in number)
    pids = site.pids("web")
    out = site.base / "odd"
    wait_for(lambda: "Links" in (status(site) or ""), 10, "the post is shown")
    site.cli("status", "export", str(out))
    assert site.pids("web") == pids, "nobody died of it"
    names = files(out)
    assert "tag/50%/index.html" in names
    assert {n.split("/")[0] for n in names if n.endswith("index.html")} <= {
        "index.html", "archive", "posts", "systems", "tag", "fr", "pt",
        "category"}
    site.cli("post", "delete", str(number))


def test_an_export_again_changes_what_changed(site):
    out = site.base / "out"
    (out / "mine.txt").write_text("not made here")
    site.cli("post", "delete", "3")
    # The process that answers hears of it in its own time.
    told = wait_for(lambda: (d := json.loads(site.cli(
        "status", "export", str(out), "--json"))) and d["removed"] and d, 10,
        "the post goes")
    assert told["written"] < told["files"]
    assert not (out / "posts" / "3").exists()
    assert (out / "mine.txt").read_text() == "not made here"


def test_a_page_is_never_half_there(site):
    """Somebody reads the first page while it is written over and over."""
    out = site.base / "out"
    stop, seen = threading.Event(), []

    def read():
        while not stop.is_set():
            page = (out / "index.html").read_text()
            seen.append(page.endswith("</html>\n"))
    t = threading.Thread(target=read)
    t.start()
    try:
        for _ in range(3):
            site.cli("status", "export", str(out))
    finally:
        stop.set()
        t.join()
    assert seen and all(seen)


def test_errors_say_what_to_do(site):
    done = site.cli("status", "export", check=False)
    assert done.returncode == 2 and "usage" in done.stderr
    done = site.cli("status", "export", "/proc/none", check=False)
    assert done.returncode == 75 and "/proc/none" in done.stderr


# --- push -------------------------------------------------------------------------


def fake_ssh(folder):
    """What rsync runs in place of ssh: the command, here."""
    path = folder / "ssh"
    path.write_text("#!/bin/sh\n# options, then the host\n"
                    "while [ \"${1#-}\" != \"$1\" ]; do\n"
                    "\t[ \"$1\" = -l ] && shift\n\tshift\ndone\n"
                    "echo \"$1\" >> \"$FAKE_LOG\"\nshift\nexec \"$@\"\n")
    path.chmod(0o755)
    return path


def rsync_here(site):
    return {**os.environ, "RSYNC_RSH": str(fake_ssh(site.base)),
            "FAKE_LOG": str(site.base / "ssh.log")}


class Push:
    def __init__(self, site):
        env = rsync_here(site)
        (site.base / "far").mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [BINARY, "-c", site.conf, "status", "push", "--continuous"],
            env=env, stderr=subprocess.PIPE, text=True)

    def stop(self):
        self.process.terminate()
        return self.process.communicate(timeout=60)[1]


def made_at(folder):
    page = (folder / "index.html").read_text()
    return int(re.search(r'data-made="(\d+)"', page)[1])


def test_a_push_renews_all_copies_when_something_changes(site):
    www, far = site.base / "www", site.base / "far"
    push = Push(site)
    try:
        for folder in (www, far):
            wait_for(lambda: (folder / "index.html").exists(), 30, folder)
        site.cli("post", "new", "notice", "Fresh news", "--text", "x")
        for folder in (www, far):
            feed = folder / "feed.rss"
            wait_for(lambda: feed.exists() and "Fresh news" in
                     feed.read_text(), 60, folder)
        site.cli("post", "delete", "2")
        wait_for(lambda: not (far / "posts" / "2").exists() or not list(
            (far / "posts" / "2").iterdir()), 60, "gone over there, too")
        wait_for(lambda: pages(www) == pages(far), 60, "both are the same")
    finally:
        trouble = push.stop()
    assert trouble == ""
    assert "far.example" in (site.base / "ssh.log").read_text()
    assert push.process.returncode == 0
    once = subprocess.run(
        [BINARY, "-c", site.conf, "status", "push", "--json"],
        env=rsync_here(site), capture_output=True, text=True, timeout=60,
        check=True)
    copies = json.loads(once.stdout)["copies"]
    assert [c["exported"] for c in copies] == [
        str(www), f"www@far.example:{far}"]
    assert all(c["files"] > 20 for c in copies)


# --- the server is gone ------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def serve(folder):
    s = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *a: Quiet(*a, directory=str(folder)))
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


def dom(url, folder):
    """The page as Chromium has it when its scripts have run."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile",
         "--virtual-time-budget=2500", "--dump-dom", url],
        capture_output=True, text=True, timeout=90)
    return done.stdout


def test_a_page_says_how_old_it_may_be_without_javascript(site):
    www = site.base / "www"
    page = (www / "index.html").read_text()
    assert "<meta http-equiv=\"refresh\" content=\"60\">" in page
    assert "This is a copy, made " in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "default-src &#39;none&#39;" in policy or (
        "default-src 'none'" in policy)
    assert "unsafe" not in policy
    archived = next(p for n, p in pages(www).items()
                    if re.fullmatch(r"posts/\d{4}/.*", n))
    assert "refresh" not in archived and "data-made" not in archived
    assert "This is a copy, made " in archived


def test_a_copy_turns_grey_when_the_server_is_gone(site):
    """The server is killed, the copies are what is left. Three intervals
    later they say so."""
    site.kill_all()
    www = site.base / "www"
    page = (www / "index.html").read_text()
    made = made_at(www)
    clock = time.strftime("%H:%M UTC", time.gmtime(made))
    silent = f"The main monitor has been silent since {clock}"
    now = time.time()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    if NODE:
        for after, want in ((100, False), (179, False), (181, True)):
            out = subprocess.run(
                [NODE, "-e", STAND_IN, scripts[-1], str(made),
                 str(made + after)],
                capture_output=True, text=True, check=True).stdout
            assert ("silent" in out) == want, after
    if CHROMIUM:
        server = serve(www)
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            # The same page, as if it was made so long ago.
            for name, ago in (("fresh", 5), ("grey", 200)):
                (www / f"{name}.html").write_text(page.replace(
                    f'data-made="{made}"', f'data-made="{int(now) - ago}"'))
            fresh = dom(f"{url}/fresh.html", site.base)
            assert "silent\"" not in fresh and "This is a copy" in fresh
            grey = dom(f"{url}/grey.html", site.base)
            assert re.search(r'<html[^>]*class="[^"]*silent', grey), grey[:500]
            assert ">" + silent in grey and 'role="alert"' in grey
        finally:
            server.shutdown()
    assert silent in page  # in its data, for the script
    # The headline is of then, and says so when the page is grey.
    said = re.search(r'<h1 id="now">.*?</h1>', page, re.S)[0]
    assert re.search(r'<span class="then"><time[^>]*>[^<]+</time>: </span>',
                     said), said
    assert ".then{display:none}.silent .then{display:inline}" in page


# The few parts of a browser that the script of a copy uses.
STAND_IN = """
const [, script, made, now] = process.argv;
const classes = new Set();
const banner = {dataset: {made, every: '60', silent: 'silent'},
    setAttribute() {}, textContent: ''};
global.document = {documentElement: {classList: {
    contains: c => classes.has(c), add: c => classes.add(c)}},
    getElementById: () => banner};
Date.now = () => now * 1000;
global.setInterval = () => {};
eval(script);
console.log([...classes].join(' '), banner.textContent);
"""

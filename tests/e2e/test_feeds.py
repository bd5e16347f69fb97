# SPDX-License-Identifier: ISC
"""What the status site gives to programs: feeds, the API in Statuspage's words,
badges, calendars; and search. One server for all of it."""
import email.utils
import gzip
import json
import re
import time
import urllib.parse
import xml.etree.ElementTree as ET

import feedparser
import icalendar
import pytest

from lib.feedcheck import CHECKS, TYPES
from lib.instance import Instance, wait_for
from test_web import ask

SITE = "https://status.test.example"
HOSTILE = "<script>alert(1)</script> & \"x\" 'y' ]]> <![CDATA["
BODY = "Some *mail* is late.\n\n<img src=x onerror=alert(2)>\n"
SVG = "{http://www.w3.org/2000/svg}"


class Site:
    def __init__(self, server):
        self.server = server
        self.posts = {}

    def get(self, path, **fields):
        r, body = ask(self.server, "GET", path, **fields)
        return r, body

    def ok(self, path):
        r, body = self.get(path)
        assert r.status == 200, (path, body)
        return body

    def json(self, path):
        return json.loads(self.ok("/api/v2/" + path))

    def post(self, *words, text=BODY):
        out = self.server.cli("post", "new", *words, "--text", text, "--json")
        return json.loads(out)["added"]

    def entries(self, form, prefix=""):
        return CHECKS[form](self.ok(f"{prefix}/feed.{form}"))


@pytest.fixture(scope="module")
def site():
    s = Instance({"site": {"title": "Test & Sons", "url": SITE}})
    s.start()
    try:
        s.add_domain()
        s.cli("system", "add", "NC036", "relay", "--city", "Lusaka")
        s.cli("system", "add", "Hidden", "other", "--internal")
        # One that answers, so that something is up.
        s.cli("check", "add", "NC036/smtp", "tcp",
              f"127.0.0.1:{s.ports['mx']}", "every=2s")
        site = Site(s)
        wait_for(lambda: b"Operational" in site.ok("/badge/nc036.svg"), 20,
                 "a result")
        site.posts["notice"] = site.post(
            "notice", "Café: new relay", "--tags", "relay, AC/DC",
            "--categories", "News", text="The relay in Łódź.")
        site.posts["hostile"] = site.post("notice", HOSTILE)
        site.posts["incident"] = site.post(
            "incident", "Mail is late", "--affects",
            "NC036=degraded, Hidden=degraded",
            "--tags", "relay")
        site.posts["planned"] = site.post(
            "maintenance", "New disks", "--affects", "NC036=maintenance",
            "--from", "2100-01-01 10:00Z", "--to", "2100-01-01 12:00Z")
        s.cli("maintenance", "add", "NC036", "--from", "2100-02-01 10:00Z",
              "--for", "1h", "--every", "14d", "--note", "Reboot, weekly; x")
        s.cli("maintenance", "add", "Hidden", "--from", "2100-02-01 10:00Z",
              "--for", "1h")
        wait_for(lambda: len(site.entries("json")) == 4, 10, "four posts")
        wait_for(lambda: site.get("/api/v2/status.json")[0].status == 200, 10,
                 "the watcher's answer")
        yield site
        s.stop()
    finally:
        s.remove()


# --- feeds ----------------------------------------------------------------------


@pytest.mark.parametrize("form", CHECKS)
def test_a_feed_is_what_its_format_wants(site, form):
    r, body = site.get(f"/feed.{form}")
    assert r.headers["Content-Type"] == TYPES[form]
    entries = {e["id"]: e for e in CHECKS[form](body)}
    assert len(entries) == 4
    hostile = entries[f"{SITE}/posts/{site.posts['hostile']}"]
    assert hostile["title"] == HOSTILE
    assert "<em>mail</em>" in hostile["html"]
    assert "<img" not in hostile["html"]
    notice = entries[f"{SITE}/posts/{site.posts['notice']}"]
    assert notice["tags"] == ["relay", "AC/DC", "News"]


@pytest.mark.parametrize("form", CHECKS)
def test_feeds_of_a_system_a_tag_and_a_category(site, form):
    notice, incident, planned = (
        f"{SITE}/posts/{site.posts[k]}"
        for k in ("notice", "incident", "planned"))
    for prefix, want in (("/systems/nc036", {incident, planned}),
                         ("/systems/NC036", {incident, planned}),
                         ("/tag/relay", {notice, incident}),
                         ("/tag/AC%2FDC", {notice}),
                         ("/category/news", {notice})):
        got = site.entries(form, prefix)
        assert {e["id"] for e in got} == want, prefix
    for prefix in ("/systems/none", "/tag/none", "/category/none"):
        assert site.get(f"{prefix}/feed.{form}")[0].status == 404


def test_a_feed_reader_understands_it(site):
    for form in ("rss", "atom"):
        feed = feedparser.parse(site.ok(f"/feed.{form}"))
        assert not feed.bozo, feed.bozo_exception
        assert len(feed.entries) == 4
        assert all(e.id.startswith(SITE) and e.published_parsed
                   for e in feed.entries)


def test_an_update_changes_the_entry_and_not_its_id(site):
    before = {e["id"]: e for e in site.entries("atom")}
    name = f"{SITE}/posts/{site.posts['incident']}"
    tag = site.get("/feed.atom")[0].headers["ETag"]
    time.sleep(1.1 - time.time() % 1)  # a later second: times are of that kind
    site.server.cli("post", "update", str(site.posts["incident"]), "--state",
                    "identified", "--text", "It was the **relay**.")
    wait_for(lambda: site.get("/feed.atom")[0].headers["ETag"] != tag, 10,
             "another feed")
    after = site.entries("atom")
    assert {e["id"] for e in after} == set(before)
    assert after[0]["id"] == name and after[0]["title"] == "Mail is late"
    assert after[0]["updated"] > before[name]["updated"]
    html = after[0]["html"]
    assert "Identified" in html
    assert html.index("<strong>relay</strong>") < html.index("<em>mail</em>")


def test_who_has_it_already_is_told_so(site):
    for path in ("/feed.rss", "/feed.json", "/calendar.ics"):
        for encoding in ("gzip", "identity"):
            how = {"Accept-Encoding": encoding}
            r, body = site.get(path, **how)
            assert (r.headers["Content-Encoding"] == "gzip") == (
                encoding == "gzip")
            if encoding == "gzip":
                gzip.decompress(body)
            again = site.get(path, **how,
                             **{"If-None-Match": r.headers["ETag"]})
            assert (again[0].status, again[1]) == (304, b"")
        when = r.headers["Last-Modified"]
        r, body = site.get(path, **{"If-Modified-Since": when})
        assert (r.status, body) == (304, b"")
        old = email.utils.formatdate(0, usegmt=True)
        assert site.get(path, **{"If-Modified-Since": old})[0].status == 200


def test_a_feed_in_another_language(site):
    assert '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr">' in (
        site.ok("/feed.atom?lang=fr").decode())


def test_pages_name_their_feeds(site):
    page = site.ok("/").decode()
    for form, kind in (("rss", "rss+xml"), ("atom", "atom+xml"),
                       ("json", "feed+json")):
        assert (f'<link rel="alternate" type="application/{kind}" title='
                '"Test &amp; Sons (') in page
        assert f'href="/feed.{form}">' in page


# --- in Statuspage's words ----------------------------------------------------------


def test_a_summary_as_statuspage_has_it(site):
    s = site.json("summary.json")
    assert set(s) == {"page", "components", "incidents",
                      "scheduled_maintenances", "status"}
    assert s["page"]["name"] == "Test & Sons" and s["page"]["url"] == SITE
    assert [(c["id"], c["status"]) for c in s["components"]] == [
        ("nc036", "degraded_performance")]
    assert s["status"]["indicator"] == "minor"
    (i,) = s["incidents"]
    assert i["status"] in ("investigating", "identified")
    assert i["impact"] == "minor" and i["resolved_at"] is None
    assert i["shortlink"] == f"{SITE}/posts/{site.posts['incident']}"
    assert i["incident_updates"][-1]["body"].startswith("Some mail is late.")
    assert [c["id"] for c in i["components"]] == ["nc036"]
    (m,) = s["scheduled_maintenances"]
    assert (m["status"], m["impact"]) == ("scheduled", "maintenance")
    assert m["scheduled_for"] == "2100-01-01T10:00:00.000Z"
    assert m["scheduled_until"] == "2100-01-01T12:00:00.000Z"


def test_each_document_has_its_part(site):
    for path, name, n in (
            ("components.json", "components", 1),
            ("incidents.json", "incidents", 1),
            ("incidents/unresolved.json", "incidents", 1),
            ("scheduled-maintenances.json", "scheduled_maintenances", 1),
            ("scheduled-maintenances/upcoming.json",
             "scheduled_maintenances", 1),
            ("scheduled-maintenances/active.json",
             "scheduled_maintenances", 0)):
        doc = site.json(path)
        assert set(doc) == {"page", name} and len(doc[name]) == n, path
    assert set(site.json("status.json")) == {"page", "status"}
    assert site.get("/api/v2/none.json")[0].status == 404


def test_only_these_are_open_to_other_pages(site):
    field = "Access-Control-Allow-Origin"
    assert site.get("/api/v2/status.json")[0].headers[field] == "*"
    for path in ("/", "/feed.json", "/badge.svg", "/search", "/none"):
        assert site.get(path)[0].headers[field] is None, path


# --- badges and calendars -----------------------------------------------------------


def test_badges(site):
    for path, title in (
            ("/badge.svg", "Test & Sons: Degraded"),
            ("/badge/NC036.svg", "NC036: Degraded"),
            ("/badge/NC036.svg?lang=fr", "NC036: Dégradé")):
        r, body = site.get(path)
        assert r.headers["Content-Type"] == "image/svg+xml"
        root = ET.fromstring(body)
        assert root.find(SVG + "title").text == title, path
        assert root.attrib["aria-label"] == title
        assert not [e for e in root.iter() if e.tag in (
            SVG + "image", SVG + "use", SVG + "style", SVG + "script")]
    # By the same rule on the first page; of what is internal nothing is told.
    assert re.search(rb'class="lead">With problems: NC036</p>', site.ok("/"))
    for path, status in (("/badge/none.svg", 404), ("/badge/Hidden.svg", 404),
                         ("/badge.svg?uptime=8", 400),
                         ("/badge.svg?uptime=x", 400)):
        assert site.get(path)[0].status == status, path


def test_a_calendar_has_all_planned_work_that_is_public(site):
    r, body = site.get("/calendar.ics")
    assert r.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    events = {str(e["UID"]): e for e in
              icalendar.Calendar.from_ical(body).walk("VEVENT")}
    host = SITE.removeprefix("https://")
    post = events.pop(f"post-{site.posts['planned']}@{host}")
    assert post["SUMMARY"] == "New disks" and int(post["SEQUENCE"]) == 0
    assert post.decoded("DTSTART").isoformat() == "2100-01-01T10:00:00+00:00"
    ((uid, window),) = events.items()
    assert uid.startswith("window-nc036-") and uid.endswith("@" + host)
    assert window["SUMMARY"] == "NC036: Reboot, weekly; x"
    assert window["RRULE"] == {"FREQ": ["WEEKLY"], "INTERVAL": [2]}
    name = uid.removeprefix("window-").removesuffix("@" + host)
    for path in (f"/posts/{site.posts['planned']}.ics",
                 f"/maintenance/{name}.ics"):
        (one,) = icalendar.Calendar.from_ical(site.ok(path)).walk("VEVENT")
        assert one["UID"] in (uid, post["UID"])
    for path in (f"/posts/{site.posts['notice']}.ics", "/posts/x.ics",
                 "/maintenance/hidden-004107146400.ics"):
        assert site.get(path)[0].status == 404, path


def test_a_change_of_the_post_is_a_later_sequence(site):
    time.sleep(1.1 - time.time() % 1)
    number = str(site.posts["planned"])
    site.server.cli("post", "edit", number, "--to", "2100-01-01 13:00Z")

    def event():
        return next(iter(icalendar.Calendar.from_ical(
            site.ok(f"/posts/{number}.ics")).walk("VEVENT")))
    e = wait_for(lambda: (e := event()) and int(e["SEQUENCE"]) and e, 10,
                 "another one")
    assert e.decoded("DTEND").isoformat() == "2100-01-01T13:00:00+00:00"


# --- search -------------------------------------------------------------------------


def search(site, query, **more):
    return site.ok("/search?" + urllib.parse.urlencode(
        {"q": query, **more})).decode()


def test_search_finds_words_however_they_are_written(site):
    for query in ("cafe", "RELAY new", "lodz", "Łódź", "rel"):
        page = search(site, query)
        assert "new-relay" in page, query
        assert "<mark>" in page
    assert "Nothing was found" in search(site, "absent")
    assert "Rien n’a été trouvé" in search(site, "absent", lang="fr")


def test_hostile_queries_are_text(site):
    page = search(site, "<script>alert(1)</script>\" onfocus=\"x")
    assert "<script>alert" not in page
    assert "onfocus=\"x" not in page
    page = search(site, "<script>")
    assert "&lt;<mark>script</mark>&gt;alert" in page  # a post's title
    assert "<script>alert" not in page
    for query in ("a " * 4000, "%" * 3000, "é" * 2000, "\0", ""):
        assert site.get("/search?" + urllib.parse.urlencode(
            {"q": query}))[0].status in (200, 414, 431), query[:10]
    assert site.get("/search?q=%ff%fe")[0].status == 200
    assert site.get("/search?q=x")[0].headers["Cache-Control"] == "no-store"


# --- internal systems --------------------------------------------------------------------


def test_programs_learn_no_internal_system(site):
    """Neither as a component nor by what a post says of it."""
    for path in ("summary", "status", "components", "incidents",
                 "incidents/unresolved", "scheduled-maintenances",
                 "scheduled-maintenances/upcoming"):
        body = site.ok(f"/api/v2/{path}.json")
        assert b"hidden" not in body.lower(), path
    (i,) = site.json("incidents.json")["incidents"]
    assert i["incident_updates"][0]["affected_components"]


# --- what is kept ------------------------------------------------------------------------


def test_a_chart_renews_its_own_page_only(site):
    """Not the first page: that shows none."""
    def written():
        return int(re.search(r"^mailstead_web_pages_written_total\S* (\d+)",
                             site.server.cli("metrics"), re.M)[1])

    names = [f"kept{i}" for i in range(6)]
    for name in names:
        site.server.cli("system", "add", name, "other")
    wait_for(lambda: names[-1].encode() in site.ok("/"), 10, "all are shown")
    before, pages = written(), 0
    for name in names:
        for end in ("", "/90d", "/5y"):
            site.ok(f"/systems/{name}{end}")
            site.ok("/")
            pages += 1
    # Minutes may end, or a state change, meanwhile: not for each chart.
    assert pages <= written() - before < 2 * pages
    for name in names:
        site.server.cli("system", "remove", name, "--with-checks")


# --- the end of an incident ------------------------------------------------------------


def test_what_is_resolved_is_resolved_everywhere(site):
    site.server.cli("post", "resolve", str(site.posts["incident"]), "--text",
                    "It is over.")
    wait_for(lambda: not site.json("summary.json")["incidents"] and
             b"NC036: Operational" in site.ok("/badge/NC036.svg"),
             what="something is open")
    (i,) = site.json("incidents.json")["incidents"]
    assert i["status"] == "resolved" and i["resolved_at"]
    changes = i["incident_updates"][0]["affected_components"]
    assert [(c["code"].lower(), c["old_status"], c["new_status"])
            for c in changes] == [
                ("nc036", "degraded_performance", "operational")]
    assert site.json("status.json")["status"] == {
        "indicator": "none", "description": "All Systems Operational"}
    assert "Mail is late" in [
        e["title"] for e in site.entries("rss", "/systems/NC036")]


def test_a_badge_of_the_share_of_time(site):
    # A probe may have found it slow.
    wait_for(lambda: re.search(
        rb"<title>NC036 uptime 30 d: (100|9\d(\.\d+)?)%</title>",
        site.ok("/badge/NC036.svg?uptime=30")), what="a first hour")

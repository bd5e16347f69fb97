# SPDX-License-Identifier: ISC
"""What the three formats of feeds want, as far as it can be checked without
their makers: RSS 2.0 with its profile, RFC 4287, JSON Feed 1.1. Each function
takes the bytes of a document and gives its entries as dictionaries."""
import email.utils
import json
import re
import xml.etree.ElementTree as ET

ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def is_url(s):
    return re.fullmatch(r"https?://[^\s/]+(/[\x21-\x7e]*)?", s) is not None


def one(e, name):
    found = e.findall(name)
    assert len(found) == 1, (name, len(found))
    return found[0].text or ""


def at_most_one(e, *names):
    for name in names:
        assert len(e.findall(name)) <= 1, name


def check_rss(body):
    root = ET.fromstring(body)
    assert root.tag == "rss" and root.attrib == {"version": "2.0"}
    assert [c.tag for c in root] == ["channel"]
    channel = root[0]
    assert {c.tag for c in channel} <= {
        "title", "link", "description", "language", "lastBuildDate",
        "generator", "ttl", "item", ATOM + "link"}
    assert one(channel, "title") and one(channel, "description")
    assert is_url(one(channel, "link"))
    own = channel.find(ATOM + "link")
    assert own.attrib["rel"] == "self" and is_url(own.attrib["href"])
    items, guids = [], set()
    for item in channel.findall("item"):
        assert {c.tag for c in item} <= {
            "title", "link", "guid", "pubDate", "category", "description",
            DC + "creator", ATOM + "updated"}
        at_most_one(item, DC + "creator", ATOM + "updated")
        guid = item.find("guid")
        assert guid.attrib == {"isPermaLink": "true"} and is_url(guid.text)
        assert guid.text not in guids
        guids.add(guid.text)
        assert is_url(one(item, "link"))
        when = email.utils.parsedate_to_datetime(one(item, "pubDate"))
        assert when.tzinfo is not None
        items.append({"id": guid.text, "title": one(item, "title"),
                      "html": one(item, "description"),
                      "tags": [c.text for c in item.findall("category")]})
    return items


def check_atom(body):
    root = ET.fromstring(body)
    assert root.tag == ATOM + "feed"
    for name in ("id", "title", "updated"):
        assert one(root, ATOM + name)
    assert is_url(one(root, ATOM + "id"))
    assert RFC3339.fullmatch(one(root, ATOM + "updated"))
    links = {x.attrib["rel"]: x.attrib["href"]
             for x in root.findall(ATOM + "link")}
    assert set(links) == {"self", "alternate"}
    assert all(map(is_url, links.values()))
    # Section 4.1.1: an author in each entry, or in the feed.
    assert root.find(f"{ATOM}author/{ATOM}name").text
    entries, ids = [], set()
    for e in root.findall(ATOM + "entry"):
        assert {c.tag.removeprefix(ATOM) for c in e} <= {
            "id", "title", "link", "published", "updated", "author",
            "category", "content"}
        name = one(e, ATOM + "id")
        assert is_url(name) and name not in ids
        ids.add(name)
        published, updated = (one(e, ATOM + n)
                              for n in ("published", "updated"))
        assert RFC3339.fullmatch(published) and RFC3339.fullmatch(updated)
        assert published <= updated
        assert e.find(ATOM + "link").attrib["rel"] == "alternate"
        content = e.find(ATOM + "content")
        assert content.attrib == {"type": "html"}
        entries.append({"id": name, "title": one(e, ATOM + "title"),
                        "html": content.text or "", "updated": updated,
                        "tags": [c.attrib["term"] for c in
                                 e.findall(ATOM + "category")]})
    assert one(root, ATOM + "updated") == max(
        (e["updated"] for e in entries), default="1970-01-01T00:00:00Z")
    return entries


def check_json(body):
    feed = json.loads(body.decode("utf-8"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(feed["title"], str)
    assert is_url(feed["home_page_url"]) and is_url(feed["feed_url"])
    assert set(feed) <= {"version", "title", "home_page_url", "feed_url",
                         "description", "language", "items"}
    entries = []
    for i in feed["items"]:
        assert set(i) <= {"id", "url", "title", "content_html", "tags",
                          "date_published", "date_modified", "authors"}
        assert isinstance(i["id"], str) and is_url(i["url"])
        assert RFC3339.fullmatch(i["date_published"])
        assert RFC3339.fullmatch(i["date_modified"])
        assert all(a["name"] for a in i.get("authors", []))
        entries.append({"id": i["id"], "title": i["title"],
                        "html": i["content_html"],
                        "tags": i.get("tags", [])})
    assert len({e["id"] for e in entries}) == len(entries)
    return entries


CHECKS = {"rss": check_rss, "atom": check_atom, "json": check_json}
TYPES = {"rss": "application/rss+xml; charset=utf-8",
         "atom": "application/atom+xml; charset=utf-8",
         "json": "application/feed+json"}

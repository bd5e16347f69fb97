# SPDX-License-Identifier: ISC
"""The HTTP API of the status site, and its description in docs/openapi.json:
each route and each field is in both."""
import http.client
import json
import pathlib
import re
import socket
import urllib.parse

import pytest

from conftest import started
from lib.hostile_dns import HostileServer
from lib.instance import PATIENCE_S, ROOT, wait_for
from lib.port import Port


def unique(pairs):
    """Of two members with one name the first would have no effect."""
    assert len(dict(pairs)) == len(pairs), [name for name, _ in pairs]
    return dict(pairs)


OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text(),
                     object_pairs_hook=unique)
ROUTES = pathlib.Path(ROOT / "src" / "web" / "api" / "api_routes.def").read_text()
HTML = "<script>alert(1)</script>"


class Api:
    def __init__(self, server):
        self.server = server
        self.keys = {s: self.add_key(s) for s in
                     ("read", "posts", "systems", "subscribers", "all")}
        # What was seen of each schema, by the tests of this file.
        self.seen = {}

    def add_key(self, scopes, *options):
        return json.loads(self.server.cli(
            "key", "add", f"test {scopes}", "--scopes", scopes, *options,
            "--json"))["token"]

    def ask(self, method, path, data=None, key="all", schema=None,
            source=None, **fields):
        """(status, fields of the answer, its JSON)."""
        c = http.client.HTTPConnection(
            "127.0.0.1", self.server.ports["http"], timeout=60,
            source_address=(source, 0) if source else None)
        fields = {k.replace("_", "-"): v for k, v in fields.items()}
        if key:
            fields.setdefault("Authorization",
                              f"Bearer {self.keys.get(key, key)}")
        if data is not None and not isinstance(data, (bytes, str)):
            data = json.dumps(data)
            fields.setdefault("Content-Type", "application/json")
        c.request(method, "/api/v1" + path, body=data, headers=fields)
        r = c.getresponse()
        body = r.read()
        c.close()
        value = json.loads(body) if body else None
        if r.status >= 400:
            assert r.headers["Content-Type"] == "application/problem+json"
            assert value["status"] == r.status and value["title"]
            schema = "Problem"
        if schema:
            self.check(schema, value)
        return r.status, r.headers, value

    def check(self, name, value):
        """All members of an answer are described, all described ones are
        there, and their types fit."""
        s = OPENAPI["components"]["schemas"][name]
        self.seen.setdefault(name, set()).update(value)
        assert set(value) <= set(s["properties"]), (name, value)
        assert set(s.get("required", ())) <= set(value), (name, value)
        for member, v in value.items():
            self.check_value(s["properties"][member], v, f"{name}.{member}")

    def check_value(self, s, v, where):
        if "$ref" in s:
            self.check(s["$ref"].rsplit("/", 1)[1], v)
            return
        types = s["type"] if isinstance(s["type"], list) else [s["type"]]
        kinds = {"string": str, "integer": int, "boolean": bool, "array": list,
                 "object": dict, "null": type(None)}
        assert any(type(v) is kinds[t] for t in types), (where, v)
        if "enum" in s:
            assert v in s["enum"], (where, v)
        if s.get("format") == "date-time" and v is not None:
            assert re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z", v), where
        for one in v if isinstance(v, list) else ():
            self.check_value(s["items"], one, where)


@pytest.fixture(scope="module")
def api():
    """A server of its own: others look at what is posted."""
    s = started({"watch": {"api_networks": ["127.0.0.0/8"]}})
    yield Api(s)
    try:
        s.stop()
    finally:
        s.remove()


def new_post(api, **members):
    data = {"kind": "incident", "title": "No mail", "body": "Text."}
    status, fields, p = api.ask("POST", "/posts", {**data, **members},
                                schema="Post")
    assert status == 201, p
    assert fields["Location"] == f"/api/v1/posts/{p['number']}"
    return p


# --- keys ---------------------------------------------------------------------------


def test_without_a_good_key_there_is_nothing(api):
    good = api.keys["all"]
    revoked, ended = api.add_key("all"), api.add_key("all", "--expires", "1s")
    api.server.cli("key", "revoke", revoked.split("_")[1])
    last = "A" if good[-1] != "A" else "B"
    for key in (None, "x", "mss_00000000_" + "A" * 43, good[:-1] + last,
                good[:-1], good + "A", revoked):
        status, fields, value = api.ask("GET", "/posts", key=key)
        assert status == 401, key
        assert fields["WWW-Authenticate"].startswith("Bearer")
        assert "posts" not in value
    assert api.ask("GET", "/posts", key=None,
                   Authorization="Basic YTpi")[0] == 401
    wait_for(lambda: api.ask("GET", "/posts", key=ended)[0] == 401, 5,
             "the key has ended")
    assert api.ask("GET", "/posts", key="read")[0] == 200


def test_who_tries_keys_is_not_listened_to(api):
    """From one address; the log has one line of it, and no key."""
    def ask(n, key=None):
        return api.ask("GET", "/posts", source="127.0.0.9",
                       key=key or f"mss_{n:08}_" + "A" * 43)
    assert [ask(n)[0] for n in range(20)] == [401] * 20
    # One more is allowed each three seconds.
    refused = []

    def is_enough():
        status, fields, _ = ask(20)
        assert status in (401, 429)
        refused.extend([fields] if status == 429 else [])
        return len(refused) >= 5
    wait_for(is_enough, what="all are listened to")
    assert all(1 <= int(f["Retry-After"]) <= 60 for f in refused)
    wait_for(lambda: ask(21)[0] == 429 and ask(0, "all")[0] == 429,
             what="nor is a good one then")
    assert api.ask("GET", "/posts")[0] == 200
    log = api.server.log_file.read_text()
    # One a minute.
    assert 1 <= log.count("wrong keys of the API") < 5
    assert "AAAAAAAA" not in log


def test_each_request_needs_its_scope(api):
    scopes = {"READ": "read", "POSTS": "posts", "SYSTEMS": "systems",
              "SUBSCRIBERS": "subscribers"}
    for method, path, scope, has_body in routes():
        if scope == "0":
            continue
        path = path.replace("{n}", "1").replace("{s}", "x")
        data = {} if has_body == "1" else None
        for other in set(scopes.values()) - {scopes[scope]}:
            assert api.ask(method, path, data, key=other)[0] == 403, (
                method, path, other)
        assert api.ask(method, path, data, key=scopes[scope])[0] not in (
            401, 403), (method, path)


# --- the description --------------------------------------------------------------------


def routes():
    return re.findall(r'^API\((\w+), +"([^"]+)", +(\w+), +(\d),', ROUTES, re.M)


def test_the_description_has_the_routes_of_the_code_and_no_others(api):
    code = {(m.lower(), re.sub(r"\{\w+\}", "{}", p), s.lower())
            for m, p, s, _ in routes()}
    assert len(code) > 20
    described = set()
    for path, ops in OPENAPI["paths"].items():
        for method, op in ops.items():
            if method != "parameters":
                (scope,) = (op["security"] or [{"key": ["0"]}])[0]["key"]
                described.add((method, re.sub(r"\{\w+\}", "{}", path), scope))
                assert bool(op.get("requestBody")) == (next(
                    b for m, p, _, b in routes() if m.lower() == method and
                    re.sub(r"\{\w+\}", "{}", p) ==
                    re.sub(r"\{\w+\}", "{}", path)) != "0"), (method, path)
    assert described == code
    # And the parameters.
    code = {(m.lower(), re.sub(r"\{\w+\}", "{}", p)): set(q.split())
            for m, p, q in re.findall(
                r'^API\((\w+), +"([^"]+)", +\w+, +\d, +"([^"]*)"', ROUTES, re.M)}
    for path, ops in OPENAPI["paths"].items():
        for method, op in ops.items():
            if method == "parameters":
                continue
            named = [OPENAPI["components"]["parameters"][
                p["$ref"].rsplit("/", 1)[1]] if "$ref" in p else p
                for p in op.get("parameters", ())]
            assert {p["name"] for p in named if p["in"] == "query"} == code[
                (method, re.sub(r"\{\w+\}", "{}", path))], (method, path)
    status, _, served = api.ask("GET", "/openapi.json", key=None)
    assert (status, served) == (200, OPENAPI)


VALUES = {  # A good value of each member that can be written.
    "title": "T", "body": "B", "author": "Ops", "language": "fr",
    "published": "2026-01-02T03:04:05Z", "next_update": None, "from": None,
    "to": None, "incident": None, "affected": [{"system": "apisys"}],
    "tags": ["t"], "categories": ["c"], "state": "identified", "quiet": True,
    "kind": "incident", "role": "web", "city": "Lusaka", "country": "Zambia",
    "internal": True, "order": 3, "parents": [], "system": "apisys",
    "every_s": 864000, "note": "n", "scope": "all", "names": [], "to ": None}


def test_every_described_member_can_be_written_and_no_other(api):
    """Both ways: what openapi.json lists is taken, and more is refused."""
    api.ask("PUT", "/systems/apisys", {"role": "mail"})
    n = new_post(api)["number"]
    api.ask("POST", f"/posts/{n}/updates", {"body": "x"})
    def reopen(path):
        """What is over cannot be resolved."""
        if path.endswith("/resolve"):
            api.ask("POST", f"/posts/{n}/updates", {"state": "investigating"})
    for schema, method, path, base in (
            ("NewPost", "POST", "/posts", {"kind": "incident", "title": "T"}),
            ("PostChange", "PATCH", f"/posts/{n}", {}),
            ("NewUpdate", "POST", f"/posts/{n}/updates", {"body": "b"}),
            ("NewUpdate", "POST", f"/posts/{n}/resolve", {}),
            ("UpdateChange", "PATCH", f"/posts/{n}/updates/1", {}),
            ("SystemValue", "PUT", "/systems/apisys", {"role": "mail"})):
        members = OPENAPI["components"]["schemas"][schema]["properties"]
        for member in members:
            value = VALUES.get(member, f"slug-{schema.lower()}")
            reopen(path)
            status, _, v = api.ask(method, path, {**base, member: value})
            assert status in (200, 201), (schema, member, v)
        for wrong in ("number", "created", "id", "titel", "updates"):
            reopen(path)
            status, _, v = api.ask(method, path, {**base, wrong: 1})
            assert (status, v["field"]) == (422, wrong), (schema, wrong)


# --- posts --------------------------------------------------------------------------------


def test_the_life_of_an_incident(api):
    api.ask("PUT", "/systems/AB12", {"role": "mail"})
    p = new_post(api, affected=[{"system": "AB12", "impact": "partial"}],
                 tags=["mail"], next_update="2030-01-01T01:00:00+01:00")
    n = p["number"]
    assert p["next_update"] == "2030-01-01T00:00:00Z"
    assert (p["state"], p["updates"]) == ("investigating", [])
    status, fields, p = api.ask("POST", f"/posts/{n}/updates", {
        "state": "identified", "body": "A *cable*."}, schema="Post")
    assert status == 201 and p["state"] == "identified"
    assert p["updates"][0]["affected"] == p["affected"]
    status, _, p = api.ask("PATCH", f"/posts/{n}/updates/1",
                           {"body": "A *cut* cable."}, schema="Post")
    assert p["updates"][0]["body"] == "A *cut* cable."
    assert p["updates"][0]["edited"]
    status, _, p = api.ask("POST", f"/posts/{n}/resolve", schema="Post")
    assert (status, p["state"]) == (200, "resolved") and p["resolved"]
    assert p["affected"] == [{"system": "AB12", "impact": "none"}]
    # The command line sees the same, byte for byte.
    assert json.loads(api.server.cli("post", "show", str(n), "--json")) == p
    assert api.ask("DELETE", f"/posts/{n}/updates/1")[0] == 204
    assert api.ask("DELETE", f"/posts/{n}/updates/1")[0] == 404
    assert api.ask("DELETE", f"/posts/{n}")[0] == 204
    for method in ("GET", "DELETE"):
        assert api.ask(method, f"/posts/{n}")[0] == 404
    # A number is not given again.
    assert new_post(api)["number"] == n + 1


def test_an_edit_of_what_has_changed_meanwhile_is_refused(api):
    n = new_post(api)["number"]
    _, fields, p = api.ask("GET", f"/posts/{n}", schema="Post")
    old = fields["ETag"]
    assert api.ask("GET", f"/posts/{n}", If_None_Match=old)[0] == 304
    status, fields, p = api.ask("PATCH", f"/posts/{n}", {"title": "Two"},
                                If_Match=old, schema="Post")
    assert (status, p["title"]) == (200, "Two") and fields["ETag"] != old
    for method, path, data in (
            ("PATCH", "", {"title": "Three"}), ("DELETE", "", None),
            ("POST", "/updates", {"body": "x"}), ("POST", "/resolve", {})):
        assert api.ask(method, f"/posts/{n}{path}", data,
                       If_Match=old)[0] == 412, (method, path)
    assert api.ask("GET", f"/posts/{n}")[2]["title"] == "Two"
    assert api.ask("DELETE", f"/posts/{n}",
                   If_Match=fields["ETag"])[0] == 204


def test_a_condition_is_a_list_of_strong_tags(api):
    """RFC 9110 sections 5.3 and 13.1.1."""
    path = f"/posts/{new_post(api)['number']}"

    def edit(*lines):
        c = http.client.HTTPConnection("127.0.0.1", api.server.ports["http"],
                                       timeout=60)
        body = json.dumps({"title": "Other"}).encode()
        c.putrequest("PATCH", "/api/v1" + path)
        for name, value in (("Authorization", f"Bearer {api.keys['all']}"),
                            ("Content-Type", "application/json"),
                            ("Content-Length", str(len(body))),
                            *(("If-Match", line) for line in lines)):
            c.putheader(name, value)
        c.endheaders(body)
        status = c.getresponse().status
        c.close()
        return status

    def tag():
        return api.ask("GET", path)[1]["ETag"]
    assert edit('"x"', tag()) == 200
    assert edit(tag(), '"x"') == 200
    assert edit("*") == 200
    assert edit("W/" + tag()) == 412
    assert edit('"x"', '"y"') == 412
    for lines in ([""], ["", ""], [tag(), "x"], ["x", tag()], ["*", tag()],
                  [tag().strip('"')]):
        assert edit(*lines) == 400, lines


def test_what_is_no_post_is_refused(api):
    for data, field in (
            ({"kind": "rumour", "title": "x"}, "kind"),
            ({"title": "x"}, "kind"), ({"kind": "notice"}, "title"),
            ({"kind": "notice", "title": "a\nb"}, "title"),
            ({"kind": "notice", "title": "x", "body": 3}, "body"),
            ({"kind": "notice", "title": "x", "body": "\x1b"}, "body"),
            ({"kind": "notice", "title": "x", "body": "b" * 32769}, "body"),
            ({"kind": "notice", "title": "x", "state": "resolved"}, "state"),
            ({"kind": "notice", "title": "x", "tags": ["a,b"]}, "tags[0]"),
            ({"kind": "notice", "title": "x", "tags": "a"}, "tags"),
            ({"kind": "notice", "title": "x", "published": "soon"},
             "published"),
            ({"kind": "notice", "title": "x", "affected": [{"system": "a/b"}]},
             "affected[0].system"),
            ({"kind": "notice", "title": "x", "slug": "A b"}, "slug"),
            ({"kind": "maintenance", "title": "x"}, "from"),
            ({"kind": "post-mortem", "title": "x", "incident": 99999},
             "incident")):
        status, _, problem = api.ask("POST", "/posts", data)
        assert (status, problem["field"]) == (422, field), data
    for body, status in ((b"{", 400), (b"[]", 400), (b'{"a":1,"a":2}', 400),
                         (b'"x"', 400)):
        assert api.ask("POST", "/posts", body, Content_Type="application/json"
                       )[0] == status, body
    assert api.ask("POST", "/posts", b"kind=notice", Content_Type="text/plain"
                   )[0] == 415
    assert api.ask("POST", "/posts")[0] in (400, 415)
    assert api.ask("GET", "/posts", {"a": 1})[0] == 400
    # An update in a state that such a post does not have.
    n = new_post(api, kind="notice")["number"]
    api.ask("POST", f"/posts/{n}/updates", {"body": "x"})
    # What says nothing, and what names no system that there is.
    for method, path, data, field in (
            ("POST", f"/posts/{n}/updates", {}, "body"),
            ("POST", f"/posts/{n}/updates", {"body": " ", "quiet": True},
             "body"),
            ("PATCH", f"/posts/{n}", {}, None),
            ("PATCH", f"/posts/{n}/updates/1", {}, None),
            ("POST", "/posts", {"kind": "incident", "title": "x", "affected": [
                {"system": "mistyped"}]}, "affected[0].system"),
            ("PATCH", f"/posts/{n}", {"affected": [{"system": "mistyped"}]},
             "affected[0].system"),
            ("POST", f"/posts/{n}/updates", {"body": "x", "affected": [
                {"system": "mistyped"}]}, "affected[0].system")):
        status, _, problem = api.ask(method, path, data)
        assert (status, problem.get("field")) == (422, field), (path, data)
    assert len(api.ask("GET", f"/posts/{n}")[2]["updates"]) == 1
    assert api.ask("POST", f"/posts/{n}/updates",
                   {"state": "resolved"})[0] == 422
    assert api.ask("POST", f"/posts/{n}/resolve", {})[0] == 422


def test_a_body_that_is_too_large_is_not_read(api):
    c = http.client.HTTPConnection("127.0.0.1", api.server.ports["http"],
                                   timeout=60)
    c.putrequest("POST", "/api/v1/posts")
    c.putheader("Content-Length", str(1 << 30))
    c.endheaders()
    assert c.getresponse().status == 413
    c.close()


def test_markup_stays_text(api):
    p = new_post(api, title=HTML, body=HTML, author=HTML)
    assert p["title"] == p["body"] == HTML
    assert p["slug"].endswith("-script-alert-1-script")
    status, fields, _ = api.ask("GET", f"/posts/{p['number']}")
    assert fields["Content-Type"] == "application/json"
    assert fields["X-Content-Type-Options"] == "nosniff"
    status, fields, v = api.ask("GET", "/" + urllib.parse.quote(HTML))
    assert status == 404 and HTML not in json.dumps(v)


def test_pages(api):
    """The newest first, and from there on."""
    posts = [new_post(api, tags=["pages"])["number"] for _ in range(5)]
    for text in ("one", "two", "three"):
        api.ask("POST", f"/posts/{posts[1]}/updates", {"body": text})
    _, _, page = api.ask("GET", "/posts?limit=1")
    assert [p["number"] for p in page["posts"]] == [posts[-1]]
    assert page["next"] == str(posts[-1])
    found, after = [], ""
    while after is not None:
        _, _, page = api.ask("GET", f"/posts?tag=pages&limit=2{after}",
                             schema="Posts")
        assert 0 < len(page["posts"]) <= 2
        found += page["posts"]
        after = page["next"] and f"&after={page['next']}"
        # One that comes meanwhile moves nothing.
        new_post(api, tags=["pages"])
    assert [p["number"] for p in found] == posts[::-1]
    # A list says of a post what is said of it alone.
    assert [api.ask("GET", f"/posts/{n}")[2] for n in posts[::-1]] == found
    assert [u["body"] for u in found[3]["updates"]] == ["one", "two", "three"]
    api.ask("POST", f"/posts/{posts[4]}/resolve")
    for is_open, rest in (("true", posts[3::-1]), ("false", posts[::-1])):
        _, _, page = api.ask("GET", f"/posts?open={is_open}&kind=incident&"
                             f"limit=100&after={posts[4] + 1}")
        assert [p["number"] for p in page["posts"]][:len(rest)] == rest
    for bad in ("limit=0", "limit=101", "limit=x", "after=x", "kind=rumour",
                "open=maybe", "tag=" + "x" * 1001):
        assert api.ask("GET", f"/posts?{bad}")[0] == 400, bad


def test_a_parameter_that_is_not_known_is_named(api):
    for path in ("/posts", "/posts/1", "/systems", "/audit", "/openapi.json"):
        status, _, problem = api.ask("GET", path + "?limt=1")
        assert (status, problem["field"]) == (400, "limt"), path
        assert "limt" in problem["detail"]
    for query, field in (("limit=1&limit=2", "limit"),
                         ("limit=1000", "limit"), ("%6cimit=1&x", "x"),
                         ("tag=%ff", "tag"), ("tag=a%00", "tag"),
                         ("kind=rumour", "kind"), ("open=maybe", "open"),
                         ("after=x", "after")):
        status, _, problem = api.ask("GET", "/posts?" + query)
        assert (status, problem["field"]) == (400, field), query
    for path in ("/maintenance", "/checks"):
        for name in ("x" * 200, "a/b", ""):
            assert api.ask("GET", f"{path}?system={name}")[0] == 400, path


def test_many_who_add_at_once_get_numbers_of_their_own(api):
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        posts = list(pool.map(lambda i: new_post(api, title="At once"),
                              range(16)))
    assert len({p["number"] for p in posts}) == 16


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


def test_an_archive_is_imported_once(api, tmp_path):
    def send(text, **more):
        return api.ask("POST", "/posts/import", {"text": text, **more},
                       key="posts", schema="Import")[2]

    def newest(n):
        return api.ask("GET", f"/posts?limit={n}")[2]["posts"]
    last = newest(1)[0]["number"]
    assert send(PAGE, dry_run=True) == {"found": 2, "added": 2}
    assert newest(1)[0]["number"] == last
    assert send(PAGE) == {"found": 2, "added": 2}
    assert send(PAGE, dry_run=False) == {"found": 2, "added": 0}
    new, old = newest(2)
    assert (old["number"], new["number"]) == (last + 1, last + 2)
    assert old["published"] == "2018-06-06T09:00:00Z"
    assert new["slug"] == "2018-06-07-ab12-disks-part-2"
    assert new["imported"] and new["body"].startswith("All is \\*well\\*")
    assert set(new["tags"]) == {"disks", "mail", "mail server"}
    lines = [x for x in the_log(api) if x["what"] == "post.import"]
    assert [x["detail"] for x in lines] == [new["title"], old["title"]]
    # The command line knows it as well, and what is new in it comes in between.
    (tmp_path / "page").write_text(PAGE)
    assert json.loads(api.server.cli(
        "post", "import", str(tmp_path / "page"), "--json"))["added"] == 0
    assert api.ask("DELETE", f"/posts/{old['number']}")[0] == 204
    assert send(PAGE) == {"found": 2, "added": 1}
    assert newest(1)[0]["slug"] == old["slug"]
    for p in newest(2):
        assert api.ask("DELETE", f"/posts/{p['number']}")[0] == 204


def test_what_is_no_archive_is_refused(api):
    many = "".join(f"A{i}\n\n7 June 2018 09:12:19 +0000\n\n" for i in range(501))
    long = "AB12: Long\n\n7 June 2018 09:12:19 +0000\n\n" + "long " * 7000
    for body, field in (({}, "text"), ({"text": "No posts."}, "text"),
                        ({"text": 3}, "text"), ({"text": many}, "text"),
                        ({"text": long}, "text"),
                        ({"text": PAGE, "dry_run": "no"}, "dry_run"),
                        ({"text": PAGE, "tags": []}, "tags")):
        status, _, problem = api.ask("POST", "/posts/import", body)
        assert (status, problem["field"]) == (422, field), body
    # As much as a body may be.
    status, _, found = api.ask("POST", "/posts/import", {
        "text": " " * 250000 + PAGE, "dry_run": True})
    assert (status, found["found"]) == (200, 2)
    assert api.ask("POST", "/posts/import", "[]",
                   Content_Type="application/json")[0] == 400
    assert api.ask("GET", "/posts/import")[0] == 405


# --- systems, checks, windows ------------------------------------------------------------------


def test_systems(api):
    value = {"role": "mail", "city": "Lusaka", "country": "Zambia", "order": 2}
    status, fields, s = api.ask("PUT", "/systems/API1", value, schema="System")
    assert status == 201 and s["id"] == "API1" and s["parents"] == []
    old = fields["ETag"]
    assert api.ask("PUT", "/systems/api1", value, If_None_Match="*")[0] == 412
    status, fields, s = api.ask("PUT", "/systems/API1", {
        "role": "web", "parents": []}, If_Match=old, schema="System")
    assert (status, s["role"], s["city"]) == (200, "web", None)
    assert api.ask("PUT", "/systems/API1", value, If_Match=old)[0] == 412
    assert api.ask("PUT", "/systems/API2", value, If_Match=old)[0] == 412
    assert api.ask("PUT", "/systems/API2", {**value, "parents": ["nobody"]}
                   )[0] == 422
    assert api.ask("PUT", "/systems/API2", {**value, "parents": ["api1"]}
                   )[0] == 201
    assert api.ask("PUT", "/systems/a%2Fb", value)[0] in (404, 405)
    assert api.ask("PUT", "/systems/a%20b", value)[0] == 404
    _, _, found = api.ask("GET", "/systems?limit=100", schema="Systems")
    assert {"API1", "API2"} <= {s["id"] for s in found["systems"]}
    assert json.loads(api.server.cli("system", "list", "--json"))["systems"]
    # API2 depends on API1: not the other way as well.
    status, _, problem = api.ask("PUT", "/systems/API1", {
        **value, "parents": ["API2"]})
    assert (status, problem["field"]) == (422, "parents[0]")
    r = api.server.cli("system", "change", "API1", "--parents", "API2",
                       check=False)
    assert r.returncode == 1 and "does not depend on this one" in r.stderr
    tag = api.ask("GET", "/systems/API2")[1]["ETag"]
    assert api.ask("DELETE", "/systems/API2", If_Match='"x"')[0] == 412
    assert api.ask("DELETE", "/systems/API2", If_Match=tag)[0] == 204
    assert api.ask("DELETE", "/systems/API1")[0] == 204
    assert api.ask("DELETE", "/systems/API1")[0] == 404
    assert api.ask("GET", "/systems/API1")[0] == 404


def test_a_system_has_a_state(api):
    """Also one that is internal, of which strangers hear nothing."""
    nothing = {"state": None, "since": None, "at": None, "latency_us": None,
               "uptime_ppm": None, "coverage_ppm": 0, "planned": False,
               "unstable": False}

    def state(of):
        status, fields, s = api.ask("GET", f"/systems/{of}/state", key="read")
        assert status in (200, 503), s
        if status == 503:  # the watcher is taking the change in
            return None
        assert "ETag" not in fields
        api.check("SystemState", s)
        return s
    assert api.ask("GET", "/systems/State1/state")[0] == 404
    for name, internal in (("State1", False), ("State2", True)):
        assert api.ask("PUT", f"/systems/{name}", {
            "role": "mail", "internal": internal})[0] == 201
        assert wait_for(lambda: state(name)) == {"system": name, **nothing}
    # One that answers and one that does not; the worst counts.
    with Port() as up, Port() as closed:
        closed.close()
        for name, port in (("State1", up), ("State2", closed)):
            assert api.ask("PUT", f"/checks/{name}/tcp", {
                "kind": "tcp", "target": port.target,
                "options": {"every": "2s"}})[0] == 204
        good = wait_for(lambda: (s := state("state1")) and s["state"] == "up"
                        and s["uptime_ppm"] is not None and s)
        assert good["since"] and good["at"] and good["latency_us"] > 0
        assert (good["uptime_ppm"], good["planned"]) == (1000000, False)
        bad = wait_for(lambda: (s := state("STATE2")) and
                       s["state"] == "down" and s)
        assert bad["system"] == "State2"
    for name in ("State1", "State2"):
        assert api.ask("DELETE", f"/checks/{name}/tcp")[0] == 204
        wait_for(lambda: api.ask("GET", f"/checks?system={name}")[2].get(
            "checks") == [], what="it is gone")
        assert api.ask("DELETE", f"/systems/{name}")[0] == 204


def test_a_new_system_comes_last(api):
    api.ask("PUT", "/systems/last1", {"role": "mail", "order": 500})
    assert api.ask("PUT", "/systems/last2", {"role": "mail"}
                   )[2]["order"] == 510
    # What a change does not name stays where it is.
    assert api.ask("PUT", "/systems/last2", {"role": "web"})[2]["order"] == 510
    assert api.ask("PUT", "/systems/last2", {"role": "web", "order": 3}
                   )[2]["order"] == 3
    api.server.cli("system", "add", "last3", "web")
    assert api.ask("GET", "/systems/last3")[2]["order"] == 510
    for name in ("last1", "last2", "last3"):
        assert api.ask("DELETE", f"/systems/{name}")[0] == 204


def test_checks_of_the_api_stay_out_of_networks_of_ours(make_server):
    ns = HostileServer({("inner.example", "A"): ["127.0.0.1"]})
    port = Port()
    try:
        inner = f"inner.example:{port.number}"
        server = make_server({"dns": {"servers": [ns.address],
                                      "dnssec": "no"}})
        api = Api(server)
        for s in ("api8", "cli8"):
            assert api.ask("PUT", f"/systems/{s}", {"role": "mail"})[0] == 201
        # What says itself where it goes is refused at once.
        for kind, target, options in (
                ("http", "http://169.254.169.254/latest/", {}),
                ("tcp", "127.0.0.1:22", {}), ("ping", "10.0.0.1", {}),
                ("tcp", "[fd00::1]:25", {}), ("imap", "localhost", {}),
                ("ping", "::ffff:192.168.0.1", {}),
                ("dns", "example.org", {"server": "192.168.0.1"}),
                ("soa", "example.org", {"server": ["192.0.2.1", "[::1]:53"]}),
                ("roundtrip", "a@example.org", {
                    "via": "127.0.0.1", "imap": "mail.example.org",
                    "login": "a", "password": "b"}),
                ("tcp", "example.org:25", {"public": "no"})):
            status, _, problem = api.ask("PUT", "/checks/api8/no", {
                "kind": kind, "target": target, "options": options})
            assert status == 422, target
            assert "command line" in problem["detail"], problem
        # A name may lead anywhere at any time: it is seen when it is probed.
        check = {"kind": "tcp", "target": inner, "options": {"every": "2s"}}
        assert api.ask("PUT", "/checks/api8/t", check)[0] == 204

        def is_refused():
            rows = api.ask("GET", "/checks?system=api8")[2]["checks"]
            return rows and "private network" in (rows[0]["text"] or "")
        wait_for(is_refused, what="it is not told")
        port.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            port.socket.accept()
        # The command line goes anywhere.
        server.cli("check", "add", "cli8/t", "tcp", inner, "every=2s")

        def is_up(system):
            rows = api.ask("GET", f"/checks?system={system}")[2]["checks"]
            return rows and rows[0]["state"] == "up"
        wait_for(lambda: is_up("cli8"), what="that of the command line")
        assert not is_up("api8")
        # Nor does a key have it run there, whoever made it.
        for name in ("cli8/t", "api8/t"):
            status, found = run(api, name)
            assert (status, found["outcome"]) == (200, "failed"), found
            assert "private network" in found["text"]
        assert json.loads(server.cli("check", "run", "cli8/t", "--json")
                          )["outcome"] == "ok"
        # The operator may say that these networks are open to keys.
        server.configure({"watch": {"api_networks": ["127.0.0.0/8"]}})
        server.cli("reload")
        wait_for(lambda: is_up("api8"), what="where it may go now")
        assert run(api, "cli8/t")[1]["outcome"] == "ok"
        literal = {"kind": "imap", "target": "localhost:143"}
        assert api.ask("PUT", "/checks/api8/l", literal)[0] == 204
        literal["target"] = "10.0.0.1:143"
        assert api.ask("PUT", "/checks/api8/l", literal)[0] == 422
        assert api.ask("GET", "/checks/api8/l")[2]["options"] == {
            "public": ["yes"]}
    finally:
        port.close()
        ns.close()


def run(api, check):
    """(status, what was found): the watcher may be taking the check in."""
    def answer():
        status, fields, v = api.ask("POST", f"/checks/{check}/run",
                                    key="systems")
        return status != 503 and (status, v, fields)
    return wait_for(answer)[:2]


def test_a_check_is_run_now(api):
    api.ask("PUT", "/systems/RUN1", {"role": "mail"})
    check = {"kind": "imap", "target": f"127.0.0.1:{api.server.ports['imap']}",
             "options": {"login": "nobody@test.example", "tls": "starttls",
                         "verify": "no", "password": "s3cret", "every": "1h",
                         "timeout": "60s"}}
    assert run(api, "RUN1/imap")[0] == 404
    assert api.ask("PUT", "/checks/RUN1/imap", check)[0] == 204
    status, found = run(api, "RUN1/imap")
    assert status == 200
    api.check("CheckRun", found)
    assert (found["system"], found["check"]) == ("run1", "imap")
    assert (found["outcome"], found["cause"]) == ("failed", "login"), found
    assert "connect" in [s["name"] for s in found["stages"]]
    assert any("STARTTLS" in line for line in found["dialogue"])
    assert "s3cret" not in json.dumps(found)
    # The same as the command line shows.
    shown = json.loads(api.server.cli("check", "run", "run1/imap", "--json",
                                      check=False).stdout)
    assert [shown[x] for x in ("outcome", "cause", "found")] == [
        found[x] for x in ("outcome", "cause", "text")]
    # It changes nothing, and is no line of the log.
    assert "check.run" not in {x["what"] for x in the_log(api)}
    # It goes to somebody's server: there is a limit, from one address.
    def again():
        return api.ask("POST", "/checks/RUN1/none/run", source="127.0.0.8")
    assert [again()[0] for _ in range(30)] == [404] * 30
    # One more is allowed each two seconds.
    status, fields, _ = wait_for(lambda: (a := again())[0] != 404 and a,
                                 what="there is none")
    assert status == 429 and 1 <= int(fields["Retry-After"]) <= 60
    assert run(api, "RUN1/none")[0] == 404
    assert api.ask("DELETE", "/checks/RUN1/imap")[0] == 204


def test_checks_and_their_passwords(api):
    api.ask("PUT", "/systems/API3", {"role": "mail"})
    port = str(api.server.ports["imap"])
    check = {"kind": "imap", "target": "127.0.0.1:" + port, "options": {
        "login": "probe@test.example", "password": "s3cret-password",
        "tls": "starttls", "verify": "no", "every": "10s"}}
    assert api.ask("PUT", "/checks/API3/imap", check)[0] == 204
    assert api.ask("PUT", "/checks/nobody/imap", check)[0] == 404
    for wrong in ({**check, "kind": "pong"}, {**check, "options": {"x": "y"}},
                  {**check, "target": ""}, {**check, "options": {"login": "x"}},
                  {**check, "options": {"days": 3}}, {**check, "more": 1}):
        assert api.ask("PUT", "/checks/API3/bad", wrong)[0] == 422, wrong
    (row,) = wait_for(lambda: api.ask(
        "GET", "/checks?system=API3", schema="Checks")[2]["checks"], 10,
        "the watcher knows it")
    assert (row["system"], row["check"], row["kind"]) == ("api3", "imap",
                                                          "imap")
    _, fields, shown = api.ask("GET", "/checks/API3/IMAP",
                               schema="CheckConfig")
    tag = fields["ETag"]
    assert shown["options"] == {
        name: [value] for name, value in check["options"].items()
        if name != "password"} | {"public": ["yes"]}
    assert (shown["kind"], shown["target"]) == (check["kind"],
                                                check["target"])
    assert api.ask("PUT", "/checks/API3/imap", check,
                   If_None_Match="*")[0] == 412
    assert api.ask("PUT", "/checks/API3/other", check, If_Match=tag)[0] == 412
    assert api.ask("PUT", "/checks/API3/imap", check, If_Match='"x"')[0] == 412
    # Only the password is another one: that is a change as well.
    check["options"]["password"] = "s3cret-and-new"
    assert api.ask("PUT", "/checks/API3/imap", check, If_Match=tag)[0] == 204
    assert api.ask("PUT", "/checks/API3/imap", check, If_Match=tag)[0] == 412
    assert api.ask("DELETE", "/checks/API3/imap", If_Match=tag)[0] == 412
    assert api.ask("GET", "/checks/API3/nothing")[0] == 404
    assert api.ask("DELETE", "/checks/API3/nothing")[0] == 404
    tag = api.ask("GET", "/checks/API3/IMAP")[1]["ETag"]
    shown = json.loads(api.server.cli("check", "list", "--json"))
    assert any(c["target"] == check["target"] for c in shown["checks"])
    everything = json.dumps([api.ask("GET", p)[2] for p in (
        "/checks", "/checks/API3/imap", "/systems", "/audit?limit=100")])
    assert "s3cret" not in everything
    assert api.ask("DELETE", "/systems/API3")[0] == 409
    assert api.ask("DELETE", "/checks/API3/imap", If_Match=tag)[0] == 204
    wait_for(lambda: api.ask("GET", "/checks?system=API3")[2].get(
        "checks") == [], what="it is gone")
    window = {"system": "API3", "from": "2030-01-01T10:00:00Z",
              "to": "2030-01-01T12:00:00Z", "note": "disks"}
    status, fields, w = api.ask("POST", "/maintenance", window,
                                schema="Window")
    assert status == 201 and w["to"] == window["to"]
    place = fields["Location"].removeprefix("/api/v1")
    assert api.ask("POST", "/maintenance", window)[0] == 409
    assert api.ask("POST", "/maintenance", {**window, "system": "nobody"}
                   )[0] == 422
    assert api.ask("POST", "/maintenance", {**window, "to": window["from"]}
                   )[0] == 422
    _, _, found = api.ask("GET", "/maintenance?system=API3", schema="Windows")
    assert [x["id"] for x in found["windows"]] == [w["id"]]
    assert api.ask("DELETE", "/systems/API3")[0] == 409
    _, fields, shown = api.ask("GET", place, schema="Window")
    assert shown == w
    assert api.ask("DELETE", place, If_Match='"x"')[0] == 412
    assert api.ask("DELETE", place, If_Match=fields["ETag"])[0] == 204
    assert api.ask("GET", place)[0] == 404
    assert api.ask("DELETE", place)[0] == 404
    assert api.ask("DELETE", "/systems/API3")[0] == 204


# --- people ---------------------------------------------------------------------------------------


def test_subscribers(api):
    for names in (["nobody"], ["sub1", "nobody"]):
        api.ask("PUT", "/systems/SUB1", {"role": "mail"})
        status, _, problem = api.ask("POST", "/subscribers", {
            "to": "sys@example.org", "scope": "systems", "names": names})
        assert (status, problem["field"]) == (422, f"names[{len(names) - 1}]"), names
    assert api.ask("POST", "/subscribers", {
        "to": "sys@example.org", "scope": "systems", "names": ["sub1"]}
        )[0] == 201
    assert api.ask("DELETE", "/subscribers?to=sys@example.org")[0] == 204
    assert api.ask("DELETE", "/systems/SUB1")[0] == 204
    status, _, s = api.ask("POST", "/subscribers", {
        "to": "Api@Example.org", "scope": "tags", "names": ["mail"]},
        schema="AddedSubscriber")
    assert (status, s["to"], s["secret"]) == (201, "api@example.org", None)
    assert api.ask("POST", "/subscribers", {"to": "api@example.org"})[0] == 409
    _, _, hook = api.ask("POST", "/subscribers", {
        "to": "https://hook.example/api"}, schema="AddedSubscriber")
    assert len(hook["secret"]) == 43
    for wrong in ({"to": "nobody"}, {}, {"to": "a@b.example", "scope": "tags"},
                  {"to": "a@b.example", "language": "xx"},
                  {"to": "a@b.example\r\nX: y"}, {"to": "a@b.example",
                                                  "confirmed": True}):
        assert api.ask("POST", "/subscribers", wrong)[0] == 422, wrong
    _, _, found = api.ask("GET", "/subscribers", schema="Subscribers")
    assert {"api@example.org", hook["to"]} <= {
        x["to"] for x in found["subscribers"]}
    assert hook["secret"] not in json.dumps(found)
    for who in ("API@example.org", hook["to"]):
        path = "/subscribers?to=" + urllib.parse.quote(who, safe="")
        _, fields, found = api.ask("GET", path, schema="Subscribers")
        assert [x["to"] for x in found["subscribers"]] == [who.lower()]
        assert api.ask("DELETE", path, If_Match='"x"')[0] == 412
        assert api.ask("DELETE", path, If_Match=fields["ETag"])[0] == 204
        assert api.ask("DELETE", path)[0] == 404
        assert api.ask("GET", path)[2]["subscribers"] == []
    assert api.ask("GET", "/subscribers?to=nobody")[0] == 400
    status, _, problem = api.ask("POST", "/subscribers", {
        "to": "https://127.0.0.1/hook"})
    assert status == 422 and "watch.allow_local" in problem["detail"]


def test_subscribers_are_confirmed_and_resumed(api):
    c = http.client.HTTPConnection("127.0.0.1", api.server.ports["http"],
                                   timeout=60)
    c.request("POST", "/subscribe", "address=Pend%40example.org",
              {"Content-Type": "application/x-www-form-urlencoded"})
    assert c.getresponse().status == 200
    c.close()
    who = "?to=pend@example.org"

    def shown():
        _, fields, found = api.ask("GET", "/subscribers" + who)
        return found["subscribers"] and (found["subscribers"][0],
                                         fields["ETag"])

    def count(what):
        return [x["what"] for x in the_log(api)
                if x["object"] == "pend@example.org"].count(what)
    before, tag = wait_for(shown)
    assert not before["confirmed"] and before["confirmed_at"] is None
    for verb in ("confirm", "resume"):
        path = f"/subscribers/{verb}"
        assert api.ask("POST", path)[0] == 400
        assert api.ask("POST", path + "?to=nobody")[0] == 400
        assert api.ask("POST", path + "?to=nobody@example.org")[0] == 404
        assert api.ask("POST", path + who, If_Match='"x"')[0] == 412
    assert shown() == (before, tag)
    status, _, after = api.ask("POST", "/subscribers/confirm" + who,
                               key="subscribers", If_Match=tag,
                               schema="Subscriber")
    assert (status, after["confirmed"]) == (200, True)
    assert after["confirmed_at"] and shown()[0] == after
    # Again: it stays as it is, and so does the log.
    now = shown()
    for verb in ("confirm", "resume"):
        status, _, again = api.ask("POST", f"/subscribers/{verb}{who}")
        assert (status, again) == (200, after)
    assert shown() == now
    assert (count("subscriber.confirm"), count("subscriber.resume")) == (1, 0)
    assert api.ask("DELETE", "/subscribers" + who)[0] == 204


def the_log(api, **how):
    after, lines = "", []
    while after is not None:
        _, _, page = api.ask("GET", "/audit?limit=100&after=" +
                             urllib.parse.quote(after, safe=""), **how)
        lines += page["lines"]
        after = page["next"]
    return lines


def test_every_change_is_in_the_log(api):
    api.server.cli("alert", "add", "logged", "mail=secret@example.org")
    n = new_post(api, title="Logged")["number"]
    _, _, page = api.ask("GET", "/audit?limit=1")
    assert [x["object"] for x in page["lines"]] == [str(n)]
    lines = the_log(api, schema="Lines")
    times = [x["at"] for x in lines]
    assert times == sorted(times, reverse=True)
    (line,) = [x for x in lines if x["object"] == str(n)]
    assert (line["what"], line["detail"]) == ("post.new", "Logged")
    assert line["who"].startswith("key ") and "test all" in line["who"]
    assert line["from"] == "127.0.0.1"
    # Where operators are told is not for keys.
    assert [x["detail"] for x in lines if x["what"] == "alert.put"] == [None]
    whats = {x["what"] for x in lines}
    assert {"post.new", "post.update", "post.resolve", "post.edit",
            "post.delete", "system.put", "system.remove", "check.put",
            "check.remove", "maintenance.put", "maintenance.remove",
            "subscriber.add", "subscriber.remove", "subscriber.confirm",
            "post.import", "key.add", "key.revoke"} <= whats
    secrets = [k.split("_", 2)[2] for k in api.keys.values()]
    log = api.server.log_file.read_text()
    assert not any(s in json.dumps(lines) or s in log for s in secrets)


def test_all_described_members_were_seen(api):
    """Behind the others: what openapi.json says of answers is all there."""
    described = OPENAPI["components"]["schemas"]
    assert len(api.seen) > 10
    for name, members in api.seen.items():
        assert members == set(described[name]["properties"]), name


def test_paths_and_methods_that_there_are_not(api):
    assert api.ask("GET", "/nothing")[0] == 404
    status, fields, _ = api.ask("PUT", "/posts", {})
    assert (status, fields["Allow"]) == (405, "GET, HEAD, POST")
    for path in ("/posts/x", "/posts/1/updates/x", "/posts/1/", "//",
                 "/posts/99999999999999999999"):
        assert api.ask("PATCH", path, {})[0] in (404, 405), path


def test_a_key_that_only_reads_learns_no_subscriber(api):
    to = "https://hooks.example/hidden-path"
    assert api.ask("POST", "/subscribers", {"to": to})[0] == 201
    key = api.add_key("read")
    lines = the_log(api, key=key)
    assert any(x["what"] == "subscriber.add" for x in lines)
    assert "hidden-path" not in json.dumps(lines)


def test_a_body_without_a_key_is_not_waited_for(api):
    with socket.create_connection(("127.0.0.1", api.server.ports["http"]),
                                  PATIENCE_S) as s:
        s.sendall(b"POST /api/v1/posts HTTP/1.1\r\nHost: x\r\n"
                  b"Content-Type: application/json\r\n"
                  b"Content-Length: 100000\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 401 ")

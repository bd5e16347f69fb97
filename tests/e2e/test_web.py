# SPDX-License-Identifier: ISC
"""Role web: requests over HTTP and HTTPS, and what every answer carries."""
import gzip
import http.client
import os
import re
import socket

import pytest

from lib.instance import wait_for


def ask(server, method, path, service="http", **fields):
    if service == "https":
        c = http.client.HTTPSConnection("127.0.0.1", server.ports["https"],
                                        timeout=60, context=server.tls())
    else:
        c = http.client.HTTPConnection("127.0.0.1", server.ports["http"],
                                       timeout=60)
    c.request(method, path, headers=fields)
    r = c.getresponse()
    body = r.read()
    c.close()
    return r, body


@pytest.mark.parametrize("service", ("http", "https"))
def test_every_answer_has_the_security_fields(server, service):
    for path, status in (("/robots.txt", 200), ("/nothing", 404)):
        r, _ = ask(server, "GET", path, service)
        assert r.status == status
        assert "default-src 'none'" in r.headers["Content-Security-Policy"]
        assert r.headers["X-Content-Type-Options"] == "nosniff"
        assert r.headers["Referrer-Policy"] == "no-referrer"
        hsts = r.headers["Strict-Transport-Security"]
        assert bool(hsts) == (service == "https")


def test_methods_that_a_path_does_not_have(server):
    r, _ = ask(server, "DELETE", "/robots.txt")
    assert (r.status, r.headers["Allow"]) == (405, "GET, HEAD")
    r, _ = ask(server, "BREW", "/robots.txt")
    assert r.status == 501


def test_a_malformed_path_is_refused(server):
    assert ask(server, "GET", "/%zz")[0].status == 400
    assert ask(server, "GET", "/a/%2e%2e/robots.txt")[0].status == 200


def test_head_has_no_body(server):
    r, body = ask(server, "HEAD", "/robots.txt")
    assert r.status == 200 and body == b"" and int(r.headers["Content-Length"])


def test_status_shows_the_process_in_its_sandbox(server):
    out = server.cli("status")
    assert re.search(r"(?m)^web\b.*serving", out), out


def test_the_first_page_in_three_languages_and_from_the_cache(server):
    r, body = ask(server, "GET", "/")
    assert r.status == 200 and b"<html lang=\"en\"" in body
    assert "'sha256-" in r.headers["Content-Security-Policy"]
    assert "unsafe" not in r.headers["Content-Security-Policy"]
    for code, how in (("fr", {"Accept-Language": "de, fr;q=0.5"}),
                      ("pt", {"Accept-Language": "pt-BR"})):
        assert f"<html lang=\"{code}\"" in ask(
            server, "GET", "/", **how)[1].decode()
    _, body = ask(server, "GET", "/?lang=fr", **{"Accept-Language": "pt"})
    assert b"<html lang=\"fr\"" in body
    assert b"href=\"/subscribe?lang=fr\"" in body
    for encoding in ("gzip", "identity"):
        how = {"Accept-Encoding": encoding}
        r, body = ask(server, "GET", "/", **how)
        if encoding == "gzip":
            assert r.headers["Content-Encoding"] == "gzip"
            body = gzip.decompress(body)
        assert body.endswith(b"</html>\n")

        def is_known(how=how):
            tag = ask(server, "GET", "/", **how)[0].headers["ETag"]
            again = ask(server, "GET", "/", **how, **{"If-None-Match": tag})
            assert again[0].status in (200, 304)
            return again[0].status == 304
        # Again, in case that it was made anew in between.
        wait_for(is_known, what="it is never the same")


def test_it_gives_way_to_mail(server):
    def priority(role):
        return {os.getpriority(os.PRIO_PROCESS, p) for p in server.pids(role)}
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert priority("smtp") == priority("store") == {mine}
    assert priority("web") == {min(mine + 15, 19)}


def test_announced_bodies_take_no_place_from_others(server):
    """Strangers say that requests of agents are to come, and send none."""
    idle = []
    try:
        for i in range(270):
            c = socket.create_connection(
                ("127.0.0.1", server.ports["http"]), 10,
                source_address=(f"127.0.0.{2 + i // 90}", 0))
            idle.append(c)
            c.sendall(b"POST /api/agent/v1/sync HTTP/1.1\r\nHost: a\r\n"
                      b"Content-Length: 262144\r\n\r\n")
        r, _ = ask(server, "POST", "/subscribe")
        assert r.status not in (500, 503)
        c = http.client.HTTPConnection("127.0.0.1", server.ports["http"],
                                       timeout=60)
        c.request("POST", "/api/v1/posts", body="x" * 20000,
                  headers={"Authorization": "Bearer no-such-key",
                           "Content-Type": "application/json"})
        assert c.getresponse().status == 401
        c.close()
    finally:
        for c in idle:
            c.close()


def test_who_is_refused_again_and_again_is_one_line_of_the_log(make_server):
    s = make_server({"limits": {"connections_per_address": 3}})
    for service, event in (("http", "web.limit"), ("mx", "smtp.limit"),
                           ("imap", "imap.limit")):
        held = [socket.create_connection(("127.0.0.1", s.ports[service]), 10)
                for _ in range(3)]
        for _ in range(50):
            with socket.create_connection(
                    ("127.0.0.1", s.ports[service]), 10) as c:
                c.settimeout(60)
                assert c.recv(100), "it hears why"
        s.wait_log(f"event={event}")
        assert s.log().count(f"event={event}") == 1
        for c in held:
            c.close()

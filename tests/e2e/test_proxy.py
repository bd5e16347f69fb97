# SPDX-License-Identifier: ISC
"""Role web behind reverse proxies: who is believed, and what then sees the
visitor. All of 127.0.7.0/24 speaks for others, and nobody else does."""
import http.client
import json
import re
import socket

import pytest

from lib.instance import wait_for
from lib.proxy import Proxy

TRUSTED, OTHER = "127.0.7.1", "127.0.6.1"
VISITOR, FORGED = "192.0.2.1", "198.51.100.1"
SITE = {"site": {"proxies": ["127.0.7.0/24"]}}


def connection(port, source):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60,
                                      source_address=(source, 0))


def ask(port, source, path="/robots.txt", **fields):
    c = connection(port, source)
    c.request("GET", path, headers={k.replace("_", "-"): v
                                    for k, v in fields.items()})
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r, text


def seen(server, port, source, **fields):
    """As whom Check my connection and the log see who asks like that."""
    r, text = ask(port, source, "/check", **fields)
    assert r.status == 200
    shown = re.search(r"([0-9a-f.:]+) \(IPv[46]\)", text)[1]
    number = re.search(r'class="number">([0-9A-F]{4}-[0-9A-F]{4})<', text)[1]
    told = server.wait_log(
        rf"event=web\.check .*client=(\S+) number={number}")[1]
    assert told == shown
    return shown


@pytest.fixture
def box(make_server):
    return make_server(SITE)


def test_only_who_is_trusted_is_believed(box):
    port = box.ports["http"]
    assert seen(box, port, TRUSTED) == TRUSTED
    for field in (VISITOR, f"{FORGED}, {VISITOR}",
                  f"{FORGED}, {VISITOR}:80, 127.0.7.2"):
        assert seen(box, port, TRUSTED, X_Forwarded_For=field) == VISITOR
        assert seen(box, port, OTHER, X_Forwarded_For=field) == OTHER
    assert seen(box, port, TRUSTED, X_Forwarded_For="[2001:DB8::1]:4711"
                ) == "2001:db8::1"
    for field in ("unknown", "_hidden", "unix:/run/x", f"{VISITOR}, rubbish",
                  "fe80::1%eth0", "," * 5000, ""):
        assert seen(box, port, TRUSTED, X_Forwarded_For=field) == TRUSTED
    assert seen(box, port, TRUSTED, Forwarded=f"for={VISITOR}") == TRUSTED


def test_the_other_field_after_a_reload(box):
    port = box.ports["http"]
    box.configure({"site": {**SITE["site"], "proxy_field": "Forwarded"}})
    box.cli("reload")
    assert seen(box, port, TRUSTED, Forwarded=f"for={FORGED}, "
                f"for=\"{VISITOR}:80\";proto=https") == VISITOR
    assert seen(box, port, TRUSTED, Forwarded=f'for={FORGED}, x="') == TRUSTED
    assert seen(box, port, TRUSTED, X_Forwarded_For=VISITOR) == TRUSTED
    assert seen(box, port, OTHER, Forwarded=f"for={VISITOR}") == OTHER
    box.configure({"site": {"proxies": [], "proxy_field": "Forwarded"}})
    box.cli("reload")
    assert seen(box, port, TRUSTED, Forwarded=f"for={VISITOR}") == TRUSTED


def test_the_way_is_what_a_proxy_says(box):
    port = box.ports["http"]
    key = json.loads(box.cli("key", "add", "all", "--scopes", "all",
                             "--json"))["token"]

    def api(source, token=key, **fields):
        r, _ = ask(port, source, "/api/v1/posts",
                   Authorization=f"Bearer {token}", **fields)
        return r.status, r.headers["Strict-Transport-Security"] is not None
    by = {"X_Forwarded_For": VISITOR}
    assert api(TRUSTED, **by, X_Forwarded_Proto="https") == (200, True)
    assert api(TRUSTED, **by, X_Forwarded_Proto="http") == (403, False)
    assert api(TRUSTED, **by) == (403, False)
    # a proxy's own machine is not this one
    assert api(TRUSTED, X_Forwarded_For="127.0.0.1") == (403, False)
    assert api(OTHER, **by, X_Forwarded_Proto="https") == (200, False)
    assert api(TRUSTED, "mss_00000000_" + "A" * 43, **by,
               X_Forwarded_Proto="https") == (401, True)
    box.wait_log(rf"event=web\.api\.refused .*ip={re.escape(VISITOR)}\b")


def hold(port, source, visitor):
    """A request that is never complete."""
    c = socket.create_connection(("127.0.0.1", port), 60,
                                 source_address=(source, 0))
    c.sendall(b"POST /subscribe HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
              b"Content-Type: application/x-www-form-urlencoded\r\n"
              b"X-Forwarded-For: " + visitor.encode() + b"\r\n\r\n")
    return c


def test_limits_are_of_visitors_and_not_of_proxies(make_server):
    box = make_server({**SITE, "limits": {"connections_per_address": 3}})
    port, held = box.ports["http"], []

    def status(visitor):
        return ask(port, TRUSTED, X_Forwarded_For=visitor)[0].status

    def is_full():
        held.append(hold(port, TRUSTED, VISITOR))
        return status(VISITOR) == 429

    try:
        # Far more than one address may have.
        for i in range(20):
            c = connection(port, TRUSTED)
            held.append(c)
            c.request("GET", "/robots.txt",
                      headers={"X-Forwarded-For": f"192.0.2.{100 + i}"})
            assert c.getresponse().status == 200
        assert status(VISITOR) == 200
        wait_for(is_full, what="the visitor has no limit")
        assert status("192.0.2.2") == 200
        box.wait_log(rf"event=web\.limit .*ip={re.escape(VISITOR)} .*requests")
        assert f"ip={TRUSTED}" not in box.log()
    finally:
        for c in held:
            c.close()
    wait_for(lambda: status(VISITOR) == 200, what="the visitor stays shut out")


@pytest.mark.skipif(Proxy.why_not() is not None, reason=str(Proxy.why_not()))
def test_nginx_in_front(box):
    key = json.loads(box.cli("key", "add", "all", "--scopes", "all",
                             "--json"))["token"]
    n = Proxy(f"http://127.0.0.1:{box.ports['http']}", TRUSTED)
    try:
        n.start()
        for name in n.PORTS:
            assert seen(box, n.ports[name], OTHER) == OTHER
            assert seen(box, n.ports[name], OTHER,
                        X_Forwarded_For=FORGED) == OTHER
            r, _ = ask(n.ports[name], OTHER, "/api/v1/posts",
                       Authorization=f"Bearer {key}",
                       X_Forwarded_Proto="https")
            assert r.status == (200 if name == "https" else 403)
    finally:
        n.remove()

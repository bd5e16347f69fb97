# SPDX-License-Identifier: ISC
"""Checks against real servers in good and in broken states: Postfix, Dovecot,
nginx, Kamailio, and an address that swallows everything."""
import re

import pytest

from lib import pki, postfix
from lib.instance import Instance
from lib.watched import DovecotServer, Hole, Kamailio, Nginx
from test_watch import OK, REFUSED, probe

NAME = "mail.real.example"


@pytest.fixture(scope="module")
def ca():
    return pki.Cert("Test CA", is_ca=True)


@pytest.fixture(scope="module")
def certs(ca):
    """Good; of the past; of an authority that nobody knows."""
    return {"good": ca.issue(NAME), "old": ca.issue(NAME, days=-1),
            "other": pki.Cert("Other CA", is_ca=True).issue(NAME)}


@pytest.fixture(scope="module")
def box(ca):
    s = Instance({"watch": {"ca_file": ca.pem}})
    s.start()
    s.cli("system", "add", "Box", "mail")
    yield s
    try:
        s.stop()
    finally:
        s.remove()


def started(kind, cert):
    why = kind.why_not()
    if why:
        pytest.skip(why)
    peer = kind(cert)
    try:
        return peer.start()
    except BaseException:
        peer.remove()
        raise


def expect(box, cases):
    """(kind, target, options, password, status, what was found or its cause)"""
    for kind, target, options, password, code, text in cases:
        status, r = probe(box, kind, target, f"name={NAME}"
                          if kind not in ("ping", "tcp", "http") else
                          "timeout=20s", *options, password=password)
        assert status == code, (kind, target, options, r)
        assert re.search(text, r["found"] + " " + (r["cause"] or "")), r


def test_dovecot(box, certs):
    d = started(DovecotServer, certs["good"])
    login = ("login=someone",)
    try:
        expect(box, [
            ("imap", d.at("imap"), login, "secret", OK, "signed in"),
            ("imap", d.at("imaps"), ("tls=implicit", *login), "secret", OK,
             "signed in"),
            ("pop3", d.at("pop3"), login, "secret", OK, "signed in"),
            ("pop3", d.at("pop3s"), ("tls=implicit", *login), "secret", OK,
             "signed in"),
            ("sieve", d.at("sieve"), (), None, OK, ""),
            ("tls", d.at("sieve"), ("protocol=sieve",), None, OK,
             "certificate good"),
            ("tls", d.at("imap"), ("protocol=imap",), None, OK,
             "certificate good"),
            ("tls", d.at("pop3"), ("protocol=pop3", "days=90"), None, OK,
             "ends in"),
            ("imap", d.at("imap"), login, "wrong", REFUSED, "login"),
            ("pop3", d.at("pop3"), login, "wrong", REFUSED, "login"),
            ("tls", d.at("sieve"), ("protocol=sieve", "name=x.example"),
             None, REFUSED, "certificate"),
            ("smtp", d.at("imap"), (), None, REFUSED, "protocol$")])
        d.stop()
        expect(box, [("imap", d.at("imap"), login, "secret", REFUSED,
                      "refused"),
                     ("sieve", d.at("sieve"), (), None, REFUSED, "refused")])
    finally:
        d.remove()


def test_postfix(box, certs):
    why = postfix.why_not()
    if why:
        pytest.skip(why)
    for which, code, text in (("good", OK, "certificate good"),
                              ("old", REFUSED, "expired"),
                              ("other", REFUSED, "certificate")):
        cert = certs[which]
        p = postfix.Postfix(["real.example"], 9,
                            smtpd_tls_security_level="may",
                            smtpd_tls_chain_files=f"{cert.key}, {cert.pem}")
        p.start()
        try:
            at = f"{p.host}:{p.port}"
            expect(box, [
                ("smtp", at, ("tls=never",), None, OK, ""),
                ("smtp", at, ("tls=starttls",), None, code, ""),
                ("tls", at, ("protocol=smtp",), None, code, text)])
        finally:
            p.stop()


def test_nginx(box, certs):
    n = started(Nginx, certs["good"])
    url, secure = f"http://{n.at('http')}", f"https://{n.at('https')}"
    verify = f"name={NAME}"
    try:
        expect(box, [
            ("http", url + "/", ("json=mail.queue=7",), None, OK, ""),
            ("http", secure + "/", (verify, "body=queue"), None, OK, ""),
            ("http", url + "/old", ("code=301",), None, OK, ""),
            ("http", url + "/broken", (), None, REFUSED, "503"),
            ("http", url + "/", ("json=mail.queue=8",), None, REFUSED,
             "content"),
            ("http", secure + "/", ("name=x.example",), None, REFUSED,
             "certificate"),
            ("tls", n.at("https"), (), None, OK, "certificate good")])
    finally:
        n.remove()
    n = started(Nginx, certs["old"])
    try:
        expect(box, [("http", f"https://{n.at('https')}/", (verify,), None,
                      REFUSED, "expired")])
    finally:
        n.remove()


def test_kamailio(box, certs):
    k = started(Kamailio, certs["good"])
    try:
        expect(box, [
            ("sip", k.at("udp"), (), None, OK, "answers 200"),
            ("sip", k.at("tcp"), ("transport=tcp",), None, OK, "answers 200"),
            ("sip", k.at("tls"), ("transport=tls",), None, OK, "answers 200"),
            ("sip", k.at("tls"), ("transport=tls", "name=x.example"), None,
             REFUSED, "certificate")])
        k.stop()
        expect(box, [("sip", k.at("udp"), ("timeout=2s",), None, REFUSED,
                      "refused|no answer"),
                     ("sip", k.at("tcp"), ("transport=tcp",), None, REFUSED,
                      "refused")])
    finally:
        k.remove()


def test_an_address_that_swallows_everything(ca):
    why = Hole.why_not()
    if why:
        pytest.skip(why)
    hole = Hole()
    s = Instance({"watch": {"ca_file": ca.pem}})
    try:
        s.prefix = hole.prefix()
        s.start()
        s.cli("system", "add", "Box", "mail")
        quick = ("timeout=700ms",)
        expect(s, [
            # The way as far as the router is good.
            ("ping", "192.0.2.2", (), None, OK, ""),
            ("ping", "2001:db8::2", (), None, OK, ""),
            ("ping", Hole.ADDRESS, quick, None, REFUSED, "timeout"),
            ("ping", Hole.ADDRESS6, quick, None, REFUSED,
             "timeout"),
            ("tcp", Hole.ADDRESS + ":25", quick, None, REFUSED,
             "timeout"),
            ("tcp", f"[{Hole.ADDRESS6}]:25", quick, None, REFUSED,
             "timeout"),
            ("smtp", Hole.ADDRESS + ":25", quick, None, REFUSED,
             "timeout")])
        s.stop()
    finally:
        s.remove()
        hole.remove()

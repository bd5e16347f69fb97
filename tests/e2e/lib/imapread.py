# SPDX-License-Identifier: ISC
"""IMAP responses as trees: whatever form a string came in, it is bytes.

    name, items = fetch_response(b'* 1 FETCH (UID 7 ENVELOPE (NIL "x" ...))')
    items["ENVELOPE"][1] == b"x"

A list is a list, a number an int, NIL is None, strings are bytes and other
words are Atoms. The grammar of RFC 3501 section 9, and nothing beside it: what
does not follow it is an error.
"""
import re

ATOM = re.compile(rb'[^\x00-\x20\x7f()"{]+')
NAME = re.compile(rb'[A-Z0-9.]+(\[)?')
LITERAL = re.compile(rb'\{(\d+)\}\r\n')
QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
FETCH = re.compile(rb'\* (\d+) FETCH \(')


class Atom(bytes):
    pass


class Reader:
    def __init__(self, data, at=0):
        self.data = data
        self.at = at

    def fail(self, what):
        raise ValueError(
            f"{what} expected at {self.data[self.at:self.at + 60]!r} of "
            f"{self.data[:200]!r}")

    def take(self, char):
        if self.data[self.at:self.at + 1] != char:
            self.fail(repr(char))
        self.at += 1

    def is_at(self, char):
        return self.data[self.at:self.at + 1] == char

    def match(self, pattern, what):
        m = pattern.match(self.data, self.at)
        if not m:
            self.fail(what)
        self.at = m.end()
        return m

    def list(self):
        """Items with one blank between them; bodies may have none."""
        self.take(b"(")
        out = []
        while not self.is_at(b")"):
            if out and not (self.is_at(b"(") and isinstance(out[-1], list)):
                self.take(b" ")
            out.append(self.value())
        self.take(b")")
        return out

    def value(self):
        if self.is_at(b"("):
            return self.list()
        if self.is_at(b'"'):
            text = self.match(QUOTED, "quoted string")[1]
            return re.sub(rb"\\(.)", rb"\1", text, flags=re.S)
        if self.is_at(b"{"):
            n = int(self.match(LITERAL, "literal")[1])
            text = self.data[self.at:self.at + n]
            if len(text) != n:
                self.fail("more of the literal")
            self.at += n
            return text
        word = self.match(ATOM, "value")[0]
        if word.upper() == b"NIL":
            return None
        return int(word) if word.isdigit() else Atom(word)

    def item_name(self):
        """"UID", "BODY[1.HEADER.FIELDS (To)]<0>"; without regard to case."""
        start = self.at
        if self.match(NAME, "name of an item")[1]:
            while not self.is_at(b"]"):
                if self.is_at(b" "):
                    self.take(b" ")
                    self.list()
                else:
                    self.match(re.compile(rb"[A-Z0-9.]+"), "section")
            self.take(b"]")
        if self.is_at(b"<"):
            self.match(re.compile(rb"<\d+>"), "origin")
        name = self.data[start:self.at].decode("ascii").upper()
        return name.replace('"', "")


def fetch_response(data):
    """{item name: value} of one FETCH response, or None for another one."""
    m = FETCH.match(data)
    if not m:
        return None
    r = Reader(data, m.end())
    out = {}
    while not r.is_at(b")"):
        if out:
            r.take(b" ")
        name = r.item_name()
        r.take(b" ")
        if name in out:
            raise ValueError(f"{name} twice in {data[:200]!r}")
        out[name] = r.value()
    if r.at != len(data) - 1:
        r.fail("end")
    return out


def fetch(client, uids, items):
    """{uid: {item name: value}} of UID FETCH."""
    out = {}
    for r in client.ok(f"UID FETCH {uids} ({items})"):
        got = fetch_response(r)
        if got is not None:
            out.setdefault(got["UID"], {}).update(got)
    return out

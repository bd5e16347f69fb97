# SPDX-License-Identifier: ISC
"""IMAP dialogues: responses with their literals, tags made and checked.

    with Imap.sign_in(account) as c:
        c.ok("SELECT INBOX")
        assert c.ok("SEARCH ALL") == [b"* SEARCH 1 2"]
        c.no("COPY 1 nowhere", "TRYCREATE")
"""
import imaplib
import re

from lib.dialogue import Dialogue
from lib.instance import PATIENCE_S, wait_for

LITERAL = re.compile(rb"\{(\d+)\}\Z")


def read_all(account, name="INBOX"):
    """The messages of a mailbox, as bytes. A message that comes while this
    looks is announced by a FETCH of flags: only those with a body count."""
    with imaplib.IMAP4_SSL("127.0.0.1", account.server.ports["imaps"],
                           ssl_context=account.server.tls()) as c:
        c.login(str(account), account.password)
        status, exists = c.select(name, readonly=True)
        assert status == "OK", exists
        if exists == [b"0"]:
            return []
        _, data = c.fetch("1:*", "(BODY.PEEK[])")
        return [x[1] for x in data if isinstance(x, tuple)]


class Imap(Dialogue):
    def __init__(self, server, service="imaps", greet=True,
                 timeout=PATIENCE_S):
        super().__init__(server.connect(service, timeout))
        self.server = server
        self.count = 0
        self.greeting = self.response() if greet else None

    @classmethod
    def sign_in(cls, account, *select, service="imaps"):
        c = cls(account.server, service)
        if service == "imap":
            c.ok("STARTTLS")
            c.start_tls(account.server)
        c.ok(f'LOGIN "{account}" "{account.password}"')
        for name in select:
            c.ok(f"SELECT {name}")
        return c

    # --- in ----------------------------------------------------------------

    def response(self):
        """One response: a line, with all its literals in place."""
        data = self.line()
        while True:
            m = LITERAL.search(data)
            if not m:
                return data
            data += b"\r\n" + self.read(int(m[1])) + self.line()

    def until(self, tag):
        """Untagged responses up to the tagged one: (untagged, tagged)."""
        tag = tag.encode() if isinstance(tag, str) else tag
        untagged = []
        while True:
            r = self.response()
            if r.startswith(tag + b" "):
                return untagged, r[len(tag) + 1:]
            assert r.startswith((b"* ", b"+")), f"unexpected: {r!r}"
            untagged.append(r)

    def expect_response(self, pattern):
        """The next response must match as a whole."""
        r = self.response()
        pattern = pattern.encode() if isinstance(pattern, str) else pattern
        m = re.fullmatch(pattern, r, re.S)
        assert m, f"expected {pattern!r}, got {r[:500]!r}"
        return m

    # --- commands ------------------------------------------------------------

    def tag(self):
        self.count += 1
        return f"t{self.count}"

    def start(self, command):
        """Send a command, with the literals of bytes in a list as {n+}; its
        tag."""
        tag = self.tag()
        out = tag.encode() + b" "
        for part in command if isinstance(command, (list, tuple)) \
                else [command]:
            if isinstance(part, bytes):
                out += b"{%d+}\r\n" % len(part) + part
            else:
                out += part.encode()
        self.send_raw(out + b"\r\n")
        return tag

    def run(self, command):
        """(untagged responses, tagged response without its tag)."""
        return self.until(self.start(command))

    def ok(self, command, code=None):
        untagged, tagged = self.run(command)
        self.check(tagged, "OK", code)
        return untagged

    def no(self, command, code=None):
        untagged, tagged = self.run(command)
        self.check(tagged, "NO", code)
        return untagged

    def bad(self, command, code=None):
        untagged, tagged = self.run(command)
        self.check(tagged, "BAD", code)
        return untagged

    def code(self, command):
        """The response code of an OK, without brackets."""
        tagged = self.run(command)[1]
        m = re.match(rb"OK \[([^]]*)\]", tagged)
        assert m, tagged
        return m[1].decode()

    @staticmethod
    def check(tagged, word, code=None):
        want = f"{word} " + (f"[{code}" if code else "")
        assert tagged.startswith(want.encode()), \
            f"expected {want!r}, got {tagged!r}"
        if code is None and word != "OK":
            return
        if code:
            assert tagged[len(want):len(want) + 1] in b"] ", tagged

    def append(self, message, mailbox="INBOX", flags="", date=""):
        """The UID that it got."""
        command = f"APPEND {mailbox} " + (f"({flags}) " if flags else "") + \
            (f'"{date}" ' if date else "")
        tagged = self.run([command, message])[1]
        m = re.match(rb"OK \[APPENDUID \d+ (\d+)\]", tagged)
        assert m, tagged
        return int(m[1])

    def body(self, uid, section="BODY.PEEK[]"):
        """The bytes of a section of a message."""
        found = None
        for r in self.ok(f"UID FETCH {uid} ({section})"):
            m = re.match(rb"\* \d+ FETCH \(UID %d \S.*?\] ?\S*? ?\{(\d+)\}\r\n"
                         % uid, r)
            if m:
                found = r[m.end():m.end() + int(m[1])]
        assert found is not None, f"no {section} of {uid}"
        return found

    def uids(self):
        r = self.ok("UID SEARCH ALL")
        return [int(x) for x in r[-1].split()[2:]]

    def idle(self):
        """Enter IDLE; what comes at once stays to be read. The tag."""
        tag = self.start("IDLE")
        self.expect_response(r"\+ .*")
        return tag

    def done(self, tag):
        self.send("DONE")
        untagged, tagged = self.until(tag)
        self.check(tagged, "OK")
        return untagged


def lines(*responses):
    return [r.encode() if isinstance(r, str) else r for r in responses]


__all__ = ["Imap", "lines", "wait_for"]

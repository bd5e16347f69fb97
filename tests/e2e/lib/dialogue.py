# SPDX-License-Identifier: ISC
"""Raw dialogues, line by line: what the client sends, what it must hear.

    d = Dialogue(server.connect("pop3"))
    d.play('''
        S: \\+OK .*
        C: NOOP
        S: -ERR Sign in first
    ''')

"S:" is a regular expression for a whole line without its CRLF. "C:" is sent
with CRLF. "S: ..." skips lines up to and including a "." of its own.
"""
import re
import socket
import ssl


class Closed(AssertionError):
    """The server closed the connection."""


def in_time(talk, tries=20):
    """talk(), the beginning of a dialogue with a server whose patience is short:
    again when it was ended meanwhile, for it may be us who were too slow."""
    for _ in range(tries - 1):
        try:
            return talk()
        except (AssertionError, OSError):
            pass
    return talk()


class Dialogue:
    def __init__(self, sock):
        self.sock = sock
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    # --- out ---------------------------------------------------------------

    def send(self, *lines):
        """Lines, in one write."""
        self.send_raw(b"".join(
            (x.encode() if isinstance(x, str) else x) + b"\r\n"
            for x in lines))

    def send_raw(self, data):
        self.sock.sendall(data)

    # --- in ----------------------------------------------------------------

    def _fill(self):
        try:
            more = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLEOFError):
            more = b""
        if not more:
            raise Closed(f"closed, after {self.held[-200:]!r}")
        self.held += more

    def line(self):
        """One line, without its CRLF."""
        while b"\r\n" not in self.held:
            assert b"\n" not in self.held, f"bare LF: {self.held!r}"
            self._fill()
        line, self.held = self.held.split(b"\r\n", 1)
        return line

    def read(self, n):
        while len(self.held) < n:
            self._fill()
        data, self.held = self.held[:n], self.held[n:]
        return data

    def until_dot(self):
        """A multi-line response as it came, without its final line."""
        while not (self.held.startswith(b".\r\n") or
                   b"\r\n.\r\n" in self.held):
            self._fill()
        if self.held.startswith(b".\r\n"):
            self.held = self.held[3:]
            return b""
        data, self.held = self.held.split(b"\r\n.\r\n", 1)
        return data + b"\r\n"

    def expect(self, pattern):
        """The next line must match as a whole; the match."""
        line = self.line().decode("utf-8", "replace")
        m = re.fullmatch(pattern, line)
        assert m, f"expected {pattern!r}, got {line!r}"
        return m

    def ask(self, line, pattern):
        self.send(line)
        return self.expect(pattern)

    def expect_closed(self):
        """Nothing more comes, and the connection ends."""
        try:
            while True:
                self._fill()
        except Closed:
            pass
        assert self.held == b"", f"unexpected: {self.held!r}"

    def expect_silence(self, seconds=0.2):
        before = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            self._fill()
        except (TimeoutError, socket.timeout):
            pass
        finally:
            self.sock.settimeout(before)
        assert self.held == b"", f"unexpected: {self.held!r}"

    # --- TLS and scripts -----------------------------------------------------

    def start_tls(self, server):
        assert self.held == b"", f"before the handshake: {self.held!r}"
        self.sock = server.tls().wrap_socket(
            self.sock, server_hostname="mail.test.example")

    def play(self, script):
        for raw in script.strip().splitlines():
            what, _, rest = raw.strip().partition(":")
            rest = rest[1:] if rest.startswith(" ") else rest
            if what == "C":
                self.send(rest)
            elif what == "S" and rest == "...":
                self.until_dot()
            elif what == "S":
                self.expect(rest)
            else:
                raise ValueError(f"neither C: nor S: {raw!r}")

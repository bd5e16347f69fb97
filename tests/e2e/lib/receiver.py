# SPDX-License-Identifier: ISC
"""Another provider's mail server, as odd as a test wants it.

A Receiver keeps every message that it accepted. What it answers is decided by
rules: rule(receiver, session, stage, argument) gives a reply, CUT (close the
connection without one), a number of seconds to be silent before the usual
reply, a function that does what it likes with the socket instead, or None for
the usual one. Stages: connect, EHLO, HELO, STARTTLS, AUTH,
MAIL, RCPT, DATA, end (the message was read), RSET, QUIT.

With users (login: password) mail is for those who have signed in, by one of
mechanisms: PLAIN and LOGIN; SCRAM-SHA-256.
"""
import base64
import contextlib
import hashlib
import hmac
import os
import socket
import ssl
import threading
import time

from lib.instance import PATIENCE_S

CUT = "cut"


class Message:
    def __init__(self, session):
        self.session = session
        self.sender, self.mail_params = session.sender, session.mail_params
        self.rcpts, self.data = list(session.rcpts), b""
        self.rcpt_params = list(session.rcpt_params)
        self.is_tls = session.is_tls


class Session:
    def __init__(self, receiver, sock, number):
        self.receiver, self.sock, self.number = receiver, sock, number
        self.is_tls = False
        self.is_busy = False
        self.login, self.mechanism, self.helo = None, None, None
        self.peer = sock.getpeername()[0]
        self.mails = 0
        self.reset()

    def reset(self):
        self.receiver.count(self, False)
        self.sender, self.mail_params = None, ""
        self.rcpts, self.rcpt_params = [], []

    def say(self, line):
        self.sock.sendall(line.encode() + b"\r\n")

    def read_line(self):
        line = self.file.readline(10000)
        if not line:
            raise ConnectionError
        return line.rstrip(b"\r\n").decode(errors="replace")

    def answer(self, stage, arg, usual):
        """The rule's reply, or the usual one; its code."""
        said = self.receiver.rule(self, stage, arg)
        if isinstance(said, (int, float)):
            self.receiver.stopping.wait(said)
            said = None
        if callable(said):
            said(self.sock)
        if said == CUT or callable(said):
            raise ConnectionError
        self.say(said or usual)
        return int((said or usual)[:3])

    def run(self):
        self.file = self.sock.makefile("rb")
        if self.answer("connect", "", "220 mx ESMTP") >= 400:
            return
        while self.command(self.read_line()):
            pass

    def command(self, line):
        verb, _, arg = line.partition(" ")
        verb = verb.upper()
        self.receiver.commands.append(line)
        if verb == "EHLO":
            caps = ["mx"] + self.receiver.capabilities
            if self.receiver.tls and not self.is_tls:
                caps.append("STARTTLS")
            if self.receiver.users and (self.is_tls or
                                        not self.receiver.tls):
                caps.append("AUTH " + " ".join(self.receiver.mechanisms))
            self.helo = arg
            usual = "\r\n".join(
                f"250{'-' if i < len(caps) - 1 else ' '}{c}"
                for i, c in enumerate(caps))
            self.answer(verb, arg, usual)
        elif verb == "STARTTLS":
            if self.answer(verb, arg, "220 go on") < 300:
                self.sock = self.receiver.tls.wrap_socket(
                    self.sock, server_side=True)
                self.file = self.sock.makefile("rb")
                self.is_tls = True
        elif verb == "AUTH":
            self.auth(arg)
        elif verb == "MAIL" and self.receiver.users and not self.login:
            self.say("530 5.7.0 Authentication required")
        elif verb == "MAIL":
            path, _, params = arg[5:].strip().partition(" ")
            self.receiver.count(self, True)
            if self.answer(verb, arg, "250 2.1.0 ok") < 300:
                self.sender, self.mail_params = path.strip("<>"), params
        elif verb == "RCPT" and self.sender is None:
            self.say("503 5.5.1 MAIL first")
        elif verb == "RCPT":
            path, _, params = arg[3:].strip().partition(" ")
            if self.answer(verb, path.strip("<>"), "250 2.1.5 ok") < 300:
                self.rcpts.append(path.strip("<>"))
                self.rcpt_params.append(params)
        elif verb == "DATA":
            self.data(arg)
        elif verb in ("RSET", "HELO", "NOOP"):
            self.reset()
            self.answer(verb, arg, "250 2.0.0 ok")
        elif verb == "QUIT":
            self.answer(verb, arg, "221 2.0.0 bye")
            return False
        else:
            self.say("500 5.5.1 what?")
        return True

    def ask(self, text=b""):
        self.say("334 " + base64.b64encode(text).decode())
        return base64.b64decode(self.read_line())

    def scram(self, first):
        """RFC 5802, 7677; the login when the proof is right."""
        bare = first.split(b",", 2)[2]
        fields = dict(p.split(b"=", 1) for p in bare.split(b","))
        login, salt = fields[b"n"].decode(), os.urandom(12)
        nonce = fields[b"r"] + base64.b64encode(os.urandom(9))
        server = b"r=%s,s=%s,i=4096" % (nonce, base64.b64encode(salt))
        final = self.ask(server)
        rest, _, proof = final.rpartition(b",p=")
        assert rest.split(b",r=")[1] == nonce

        def mac(key, text):
            return hmac.new(key, text, "sha256").digest()
        salted = hashlib.pbkdf2_hmac(
            "sha256", self.receiver.users.get(login, "").encode(), salt, 4096)
        key = mac(salted, b"Client Key")
        auth = bare + b"," + server + b"," + rest
        want = bytes(a ^ b for a, b in zip(
            key, mac(hashlib.sha256(key).digest(), auth)))
        if base64.b64decode(proof) != want:
            return None
        self.ask(b"v=" + base64.b64encode(
            mac(mac(salted, b"Server Key"), auth)))
        return login

    def auth(self, arg):
        mechanism, _, first = arg.partition(" ")
        login = password = None
        if mechanism == "PLAIN":
            _, login, password = base64.b64decode(first).decode().split("\0")
        elif mechanism == "LOGIN":
            login = self.ask(b"Username:").decode()
            password = self.ask(b"Password:").decode()
        elif mechanism == "SCRAM-SHA-256":
            login = self.scram(base64.b64decode(first))
            password = login and self.receiver.users[login]
        if login and self.receiver.users.get(login) == password:
            if self.answer("AUTH", login, "235 2.7.0 welcome") < 300:
                self.login, self.mechanism = login, mechanism
        else:
            self.say("535 5.7.8 Error: authentication failed")

    def data(self, arg):
        if not self.rcpts:
            self.say("503 5.5.1 no recipients")
            return
        if self.answer("DATA", arg, "354 go on") >= 400:
            return
        m = Message(self)
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        m.data = b"".join(lines)
        self.receiver.seen.append(m)
        said = self.receiver.rule(self, "end", m)
        if said == "keep-and-cut":
            self.receiver.keep(m)
            raise ConnectionError
        if isinstance(said, (int, float)):
            self.receiver.stopping.wait(said)
            said = None
        if callable(said):
            said(self.sock)
        if said == CUT or callable(said):
            raise ConnectionError
        if said is None or said.startswith("2"):
            self.receiver.keep(m)
        self.mails += 1
        self.reset()
        self.say(said or "250 2.0.0 kept")


class Receiver:
    def __init__(self, rule=None, capabilities=("PIPELINING", "8BITMIME",
                                                "SIZE 50000000",
                                                "ENHANCEDSTATUSCODES"),
                 tls=None, host="127.0.0.1", port=0, users=None,
                 mechanisms=("PLAIN", "LOGIN")):
        self.rule_fn = rule
        self.users, self.mechanisms = users, mechanisms
        self.capabilities = list(capabilities)
        self.tls = tls
        self.messages, self.seen, self.commands = [], [], []
        self.sessions = 0
        # Transactions that are open, and the most there were: never more
        # than the client has connections, however late its ends are seen.
        self.busy = self.most_busy = 0
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.socket = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, port))
        self.socket.listen(100)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def rule(self, session, stage, arg):
        return self.rule_fn and self.rule_fn(self, session, stage, arg)

    def keep(self, message):
        with self.lock:
            self.messages.append(message)

    def count(self, session, is_busy):
        with self.lock:
            self.busy += is_busy - session.is_busy
            self.most_busy = max(self.most_busy, self.busy)
        session.is_busy = is_busy

    def serve(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            self.sessions += 1
            threading.Thread(target=self.talk, args=(sock, self.sessions),
                             daemon=True).start()

    def talk(self, sock, number):
        sock.settimeout(60)
        session = Session(self, sock, number)
        try:
            session.run()
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            self.count(session, False)
            # Who keeps the message keeps its file, and that the connection.
            for end in (lambda s: s.shutdown(socket.SHUT_RDWR),
                        lambda s: s.close()):
                try:
                    end(session.sock)
                except OSError:
                    pass

    def wait(self, n=1, timeout=PATIENCE_S):
        """Until n messages were kept; the list."""
        deadline = time.monotonic() + max(timeout, PATIENCE_S)
        while len(self.messages) < n:
            assert time.monotonic() < deadline, \
                f"{len(self.messages)} of {n} messages came"
            time.sleep(0.02)
        return self.messages

    def close(self):
        """Nobody is there from now on: close() alone would take one more who comes,
        for the thread that waits in accept()."""
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

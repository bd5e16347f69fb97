# SPDX-License-Identifier: ISC
"""Somebody on the way between a client and a real SMTP server, who cuts.

    with Between(server.port, ["MAIL", "body", "end"]) as b: ... b.port

One connection after the other is cut where the list says, and those that come
then are left alone: at "connect" behind the greeting, at a command before the
server's answer to it is passed on ("EHLO", "STARTTLS", "MAIL", "RCPT", "DATA"),
at "body" in the middle of the message, at "end" when the server has answered the
final dot and the client has not heard it; with CHUNKING (RFC 3030) at "BDAT", at
"chunk" in the middle of one, and at "last" as at "end". What was cut where is in
b.cuts. Without chunking the server is made not to offer it.
"""
import socket
import threading

END = b"\r\n.\r\n"


class Cut(Exception):
    pass


class Way:
    """One connection."""

    def __init__(self, between, client):
        self.between, self.client = between, client
        self.server = socket.create_connection(("127.0.0.1", between.behind))
        self.at = between.next_stage()
        self.is_data = self.is_quiet = False
        self.chunk = 0  # bytes of a chunk that are to come
        self.held = b""

    def cut(self):
        self.between.cuts.append(self.at)
        raise Cut

    def run(self):
        answers = threading.Thread(target=self.answers, daemon=True)
        answers.start()
        try:
            while data := self.client.recv(65536):
                self.take(data)
        except (OSError, Cut):
            pass
        if not self.is_quiet:
            self.end()
        answers.join(30)

    def end(self):
        for s in (self.client, self.server):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def answers(self):
        try:
            while data := self.server.recv(65536):
                if self.is_quiet:
                    self.between.cuts.append(self.at)
                    break
                if not self.between.chunking:
                    data = data.replace(b"CHUNKING", b"X-NOTHIN")
                self.client.sendall(data)
                if self.at == "connect":
                    self.between.cuts.append(self.at)
                    break
        except OSError:
            pass
        self.end()
        self.client.close()
        self.server.close()

    def take(self, data):
        self.held += data
        while self.held:
            if self.chunk:
                self.some_chunk()
                continue
            if self.is_data:
                self.body()
                return
            line, found, rest = self.held.partition(b"\r\n")
            if not found:
                return
            self.held = rest
            verb = line[:8].upper().split(b" ")[0].split(b":")[0].decode(
                errors="replace")
            if verb == self.at:
                self.cut()
            self.server.sendall(line + b"\r\n")
            self.is_data = verb == "DATA"
            if verb == "BDAT":
                self.chunk = int(line.split()[1])

    def some_chunk(self):
        part = self.held[:self.chunk]
        if self.at == "chunk":
            self.server.sendall(part[:20])
            self.cut()
        self.chunk -= len(part)
        self.held = self.held[len(part):]
        if self.at == "last" and not self.chunk:
            self.is_quiet = True
        self.server.sendall(part)
        if self.is_quiet:
            raise Cut

    def body(self):
        if self.at == "body" and len(self.held) > 20:
            self.server.sendall(self.held[:20])
            self.cut()
        end = (b"\r\n" + self.held).find(END)
        if end < 0:
            # Without what may be the beginning of the end.
            keep = len(self.held) - len(END)
            if keep > 0 and self.at != "body":
                self.server.sendall(self.held[:keep])
                self.held = self.held[keep:]
            return
        whole = self.held[:end + len(END) - 2]
        self.held = self.held[len(whole):]
        self.is_data = False
        if self.at == "end":
            self.is_quiet = True
        self.server.sendall(whole)
        if self.is_quiet:
            raise Cut


class Between:
    def __init__(self, behind, stages, chunking=True):
        self.behind, self.stages = behind, list(stages)
        self.chunking = chunking
        self.cuts = []
        self.lock = threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def next_stage(self):
        with self.lock:
            return self.stages.pop(0) if self.stages else None

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(client,),
                             daemon=True).start()

    def one(self, client):
        try:
            Way(self, client).run()
        except OSError:
            client.close()

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.socket.close()

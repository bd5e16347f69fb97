# SPDX-License-Identifier: ISC
"""Users who submit messages to a server that is being killed, in a process of
their own.

    s = Submitter(port, login, password, name, first, last)
    s.stop()    {"accepted": [...], "unknown": [...]}: numbers of messages

A message whose final dot was sent and whose reply never came is unknown: it may
have been accepted, and is not sent again. All others are tried until they are
accepted. The process ends when all were."""
import base64
import json
import socket
import subprocess
import sys
import threading
import time

THREADS = 4
TIMEOUT_S = 60
DOMAINS = 10


class Gone(Exception):
    pass


class Client:
    def __init__(self, port, login, password):
        try:
            self.sock = socket.create_connection(("127.0.0.1", port),
                                                 TIMEOUT_S)
        except OSError as e:
            raise Gone from e
        self.file = self.sock.makefile("rb")
        secret = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
        self.need("220")
        self.ask("EHLO load.example", "250")
        self.ask("AUTH PLAIN " + secret, "235")

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as e:
            raise Gone from e

    def need(self, code):
        while True:
            try:
                line = self.file.readline()
            except OSError as e:
                raise Gone from e
            if not line or line[:1] == b"4":
                raise Gone
            assert line.startswith(code.encode()), line
            if line[3:4] == b" ":
                return

    def ask(self, line, code):
        self.send(line.encode() + b"\r\n")
        self.need(code)

    def close(self):
        self.file.close()
        self.sock.close()


class Sender(threading.Thread):
    """Takes numbers from a shared list."""

    def __init__(self, options, numbers, result):
        super().__init__(daemon=True)
        self.port, self.login, self.password, self.name = options
        self.numbers, self.result = numbers, result
        self.client = None

    def run(self):
        while True:
            try:
                number = self.numbers.pop()
            except IndexError:
                return
            while not self.deliver(number):
                time.sleep(0.05)

    def deliver(self, number):
        """False: surely not accepted."""
        is_sent = False
        try:
            if self.client is None:
                self.client = Client(self.port, self.login, self.password)
            c = self.client
            c.send(f"MAIL FROM:<{self.login}>\r\n"
                   f"RCPT TO:<{number}@d{number % DOMAINS}.example>\r\n"
                   "DATA\r\n".encode())
            for code in ("250", "250", "354"):
                c.need(code)
            is_sent = True
            c.send(f"From: <{self.login}>\r\nX-Load-Id: {self.name}-{number}"
                   f"\r\nSubject: {number}\r\n\r\n{'text ' * 100}\r\n.\r\n"
                   .encode())
            c.need("250")
            self.result["accepted"].append(number)
            return True
        except Gone:
            if self.client is not None:
                self.client.close()
            self.client = None
            if is_sent:
                self.result["unknown"].append(number)
            return is_sent


def main():
    port, login, password, name, first, last = sys.argv[1:]
    numbers = list(range(int(last) - 1, int(first) - 1, -1))
    result = {"accepted": [], "unknown": []}
    senders = [Sender((int(port), login, password, name), numbers, result)
               for _ in range(THREADS)]
    for s in senders:
        s.start()
    for s in senders:
        s.join()
    json.dump(result, sys.stdout)


class Submitter:
    def __init__(self, port, login, password, name, first, last):
        words = [port, login, password, name, first, last]
        self.process = subprocess.Popen(
            [sys.executable, __file__, *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def is_done(self):
        # Its last words fit into the pipe only when somebody reads them.
        return self.process.poll() is not None

    def wait(self, timeout):
        said, _ = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0
        return json.loads(said)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


if __name__ == "__main__":
    main()

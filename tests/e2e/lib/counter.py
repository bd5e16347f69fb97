# SPDX-License-Identifier: ISC
"""A receiver in a process of its own that counts: which message came how often,
and of each time whether the client can have read that it was accepted.

    counter = Counter()          starts it; counter.port
    counter.stop()               {name: [State, ...]} of all accepted messages

A message is known by its X-Load-Id. As long as the client said nothing more
on the connection after the final dot, it may not have got the reply: that is
the one case in which SMTP has to deliver again (RFC 5321 4.5.4.1, RFC 1047).
"""
import asyncio
import json
import re
import subprocess
import sys

IDENT = re.compile(rb"(?mi)^X-Load-Id: (\S+)\r?$")
CUT, WENT_ON = 0, 1
END = b"\r\n.\r\n"


class Peer(asyncio.Protocol):
    def __init__(self, seen):
        self.seen = seen
        self.held = b""
        self.is_data = False
        self.last = None  # the message that nothing followed yet

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b"220 counter ESMTP\r\n")

    def data_received(self, data):
        if self.last is not None:
            self.last[-1] = WENT_ON
            self.last = None
        self.held += data
        out = []
        while self.one(out):
            pass
        self.transport.write(b"".join(out))

    def one(self, out):
        """A command, or a message as a whole; False: more is needed."""
        if self.is_data:
            end = self.held.find(END)
            if end < 0:
                return False
            self.keep(self.held[:end + 2], len(self.held) > end + len(END))
            self.held = self.held[end + len(END):]
            self.is_data = False
            out.append(b"250 2.0.0 counted\r\n")
            return True
        line, found, rest = self.held.partition(b"\r\n")
        if not found:
            return False
        self.held = rest
        verb = line[:4].upper()
        if verb == b"EHLO":
            out.append(b"250-counter\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
                       b"250 SIZE 50000000\r\n")
        elif verb == b"DATA":
            self.is_data = True
            out.append(b"354 go on\r\n")
        elif verb == b"QUIT":
            out.append(b"221 2.0.0 bye\r\n")
        else:
            out.append(b"250 2.0.0 ok\r\n")
        return True

    def keep(self, data, is_followed):
        found = IDENT.search(data)
        times = self.seen.setdefault(
            found.group(1).decode() if found else "?", [])
        times.append(WENT_ON if is_followed else CUT)
        self.last = None if is_followed else times


async def serve():
    seen = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Peer(seen), "127.0.0.1", 0,
                                      backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Each line asks how many there are; the end of the input ends it.
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        print(len(seen), flush=True)
    json.dump(seen, sys.stdout)


class Counter:
    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def count(self):
        """How many different messages came so far."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def stop(self):
        said, _ = self.process.communicate("", timeout=120)
        return json.loads(said)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)


if __name__ == "__main__":
    asyncio.run(serve())

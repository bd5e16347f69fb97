# SPDX-License-Identifier: ISC
"""A thousand messages to Postfix's smtp-sink, which takes them as fast as they
come and writes each into a file: all of them, each once, byte for byte."""
import hashlib
import os
import pathlib
import smtplib
import subprocess
import tempfile
import threading

import pytest

from lib import peers
from lib.instance import PASSWORD, free_ports, wait_for

N, SESSIONS = 1000, 10


@pytest.fixture
def sink():
    """(port, folder) of a smtp-sink; each file in the folder is a message."""
    root = peers.root_of("postfix")
    if root is None:
        pytest.skip("smtp-sink " + peers.MISSING)
    port = free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="sink-") as folder:
        command = [root / "usr/sbin/smtp-sink", "-d", "m.",
                   f"127.0.0.1:{port}", "1000"]
        if os.geteuid() == 0:
            # As root it wants to be told whom to become.
            os.chmod(folder, 0o777)
            command[1:1] = ["-u", "nobody"]
        p = subprocess.Popen(command, cwd=folder, env=peers.environment(
            root, "usr/lib/postfix"), stderr=subprocess.PIPE)
        try:
            wait_for(lambda: peers.greets("127.0.0.1", port), 10,
                     "smtp-sink does not answer")
            yield port, pathlib.Path(folder)
        finally:
            p.kill()
            p.wait()


def body(i):
    """About 10 KB that no other message has, with dots at its ends."""
    line = hashlib.sha256(str(i).encode()).hexdigest().encode()
    return b".\r\n" + (line + b"\r\n.." + line + b"\r\n") * 75 + b".."


def submit(server, user, numbers, failed):
    try:
        with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as c:
            c.login(user.login, PASSWORD)
            for i in numbers:
                c.sendmail(user.login, [f"u{i}@sink.example"],
                           f"From: {user.login}\r\nX-Number: {i}\r\n\r\n"
                           .encode() + body(i))
    except Exception as e:  # told by the test itself
        failed.append(e)


def test_a_thousand_messages_arrive_once_each(make_server, sink):
    port, folder = sink
    server = make_server({
        "auth": {"allow_plaintext": "yes"},
        "send": {"routes": [f"sink.example 127.0.0.1:{port} tls=never"]}})
    user, failed = server.new_account(), []
    threads = [threading.Thread(target=submit, args=(
        server, user, range(k, N, SESSIONS), failed)) for k in range(SESSIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    wait_for(lambda: not server.cli("queue", "list").strip()
             .splitlines()[1:], 120, "the queue is not empty")
    files = list(folder.iterdir())
    assert len(files) == N
    seen = set()
    for f in files:
        text = f.read_bytes().replace(b"\r\n", b"\n")
        number = int(text.split(b"\nX-Number: ")[1].split(b"\n")[0])
        assert body(number).replace(b"\r\n", b"\n") in text
        seen.add(number)
    assert seen == set(range(N))

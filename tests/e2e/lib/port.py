# SPDX-License-Identifier: ISC
"""A TCP port of loopback that somebody listens on, or nobody."""
import socket

from lib.instance import free_ports


class Port:
    """Closed, it stays ours: no other process of tests takes it meanwhile. What
    comes is taken by the kernel alone, more of it than a test can have."""

    def __init__(self):
        self.number, = free_ports(1)
        self.target = f"127.0.0.1:{self.number}"
        self.socket = None
        self.open()

    def open(self):
        self.socket = socket.create_server(("127.0.0.1", self.number),
                                           backlog=4096)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

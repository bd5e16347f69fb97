# SPDX-License-Identifier: ISC
"""Debian's Dovecot as a second opinion: its IMAP process over a socket pair.

No port, no daemon, no login: the process that speaks IMAP is started signed
in, with a configuration and a mail folder of its own below a temporary folder.
Dovecot serves no mail as root: root runs it as nobody. It need not be
installed: it is taken from build-peers, too, in a view of the files in which it
stands at its fixed paths. Where that cannot be, tests skip.
"""
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

import pytest

from lib.imap import Imap
from lib.watched import DovecotServer

PROGRAM = "/usr/lib/dovecot/imap"

CONFIGURATION = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
protocols = imap
ssl = no
first_valid_uid = 1
mail_location = maildir:{dir}/mail
mail_fsync = never
mailbox_list_index = no
"""


class Dovecot:
    def __init__(self):
        is_installed = os.access(PROGRAM, os.X_OK)
        why = None if is_installed else DovecotServer.why_not()
        if why:
            pytest.skip(f"no Dovecot here to compare with: {why}")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.conf = self.dir / "dovecot.conf"
        self.conf.write_text(CONFIGURATION.format(dir=self.dir))
        self.command = [PROGRAM, "-c", self.conf]
        name = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            name = "nobody"
            who = pwd.getpwnam(name)
            self.command = ["setpriv", f"--reuid={who.pw_uid}",
                            f"--regid={who.pw_gid}", "--clear-groups",
                            *self.command]
            os.chown(self.dir, who.pw_uid, who.pw_gid)
        if not is_installed:
            self.command = DovecotServer.in_view(self.command)
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"),
                    "HOME": str(self.dir), "USER": name, "TZ": "UTC"}
        self.processes = []

    def connect(self, service="imap", timeout=60):
        """A socket with a signed-in session at the other end."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.processes.append(subprocess.Popen(
                self.command, stdin=theirs, stdout=theirs,
                stderr=subprocess.DEVNULL, env=self.env))
        ours.settimeout(timeout)
        return ours

    def sign_in(self, timeout=60):
        c = Imap(self, timeout=timeout)
        assert c.greeting.startswith(b"* PREAUTH "), c.greeting
        return c

    def remove(self):
        """Sessions end when their sockets are closed."""
        for p in self.processes:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

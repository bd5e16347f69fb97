# SPDX-License-Identifier: ISC
"""Debian's Postfix as another provider's server, from its unpacked package, with
spool and configuration below a temporary folder. Needs root, as Postfix does."""
import grp
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from lib import peers
from lib.instance import PATIENCE_S, free_ports, wait_for

PACKAGE = "postfix"
# Users and groups that every Debian has, in the place of Postfix's own.
OWNER, GROUP, RECIPIENT = "daemon", "games", "nobody"
SERVICES = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def why_not():
    """Why it cannot run here, or None."""
    if peers.root_of(PACKAGE) is None:
        return "Postfix " + peers.MISSING
    return None if os.geteuid() == 0 else "Postfix needs root"


class Postfix:
    """Takes mail for domains at host:port; an address that begins with "no" does
    not exist. Mail for other domains goes to the port back."""

    def __init__(self, domains, back, host="127.0.0.1", port=None, **settings):
        self.root = peers.root_of(PACKAGE)
        self.host, self.port = host, port or free_ports(1)[0]
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="postfix-"))
        self.dir.chmod(0o711)
        self.env = peers.environment(self.root, "usr/lib/postfix")
        self.process = None
        self.queue, self.mail = self.dir / "queue", self.dir / "mail"
        self.make_folders()
        nobody = pwd.getpwnam(RECIPIENT)
        os.chown(self.mail, nobody.pw_uid, nobody.pw_gid)
        self.main = {
            "compatibility_level": "3.6",
            "queue_directory": self.queue,
            "data_directory": self.dir / "data",
            "daemon_directory": self.root / "usr/lib/postfix/sbin",
            "command_directory": self.root / "usr/sbin",
            "shlib_directory": self.root / "usr/lib/postfix",
            "mail_owner": OWNER, "setgid_group": GROUP,
            "default_privs": RECIPIENT,
            "import_environment":
                f"MAIL_CONFIG LD_LIBRARY_PATH={self.env['LD_LIBRARY_PATH']}",
            "maillog_file": self.dir / "log",
            "maillog_file_prefixes": self.dir,
            # Where it listens is said in master.cf; other addresses of
            # loopback are not among the interfaces.
            "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "myhostname": "mx.postfix.example", "mydestination": "",
            "mynetworks": "", "local_recipient_maps": "", "alias_maps": "",
            "virtual_mailbox_domains": " ".join(domains),
            "virtual_mailbox_base": self.mail,
            "virtual_mailbox_maps": f"regexp:{self.dir}/boxes",
            "virtual_uid_maps": f"static:{nobody.pw_uid}",
            "virtual_gid_maps": f"static:{nobody.pw_gid}",
            "virtual_minimum_uid": 1,
            "relayhost": f"[127.0.0.1]:{back}",
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "smtpd_peername_lookup": "no", "smtpd_error_sleep_time": 0,
            "smtpd_client_connection_count_limit": 0,
            "smtpd_client_connection_rate_limit": 0,
            "smtp_dns_support_level": "disabled",
            "smtp_host_lookup": "native", "smtp_tls_security_level": "none",
            "message_size_limit": 52428800, "mailbox_size_limit": 0,
            "virtual_mailbox_limit": 0, "in_flow_delay": 0, "biff": "no",
            "append_dot_mydomain": "no", "smtputf8_enable": "yes",
            "queue_run_delay": "2s", "minimal_backoff_time": "2s",
            "maximal_backoff_time": "4s",
            "default_database_type": "texthash",
            **settings}
        (self.dir / "boxes").write_text(
            "if !/^no/\n/./ all/\nendif\n")
        self.configure()

    def make_folders(self):
        owner = pwd.getpwnam(OWNER).pw_uid
        group = grp.getgrnam(GROUP).gr_gid
        self.mail.mkdir(0o755)
        (self.dir / "conf").mkdir(0o755)
        (self.dir / "data").mkdir(0o700)
        os.chown(self.dir / "data", owner, -1)
        self.queue.mkdir(0o755)
        for name in ("active", "bounce", "corrupt", "defer", "deferred",
                     "flush", "hold", "incoming", "private", "saved",
                     "trace"):
            (self.queue / name).mkdir(0o700)
            os.chown(self.queue / name, owner, -1)
        for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
            (self.queue / name).mkdir()
            os.chown(self.queue / name, owner, group)
            (self.queue / name).chmod(mode)
        (self.queue / "pid").mkdir(0o755)

    def configure(self):
        conf = self.dir / "conf"
        (conf / "main.cf").write_text(
            "".join(f"{k} = {v}\n" for k, v in self.main.items()))
        (conf / "master.cf").write_text(
            f"{self.host}:{self.port} inet n - n - 100 smtpd\n" + SERVICES)

    def start(self):
        self.process = subprocess.Popen(
            [self.root / "usr/lib/postfix/sbin/master", "-d", "-c",
             self.dir / "conf"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.dir / "err", "wb"),
            env=self.env)
        try:
            wait_for(self.is_up, 20, "Postfix does not start")
        except AssertionError:
            said = self.log() + (self.dir / "err").read_text()
            self.stop()
            raise AssertionError(said)
        return self

    def is_up(self):
        return peers.greets(self.host, self.port)

    def log(self):
        file = self.dir / "log"
        return file.read_text() if file.exists() else ""

    def messages(self, address):
        """The bytes of an address's mail, as it came, in no order."""
        return peers.mail_to(self.mail / "all", "Delivered-To", address)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None
        shutil.rmtree(self.dir, ignore_errors=True)

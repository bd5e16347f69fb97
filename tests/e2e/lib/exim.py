# SPDX-License-Identifier: ISC
"""Debian's Exim as another provider's server, from its unpacked package, with
spool and configuration below a temporary folder. It wants a user of its own,
which libnss-wrapper makes up; it needs root to be that user."""
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from lib import peers
from lib.instance import (
    PATIENCE_S, free_ports, make_certificate, wait_for)

PACKAGE, WRAPPER = "exim4-daemon-light", "libnss-wrapper"
USER = "Debian-exim"


def why_not():
    """Why it cannot run here, or None."""
    if peers.root_of(PACKAGE) is None or peers.root_of(WRAPPER) is None:
        return "Exim " + peers.MISSING
    return None if os.geteuid() == 0 else "Exim needs root"


CONF = """
exim_path = {root}/usr/sbin/exim4
spool_directory = {dir}/spool
log_file_path = {dir}/log-%slog
primary_hostname = mx.exim.example
local_interfaces = {host}
daemon_smtp_ports = {port}
domainlist ours = {domains}
acl_smtp_rcpt = rcpt
tls_advertise_hosts = *
tls_certificate = {dir}/certificate.pem
tls_privatekey = {dir}/key.pem
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
chunking_advertise_hosts = *
pipelining_advertise_hosts = *
message_size_limit = 50M
smtp_accept_max = 200
smtp_accept_max_per_connection = 100000
smtp_accept_queue_per_connection = 0
smtp_enforce_sync = true
never_users =
deliver_drop_privilege = true
host_lookup =
rfc1413_query_timeout = 0s
check_spool_space = 0
timeout_frozen_after = 1h
keep_environment =
begin acl
rcpt:
  deny message = 5.7.1 not for us
       !domains = +ours
  deny message = 5.1.1 nobody of this name
       local_parts = ^no
{rules}
  accept
begin routers
back:
  driver = manualroute
  domains = !+ours
  transport = back
  route_list = * 127.0.0.1
  self = send
here:
  driver = accept
  transport = box
begin transports
back:
  driver = smtp
  port = {back}
  allow_localhost
  hosts_avoid_tls = *
box:
  driver = appendfile
  directory = {dir}/mail
  maildir_format
  create_directory
  envelope_to_add
begin retry
* * F,1h,2s
"""


class Exim:
    """As postfix.Postfix. rules: more of the ACL for RCPT; certificate: a
    pki.Cert, its own if there is none."""

    def __init__(self, domains, back, host="127.0.0.1", port=None, rules="",
                 certificate=None):
        self.root = peers.root_of(PACKAGE)
        self.host, self.port = host, port or free_ports(1)[0]
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="exim-"))
        self.dir.chmod(0o711)
        self.process = None
        user = pwd.getpwnam("daemon")
        if certificate:
            shutil.copy(certificate.pem, self.dir / "certificate.pem")
            shutil.copy(certificate.key, self.dir / "key.pem")
        else:
            make_certificate(self.dir, "mx.exim.example")
        for name in ("spool", "mail"):
            (self.dir / name).mkdir(0o750)
            os.chown(self.dir / name, user.pw_uid, user.pw_gid)
        os.chown(self.dir / "key.pem", user.pw_uid, user.pw_gid)
        for name in ("main", "reject", "panic"):
            file = self.dir / f"log-{name}log"
            file.touch()
            os.chown(file, user.pw_uid, user.pw_gid)
        (self.dir / "conf").write_text(CONF.format(
            root=self.root, dir=self.dir, host=host, port=self.port,
            domains=" : ".join(domains), back=back, rules=rules))
        self.wrap(user)

    def wrap(self, user):
        wrapper = next(peers.root_of(WRAPPER).glob(
            "usr/lib/*/libnss_wrapper.so"))
        (self.dir / "passwd").write_text(
            pathlib.Path("/etc/passwd").read_text() +
            f"{USER}:x:{user.pw_uid}:{user.pw_gid}::/nonexistent:/bin/false\n")
        (self.dir / "group").write_text(
            pathlib.Path("/etc/group").read_text() +
            f"{USER}:x:{user.pw_gid}:\n")
        self.env = {**peers.environment(self.root), "LD_PRELOAD": wrapper,
                    "NSS_WRAPPER_PASSWD": self.dir / "passwd",
                    "NSS_WRAPPER_GROUP": self.dir / "group"}
        with open(self.dir / "conf") as f:
            text = f.read()
        # Exim starts itself again, and would forget all of that.
        keep = "LD_PRELOAD : LD_LIBRARY_PATH : NSS_WRAPPER_PASSWD : " \
               "NSS_WRAPPER_GROUP"
        (self.dir / "conf").write_text(text.replace(
            "keep_environment =", f"keep_environment = {keep}"))

    def start(self):
        self.process = subprocess.Popen(
            [self.root / "usr/sbin/exim4", "-C", self.dir / "conf", "-bdf",
             "-q2s"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.dir / "err", "wb"), env=self.env)
        try:
            wait_for(lambda: peers.greets(self.host, self.port), 20,
                     "Exim does not start")
        except AssertionError:
            said = self.log() + (self.dir / "err").read_text()
            self.stop()
            raise AssertionError(said)
        return self

    def log(self):
        return (self.dir / "log-mainlog").read_text() + \
            (self.dir / "log-paniclog").read_text()

    def messages(self, address):
        """The bytes of an address's mail, as it came, in no order."""
        return peers.mail_to(self.dir / "mail", "Envelope-to", address)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None
        shutil.rmtree(self.dir, ignore_errors=True)

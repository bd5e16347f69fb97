# SPDX-License-Identifier: ISC
"""Other people's servers that checks look at: Debian's nginx, Kamailio and Dovecot,
from their unpacked packages, each below a temporary folder, on loopback; and a
network in which an address swallows everything."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from lib import peers
from lib.instance import PATIENCE_S, free_ports, wait_for


def accepts(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), 2).close()
        return True
    except OSError:
        return False


class Peer:
    """One program with its configuration; ports by name."""
    PACKAGE, PORTS, AS_ROOT = "", (), False

    @classmethod
    def why_not(cls):
        if peers.root_of(cls.PACKAGE) is None:
            return f"{cls.PACKAGE} {peers.MISSING}"
        if cls.AS_ROOT and os.geteuid() != 0:
            return f"{cls.PACKAGE} needs root here"
        return None

    def __init__(self, cert=None):
        self.root = peers.root_of(self.PACKAGE)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="watched-"))
        self.dir.chmod(0o755)
        self.ports = dict(zip(self.PORTS, free_ports(len(self.PORTS))))
        self.process = None
        if cert is None:
            return
        # With all of the chain but its root.
        self.pem = self.dir / "chain.pem"
        self.pem.write_text("".join(
            c.pem.read_text() for c in cert.chain[:-1] or cert.chain))
        self.key = cert.key

    def start(self):
        env = peers.environment(self.root, *self.libraries())
        with open(self.dir / "out", "wb") as out:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, env=env)
        last = self.ports[self.PORTS[-1]]
        wait_for(lambda: accepts(last) or self.process.poll() is not None, 20,
                 self.PACKAGE)
        assert self.process.poll() is None, (self.dir / "out").read_text()
        return self

    def libraries(self):
        return ()

    def at(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Nginx(Peer):
    PACKAGE, PORTS = "nginx", ("http", "https")

    def command(self):
        folders = "".join(
            f"{n}_temp_path {self.dir}/{n};\n"
            for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = self.dir / "conf"
        conf.write_text(f"""daemon off;
{"user nobody nogroup;" if os.geteuid() == 0 else ""}
worker_processes 1;
pid {self.dir}/pid;
error_log {self.dir}/log;
events {{}}
http {{
access_log off;
{folders}
server {{
listen {self.at("http")};
listen {self.at("https")} ssl;
ssl_certificate {self.pem};
ssl_certificate_key {self.key};
location / {{ return 200 '{{"mail": {{"queue": 7}}}}'; }}
location /old {{ return 301 /; }}
location /broken {{ return 503; }}
}}
}}
""")
        return [self.root / "usr/sbin/nginx", "-c", conf]


class Kamailio(Peer):
    PACKAGE, PORTS = "kamailio", ("udp", "tcp", "tls")

    def libraries(self):
        return ("usr/lib/x86_64-linux-gnu/kamailio",)

    def command(self):
        modules, = self.root.glob("usr/lib/*-linux-gnu/kamailio/modules")
        conf = self.dir / "conf"
        conf.write_text(f"""debug=0
log_stderror=yes
children=1
tcp_children=1
listen=udp:{self.at("udp")}
listen=tcp:{self.at("tcp")}
listen=tls:{self.at("tls")}
enable_tls=yes
auto_aliases=no
mpath="{modules}/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "private_key", "{self.key}")
modparam("tls", "certificate", "{self.pem}")
request_route {{ sl_send_reply("200", "Keepalive"); exit; }}
""")
        return [self.root / "usr/sbin/kamailio", "-DD", "-E", "-f", conf,
                "-Y", self.dir]


class DovecotServer(Peer):
    """Any name, with the password "secret". The program looks for its parts at
    fixed paths: it gets a view of the files of its own in which they are there."""
    PACKAGE, AS_ROOT = "dovecot-core", True
    PORTS = ("imap", "imaps", "pop3", "pop3s", "sieve")

    @classmethod
    def why_not(cls):
        why = super().why_not()
        if why is None and subprocess.run(
                cls.in_view(["true"]), capture_output=True).returncode != 0:
            why = "Dovecot needs overlays of folders (unshare, mount)"
        return why

    @classmethod
    def in_view(cls, command):
        root = peers.root_of(cls.PACKAGE)
        mounts = " && ".join(
            f"mount -t overlay o -o lowerdir={root}/{f}:/{f} /{f}"
            for f in ("usr/lib", "usr/share", "usr/bin"))
        return ["unshare", "-m", "sh", "-c", mounts + ' && exec "$@"', "sh",
                *command]

    def listener(self, name, is_tls=False):
        return (f"inet_listener {name} {{\nport = {self.ports[name]}\n"
                f"ssl = {'yes' if is_tls else 'no'}\n}}\n")

    def command(self):
        for name in ("mail", "home"):
            (self.dir / name).mkdir(exist_ok=True)
            shutil.chown(self.dir / name, "nobody")
        conf = self.dir / "conf"
        conf.write_text(f"""base_dir = {self.dir}/run
state_dir = {self.dir}/state
log_path = {self.dir}/log
protocols = imap pop3 sieve
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.pem}
ssl_key = <{self.key}
default_internal_user = daemon
default_internal_group = daemon
default_login_user = nobody
auth_failure_delay = 0
first_valid_uid = 1
mail_location = maildir:{self.dir}/mail
service imap-login {{
{self.listener("imap")}{self.listener("imaps", True)}}}
service pop3-login {{
{self.listener("pop3")}{self.listener("pop3s", True)}}}
service managesieve-login {{
{self.listener("sieve")}}}
passdb {{
driver = static
args = password=secret
}}
userdb {{
driver = static
args = uid=nobody gid=nogroup home={self.dir}/home
}}
""")
        return self.in_view([self.root / "usr/sbin/dovecot", "-F", "-c",
                             conf])


class Hole:
    """A network of its own with an address behind a router that forwards
    nothing and says nothing: what is sent there is never heard of again."""
    ADDRESS, ADDRESS6 = "198.18.7.1", "2001:db8:7::1"

    def __init__(self):
        self.names = [f"hole-{os.getpid()}-{i}" for i in (1, 2)]
        near, far = self.names
        try:
            for n in self.names:
                self.run("ip", "netns", "add", n)
                self.inside(n, "link", "set", "lo", "up")
            self.inside(near, "link", "add", "v1", "type", "veth",
                        "peer", "name", "v2", "netns", far)
            for n, link, host in ((near, "v1", 1), (far, "v2", 2)):
                self.inside(n, "addr", "add", f"192.0.2.{host}/24", "dev",
                            link)
                self.inside(n, "addr", "add", f"2001:db8::{host}/64", "dev",
                            link, "nodad")
                self.inside(n, "link", "set", link, "up")
            self.inside(near, "route", "add", "default", "via", "192.0.2.2")
            self.inside(near, "-6", "route", "add", "default", "via",
                        "2001:db8::2")
            for v, a in (("-4", self.ADDRESS), ("-6", self.ADDRESS6)):
                self.inside(far, v, "route", "add", "blackhole", a)
        except BaseException:
            self.remove()
            raise

    @staticmethod
    def prefix_of(name):
        """ip netns exec would mount things, which not every root may."""
        return ["nsenter", f"--net=/run/netns/{name}"]

    def inside(self, name, *words):
        self.run(*self.prefix_of(name), "ip", *words)

    @staticmethod
    def run(*command):
        subprocess.run(command, check=True, capture_output=True)

    @staticmethod
    def why_not():
        if os.geteuid() != 0 or shutil.which("ip") is None:
            return "a network of its own needs root and iproute2"
        done = subprocess.run(["unshare", "-n", "true"], capture_output=True)
        return "no new networks here" if done.returncode != 0 else None

    def prefix(self):
        """What a command begins with that is to run in it."""
        return self.prefix_of(self.names[0])

    def remove(self):
        for n in self.names:
            subprocess.run(["ip", "netns", "del", n], capture_output=True)

# SPDX-License-Identifier: ISC
"""BIND as a name server that takes updates, from its unpacked package."""
import pathlib
import shutil
import tempfile

from lib import dns, peers
from lib.instance import free_ports

PACKAGE = "bind9"


def is_there():
    return peers.root_of(PACKAGE) is not None


class Bind(dns.NameServer):
    """As dns.NameServer, with named."""

    def __init__(self, records, zone="example.", keys=(),
                 may_change=None, signed=False):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bind-"))
        self.ip, self.port = "127.0.0.1", free_ports(1)[0]
        self.zone, self.signed, self.serial = zone, signed, 1
        self.process, self.others, self.children = None, {}, []
        allowed = " ".join(f"key {k};" for k in may_change or keys)
        text = "".join(
            f'key "{k}" {{ algorithm '
            f'{"hmac-sha512" if "512" in k else "hmac-sha256"}; '
            f'secret "{dns.secret(k)}"; }};\n' for k in keys)
        (self.dir / "named.conf").write_text(f"""{text}
options {{
	directory "{self.dir}";
	pid-file "{self.dir}/pid";
	session-keyfile "{self.dir}/session.key";
	listen-on port {self.port} {{ {self.ip}; }};
	listen-on-v6 {{ none; }};
	recursion no;
	dnssec-validation no;
}};
controls {{ }};
zone "{zone}" {{
	type primary;
	file "zone";
	allow-update {{ {allowed} }};
	{"dnssec-policy default;" if signed else ""}
}};
""")
        self.write(records)

    def start(self):
        root = peers.root_of(PACKAGE)
        return self.run([root / "usr/sbin/named", "-g", "-c",
                         self.dir / "named.conf"],
                        env=peers.environment(root))

    def stop(self):
        self.end()
        shutil.rmtree(self.dir, ignore_errors=True)

    def change(self, records):
        raise NotImplementedError



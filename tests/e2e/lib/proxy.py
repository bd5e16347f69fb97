# SPDX-License-Identifier: ISC
"""Debian's nginx as a reverse proxy in front of role web, on loopback."""
import os

from lib.watched import Peer


class Proxy(Peer):
    """Listens at one address, speaks from another; the name of each port is what
    it passes the scheme on as. Extends X-Forwarded-For, as its manual says."""
    PACKAGE, PORTS = "nginx", ("http", "https")

    def __init__(self, upstream, source):
        super().__init__()
        self.upstream, self.source = upstream, source

    def server(self, name):
        return f"""server {{
listen {self.at(name)};
location / {{
proxy_pass {self.upstream};
proxy_bind {self.source};
proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto {name};
}}
}}
"""

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
{"".join(map(self.server, self.PORTS))}
}}
""")
        return [self.root / "usr/sbin/nginx", "-c", conf]

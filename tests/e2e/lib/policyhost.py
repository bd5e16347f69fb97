# SPDX-License-Identifier: ISC
"""The hosts "mta-sts.DOMAIN" of many domains, and whoever takes reports by
HTTPS: one server on loopback, with certificates made for who is asked for."""
import http.server
import ssl
import threading

from lib.instance import PATIENCE_S, wait_for


class PolicyHost:
    """pages[host] is what it answers: a text, or a function of the handler."""

    def __init__(self, authority, port):
        self.authority, self.port = authority, port
        self.pages, self.asked, self.posted = {}, [], []
        self.contexts, self.bad = {}, {}
        self.lock = threading.Lock()
        self.server = None
        self.start()

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                self.request.settimeout(PATIENCE_S)
                self.request = outer.wrap(self.request)
                super().setup()

            def do_GET(self):
                host = self.headers["Host"].split(":")[0]
                outer.asked.append((host, self.path))
                page = outer.pages.get(host)
                if page is None:
                    self.send_error(404)
                elif callable(page):
                    page(self)
                else:
                    outer.reply(self, page)

            def do_POST(self):
                n = int(self.headers["Content-Length"])
                outer.posted.append((self.path, dict(self.headers),
                                     self.rfile.read(n)))
                outer.reply(self, "thanks", status=201)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 100

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    @staticmethod
    def reply(handler, text, kind="text/plain", status=200, fields=()):
        body = text.encode()
        handler.send_response(status)
        if kind:
            handler.send_header("Content-Type", kind)
        for k, v in fields:
            handler.send_header(k, v)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def context(self, name):
        with self.lock:
            if name not in self.contexts:
                made = self.bad.get(name) or self.authority.issue(name)
                self.contexts[name] = made.context()
            return self.contexts[name]

    def wrap(self, sock):
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        def choose(conn, name, _):
            conn.context = self.context(name or "none.example")
        ctx.sni_callback = choose
        return ctx.wrap_socket(sock, server_side=True)

    def policy(self, domain, mode, *mx, age=86400):
        self.pages[f"mta-sts.{domain}"] = "".join(
            f"{line}\r\n" for line in (
                "version: STSv1", f"mode: {mode}",
                *(f"mx: {m}" for m in mx), f"max_age: {age}"))

    def wait_asked(self, domain, n=1):
        wait_for(lambda: self.count(domain) >= n, what=f"asked: {self.asked}")

    def count(self, domain):
        return sum(h == f"mta-sts.{domain}" for h, _ in self.asked)

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

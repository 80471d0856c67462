#!/usr/bin/env python3
"""A reverse proxy that counts: it stands before the AWS emulator and writes one JSON line per request, never a body.

A line is written before its answer is passed on, so whoever has the answer finds the line.
"""
import argparse
import http.client
import json
import re
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Headers that belong to one connection, not to the request.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection", "expect", "content-length"}
SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")


def operation(method, path, headers, body):
    """The operation, as the service's protocol names it: JSON in a header, query in the form, REST by method and path."""
    target = headers.get("X-Amz-Target")
    if target:
        return target.rsplit(".", 1)[-1]
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        action = urllib.parse.parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            return action[0]
    return f"{method} {urllib.parse.urlsplit(path).path}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body go out in two writes: without these an answer waits for the peer's delayed ACK, 40 ms each.
    disable_nagle_algorithm = True
    wbufsize = -1

    def request_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return body
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def forward(self):
        began, started = time.time(), time.monotonic()
        body = self.request_body()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        # A connection per request: one that is kept could be closed under a request, and a repeat would spoil the count.
        upstream = http.client.HTTPConnection(*self.server.upstream, timeout=120)
        try:
            upstream.request(self.command, self.path, body=body or None, headers={**headers, "Connection": "close"})
            answer = upstream.getresponse()
            status, reason, answer_headers, payload = answer.status, answer.reason, answer.getheaders(), answer.read()
        except OSError as error:
            status, reason, answer_headers, payload = 502, "Bad Gateway", [], f"proxy: {error}\n".encode()
        finally:
            upstream.close()
        scope = SCOPE.search(self.headers.get("Authorization", ""))
        region, service = scope.groups() if scope else ("", "")
        self.server.write({
            "time": round(began, 3),
            "service": service,
            "region": region,
            "operation": operation(self.command, self.path, self.headers, body),
            "status": status,
            "ms": round((time.monotonic() - started) * 1000),
        })
        self.send_response_only(status, reason)
        for name, value in answer_headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if self.command == "HEAD":
            self.send_header("Content-Length", dict((n.lower(), v) for n, v in answer_headers).get("content-length", "0"))
        elif status not in (204, 304):
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = forward

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, listen, upstream, log):
        super().__init__(listen, Handler)
        self.upstream, self.log, self.lock = upstream, open(log, "a", encoding="utf-8"), threading.Lock()

    def write(self, entry):
        with self.lock:
            self.log.write(json.dumps(entry) + "\n")
            self.log.flush()


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=address, required=True, metavar="HOST:PORT")
    parser.add_argument("--to", type=address, required=True, metavar="HOST:PORT")
    parser.add_argument("--log", required=True, metavar="FILE")
    args = parser.parse_args()
    Server(args.listen, args.to, args.log).serve_forever()

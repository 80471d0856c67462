#!/usr/bin/env python3
"""The API server's way into the cluster, for its webhooks: an HTTP CONNECT proxy on a socket, which leads them to ports of loopback.

The API server asks a webhook's service by its cluster IP (`CONNECT 10.96.12.34:443`), behind which nothing runs here: each istiod is a process
beside it. Which one is meant the service says itself, by the revision that it selects pods of.
"""
import argparse
import base64
import json
import os
import socket
import socketserver
import ssl
import threading
import urllib.request


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Tunnel(socketserver.StreamRequestHandler):
    rbufsize = 0

    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.rfile.read(1)
            if not byte or len(head) > 8192:
                return
            head += byte
        if not head.startswith(b"CONNECT "):
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        try:
            inside = socket.create_connection(self.server.route(head.split()[1].decode()), timeout=5)
        except (OSError, ValueError):
            self.wfile.write(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
            return
        inside.settimeout(None)
        with inside:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(inside, self.connection), daemon=True)
            back.start()
            pump(self.connection, inside)
            back.join()


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def route(self, target):
        """Where an istiod of the service's revision listens; where that of none does, unless the service tells of one."""
        address = target.rsplit(":", 1)[0]
        revision = "default"
        for service in self.services():
            if service["spec"].get("clusterIP") == address:
                revision = (service["spec"].get("selector") or {}).get("istio.io/rev", "default")
        with open(self.facts) as facts:
            known = json.load(facts)
        ports = known["istiod"] if revision == "default" else known["istiods"].get(revision)
        if ports is None:
            raise ValueError(f"no istiod of {revision} runs")
        return ("127.0.0.1", ports[0])

    def services(self):
        with open(self.kubeconfig) as text:
            config = json.load(text)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
        request = urllib.request.Request(f"{cluster['server']}/api/v1/services", headers={"Authorization": f"Bearer {user['token']}"})
        with opener.open(request, timeout=5) as answer:
            return json.load(answer)["items"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="the socket's path")
    parser.add_argument("--facts", required=True, help="the bed's facts: which istiod listens where")
    parser.add_argument("--kubeconfig", required=True, help="the way to the API server, to look services up")
    args = parser.parse_args()
    if os.path.exists(args.listen):
        os.unlink(args.listen)
    with Server(args.listen, Tunnel) as server:
        server.facts, server.kubeconfig = args.facts, args.kubeconfig
        server.serve_forever()


if __name__ == "__main__":
    main()

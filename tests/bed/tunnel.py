#!/usr/bin/env python3
"""The API server's way into the cluster, for its webhooks: an HTTP CONNECT proxy on a socket, which leads them to ports of loopback.

The API server asks a webhook's service by its cluster IP, behind which nothing runs here: istiod and controllers are processes beside it. Which of them is
meant tells the name of the service in the TLS greeting; a service that no route names is istiod's.
"""
import argparse
import json
import os
import socket
import socketserver
import threading


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


def exactly(stream, count):
    """So many bytes, or fewer where there are no more."""
    found = b""
    while len(found) < count and (more := stream.read(count - len(found))):
        found += more
    return found


def asked_name(hello):
    """The server's name in a record with a ClientHello (RFC 8446, 4.1.2; RFC 6066, 3); None where there is none."""
    hello = hello[9:]
    at = 2 + 32
    try:
        at += 1 + hello[at]  # the session
        at += 2 + int.from_bytes(hello[at : at + 2], "big")  # the ciphers
        at += 1 + hello[at]  # the compressions
    except IndexError:
        return None
    at += 2
    while at + 4 <= len(hello):
        kind, length = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
        at += 4
        if kind == 0:
            return hello[at + 5 : at + length].decode("ascii", "replace")
        at += length
    return None


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
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        greeting = exactly(self.rfile, 5)
        greeting += exactly(self.rfile, int.from_bytes(greeting[3:5], "big"))
        try:
            inside = socket.create_connection(self.server.inside(asked_name(greeting)), timeout=5)
        except OSError:
            return
        inside.settimeout(None)
        with inside:
            inside.sendall(greeting)
            back = threading.Thread(target=pump, args=(inside, self.connection), daemon=True)
            back.start()
            pump(self.connection, inside)
            back.join()


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def inside(self, name):
        """Where a service answers, by the routes as they are now."""
        try:
            with open(self.routes) as routes:
                port = json.load(routes).get(name)
        except FileNotFoundError:
            port = None
        return (self.host, port) if port else (self.host, self.port)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="the socket's path")
    parser.add_argument("--to", required=True, help="host:port of istiod")
    parser.add_argument("--routes", required=True, help="a file that names further services and their ports, as JSON")
    args = parser.parse_args()
    host, port = args.to.rsplit(":", 1)
    if os.path.exists(args.listen):
        os.unlink(args.listen)
    with Server(args.listen, Tunnel) as server:
        server.host, server.port, server.routes = host, int(port), args.routes
        server.serve_forever()


if __name__ == "__main__":
    main()

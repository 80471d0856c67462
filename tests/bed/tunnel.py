#!/usr/bin/env python3
"""The API server's way into the cluster, for its webhooks: an HTTP CONNECT proxy on a socket, which leads all of them to one port of loopback.

The API server asks a webhook's service by its cluster IP, behind which nothing runs here: istiod is a process beside it.
"""
import argparse
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
            inside = socket.create_connection(self.server.inside, timeout=5)
        except OSError:
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="the socket's path")
    parser.add_argument("--to", required=True, help="host:port")
    args = parser.parse_args()
    host, port = args.to.rsplit(":", 1)
    if os.path.exists(args.listen):
        os.unlink(args.listen)
    with Server(args.listen, Tunnel) as server:
        server.inside = (host, int(port))
        server.serve_forever()


if __name__ == "__main__":
    main()

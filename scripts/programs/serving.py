"""Starts another program's server on the loopback address and talks to it: what the checks of this folder share. Standard library alone."""
import atexit
import http.cookiejar
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
from check_export import Faults, name_of, read_lines, spans_of  # noqa: E402,F401

LOOPBACK = "127.0.0.1"


def free_port():
    with socket.socket() as s:
        s.bind((LOOPBACK, 0))
        return s.getsockname()[1]


def start(*command, **more):
    """Starts a process whose output goes where this one's errors go, and ends it with its children when this one ends."""
    process = subprocess.Popen(command, stdout=sys.stderr, stderr=sys.stderr, stdin=subprocess.DEVNULL, start_new_session=True, **more)

    def end():
        for sig in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sig)
            except ProcessLookupError:
                return
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                continue

    atexit.register(end)
    return process


class Site:
    """A server's pages by path. Cookies are kept, and Django's token against forged requests is sent back."""

    def __init__(self, port, **headers):
        self.url, self.headers = f"http://{LOOPBACK}:{port}", headers
        self.cookies = http.cookiejar.CookieJar()
        # No proxy: the loopback address is this machine.
        self.open = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)).open

    def ask(self, method, path, value=None, file=None, form=None):
        """Sends a value as JSON, a form, or a file as (field, name, bytes), and returns the answer from JSON."""
        headers, data = dict(self.headers), None
        if value is not None:
            headers["Content-Type"], data = "application/json", json.dumps(value).encode()
        elif form is not None:
            data = urllib.parse.urlencode(form).encode()
        elif file is not None:
            field, name, content = file
            edge = "----emospan"
            headers["Content-Type"] = f"multipart/form-data; boundary={edge}"
            data = (f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
                    f"Content-Type: application/octet-stream\r\n\r\n").encode() + content + f"\r\n--{edge}--\r\n".encode()
        for cookie in self.cookies:
            if cookie.name == "csrftoken":
                headers["X-CSRFToken"], headers["Referer"] = cookie.value, self.url
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with self.open(request, timeout=120) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:500]}") from None
        try:
            return json.loads(text)
        except ValueError:
            return text

    def wait(self, path, process, seconds=300):
        """Waits until the server answers. It is ended where its process is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                raise SystemExit(f"the server ended with {process.returncode}")
            try:
                with self.open(self.url + path, timeout=10):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.5)
        raise SystemExit(f"the server did not answer in {seconds} s")


def close(faults, texts, spans):
    """Prints what differs, and what the program took in; the last line is what test-programs.sh shows."""
    for fault in faults[:20]:
        print(fault)
    print(f"{texts} texts, {spans} spans" + (f", {len(faults)} differences" if faults else ", as the records"))
    sys.exit(1 if faults or not texts or not spans else 0)

"""llama-server as bench_peers.py runs it: a process on 127.0.0.1, its settings, and a client that keeps its slots full."""
import concurrent.futures
import contextlib
import ctypes
import dataclasses
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_SECONDS = 600
ANSWER_SECONDS = 1800


class PeerError(Exception):
    """llama-server did not start, or did not answer."""


@dataclasses.dataclass(frozen=True)
class Settings:
    slots: int
    flash_attention: bool
    unified: bool

    def __str__(self):
        return (f"{self.slots} slot{'s' * (self.slots > 1)}, flash attention {'on' if self.flash_attention else 'off'}, "
                f"{'unified' if self.unified else 'split'} KV")


@dataclasses.dataclass
class Answer:
    content: str
    prompt_tokens: int  # passed through the model; what the slot still held of the last prompt is not counted
    written_tokens: int


def die_with_parent():
    """Where this script is killed without a chance to clean up, Linux ends the server for it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running llama-server; leaving the with block ends it, whatever happened inside."""

    def __init__(self, program, model, settings, threads, context):
        self.settings = settings
        self.port = free_port()
        self.command = [
            program, "--model", model, "--host", "127.0.0.1", "--port", str(self.port), "--offline", "--threads", str(threads),
            "--parallel", str(settings.slots), "--ctx-size", str(context * settings.slots),
            "--flash-attn", "on" if settings.flash_attention else "off",
            "--kv-unified" if settings.unified else "--no-kv-unified",
            # Each slot keeps the chat's beginning as it is; copies of idle slots in memory would cost time and make it larger.
            "--cache-ram", "0",
        ]

    def __enter__(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LLAMA_ARG_")}
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.log.close()

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise PeerError(f"llama-server ended at its start: {self.last_words()}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.exchange("GET", "/health")[0] == 200:
                    return
            time.sleep(0.1)
        raise PeerError(f"llama-server was not ready after {START_SECONDS} s: {self.last_words()}")

    def last_words(self):
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        telling = [line for line in lines if "error" in line.lower() or "failed" in line.lower()]
        return " / ".join(line.strip() for line in (telling or lines)[-3:])

    def exchange(self, method, path, body=None):
        # http.client looks at no proxy settings.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def post(self, path, body):
        try:
            status, data = self.exchange("POST", path, body)
            reply = json.loads(data)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PeerError(f"llama-server {path}: {error or type(error).__name__}") from error
        if status != 200:
            raise PeerError(f"llama-server {path}: {status} {reply.get('error', {}).get('message', data[:300])}")
        return reply

    def answer(self, request):
        """One request, a pair of path and body."""
        reply = self.post(*request)
        timings = reply["timings"]
        content = reply["choices"][0]["message"]["content"] if "choices" in reply else reply["content"]
        return Answer(content or "", timings["prompt_n"], timings["predicted_n"])

    def answers(self, requests):
        """The requests' answers in their order, and the seconds they took. A queue before the slots keeps each of them busy."""
        pool = concurrent.futures.ThreadPoolExecutor(2 * self.settings.slots)
        try:
            start = time.perf_counter()
            found = list(pool.map(self.answer, requests))
            seconds = time.perf_counter() - start
        except BaseException:
            # What the threads wait for ends with the server.
            self.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return found, seconds

    def warm_up(self, request):
        """Lets every slot compute the beginning that all chats share."""
        path, body = shortened(request, 1)
        self.answers([(path, {**body, "id_slot": slot}) for slot in range(self.settings.slots)])

    def tokens(self, text):
        return self.post("/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"]

    def chat_tokens(self, messages):
        return len(self.tokens(self.post("/apply-template", {"messages": messages})["prompt"]))

    def peak_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM:"))


# temperature 0 with the likeliest token alone: the same answers as the full sampler chain, sooner.
GREEDY = {"temperature": 0, "top_k": 1, "samplers": ["top_k"], "cache_prompt": True, "stream": False}


def schema_request(messages, schema, most):
    return "/v1/chat/completions", {
        **GREEDY, "messages": messages, "max_tokens": most,
        "response_format": {"type": "json_schema", "json_schema": {"name": "record", "strict": True, "schema": schema}},
    }


def grammar_request(prompt_tokens, gbnf, most):
    return "/completion", {**GREEDY, "prompt": prompt_tokens, "grammar": gbnf, "n_predict": most}


def shortened(request, most):
    """The same request with a shorter answer."""
    path, body = request
    key = "max_tokens" if "max_tokens" in body else "n_predict"
    return path, {**body, key: min(most, body[key])}


def try_settings(start, requests, candidates):
    """[(written tokens per second, settings)], best first; start(settings) gives a Server, each candidate gets its own."""
    results = []
    for settings in candidates:
        with start(settings) as server:
            server.warm_up(requests[0])
            found, seconds = server.answers(requests)
        results.append((sum(answer.written_tokens for answer in found) / seconds, settings))
    return by_speed(results)


def by_speed(results):
    return sorted(results, key=lambda result: -result[0])


def sweep(start, requests, slots):
    """As try_settings: each number of slots with flash attention off and on, then the two best with the other KV layout."""
    results = try_settings(start, requests, [Settings(n, flash, True) for n in slots for flash in (False, True)])
    split = [dataclasses.replace(settings, unified=False) for _, settings in results[:2] if settings.slots > 1]
    return by_speed(results + try_settings(start, requests, split))

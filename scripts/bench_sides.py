"""What bench_peers.py runs, each with measure(): `emospan tag`, llama-server, llama-bench; and what it asks emospan for."""
import hashlib
import json
import os
import subprocess
import sys
import time

import bench_card

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EMOSPAN = os.path.join(TOP, "bin", "emospan")
PEERS = os.path.join(TOP, "bin", "peers")
FORMATS = ("Q4_0", "Q8_0", "F16")


class Unavailable(Exception):
    """What a row needs is not there; the message says what."""


def say(*words):
    print("bench-peers:", *words, file=sys.stderr, flush=True)


def output(*command, env=None):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", env=env)
    if done.returncode:
        raise Unavailable(f"{os.path.basename(command[0])} {command[1]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout or done.stderr  # llama-server says its version on the latter


def usage(*command):
    """The help of an emospan command; "" where there is none, since it is then that of the command above."""
    text = output(EMOSPAN, *command, "--help")
    return text if f"\n  emospan {' '.join(command)} " in text else ""


def resolve_model(name):
    """Name, path and hash of a model file or a name in the store; without either the default model's."""
    if not os.path.exists(name):
        shown = json.loads(output(EMOSPAN, "models", "show", *([name] if name else []), "--json"))
        return {key: shown[key] for key in ("name", "path", "sha256")}
    digest = hashlib.sha256()
    with open(name, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            digest.update(block)
    return {"name": os.path.basename(name), "path": os.path.abspath(name), "sha256": digest.hexdigest()}


def converted(model, store):
    """The paths of the model in the other formats, made in a model store of their own."""
    if not usage("models", "convert"):
        raise Unavailable("emospan has no command models convert")
    env = {**os.environ, "EMOSPAN_MODELS": store}

    def models(*arguments):
        return output(EMOSPAN, "models", *arguments, env=env)

    def names():
        return {stored["name"] for stored in json.loads(models("list", "--json"))}

    models("import", "--name", "original", model["path"])
    original = json.loads(models("show", "original", "--json"))["quantisation"]
    paths = []
    for quantisation in FORMATS:
        if quantisation == original:
            continue
        before = names()
        models("convert", "original", "--to", quantisation)
        paths += [json.loads(models("show", name, "--json"))["path"] for name in names() - before]
    return paths


def compact_form(text, model):
    """Our own prompt for a text, as the model sees it, and the grammar of the answer."""
    outputs = []
    for command in ("prompt", "grammar"):
        known = usage(command)
        if not known:
            raise Unavailable(f"emospan has no command {command}")
        flags = [word for flag, value in (("--model", model), ("--decode", "compact")) if flag in known for word in (flag, value)]
        outputs.append(output(EMOSPAN, command, *flags, "--", text))
    return outputs


def worth(records, folder):
    """How many records are aligned, and how many pass `emospan validate`."""
    path = os.path.join(folder, "check.jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(record) + "\n" for record in records)
    # Exit code 1 where one is invalid, or there is none.
    done = subprocess.run([EMOSPAN, "validate", "--json", path], capture_output=True, encoding="utf-8")
    valid = json.loads(done.stdout)["valid"] if records else 0
    return {"aligned": sum(map(bench_card.is_aligned, records)), "valid": valid}


class Emospan:
    """`emospan tag` with one form of answer and one model file. The model writes the answer: with a calibration it would write none."""

    def __init__(self, decode, path, rows, folder, flags=()):
        self.decode, self.path, self.rows, self.folder, self.flags = decode, path, rows, folder, flags

    def warm_up(self):
        """Brings the file into memory, and shows whether emospan can do it at all."""
        self.tag(self.rows[:2])

    def measure(self):
        return self.tag(self.rows)

    def tag(self, rows):
        texts, out, manifest, errors = (os.path.join(self.folder, name) for name in ("texts", "out.jsonl", "manifest", "errors"))
        with open(texts, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(row) + "\n" for row in rows)
        command = [EMOSPAN, "tag", texts, "--input", "jsonl", "--model", self.path, "--decode", self.decode, "--calibrate", "none", "--out", out, "--force",
                   "--manifest", manifest, "--rejects", out + ".rejects", "--quiet", "--progress", "never", *self.flags]
        with open(errors, "w+", encoding="utf-8", errors="replace") as f:
            start = time.perf_counter()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
            try:
                _, status, resources = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            f.seek(0)
            if process.returncode not in (0, 1):  # 1: every record was rejected
                raise Unavailable(f"emospan tag --decode {self.decode}: {f.read().strip()[-300:]}")
        with open(manifest, encoding="utf-8") as f:
            run = json.load(f)
        with open(out, encoding="utf-8") as f:
            records = [json.loads(line) for line in f]
        if run["records"] != len(rows) or run["accepted"] != len(records):
            raise Unavailable(f"emospan tag --decode {self.decode}: {len(rows)} texts, but the manifest says {run['records']}")
        settings = ", ".join(f"{key} {run[key]}" for key in ("parallel", "threads", "device", "cpu_variant") if run.get(key))
        return {
            "records": len(rows), "seconds": seconds, "tagging_seconds": run["seconds"], "rss": resources.ru_maxrss * 1024,
            "prompt_tokens": run["prompt_tokens"], "written_tokens": run["forced_tokens"] + run["sampled_tokens"],
            "parsed": len(records), **worth(records, self.folder), "settings": settings,
        }


class Peer:
    """llama-server with one form of answer and one model file; start gives a bench_server.Server."""

    def __init__(self, start, path, settings, requests, rows, folder):
        self.start, self.path, self.settings = start, path, settings
        self.requests, self.rows, self.folder = requests, rows, folder

    def warm_up(self):
        """Each measurement warms the server that it starts."""

    def measure(self):
        with self.start() as server:
            server.warm_up(self.requests[0])
            answers, seconds = server.answers(self.requests)
            rss = server.peak_bytes()
        run = {
            "records": len(answers), "seconds": seconds, "rss": rss, "settings": self.settings,
            "prompt_tokens": sum(a.prompt_tokens for a in answers), "written_tokens": sum(a.written_tokens for a in answers),
        }
        if self.requests[0][0] == "/completion":  # our compact form: only emospan knows the record that it stands for
            return {**run, "parsed": sum(bench_card.is_json(a.content) for a in answers)}
        model = os.path.basename(self.path)
        records = [bench_card.record_from_answer(a.content, row, model) for a, row in zip(answers, self.rows)]
        records = [record for record in records if record]
        return {**run, "parsed": len(records), **worth(records, self.folder)}


class PromptSpeed:
    """llama-bench's pp512."""

    def __init__(self, path, threads):
        self.path, self.threads = path, threads

    def warm_up(self):
        """llama-bench does so itself."""

    def measure(self):
        program = os.path.join(PEERS, "llama-bench")
        text = output(program, "-m", self.path, "-p", "512", "-n", "0", "-t", str(self.threads), "-r", "3", "-o", "json")
        found = json.loads(text)[0]
        return {"tokens_per_second": found["avg_ts"], "llama_cpp": found["build_commit"]}

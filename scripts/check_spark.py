#!/usr/bin/env python3
"""Runs emospan as a filter in Spark: check_spark.py EMOSPAN

Two workers of a local cluster pipe a partition each through `emospan tag -`. What comes back must be, text by text, the records of
a single run. While both processes are up, their memory is read from /proc: the pages of the model must be one copy that they share.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

from pyspark.sql import SparkSession

exe = os.path.abspath(sys.argv[1])
passed = failed = 0


def check(what, ok):
    global passed, failed
    print("ok  " if ok else "FAIL", what, flush=True)
    passed, failed = passed + ok, failed + (not ok)


def children_of_spark():
    """The filters that are running: processes of this executable below this one."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe") == exe and b"tag" in open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0"):
                found.append(int(pid))
        except OSError:
            pass
    return found


def mapped(pid, path):
    """KiB of a process's mapping of a file: those in memory, and its share of them."""
    rss = pss = 0
    inside = False
    for line in open(f"/proc/{pid}/smaps"):
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            inside = len(words) > 5 and words[5] == path
        elif inside and words[0] == "Rss:":
            rss += int(words[1])
        elif inside and words[0] == "Pss:":
            pss += int(words[1])
    return rss, pss


def rollup(pid):
    sums = dict(line.split()[:2] for line in open(f"/proc/{pid}/smaps_rollup") if line.split()[0].endswith(":"))
    return int(sums["Rss:"]), int(sums["Pss:"])


model = json.loads(subprocess.run([exe, "models", "show", "--json"], check=True, capture_output=True, text=True).stdout)["path"]
model = os.path.realpath(model)
size = os.path.getsize(model) // 1024
texts = [json.dumps({"id": f"t{i}", "text": text}) for i, text in enumerate(
    f"{who} {what} on the {n + 1}th day." for n in range(8) for who in ["My neighbour", "Our teacher", "The driver"] for what in ["shouted at me", "thanked us all"])]
arguments = ["tag", "-m", model, "-q", "--threads", "1", "--deterministic", "--input", "jsonl"]

single = subprocess.run([exe, *arguments, "-"], input="\n".join(texts) + "\n", check=True, capture_output=True, text=True)
want = single.stdout.splitlines()
check(f"a single run: {len(want)} records of {len(texts)} texts", len(want) == len(texts))

best = {}  # the moment at which most of the model was in both
stop = threading.Event()


def watch():
    while not stop.is_set():
        try:
            pids = children_of_spark()
            if len(pids) == 2:
                seen = [(mapped(pid, model), rollup(pid)) for pid in pids]
                if min(s[0][0] for s in seen) > min([s[0][0] for s in best.get("seen", [])] or [0]):
                    best["seen"] = seen
        except (OSError, KeyError, IndexError):
            pass  # one has just ended
        time.sleep(0.2)


with tempfile.TemporaryDirectory() as work:
    spark = (SparkSession.builder.master("local-cluster[2,1,1024]").appName("emospan")
             .config("spark.ui.enabled", "false").config("spark.executor.memory", "512m").config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.driver.host", "127.0.0.1").config("spark.local.dir", work).getOrCreate())
    try:
        spark.sparkContext.setLogLevel("ERROR")
        watcher = threading.Thread(target=watch)
        watcher.start()
        rdd = spark.sparkContext.parallelize(texts, 2)
        got = rdd.pipe(" ".join([exe, *arguments, "-"]), checkCode=True).collect()
        stop.set()
        watcher.join()
        check("rdd.pipe gives the records of the single run, in its order", got == want)
        # A partition that is not read to its end: the filter ends with the pipe, and Spark with what was asked for.
        few = rdd.pipe(" ".join([exe, *arguments, "-"])).take(3)
        check("take(3) gives the first three", few == want[:3])
        for _ in range(300):
            if not children_of_spark():
                break
            time.sleep(0.1)
        check("no filter is left behind", not children_of_spark())
        bad = rdd.pipe(f"{exe} tag -m missing.gguf -", checkCode=True)
        try:
            bad.count()
            check("a filter that fails ends the stage", False)
        except Exception as e:  # py4j's error of a job that was given up
            check("a filter that fails ends the stage", "exit" in str(e).lower())
    finally:
        stop.set()
        spark.stop()

if "seen" not in best:
    check("both filters were seen at the same time", False)
else:
    for i, ((rss, pss), (all_rss, all_pss)) in enumerate(best["seen"]):
        print(f"note filter {i}: of the model's {size} KiB {rss} KiB are in memory, {pss} KiB its share; in all Rss {all_rss} KiB, Pss {all_pss} KiB")
    check("both have the model in memory", all(s[0][0] > size / 2 for s in best["seen"]))
    check("they share its pages", all(s[0][1] < 0.6 * s[0][0] for s in best["seen"]))
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)

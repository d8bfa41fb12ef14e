#!/usr/bin/env python3
"""Holds scripts/kubernetes against the Kubernetes API, and runs what its pods would run.

check_kubernetes.py EMOSPAN MODEL.gguf

Each manifest must pass the strict schemas of package kubernetes-validate, the newest and the oldest version that has all of the
fields, and spoilt copies must not. Then the commands of all indices are run on this machine in turn, with the index put in as
Kubernetes does and the volume's path replaced by a folder; the merged file must be that of a single run. No cluster is started.
"""
import copy
import os
import re
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

exe, model = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kubernetes")
VERSIONS = ["1.33", kubernetes_validate.latest_version()]  # 1.33: backoffLimitPerIndex without a feature gate
passed = failed = 0


def check(what, ok):
    global passed, failed
    print("ok  " if ok else "FAIL", what)
    passed, failed = passed + ok, failed + (not ok)


def fault(job, version):
    try:
        kubernetes_validate.validate(job, version, strict=True)
    except kubernetes_validate.ValidationError as e:
        return str(e.message)
    return None


jobs = {}
for name in sorted(os.listdir(here)):
    with open(os.path.join(here, name)) as f:
        job = jobs[name] = yaml.safe_load(f)
    for version in VERSIONS:
        found = fault(job, version)
        check(f"{name} is a {job['kind']} of Kubernetes {version}" + (f": {found}" if found else ""), found is None)

job, merge = jobs["job.yaml"], jobs["merge.yaml"]


def spoil(what, f):
    bad = copy.deepcopy(job)
    f(bad["spec"])
    found = fault(bad, VERSIONS[-1])
    check(f"{what} is refused: {found}", found is not None)


spoil("a field misspelt", lambda spec: spec.update(completion=spec.pop("completions")))
spoil("a number in quotes", lambda spec: spec.update(completions="8"))
spoil("a pod without containers", lambda spec: spec["template"]["spec"].pop("containers"))
spoil("a field of another object", lambda spec: spec["template"]["spec"]["containers"][0].update(restartPolicies="Never"))

count = job["spec"]["completions"]
check("the Job is indexed", job["spec"]["completionMode"] == "Indexed")
check("an index is tried again by itself", job["spec"]["template"]["spec"]["restartPolicy"] == "Never" and job["spec"]["backoffLimitPerIndex"] > 0)


def command(job, data, **env):
    """What the container runs: $(NAME) stands for a variable, as in Kubernetes."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
    words = [re.sub(r"\$\((\w+)\)", lambda m: env[m[1]], word) for word in container["command"]]
    assert words[0] == "/emospan" and mounts["data"] == "/data"
    return [exe] + [word.replace("/data", data) for word in words[1:]]


with tempfile.TemporaryDirectory() as data:
    os.symlink(model, os.path.join(data, "model.gguf"))
    with open(os.path.join(data, "texts.jsonl"), "w") as f:
        for i in range(3 * count - 2):
            f.write('{"id":"t%d","text":"Parcel %d came late, and the driver was sorry."}\n' % (i, i))
    single = os.path.join(data, "single.jsonl")
    # The flags that keep a record from depending on its neighbours, and this machine from more threads than it has.
    same = ["--deterministic", "--threads=1", "--quiet"]
    subprocess.run([exe, "tag", "--model", os.path.join(data, "model.gguf"), "--out", single, *same, os.path.join(data, "texts.jsonl")], check=True)
    os.mkdir(os.path.join(data, "tagged.jsonl.parts"))
    for index in reversed(range(count)):
        done = subprocess.run(command(job, data, JOB_COMPLETION_INDEX=str(index)) + same, capture_output=True, text=True)
        if done.returncode:
            check(f"the pod of index {index}: exit code {done.returncode}, {done.stderr.strip()}", False)
    done = subprocess.run(command(merge, data), capture_output=True, text=True)
    last = done.stderr.strip().splitlines() or ["nothing said"]
    check(f"the merge of {count} pods: {last[0]}", done.returncode == 0)
    merged = os.path.join(data, "tagged.jsonl")
    check("the merged file is that of the single run", os.path.exists(merged) and open(merged, "rb").read() == open(single, "rb").read())

print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)

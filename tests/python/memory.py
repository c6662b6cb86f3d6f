#!/usr/bin/env python3
"""Resident memory of the mover and the facade on synthetic storage at both ends.

Starts everything itself on loopback: a source (the facade over a synthetic emulator), a store (a
synthetic emulator), the mover, the facade. Reads the peak resident size (VmHWM) of each process under
test when it has done its work and compares it with the limit.
"""

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
ACCOUNT = "devstoreaccount1"
ACCESS, SECRET = "MEMORYTESTKEY", "memory-test-secret-1"
MIB = 1 << 20
PROCESSES = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(binary, *arguments):
    environment = dict(
        os.environ, AZURE_STORAGE_KEY=KEY, FACADE_SECRET=SECRET, AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET
    )
    process = subprocess.Popen([binary, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    PROCESSES.append(process)
    return process


def await_port(port):
    for _ in range(3000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port}")


def peak_bytes(process):
    """Peak resident size; to be read before the process has been waited for."""
    with open(f"/proc/{process.pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def watch_peak(process):
    """Follows the peak of a process that ends by itself."""
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, peak_bytes(process))
        except OSError:
            break
        time.sleep(0.05)
    return peak


def write_config(folder, name, emulator, facade=None, source=None):
    lines = [
        "[azure]",
        f'endpoint = "http://127.0.0.1:{emulator}/{ACCOUNT}"',
        'credential = "shared-key"',
        "[mover]",
        'byte_budget = "64MiB"',
    ]
    if source:
        lines += ["[source]", f'endpoint = "http://127.0.0.1:{source}"', 'region = "us-east-1"', 'credentials = "static"']
    lines += ["[[bucket]]", 'name = "data-bucket"', 'container = "data"']
    if facade:
        lines += [
            "[facade]",
            f'listen = "127.0.0.1:{facade}"',
            "[facade.limits]",
            'drain_delay = "0s"',
            "[[facade.key]]",
            'name = "test"',
            f'access_key_id = "{ACCESS}"',
            'secret_env = "FACADE_SECRET"',
            'buckets = ["*"]',
            'verbs = ["read", "write", "list", "delete"]',
        ]
    lines += ["[admin]", f'listen = "127.0.0.1:{free_port()}"']
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def judge(name, peak, limit, seconds):
    good = 0 < peak <= limit
    print(f"{'ok' if good else 'FAILED'}: {name}: peak {peak / MIB:.1f} MiB of {limit / MIB:.0f} MiB, {seconds:.1f} s", flush=True)
    return good


def emulate(binary, *arguments):
    port = free_port()
    start(binary, "emulator", "--listen", f"127.0.0.1:{port}", "--storage", "synthetic", "--container", "data",
          "--container", "bluebucket-state", *arguments)
    await_port(port)
    return port


def backfill(arguments, folder, name, fill):
    # Without MD5: hashing the content of the large object would take longer than the test.
    source_store = emulate(arguments.binary, "--content-md5", "omit", "--fill", fill)
    store = emulate(arguments.binary)
    source = free_port()
    start(arguments.binary, "-c", write_config(folder, f"{name}-source.toml", source_store, facade=source), "serve")
    await_port(source)
    config = write_config(folder, f"{name}.toml", store, source=source)
    begun = time.time()
    process = start(arguments.binary, "-c", config, "--log", "warn", "backfill")
    peak = watch_peak(process)
    good = judge(f"backfill of {name}", peak, arguments.limit * MIB, time.time() - begun)
    if process.returncode != 0:
        print(f"FAILED: backfill ended with {process.returncode}")
        return False
    return good


def uploads(arguments, folder):
    store, facade = emulate(arguments.binary, "--content-md5", "omit"), free_port()
    process = start(arguments.binary, "-c", write_config(folder, "uploads.toml", store, facade=facade), "serve")
    await_port(facade)
    client = boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{facade}", aws_access_key_id=ACCESS, aws_secret_access_key=SECRET,
        region_name="us-east-1", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    piece, statuses, begun = b"u" * MIB, [], time.time()

    def upload(number):
        url = urlsplit(client.generate_presigned_url("put_object", Params={"Bucket": "data-bucket", "Key": f"u{number}"}))
        connection = http.client.HTTPConnection("127.0.0.1", facade, timeout=600)
        connection.putrequest("PUT", f"{url.path}?{url.query}")
        connection.putheader("Content-Length", str(arguments.upload_mib * MIB))
        connection.endheaders()
        for _ in range(arguments.upload_mib):
            connection.send(piece)
        statuses.append(connection.getresponse().status)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(arguments.uploads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = judge(
        f"{arguments.uploads} uploads of {arguments.upload_mib} MiB at once", peak_bytes(process), arguments.limit * MIB,
        time.time() - begun,
    )
    sizes = [entry["Size"] for entry in client.list_objects_v2(Bucket="data-bucket").get("Contents", [])]
    whole = statuses == [200] * arguments.uploads and sizes == [arguments.upload_mib * MIB] * arguments.uploads
    if not whole:
        print(f"FAILED: statuses {sorted(set(statuses))}, {len(sizes)} objects of sizes {sorted(set(sizes))[:5]}")
    return good and whole


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--objects", type=int, default=100_000, help="of 1 KiB each")
    parser.add_argument("--large-mib", type=int, default=4096, help="size of the large object")
    parser.add_argument("--uploads", type=int, default=64)
    parser.add_argument("--upload-mib", type=int, default=64)
    parser.add_argument("--limit", type=int, default=128, help="MiB of resident memory")
    parser.add_argument("--only", choices=["objects", "large", "uploads"])
    arguments = parser.parse_args()
    results = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            if arguments.only in (None, "objects"):
                results.append(backfill(arguments, folder, "small objects", f"data/key-:{arguments.objects}:1024"))
            if arguments.only in (None, "large"):
                results.append(backfill(arguments, folder, "one large object", f"data/large-:1:{arguments.large_mib * MIB}"))
            if arguments.only in (None, "uploads"):
                results.append(uploads(arguments, folder))
    finally:
        for process in PROCESSES:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
    print(f"{results.count(True)} passed, {results.count(False)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

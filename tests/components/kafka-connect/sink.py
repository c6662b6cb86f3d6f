#!/usr/bin/env python3
"""The Iceberg sink, step by step; between the steps the stage kills a worker or a replica, or moves the store.

    sink.py send --first N --rows N [--seconds N]    records with the numbers from N on
    sink.py configure --config FILE                  puts the connector
    sink.py await-rows --rows N                      until the table has so many
    sink.py pause, sink.py resume                    the connector, until it says so
    sink.py at-rest                                  until no row has come for longer than a commit takes
    sink.py compare --rows N                         every number once, and the values that were sent

A connector whose task has failed ends every step.
"""

import argparse
import collections
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from kafka import KafkaProducer
from pyiceberg.catalog import load_catalog

import session
import verdict

TOPIC, TABLE = "events", "lake.events"


def main():
    arguments = parse()
    STEPS[arguments.step](arguments)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("--broker")
    parser.add_argument("--connect", help="the REST interface of the worker")
    parser.add_argument("--catalog")
    parser.add_argument("--endpoint")
    parser.add_argument("--bucket")
    parser.add_argument("--config")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0, help="the time over which the records are sent")
    parser.add_argument("--vended", action="store_true", help="the sessions of the sink are tried too")
    return parser.parse_args()


def send(arguments):
    producer = KafkaProducer(bootstrap_servers=arguments.broker, linger_ms=20, acks="all")
    begun = time.monotonic()
    for sent in range(arguments.rows):
        number = arguments.first + sent
        producer.send(TOPIC, json.dumps({"id": number, "value": value_of(number)}).encode())
        ahead = sent / arguments.rows * arguments.seconds - (time.monotonic() - begun)
        if ahead > 0.1:
            time.sleep(ahead)
    producer.flush()
    producer.close()


def value_of(number):
    return f"value {number} {number * 2654435761 % 4294967296:08x}"


def configure(arguments):
    """A worker that has just begun refuses for a while."""
    body = pathlib.Path(arguments.config).read_bytes()
    address = f"{arguments.connect}/connectors/sink/config"
    until(90, lambda: ask(urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="PUT")))


def await_rows(arguments):
    def enough():
        end_if_failed(arguments)
        return len(numbers(arguments)) >= arguments.rows

    until(200, enough)


def pause(arguments):
    order(arguments, "pause", "PAUSED")


def resume(arguments):
    order(arguments, "resume", "RUNNING")


def order(arguments, what, state):
    until(60, lambda: tell(f"{arguments.connect}/connectors/sink/{what}", "PUT"))

    def obeyed():
        status = ask(f"{arguments.connect}/connectors/sink/status")
        return status["tasks"] and {one["state"] for one in [status["connector"], *status["tasks"]]} == {state}

    until(90, obeyed)


def at_rest(arguments):
    """A commit falls every five seconds."""
    seen, since = None, time.monotonic()
    while time.monotonic() - since < 8:
        time.sleep(1)
        now = len(numbers(arguments))
        if now != seen:
            seen, since = now, time.monotonic()
    print(f"{seen} rows at rest")


def compare(arguments):
    await_rows(arguments)
    read = table(arguments).scan(selected_fields=("id", "value")).to_arrow()
    seen = collections.Counter(read["id"].to_pylist())
    twice = [number for number, times in seen.items() if times > 1]
    missing = [number for number in range(arguments.rows) if number not in seen]
    verdict.check("no row is missing", not missing, f"{len(missing)}, the first {missing[:5]}")
    verdict.check("no row is there twice", not twice, f"{len(twice)}, the first {twice[:5]}")
    verdict.equal("no other row", len(seen), arguments.rows)
    pairs = zip(read["id"].to_pylist(), read["value"].to_pylist())
    wrong = [number for number, value in pairs if value != value_of(number)]
    verdict.check("the values are those that were sent", not wrong, wrong[:5])
    commits = len(table(arguments).snapshots())
    verdict.check("more than one commit", commits > 1, commits)
    if arguments.vended:
        session.held_to_its_table(arguments.catalog, *TABLE.split("."), arguments.endpoint, arguments.bucket)


def numbers(arguments):
    return table(arguments).scan(selected_fields=("id",)).to_arrow()["id"].to_pylist()


def table(arguments):
    """With the pair of the reader, whatever the sink works with."""
    catalog = load_catalog("tests", type="rest", uri=arguments.catalog, warehouse="iceberg", **{
        "s3.endpoint": arguments.endpoint, "s3.region": "eu-central-1", "s3.force-virtual-addressing": "false",
        "s3.access-key-id": os.environ["READER_KEY"], "s3.secret-access-key": os.environ["READER_SECRET"],
    })
    return catalog.load_table(TABLE)


def end_if_failed(arguments):
    status = ask(f"{arguments.connect}/connectors/sink/status")
    for task in status["tasks"]:
        if task["state"] == "FAILED":
            print(task["trace"])
            sys.exit("a task of the sink has failed")


def until(seconds, holds):
    end = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
            why = "not yet"
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
        if time.monotonic() > end:
            raise TimeoutError(why)
        time.sleep(2)


def ask(request):
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def tell(address, method):
    with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=30) as answer:
        return answer.status < 300


STEPS = {
    "send": send, "configure": configure, "await-rows": await_rows, "pause": pause, "at-rest": at_rest,
    "resume": resume, "compare": compare,
}
verdict.run(main)

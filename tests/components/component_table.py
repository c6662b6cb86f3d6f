#!/usr/bin/env python3
"""What each component asked of the facade and what that cost, as one table in Markdown.

    component_table.py [--account PID --account-log LOG] ADMIN_URL...

The replicas' own counters, added up; a replica that does not answer is left out and named. Below the table: processor
time per request of each replica, and what the emulated account (its process, and the file that it prints to) says that
it was asked for, which is the other side of the same calls.
"""

import argparse
import collections
import json
import os
import re
import signal
import time
import urllib.request

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')
COLUMNS = ["component", "operation", "requests", "4xx", "5xx", "aborted", "Azure calls", "per request", "MB in", "MB out"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--account", type=int, help="process of the emulator")
    arguments.add_argument("--account-log", help="where the emulator prints to")
    arguments.add_argument("urls", nargs="+")
    asked = arguments.parse_args()
    replicas = {url: metrics_of(url) for url in asked.urls}
    answering = {url: samples for url, samples in replicas.items() if samples is not None}
    print(markdown(Figures(answering.values())))
    print()
    for url in replicas:
        print(processor(url, answering[url]) if url in answering else f"{url} does not answer: what it did is not above.")
    if asked.account and answering:
        print(account(answering.values(), requests_of_account(asked.account, asked.account_log)))


def metrics_of(url):
    """The samples of a replica, as (name, labels, value); none if it does not answer."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return None
    found = (SAMPLE.match(line) for line in lines if not line.startswith("#"))
    return [(one[1], dict(LABEL.findall(one[2] or "")), float(one[3])) for one in found if one]


class Figures:
    """Numbers by component, operation and what they count; of a whole component the operation is empty."""

    def __init__(self, replicas):
        self.counts = collections.Counter()
        for name, labels, value in (sample for samples in replicas for sample in samples):
            of, operation = labels.get("component"), labels.get("operation", "")
            if name == "bluebucket_facade_requests_total":
                self.add(of, operation, "requests", value)
                self.add(of, operation, labels["status"], value)
            elif name == "bluebucket_facade_blob_requests_total":
                self.add(of, operation, "calls", value)
            elif name == "bluebucket_facade_component_received_bytes_total":
                self.counts[of, "", "in"] += value
            elif name == "bluebucket_facade_component_sent_bytes_total":
                self.counts[of, "", "out"] += value

    def add(self, component, operation, what, value):
        self.counts[component, operation, what] += value
        self.counts[component, "", what] += value

    def rows(self):
        """Components by name, each with its whole first and then its operations, the most frequent first."""
        asked = {(of, operation): count for (of, operation, what), count in self.counts.items() if what == "requests" and count}
        return sorted(asked, key=lambda row: (row[0], row[1] != "", -asked[row]))

    def cells(self, component, operation):
        def count(what):
            return self.counts[component, operation, what]

        numbers = [count("requests"), count("4xx"), count("5xx"), count("aborted"), count("calls")]
        ratio = f"{count('calls') / count('requests'):.2f}"
        megabytes = ["", ""] if operation else [f"{count(way) / 1e6:.1f}" for way in ("in", "out")]
        return [component, operation or "all", *(f"{number:.0f}" for number in numbers), ratio, *megabytes]


def markdown(figures):
    rows = [COLUMNS, *(figures.cells(*row) for row in figures.rows())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]

    def line(row):
        cells = (cell.ljust(width) if index < 2 else cell.rjust(width) for index, (cell, width) in enumerate(zip(row, widths)))
        return f"| {' | '.join(cells)} |"

    rule = "|" + "|".join("-" * (width + 2) if index < 2 else "-" * (width + 1) + ":" for index, width in enumerate(widths)) + "|"
    return "\n".join([line(rows[0]), rule, *map(line, rows[1:])])


def total(samples, name):
    return sum(value for sample, _, value in samples if sample == name)


def processor(url, samples):
    requests, seconds = total(samples, "bluebucket_facade_requests_total"), total(samples, "process_cpu_seconds_total")
    per_request = f", {1e3 * seconds / requests:.2f} ms for each" if requests else ""
    return f"{url}: {requests:.0f} requests, {seconds:.1f} s of processor time in all{per_request}."


def account(replicas, seen):
    replicas = list(replicas)
    sent, charged = (
        sum(total(samples, name) for samples in replicas)
        for name in ("bluebucket_blob_requests_total", "bluebucket_facade_blob_requests_total")
    )
    operations = ", ".join(f"{name} {count}" for name, count in sorted(seen.items(), key=lambda one: -one[1]))
    return (
        f"The replicas sent {sent:.0f} requests to the account, {charged:.0f} of them for components. "
        f"It saw {sum(seen.values())}, each delete of a batch and those of other clients among them: {operations}."
    )


def requests_of_account(process, log):
    """Asks the emulator, which answers in its log."""
    before = os.path.getsize(log)
    os.kill(process, signal.SIGUSR1)
    for _ in range(50):
        time.sleep(0.1)
        with open(log, errors="replace") as lines:
            lines.seek(before)
            told = [line for line in lines if line.startswith('{"requests":') and line.endswith("\n")]
        if told:
            return json.loads(told[-1])["requests"]
    return {}


main()

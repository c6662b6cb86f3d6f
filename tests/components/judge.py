#!/usr/bin/env python3
"""What the logs of the facade's replicas say about a scenario: no answer of the 5xx kind, nothing that a user would
have to ask about.

Arguments: the logs, with access lines (`bluebucket::access=debug`). Prints how often each component asked for what, and
`N passed, N failed, N skipped` at the end.
"""

import collections
import re
import sys

ACCESS = re.compile(r"bluebucket::access: request .*?\boperation=\"?(\w+)\"?.*?\bcomponent=\"?([\w-]+)\"?.*?\bstatus=(\d+)")
TROUBLE = re.compile(r"^\S+ +(WARN|ERROR) ")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Warnings that a scenario brings about on purpose: part of the line, and why it is right.
EXPLAINED = {}


def main():
    lines = [COLOUR.sub("", line.rstrip("\n")) for log in sys.argv[1:] for line in open(log, errors="replace")]
    requests = collections.Counter(found.groups() for found in map(ACCESS.search, lines) if found)
    troubles = [line for line in lines if TROUBLE.search(line) and not any(part in line for part in EXPLAINED)]
    broken = {request: count for request, count in requests.items() if request[2].startswith("5")}
    show(requests)
    checks = {
        "the facade was used": (bool(requests), ""),
        "no answer was a 5xx": (not broken, broken),
        "the facade warned of nothing": (not troubles, troubles[:10]),
    }
    for name, (right, why) in checks.items():
        print("ok  " if right else "FAIL", name if right else f"{name}: {why}")
    failed = sum(not right for right, _ in checks.values())
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(failed > 0)


def show(requests):
    for (operation, component, status), count in sorted(requests.items(), key=lambda item: (item[0][1], item[0])):
        print(f"{count:7} {component} {operation} {status}")


main()

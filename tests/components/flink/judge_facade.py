"""What the logs of the facade's replicas say about a scenario: arguments are "hold" or "roll", and the logs.

The logs need the access lines (`bluebucket::access=debug`). Ends with `N passed, N failed, N skipped`.
"""

import collections
import re
import sys

ACCESS = re.compile(r" DEBUG bluebucket::access: request method=(\w+) path=\"?(\S+?)\"? operation=\"?(\w+).* status=(\d+)")
# The last bytes of a file that is open over checkpoints, as flink-s3-fs-hadoop calls them.
TAIL = re.compile(r"/_part-[^/]+_tmp_[^/]+$")


def main():
    files, logs = sys.argv[1], sys.argv[2:]
    lines = [line.rstrip("\n") for log in logs for line in open(log)]
    requests = [found.groups() for found in map(ACCESS.search, lines) if found]
    show(requests)
    troubles = [line for line in lines if re.search(r"Z +(WARN|ERROR) ", line)]
    broken = [request for request in requests if request[3].startswith("5")]
    tails = [path for method, path, _, status in requests if method == "GET" and status[0] == "2" and TAIL.search(path)]
    checks = {
        "the facade was used": len(requests) > 500,
        "no answer was a 5xx": not broken,
        "the facade warned of nothing": not troubles,
        "open files got their last bytes back": bool(tails) == (files == "hold"),
    }
    for name, right in checks.items():
        print("ok  " if right else "FAIL", name)
    print(*broken[:10], *troubles[:10], f"{len(tails)} reads of last bytes", sep="\n")
    failed = sum(not right for right in checks.values())
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(failed > 0)


def show(requests):
    counts = collections.Counter((operation, status) for _, _, operation, status in requests)
    print(f"{len(requests)} requests")
    for (operation, status), count in sorted(counts.items()):
        print(f"{count:7} {operation} {status}")


main()

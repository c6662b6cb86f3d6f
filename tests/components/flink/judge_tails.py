"""Whether jobs got the last bytes of open files back: arguments are "hold" or "roll", and the logs of the facade.

Files that each checkpoint ends have none. The logs need the access lines (`bluebucket::access=debug`).
"""

import re
import sys

# As flink-s3-fs-hadoop calls them.
READ = re.compile(r'bluebucket::access: request method=GET path="[^"]*/_part-[^/"]+_tmp_[^/"]+" .*status=2')

reads = sum(bool(READ.search(line)) for log in sys.argv[2:] for line in open(log))
right = (reads > 0) == (sys.argv[1] == "hold")
print(f"{reads} reads of last bytes")
print(f"{int(right)} passed, {int(not right)} failed, 0 skipped")
sys.exit(not right)

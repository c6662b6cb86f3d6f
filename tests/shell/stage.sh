# Sourced by every stage: where things are, how results are said, and the end of everything that was started.
#
# tests/run gives: ROOT, STAGE, DEPTH (quick or full), LOGS, WORK (an empty folder, removed if all is well), RESULTS.
set -euo pipefail
: "${ROOT:?run this through tests/run}"
export TMPDIR=$WORK
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost AWS_EC2_METADATA_DISABLED=true PYTHONDONTWRITEBYTECODE=1
. "$ROOT/tests/shell/processes.sh"
. "$ROOT/tests/shell/results.sh"
. "$ROOT/tests/shell/servers.sh"
. "$ROOT/tests/shell/product.sh"
trap stop_all EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 141' PIPE

full() { [ "$DEPTH" = full ]; }

# need_program: ends the stage, as failed, where the program is not built.
need_program() {
  [ -x "$BLUEBUCKET" ] && return
  failed "the program" "$BLUEBUCKET is not there: run the stage build first"
  exit 1
}

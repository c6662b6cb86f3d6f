# about: many connections, slow clients and overload: memory in bounds, goodput stays, refusals are quick
# minutes: 5
. "$ROOT/tests/shell/stage.sh"
need_program
# Full: streams for five minutes, more slow heads, a longer flood.
full && export BLUEBUCKET_FULL=1
export BLUEBUCKET
ulimit -n "$(ulimit -Hn)"
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt 12000 ]; then
  skipped "load" "10,000 connections need more than $(ulimit -n) open files"
  exit
fi
# One after the other: each measures.
cargo_suite "load" --locked --test load -- --ignored --nocapture --test-threads 1
grep -hE 'seed|peak|p99|median|goodput|capacity' "$(log_of load)" || true

# about: clients that race for one key through two replicas, one of which is killed in between
# minutes: 6
. "$ROOT/tests/shell/stage.sh"
need_program
# At full depth 200 schedules, which take longer than a quick run has.
full && export BLUEBUCKET_FULL=1
export BLUEBUCKET
cargo_suite "replicas killed" --locked --test races_processes -- --nocapture

# about: two replicas behind a balancer: rolling restarts without a failed request, kills without a lost write
# minutes: 5
. "$ROOT/tests/shell/stage.sh"
need_program
# Full: 10 restarts over 100,000 requests, 20 kills.
full && export BLUEBUCKET_FULL=1
export BLUEBUCKET BOTO3_PYTHON=$python REPLICA_RESTARTS=4 REPLICA_REQUESTS=10000 REPLICA_KILLS=5
full && export REPLICA_RESTARTS=10 REPLICA_REQUESTS=100000 REPLICA_KILLS=20
# One after the other: each has processes of its own.
cargo_suite "replicas" --locked --test replicas -- --nocapture --test-threads 1
grep -hE 'seed|requests over|^boto3' "$(log_of replicas)" || true

# about: `bluebucket demo`, a whole migration in one process
# minutes: 3
. "$ROOT/tests/shell/stage.sh"
need_program
amounts=()
full && amounts=(--objects 20000 --largest 1024)
check "demo" "$BLUEBUCKET" demo --once --seed "${SEED:-$RANDOM}" "${amounts[@]}"
check "demo says its steps" grep -q 'the copies, served over S3' "$(log_of demo)"

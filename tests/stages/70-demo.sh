# about: `bluebucket demo`, a whole migration in one process
# minutes: 3
. "$ROOT/tests/shell/stage.sh"
need_program
check "demo" "$BLUEBUCKET" demo

# about: `bluebucket demo --once`, which needs no configuration
# minutes: 3
. "$ROOT/tests/shell/stage.sh"
need_program
check "demo" "$BLUEBUCKET" demo --once

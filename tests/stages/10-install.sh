# about: the pinned programs that the tests drive
# minutes: 10
. "$ROOT/tests/shell/stage.sh"
check "install" "$ROOT/tests/install/install"

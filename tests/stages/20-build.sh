# about: the program, with optimisation, and all test programs
# minutes: 25
. "$ROOT/tests/shell/stage.sh"
check "release build" "${CARGO:-cargo}" build --release --locked
check "test programs" "${CARGO:-cargo}" test --no-run --locked

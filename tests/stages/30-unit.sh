# about: the tests beside the code, and those in the documentation
# minutes: 12
. "$ROOT/tests/shell/stage.sh"
cargo_suite "unit" --locked --lib --bins
check "documentation" "${CARGO:-cargo}" test --locked --doc

# about: the tests beside the code, and those in the documentation
# minutes: 12
. "$ROOT/tests/shell/stage.sh"
cargo_suite "unit" --lib --bins
grep -rqE '^\s*//[/!] ```' "$ROOT/src" && cargo_suite "documentation" --doc || true

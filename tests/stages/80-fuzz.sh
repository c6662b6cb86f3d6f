# about: everything that reads what strangers write, fuzzed for a minute each
# minutes: 4
# when: full
. "$ROOT/tests/shell/stage.sh"
suite "fuzzing" "$ROOT/tests/fuzz/run" "${FUZZ_SECONDS:-60}"

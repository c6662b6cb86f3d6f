# about: the test programs in tests/, and the emulator against the official Python SDK
# minutes: 12
. "$ROOT/tests/shell/stage.sh"
cargo=${CARGO:-cargo}
# The seeded suites run their full counts by this.
full && export BLUEBUCKET_FULL=1

for program in "$ROOT"/tests/*.rs; do
  program=$(basename "$program" .rs)
  case $program in
    # The one tests nothing itself, the others have stages of their own.
    emulator_serve | races_processes | replicas) ;;
    *) cargo_suite "$program" --locked --test "$program" ;;
  esac
done

# emulator_serve tests nothing itself: it prints the address of an emulator and a token for it.
emulator=$("$cargo" test --locked --no-run --test emulator_serve --message-format json 2>"$LOGS/$STAGE-emulator.log" \
  | jq -r 'select(.target.name? == "emulator_serve") | .executable // empty')
start "$WORK/emulator" "$emulator" --ignored --nocapture
await 20 grep -q '^ey\|^[A-Za-z0-9._-]\{40,\}$' "$WORK/emulator" || echo "the emulator did not start" >&2
suite "Azure SDK for Python" "$python" "$ROOT/tests/clients/emulator_sdk.py" \
  "$(grep -o 'http://[^ ]*' "$WORK/emulator")" "$(grep -E '^[A-Za-z0-9._-]{40,}$' "$WORK/emulator")"

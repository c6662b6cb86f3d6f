# about: resident memory of mover and facade on synthetic storage
# minutes: 12
. "$ROOT/tests/shell/stage.sh"
need_program

# Full: a million objects, an object of 20 GiB, 64 uploads of 1 GiB at once.
counts=(--objects 100000 --large-mib 4096 --uploads 64 --upload-mib 64)
full && counts=(--objects 1000000 --large-mib 20480 --uploads 64 --upload-mib 1024)
suite "memory" "$ROOT/target/venv-tools/bin/python" "$ROOT/tests/python/memory.py" --binary "$BLUEBUCKET" "${counts[@]}"

# about: a backfill killed 20 times at random loses nothing, mixes nothing and ends
# minutes: 10
. "$ROOT/tests/shell/stage.sh"
need_program
kills=20
amounts=(--count 400 --total 300M --big 150M)
full && kills=200 && amounts=(--count 2000 --total 2G --big 600M)
buckets=(kills-a=kills-a kills-b=kills-b kills-c=kills-c)
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"

start_seaweedfs "$WORK"
start_azurite "$WORK"
make_buckets "$seaweedfs_url" "" kills-a kills-b kills-c
make_containers kills-a kills-b kills-c
check "fill" "$python" "$ROOT/tests/python/fill_source.py" --endpoint "$seaweedfs_url" --access-key "$access_key" --secret-key "$secret_key" \
  --buckets kills-a,kills-b,kills-c --manifest "$WORK/manifest.ndjson" --seaweedfs "${amounts[@]}"

# Slow enough that the kills fall into the work.
write_config "$WORK/slow.toml" source="$seaweedfs_url" "mover=concurrency = 8" 'mover=pace_bytes_per_second = "30MiB"' "${buckets[@]}"
struck=0 ended=0
for ((i = 0; i < kills; i++)); do
  start "$LOGS/$STAGE-killed.log" "$BLUEBUCKET" backfill --config "$WORK/slow.toml"
  killed=$pid
  sleep "$((RANDOM % 2)).$((RANDOM % 10))$((RANDOM % 10))"
  if kill -9 "$killed" 2>/dev/null; then struck=$((struck + 1)); else ended=$((ended + 1)); fi
  wait "$killed" 2>/dev/null || true
done
echo "killed $struck times, $ended had ended before"
check "kills struck" test "$struck" -ge $((kills / 2))

write_config "$WORK/mover.toml" source="$seaweedfs_url" "${buckets[@]}"
objects=$(wc -l <"$WORK/manifest.ndjson")
check "backfill after the kills" bluebucket "$WORK/mover.toml" backfill
check "verify" bluebucket "$WORK/mover.toml" "${compare_everything[@]}"
check "second backfill" bluebucket "$WORK/mover.toml" backfill
check "second backfill copied nothing" counts_are "$(log_of "second backfill")" copied=0 unchanged="$objects" failed=0
port=$(free_ports 1)
write_config "$WORK/facade.toml" facade="$port" "${buckets[@]}"
start_facade "$LOGS/$STAGE-facade.log" "$WORK/facade.toml" "$port"
suite "read back" "$python" "$ROOT/tests/python/compare_facade.py" --endpoint "$facade_url" --access-key "$facade_key" \
  --secret-key "$TEST_FACADE_SECRET" --manifest "$WORK/manifest.ndjson"

# about: a backfill killed 20 times at random loses nothing, mixes nothing, reads nothing twice but what was in flight
# minutes: 8
. "$ROOT/tests/shell/stage.sh"
need_program
kills=20 rate=$((16 << 20))
amounts=(--count 400 --total 250M --big 150M)
full && kills=200 rate=$((10 << 20)) && amounts=(--count 2000 --total 1600M --big 600M)
buckets=(kills-a=kills-a kills-b=kills-b kills-c=kills-c)
block=$((512 << 10)) at_once=8
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"

start_seaweedfs "$WORK"
start_azurite "$WORK"
make_buckets "$seaweedfs_url" "" kills-a kills-b kills-c
make_containers kills-a kills-b kills-c
check "fill" "$python" "$ROOT/tests/python/fill_source.py" --endpoint "$seaweedfs_url" --access-key "$access_key" --secret-key "$secret_key" \
  --buckets kills-a,kills-b,kills-c --manifest "$WORK/manifest.ndjson" --seed "$RANDOM" --seaweedfs "${amounts[@]}"
objects=$(wc -l <"$WORK/manifest.ndjson")
bytes=$(jq -s 'map(.size) | add' "$WORK/manifest.ndjson")

# Both sides through relays that note every request; that at the source is so slow that the kills fall into the work.
connection=$AZURE_STORAGE_CONNECTION_STRING
start_relay "$azurite_url" "$WORK/store-requests.ndjson"
AZURE_STORAGE_CONNECTION_STRING=${connection//"$azurite_url"/"$relay_url"}
start_relay "$seaweedfs_url" "$WORK/source-requests.ndjson" "$rate"
write_config "$WORK/killed.toml" source="$relay_url" "mover=concurrency = $at_once" "mover=block_size = $block" "mover=large_threshold = $block" "${buckets[@]}"
struck=0
for ((i = 0; i < kills; i++)); do
  start "$LOGS/$STAGE-killed.log" "$BLUEBUCKET" backfill --json --config "$WORK/killed.toml"
  killed=$pid
  sleep "$((RANDOM % 2)).$((RANDOM % 10))$((RANDOM % 10))"
  if kill -9 "$killed" 2>/dev/null; then struck=$((struck + 1)); fi
  wait "$killed" 2>/dev/null || true
done
check "all $kills kills struck" test "$struck" = "$kills"
check "backfill after the kills" bluebucket "$WORK/killed.toml" backfill --json
check "every object is accounted for" is_so "$(log_of "backfill after the kills")" ".total.listed == $objects and .total.copied + .total.unchanged == $objects"
suite "read once" "$python" "$ROOT/tests/python/judge_requests.py" once "$WORK/source-requests.ndjson" "$WORK/store-requests.ndjson" \
  --total "$bytes" --kills "$kills" --in-flight $((at_once * block)) --block "$block"

AZURE_STORAGE_CONNECTION_STRING=$connection
write_config "$WORK/mover.toml" source="$seaweedfs_url" "${buckets[@]}"
check "verify" bluebucket "$WORK/mover.toml" verify --mode hash --json
check "verify found no difference" is_so "$(log_of verify)" ".total.equal == $objects and .total.extra == 0"
check "another backfill" bluebucket "$WORK/mover.toml" backfill --json
check "another backfill copied nothing" is_so "$(log_of "another backfill")" ".total.copied == 0 and .total.unchanged == $objects"
reads_back "read back" "$WORK/manifest.ndjson" "${buckets[@]}"

# Sourced after world.sh. The store that the components leave, and the move away from it.
#
#   source_world NAME     starts an S3 server that is not ours, with the buckets of deploy/kubernetes. Leaves s3_url,
#                         s3_region and the secrets of every component as a world does, so that in_pod, in_env and
#                         placed lead there until a world is started.
#   move_source NAME      copies all of it into the containers of the world that was started since, compares both sides
#                         byte by byte, and ends the source: who still asks it gets no answer

source_world() {
  local component
  world_home=$WORK/$1 s3_ca='' s3_trust=''
  mkdir -p "$world_home"
  start_seaweedfs "$world_home"
  source_pid=$pid
  s3_url=$seaweedfs_url
  s3_region=$(manifest_config | sed -n '/^\[facade\]$/,/^$/s/^region = "\(.*\)"/\1/p')
  make_buckets "$s3_url" "" $(moved_buckets | sed 's/=.*//')
  # Everyone has the same pair there.
  for component in $(manifest_config | sed -n '/^\[\[facade.key\]\]$/,/^$/s/^name = "\(.*\)"/\1/p'); do
    mkdir -p "$world_home/secrets/$component-s3"
    printf '%s' "$access_key" >"$world_home/secrets/$component-s3/AWS_ACCESS_KEY"
    printf '%s' "$secret_key" >"$world_home/secrets/$component-s3/AWS_SECRET_KEY"
  done
}

# A subshell, so that the source's pair does not stay in the environment.
move_source() {
  (
    config=$world_home/mover.toml
    write_config "$config" source="$seaweedfs_url" $(moved_buckets)
    read -r objects bytes <<<"$("$python" "$ROOT/tests/components/migration/count_objects.py" --endpoint "$seaweedfs_url" \
      --region "$s3_region" $(moved_buckets | sed 's/=.*//'))"
    echo "      $objects objects, $bytes bytes"
    check "$1, plan" bluebucket "$config" plan --json
    check "$1, plan saw all" is_so "$(log_of "$1, plan")" ".total.objects == $objects and .total.bytes == $bytes"
    check "$1, backfill" bluebucket "$config" backfill --json
    check "$1, backfill copied all" is_so "$(log_of "$1, backfill")" ".total.copied == $objects and .total.bytes_copied == $bytes"
    check "$1, verify" bluebucket "$config" verify --mode hash --json
    check "$1, verify found no difference" is_so "$(log_of "$1, verify")" \
      ".total.equal == $objects and .total.extra == 0 and .total.bytes_read == $bytes"
  )
  stop "$source_pid"
}

# BUCKET=CONTAINER of deploy/kubernetes, one a line.
moved_buckets() {
  manifest_config | sed -n '/^\[\[bucket\]\]$/,/^$/{s/^name = "\(.*\)"/\1/p;s/^container = "\(.*\)"/\1/p}' | paste -d= - -
}

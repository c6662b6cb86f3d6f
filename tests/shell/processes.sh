# Sourced. Programs in the background that are gone when the script is: each is stopped by its process id.
started=()

# start LOG COMMAND...: runs the command in the background; its id is in $pid.
start() {
  local log=$1
  shift
  "$@" >>"$log" 2>&1 </dev/null &
  pid=$!
  started+=("$pid")
}

# stop PID...: asks them to end, and after five seconds ends them.
stop() {
  local id
  kill "$@" 2>/dev/null || true
  for id; do
    await 5 gone "$id" || kill -9 "$id" 2>/dev/null || true
    wait "$id" 2>/dev/null || true
  done
}

stop_all() {
  [ ${#started[@]} = 0 ] || stop "${started[@]}"
  started=()
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# await SECONDS COMMAND...: until the command succeeds.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# answers URL [CA]: something speaks HTTP there.
answers() { curl -s -o /dev/null --max-time 2 ${2:+--cacert "$2"} "$1"; }

# free_ports COUNT: that many ports that nobody listens on now, on one line.
free_ports() {
  python3 - "$1" <<'P'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))
P
}

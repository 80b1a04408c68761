#!/usr/bin/env bash
# What `make up` runs: starts a berth on this machine unless one runs already in
# the data folder, trains the digits example in it, and says where it is. berth
# goes on running; `make down` stops it.
set -euo pipefail
cd "$(dirname "$0")/../.."

export BERTH_DATA=${BERTH_DATA:-$PWD/.berth}
listen=${BERTH_LISTEN:-127.0.0.1:4566}
mkdir -p "$BERTH_DATA"
log=$BERTH_DATA/up.log

healthy() { curl -fsS -o /dev/null "http://$listen/_berth/health?agents=1" 2>/dev/null; }

# A berth that someone else runs at this address is not ours to train on.
running() {
  local pid
  read -r pid _ 2>/dev/null <"$BERTH_DATA/run/up.pid" && kill -0 "$pid" 2>/dev/null
}

if ! running; then
  if curl -sS -o /dev/null --max-time 2 "http://$listen/" 2>/dev/null; then
    echo "another program serves $listen: stop it, or choose another address with BERTH_LISTEN=HOST:PORT" >&2
    exit 1
  fi
  setsid bin/berth up --data "$BERTH_DATA" --listen "$listen" >"$log" 2>&1 </dev/null &
  started=$!
  for _ in $(seq 300); do
    healthy && break
    if ! kill -0 "$started" 2>/dev/null; then
      echo "berth did not start:" >&2
      tail -n 20 "$log" >&2
      exit 1
    fi
    sleep 0.2
  done
fi
if ! healthy; then
  echo "berth does not answer at $listen; its log is $log" >&2
  exit 1
fi

unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION
status=0
./examples/digits/run.sh || status=$?
cat <<END

berth is running
  endpoint     http://$listen
  credentials  $BERTH_DATA/env      (eval "\$(bin/berth env --data $BERTH_DATA)")
  log          $log
  try          bin/berth aws --data $BERTH_DATA ecs list-tasks --desired-status STOPPED
  stop         make down
END
exit $status

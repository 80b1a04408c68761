#!/usr/bin/env bash
# Starts berth in the background and shows that it answers the aws CLI.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${BERTH_DATA:-$PWD/.berth}
mkdir -p "$data"
chmod 700 "$data"
if ! curl -fsS --max-time 2 http://127.0.0.1:4566/_berth/health >/dev/null 2>&1; then
  setsid nohup bin/berth up --data "$data" >"$data/up.log" 2>&1 </dev/null &
  for _ in $(seq 600); do
    grep -q 'berth is ready' "$data/up.log" && break
    kill -0 $! 2>/dev/null || { cat "$data/up.log"; exit 1; }
    sleep 0.2
  done
  cat "$data/up.log"
fi
export BERTH_DATA=$data
bin/berth aws sts get-caller-identity
bin/berth aws ecs list-clusters

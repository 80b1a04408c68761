#!/usr/bin/env bash
# Installs the Debian packages this host lacks for a purpose: run or test.
set -euo pipefail
purpose=${1:?run or test}
missing=()
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing+=("$2")
}
need runc runc
need aws awscli
need curl curl
if [ "$purpose" = test ]; then
  need busybox busybox-static
  need skopeo skopeo
  need ip iproute2
  need haproxy haproxy
  python3 -c 'import boto3' 2>/dev/null || missing+=(python3-boto3)
fi
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then sudo=sudo; else sudo=; fi
echo "installing: ${missing[*]}"
$sudo apt-get -o DPkg::Lock::Timeout=300 -qq update
DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends "${missing[@]}" >/dev/null

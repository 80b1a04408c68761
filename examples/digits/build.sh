#!/usr/bin/env bash
# Builds the image archive digits.tar from Debian's own packages, without Docker:
# fetch, unpack, leave out what training does not read, write a docker archive.
# Needs Debian 12 with apt and its archive in reach; packages are kept in
# ~/.cache/berth. Done once: it does nothing when digits.tar is newer than its
# sources. See Dockerfile for the same image the usual way.
set -euo pipefail
cd "$(dirname "$0")"

archive=$PWD/digits.tar
if [ -e "$archive" ] && [ "$archive" -nt train.py ] && [ "$archive" -nt build.sh ]; then
  exit 0
fi
for tool in apt-get dpkg-deb tar sha256sum chroot; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing; this script needs Debian 12" >&2; exit 1; }
done

# What python3-sklearn needs at run time. Its own Depends also bring a compiler, by
# way of scipy's pythran, which nothing here runs.
packages=(
  base-files netbase tzdata
  python3-sklearn python3-sklearn-lib python3-scipy python3-numpy python3-joblib python3-threadpoolctl python3-decorator
  python3-minimal python3.11-minimal libpython3.11-minimal libpython3.11-stdlib python3-distutils python3-lib2to3 python3-pkg-resources
  libc6 liblbfgsb0 libgcc-s1 libstdc++6 libgfortran5 libquadmath0 libgomp1 libblas3 liblapack3
  zlib1g libexpat1 libssl3 libffi8 libbz2-1.0 liblzma5 libcrypt1 libuuid1 libdb5.3
  python3-boto3 python3-botocore python3-s3transfer python3-jmespath python3-dateutil python3-six
  python3-requests python3-urllib3 python3-chardet python3-certifi python3-idna
)
# The services that train.py calls. botocore knows 300, in 80 MB.
services=(s3 sts)

debs=${XDG_CACHE_HOME:-$HOME/.cache}/berth/debian
mkdir -p "$debs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"

if ! apt-cache show python3-sklearn >/dev/null 2>&1; then
  echo "fetching Debian's package lists"
  apt-get -qq -o DPkg::Lock::Timeout=300 update
fi
echo "fetching ${#packages[@]} packages"
# Downloads whose file is there already, of the same version, are skipped.
(cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}")

echo "unpacking"
# Debian 12 keeps everything below /usr; packages still ship files for both.
for dir in bin sbin lib lib64; do
  mkdir -p "$root/usr/$dir"
  ln -s "usr/$dir" "$root/$dir"
done
for package in "${packages[@]}"; do
  # The newest version, where the cache has several.
  deb=$(ls -t "$debs/${package}_"*.deb | head -n 1)
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink \
    --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
    --exclude='./usr/share/lintian' --exclude='./usr/share/bug' --exclude='./usr/share/python3' \
    --exclude='./usr/share/zoneinfo/posix' --exclude='./usr/share/zoneinfo/right' \
    --exclude='*/tests' --exclude='*/numpy/core/include' --exclude='*/f2py' --exclude='*/idlelib' --exclude='*/ensurepip'
done

kept=()
for service in "${services[@]}"; do kept+=(! -name "$service"); done
find "$root/usr/lib/python3/dist-packages/botocore/data" -mindepth 1 -maxdepth 1 -type d "${kept[@]}" -exec rm -r {} +

# What the packages' scripts would have done.
triplet=$(basename "$(dirname "$(ls "$root"/usr/lib/*/libc.so.6)")")
ln -sf blas/libblas.so.3 "$root/usr/lib/$triplet/libblas.so.3"
ln -sf lapack/liblapack.so.3 "$root/usr/lib/$triplet/liblapack.so.3"
printf 'root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
mkdir -p "$root/digits" "$root/model" "$root/tmp" "$root/proc" "$root/sys" "$root/dev" "$root/root"
chmod 1777 "$root/tmp"
install -m 0644 -p train.py "$root/digits/train.py"

echo "trying it"
# Importing it once shows that nothing is missing, and leaves the modules that it
# reads compiled, which halves its start.
if ! (cd / && env -i PATH=/usr/sbin:/usr/bin OMP_NUM_THREADS=1 chroot "$root" python3 -c 'import sys; sys.path.insert(0, "/digits"); import train; train.load_digits(); train.client("http://127.0.0.1", "us-east-1")' 2>"$work/problem"); then
  cat "$work/problem" >&2
  exit 1
fi

echo "writing digits.tar"
# A docker archive: a layer, a config named after its digest, and a manifest.
out=$work/out
mkdir -p "$out"
tar -C "$root" --numeric-owner --owner=0 --group=0 --sort=name -cf "$out/layer.tar" .
layer=$(sha256sum "$out/layer.tar" | cut -d' ' -f1)
cat >"$out/config" <<JSON
{"architecture":"$(dpkg --print-architecture)","os":"linux","created":"$(date -u -r train.py +%Y-%m-%dT%H:%M:%SZ)","config":{"Entrypoint":["python3","/digits/train.py"],"Env":["PATH=/usr/local/bin:/usr/bin:/bin","PYTHONUNBUFFERED=1","OMP_NUM_THREADS=1"],"WorkingDir":"/digits","Volumes":{"/model":{}}},"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
JSON
config=$(sha256sum "$out/config" | cut -d' ' -f1)
mv "$out/config" "$out/$config.json"
printf '[{"Config":"%s.json","RepoTags":["digits:latest"],"Layers":["layer.tar"]}]\n' "$config" >"$out/manifest.json"
tar -C "$out" -cf "$archive.part" layer.tar "$config.json" manifest.json
mv "$archive.part" "$archive"
echo "built $(du -m "$archive" | cut -f1) MB"

#!/usr/bin/env bash
# Runs a command with a folder as root directory, like a container; the mounts end with the process:
#   unshare --mount enter.sh IMAGE PYTHON ro|rw CONFIG COMMAND...
# IMAGE contains root/ and local/ (mounted as /usr/local). PYTHON is mounted under its own path, CONFIG as /config.
# ro makes everything except /tmp read-only, like "docker run --read-only --tmpfs /tmp".
set -euo pipefail
image=$1 python=$2 mode=$3 config=$4
shift 4
root=$image/root

bind() { # bind FROM TO ro|rw
  mount --bind "$1" "$2"
  if [ "$3" = ro ]; then mount -o remount,bind,ro "$2"; fi
}

mount --make-rprivate /
bind "$root" "$root" rw
bind /usr "$root/usr" ro
bind "$image/local" "$root/usr/local" "$mode"
if [ -d /opt ]; then bind /opt "$root/opt" ro; fi # pip's configuration may put packages there
if [ "$python" != /usr ]; then bind "$python" "$root$python" ro; fi
bind "$config" "$root/config" ro
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
if [ "$mode" = ro ]; then mount -o remount,bind,ro "$root"; fi
exec chroot "$root" "$@"

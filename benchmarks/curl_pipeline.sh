#!/bin/bash
# curl_pipeline.sh URL API_KEY:SECRET_KEY FIRST-LAST ... (hours as YYYYMMDDTHH, both inclusive)
# Each archive is saved to a file, because unzip cannot read from a pipe. A 404 is a window without events.
set -o pipefail
url=$1 keys=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for window in "$@"; do
  status=$(curl -sS -u "$keys" -o "$folder/export.zip" -w '%{http_code}' \
    "$url/api/2/export?start=${window%-*}&end=${window#*-}") || exit 1
  [ "$status" = 404 ] && continue
  [ "$status" = 200 ] || { echo "HTTP $status for $window" >&2; exit 1; }
  unzip -p "$folder/export.zip" | zcat || exit 1
done

#!/bin/sh
# Hands the files of /run/secrets to waq as variables of their names, and becomes waq.
set -eu
for file in "${SECRETS_DIR:-/run/secrets}"/*; do
  name=${file##*/}
  case $name in
    WAQ_* | WHATSAPP_*) export "$name=$(cat "$file")" ;;
  esac
done
exec waq "$@"

#!/usr/bin/env bash
# Installs the browser that test/browser drives, if it is not there, as root where apt has it. Says
# in one line if it cannot: those tests are skipped then.
set -uo pipefail
if { command -v chromium || command -v chromium-browser; } > /dev/null \
    && command -v chromedriver > /dev/null; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo 'no browser: chromium is not installed, and only root can, by apt (chromium, chromium-driver)'
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -qq --no-install-recommends chromium chromium-driver; }
if ! { install || { apt-get update -qq && install; }; } > /dev/null 2>&1; then
  echo 'no browser: apt-get install chromium chromium-driver failed'
fi

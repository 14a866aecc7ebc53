#!/bin/sh
# Debian says remove, RPM how many are left. An upgrade goes on running until the new one
# is there.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now havip.service
	fi
	;;
esac

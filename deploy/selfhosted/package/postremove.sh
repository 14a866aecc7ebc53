#!/bin/sh
# A purge forgets what is remembered; a removal keeps it, and the configuration. The user
# stays, as is usual: another may not get its number.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /var/lib/havip /var/lib/private/havip
fi

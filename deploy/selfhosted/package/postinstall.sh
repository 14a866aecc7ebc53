#!/bin/sh
# Nothing is started or enabled: that is for who has written the roster. A host that runs
# goes on with the new program.
set -e

# The user that files for the host alone can be given to, such as a key of TLS. The unit
# takes it where there is one.
if ! getent passwd havip >/dev/null; then
	useradd --system --user-group --no-create-home --home-dir /var/lib/havip --shell /usr/sbin/nologin havip
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart havip.service
fi

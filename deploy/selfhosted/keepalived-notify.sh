#!/bin/sh
# Tells HAVIP Functions what keepalived on this machine sees:
#
#   MASTER, BACKUP   havip.health.restored: this instance can serve
#   FAULT            havip.health.failed: a check of it failed
#   STOP             havip.health.failed: keepalived stops here
#   START            havip.instance.started: for a unit that runs once keepalived is up
#
# In keepalived.conf, within vrrp_instance:
#
#   notify      /etc/keepalived/keepalived-notify.sh
#   notify_stop "/etc/keepalived/keepalived-notify.sh INSTANCE havip STOP 0"
#
# keepalived adds "INSTANCE" NAME STATE PRIORITY to the first. The file
# /etc/havip/notify.env, for root alone to read, names the rest:
#
#   HAVIP_URL=https://havip.example.com    where POST /events is, without /events
#   HAVIP_INGRESS_TOKEN=...
#   HAVIP_CLOUD=alibaba                    or baidu
#   HAVIP_REGION=cn-hangzhou
#   HAVIP_INSTANCE=i-bp1a                  this one's id
#   HAVIP_ID=havip-bp1orders               optional: only this HAVIP
#
# It tries for about a minute, with the same id, so that it counts once. keepalived
# does not wait for it.
set -eu

env=${HAVIP_NOTIFY_ENV:-/etc/havip/notify.env}
if [ -r "$env" ]; then
	# shellcheck disable=SC1090 # the operator's own file
	. "$env"
fi
say() {
	echo "keepalived-notify: $*" >&2
}
for name in HAVIP_URL HAVIP_INGRESS_TOKEN HAVIP_CLOUD HAVIP_REGION HAVIP_INSTANCE; do
	eval "value=\${$name:-}"
	if [ -z "$value" ]; then
		say "$name is not set; set it in $env"
		exit 2
	fi
done

name=${2:-} state=${3:-}
case $state in
MASTER | BACKUP) type=havip.health.restored ;;
FAULT | STOP) type=havip.health.failed ;;
START) type=havip.instance.started ;;
*)
	say "the state is '$state'; keepalived gives INSTANCE NAME STATE"
	exit 2
	;;
esac

# What goes into JSON keeps only what such names are made of.
clean() {
	printf %s "$1" | tr -cd 'A-Za-z0-9._:/-'
}
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
instance=$(clean "$HAVIP_INSTANCE")
id="$instance/$(clean "$name")/$state/$now/$$"
event=$(printf '{"specversion":"1.0","id":"%s","source":"keepalived:%s","type":"%s","time":"%s","data":{"cloud":"%s","region":"%s","instance":"%s","havip":"%s","reason":"keepalived: %s is %s"}}' \
	"$id" "$instance" "$type" "$now" "$(clean "$HAVIP_CLOUD")" "$(clean "$HAVIP_REGION")" "$instance" "$(clean "${HAVIP_ID:-}")" "$(clean "$name")" "$state")

# The token goes in by stdin: whoever lists the processes must not see it.
printf 'header = "Authorization: Bearer %s"\n' "$HAVIP_INGRESS_TOKEN" |
	curl --config - --silent --show-error --fail --output /dev/null --max-time 10 --retry 5 --retry-delay 5 --retry-connrefused \
		--header 'Content-Type: application/cloudevents+json' --data-binary "$event" "${HAVIP_URL%/}/events" || {
	say "$type $id was not accepted"
	exit 1
}

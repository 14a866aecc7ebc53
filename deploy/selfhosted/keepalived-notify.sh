#!/bin/sh
# Tells HAVIP Functions what keepalived on this machine sees:
#
#   MASTER, BACKUP   havip.health.restored: this instance can serve
#   FAULT            havip.health.failed: a check of it failed
#   STOP             havip.health.failed: keepalived has ended here
#   START            havip.instance.started: keepalived is up
#
# keepalived.conf beside this file calls it as keepalived does, with "INSTANCE" NAME
# STATE PRIORITY; havip.conf has systemd call it where keepalived can't, because it
# was killed; keepalived-notify.timer calls it as "repeat". docs/keepalived.md tells
# how to install them.
#
# The file /etc/havip/notify.env, for root alone to read, names the rest:
#
#   HAVIP_URL=https://havip.example.com    where POST /events is, without /events
#   HAVIP_INGRESS_TOKEN=...
#   HAVIP_CLOUD=alibaba                    or baidu
#   HAVIP_REGION=cn-hangzhou
#   HAVIP_INSTANCE=i-bp1a                  this one's id
#   HAVIP_ID=havip-bp1orders               optional: only this HAVIP
#   HAVIP_SPOOL=/run/havip-notify          optional: where words wait
#
# A word is in the spool before it is sent and leaves it when it was accepted, so
# none is lost while the other side is away. It keeps its id, so it counts once,
# however often it is sent. The newest goes first: a fault that is over is then
# known to be over, and moves nothing.
#
# "repeat" sends what waits, and the last word once more, under its own id, for whoever
# never heard it. Where it finds that keepalived has ended, or runs again, without a
# word, it says so.
set -eu
umask 077

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
spool=${HAVIP_SPOOL:-/run/havip-notify}

# What goes into JSON keeps only what such names are made of.
clean() {
	printf %s "$1" | tr -cd 'A-Za-z0-9._:/-'
}

# write NAME STATE puts a word into the spool, and makes it the last one.
write() {
	case $2 in
	MASTER | BACKUP) type=havip.health.restored ;;
	FAULT | STOP) type=havip.health.failed ;;
	START) type=havip.instance.started ;;
	*)
		say "the state is '$2'; keepalived gives INSTANCE NAME STATE"
		exit 2
		;;
	esac
	now=$(date -u +%Y-%m-%dT%H:%M:%S.%N)
	case $now in *[!0-9T:.-]*) now=$(date -u +%Y-%m-%dT%H:%M:%S.0) ;; esac # a date that knows no %N
	instance=$(clean "$HAVIP_INSTANCE") name=$(clean "$1")
	word=$(printf '{"specversion":"1.0","id":"%s","source":"keepalived:%s","type":"%s","time":"%sZ","data":{"cloud":"%s","region":"%s","instance":"%s","havip":"%s","reason":"keepalived: %s is %s"}}' \
		"$instance/$name/$2/$now/$$" "$instance" "$type" "$now" "$(clean "$HAVIP_CLOUD")" "$(clean "$HAVIP_REGION")" "$instance" "$(clean "${HAVIP_ID:-}")" "$name" "$2")
	echo "$2" >"$spool/state.$$" && mv "$spool/state.$$" "$spool/state"
	place "$now-$$" "$word"
	printf %s "$word" >"$spool/last.$$" && mv "$spool/last.$$" "$spool/last"
}

# place NAME WORD puts it into the spool at once, or not at all.
place() {
	printf %s "$2" >"$spool/new.$$" && mv "$spool/new.$$" "$spool/$1.json"
}

# deliver FILE sends a word. It fails with 1 where trying again may help, with 3
# where a person has to act first; what is no event is dropped.
deliver() {
	# The token goes in by stdin: whoever lists the processes must not see it.
	code=$(printf 'header = "Authorization: Bearer %s"\n' "$HAVIP_INGRESS_TOKEN" |
		curl --config - --silent --show-error --output /dev/null --write-out '%{http_code}' --connect-timeout 3 --max-time 10 \
			--header 'Content-Type: application/cloudevents+json' --data-binary "@$1" "${HAVIP_URL%/}/events") || code=000
	case $code in
	2*) rm -f "$1" ;;
	400 | 413 | 415)
		say "$(cat "$1") was not accepted ($code), and never will be"
		rm -f "$1"
		;;
	401 | 403 | 404)
		say "${1##*/} was not accepted ($code); it waits in $spool"
		return 3
		;;
	*) return 1 ;;
	esac
}

# flush sends what waits, the newest first, while nobody else does.
flush() (
	flock 9
	find "$spool" -name '*.json' -mmin +1440 -delete # a day old, and stale to whoever hears it
	find "$spool" -name '*.json' | sort -r | while read -r file; do
		deliver "$file" || exit $?
	done
) 9>"$spool/lock"

mkdir -p "$spool"
pauses=0 # systemd waits for us: what we can't send, the timer does
case ${1:-} in
repeat)
	state=$(cat "$spool/state" 2>/dev/null || echo STOP)
	if pidof keepalived >/dev/null; then
		[ "$state" != STOP ] || write keepalived START
	elif [ "$state" != STOP ] || [ ! -e "$spool/last" ]; then
		write keepalived STOP
	fi
	place 0-last "$(cat "$spool/last")"
	;;
*)
	write "${2:-}" "${3:-}"
	case $3 in MASTER | BACKUP | FAULT) pauses='0 1 2 5 10 20' ;; esac # keepalived doesn't
	;;
esac
status=0
for pause in $pauses; do
	sleep "$pause"
	status=0
	flush || status=$?
	[ "$status" = 1 ] || exit "$status"
done
say "no answer from $HAVIP_URL; what was said waits in $spool"
exit "$status"

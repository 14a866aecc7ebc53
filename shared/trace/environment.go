package trace

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"havip-functions/shared/wire"
)

// FromEnvironment is what OpenTelemetry's own variables say, and nil, which is off, where
// none names an endpoint. What can't be used is told, and leaves it off: no failover
// fails for want of a trace.
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
func FromEnvironment(getenv func(string) string, log *slog.Logger) *Exporter {
	at := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	if base := getenv("OTEL_EXPORTER_OTLP_ENDPOINT"); at == "" && base != "" {
		at = strings.TrimSuffix(base, "/") + "/v1/traces"
	}
	off := strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none"
	if at == "" || off {
		return nil
	}
	x := &Exporter{url: at, client: wire.WithoutRedirects(nil), log: log, headers: http.Header{}, timeout: 10 * time.Second}
	if err := x.read(getenv); err != nil {
		log.Warn("there are no traces", "error", err)
		return nil
	}
	x.resource = resource(getenv)
	return x
}

func (x *Exporter) read(getenv func(string) string) error {
	if u, err := url.Parse(x.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT is no address; give http://host:4318")
	}
	if exporter := getenv("OTEL_TRACES_EXPORTER"); exporter != "" && exporter != "otlp" {
		return fmt.Errorf("OTEL_TRACES_EXPORTER: %.32q is none of ours; otlp or none", exporter)
	}
	either := func(what string) string {
		return cmp.Or(getenv("OTEL_EXPORTER_OTLP_TRACES_"+what), getenv("OTEL_EXPORTER_OTLP_"+what))
	}
	if protocol := either("PROTOCOL"); !slices.Contains([]string{"", "http/json", "http/protobuf"}, protocol) {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL: %.32q is not spoken here; give http/json, on the collector's port 4318", protocol)
	}
	if text := either("TIMEOUT"); text != "" {
		ms, err := strconv.Atoi(text)
		if err != nil || ms <= 0 {
			return fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT: %.32q are no milliseconds", text)
		}
		x.timeout = time.Duration(ms) * time.Millisecond
	}
	for name, value := range pairs(either("HEADERS")) {
		x.headers.Set(name, value)
	}
	return nil
}

// pairs reads k=v,k2=v2, with what a URL would escape.
func pairs(text string) map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(pair), "=")
		if plain, err := url.PathUnescape(strings.TrimSpace(value)); found && err == nil {
			all[strings.TrimSpace(name)] = plain
		}
	}
	return all
}

// resource is who tells a trace: the service, and the function or machine that it is.
// https://opentelemetry.io/docs/specs/semconv/resource/
func resource(getenv func(string) string) (a attributes) {
	given := pairs(getenv("OTEL_RESOURCE_ATTRIBUTES"))
	given["service.name"] = cmp.Or(getenv("OTEL_SERVICE_NAME"), given["service.name"], "havip")
	known := map[string]string{}
	switch fc, aws := getenv("FC_FUNCTION_NAME"), getenv("AWS_LAMBDA_FUNCTION_NAME"); {
	case aws != "":
		known = map[string]string{
			"cloud.provider": "aws", "cloud.platform": "aws_lambda", "cloud.region": getenv("AWS_REGION"), "faas.name": aws,
			"faas.version": getenv("AWS_LAMBDA_FUNCTION_VERSION"), "faas.instance": getenv("AWS_LAMBDA_LOG_STREAM_NAME"),
		}
	case fc != "":
		known = map[string]string{
			"cloud.provider": "alibaba_cloud", "cloud.platform": "alibaba_cloud_fc", "cloud.region": getenv("FC_REGION"),
			"cloud.account.id": getenv("FC_ACCOUNT_ID"), "faas.name": fc, "faas.instance": getenv("FC_INSTANCE_ID"),
		}
	default:
		known["host.name"], _ = os.Hostname() // one without a name is told without
	}
	for name, value := range known {
		given[name] = cmp.Or(given[name], value)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		a.text(name, given[name])
	}
	return a
}

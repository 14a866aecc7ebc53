package roster

import (
	"regexp"
	"strconv"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

// probeForm has the address nowhere: that is the HAVIP's. It counts nothing, which would
// cost each start half a millisecond.
var probeForm = regexp.MustCompile(`^(?:(tcp):([0-9]+)|(http):([0-9]+)(/[!-~]*)?|(icmp))$`)

const maxProbePath = 128

// probe reads how the address is to be asked for an answer.
func (m mapping) probe() havip.Probe {
	text := m.Text("probe", "")
	if text == "" {
		return havip.Probe{}
	}
	found := probeForm.FindStringSubmatch(text)
	if found == nil || len(found[5]) > maxProbePath {
		found = make([]string, 7)
	}
	p := havip.Probe{How: found[1] + found[3] + found[6], Path: found[5]}
	port, err := strconv.ParseUint(found[2]+found[4], 10, 16)
	p.Port = uint16(port)
	if p.How == "" || p.How != "icmp" && (err != nil || port == 0) {
		m.Fail(m.Near("probe"), m.At("probe"), "%s is no probe; write it like tcp:5432, http:8080/healthz or icmp", yamlfile.Shown(text))
	}
	return p
}

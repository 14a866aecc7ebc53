package runtime_test

import (
	"fmt"
	"strings"
	"testing"

	"havip-functions/shared/runtime"
)

func TestLogHidesSecrets(t *testing.T) {
	var said strings.Builder
	log := runtime.NewLog(&said, token, "")
	log.With("path", "/events/"+token).Error("at /events/"+token, "error", fmt.Errorf("POST /events/%s", token))
	if strings.Contains(said.String(), token) || strings.Count(said.String(), "/events/[secret]") != 3 {
		t.Errorf("it said %s", said.String())
	}
}

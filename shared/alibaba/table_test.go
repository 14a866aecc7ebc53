package alibaba

import "testing"

// TestTable wants every row to say what it means, why, and who says so.
func TestTable(t *testing.T) {
	for code, v := range dialect.Codes {
		if v.Kind == nil || v.Rule == "" || v.Advice == "" || v.Source == "" {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

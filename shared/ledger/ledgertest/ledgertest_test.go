package ledgertest_test

import (
	"net"
	"runtime"
	"testing"

	"havip-functions/shared/ledger/ledgertest"
)

// A port for a server that has not begun yet is nobody else's: not another test's, nor
// that of who asks for any.
func TestAPortIsHeld(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lets a server listen where another socket is bound")
	}
	drawn := map[string]bool{}
	for range 500 {
		port := ledgertest.Port(t)
		if drawn[port] {
			t.Fatalf("%s was given twice", port)
		}
		drawn[port] = true
	}
	for port := range drawn {
		told, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatalf("the server that is told its port: %v", err)
		}
		defer told.Close()
		asked, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer asked.Close()
		if _, other, _ := net.SplitHostPort(asked.Addr().String()); drawn[other] {
			t.Fatalf("%s was given to who asked for any", other)
		}
	}
}

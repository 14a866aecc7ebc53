package probe

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"havip-functions/shared/havip"
)

// ping sends one echo request from a socket that needs no privilege. Linux opens it for
// the groups of net.ipv4.ping_group_range alone.
//
// https://man7.org/linux/man-pages/man7/icmp.7.html
func ping(ctx context.Context, address netip.Addr) error {
	if !address.Is4() {
		return havip.NotAsked("icmp asks IPv4 addresses alone")
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, syscall.IPPROTO_ICMP)
	if err != nil {
		return havip.NotAsked("icmp is not permitted here (net.ipv4.ping_group_range): " + err.Error())
	}
	file := os.NewFile(uintptr(fd), "icmp")
	defer file.Close() //nolint:errcheck // the connection has a copy of its own
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return havip.NotAsked("icmp: " + err.Error())
	}
	defer conn.Close()                                                  //nolint:errcheck // nothing is left to be sent
	context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) }) // one that is closed already is ended too
	if _, err := conn.WriteTo(echo, &net.UDPAddr{IP: address.AsSlice()}); err != nil {
		return reason(err)
	}
	answer := make([]byte, 512)
	for {
		_, from, err := conn.ReadFrom(answer)
		if err != nil {
			return reason(err)
		}
		if who, ok := from.(*net.UDPAddr); ok && who.AddrPort().Addr().Unmap() == address {
			return nil
		}
	}
}

// echo is an echo request of type 8 with its checksum; the kernel puts the identifier
// of the socket in, and hands that socket its own replies alone.
var echo = []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}

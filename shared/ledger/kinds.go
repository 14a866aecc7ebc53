package ledger

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
)

// The kinds of failure, beside [havip.ErrConflict], named by what is wrong. Match
// them with errors.Is. Slow costs the one request; full and gone concern all.
var (
	ErrKey      = errors.New("no key of ours")                            // a mistake of ours: the ledger was not asked
	ErrNotFound = errors.New("not found")                                 // no such story or dead letter
	ErrSlow     = errors.New("the ledger did not answer in time")         // nothing is known of a write
	ErrFull     = errors.New("the ledger has no room; is the disk full?") // its disk or its memory is full
	ErrGone     = errors.New("the ledger can't be reached any more")      // it was closed, or the network is
)

// checkKey lets through what every ledger takes as a key.
func checkKey(key string) error {
	if !havip.IsKey(key) {
		return fmt.Errorf("%w: %.80q", ErrKey, key)
	}
	return nil
}

// kind finds out what an error of NATS is. Replicated streams have a code of their
// own for a lost compare-and-set.
func kind(err error) error {
	var api *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &api):
		return kindOf(api, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout), errors.Is(err, jetstream.ErrNoStreamResponse):
		return fmt.Errorf("%w: %w", ErrSlow, err)
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrDisconnected),
		errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrConnectionDraining):
		return fmt.Errorf("%w: %w", ErrGone, err)
	default:
		return err
	}
}

// onTheWay finds out what an error of the network is, before a cloud's table answered.
// It is nil for others.
func onTheWay(err error) error {
	var network net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%w: %w", ErrSlow, err)
	case errors.As(err, &network):
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// The codes of JetStream that nats.go has no name for,
// https://github.com/nats-io/nats-server/blob/v2.15.2/server/errors.json
const (
	codeInsufficient  = 10023 // insufficient resources
	codeMemory        = 10028 // resource limits exceeded for account
	codeStorage       = 10047 // insufficient storage resources available
	codeNoStore       = 10049 // the stream's store can't be created
	codeStoreFailed   = 10077 // the stream's store failed, or has its maximum
	codeNotEnabled    = 10076 // JetStream not enabled
	codeLastSequence  = 10164 // wrong last sequence, of a replicated stream
	codeNoPeers       = 10005 // no suitable peers for placement
	codeNotAvailable  = 10008 // JetStream system temporarily unavailable
	codeStreamOffline = 10118 // stream is offline
	codeSameMessage   = 10158 // duplicate message id is in process
)

func kindOf(api *jetstream.APIError, err error) error {
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, codeLastSequence:
		return havip.ErrConflict
	case codeInsufficient, codeMemory, codeStorage, codeNoStore, codeStoreFailed:
		return fmt.Errorf("%w: %w", ErrFull, err)
	case codeNotEnabled, codeNoPeers, codeNotAvailable, codeStreamOffline:
		return fmt.Errorf("%w: %w", ErrGone, err)
	default:
		return err
	}
}

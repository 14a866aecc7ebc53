package runtime

// Kind is a kind of host.
type Kind string

// The kinds of host.
const (
	OnLambda   Kind = "lambda"    // see shared/runtime/lambda
	OnFCGo     Kind = "fc-go1"    // see fc.Go1
	OnFCCustom Kind = "fc-custom" // see fc.Custom
	Own        Kind = "own"       // none of them, see shared/runtime/host
)

// Detect tells the host by the environment that it gives.
func Detect(getenv func(string) string) Kind {
	switch {
	case getenv("AWS_LAMBDA_RUNTIME_API") != "":
		return OnLambda
	case getenv("FC_RUNTIME_API") != "":
		return OnFCGo
	case getenv("FC_FUNCTION_NAME") != "", getenv("FC_SERVER_PORT") != "":
		return OnFCCustom
	default:
		return Own
	}
}

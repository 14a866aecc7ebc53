package functions_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The rules of this house, read off the packages themselves.

const module = "havip-functions/"

// arrows name each layer after those that it may lean on: imports point one way.
var arrows = []string{"shared/havip", "events", "shared/ledger", "shared/api", "shared/flow", "functions", "shared/runtime", "deploy"}

// leans are the packages that may lean on nothing of ours but these.
var leans = map[string][]string{
	"shared/wire":                {"shared/havip"},
	"shared/yamlfile":            {},
	"shared/alibaba":             {"events", "shared/havip", "shared/wire"},
	"shared/baidu":               {"shared/havip", "shared/wire"},
	"shared/accounts":            {"events", "shared/alibaba", "shared/baidu", "shared/havip", "shared/havip/pace", "shared/wire"},
	"shared/probe":               {"shared/havip", "shared/wire"},
	"shared/notify":              {"events", "shared/guard", "shared/havip", "shared/wire"},
	"shared/trace":               {"shared/havip", "shared/wire"},
	"shared/roster":              {"shared/havip", "shared/yamlfile"},
	"shared/roster/stored":       {"events", "shared/alibaba", "shared/havip", "shared/roster", "shared/wire", "shared/yamlfile"},
	"shared/audit":               {},
	"shared/ledger":              {"shared/audit", "shared/guard", "shared/havip", "shared/ledger/tablestore", "shared/wire"},
	"shared/ledger/tablestore":   {"shared/havip", "shared/wire"},
	"shared/api":                 {"shared/audit", "shared/guard", "shared/havip", "shared/ledger", "shared/ledger/tablestore", "shared/wire"},
	"shared/console":             {"events", "shared/api", "shared/audit", "shared/guard", "shared/havip", "shared/ledger", "shared/ledger/tablestore", "shared/wire"},
	"shared/simulator":           {"shared/havip", "shared/simulator/sign", "shared/simulator/worldfile", "shared/yamlfile"},
	"shared/simulator/sign":      {},
	"shared/simulator/worldfile": {"shared/havip", "shared/yamlfile"},
}

const (
	dynamoSDK     = "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	tablestoreSDK = "github.com/aliyun/aliyun-tablestore-go-sdk"
)

// only are imports that belong to few. What stands for tests counts as theirs.
var only = map[string][]string{
	"github.com/aliyun/alibaba-cloud-sdk-go": {"shared/alibaba", "shared/alibaba (test)", "shared/simulator (test)"},
	"github.com/baidubce/bce-sdk-go":         {"shared/baidu", "shared/baidu (test)", "shared/simulator (test)"},
	dynamoSDK:                                {"shared/ledger", "shared/ledger (test)", "shared/ledger/ledgertest"},
	tablestoreSDK:                            {"shared/ledger/tablestore (test)", "shared/ledger/ledgertest"}, // 13 MiB of a binary
	module + "shared/ledger/tablestore":      {"shared/ledger", "shared/ledger (test)", "shared/ledger/tablestore (test)", "shared/ledger/ledgertest"},
	module + "shared/wire":                   {"shared/alibaba", "shared/baidu", "shared/ledger", "shared/ledger/tablestore", "shared/notify", "shared/probe", "shared/roster/stored", "shared/runtime", "shared/runtime/fc", "shared/runtime/lambda", "shared/trace", "shared/wire (test)"},
	module + "shared/alibaba":                {"shared/accounts", "shared/roster/stored", "shared/runtime", "shared/runtime/fc", "functions/functionstest", "shared/havip/cloudtest", "(test)"},
	module + "shared/baidu":                  {"shared/accounts", "functions/functionstest", "shared/havip/cloudtest", "(test)"},
	module + "shared/runtime/runtimetest":    {"(test)"},
	module + "shared/ledger/ledgertest":      {"(test)", "shared/runtime/runtimetest"},
	module + "functions/functionstest":       {"(test)"},
	module + "shared/havip/cloudtest":        {"(test)"},
	"testing":                                {"(test)", "functions/functionstest", "shared/havip/cloudtest", "shared/ledger/ledgertest", "shared/runtime/runtimetest"},
}

// hosts and sdks meet in the mains alone, and not even there by name: no host's room
// knows another, and what calls a cloud doesn't know where it runs.
var (
	hosts = []string{"shared/runtime/fc", "shared/runtime/lambda", "shared/runtime/host"}
	sdks  = []string{"github.com/aliyun/alibaba-cloud-sdk-go", "github.com/baidubce/bce-sdk-go"}
)

type goPackage struct {
	ImportPath, Name, Doc, Dir                  string
	GoFiles, Imports, TestImports, XTestImports []string
	Deps                                        []string
}

func (p goPackage) path() string { return strings.TrimPrefix(p.ImportPath, module) }

var packages = sync.OnceValues(func() ([]goPackage, error) {
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Doc,Dir,GoFiles,Imports,TestImports,XTestImports,Deps", "../...").Output()
	if err != nil {
		return nil, err
	}
	var ours []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return ours, nil
		case err != nil:
			return nil, err
		case strings.HasPrefix(p.ImportPath, module):
			ours = append(ours, p)
		}
	}
})

func house(t *testing.T) []goPackage {
	t.Helper()
	ours, err := packages()
	if err != nil || len(ours) < 10 {
		t.Fatalf("go list gives %d packages: %v", len(ours), err)
	}
	return ours
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func TestImportsPointOneWay(t *testing.T) {
	layer := func(path string) int {
		return slices.IndexFunc(arrows, func(a string) bool { return within(path, a) && path != "shared/havip/cloudtest" })
	}
	for _, p := range house(t) {
		mine := layer(p.path())
		allowed, narrow := leans[p.path()]
		for _, dep := range p.Deps {
			of, ours := strings.CutPrefix(dep, module)
			if ours && mine >= 0 && layer(of) > mine {
				t.Errorf("%s leans on %s, which stands above it", p.path(), of)
			}
			if ours && narrow && !slices.Contains(allowed, of) {
				t.Errorf("%s leans on %s; it may lean on %q alone", p.path(), of, allowed)
			}
		}
	}
}

func TestNobodyImportsACloudsSDKAndAHost(t *testing.T) {
	for _, p := range house(t) {
		imports := p.Imports // of a main, which has both behind it
		if !within(p.path(), "deploy") {
			imports = p.Deps
		}
		found := func(folders []string) (some []string) {
			for _, folder := range folders {
				if slices.ContainsFunc(imports, func(i string) bool { return within(strings.TrimPrefix(i, module), folder) }) {
					some = append(some, folder)
				}
			}
			return some
		}
		host, sdk := found(hosts), found(sdks)
		if len(host) > 0 && (len(sdk) > 0 || slices.Contains(hosts, p.path())) {
			t.Errorf("%s has the hosts %q behind it, beside the SDKs %q or as a host itself", p.path(), host, sdk)
		}
	}
}

// The command speaks to a host over HTTP alone; only havip serve is one.
func TestTheCommandIsAHostOnlyWhereItServes(t *testing.T) {
	for _, p := range house(t) {
		if p.path() != "deploy/havip" {
			continue
		}
		for _, file := range p.GoFiles {
			parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			host := slices.ContainsFunc(parsed.Imports, func(i *ast.ImportSpec) bool { return strings.Contains(i.Path.Value, "shared/runtime/host") })
			if host != (file == "serve.go") {
				t.Errorf("%s: imports the host is %v; serve.go alone does", file, host)
			}
		}
	}
}

func TestSomeImportsBelongToFew(t *testing.T) {
	for _, p := range house(t) {
		for what, who := range only {
			held := func(imports []string, suffix string) {
				has := slices.ContainsFunc(imports, func(i string) bool { return within(i, what) })
				if has && !slices.Contains(who, strings.TrimSpace(suffix)) && !slices.Contains(who, p.path()+suffix) {
					t.Errorf("%s%s imports %s, which is for %q", p.path(), suffix, what, who)
				}
			}
			held(p.Imports, "")
			held(slices.Concat(p.TestImports, p.XTestImports), " (test)")
		}
	}
}

func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "models"}
	for _, p := range house(t) {
		start := "Package " + p.Name + " "
		if p.Name == "main" {
			start = "Command " + filepath.Base(p.path()) + " "
		}
		if !strings.HasPrefix(p.Doc, start) || !strings.HasSuffix(p.Doc, ".") {
			t.Errorf("%s: its doc is %q, no sentence that begins with %q", p.path(), p.Doc, start)
		}
		for _, word := range append(strings.Split(p.path(), "/"), p.Name) {
			if slices.Contains(empty, word) {
				t.Errorf("%s: %s says nothing", p.path(), word)
			}
		}
	}
}

func TestTopLevel(t *testing.T) {
	top := map[string]bool{}
	for _, p := range house(t) {
		first, _, _ := strings.Cut(p.path(), "/")
		top[first] = true
	}
	if got := slices.Sorted(maps.Keys(top)); !slices.Equal(got, []string{"deploy", "events", "functions", "shared"}) {
		t.Errorf("the top level is %q", got)
	}
}

// Nothing happens before main, and nobody sleeps.
func TestNeitherInitNorSleep(t *testing.T) {
	for _, p := range house(t) {
		for _, name := range p.GoFiles {
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if what := unwanted(n); what != "" {
					t.Errorf("%s: %s", files.Position(n.Pos()), what)
				}
				return true
			})
		}
	}
}

func unwanted(n ast.Node) string {
	switch n := n.(type) {
	case *ast.FuncDecl:
		if n.Recv == nil && n.Name.Name == "init" {
			return "an init"
		}
	case *ast.SelectorExpr:
		if of, ok := n.X.(*ast.Ident); ok && of.Name == "time" && n.Sel.Name == "Sleep" {
			return "time.Sleep; wait for what is needed, with a channel or a ticker"
		}
	}
	return ""
}

package arch

import "slices"

// A Rule says what the packages that Where matches may import. Allow, when there is one, is all they may import,
// less what Ban takes out of it again; without an Allow they may import all that Ban doesn't name.
//
// Patterns are import paths. "./edge/client" is a package of the repository by its folder, "std" is the whole standard
// library, and a final "/..." takes in the path itself and everything below it.
type Rule struct {
	Where  []string
	Except []string // packages that Where matches and the rule leaves alone
	Allow  []string
	Ban    []string
	Tests  bool // whether the packages' test files are held to it, too
	Why    string
}

// services are the four programs that make up Parley; what they share lives in the folder services.
var services = []string{"edge", "roomsvc", "authsvc", "candidatefilter"}

// adapters are the internal packages that may touch the outside world, each with what it is for. An internal package
// of a service that isn't listed here is pure and held to that.
var adapters = map[string]string{
	"edge/internal/conn":     "owns the sockets and their goroutines",
	"edge/internal/poll":     "owns the descriptors of sockets and waits for them",
	"edge/internal/upgrade":  "speaks HTTP until the connection is a WebSocket",
	"roomsvc/internal/store": "reads and writes the JetStream buckets",
}

// sharedPure are the pure packages outside of the services; the contract has a rule of its own.
var sharedPure = []string{"services/token", "services/token/object"}

// pureExtras are the libraries that single pure packages are about.
var pureExtras = map[string][]string{
	"services/token": {"github.com/golang-jwt/jwt/v5"},
}

// wrappers are the shared packages that stand for one library each.
var wrappers = []string{"config", "telemetry", "embednats"}

// importRules is the whole table of who may import whom; pure names the folders of the pure packages in the tree.
func importRules(pure []string) []Rule {
	rules := slices.Concat(layerRules, clientRules)
	for _, wrapper := range wrappers {
		rules = append(rules, wrapperRule(wrapper))
	}
	for _, service := range services {
		rules = append(rules, siblingRule(service))
	}
	for _, folder := range pure {
		rules = append(rules, pureRule(folder, pure))
	}
	return rules
}

var layerRules = []Rule{{
	Where: []string{"./services/contract/..."},
	Allow: []string{"std", "./services/contract/..."},
	Tests: true,
	Why:   "every program and every client speaks the contract, so all of them would get what it imports",
}, {
	Where: []string{"./services/..."},
	Ban:   append(eachBelow(services, ""), "./deploy/...", "./tests/..."),
	Tests: true,
	Why:   "what all services share can't depend on one of them",
}, {
	Where:  []string{"./..."},
	Except: []string{"./deploy/...", "./tests/..."},
	Ban:    []string{"./deploy/...", "./tests/..."},
	Tests:  true,
	Why:    "deployments and tests stand on top of the services, never below them",
}, {
	Where: []string{"./deploy/...", "./tests/..."},
	Ban:   eachBelow(services, "internal/"),
	Tests: true,
	Why:   "it uses a service as everyone else does: by what the service exports",
}, {
	Where:  []string{"./..."},
	Except: []string{"./services/config/..."},
	Ban:    []string{"github.com/knadh/koanf/..."},
	Tests:  true,
	Why:    "services/config alone reads the configuration; everyone else is given a struct",
}, {
	Where:  []string{"./..."},
	Except: []string{"./services/embednats/...", "./services/natstest/...", "./deploy/standalone/...", "./tests/..."},
	Ban:    []string{"github.com/nats-io/nats-server/...", "./services/embednats/..."},
	Why:    "a service is given its NATS connection; only the standalone program and the tests bring a server",
}, {
	Where:  []string{"./..."},
	Except: []string{"./services/natstest/...", "./tests/..."},
	Ban:    []string{"testing", "testing/...", "./services/natstest/..."},
	Why:    "what serves tests brings flags and ways through the code that no user should meet",
}}

// smallClient is why the Go client may import so little.
const smallClient = "a program that takes the client in takes in all that it imports, so that is the contract and a " +
	"WebSocket, and pion only for those who let it negotiate"

var clientRules = []Rule{{
	Where:  []string{"./edge/client/..."},
	Except: []string{"./edge/client/negotiate/..."},
	Allow:  []string{"std", "./services/contract/...", "./edge/client/...", "github.com/gobwas/..."},
	Ban:    []string{"./edge/client/negotiate/..."},
	Why:    smallClient,
}, {
	Where: []string{"./edge/client/negotiate/..."},
	Allow: []string{"std", "./services/contract/...", "./edge/client/...", "github.com/pion/..."},
	Why:   smallClient,
}, {
	Where: []string{"./edge/client/..."},
	Ban:   []string{"github.com/nats-io/...", "go.opentelemetry.io/...", "./edge/internal/..."},
	Tests: true,
	Why:   smallClient,
}, {
	Where:  []string{"./edge/..."},
	Except: []string{"./edge/client/..."},
	Ban:    []string{"./edge/client/..."},
	Why:    "the edge and its client share the contract and nothing else",
}}

// wrapperRule keeps a package that stands for one library from everything else that the services share.
func wrapperRule(wrapper string) Rule {
	var ban []string
	for _, name := range append([]string{"contract", "bus", "lifecycle"}, wrappers...) {
		if name != wrapper {
			ban = append(ban, "./services/"+name+"/...")
		}
	}
	return Rule{
		Where: []string{"./services/" + wrapper + "/..."},
		Ban:   ban,
		Why:   "it stands for its own library and knows neither Parley's wire nor the other libraries; lifecycle joins them",
	}
}

// siblingRule keeps one service from importing another.
func siblingRule(service string) Rule {
	others := slices.DeleteFunc(slices.Clone(services), func(other string) bool { return other == service })
	return Rule{
		Where: []string{"./" + service + "/..."},
		Ban:   eachBelow(others, ""),
		Tests: true,
		Why:   "services meet only in services/contract, so that each can be built, deployed and replaced alone",
	}
}

// pureRule holds one internal package to the standard library, the contract and pure packages that it may know.
func pureRule(folder string, pure []string) Rule {
	allow := append([]string{"std", "./services/contract/..."}, pureExtras[folder]...)
	for _, other := range pure {
		if serviceOf(other) == serviceOf(folder) || slices.Contains(sharedPure, other) {
			allow = append(allow, "./"+other)
		}
	}
	return Rule{
		Where: []string{"./" + folder},
		Allow: allow,
		Ban:   []string{"log/...", "os/..."},
		Why: "a pure package decides from its arguments alone, so that it can be tested and fuzzed without a server; " +
			"storage, configuration, logs, traces and time belong to the shell around it (an adapter is declared in tests/arch)",
	}
}

// A LinkRule says what must not be in a program, by whatever way it would get there.
type LinkRule struct {
	Where  []string // only programs are looked at
	Except []string
	Ban    []string
	Why    string
}

var linkRules = []LinkRule{{
	Where:  []string{"./..."},
	Except: []string{"./deploy/standalone/...", "./tests/..."},
	Ban:    []string{"github.com/nats-io/nats-server/..."},
	Why:    "a service is a client of NATS; a server in its program is weight and attack surface",
}, {
	Where:  []string{"./..."},
	Except: []string{"./tests/..."},
	Ban:    []string{"testing", "testing/..."},
	Why:    "what serves tests brings flags and ways through the code that no user should meet",
}}

// labelBan are words that a metric's label must not be, because there is no end of their values.
var labelBan = []string{
	"address", "app", "edge", "id", "identity", "ip", "jti", "kid", "path", "peer", "room", "session", "token", "url", "user",
}

// longFiles are the files that may be longer than their kind's limit, each with its reason.
var longFiles = map[string]string{}

// eachBelow are the patterns of everything below each of the folders, or below one folder of each.
func eachBelow(folders []string, inner string) []string {
	var patterns []string
	for _, folder := range folders {
		patterns = append(patterns, "./"+folder+"/"+inner+"...")
	}
	return patterns
}

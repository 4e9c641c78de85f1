//go:build linux

package cluster

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// App is the tenant.
const App = "chaos"

// tenant is what authsvc must know.
type tenant struct {
	seed   string
	apiKey config.Secret
	apps   string
}

func newTenant() (*tenant, error) {
	var seed, key [32]byte
	rand.Read(seed[:])
	rand.Read(key[:])
	t := &tenant{seed: base64.RawURLEncoding.EncodeToString(seed[:]), apiKey: config.Secret(base64.RawURLEncoding.EncodeToString(key[:]))}
	apps, err := json.Marshal([]map[string]any{{"id": App, "api_keys": map[string]string{"chaos": t.apiKey.Reveal()}}})
	if err != nil {
		return nil, fmt.Errorf("apps: %w", err)
	}
	t.apps = string(apps)
	return t, nil
}

// service is one service to start. Its host is the last number of its address.
type service struct {
	kind          Kind
	name, program string
	host          int
	environ       func(address string) []string
}

// The first hosts of each kind.
const (
	roomsvcHost = 10
	authsvcHost = 20
	filterHost  = 30
	edgeHost    = 40
)

// requestRate is over what the run asks of any service.
const requestRate = "10000"

// services are all of them, in the order in which they start.
func (t *tenant) services(o Options) []service {
	var all []service
	window := o.Window.String()
	for i := range double {
		all = append(all, service{Roomsvc, "roomsvc-" + strconv.Itoa(i+1), "roomsvc", roomsvcHost + i, func(address string) []string {
			return []string{
				"PARLEY_ROOMSVC__SHARDS=" + strconv.Itoa(Shards), "PARLEY_ROOMSVC__REPLICAS=" + strconv.Itoa(nodes),
				"PARLEY_ROOMSVC__LISTEN=" + address + roomsPort, "PARLEY_ROOMSVC__RESUME_WINDOW=" + window,
				"PARLEY_ROOMSVC__RATE=" + requestRate, "PARLEY_ROOMSVC__BURST=" + requestRate,
			}
		}})
	}
	all = append(all, service{Authsvc, "authsvc", "authsvc", authsvcHost, func(address string) []string {
		return []string{
			"PARLEY_AUTHSVC__LISTEN=" + address + authPort, "PARLEY_AUTHSVC__SIGNING_KEY=" + t.seed, "PARLEY_AUTHSVC__APPS=" + t.apps,
			"PARLEY_AUTHSVC__RATE=" + requestRate, "PARLEY_AUTHSVC__BURST=" + requestRate,
		}
	}})
	for i := range double {
		all = append(all, service{Filter, "filter-" + strconv.Itoa(i+1), "candidatefilter", filterHost + i, func(string) []string {
			return []string{"PARLEY_CANDIDATEFILTER__POLICY=" + string(contract.PolicyAll)}
		}})
	}
	for i := range edges {
		name := "edge-" + strconv.Itoa(i+1)
		all = append(all, service{Edge, name, "edge", edgeHost + i, func(address string) []string {
			return []string{
				"PARLEY_EDGE__NAME=" + name, "PARLEY_EDGE__LISTEN=" + address + edgePort,
				"PARLEY_EDGE__ICE_POLICY=" + string(contract.PolicyAll), "PARLEY_EDGE__RESUME_WINDOW=" + window,
				"PARLEY_EDGE__ORIGINS=*", // the page of a tab is served by whoever drives it
			}
		}})
	}
	return all
}

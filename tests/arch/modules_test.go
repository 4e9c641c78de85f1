package arch

import (
	"encoding/json"
	"testing"
)

// goodWork and goodModule are what the cases below change one thing of.
const (
	goodWork   = `{"Go": "1.26.0", "Use": [{"DiskPath": "./edge"}]}`
	goodModule = `{
		"Module": {"Path": "github.com/parley-rtc/parley/edge"}, "Go": "1.26.0",
		"Require": [{"Path": "github.com/parley-rtc/parley/services", "Version": "v0.0.0"}, {"Path": "example.com/lib", "Version": "v1.0.0"}],
		"Replace": [{"Old": {"Path": "github.com/parley-rtc/parley/services"}, "New": {"Path": "../services"}}]}`
)

func TestCheckModules(t *testing.T) {
	cases := []struct {
		name         string
		work, module string // merged over the good ones
		want         string
	}{
		{"nothing about good ones", `{}`, `{}`, ""},
		{"another go line", `{}`, `{"Go": "1.25.0"}`, "edge/go.mod: go 1.25.0 , but go.work has go 1.26.0 "},
		{"a toolchain line", `{}`, `{"Toolchain": "go1.26.8"}`, "edge/go.mod: go 1.26.0 go1.26.8, but go.work"},
		{"another path", `{}`, `{"Module": {"Path": "example.com/edge"}}`, "edge/go.mod: module example.com/edge, want"},
		{"outside the workspace", `{"Use": []}`, `{}`, "edge isn't used by go.work"},
		{
			"a replace line in the workspace",
			`{"Replace": [{"Old": {"Path": "example.com/lib"}, "New": {"Path": "./lib"}}]}`, `{}`,
			"go.work has replace lines",
		},
		{
			"an absolute folder", `{}`,
			`{"Replace": [{"Old": {"Path": "github.com/parley-rtc/parley/services"}, "New": {"Path": "/src/services"}}]}`,
			"edge/go.mod: replace github.com/parley-rtc/parley/services => /src/services: only modules of this repository",
		},
		{
			"another module's folder", `{}`,
			`{"Replace": [{"Old": {"Path": "github.com/parley-rtc/parley/services"}, "New": {"Path": "../roomsvc"}}]}`,
			"edge/go.mod: replace github.com/parley-rtc/parley/services => ../roomsvc",
		},
		{
			"a library replaced", `{}`,
			`{"Replace": [{"Old": {"Path": "github.com/gobwas/ws"}, "New": {"Path": "example.com/ws", "Version": "v1.0.0"}}]}`,
			"edge/go.mod: replace github.com/gobwas/ws => example.com/ws",
		},
		{"a sibling without a replace line", `{}`, `{"Replace": []}`, "edge/go.mod requires services without a replace line"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			work, mod := Workspace{}, Module{Folder: "edge"}
			decode(t, &work, goodWork, c.work)
			decode(t, &mod, goodModule, c.module)
			got := CheckModules(work, []Module{mod})
			if c.want == "" {
				wantNone(t, got)
				return
			}
			wantFault(t, got, c.want)
		})
	}
}

func TestCheckModules_Versions(t *testing.T) {
	work := Workspace{}
	decode(t, &work, goodWork, `{"Use": [{"DiskPath": "./edge"}, {"DiskPath": "./roomsvc"}]}`)
	edge, roomsvc := Module{Folder: "edge"}, Module{Folder: "roomsvc"}
	decode(t, &edge, goodModule)
	decode(t, &roomsvc, goodModule, `{"Module": {"Path": "github.com/parley-rtc/parley/roomsvc"}}`)
	wantNone(t, CheckModules(work, []Module{edge, roomsvc}))

	roomsvc.Require[1].Version = "v1.1.0"
	wantFault(t, CheckModules(work, []Module{edge, roomsvc}), "roomsvc requires example.com/lib v1.1.0, but edge requires v1.0.0")
}

// decode reads JSON texts into a value, later ones over earlier ones.
func decode(t *testing.T, into any, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
}

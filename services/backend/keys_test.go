package backend

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func saw(t *testing.T, k *Keys, r contract.AppRecord) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	k.Saw(r.App.String(), text)
}

func TestKeys_Admit(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	k := NewKeys(NewLimits(1, 2))
	admit := func(key string, want contract.Code) {
		t.Helper()
		app, err := k.Admit("request", key, now)
		if want == "" && (err != nil || app.App.String() != "a") || want != "" && !errors.Is(err, want) {
			t.Errorf("key %q: got app %q and %v, want %q", key, app.App, err, want)
		}
	}
	saw(t, k, record("a", "a1"))
	admit("a1", contract.CodeUnavailable)
	k.Complete()
	admit("a1", "")
	admit("", contract.CodeBadAPIKey)
	admit("b1", contract.CodeBadAPIKey)
	admit("a1", "")
	admit("a1", contract.CodeRateLimited)
	saw(t, k, record("b", "a1"))
	admit("a1", contract.CodeBadAPIKey) // nobody knows whose it is
	k.Saw("b", nil)
	admit("a1", contract.CodeRateLimited)
	k.Saw("a", []byte("{"))
	admit("a1", contract.CodeBadAPIKey)
}

func TestBearer(t *testing.T) {
	for _, test := range []struct {
		values []string
		want   string
	}{
		{nil, ""},
		{[]string{"Bearer key"}, "key"},
		{[]string{"bearer  key "}, "key"},
		{[]string{"Basic key"}, ""},
		{[]string{"key"}, ""},
		{[]string{"Bearer a", "Bearer b"}, ""},
	} {
		if got := Bearer(http.Header{"Authorization": test.values}); got != test.want {
			t.Errorf("%q: got %q, want %q", test.values, got, test.want)
		}
	}
}

package backend

import (
	"errors"
	"reflect"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func record(app contract.ID, apiKeys ...string) contract.AppRecord {
	r := contract.AppRecord{App: app.Token()}
	for _, key := range apiKeys {
		hash := HashOf(key)
		r.APIKeys = append(r.APIKeys, hash[:])
	}
	return r
}

func TestDirectory_Find(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*Directory)
		find string
		app  contract.ID
		want error
	}{
		{"nobody's key", func(*Directory) {}, "a1", "", ErrUnknown},
		{"an app's key", func(d *Directory) { d.Set(record("a", "a1", "a2")) }, "a2", "a", nil},
		{"one app's key among others", func(d *Directory) {
			d.Set(record("a", "a1"))
			d.Set(record("b", "b1"))
			d.Set(record("a.*", "c1"))
		}, "c1", "a.*", nil},
		{"an app without keys", func(d *Directory) { d.Set(record("a")) }, "", "", ErrUnknown},
		{"a key taken back", func(d *Directory) { d.Set(record("a", "a1", "a2")); d.Set(record("a", "a2")) }, "a1", "", ErrUnknown},
		{"a key that stayed", func(d *Directory) { d.Set(record("a", "a1", "a2")); d.Set(record("a", "a2")) }, "a2", "a", nil},
		{"a removed app's key", func(d *Directory) { d.Set(record("a", "a1")); d.Remove(contract.ID("a").Token()) }, "a1", "", ErrUnknown},
		{"a key twice in one app", func(d *Directory) { d.Set(record("a", "a1", "a1")) }, "a1", "a", nil},
		{"a key of two apps", func(d *Directory) { d.Set(record("a", "a1")); d.Set(record("b", "a1")) }, "a1", "", ErrShared},
		{"a key that one of two apps gave up", func(d *Directory) {
			d.Set(record("a", "a1"))
			d.Set(record("b", "a1"))
			d.Set(record("a"))
		}, "a1", "b", nil},
		{"a hash of the wrong length", func(d *Directory) {
			d.Set(contract.AppRecord{App: contract.ID("a").Token(), APIKeys: [][]byte{nil, {1}, make([]byte, 33)}})
		}, "", "", ErrUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := NewDirectory()
			test.do(d)
			got, err := d.Find(HashOf(test.find))
			if !errors.Is(err, test.want) || err == nil && got.App != test.app.Token() {
				t.Errorf("Find = %v, %v, want %v, %v", got.App, err, test.app, test.want)
			}
		})
	}
}

func TestDirectory_gone(t *testing.T) {
	d := NewDirectory()
	for _, step := range []struct {
		name string
		got  []Hash
		want []Hash
	}{
		{"a new app", d.Set(record("a", "1", "2")), nil},
		{"the same again", d.Set(record("a", "1", "2")), nil},
		{"another with one of its keys", d.Set(record("b", "2", "3")), nil},
		{"the first loses both, one stays with the other", d.Set(record("a")), []Hash{HashOf("1")}},
		{"the other is removed", d.Remove(contract.ID("b").Token()), []Hash{HashOf("2"), HashOf("3")}},
		{"and again", d.Remove(contract.ID("b").Token()), nil},
	} {
		if len(step.got)+len(step.want) > 0 && !reflect.DeepEqual(step.got, step.want) {
			t.Errorf("%s: gone are %x, want %x", step.name, step.got, step.want)
		}
	}
	if got, want := d.Apps(), []contract.Token{contract.ID("a").Token()}; !reflect.DeepEqual(got, want) {
		t.Errorf("Apps = %v, want %v", got, want)
	}
	if len(d.byKey) != 0 {
		t.Errorf("%d keys are left of apps without any", len(d.byKey))
	}
}

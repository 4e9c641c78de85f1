package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// readFile reads the YAML file that the flag, or else the environment, names.
func readFile(s *schema, fromFlag, fromEnviron string, others []string) (layer, error) {
	path, named := fromFlag, "--"+configFlag
	if path == "" {
		path, named = fromEnviron, configVariable
	}
	if path == "" {
		return layer{}, nil
	}
	k := koanf.New(".")
	if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
		return layer{}, fmt.Errorf("%s: read configuration %s: %w", named, path, err)
	}
	c := &converter{name: func(key string) string { return path + ": " + key }}
	l := layer{values: map[string]any{}, origins: map[string]string{}}
	raw := k.Raw()
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		t, known := s.section(name)
		switch {
		case known:
			if v, ok := c.value(name, raw[name], t).(map[string]any); ok {
				l.values[name] = v
				markOrigins(l.origins, name, v, t, path)
			}
		case !slices.Contains(others, name):
			c.fail(name, "unknown section%s", suggest(name, append(s.sectionNames(), others...), func(n string) string { return n }))
		}
	}
	return l, c.err()
}

// markOrigins notes source for every leaf that values holds.
func markOrigins(origins map[string]string, prefix string, values map[string]any, t reflect.Type, source string) {
	for _, f := range fields(t) {
		v, given := values[f.name]
		if !given {
			continue
		}
		key := prefix + "." + f.name
		if nested, ok := v.(map[string]any); ok && isStruct(f.typ) {
			markOrigins(origins, key, nested, f.typ, source)
			continue
		}
		origins[key] = source
	}
}

func (s *schema) sectionNames() []string {
	var names []string
	for _, section := range s.sections {
		names = append(names, section.Name)
	}
	return names
}

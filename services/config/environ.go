package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

const (
	variablePrefix = "PARLEY_"
	configVariable = variablePrefix + "CONFIG"
	// levelSeparator stands for the dot of a key, since one underscore is part
	// of names such as max_frame_bytes.
	levelSeparator = "__"
)

// variable returns the environment variable that holds a key.
func variable(key string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(key, ".", levelSeparator))
}

// environLayer is what the environment gives.
type environLayer struct {
	layer
	configFile string
}

func readEnviron(s *schema, opts Options) (environLayer, error) {
	vars := map[string]string{}
	for _, pair := range opts.Environ {
		if name, value, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(name, variablePrefix) {
			vars[name] = value
		}
	}
	r := environReader{
		schema:    s,
		vars:      vars,
		others:    opts.OtherSections,
		converter: &converter{name: func(name string) string { return name }},
		origins:   map[string]string{},
	}
	k := koanf.New(".")
	provider := env.Provider(".", env.Opt{
		Prefix:        variablePrefix,
		TransformFunc: r.transform,
		// Sorted and without repeats, so that faults come once and in order.
		EnvironFunc: func() []string {
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(vars)) {
				pairs = append(pairs, name+"="+vars[name])
			}
			return pairs
		},
	})
	if err := k.Load(provider, nil); err != nil {
		return environLayer{}, err
	}
	return environLayer{layer: layer{values: k.Raw(), origins: r.origins}, configFile: vars[configVariable]}, r.converter.err()
}

type environReader struct {
	*converter
	schema  *schema
	vars    map[string]string
	others  []string
	origins map[string]string
}

// transform returns the key that a variable holds and its value; no key means
// that the variable is to be left out.
func (r *environReader) transform(name, value string) (string, any) {
	if name == configVariable || isForTools(name) {
		return "", nil
	}
	key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, variablePrefix), levelSeparator, "."))
	if leaf, ok := r.schema.byKey[key]; ok && name == variable(key) {
		return r.take(leaf.key, name, r.text(name, value, leaf.value.Type()))
	}
	if secret, ok := r.schema.secretOf(key); ok && name == variable(key) {
		_, both := r.vars[variable(secret)]
		return r.take(secret, name, r.secretFile(name, value, both))
	}
	section, _, nested := strings.Cut(key, ".")
	if kubernetesVariable.MatchString(name) || (nested && slices.Contains(r.others, section)) {
		return "", nil
	}
	r.fail(name, "unknown variable%s", suggest(name, r.schema.variables(), func(n string) string { return n }))
	return "", nil
}

func (r *environReader) take(key, name string, value any) (string, any) {
	if value == nil {
		return "", nil
	}
	r.origins[key] = name
	return key, value
}

// secretOf returns the key of the secret whose file the given key names.
func (s *schema) secretOf(key string) (string, bool) {
	secret, isFile := strings.CutSuffix(key, fileSuffix)
	leaf, ok := s.byKey[secret]
	return secret, ok && isFile && leaf.value.Type() == secretType
}

func (s *schema) variables() []string {
	names := []string{configVariable}
	for _, leaf := range s.leaves {
		names = append(names, variable(leaf.key))
	}
	return names
}

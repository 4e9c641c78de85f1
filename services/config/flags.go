package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// configFlag names the YAML file.
const configFlag = "config"

// flagsLayer is what the command line gives.
type flagsLayer struct {
	layer
	configFile string
	args       []string
}

// readFlags returns no layer when the flags can't be parsed or ask for help.
func readFlags(s *schema, args []string) (*flagsLayer, error) {
	set := newFlagSet(s)
	known, unknown := splitUnknown(set, args)
	if err := set.Parse(known); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil, err
		}
		return nil, fmt.Errorf("command line: %w", err)
	}
	c := &converter{name: func(key string) string { return "--" + key }}
	for _, name := range unknown {
		c.fail(name, "unknown flag%s", suggest(name, flagNames(set), func(n string) string { return "--" + n }))
	}
	origins := map[string]string{}
	provider := posflag.ProviderWithFlag(set, ".", nil, func(f *pflag.Flag) (string, any) {
		key, value := flagValue(s, set, c, f)
		if value == nil {
			return "", nil
		}
		origins[key] = "--" + f.Name
		return key, value
	})
	k := koanf.New(".")
	if err := k.Load(provider, nil); err != nil {
		return nil, fmt.Errorf("command line: %w", err)
	}
	return &flagsLayer{
		layer:      layer{values: k.Raw(), origins: origins},
		configFile: set.Lookup(configFlag).Value.String(),
		args:       set.Args(),
	}, c.err()
}

// flagValue returns the key that a flag sets and its value, nil if it wasn't
// given or was refused.
func flagValue(s *schema, set *pflag.FlagSet, c *converter, f *pflag.Flag) (string, any) {
	if !f.Changed || f.Name == configFlag {
		return "", nil
	}
	if leaf, ok := s.byKey[f.Name]; ok {
		return leaf.key, c.text(f.Name, f.Value.String(), leaf.value.Type())
	}
	secret, _ := s.secretOf(f.Name)
	return secret, c.secretFile(f.Name, f.Value.String(), set.Changed(secret))
}

func newFlagSet(s *schema) *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	set.Usage = func() {} // the caller prints Usage, to the writer it chose
	set.String(configFlag, "", "YAML file to read ($"+configVariable+")")
	for _, leaf := range s.leaves {
		value := &flagText{kind: kindName(leaf.value.Type())}
		f := set.VarPF(value, leaf.key, "", "$"+variable(leaf.key))
		f.DefValue = shown(leaf.value)
		if leaf.value.Kind() == reflect.Bool {
			f.NoOptDefVal = "true"
		}
		if leaf.value.Type() == secretType {
			set.VarPF(&flagText{kind: "path"}, leaf.key+fileSuffix, "", "$"+variable(leaf.key+fileSuffix))
		}
	}
	return set
}

// splitUnknown takes the long flags that the set lacks out of args, so that all
// of them are reported and not only the first. The word after an unknown flag
// may be its value; it stays, and the positional arguments don't matter when
// there is a fault.
func splitUnknown(set *pflag.FlagSet, args []string) (known, unknown []string) {
	for i := 0; i < len(args); i++ {
		name, isLong := strings.CutPrefix(args[i], "--")
		if !isLong || name == "" {
			if args[i] == "--" {
				return append(known, args[i:]...), unknown
			}
			known = append(known, args[i])
			continue
		}
		name, _, hasValue := strings.Cut(name, "=")
		f := set.Lookup(name)
		if f == nil && name != "help" {
			unknown = append(unknown, name)
			continue
		}
		known = append(known, args[i])
		if f != nil && f.NoOptDefVal == "" && !hasValue && i+1 < len(args) {
			i++
			known = append(known, args[i])
		}
	}
	return known, unknown
}

func flagNames(set *pflag.FlagSet) []string {
	var names []string
	set.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// Usage returns the text for --help: every key as a flag with its type, its
// environment variable and its default. It must be called before Load, which
// overwrites the defaults.
func Usage(program string, sections []Section) string {
	s, err := newSchema(sections)
	if err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "Usage: %s [flags]\n\nDefaults, then the YAML file, then the environment, then flags; the later one wins.\n\n", program)
	out.WriteString(newFlagSet(s).FlagUsages())
	return out.String()
}

// flagText is a flag whose text is converted later, with all other sources.
type flagText struct{ text, kind string }

func (f *flagText) String() string     { return f.text }
func (f *flagText) Set(s string) error { f.text = s; return nil }
func (f *flagText) Type() string       { return f.kind }

func kindName(t reflect.Type) string {
	switch k := t.Kind(); {
	case t == secretType:
		return "secret"
	case t == durationType:
		return "duration"
	case isText(t):
		return "text"
	case k == reflect.Slice && isScalar(t.Elem().Kind()):
		return "list"
	case k == reflect.Slice || k == reflect.Map:
		return "json"
	default:
		return k.String()
	}
}

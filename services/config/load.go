package config

import (
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// Section is one named part of the configuration.
type Section struct {
	// Name is the section's key in the file, the environment and the flags.
	Name string
	// Value points to a struct that holds the defaults; Load writes into it.
	// Every exported field carries one tag, `koanf:"snake_case"`; `koanf:"-"`
	// leaves a field out. Fields may be bool, integers, floats, strings,
	// [time.Duration], [Secret], an [encoding.TextUnmarshaler], a nested
	// struct, and slices and string-keyed maps of these.
	//
	// If Value has a method Validate() error, Load calls it when all else is
	// decoded. Each fault (joined by errors.Join) should begin with the key
	// inside the section, as in "max_frame_bytes: must be at least 1"; Load
	// puts the section's name before it.
	Value any
}

// Options are the sources that Load reads.
type Options struct {
	// Args are the command line's arguments without the program's name.
	Args []string
	// Environ has the form of os.Environ, which is used when it is nil.
	Environ []string
	// OtherSections names sections of other programs: the file and the
	// environment may hold them, and Load ignores them. The program's own
	// sections may stand there too, without effect.
	OtherSections []string
}

// Loaded is a configuration that was read without a fault.
type Loaded struct {
	schema  *schema
	origins map[string]string
	args    []string
}

// layer is what one source gives: values nested by key, ready to be merged, and
// for each key the name under which the user gave it.
type layer struct {
	values  map[string]any
	origins map[string]string
}

// Load fills the sections from the file (named by --config or PARLEY_CONFIG),
// the environment and the flags. A list replaces a default list, a map is
// merged into a default map key by key. The error joins all faults that were
// found; the sections' values are then undefined. For --help it wraps
// [github.com/spf13/pflag.ErrHelp], and nothing was read; [Usage] has the text.
func Load(sections []Section, opts Options) (*Loaded, error) {
	schema, err := newSchema(sections)
	if err != nil {
		return nil, err
	}
	if opts.Environ == nil {
		opts.Environ = os.Environ()
	}
	opts.OtherSections = schema.without(opts.OtherSections)
	flags, err := readFlags(schema, opts.Args)
	if err != nil && flags == nil {
		return nil, err
	}
	environ, envErr := readEnviron(schema, opts)
	file, fileErr := readFile(schema, flags.configFile, environ.configFile, opts.OtherSections)

	l := &Loaded{schema: schema, origins: map[string]string{}, args: flags.args}
	mergeErr := l.merge(file, environ.layer, flags.layer)
	if err := errors.Join(fileErr, envErr, err, mergeErr, l.validate()); err != nil {
		return nil, err
	}
	return l, nil
}

// Args returns the positional arguments, those that are no flags.
func (l *Loaded) Args() []string { return l.args }

// merge lays the layers over each other, the last one on top, and writes the
// outcome into the sections. Every value was checked when its layer was read,
// so a failure here is a fault of this package.
func (l *Loaded) merge(layers ...layer) error {
	merged := koanf.New(".")
	for _, layer := range layers {
		if err := merged.Load(confmap.Provider(layer.values, ""), nil); err != nil {
			return fmt.Errorf("merge configuration: %w", err)
		}
		maps.Copy(l.origins, layer.origins)
	}
	for _, leaf := range l.schema.leaves {
		if _, given := l.origins[leaf.key]; given && leaf.isList() {
			leaf.value.SetZero() // otherwise its elements keep what the default's held
		}
	}
	for _, s := range l.schema.sections {
		err := merged.UnmarshalWithConf(s.Name, s.Value, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
			DecodeHook: mapstructure.TextUnmarshallerHookFunc(),
			Result:     s.Value,
		}})
		if err != nil {
			return fmt.Errorf("decode section %s: %w", s.Name, err)
		}
	}
	return nil
}

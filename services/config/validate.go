package config

import (
	"errors"
	"fmt"
	"strings"
)

// validator is a section's value that can judge itself.
type validator interface{ Validate() error }

// validate asks every section and puts the section's name, and where the value
// came from, to each fault.
func (l *Loaded) validate() error {
	var faults []error
	for _, s := range l.schema.sections {
		v, ok := s.Value.(validator)
		if !ok {
			continue
		}
		for _, fault := range split(v.Validate()) {
			faults = append(faults, l.locate(s.Name, fault))
		}
	}
	return errors.Join(faults...)
}

func (l *Loaded) locate(section string, fault error) error {
	name, _, _ := strings.Cut(fault.Error(), ":")
	if origin := l.origins[section+"."+name]; origin != "" {
		return fmt.Errorf("%s.%w (from %s)", section, fault, origin)
	}
	return fmt.Errorf("%s.%w", section, fault)
}

// split undoes errors.Join, whose text is its parts' texts, a line each. Other
// errors that wrap several are one fault.
func split(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	var lines []string
	for _, e := range joined.Unwrap() {
		all = append(all, split(e)...)
		lines = append(lines, e.Error())
	}
	if err.Error() != strings.Join(lines, "\n") {
		return []error{err}
	}
	return all
}

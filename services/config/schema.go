package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

var (
	secretType          = reflect.TypeFor[Secret]()
	durationType        = reflect.TypeFor[time.Duration]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// schema is all keys that the sections define.
type schema struct {
	sections []Section
	leaves   []leaf // in the order of the structs
	byKey    map[string]leaf
}

// leaf is a key that holds a value of its own.
type leaf struct {
	key   string        // section.field, the nested ones with more dots
	value reflect.Value // the field; settable
}

// field is one configured field of a struct.
type field struct {
	name  string
	index int
	typ   reflect.Type
}

func (l leaf) isList() bool { return l.value.Kind() == reflect.Slice && !isText(l.value.Type()) }

func newSchema(sections []Section) (*schema, error) {
	s := &schema{sections: sections, byKey: map[string]leaf{}}
	for _, section := range sections {
		v := reflect.ValueOf(section.Value)
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return nil, fmt.Errorf("section %s: value must be a pointer to a struct, got %T", section.Name, section.Value)
		}
		if err := s.add(section.Name, v.Elem()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *schema) add(prefix string, v reflect.Value) error {
	if err := checkType(prefix, v.Type()); err != nil {
		return err
	}
	for _, f := range fields(v.Type()) {
		key, value := prefix+"."+f.name, v.Field(f.index)
		if isStruct(f.typ) {
			if err := s.add(key, value); err != nil {
				return err
			}
			continue
		}
		leaf := leaf{key: key, value: value}
		if _, twice := s.byKey[key]; twice {
			return fmt.Errorf("%s: two fields carry this key", key)
		}
		s.leaves = append(s.leaves, leaf)
		s.byKey[key] = leaf
	}
	return nil
}

// section returns the struct type of the section of that name.
func (s *schema) section(name string) (reflect.Type, bool) {
	for _, section := range s.sections {
		if section.Name == name {
			return reflect.TypeOf(section.Value).Elem(), true
		}
	}
	return nil, false
}

// without returns the names that are no sections of this schema.
func (s *schema) without(names []string) []string {
	var others []string
	for _, name := range names {
		if _, own := s.section(name); !own {
			others = append(others, name)
		}
	}
	return others
}

// fields returns the configured fields of a struct that checkType accepted.
func fields(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("koanf"); f.IsExported() && name != "-" {
			out = append(out, field{name: name, index: i, typ: f.Type})
		}
	}
	return out
}

func fieldNamed(t reflect.Type, name string) (field, bool) {
	for _, f := range fields(t) {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// checkType refuses, when the program starts, a configuration struct that this
// package could only half handle.
func checkType(at string, t reflect.Type) error {
	switch {
	case isText(t):
		return nil
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name := f.Tag.Get("koanf")
			switch {
			case !f.IsExported() || name == "-":
				continue
			case name == "" || strings.ContainsAny(name, ".,-") || strings.Contains(name, "__") || name != strings.ToLower(name):
				return fmt.Errorf(`%s: field %s needs a tag of the form koanf:"snake_case"`, at, f.Name)
			}
			if err := checkType(at+"."+name, f.Type); err != nil {
				return err
			}
		}
		return nil
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String, t.Kind() == reflect.Slice:
		return checkType(at, t.Elem())
	case isScalar(t.Kind()):
		return nil
	}
	return errors.New(at + ": a field of type " + t.String() + " can't be configured")
}

func isScalar(k reflect.Kind) bool {
	return k == reflect.Bool || k == reflect.String || (k >= reflect.Int && k <= reflect.Float64 && k != reflect.Uintptr)
}

// isText reports whether the type reads itself from text.
func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textUnmarshalerType) }

// isStruct reports whether the type is a group of keys and no value.
func isStruct(t reflect.Type) bool { return t.Kind() == reflect.Struct && !isText(t) }

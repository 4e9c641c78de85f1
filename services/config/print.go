package config

import (
	"encoding"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// fromDefault is the source of a key that no source gave.
const fromDefault = "default"

// Print writes the effective configuration as YAML with every secret redacted.
// With sources, a comment beside each key says where its value came from:
// default, the file's path, the environment variable or the flag.
func (l *Loaded) Print(w io.Writer, sources bool) error {
	root := l.root(sources)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return encoder.Close()
}

// Redacted is the effective configuration with every secret redacted, as
// encoding/json can write it.
func (l *Loaded) Redacted() (map[string]any, error) {
	var values map[string]any
	if err := l.root(false).Decode(&values); err != nil {
		return nil, fmt.Errorf("print configuration: %w", err)
	}
	return values, nil
}

func (l *Loaded) root(sources bool) *yaml.Node {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range l.schema.sections {
		root.Content = append(root.Content, scalarNode(s.Name), l.groupNode(s.Name, reflect.ValueOf(s.Value).Elem(), sources))
	}
	return root
}

// groupNode is a struct whose fields are keys with a source each.
func (l *Loaded) groupNode(prefix string, v reflect.Value, sources bool) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fields(v.Type()) {
		key, name := prefix+"."+f.name, scalarNode(f.name)
		if isStruct(f.typ) {
			node.Content = append(node.Content, name, l.groupNode(key, v.Field(f.index), sources))
			continue
		}
		value := valueNode(v.Field(f.index))
		if sources {
			comment := l.origins[key]
			if comment == "" {
				comment = fromDefault
			}
			if value.Kind == yaml.ScalarNode || len(value.Content) == 0 {
				value.LineComment = comment
			} else {
				name.LineComment = comment
			}
		}
		node.Content = append(node.Content, name, value)
	}
	return node
}

func valueNode(v reflect.Value) *yaml.Node {
	if text, ok := textOf(v); ok {
		return scalarNode(text)
	}
	switch v.Kind() {
	case reflect.Struct:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range fields(v.Type()) {
			node.Content = append(node.Content, scalarNode(f.name), valueNode(v.Field(f.index)))
		}
		return node
	case reflect.Map:
		node := &yaml.Node{Kind: yaml.MappingNode}
		values := mapValues(v)
		for _, key := range slices.Sorted(maps.Keys(values)) {
			node.Content = append(node.Content, scalarNode(key), valueNode(values[key]))
		}
		return inlineEmpty(node)
	case reflect.Slice:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			node.Content = append(node.Content, valueNode(v.Index(i)))
		}
		return inlineEmpty(node)
	}
	node := &yaml.Node{}
	node.SetString(fmt.Sprint(v.Interface()))
	node.Tag = "" // a plain number or bool
	return node
}

// textOf returns the text of a value that is written as text.
func textOf(v reflect.Value) (string, bool) {
	switch x := v.Interface().(type) {
	case Secret:
		return x.String(), true
	case time.Duration:
		return x.String(), true
	case string:
		return x, true
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return string(text), err == nil
	}
	if v.CanAddr() {
		if m, ok := v.Addr().Interface().(encoding.TextMarshaler); ok {
			text, err := m.MarshalText()
			return string(text), err == nil
		}
	}
	return v.String(), v.Kind() == reflect.String
}

func mapValues(v reflect.Value) map[string]reflect.Value {
	out := make(map[string]reflect.Value, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		out[iter.Key().String()] = iter.Value()
	}
	return out
}

func scalarNode(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	return node
}

func inlineEmpty(node *yaml.Node) *yaml.Node {
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	return node
}

// shown is a default as --help shows it; nothing for an empty one.
func shown(v reflect.Value) string {
	if text, ok := textOf(v); ok {
		return text
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			return ""
		}
		if v.Kind() == reflect.Slice && isScalar(v.Type().Elem().Kind()) {
			items := make([]string, v.Len())
			for i := range items {
				items[i] = shown(v.Index(i))
			}
			return strings.Join(items, ",")
		}
		return fmt.Sprintf("%d entries", v.Len())
	}
	return fmt.Sprint(v.Interface())
}

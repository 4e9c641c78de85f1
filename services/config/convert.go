package config

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// converter turns what one source holds into values of the right types. It
// collects all faults rather than stopping at the first, and no fault ever
// quotes a secret.
type converter struct {
	name   func(key string) string // how the user wrote a key, for messages
	faults []error
}

func (c *converter) fail(key, format string, args ...any) {
	c.faults = append(c.faults, errors.New(c.name(key)+": "+fmt.Sprintf(format, args...)))
}

func (c *converter) err() error { return errors.Join(c.faults...) }

// text converts what an environment variable or a flag holds: lists are
// separated by commas, maps and lists of structs are JSON.
func (c *converter) text(key, text string, t reflect.Type) any {
	switch {
	case isText(t) || t == durationType || t.Kind() == reflect.String:
		return c.value(key, text, t)
	case t.Kind() == reflect.Slice && !isStruct(t.Elem()) && t.Elem().Kind() != reflect.Map:
		out := []any{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				out = append(out, c.text(key, item, t.Elem()))
			}
		}
		return out
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		var parsed any
		if err := json.Unmarshal([]byte(text), &parsed); err != nil {
			c.fail(key, "must be JSON: %v", err)
			return nil
		}
		return c.value(key, parsed, t)
	}
	return c.scalarText(key, text, t)
}

func (c *converter) scalarText(key, text string, t reflect.Type) any {
	var v any
	var err error
	switch k := t.Kind(); {
	case k == reflect.Bool:
		v, err = strconv.ParseBool(text)
	case k == reflect.Float32 || k == reflect.Float64:
		v, err = strconv.ParseFloat(text, 64)
	default:
		v, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil {
		c.fail(key, "must be %s, got %q", describe(t), text)
		return nil
	}
	return c.value(key, v, t)
}

// value converts a decoded YAML or JSON value. It returns nil on a fault, and
// for null, which counts as not given.
func (c *converter) value(key string, in any, t reflect.Type) any {
	if in == nil {
		return nil
	}
	switch k := t.Kind(); {
	case t == secretType:
		if s, ok := in.(string); ok {
			return Secret(s)
		}
		c.fail(key, "must be text; put quotes around it")
		return nil
	case isText(t):
		return c.unmarshaler(key, in, t)
	case t == durationType:
		return c.duration(key, in)
	case k == reflect.Struct:
		if m, ok := in.(map[string]any); ok {
			return c.structure(key, m, t)
		}
	case k == reflect.Map:
		if m, ok := in.(map[string]any); ok {
			return c.mapping(key, m, t)
		}
	case k == reflect.Slice:
		if list, ok := in.([]any); ok {
			return c.list(key, list, t)
		}
	default:
		if out, ok := convertScalar(in, t); ok {
			return out
		}
	}
	c.fail(key, "must be %s, got %s", describe(t), quote(in))
	return nil
}

func (c *converter) list(key string, in []any, t reflect.Type) any {
	out := make([]any, 0, len(in))
	for i, item := range in {
		out = append(out, c.value(key+"["+strconv.Itoa(i)+"]", item, t.Elem()))
	}
	return out
}

// mapping converts a map; in a map of secrets the key name_file reads name.
func (c *converter) mapping(key string, in map[string]any, t reflect.Type) any {
	out := make(map[string]any, len(in))
	for name, item := range in {
		secret, isFile := strings.CutSuffix(name, fileSuffix)
		if t.Elem() == secretType && isFile {
			_, both := in[secret]
			if v := c.secretFile(key+"."+name, item, both); v != nil {
				out[secret] = v
			}
			continue
		}
		if v := c.value(key+"."+name, item, t.Elem()); v != nil {
			out[name] = v
		}
	}
	return out
}

func (c *converter) structure(key string, in map[string]any, t reflect.Type) any {
	out := make(map[string]any, len(in))
	for name, item := range in {
		at := key + "." + name
		if f, ok := fieldNamed(t, name); ok {
			if v := c.value(at, item, f.typ); v != nil {
				out[name] = v
			}
			continue
		}
		secret, isFile := strings.CutSuffix(name, fileSuffix)
		if f, ok := fieldNamed(t, secret); ok && isFile && f.typ == secretType {
			_, both := in[secret]
			if v := c.secretFile(at, item, both); v != nil {
				out[secret] = v
			}
			continue
		}
		c.fail(at, "unknown key%s", suggest(name, fieldNames(t), func(n string) string { return c.name(key + "." + n) }))
	}
	return out
}

func (c *converter) duration(key string, in any) any {
	if s, ok := in.(string); ok {
		if d, err := time.ParseDuration(s); err == nil {
			return d
		}
	}
	c.fail(key, `must be a duration with a unit, as in "500ms" or "1m30s", got %s`, quote(in))
	return nil
}

// unmarshaler tries the text and hands it on: the last step of Load decodes it
// again, since the copies made in between would lose unexported fields.
func (c *converter) unmarshaler(key string, in any, t reflect.Type) any {
	s, ok := in.(string)
	if !ok {
		c.fail(key, "must be text, got %s", quote(in))
		return nil
	}
	target, _ := reflect.New(t).Interface().(encoding.TextUnmarshaler) // isText said so
	if err := target.UnmarshalText([]byte(s)); err != nil {
		c.fail(key, "%v", err)
		return nil
	}
	return s
}

// convertScalar gives in the kind of t if that loses nothing.
func convertScalar(in any, t reflect.Type) (any, bool) {
	zero := reflect.Zero(t)
	switch k := t.Kind(); {
	case k == reflect.Bool:
		b, ok := in.(bool)
		return b, ok
	case k == reflect.String:
		s, ok := in.(string)
		return s, ok
	case k == reflect.Float32 || k == reflect.Float64:
		if f, ok := in.(float64); ok {
			return f, !zero.OverflowFloat(f)
		}
		n, ok := integer(in)
		return float64(n), ok
	case k >= reflect.Uint && k <= reflect.Uint64:
		n, ok := integer(in)
		return n, ok && n >= 0 && !zero.OverflowUint(uint64(n))
	default:
		n, ok := integer(in)
		return n, ok && !zero.OverflowInt(n)
	}
}

func integer(in any) (int64, bool) {
	switch n := in.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case float64: // JSON has no other number
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	}
	return 0, false
}

func describe(t reflect.Type) string {
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return "true or false"
	case k == reflect.String:
		return "text (put quotes around it)"
	case k == reflect.Float32 || k == reflect.Float64:
		return "a number"
	case k == reflect.Slice:
		return "a list"
	case k == reflect.Map || k == reflect.Struct:
		return "a group of keys"
	case k >= reflect.Uint && k <= reflect.Uint64:
		return "a whole number from 0 to " + strconv.FormatUint(math.MaxUint64>>(64-t.Bits()), 10)
	}
	return "a whole number of at most " + strconv.FormatInt(math.MaxInt64>>(64-t.Bits()), 10)
}

// quote shows a value that was refused. Groups and lists may hold secrets, so
// only their kind is told.
func quote(in any) string {
	switch v := in.(type) {
	case string:
		return strconv.Quote(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a group of keys"
	}
	return fmt.Sprint(in)
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range fields(t) {
		names = append(names, f.name)
	}
	return names
}

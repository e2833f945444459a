package expr

import (
	"maps"
	"reflect"
	"slices"
)

// Reads is which parts of a JSON value expressions read. An expression gives the same result, or the same error, for
// the value and for its projection: an update that does not change the projection changes nothing.
type Reads struct {
	// Whole says that all of the value is read.
	Whole bool
	// Fields are the fields that are read of an object. One that is only tested for its presence has empty Reads.
	Fields map[string]*Reads
	// Items is what is read of each item of a list and, with Keys, of each field of an object.
	Items *Reads
	// Keys says that all names of an object's fields are read.
	Keys bool
}

// Inputs is what an expression reads of its variables.
type Inputs struct {
	Source Reads
	// References is an object with the references as fields.
	References Reads
}

// Reference is what is read of one reference; nil is nothing.
func (in *Inputs) Reference(key string) *Reads {
	if in.References.Whole {
		return &Reads{Whole: true}
	}
	return in.References.Fields[key]
}

// Merge adds what other reads.
func (in *Inputs) Merge(other *Inputs) {
	in.Source.Merge(&other.Source)
	in.References.Merge(&other.References)
}

func (r *Reads) field(name string) *Reads {
	if r.Fields == nil {
		r.Fields = map[string]*Reads{}
	}
	if r.Fields[name] == nil {
		r.Fields[name] = &Reads{}
	}
	return r.Fields[name]
}

func (r *Reads) items() *Reads {
	if r.Items == nil {
		r.Items = &Reads{}
	}
	return r.Items
}

// Include adds the field that a path of names leads to, with all that is below it.
func (r *Reads) Include(path ...string) {
	for _, name := range path {
		r = r.field(name)
	}
	r.Whole = true
}

// Merge adds what other reads; nil is nothing.
func (r *Reads) Merge(other *Reads) {
	if other == nil {
		return
	}
	r.Whole, r.Keys = r.Whole || other.Whole, r.Keys || other.Keys
	for name, field := range other.Fields {
		r.field(name).Merge(field)
	}
	if other.Items != nil {
		r.items().Merge(other.Items)
	}
}

// Covers reports whether the projection of a value still has all that other reads of the value; nil is nothing.
func (r *Reads) Covers(other *Reads) bool {
	if other == nil || r != nil && r.Whole {
		return true
	}
	if r == nil {
		r = &Reads{}
	}
	if other.Whole || other.Keys && !r.Keys || !r.Items.Covers(other.Items) {
		return false
	}
	for name, field := range other.Fields {
		if _, kept := r.Fields[name]; !kept && !r.Keys || !r.of(name).Covers(field) {
			return false
		}
	}
	return true
}

// Project returns the parts of a value that are read. Parts may be those of the value.
func (r *Reads) Project(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if r != nil && r.Whole {
			return v
		}
		return r.projectObject(v)
	case []any:
		if r != nil && r.Whole {
			return v
		}
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.item().Project(item)
		}
		return out
	default:
		return value
	}
}

func (r *Reads) projectObject(object map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range r.names(object) {
		out[name] = r.of(name).Project(object[name])
	}
	return out
}

// names are the fields of an object that are read.
func (r *Reads) names(object map[string]any) []string {
	if r == nil {
		return nil
	}
	if r.Keys {
		return slices.Collect(maps.Keys(object))
	}
	var names []string
	for name := range r.Fields {
		if _, ok := object[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

// of is what is read of a field; nil is that it is there.
func (r *Reads) of(name string) *Reads {
	field := r.Fields[name]
	if !r.Keys || r.Items == nil {
		return field
	}
	both := &Reads{}
	both.Merge(field)
	both.Merge(r.Items)
	return both
}

func (r *Reads) item() *Reads {
	if r == nil {
		return nil
	}
	return r.Items
}

// Same reports whether two values have the same projection.
func (r *Reads) Same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || r != nil && r.Whole {
			return ok && reflect.DeepEqual(a, b)
		}
		return r.sameObject(a, b)
	case []any:
		b, ok := b.([]any)
		if !ok || r != nil && r.Whole {
			return ok && reflect.DeepEqual(a, b)
		}
		return slices.EqualFunc(a, b, r.item().Same)
	default:
		return reflect.DeepEqual(a, b)
	}
}

func (r *Reads) sameObject(a, b map[string]any) bool {
	if r == nil {
		return true
	}
	if r.Keys && len(a) != len(b) {
		return false
	}
	for _, name := range r.names(a) {
		other, ok := b[name]
		if !ok || !r.of(name).Same(a[name], other) {
			return false
		}
	}
	return len(r.names(a)) == len(r.names(b))
}

// Paths lists what is read, in order: "metadata.name", "status.conditions[].type", "metadata.labels.*" for the names of
// an object's fields; "" is the whole value.
func (r *Reads) Paths() []string {
	if r == nil {
		return nil
	}
	paths := r.paths("")
	slices.Sort(paths)
	return slices.Compact(paths)
}

func (r *Reads) paths(at string) []string {
	if r.Whole {
		return []string{at}
	}
	var out []string
	for name, field := range r.Fields {
		inner := name
		if at != "" {
			inner = at + "." + name
		}
		if below := field.paths(inner); len(below) > 0 {
			out = append(out, below...)
		} else {
			out = append(out, inner)
		}
	}
	if r.Keys {
		out = append(out, at+".*")
	}
	if r.Items != nil {
		out = append(out, r.Items.paths(at+"[]")...)
	}
	return out
}

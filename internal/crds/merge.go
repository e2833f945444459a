package crds

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// merger adds the built-in schemas to live ones and writes down what it finds.
type merger struct {
	plan *Plan
	// replace takes the built-in's for what both state, but never a lower limit or fewer values.
	replace bool
	changed bool
}

func (m *merger) missing(path string) {
	m.plan.Missing = append(m.plan.Missing, path)
	m.changed = true
}

func (m *merger) beyond(path string) { m.plan.Beyond = append(m.plan.Beyond, path) }

func (m *merger) beyondField(path string) {
	m.beyond(path)
	m.plan.fields = true
}

func (m *merger) differs(path string) { m.plan.Differs = append(m.plan.Differs, path) }

// schema returns the live schema with what the built-in one adds. It may change neither.
func (m *merger) schema(path string, live, ours *apiextensionsv1.JSONSchemaProps) *apiextensionsv1.JSONSchemaProps {
	switch {
	case live == nil && ours == nil:
		return nil
	case live == nil:
		m.missing(path)
		return ours.DeepCopy()
	case ours == nil:
		m.beyondField(path)
		return live
	}
	out := live.DeepCopy()
	if live.Type != ours.Type || live.XIntOrString != ours.XIntOrString {
		// Whatever else is said of another type says nothing of ours.
		m.differs(path + ": type")
		return out
	}
	m.values(path, out, ours)
	m.limits(path, out, ours)
	out.Properties = m.properties(path, live.Properties, ours.Properties)
	out.Items = m.items(path, live.Items, ours.Items)
	out.AdditionalProperties = m.additional(path, live.AdditionalProperties, ours.AdditionalProperties)
	return out
}

func (m *merger) properties(path string, live, ours map[string]apiextensionsv1.JSONSchemaProps) map[string]apiextensionsv1.JSONSchemaProps {
	names := slices.Sorted(maps.Keys(live))
	for name := range ours {
		if _, ok := live[name]; !ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return live
	}
	slices.Sort(names)
	out := make(map[string]apiextensionsv1.JSONSchemaProps, len(names))
	for _, name := range names {
		out[name] = *m.schema(path+"."+name, property(live, name), property(ours, name))
	}
	return out
}

func property(of map[string]apiextensionsv1.JSONSchemaProps, name string) *apiextensionsv1.JSONSchemaProps {
	if p, ok := of[name]; ok {
		return &p
	}
	return nil
}

func (m *merger) items(path string, live, ours *apiextensionsv1.JSONSchemaPropsOrArray) *apiextensionsv1.JSONSchemaPropsOrArray {
	switch {
	case live == nil && ours == nil:
		return nil
	case live == nil:
		live = &apiextensionsv1.JSONSchemaPropsOrArray{}
	case ours == nil:
		ours = &apiextensionsv1.JSONSchemaPropsOrArray{}
	}
	return &apiextensionsv1.JSONSchemaPropsOrArray{Schema: m.schema(path+"[]", live.Schema, ours.Schema)}
}

func (m *merger) additional(path string, live, ours *apiextensionsv1.JSONSchemaPropsOrBool) *apiextensionsv1.JSONSchemaPropsOrBool {
	switch {
	case live == nil && ours == nil:
		return nil
	case live == nil:
		m.missing(path + "{}")
		return ours
	case ours == nil || live.Schema == nil && live.Allows:
		m.beyondField(path + "{}") // values of any shape
		return live
	}
	return &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true, Schema: m.schema(path+"{}", live.Schema, ours.Schema)}
}

// values merges what says which values are allowed and what they mean.
func (m *merger) values(path string, out, ours *apiextensionsv1.JSONSchemaProps) {
	out.Description = cmp.Or(ours.Description, out.Description)
	take(m, path+": format", &out.Format, ours.Format)
	take(m, path+": pattern", &out.Pattern, ours.Pattern)
	take(m, path+": default", &out.Default, ours.Default)
	m.listType(path, out, ours)
	take(m, path+": x-kubernetes-map-type", &out.XMapType, ours.XMapType)
	take(m, path+": allOf", &out.AllOf, ours.AllOf)
	take(m, path+": anyOf", &out.AnyOf, ours.AnyOf)
	take(m, path+": oneOf", &out.OneOf, ours.OneOf)
	take(m, path+": not", &out.Not, ours.Not)
	out.XValidations = merged(m, out.XValidations, ours.XValidations, func(r apiextensionsv1.ValidationRule) string { return r.Rule })
	out.Enum = m.enum(path, out.Enum, ours.Enum)
	out.Required = m.required(path, out.Required, ours.Required)
	if ours.Nullable != out.Nullable {
		m.open(path+": nullable", ours.Nullable)
		out.Nullable = true
	}
	if is(ours.XPreserveUnknownFields) != is(out.XPreserveUnknownFields) {
		m.open(path+": x-kubernetes-preserve-unknown-fields", is(ours.XPreserveUnknownFields))
		out.XPreserveUnknownFields = new(true)
	}
}

func is(flag *bool) bool { return flag != nil && *flag }

// open notes that one of the two allows what the other does not; what is allowed stays so.
func (m *merger) open(path string, ours bool) {
	if ours {
		m.changed = true
	} else {
		m.beyond(path)
	}
}

// take is the built-in's facet where the live schema has none. Where both have one, the live one stays, unless replace.
func take[T any](m *merger, what string, live *T, ours T) {
	has, offers := !empty(*live), !empty(ours)
	switch {
	case reflect.DeepEqual(*live, ours) || !has && !offers:
	case m.replace, !has:
		*live, m.changed = ours, true
	case offers:
		m.differs(what)
	}
}

// empty reports whether a facet says nothing.
func empty(facet any) bool {
	v := reflect.ValueOf(facet)
	return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
}

// enum allows what either allows. No list allows anything.
func (m *merger) enum(path string, live, ours []apiextensionsv1.JSON) []apiextensionsv1.JSON {
	switch {
	case m.replace && (len(live) == 0 || len(ours) == 0):
		m.changed = m.changed || len(live) != len(ours)
		return ours
	case len(ours) == 0:
		return live
	case len(live) == 0:
		m.beyond(path + ": any value")
		return live
	}
	out := slices.Clone(live)
	for _, value := range ours {
		if !holds(live, value) {
			out, m.changed = append(out, value), true
		}
	}
	for _, value := range live {
		if !holds(ours, value) {
			m.beyond(path + ": " + string(value.Raw))
		}
	}
	return out
}

func holds(list []apiextensionsv1.JSON, value apiextensionsv1.JSON) bool {
	return slices.ContainsFunc(list, func(have apiextensionsv1.JSON) bool { return string(have.Raw) == string(value.Raw) })
}

// required never demands more than the live schema does, and with replace no more than the built-in one.
func (m *merger) required(path string, live, ours []string) []string {
	for _, name := range ours {
		if !slices.Contains(live, name) {
			m.beyond(path + ": without " + name)
		}
	}
	if !m.replace {
		return live
	}
	out := slices.DeleteFunc(slices.Clone(live), func(name string) bool { return !slices.Contains(ours, name) })
	m.changed = m.changed || len(out) < len(live)
	return out
}

// listType merges how a list is merged: its type and its keys belong together.
func (m *merger) listType(path string, out, ours *apiextensionsv1.JSONSchemaProps) {
	same := reflect.DeepEqual(out.XListType, ours.XListType) && slices.Equal(out.XListMapKeys, ours.XListMapKeys)
	switch {
	case same:
	case m.replace, out.XListType == nil:
		out.XListType, out.XListMapKeys, m.changed = ours.XListType, ours.XListMapKeys, true
	case ours.XListType != nil:
		m.differs(path + ": x-kubernetes-list-type")
	}
}

// limits merges the limits of size: the wider of two, and a limit rather than none.
func (m *merger) limits(path string, out, ours *apiextensionsv1.JSONSchemaProps) {
	limit(m, path+": maxLength", &out.MaxLength, ours.MaxLength, 1)
	limit(m, path+": maxItems", &out.MaxItems, ours.MaxItems, 1)
	limit(m, path+": maxProperties", &out.MaxProperties, ours.MaxProperties, 1)
	limit(m, path+": maximum", &out.Maximum, ours.Maximum, 1)
	limit(m, path+": minLength", &out.MinLength, ours.MinLength, -1)
	limit(m, path+": minItems", &out.MinItems, ours.MinItems, -1)
	limit(m, path+": minProperties", &out.MinProperties, ours.MinProperties, -1)
	limit(m, path+": minimum", &out.Minimum, ours.Minimum, -1)
	take(m, path+": multipleOf", &out.MultipleOf, ours.MultipleOf)
	take(m, path+": exclusiveMaximum", &out.ExclusiveMaximum, ours.ExclusiveMaximum)
	take(m, path+": exclusiveMinimum", &out.ExclusiveMinimum, ours.ExclusiveMinimum)
	take(m, path+": uniqueItems", &out.UniqueItems, ours.UniqueItems)
}

// limit merges one limit; with wider 1 the larger is the wider one, with -1 the smaller.
func limit[T int64 | float64](m *merger, path string, live **T, ours *T, wider int) {
	switch {
	case *live == nil && ours == nil:
	case ours == nil:
		if m.replace {
			*live, m.changed = nil, true
		}
	case *live == nil || cmp.Compare(*ours, **live)*wider > 0:
		*live, m.changed = ours, true
	case **live != *ours:
		m.beyond(path)
	}
}

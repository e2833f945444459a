package sprig

import (
	"net/url"
	"path"
)

// The functions of file paths are those of the paths of URLs: a controller runs on systems with slashes.
var pathFunctions = map[string]spec{
	"base":     {"s", KindString, onText(path.Base)},
	"dir":      {"s", KindString, onText(path.Dir)},
	"ext":      {"s", KindString, onText(path.Ext)},
	"clean":    {"s", KindString, onText(path.Clean)},
	"isAbs":    {"s", KindBool, onText(path.IsAbs)},
	"osBase":   {"s", KindString, onText(path.Base)},
	"osDir":    {"s", KindString, onText(path.Dir)},
	"osExt":    {"s", KindString, onText(path.Ext)},
	"osClean":  {"s", KindString, onText(path.Clean)},
	"osIsAbs":  {"s", KindBool, onText(path.IsAbs)},
	"urlParse": {"s", KindMap, urlParse},
	"urlJoin":  {"m", KindString, urlJoin},
}

func urlParse(a args) (any, error) {
	u, err := url.Parse(a.text(0))
	if err != nil {
		return nil, refuse("the text is not a URL")
	}
	user := ""
	if u.User != nil {
		user = u.User.String()
	}
	return map[string]any{
		"scheme": u.Scheme, "host": u.Host, "hostname": u.Hostname(), "path": u.Path, "query": u.RawQuery,
		"opaque": u.Opaque, "fragment": u.Fragment, "userinfo": user,
	}, nil
}

// urlJoin makes a URL of the parts that urlParse gives, those that are there.
func urlJoin(a args) (any, error) {
	parts := map[string]string{}
	for _, key := range []string{"scheme", "host", "path", "query", "opaque", "fragment", "userinfo"} {
		v, has := a.dict(0)[key]
		text, ok := v.(string)
		if has && !ok {
			return nil, wrongType("the parts of a URL must be of type string")
		}
		parts[key] = text
	}
	u := url.URL{
		Scheme: parts["scheme"], Host: parts["host"], Path: parts["path"], RawQuery: parts["query"],
		Opaque: parts["opaque"], Fragment: parts["fragment"],
	}
	if user := parts["userinfo"]; user != "" {
		whole, err := url.Parse("proto://" + user + "@host")
		if err != nil {
			return nil, refuse("the userinfo is not that of a URL")
		}
		u.User = whole.User
	}
	return u.String(), nil
}

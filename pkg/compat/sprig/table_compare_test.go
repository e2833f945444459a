package sprig_test

var compareTable = map[string]group{
	"eq": {"kinds must be the same", []string{
		`eq .n 3`, `eq .n 3.0`, `eq .f 2.5`, `eq .text "some text"`, `eq .text 1`, `eq .n "3"`, `eq .yes true`, `eq .yes "true"`, `eq .absent ""`, `eq .absent nil`, `eq .null nil`, `eq .null .absent`, `eq .null "x"`, `eq .list .list`, `eq .list nil`, `eq .map nil`,
		`eq .map .list`, `eq .nomap .nomap`, `eq .text "a" "some text" 1`, `eq .text "a" 1 "some text"`, `eq .n`, `eq`, `eq (rest .none) nil`, `eq (rest .none) .list`, `eq .list (rest .none)`, `eq (index .text 0) 115`, `eq .list "x"`, `eq .absent .absent`, `eq .null 0 .null`,
	}, nil},
	"ne":  {"exactly two", []string{`ne .n 3`, `ne .n 4`, `ne .absent ""`, `ne .absent nil`, `ne .null nil`, `ne .text 1`, `ne .list .list`, `ne 1 2 3`, `ne 1`, `ne .f .n`}, nil},
	"lt":  {"of one kind that has an order", []string{`lt .n 4`, `lt .n 2`, `lt "a" "b"`, `lt .f 3.0`, `lt .f .n`, `lt .yes .no`, `lt .absent 1`, `lt .null 1`, `lt .list .list`, `lt "a" 1`, `lt .n nil`}, nil},
	"le":  {"of one kind that has an order", []string{`le .n 3`, `le .f 2.5`, `le "b" "a"`, `le .yes .yes`, `le .absent .absent`, `le .null 1`, `le (float64 "NaN") 1.0`, `le .n .f`}, nil},
	"gt":  {"not less or equal, of NaN too", []string{`gt .n 2`, `gt "b" "a"`, `gt (float64 "NaN") 1.0`, `gt .absent 1`, `gt .null .null`, `gt .yes .no`, `gt 1.0 1`}, nil},
	"ge":  {"not less, of NaN too", []string{`ge .n 3`, `ge "a" "b"`, `ge (float64 "NaN") 1.0`, `ge .absent 1`, `ge .null 1`, `ge .map .map`}, nil},
	"not": {"truth of anything", []string{`not .yes`, `not .empty`, `not .zero`, `not .fzero`, `not .none`, `not .nomap`, `not .absent`, `not .null`, `not "false"`, `not (rest .none)`, `not .map`, `not`}, nil},
	"deepEqual": {"what they hold", []string{`deepEqual .list .list`, `deepEqual .map .other`, `deepEqual .absent .null`, `deepEqual .null .empty`, `deepEqual .n .n`, `deepEqual .text "some text"`, `deepEqual .nested .nested`, `deepEqual .n`, `deepEqual .map .map`, `deepEqual .none .nomap`}, map[string]difference{
		`deepEqual .n 3`:       {"D11", "true"},
		`deepEqual .fwhole .n`: {"D11", "true"},
		`deepEqual (splitList "," "a,b") (list "a" "b")`: {"D11", "true"},
		`deepEqual (rest .none) .none`:                   {"D11", "true"},
		`deepEqual (split "," "a") (dict "_0" "a")`:      {"D11", "true"},
	}},
	"kindOf": {"Go's kinds", []string{`kindOf .n`, `kindOf 1`, `kindOf .f`, `kindOf .text`, `kindOf .yes`, `kindOf .list`, `kindOf .map`, `kindOf .null`, `kindOf .absent`, `kindOf (splitList "," "a")`, `kindOf (rest .none)`}, nil},
	"kindIs": {"Go's kinds", []string{`kindIs "int64" .n`, `kindIs "int" .n`, `kindIs "string" .text`, `kindIs "map" .absent`, `kindIs "invalid" .null`, `kindIs .null 1`, `kindIs "slice" .list`}, nil},

	"default":  {"what is empty does not count", []string{`default "x" .text`, `default "x" .empty`, `default "x" .zero`, `default "x" .no`, `default "x" .none`, `default "x" .absent`, `default "x" .null`, `default "x"`, `default`, `default .null .absent`, `.n | default 5`, `default "x" .text "y"`, `default "x" "" "y"`}, nil},
	"empty":    {"the opposite of truth", []string{`empty .text`, `empty .empty`, `empty .fzero`, `empty .nomap`, `empty .absent`, `empty .null`, `empty "false"`, `empty (rest .none)`, `empty`}, nil},
	"coalesce": {"the first that is not empty", []string{`coalesce .absent .null .empty .zero .n .text`, `coalesce`, `coalesce .absent`, `coalesce .none .map`, `coalesce .no nil false`}, nil},
	"all":      {"of them true", []string{`all .text .n`, `all .text .absent`, `all`, `all .null`, `all .list .none`}, nil},
	"any":      {"of them true", []string{`any .empty .n`, `any .absent .null`, `any`, `any .none .zero "x"`}, nil},
	"ternary":  {"a bool chooses", []string{`ternary "a" "b" true`, `ternary "a" "b" .no`, `.yes | ternary .n .null`, `ternary .absent 1 true`, `ternary 1 2 .text`, `ternary 1 2 .absent`, `ternary 1 2 .null`, `ternary 1 2 .n`}, nil},
}

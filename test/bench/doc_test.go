// Package bench compares evaluating a policy with what it is compared to, in one run on one machine:
//
//	parse    the Go template is parsed and executed for each evaluation (html/template, sprig, YAML), as the system
//	         does that this project takes over from
//	execute  the Go template is parsed once, with text/template, and executed for each evaluation
//	cel      the policy in CEL as this project evaluates it, limits on
//	gocel    the policy in Go templates as this project evaluates it: translated to CEL
//	typed    as gocel, with the schema of the source
//	byhand   Go that somebody wrote for this one policy
//
// It measures besides what compiling a policy takes, what metrics add, and the CPU time after which hostile templates are
// refused or stopped.
//
// `make bench` runs it and writes docs/performance.md, whose ratios are those of that run.
package bench

package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// compiledPolicies keeps what compiling gave, so that an event costs no compilation.
type compiledPolicies struct {
	compiler compiler
	observer Observer

	mu     sync.Mutex
	byName map[string]compilation
}

// compilation is the result of compiling one generation of a policy with what was known of its kinds.
type compilation struct {
	uid        types.UID
	generation int64
	types      policy.Types
	policy     *policy.Policy
	list       diag.List
}

// compiler is policy.Compile.
type compiler func(*v1alpha1.ClusterImportPolicySpec, policy.Types) (*policy.Policy, diag.List)

func newCompiledPolicies(with compiler, observer Observer) *compiledPolicies {
	return &compiledPolicies{compiler: with, observer: observer, byName: map[string]compilation{}}
}

// compile returns the compiled policy, or nil and why not.
func (c *compiledPolicies) compile(p *v1alpha1.ClusterImportPolicy, known policy.Types) (*policy.Policy, diag.List) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok := c.byName[p.Name]
	ok = ok && before.uid == p.UID && before.generation == p.Generation
	if ok && before.types.Equal(known) {
		c.observer.Reused()
		return before.policy, before.list
	}
	started := time.Now()
	compiled, list := c.compiler(&p.Spec, known)
	// What was accepted only because its kinds were not known yet has not been checked before.
	unchecked := ok && len(before.types.Untyped) > 0
	if compiled == nil && accepted(p) && !unchecked {
		compiled, list = c.untyped(p, list)
	}
	c.observer.Compiled(p.Name, policy.DialectOf(&p.Spec), time.Since(started), compiled != nil)
	if by := c.observer.Evaluations(p.Name); compiled != nil && by != nil {
		compiled = compiled.Observed(by)
	}
	c.byName[p.Name] = compilation{p.UID, p.Generation, known, compiled, list}
	return compiled, list
}

// accepted reports whether this generation of the policy was at work before.
func accepted(p *v1alpha1.ClusterImportPolicy) bool {
	validated := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionValidated)
	return validated != nil && validated.Status == "True" && validated.ObservedGeneration == p.Generation && p.Status.Source != nil
}

// untyped compiles a policy that was accepted and that a newer schema of its kinds finds mistakes in. Nobody edited
// it, and the schema changes no result: the mistakes are warnings, and the policy stays at work.
func (c *compiledPolicies) untyped(p *v1alpha1.ClusterImportPolicy, mistakes diag.List) (*policy.Policy, diag.List) {
	compiled, list := c.compiler(&p.Spec, policy.Types{})
	if compiled == nil {
		return nil, mistakes
	}
	for _, d := range mistakes {
		if d.Severity == diag.Error {
			d.Severity = diag.Warning
		}
		list = append(list, d)
	}
	return compiled, list
}

// len is how many policies are compiled.
func (c *compiledPolicies) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, kept := range c.byName {
		if kept.policy != nil {
			n++
		}
	}
	return n
}

func (c *compiledPolicies) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byName, name)
}

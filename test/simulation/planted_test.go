package simulation

import (
	"testing"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// plant puts a bug into the controller, through what it is given. The zero plant puts none.
type plant struct {
	name string
	// within is how many steps it may take until the bug is caught.
	within int
	into   func(d *controller.Dependencies)
}

// plants are bugs that a controller of this kind had once, or might have. The simulation must catch each.
var plants = []plant{
	{"DropTheUIDCheck", 10_000, func(d *controller.Dependencies) {
		d.Caches.Clusters = anybodys{d.Caches.Clusters, d.Caches.Lifecycles}
	}},
	{"DeleteOnError", 10_000, func(d *controller.Dependencies) {
		d.Compile = func(spec *v1alpha1.ClusterImportPolicySpec, types policy.Types) (*policy.Policy, diag.List) {
			changed := spec.DeepCopy()
			if changed.Source.SelectorTemplate == selectors[2].text {
				changed.Source.SelectorTemplate = selectors[1].text // says no where the other fails
			}
			return compile(changed, types)
		}
	}},
	{"ForgetARetry", 100_000, func(d *controller.Dependencies) {
		d.Queues.Policies = forgetful[string]{d.Queues.Policies}
		d.Queues.Lifecycles = forgetful[string]{d.Queues.Lifecycles}
		d.Queues.Sources = forgetful[controller.SourceKey]{d.Queues.Sources}
	}},
	{"BlankOnEmptyKey", 10_000, func(d *controller.Dependencies) {
		d.Lifecycles = blanking{d.Lifecycles, d.Clusters}
	}},
	{"ForgetOrphan", 100_000, misread(func(p *v1alpha1.ClusterImportPolicy) { p.Spec.DeletionPolicy = v1alpha1.DeletionDelete })},
	{"WriteInDryRun", 10_000, misread(func(p *v1alpha1.ClusterImportPolicy) { p.Spec.Mode = v1alpha1.ModeApply })},
	{"AdoptUnasked", 10_000, misread(func(p *v1alpha1.ClusterImportPolicy) { p.Spec.ConflictPolicy = v1alpha1.ConflictAdopt })},
	{"NeverAdopt", rare, misread(func(p *v1alpha1.ClusterImportPolicy) { p.Spec.ConflictPolicy = v1alpha1.ConflictRefuse })},
	{"AdoptControlled", rare, func(d *controller.Dependencies) { d.Caches.Clusters = uncontrolled{d.Caches.Clusters} }},
	{"FollowCredentialsOnly", rare, misread(func(p *v1alpha1.ClusterImportPolicy) { p.Spec.UpdatePolicy = v1alpha1.UpdateCredentials })},
	{"IgnorePause", 10_000, misread(func(p *v1alpha1.ClusterImportPolicy) { delete(p.Annotations, v1alpha1.AnnotationPaused) })},
	{"IgnoreAnnotations", 10_000, func(d *controller.Dependencies) { d.Watches = unannotated{d.Watches} }},
	{"EndOnFailure", 100_000, func(d *controller.Dependencies) {
		d.Compile = func(spec *v1alpha1.ClusterImportPolicySpec, types policy.Types) (*policy.Policy, diag.List) {
			changed := spec.DeepCopy()
			if changed.DeletionCondition == ends[2].text {
				changed.DeletionCondition = `source.?spec.?alias.orValue("shared") == "shared"` // says yes where the other fails
			}
			return compile(changed, types)
		}
	}},
	{"RenameUnasked", 10_000, func(d *controller.Dependencies) { d.Caches.Lifecycles = renaming{d.Caches.Lifecycles} }},
	{"ClaimTwice", rare, func(d *controller.Dependencies) { d.Lifecycles = hasty{d.Lifecycles} }},
	{"PatchByName", rare, func(d *controller.Dependencies) { d.Clusters = careless{d.Clusters} }},
}

// rare is for bugs that only a race of several events shows: about one run in 75.
const rare = 300_000

// TestPlantedBugs is the test of the tests: each planted bug is caught in time, and what is printed of it is short and
// still shows it.
func TestPlantedBugs(t *testing.T) {
	const length = 1000
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if p.within == rare && (raceEnabled || testing.Short()) {
				t.Skip("takes long")
			}
			for seed := range uint64(p.within / length) {
				found := random(seed, length)
				if run(found, p).err == nil {
					continue
				}
				short, want := shrink(found, p)
				printed, err := parseScript(short.String())
				if err != nil {
					t.Fatal(err)
				}
				if got := run(printed, p); got.sort != want.sort || len(printed) > length/10 {
					t.Errorf("what was printed has %d steps and ends with %v:\n%s", len(printed), got.err, short)
				}
				t.Logf("seed %d: %v\n%s", seed, want.err, short)
				return
			}
			t.Errorf("not caught within %d steps", p.within)
		})
	}
}

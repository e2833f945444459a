package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// aggregateLabel makes the chart's ClusterRole of the controller include a role.
const aggregateLabel = "rbac.policy.clusterpedia.io/aggregate-to-controller"

// rbacOptions are the flags of rbac.
type rbacOptions struct {
	policies       []string
	name           string
	serviceAccount string
}

func newRBAC() *cobra.Command {
	o := &rbacOptions{}
	cmd := &cobra.Command{
		Use:   "rbac -f POLICIES [--name NAME] [--service-account NAMESPACE/NAME]",
		Short: "Print the rights that the controller needs for policies",
		Long: `Rbac prints the least ClusterRole with which the controller can read what policies name: get, list and watch of
their kinds, and nothing else. The chart's role of the controller takes it in by its label; with --service-account a
ClusterRoleBinding is printed too. Exit code 1 says that there was no policy.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	cmd.Flags().StringSliceVarP(&o.policies, "filename", "f", nil, "files or folders with ClusterImportPolicies; - is stdin")
	cmd.Flags().StringVar(&o.name, "name", "", "name of the ClusterRole; empty: after the policy")
	cmd.Flags().StringVar(&o.serviceAccount, "service-account", "", "NAMESPACE/NAME of the controller's ServiceAccount, to bind the role to it")
	_ = cmd.MarkFlagRequired("filename")
	return cmd
}

func (o *rbacOptions) run(cmd *cobra.Command) error {
	namespace, account, ok := strings.Cut(o.serviceAccount, "/")
	if o.serviceAccount != "" && (!ok || namespace == "" || account == "") {
		return fmt.Errorf("--service-account must be NAMESPACE/NAME, not %q", o.serviceAccount)
	}
	all, err := readSources(o.policies, cmd.InOrStdin())
	if err != nil {
		return err
	}
	var policies []*v1alpha1.ClusterImportPolicy
	for _, s := range all {
		if !s.isPolicy() {
			continue
		}
		p, err := s.policy()
		if err != nil {
			return fmt.Errorf("cannot read the policy in %s: %w", s.file, err)
		}
		policies = append(policies, p)
	}
	if len(policies) == 0 {
		_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "there is no ClusterImportPolicy")
		return errFindings
	}
	documents := []any{o.role(policies)}
	if o.serviceAccount != "" {
		documents = append(documents, o.binding(policies, namespace, account))
	}
	for i, document := range documents {
		if i > 0 {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), "---"); err != nil {
				return err
			}
		}
		if err := writeYAML(cmd.OutOrStdout(), document); err != nil {
			return err
		}
	}
	return nil
}

// roleName is the name that was asked for, or one after the policies.
func (o *rbacOptions) roleName(policies []*v1alpha1.ClusterImportPolicy) string {
	switch {
	case o.name != "":
		return o.name
	case len(policies) == 1 && policies[0].Name != "":
		return "clusterimport-policy-" + policies[0].Name
	default:
		return "clusterimport-policies"
	}
}

// role lets read the kinds of the policies. The controller lists and watches whole kinds, so that a rule cannot name
// single objects.
func (o *rbacOptions) role(policies []*v1alpha1.ClusterImportPolicy) *rbacv1.ClusterRole {
	kinds := map[schema.GroupResource]bool{}
	for _, p := range policies {
		kinds[schema.GroupResource{Group: p.Spec.Source.Group, Resource: p.Spec.Source.Resource}] = true
		for _, r := range p.Spec.References {
			kinds[schema.GroupResource{Group: r.Group, Resource: r.Resource}] = true
		}
	}
	resources := map[string][]string{}
	for kind := range kinds {
		resources[kind.Group] = append(resources[kind.Group], kind.Resource)
	}
	role := &rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"},
		ObjectMeta: metav1.ObjectMeta{Name: o.roleName(policies), Labels: map[string]string{aggregateLabel: "true"}},
	}
	for _, group := range slices.Sorted(maps.Keys(resources)) {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{
			APIGroups: []string{group}, Resources: slices.Sorted(slices.Values(resources[group])), Verbs: []string{"get", "list", "watch"},
		})
	}
	return role
}

func (o *rbacOptions) binding(policies []*v1alpha1.ClusterImportPolicy, namespace, account string) *rbacv1.ClusterRoleBinding {
	name := o.roleName(policies)
	return &rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: account}},
	}
}

// Package kube is how the controllers talk to the API server: typed clients of the three kinds that they
// write, a set of watches of kinds that policies name at run time, and what the server serves.
//
// It owns connections and caches; what is done with the objects it does not know.
package kube

import (
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/gentype"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	policyv1alpha1 "github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// The typed clients.
type (
	// PolicyClient reads and writes ClusterImportPolicies.
	PolicyClient = gentype.ClientWithList[*policyv1alpha1.ClusterImportPolicy, *policyv1alpha1.ClusterImportPolicyList]
	// LifecycleClient reads and writes PediaClusterLifecycles.
	LifecycleClient = gentype.ClientWithList[*policyv1alpha1.PediaClusterLifecycle, *policyv1alpha1.PediaClusterLifecycleList]
	// ClusterClient reads and writes PediaClusters.
	ClusterClient = gentype.ClientWithList[*clusterv1alpha2.PediaCluster, *clusterv1alpha2.PediaClusterList]
)

// Clients are all connections of the controller.
type Clients struct {
	Scheme     *runtime.Scheme
	Policies   *PolicyClient
	Lifecycles *LifecycleClient
	Clusters   *ClusterClient
	Dynamic    dynamic.Interface
	Metadata   metadata.Interface
	Kubernetes kubernetes.Interface
}

// NewClients connects to the API server that config names.
func NewClients(config *rest.Config) (*Clients, error) {
	c := &Clients{Scheme: runtime.NewScheme()}
	for _, add := range []func(*runtime.Scheme) error{policyv1alpha1.AddToScheme, clusterv1alpha2.AddToScheme} {
		if err := add(c.Scheme); err != nil {
			return nil, err
		}
	}
	var err error
	if c.Kubernetes, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	if c.Metadata, err = metadata.NewForConfig(config); err != nil {
		return nil, err
	}
	return c, c.connectTyped(config)
}

func (c *Clients) connectTyped(config *rest.Config) error {
	policies, err := c.groupClient(config, policyv1alpha1.GroupVersion)
	if err != nil {
		return err
	}
	clusters, err := c.groupClient(config, clusterv1alpha2.GroupVersion)
	if err != nil {
		return err
	}
	parameters := runtime.NewParameterCodec(c.Scheme)
	c.Policies = gentype.NewClientWithList(policyv1alpha1.ClusterImportPolicyResource.Resource, policies, parameters, "",
		func() *policyv1alpha1.ClusterImportPolicy { return &policyv1alpha1.ClusterImportPolicy{} },
		func() *policyv1alpha1.ClusterImportPolicyList { return &policyv1alpha1.ClusterImportPolicyList{} })
	c.Lifecycles = gentype.NewClientWithList(policyv1alpha1.PediaClusterLifecycleResource.Resource, policies, parameters, "",
		func() *policyv1alpha1.PediaClusterLifecycle { return &policyv1alpha1.PediaClusterLifecycle{} },
		func() *policyv1alpha1.PediaClusterLifecycleList { return &policyv1alpha1.PediaClusterLifecycleList{} })
	c.Clusters = gentype.NewClientWithList(clusterv1alpha2.PediaClusterResource.Resource, clusters, parameters, "",
		func() *clusterv1alpha2.PediaCluster { return &clusterv1alpha2.PediaCluster{} },
		func() *clusterv1alpha2.PediaClusterList { return &clusterv1alpha2.PediaClusterList{} })
	return nil
}

func (c *Clients) groupClient(config *rest.Config, gv schema.GroupVersion) (rest.Interface, error) {
	typed := rest.CopyConfig(config)
	typed.APIPath, typed.GroupVersion = "/apis", &gv
	typed.NegotiatedSerializer = serializer.NewCodecFactory(c.Scheme).WithoutConversion()
	typed.ContentType = runtime.ContentTypeJSON
	client, err := rest.RESTClientFor(typed)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", gv, err)
	}
	return client, nil
}

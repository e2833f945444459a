package dashboards

import "fmt"

// rate sums the rates of a counter by labels.
func rate(metric, selector, by string) string {
	return fmt.Sprintf(`sum by (%s) (rate(%s{%s}[$__rate_interval]))`, by, metric, selector)
}

// quantile is that of a histogram by labels, which may be none.
func quantile(q float64, metric, selector, by string) string {
	if by != "" {
		by += ", "
	}
	return fmt.Sprintf(`histogram_quantile(%g, sum by (%sle) (rate(%s_bucket{%s}[$__rate_interval])))`, q, by, metric, selector)
}

// quantiles are the usual three.
func quantiles(metric, selector string) []asked {
	return []asked{
		{quantile(0.5, metric, selector, ""), "p50"}, {quantile(0.9, metric, selector, ""), "p90"}, {quantile(0.99, metric, selector, ""), "p99"},
	}
}

func overview() Dashboard {
	d := newDashboard("clusterimport-overview", "clusterimport / Overview", "Whether clusters are imported, how fast, and what the controller does.")
	d.Links = append(d.Links, Link{Title: "Policy", Type: "link", URL: "/d/clusterimport-policy", KeepTime: true, IncludeVars: true})
	l := &layout{dashboard: &d, width: 8}
	overviewHealth(l)
	overviewImports(l)
	overviewEvaluations(l)
	overviewController(l)
	overviewKubernetes(l)
	overviewWebhook(l)
	return d
}

func overviewHealth(l *layout) {
	l.row("Health")
	one := func(title, description, unit, expr string, steps []Step, alerts ...string) {
		l.stat(panel{title: title, description: description, unit: unit, asks: []asked{{expr, title}}, steps: steps, alerts: alerts})
	}
	one("Leaders", "Replicas that lead. There must be one.", "none",
		`sum(leader_election_master_status{`+of+`})`, below(1, "red"), "ClusterimportNoLeader", "ClusterimportDown")
	one("Removals held", "Clusters that are due for removal and stay, because maxDeletions allows no more.", "none",
		`sum(clusterimport_removals_held{`+of+`}) or vector(0)`, above(1, "orange"), "ClusterimportDeletionsHeld")
	one("Not ready", "Policies whose condition Ready is not True.", "none",
		`sum(1 - clusterimport_policy_ready{`+of+`}) or vector(0)`, above(1, "red"), "ClusterimportPolicyNotReady")
	one("Imported", "PediaClusters that exist because of a policy.", "none", `sum(clusterimport_imported_clusters{`+of+`}) or vector(0)`, nil)
	one("Waiting", "Sources that wait for their condition or for a reference.", "none",
		`sum(clusterimport_sources{`+of+`, state="waiting"}) or vector(0)`, above(1, "yellow"), "ClusterimportClustersWaiting")
	one("Failed", "Sources that cannot be imported.", "none",
		`sum(clusterimport_sources{`+of+`, state="failed"}) or vector(0)`, above(1, "red"), "ClusterimportImportStuck", "ClusterimportPolicyEvaluationErrors")
	one("Credentials end", "Time until the first credentials of imported clusters end, as far as that can be read from them.", "s",
		`min(clusterimport_credentials_expiration_timestamp_seconds{`+of+`}) - time()`, below(7*24*3600, "orange"), "ClusterimportCredentialsExpiring")
	one("Watches down", "Kinds that are not listed or whose watch fails.", "none",
		`sum(1 - clusterimport_watch_up{`+of+`}) or vector(0)`, above(1, "red"), "ClusterimportWatchDown")
}

func overviewImports(l *layout) {
	l.row("Imports")
	l.graph(panel{
		title: "Sources", unit: "none", description: "Selected sources by what became of them.", alerts: []string{"ClusterimportImportStuck"},
		asks: []asked{{`sum by (state) (clusterimport_sources{` + of + `})`, "{{state}}"}},
	})
	l.graph(panel{
		title: "Import latency", unit: "s", alerts: []string{"ClusterimportImportLatencyHigh"},
		description: "From the event that made an import or update possible to the PediaCluster that was written.",
		asks:        quantiles("clusterimport_import_latency_seconds", of),
	})
	l.graph(panel{
		title: "Writes of PediaClusters", unit: "ops", description: "Creations, updates and deletions by how they ended.",
		asks: []asked{{rate("clusterimport_import_operations_total", of, "operation, result"), "{{operation}} {{result}}"}},
	})
	l.graph(panel{
		title: "Longest wait", unit: "s", description: "How long the source of each policy that waits longest has been waiting.",
		alerts: []string{"ClusterimportClustersWaiting"},
		asks:   []asked{{`max by (policy) (clusterimport_longest_wait_seconds{` + of + `})`, "{{policy}}"}},
	})
	l.graph(panel{
		title: "Imported clusters", unit: "none", description: "PediaClusters by policy.",
		asks: []asked{{`sum by (policy) (clusterimport_imported_clusters{` + of + `})`, "{{policy}}"}},
	})
	l.graph(panel{
		title: "Lifecycles", unit: "none", description: "Lifecycles by their condition Ready.",
		asks: []asked{{`sum by (ready) (clusterimport_lifecycles{` + of + `})`, "ready {{ready}}"}},
	})
}

func overviewEvaluations(l *layout) {
	l.row("Evaluations")
	l.graph(panel{
		title: "Evaluations", unit: "ops", description: "Evaluations of expressions by stage.",
		asks: []asked{{rate("clusterimport_policy_evaluations_total", of, "stage"), "{{stage}}"}},
	})
	l.graph(panel{
		title: "Evaluation errors", unit: "ops", description: "Evaluations that failed, by policy and reason.",
		alerts: []string{"ClusterimportPolicyEvaluationErrors"},
		asks:   []asked{{rate("clusterimport_policy_errors_total", of, "policy, reason") + " or vector(0)", "{{policy}} {{reason}}"}},
	})
	l.graph(panel{
		title: "Evaluation duration, p99", unit: "s", description: "Duration of an evaluation by stage.",
		asks: []asked{{quantile(0.99, "clusterimport_policy_evaluation_duration_seconds", of, "stage"), "{{stage}}"}},
	})
	l.graph(panel{
		title: "Evaluation cost, p99", unit: "none", description: "Cost of an evaluation by stage; the limit of one expression is 1000000.",
		asks: []asked{{quantile(0.99, "clusterimport_policy_evaluation_cost", of, "stage"), "{{stage}}"}},
	})
	l.graph(panel{
		title: "Compilation duration, p99", unit: "s", description: "Duration of compiling a policy by what it is written in.",
		asks: []asked{{quantile(0.99, "clusterimport_policy_compilation_duration_seconds", of, "dialect"), "{{dialect}}"}},
	})
	l.graph(panel{
		title: "Compilations", unit: "ops", description: "Passes over policies that compiled them anew, and that found them compiled.",
		asks: []asked{
			{`sum(rate(clusterimport_program_cache_misses_total{` + of + `}[$__rate_interval]))`, "compiled"},
			{`sum(rate(clusterimport_program_cache_hits_total{` + of + `}[$__rate_interval]))`, "found"},
		},
	})
}

func overviewController(l *layout) {
	l.row("Controller")
	l.graph(panel{
		title: "Passes", unit: "ops", description: "Passes of the three loops by how they ended.",
		asks: []asked{{rate("clusterimport_reconcile_total", of, "controller, result"), "{{controller}} {{result}}"}},
	})
	l.graph(panel{
		title: "Pass duration, p99", unit: "s", description: "Duration of a pass by loop.",
		asks: []asked{{quantile(0.99, "clusterimport_reconcile_duration_seconds", of, "controller"), "{{controller}}"}},
	})
	l.graph(panel{
		title: "Queue depth", unit: "none", description: "Keys that wait for a pass.", alerts: []string{"ClusterimportQueueGrowing"},
		asks: []asked{{`sum by (name) (workqueue_depth{` + of + `})`, "{{name}}"}},
	})
	l.graph(panel{
		title: "Queue wait, p99", unit: "s", description: "How long a key waits for its pass.", alerts: []string{"ClusterimportQueueGrowing"},
		asks: []asked{{quantile(0.99, "workqueue_queue_duration_seconds", of, "name"), "{{name}}"}},
	})
	l.graph(panel{
		title: "CPU", unit: "percentunit", description: "Processor time of the process.",
		asks: []asked{{rate("process_cpu_seconds_total", of, "instance"), "{{instance}}"}},
	})
	l.graph(panel{
		title: "Memory", unit: "bytes", description: "Resident memory of the process.",
		asks: []asked{{`sum by (instance) (process_resident_memory_bytes{` + of + `})`, "{{instance}}"}},
	})
}

func overviewKubernetes(l *layout) {
	l.row("Kubernetes API")
	l.graph(panel{
		title: "Requests", unit: "reqps", description: "Requests to the API server by their code.",
		asks: []asked{{rate("rest_client_requests_total", of, "code"), "{{code}}"}},
	})
	l.graph(panel{
		title: "Request duration, p99", unit: "s", description: "Duration of requests to the API server by verb.",
		asks: []asked{{quantile(0.99, "rest_client_request_duration_seconds", of, "verb"), "{{verb}}"}},
	})
	l.graph(panel{
		title: "Throttling, p99", unit: "s", description: "How long requests wait for --kube-api-qps.", alerts: []string{"ClusterimportAPIThrottled"},
		asks: []asked{{quantile(0.99, "rest_client_rate_limiter_duration_seconds", of, "verb"), "{{verb}}"}},
	})
	l.graph(panel{
		title: "Cached objects", unit: "none", description: "Objects of the kinds that policies name.",
		asks: []asked{{`sum by (group, version, resource) (clusterimport_informer_objects{` + of + `})`, "{{resource}}.{{version}}.{{group}}"}},
	})
	l.graph(panel{
		title: "Watches", unit: "none", description: "1 when a kind is listed and its watch works.", alerts: []string{"ClusterimportWatchDown"},
		asks: []asked{{`min by (group, version, resource) (clusterimport_watch_up{` + of + `})`, "{{resource}}.{{version}}.{{group}}"}},
	})
	l.graph(panel{
		title: "CRD mismatches", unit: "none", description: "1 when a CustomResourceDefinition lacks what this release uses.",
		alerts: []string{"ClusterimportCRDSchemaMismatch"},
		asks:   []asked{{`max by (crd) (clusterimport_crd_schema_mismatch{` + of + `})`, "{{crd}}"}},
	})
}

func overviewWebhook(l *layout) {
	l.row("Admission webhook")
	l.graph(panel{
		title: "Admissions", unit: "reqps", description: "Questions of the API server by operation and answer.",
		asks: []asked{{rate("clusterimport_webhook_requests_total", of, "operation, allowed"), "{{operation}} allowed {{allowed}}"}},
	})
	l.graph(panel{
		title: "Admission duration, p99", unit: "s", description: "Duration of the answers. The API server waits for 5 seconds.",
		alerts: []string{"ClusterimportWebhookSlow"},
		asks:   []asked{{quantile(0.99, "clusterimport_webhook_request_duration_seconds", of, "operation"), "{{operation}}"}},
	})
	l.graph(panel{
		title: "Certificates end", unit: "s", description: "Time until the webhook's certificates end.",
		alerts: []string{"ClusterimportWebhookCertificateExpiring", "ClusterimportWebhookUntrusted"},
		asks:   []asked{{`min by (kind) (clusterimport_webhook_certificate_expiration_timestamp_seconds{` + of + `}) - time()`, "{{kind}}"}},
	})
}

func policy() Dashboard {
	d := newDashboard("clusterimport-policy", "clusterimport / Policy", "What one policy imports, and what its expressions do.")
	d.Links = append(d.Links, Link{Title: "Overview", Type: "link", URL: "/d/clusterimport-overview", KeepTime: true, IncludeVars: true})
	d.Templating.List = append(d.Templating.List, query("policy", "Policy", `label_values(clusterimport_policy_ready{`+of+`}, policy)`))
	l := &layout{dashboard: &d, width: 12}
	policyFleet(l)
	policyEvaluations(l)
	return d
}

// ofPolicy selects the series of the chosen policies.
const ofPolicy = of + `, policy=~"$policy"`

func policyFleet(l *layout) {
	l.row("Fleet")
	one := func(title, description, unit, expr string, steps []Step, alerts ...string) {
		l.stat(panel{title: title, description: description, unit: unit, asks: []asked{{expr, title}}, steps: steps, alerts: alerts})
	}
	one("Ready", "1 when all chosen policies are ready.", "none", `min(clusterimport_policy_ready{`+ofPolicy+`})`, below(1, "red"), "ClusterimportPolicyNotReady")
	one("Imported", "PediaClusters that exist because of the policy.", "none", `sum(clusterimport_imported_clusters{`+ofPolicy+`})`, nil)
	one("Waiting", "Sources that wait for their condition or for a reference.", "none",
		`sum(clusterimport_sources{`+ofPolicy+`, state="waiting"})`, above(1, "yellow"), "ClusterimportClustersWaiting")
	one("Failed", "Sources that cannot be imported.", "none",
		`sum(clusterimport_sources{`+ofPolicy+`, state="failed"})`, above(1, "red"), "ClusterimportImportStuck", "ClusterimportPolicyEvaluationErrors")
	one("Longest wait", "How long the source that waits longest has been waiting.", "s",
		`max(clusterimport_longest_wait_seconds{`+ofPolicy+`})`, above(3600, "yellow"), "ClusterimportClustersWaiting")
	one("Credentials end", "Time until the first credentials of the imported clusters end, as far as that can be read from them.", "s",
		`min(clusterimport_credentials_expiration_timestamp_seconds{`+ofPolicy+`}) - time()`, below(7*24*3600, "orange"), "ClusterimportCredentialsExpiring")
	one("Removals held", "Clusters that are due for removal and stay, because maxDeletions allows no more.", "none",
		`sum(clusterimport_removals_held{`+ofPolicy+`})`, above(1, "orange"), "ClusterimportDeletionsHeld")
	one("Refused", "Compilations that refused the policy, since the controller started.", "none",
		`sum(clusterimport_policy_compilations_total{`+ofPolicy+`, result="failure"})`, above(1, "yellow"), "ClusterimportPolicyNotReady")
	l.graph(panel{
		title: "Sources", unit: "none", description: "Selected sources by what became of them.", alerts: []string{"ClusterimportImportStuck"},
		asks: []asked{{`sum by (state) (clusterimport_sources{` + ofPolicy + `})`, "{{state}}"}},
	})
	l.graph(panel{
		title: "Lifecycles", unit: "none", description: "Lifecycles by their condition Ready.",
		asks: []asked{{`sum by (ready) (clusterimport_lifecycles{` + ofPolicy + `})`, "ready {{ready}}"}},
	})
	l.graph(panel{
		title: "Conditions", unit: "none", description: "1 for each condition of the policy that is True.", alerts: []string{"ClusterimportPolicyNotReady"},
		asks: []asked{{`min by (type) (clusterimport_policy_condition{` + ofPolicy + `, status="True"})`, "{{type}}"}},
	})
	l.graph(panel{
		title: "Writes of PediaClusters", unit: "ops", description: "Creations, updates and deletions by how they ended.",
		asks: []asked{{rate("clusterimport_import_operations_total", ofPolicy, "operation, result"), "{{operation}} {{result}}"}},
	})
}

func policyEvaluations(l *layout) {
	l.row("Evaluations")
	l.graph(panel{
		title: "Conditions and selectors", unit: "ops", description: "Evaluations of the selector, the creation and the deletion condition by their result.",
		asks: []asked{{rate("clusterimport_policy_evaluations_total", ofPolicy+`, stage=~"select|ready|obsolete"`, "stage, result"), "{{stage}} {{result}}"}},
	})
	l.graph(panel{
		title: "Names and templates", unit: "ops", description: "Evaluations of names, references and the template by their result.",
		asks: []asked{{rate("clusterimport_policy_evaluations_total", ofPolicy+`, stage=~"name|reference|render"`, "stage, result"), "{{stage}} {{result}}"}},
	})
	l.graph(panel{
		title: "Errors", unit: "ops", description: "Evaluations that failed, by stage and reason.", alerts: []string{"ClusterimportPolicyEvaluationErrors"},
		asks: []asked{{rate("clusterimport_policy_errors_total", ofPolicy, "stage, reason") + " or vector(0)", "{{stage}} {{reason}}"}},
	})
	l.graph(panel{
		title: "Compilations", unit: "ops", description: "Compilations of the policy by how they ended.",
		asks: []asked{{rate("clusterimport_policy_compilations_total", ofPolicy, "result"), "{{result}}"}},
	})
}

{{/*
The names of the policies that are switched on, as a JSON list. Each file of policies/ is one, and has an entry of its
name in the values.
*/}}
{{- define "clusterimport.enabledPolicies" -}}
{{- $names := list -}}
{{- range $path, $_ := .Files.Glob "policies/*.yaml" -}}
{{- $name := base $path | trimSuffix ".yaml" -}}
{{- if (index $.Values.policies $name).enabled -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/*
A bundled policy with the values of its name, as YAML: (dict "root" $ "name" NAME). The file is a policy of its own; the
values change fields of it, and without them nothing is changed but labels.
*/}}
{{- define "clusterimport.policy" -}}
{{- $values := index .root.Values.policies .name -}}
{{- $policy := .root.Files.Get (printf "policies/%s.yaml" .name) | fromYaml -}}
{{- $labels := include "clusterimport.labels" .root | fromYaml -}}
{{- $_ := set $labels (include "clusterimport.bundledLabel" .) "true" -}}
{{- $_ := set $labels "app.kubernetes.io/managed-by" "clusterimport" -}}
{{- $_ := set $policy.metadata "labels" $labels -}}
{{- $spec := $policy.spec -}}
{{- $_ := set $spec "nameTemplate" (regexReplaceAllLiteral "^[^$]*" $spec.nameTemplate (default "" $values.namePrefix)) -}}
{{- if $values.allowInsecure -}}
{{- $_ := set $spec "allowInsecure" true -}}
{{- else -}}
{{- $_ := unset $spec "allowInsecure" -}}
{{- end -}}
{{- $conditions := include "clusterimport.selector" $values | fromYamlArray -}}
{{- with $spec.source.selectorTemplate -}}
{{- $conditions = append $conditions (trim .) -}}
{{- end -}}
{{- if gt (len $conditions) 1 -}}
{{- $_ := set $spec.source "selectorTemplate" (printf "(%s)\n" (join ") &&\n(" $conditions)) -}}
{{- else if $conditions -}}
{{- $_ := set $spec.source "selectorTemplate" (printf "%s\n" (first $conditions)) -}}
{{- end -}}
{{- with $values.syncResources -}}
{{- $template := fromYaml $spec.template -}}
{{- $_ := set $template.spec "syncResources" . -}}
{{- $_ := set $spec "template" (toYaml $template) -}}
{{- end -}}
{{- toYaml $policy -}}
{{- end -}}

{{/* The conditions of namespaces and labelSelector as a YAML list of CEL expressions. A JSON text is a CEL literal. */}}
{{- define "clusterimport.selector" -}}
{{- $conditions := list -}}
{{- with .namespaces -}}
{{- $conditions = append $conditions (printf "source.metadata.namespace in %s" (toJson .)) -}}
{{- end -}}
{{- $selector := default dict .labelSelector -}}
{{- range $key, $value := default dict $selector.matchLabels -}}
{{- $conditions = append $conditions (printf "source.metadata.?labels[?%s] == optional.of(%s)" (toJson $key) (toJson $value)) -}}
{{- end -}}
{{- range default list $selector.matchExpressions -}}
{{- $label := printf "source.metadata.?labels[?%s]" (toJson .key) -}}
{{- if eq .operator "In" -}}
{{- $conditions = append $conditions (printf "%s.optMap(v, v in %s).orValue(false)" $label (toJson .values)) -}}
{{- else if eq .operator "NotIn" -}}
{{- $conditions = append $conditions (printf "!%s.optMap(v, v in %s).orValue(false)" $label (toJson .values)) -}}
{{- else if eq .operator "Exists" -}}
{{- $conditions = append $conditions (printf "%s.hasValue()" $label) -}}
{{- else -}}
{{- $conditions = append $conditions (printf "!%s.hasValue()" $label) -}}
{{- end -}}
{{- end -}}
{{- toYaml $conditions -}}
{{- end -}}

{{/*
What the controller must be able to read for a policy, as YAML rules: (dict "policy" POLICY "secrets" BOOL). secrets
asks for the rule of Secrets, or for all others.
*/}}
{{- define "clusterimport.rules" -}}
{{- $kinds := list (dict "group" .policy.spec.source.group "resource" .policy.spec.source.resource) -}}
{{- range default list .policy.spec.references -}}
{{- $kinds = append $kinds (dict "group" .group "resource" .resource) -}}
{{- end -}}
{{- $rules := list -}}
{{- range uniq $kinds -}}
{{- if eq $.secrets (and (eq .group "") (eq .resource "secrets")) -}}
{{- $rules = append $rules (dict "apiGroups" (list .group) "resources" (list .resource) "verbs" (list "get" "list" "watch")) -}}
{{- end -}}
{{- end -}}
{{- toYaml $rules -}}
{{- end -}}

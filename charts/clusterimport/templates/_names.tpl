{{/* Names and labels. */}}

{{- define "clusterimport.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of all objects. It is short enough for suffixes. */}}
{{- define "clusterimport.fullname" -}}
{{- $name := include "clusterimport.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "clusterimport.serviceAccountName" -}}
{{- default (ternary (include "clusterimport.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* What selects the controller's Pods. It never changes. */}}
{{- define "clusterimport.selectorLabels" -}}
app.kubernetes.io/name: {{ include "clusterimport.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "clusterimport.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "clusterimport.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "clusterimport.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* The Secret with the webhook's authority (mode self) or certificate (others). */}}
{{- define "clusterimport.webhookSecret" -}}
{{- $certificates := .Values.webhook.certificates -}}
{{- default (printf "%s-webhook%s" (include "clusterimport.fullname" .) (ternary "-ca" "" (eq $certificates.mode "self"))) $certificates.secretName -}}
{{- end -}}

{{/* The label by which a policy is known as one of this chart. */}}
{{- define "clusterimport.bundledLabel" -}}policy.clusterpedia.io/bundled{{- end -}}

{{/* The label of ClusterRoles that add to what the controller may do. */}}
{{- define "clusterimport.aggregateLabel" -}}rbac.policy.clusterpedia.io/aggregate-to-controller{{- end -}}

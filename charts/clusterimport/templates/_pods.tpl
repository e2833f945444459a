{{/* What all Pods have in common: the controller's, and those of the hooks. */}}
{{- define "clusterimport.podSpec" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
A hook that runs one command of the image with rights of its own, which go when it has succeeded:
(dict "root" $ "name" SUFFIX "hooks" HOOKS "args" ARGS "rules" RULES "configMap" NAME).
*/}}
{{- define "clusterimport.hook" -}}
{{- $name := printf "%s-%s" (include "clusterimport.fullname" .root) .name -}}
{{- $labels := include "clusterimport.labels" .root -}}
{{- $kinds := list
  (dict "apiVersion" "v1" "kind" "ServiceAccount" "weight" "-10" "namespaced" true)
  (dict "apiVersion" "rbac.authorization.k8s.io/v1" "kind" "ClusterRole" "weight" "-10")
  (dict "apiVersion" "rbac.authorization.k8s.io/v1" "kind" "ClusterRoleBinding" "weight" "-9")
  (dict "apiVersion" "batch/v1" "kind" "Job" "weight" "0" "namespaced" true) -}}
{{- range $kinds }}
---
apiVersion: {{ .apiVersion }}
kind: {{ .kind }}
metadata:
  name: {{ $name }}
  {{- if .namespaced }}
  namespace: {{ $.root.Release.Namespace }}
  {{- end }}
  labels:
    {{- $labels | nindent 4 }}
    app.kubernetes.io/component: {{ $.name }}
  annotations:
    helm.sh/hook: {{ $.hooks }}
    helm.sh/hook-weight: {{ .weight | quote }}
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- if eq .kind "ServiceAccount" }}
automountServiceAccountToken: false
{{- else if eq .kind "ClusterRole" }}
rules:
  {{- $.rules | nindent 2 }}
{{- else if eq .kind "ClusterRoleBinding" }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    namespace: {{ $.root.Release.Namespace }}
    name: {{ $name }}
{{- else }}
spec:
  backoffLimit: 3
  activeDeadlineSeconds: 300
  template:
    metadata:
      labels:
        {{- $labels | nindent 8 }}
        app.kubernetes.io/component: {{ $.name }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: true
      {{- include "clusterimport.podSpec" $.root | nindent 6 }}
      containers:
        - name: {{ $.name }}
          image: {{ include "clusterimport.image" $.root }}
          imagePullPolicy: {{ $.root.Values.image.pullPolicy }}
          command: [/clusterimport]
          args:
            {{- toYaml $.args | nindent 12 }}
          securityContext:
            {{- toYaml $.root.Values.securityContext | nindent 12 }}
          resources:
            {{- toYaml $.root.Values.resources | nindent 12 }}
          {{- with $.configMap }}
          volumeMounts:
            - name: policies
              mountPath: /policies
              readOnly: true
      volumes:
        - name: policies
          configMap:
            name: {{ . }}
          {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "brama.fullname" -}}
{{- if regexMatch "^[0-9]" .Release.Name }}{{ printf "brama-%s" .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else if contains "brama" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-brama" .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "brama.selector" -}}
app.kubernetes.io/name: brama
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: gateway
{{- end }}

{{- define "brama.labels" -}}
app.kubernetes.io/name: brama
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/part-of: brama
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "brama.image" -}}
{{- $repository := .Values.image.repository | default (ternary "brama-tools" "brama" (eq .Values.mode "demo")) -}}
{{- with .Values.image -}}
{{- if .digest }}{{ $repository }}@{{ .digest }}
{{- else }}{{ $repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What every container may: nothing. */ -}}
{{- define "brama.restricted" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "brama.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.user }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
# Secrets are mounted as root and this group with 0440, which is what keys of a service should have.
fsGroup: {{ int64 . }}
# "Always" would make what the program keeps writable for the group at each start.
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "brama.config" -}}
{{- if eq .Values.mode "demo" }}{{ .Files.Get "files/demo.toml" }}
{{- else }}{{ required "config is missing: --set-file config=brama.toml" .Values.config }}
{{- end }}
{{- end }}

{{- /* Another configuration is another object: pods that run keep theirs, whatever becomes of the new one. */ -}}
{{- define "brama.configName" -}}
{{ include "brama.fullname" . }}-config
{{- if eq .Values.configChange "rollout" }}-{{ include "brama.config" . | sha256sum | trunc 10 }}{{ end }}
{{- end }}

{{- /* Where sessions are, when it is not said: what a new pod does not lose. */ -}}
{{- define "brama.store" -}}
{{ .Values.store.kind | default (ternary "memory" "file" (eq .Values.mode "demo")) }}
{{- end }}

{{- /* The autoscaler counts percents of what is asked for: of 100m, 70 % would be an idle gateway. */ -}}
{{- define "brama.resources" -}}
{{- $resources := deepCopy .Values.resources }}
{{- $cpu := ternary "500m" "100m" .Values.autoscaling.enabled }}
{{- $_ := set $resources "requests" (merge (dict) ($resources.requests | default dict) (dict "cpu" $cpu)) }}
{{- toYaml $resources }}
{{- end }}

{{- /* A size in bytes. */ -}}
{{- define "brama.bytes" -}}
{{- $unit := regexFind "[A-Za-z]*$" . | trimSuffix "B" }}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- mulf (regexFind "^[0-9.]+" . | float64) (index $factors $unit | float64) | int64 }}
{{- end }}

{{- define "brama.isSeveral" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) }}yes{{ end }}
{{- end }}

{{- define "brama.hasHttp" -}}
{{- if ne .Values.mode "edge" }}yes{{ end }}
{{- end }}

{{- define "brama.hasTest" -}}
{{- if or .Values.test.enabled (eq .Values.mode "demo") }}yes{{ end }}
{{- end }}

{{- /* What the schema cannot say. */ -}}
{{- define "brama.check" -}}
{{- $mode := .Values.mode }}
{{- $store := include "brama.store" . }}
{{- if and (include "brama.isSeveral" .) (ne $store "redis") }}
{{- fail "several replicas share their sessions in Redis: store.kind=redis" }}
{{- end }}
{{- if and (eq $mode "demo") (or (ne $store "memory") .Values.autoscaling.enabled) }}
{{- fail "the demo keeps nothing: leave store.kind and autoscaling as they are" }}
{{- end }}
{{- if and (eq $mode "sidecar") (not .Values.portal.image) }}
{{- fail "the sidecar is beside a portal: portal.image" }}
{{- end }}
{{- if and .Values.ingress.enabled .Values.gatewayApi.enabled }}
{{- fail "citizens come one way: ingress or gatewayApi" }}
{{- end }}
{{- if and (or .Values.ingress.enabled .Values.gatewayApi.enabled) (ne $mode "sidecar") }}
{{- fail "ingress and gatewayApi are for the sidecar: the edge ends TLS itself, and the routes of a companion, which ask about each request, are printed by brama print-config" }}
{{- end }}
{{- if and (eq .Values.store.redis.mode "sentinel") (not .Values.store.redis.master) }}
{{- fail "sentinels are asked for a name: store.redis.master" }}
{{- end }}
{{- with .Values.secrets }}
{{- if and (ne $mode "demo") (not .keys) }}
{{- fail "the keys for the node are in a Secret: secrets.keys" }}
{{- end }}
{{- if and (eq $mode "edge") (not .tls) }}
{{- fail "the certificate for citizens is in a Secret: secrets.tls" }}
{{- end }}
{{- if and (eq $store "redis") (not .store) }}
{{- fail "what seals the records in Redis is in a Secret: secrets.store" }}
{{- end }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" }}
{{- end }}
{{- end }}
{{- with .Values.drain }}
{{- if and .delay (lt (int .delay) 5) }}
{{- fail "readiness is asked for every two seconds, and two bad answers count: drain.delay of 5 or more, or 0 where nothing is in front" }}
{{- end }}
{{- end }}
{{- with .Values.store.file }}
{{- if and (eq $store "file") (gt (include "brama.bytes" .maximumSize | int64) (include "brama.bytes" .size | int64)) }}
{{- fail "the volume is full before the store is: store.file.maximumSize is more than store.file.size" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "brama.mounts" -}}
- name: config
  mountPath: /etc/brama/config
  readOnly: true
- name: state
  mountPath: /var/lib/brama
{{- if eq .Values.mode "demo" }}
- name: kit
  mountPath: /kit
  readOnly: true
{{- else }}
- name: keys
  mountPath: /etc/brama/keys
  readOnly: true
{{- end }}
{{- if eq .Values.mode "edge" }}
- name: tls
  mountPath: /etc/brama/tls
  readOnly: true
{{- end }}
{{- if eq (include "brama.store" .) "redis" }}
- name: store
  mountPath: /etc/brama/store
  readOnly: true
{{- end }}
{{- if .Values.secrets.operations }}
- name: operations
  mountPath: /etc/brama/operations
  readOnly: true
{{- end }}
{{- with .Values.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "brama.secretVolume" -}}
- name: {{ index . 0 }}
  secret:
    secretName: {{ index . 1 | quote }}
    defaultMode: 0440
{{- end }}

{{- define "brama.volumes" -}}
- name: config
  configMap:
    name: {{ include "brama.configName" . }}
- name: state
{{- if eq (include "brama.store" .) "file" }}
  persistentVolumeClaim:
    claimName: {{ include "brama.fullname" . }}-state
{{- else }}
  emptyDir:
    sizeLimit: 64Mi
{{- end }}
{{- if eq .Values.mode "demo" }}
- name: kit
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
{{- else }}
{{ include "brama.secretVolume" (list "keys" .Values.secrets.keys) }}
{{- end }}
{{- if eq .Values.mode "edge" }}
{{ include "brama.secretVolume" (list "tls" .Values.secrets.tls) }}
{{- end }}
{{- if eq (include "brama.store" .) "redis" }}
{{ include "brama.secretVolume" (list "store" .Values.secrets.store) }}
{{- end }}
{{- with .Values.secrets.operations }}
{{ include "brama.secretVolume" (list "operations" .) }}
{{- end }}
{{- with .Values.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "brama.env" -}}
{{- $own := list }}
{{- range .Values.env }}{{ $own = append $own .name }}{{ end }}
{{- $store := include "brama.store" . }}
{{- $env := list
  (list "OPERATIONS__LISTEN" "0.0.0.0:9480")
  (list "PORTAL__STATE_DIRECTORY" "/var/lib/brama/state")
  (list "LISTEN__DRAIN_DELAY" (printf "%ds" (int .Values.drain.delay)))
  (list "LISTEN__DRAIN_TIMEOUT" (printf "%ds" (int .Values.drain.timeout)))
  (list "STORE__KIND" $store) }}
{{- if eq .Values.mode "edge" }}
{{- $env = concat $env (list
  (list "LISTEN__HTTPS" "0.0.0.0:8443")
  (list "LISTEN__REDIRECT" "0.0.0.0:8080")
  (list "LISTEN__CERTIFICATE" "/etc/brama/tls/tls.crt")
  (list "LISTEN__KEY" "/etc/brama/tls/tls.key")) }}
{{- else }}
{{- $env = append $env (list "LISTEN__HTTP" "0.0.0.0:8080") }}
{{- end }}
{{- if eq (include "brama.store" .) "file" }}
{{- $env = concat $env (list
  (list "STORE__FILE__PATH" "/var/lib/brama/state/sessions.db")
  (list "STORE__FILE__MAXIMUM_SIZE" .Values.store.file.maximumSize)) }}
{{- end }}
{{- if eq (include "brama.store" .) "redis" }}
{{- with .Values.store.redis }}
{{- $env = concat $env (list
  (list "STORE__SECRET_FILES" "[\"/etc/brama/store/secret\"]")
  (list "STORE__REDIS__MODE" .mode)
  (list "STORE__REDIS__ADDRESSES" (toJson .addresses))
  (list "STORE__REDIS__TLS" (toString .tls))) }}
{{- if .master }}{{- $env = append $env (list "STORE__REDIS__MASTER" .master) }}{{- end }}
{{- if .user }}{{- $env = append $env (list "STORE__REDIS__USER" .user) }}{{- end }}
{{- if .password }}{{- $env = append $env (list "STORE__REDIS__PASSWORD_FILE" "/etc/brama/store/redis-password") }}{{- end }}
{{- if .tls }}{{- $env = append $env (list "STORE__REDIS__CA_FILE" "/etc/brama/store/redis-ca.pem") }}{{- end }}
{{- end }}
{{- end }}
{{- if .Values.secrets.operations }}
{{- $env = append $env (list "OPERATIONS__ADMIN_TOKEN_FILE" "/etc/brama/operations/token") }}
{{- end }}
{{- range $env }}
{{- $name := printf "BRAMA__%s" (index . 0) }}
{{- if not (has $name $own) }}
- name: {{ $name }}
  value: {{ index . 1 | quote }}
{{- end }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

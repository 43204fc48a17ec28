{{- /* Ports of each server; they are those of docs/operations.md. */ -}}
{{- define "latchkey.servers" -}}
token: {grpc: 7072, admin: 7073}
whitelist: {grpc: 7074, admin: 7075}
invitation: {grpc: 7076, admin: 7077}
validator: {grpc: 7078, admin: 7079}
{{- end -}}

{{- define "latchkey.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- /* Settings as a file of them, in order. */ -}}
{{- define "latchkey.conf" -}}
{{- range $name, $value := . }}{{ printf "%s = %s\n" $name $value }}{{ end -}}
{{- end -}}

{{- /* A duration as settings are typed, in milliseconds; values.schema.json has seen that it is one. */ -}}
{{- define "latchkey.milliseconds" -}}
{{- mul (regexFind "^[0-9]+" .) (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "" 1) (regexFind "[a-z]*$" .)) -}}
{{- end -}}

{{- /* What the kubelet waits for an end, which no server's drain, and ten seconds for a silent database, may be longer than. */ -}}
{{- define "latchkey.terminationGrace" -}}
{{- $own := deepCopy .Values.settings -}}
{{- $names := keys (include "latchkey.servers" . | fromYaml) | sortAlpha -}}
{{- if .Values.console.enabled -}}
{{- $_ := set $own "console" .Values.console.settings -}}
{{- $names = append $names "console" -}}
{{- end -}}
{{- range $name := $names -}}
{{- $settings := merge (dict) (get $own $name) (eq $name "console" | ternary (dict) $.Values.settings.transport) $.Values.settings.latchkey -}}
{{- $delay := get $settings "drain-delay" | default "0" -}}
{{- $grace := get $settings "drain-grace" | default "20s" -}}
{{- $needed := add (include "latchkey.milliseconds" $delay) (include "latchkey.milliseconds" $grace) 10000 -}}
{{- if gt $needed (mul $.Values.terminationGracePeriodSeconds 1000) -}}
{{- fail (printf "values: terminationGracePeriodSeconds is %v, and latchkey-%s may need drain-delay %s, drain-grace %s and 10s to end" $.Values.terminationGracePeriodSeconds $name $delay $grace) -}}
{{- end -}}
{{- end -}}
{{- .Values.terminationGracePeriodSeconds -}}
{{- end -}}

{{- define "latchkey.clients" -}}
{{- range $name, $rights := . }}{{ printf "%s %s\n" $name (join " " $rights) }}{{ end -}}
{{- end -}}

{{- /* The files of latchkey-settings, as JSON. */ -}}
{{- define "latchkey.settings" -}}
{{- $files := dict -}}
{{- range $name, $settings := .Values.settings -}}
{{- $_ := set $files (printf "%s.conf" $name) (include "latchkey.conf" $settings) -}}
{{- end -}}
{{- range $name, $ports := include "latchkey.servers" . | fromYaml -}}
{{- $listen := dict "listen" (printf "*:%v" $ports.grpc) "admin-listen" (printf "*:%v" $ports.admin) -}}
{{- $_ := set $files (printf "%s.conf" $name) (include "latchkey.conf" (merge $listen (get $.Values.settings $name))) -}}
{{- end -}}
{{- if .Values.tls.enabled -}}
{{- $_ := set $files "transport.conf" (.Files.Get "files/transport.conf") -}}
{{- $_ := set $files "clients.conf" (include "latchkey.clients" .Values.tls.clients) -}}
{{- end -}}
{{- if .Values.console.enabled -}}
{{- $listen := dict "allow-plaintext" "true" "console-listen" "*:7090" "admin-listen" "*:7089" "console-token-file" "/run/secrets/console/token" -}}
{{- $_ := set $files "console.conf" (include "latchkey.conf" (merge $listen .Values.console.settings)) -}}
{{- $_ := set $files "services.conf" (.Files.Get (printf "files/services-%s.conf" (.Values.tls.enabled | ternary "tls" "plaintext"))) -}}
{{- end -}}
{{- toJson $files -}}
{{- end -}}

{{- /*
Every ConfigMap, as JSON {"latchkey-settings": {"name": "latchkey-settings-k2f...", "data": {...}}, ...}. The name ends as Kustomize
makes it end: another text is another ConfigMap, and Pods that use it are replaced in order.
*/ -}}
{{- define "latchkey.configMaps" -}}
{{- $environment := dict "LATCHKEY_DATABASE_URL" .Values.database.url "PGSERVICE" "latchkey" "PGSERVICEFILE" "/run/secrets/database/pg_service.conf" -}}
{{- $permissions := dict "permissions.txt" (.Values.permissions | default (.Files.Get "files/permissions.txt")) -}}
{{- $maps := dict "latchkey-environment" $environment "latchkey-permissions" $permissions "latchkey-settings" (include "latchkey.settings" . | fromJson) -}}
{{- if .Values.postgres.enabled -}}
{{- $_ := set $maps "latchkey-postgres" (dict "create-database.sh" (.Files.Get "files/create-database.sh")) -}}
{{- end -}}
{{- $named := dict -}}
{{- range $name, $data := $maps -}}
{{- $hash := dict "kind" "ConfigMap" "name" "" "data" $data | toJson | sha256sum | trunc 10 -}}
{{- $hash = $hash | replace "0" "g" | replace "1" "h" | replace "3" "k" | replace "a" "m" | replace "e" "t" -}}
{{- $_ := set $named $name (dict "name" (printf "%s-%s" $name $hash) "data" $data) -}}
{{- end -}}
{{- toJson $named -}}
{{- end -}}

{{- /* What certificates of servers and clients have in common; of (list $ USAGE). */ -}}
{{- define "latchkey.leaf" -}}
{{- $issuer := (index . 0).Values.tls.issuer -}}
duration: 2160h
renewBefore: 720h
privateKey:
  algorithm: ECDSA
  size: 256
  rotationPolicy: Always
usages: [{{ index . 1 }}]
issuerRef:
  group: {{ $issuer.group }}
  kind: {{ $issuer.kind }}
  name: {{ $issuer.name | default "latchkey" }}
{{- end -}}

{{- /* How each of our Pods runs, beside its containers and volumes. */ -}}
{{- define "latchkey.pod" -}}
serviceAccountName: latchkey
automountServiceAccountToken: false
# Variables of services would be named LATCHKEY_..., as settings are.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ include "latchkey.terminationGrace" . }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
securityContext:
  {{- include "latchkey.podSecurity" 65532 | nindent 2 }}
{{- end -}}

{{- define "latchkey.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "latchkey.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* A sidecar would call from loopback, where a validator asks nobody who he is: no mesh comes between. */ -}}
{{- define "latchkey.meshLabels" -}}
istio.io/dataplane-mode: none
sidecar.istio.io/inject: "false"
{{- end -}}

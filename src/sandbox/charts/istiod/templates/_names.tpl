{{- define "name" }}istiod{{ if .Values.revision }}-{{ .Values.revision }}{{ end }}{{ end }}
{{- define "labels" }}{ app: istiod, istio: istiod, release: {{ .Release.Name }}, istio.io/rev: {{ .Values.revision | default "default" | quote }} }{{ end }}
{{- define "injector" }}
    clientConfig:
      service: { name: {{ include "name" . }}, namespace: {{ .Release.Namespace }}, path: /inject, port: 443 }
    rules: [{ operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods] }]
    failurePolicy: Fail
    sideEffects: None
    admissionReviewVersions: [v1]
{{- end }}

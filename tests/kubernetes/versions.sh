# What the manifests are checked with: sourced by the scripts beside it.
# shellcheck shell=bash disable=SC2034
KUBERNETES=1.37.2
CERT_MANAGER=1.21.2
PROMETHEUS_OPERATOR=0.85.0
CLOUDNATIVEPG=1.25.1
GO_PROGRAMS=(
    sigs.k8s.io/kustomize/kustomize/v5@v5.8.2
    helm.sh/helm/v3/cmd/helm@v3.22.0
    github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
    github.com/zegl/kube-score/cmd/kube-score@v1.20.0
)

#!/bin/sh
# Fetches and builds what judges the manifests of deploy/kubernetes and the chart in deploy/helm.
#
#   sh setup.sh [FOLDER]      default: ${BRAMA_TOOLS:-~/.cache/brama-tools}/kubernetes
#
# Prints the folder on the last line of standard output; all else goes to standard error. What is missing
# is said, and its tests are skipped; where judges are required only what the Go that is here is too old
# for, which leaves NAME.skipped with the reason. Each thing is made once for its version:
#
#   python       judge.py, with the schemas of Kubernetes                    some seconds
#   crds         schemas of the Gateway API and of the Prometheus operator   some seconds, Go 1.21
#   kustomize    unless kubectl is there with one that knows components      half a minute, Go 1.22
#   podsecurity  the admission of Kubernetes                                 half a minute, Go 1.26
#   helm         Helm                                                        two and a half minutes, Go 1.26
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${BRAMA_TOOLS:-$HOME/.cache/brama-tools}/kubernetes}
python=${PYTHON:-python3}
helm=helm.sh/helm/v3/cmd/helm@v3.22.0
kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.7.1
gateway_api=sigs.k8s.io/gateway-api@v1.5.1
prometheus_operator=github.com/prometheus-operator/prometheus-operator@v0.92.1

mkdir -p "$folder/bin"
folder=$(cd "$folder" && pwd)

# Tests may call this at the same time; the second caller waits and finds everything done.
if command -v flock >/dev/null; then
    exec 9>"$folder/lock"
    flock 9
fi

# make NAME WANTED COMMAND...: runs the command, unless it ran for the same before.
make() {
    name=$1
    wanted=$2
    shift 2
    stamp=$folder/$name.stamp
    rm -f "$folder/$name.skipped"
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    rm -f "$stamp"
    echo "setup.sh: preparing $name" >&2
    if "$@" >"$folder/$name.log" 2>&1; then
        printf '%s' "$wanted" >"$stamp"
    else
        echo "setup.sh: $name cannot be prepared, and what needs it is skipped" >&2
        tail -n 5 "$folder/$name.log" >&2
    fi
}

# has_go NAME MINOR: whether what is made with Go can be; else says why not.
has_go() {
    go=$(go version 2>/dev/null | sed -n 's/^go version \([^ ]*\) .*/\1/p')
    minor=$(echo "$go" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    if [ "${minor:-0}" -ge "$2" ]; then
        return
    fi
    rm -f "$folder/$1.stamp"
    echo "$1 needs Go 1.$2 or later, and here is ${go:-none}" | tee "$folder/$1.skipped" |
        sed 's/^/setup.sh: skipped: /' >&2
    return 1
}

# The toolchain that is here, and no newer one that a module asks for.
GOTOOLCHAIN=local
GOBIN=$folder/bin
export GOTOOLCHAIN GOBIN

# In a function whose status is asked for, a failing line ends nothing by itself.
make_python() {
    rm -rf "$folder/python" && "$python" -m venv "$folder/python" &&
        "$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
            --require-hashes --requirement "$here/requirements.txt"
}

# The folder of a module, as the client of Go has fetched it and compared it with its public sums.
module() {
    go mod download -json "$1" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p'
}
make_crds() {
    rm -rf "$folder/crds" && mkdir "$folder/crds" &&
        cp "$(module "$gateway_api")/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" \
            "$(module "$prometheus_operator")"/example/prometheus-operator-crd/*_servicemonitors.yaml \
            "$(module "$prometheus_operator")"/example/prometheus-operator-crd/*_prometheusrules.yaml \
            "$folder/crds"
}
# With the versions of Kubernetes that it takes a chart to be for, as its own makers set them; without, it says 1.20.
make_helm() {
    package=helm.sh/helm/v3/pkg
    go install -ldflags "-s -w -X $package/chartutil.k8sVersionMajor=1 -X $package/chartutil.k8sVersionMinor=37 \
        -X $package/lint/rules.k8sVersionMajor=1 -X $package/lint/rules.k8sVersionMinor=37" "$helm"
}
make_podsecurity() { (cd "$here/podsecurity" && go build -mod=readonly -o "$folder/bin/podsecurity" .); }

make python "$("$python" --version) $(sha256sum <"$here/requirements.txt")" make_python
if has_go crds 21; then
    make crds "$gateway_api $prometheus_operator" make_crds
fi
if kubectl version --client --output yaml 2>/dev/null | grep 'kustomizeVersion: v5' >/dev/null; then
    rm -f "$folder/kustomize.skipped"
elif has_go kustomize 22; then
    make kustomize "$kustomize $(go version)" go install "$kustomize"
fi
if has_go podsecurity 26; then
    make podsecurity "$(cat "$here"/podsecurity/main.go "$here"/podsecurity/go.sum | sha256sum) $(go version)" \
        make_podsecurity
fi
if has_go helm 26; then
    make helm "$helm $(go version) 1.37" make_helm
fi

echo "$folder"

//! What of the pages does not run here, and why. Its commands are read by the program's parser all the same.

/// A page, what the block begins with, and the reason.
pub(super) const EXCUSES: &[(&str, &str, &str)] = &[
    ("README.md", "tests/run", "it runs this test"),
    ("README.md", "sudo apt-get install", "changes the machine, and needs the internet"),
    (
        "docs/backends.md",
        "brama token --serve 8090",
        "tests/proxy/backends runs that backend and eight others",
    ),
    (
        "docs/companion.md",
        "brama check",
        "needs root and nginx; tests/proxy/companion runs what is printed",
    ),
    (
        "docs/examine.md",
        "brama simulator --directory kit --node-issuer",
        "needs a service: tests/conformance/examined.rs",
    ),
    (
        "docs/examine.md",
        "brama simulator --directory kit --acs",
        "needs that service: tests/conformance/examined.rs",
    ),
    (
        "docs/explain.md",
        "brama explain answer.xml",
        "needs a captured answer: tests/conformance/sample.rs",
    ),
    ("docs/admin-api.md", "install -d", "needs the group of the package"),
    ("docs/pl/utrzymanie.md", "install -d", "needs the group of the package"),
    (
        "docs/admin-api.md",
        "curl --cacert",
        "needs that listener: tests/proxy/admin/certificates.rs",
    ),
    ("docs/admin-api.md", "brama sessions list", "needs that token: tests/proxy/admin/alone.rs"),
    (
        "docs/pl/utrzymanie.md",
        "brama sessions list --address",
        "needs that token: tests/proxy/admin/alone.rs",
    ),
    ("docs/admin-api.md", "printf %s", "needs a log: tests/proxy/admin/audit.rs"),
    ("docs/audit.md", "brama audit verify --config", "needs a log: tests/audit/commands.rs"),
    ("docs/audit.md", "brama audit verify --expect", "needs a log: tests/audit/commands.rs"),
    ("docs/audit.md", "printf %s", "needs a log: tests/audit/commands.rs"),
    ("docs/install.md", "install -m 0755", "needs root and a release: deploy/release/try"),
    ("docs/install.md", "podman load", "needs an image: tests/proxy/containers"),
    ("docs/install.md", "docker compose", "needs Docker: tests/proxy/containers"),
    (
        "docs/install.md",
        "apt install",
        "needs root and a package: deploy/debian/try, tests/proxy/packages.rs",
    ),
    ("docs/install.md", "rustup component add llvm-tools", "fetches what the next line needs"),
    ("docs/install.md", "deploy/release/build", "builds a release, for a quarter of an hour"),
    ("docs/kubernetes.md", "kubectl create namespace", "needs a cluster: tests/kubernetes"),
    ("docs/kubernetes.md", "helm install", "needs a cluster: tests/kubernetes"),
    (
        "docs/kubernetes.md",
        "kubectl --namespace portal create",
        "needs a cluster: tests/kubernetes",
    ),
    (
        "docs/kubernetes.md",
        "kubectl --namespace portal debug POD --copy-to=brama-print",
        "needs a cluster: tests/kubernetes",
    ),
    (
        "docs/kubernetes.md",
        "kubectl --namespace portal exec deployment/brama --container brama -- /usr/bin/brama sessions",
        "needs a cluster: tests/kubernetes",
    ),
    ("docs/kubernetes.md", "helm upgrade", "needs a cluster: tests/kubernetes"),
    ("docs/kubernetes.md", "kubectl kustomize", "needs kubectl: tests/kubernetes/play.rs"),
    ("docs/doctor.md", "brama doctor", "asks the node of the operator"),
    ("docs/onboarding.md", "brama onboarding init", "docs/pl/droga.md goes the same way"),
    (
        "docs/onboarding.md",
        "brama onboarding import",
        "needs files of the operator: docs/pl/droga.md has some",
    ),
    ("docs/onboarding.md", "sudo cp", "changes the machine"),
    (
        "docs/onboarding.md",
        "brama certs renew",
        "needs what an authority issued: tests/integration",
    ),
    ("docs/selftest.md", "brama selftest", "takes time; that of docs/pl/droga.md runs"),
    (
        "docs/simulator.md",
        "brama simulator --directory config/kit --record",
        "needs somebody who signs in between",
    ),
    ("docs/simulator.md", "docker run", "needs an image: tests/proxy/containers"),
    (
        "docs/pl/utrzymanie.md",
        "brama why",
        "needs a citizen who was refused: tests/integration/why.rs",
    ),
    ("docs/why.md", "brama why", "needs a citizen who was refused: tests/integration/why.rs"),
    ("docs/why.md", "brama capture", "waits for a login: tests/integration/why.rs"),
    ("docs/why.md", "brama explain", "needs a captured answer: tests/integration/why.rs"),
    ("docs/pl/bledy.md", "brama explain", "needs a captured answer: tests/conformance/sample.rs"),
    ("docs/pl/konfiguracja.md", "systemctl reload", "needs systemd: tests/proxy/reload.rs"),
    ("docs/pl/migracja.md", "keytool", "needs Java"),
    ("docs/en/steps.md", "brama doctor --config symulator", "asks the node of the operator"),
    ("docs/en/steps.md", "brama doctor --config integration", "asks the node of the operator"),
    ("docs/en/steps.md", "brama doctor --config production", "asks the node of the operator"),
    ("docs/pl/droga.md", "brama doctor --config symulator", "asks the node of the operator"),
    ("docs/pl/droga.md", "brama doctor --config integration", "asks the node of the operator"),
    ("docs/pl/droga.md", "brama doctor --config production", "asks the node of the operator"),
    (
        "docs/en/migration.md",
        "brama simulator --directory simulator",
        "examines a service of somebody else",
    ),
    (
        "docs/pl/migracja.md",
        "brama simulator --directory symulator",
        "examines a service of somebody else",
    ),
    (
        "docs/pl/droga.md",
        "brama selftest --config symulator/brama.toml",
        "takes time; the one with a report runs",
    ),
    (
        "docs/pl/droga.md",
        "brama selftest --config integration/brama.toml\n",
        "takes time; the one with a report runs",
    ),
    (
        "docs/pl/droga.md",
        "brama selftest --config production/brama.toml",
        "takes time; the one with a report runs",
    ),
    (
        "docs/en/steps.md",
        "brama selftest --config symulator/brama.toml",
        "takes time; that of docs/pl/droga.md runs",
    ),
    (
        "docs/en/steps.md",
        "brama selftest --config integration/brama.toml\n",
        "takes time; that of docs/pl/droga.md runs",
    ),
    (
        "docs/en/steps.md",
        "brama selftest --config integration/brama.toml --html",
        "takes time; that of docs/pl/droga.md runs",
    ),
    (
        "docs/en/steps.md",
        "brama selftest --config production/brama.toml",
        "takes time; that of docs/pl/droga.md runs",
    ),
    ("docs/pl/utrzymanie.md", "systemctl reload", "needs systemd: tests/proxy/reload.rs"),
];

/// Spans of code that begin as commands do, and are lines of the log.
pub(super) const LINES_OF_THE_LOG: &[&str] = &["brama reload cannot ask this process"];

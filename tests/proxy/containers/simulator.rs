//! The image of the simulator: its rights, its volume, and a citizen who signs in.

use super::podman::Podman;
use super::{IMAGE, context, source};
use crate::harness::{Citizen, free_address};

const SIMULATOR: &str = "localhost/brama-simulator:test";

#[test]
fn the_simulator_has_an_image_of_its_own_and_keeps_its_keys_in_a_volume() {
    let Some(podman) = Podman::new() else { return };
    let folder = podman.file("context");
    context(&folder);
    podman.gateway(&folder, IMAGE);
    let digest = podman.image(&folder, "deploy/simulator/Containerfile", SIMULATOR);
    let again = podman.image(&folder, "deploy/simulator/Containerfile", SIMULATOR);
    assert_eq!(digest, again, "the same bytes each time");
    let seen =
        |format: &str| podman.does(&["inspect", "--type", "image", "--format", format, SIMULATOR]);
    assert_eq!(seen("{{.User}}"), "65532:65532");
    assert_eq!(seen("{{.Config.Entrypoint}}"), "[/usr/bin/brama simulator]");
    assert_eq!(seen("{{range $path, $_ := .Config.Volumes}}{{$path}}{{end}}"), "/var/lib/brama");

    let (gateway, pages) = (free_address().port(), free_address().port());
    let origin = format!("http://localhost:{gateway}");
    let keeps = "--volume=kit:/var/lib/brama";
    let publish = format!("--publish=127.0.0.1:{pages}:8081");
    let public = format!("--public-pages=http://127.0.0.1:{pages}");
    let acs = format!("--acs={origin}/.brama/acs");
    let words = [
        "--allow-remote",
        "--pages=0.0.0.0:8081",
        "--soap=0.0.0.0:8082",
        "--directory=/var/lib/brama/kit",
        "--public-soap=https://simulator:8082",
        &public,
        &acs,
    ];
    podman.start("simulator", &[keeps, &publish], SIMULATOR, &words);
    podman.until_said("simulator", "Certificates      /var/lib/brama/kit");
    let file = source("deploy/container/demo.toml");
    let file = format!("--volume={}:/etc/brama/brama.toml:ro", file.display());
    let listens = format!("--publish=127.0.0.1:{gateway}:8080");
    let url = format!("--env=BRAMA__PORTAL__PUBLIC_URL={origin}");
    let sso =
        format!("--env=BRAMA__NODE__SSO_URL=http://127.0.0.1:{pages}/login/SingleSignOnService");
    let options =
        [&file, &listens, &url, &sso, "--volume=kit:/kit:ro", "--volume=state:/var/lib/brama"];
    podman.start("gateway", &options, IMAGE, &[]);
    podman.until_healthy("gateway");
    assert!(Citizen::at(&origin).sign_in("anna").starts_with("brama="));

    // With what the image says by itself it starts too, and the keys are those of the volume.
    podman.does(&["rm", "--force", "--time", "20", "simulator"]);
    podman.start("simulator", &[keeps, &publish], SIMULATOR, &[]);
    podman.until_said("simulator", "Certificates      /var/lib/brama/kit");
    podman.does(&["rm", "--force", "--time", "20", "simulator"]);
    // Loopback of a container is nobody's: without the options it listens there alone.
    let refused = podman.tries(&["run", "--rm", SIMULATOR, "--pages=0.0.0.0:8081"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not a loopback address"));
}

//! Which clients are let in by the two listeners and the control API.

use super::*;

#[tokio::test]
async fn the_soap_listener_asks_for_a_client_certificate_as_it_is_told() {
    for (mutual_tls, with_certificate, open) in [
        (MutualTls::Required, true, true),
        (MutualTls::Required, false, false),
        (MutualTls::Optional, true, true),
        (MutualTls::Optional, false, true),
        (MutualTls::Off, false, true),
    ] {
        let world = world_with(mutual_tls, with_certificate);
        let request = Request::post(&world.resolve).body(Full::default()).unwrap();
        let answer = world.try_send(request).await;
        assert_eq!(answer.is_ok(), open, "{mutual_tls:?} {with_certificate}");
        let scheme = if mutual_tls == MutualTls::Off { "http://" } else { "https://" };
        assert!(world.resolve.starts_with(scheme));
    }
}

#[tokio::test]
async fn the_control_api_answers_only_local_names_and_changes_only_with_its_header() {
    let world = world();
    let url = format!("{}/control/faults", world.origin);
    let put = |url: &str| Request::put(url);
    let body = || Full::new(Bytes::from_static(b"{\"always\":[\"audience\"]}"));
    let plain = world.send(put(&url).body(body()).unwrap()).await;
    assert_eq!(plain.status, StatusCode::FORBIDDEN);
    for method in ["PUT", "GET"] {
        let foreign = Request::builder()
            .method(method)
            .uri(&url)
            .header("host", "evil.example")
            .header("x-brama-control", "1");
        let answer = world.send(foreign.body(body()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let state = world.get("/control/state").await.json();
    assert_eq!(state["always"], json!([]));
    assert_eq!(state["faults"].as_array().unwrap().len(), faults::Fault::ALL.len());
    assert_eq!(state["services"][0]["issuer"], ISSUER);
    assert_eq!(world.get("/control/other").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/control/faults").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_service_is_registered_through_the_control_api() {
    let world = world();
    let pem = |role| world.kit.pair(role).certificate_pem();
    let registration = json!({
        "issuer": "django",
        "acs": ["http://127.0.0.1:8000/acs/"],
        "provider_name": "saml-emulator",
        "signing_certificate": pem(Role::ServiceEncryption),
        "encryption_certificate": pem(Role::ServiceEncryption),
    });
    let answer = world.control("POST", "services", &registration).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "issuer": "django" })));
    let state = world.get("/control/state").await.json();
    assert_eq!(state["services"][1]["provider_name"], "saml-emulator");
    for broken in [
        json!({}),
        json!({
            "issuer": "x",
            "acs": [],
            "signing_certificate": "",
            "encryption_certificate": "",
        }),
    ] {
        let answer = world.control("POST", "services", &broken).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn the_nodes_certificate_is_announced_and_then_used() {
    let world = world();
    let before = world.get("/control/certificates").await.json();
    let first = world.kit.pair(Role::NodeSigning).certificate_pem();
    assert_eq!(before, json!({ "used": first, "announced": null }));
    for step in ["change", "hurry"] {
        let answer = world.control("POST", "certificates", &json!({ "step": step })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{step}");
    }

    let announced = world.control("POST", "certificates", &json!({ "step": "announce" })).await;
    let announced = announced.json();
    assert_eq!(announced["used"], first);
    assert_ne!(announced["announced"], first);
    let login = world.choose(&[("person", "anna")]).await;
    assert!(world.resolve(&login).await.is_ok(), "the first one is in use");

    let changed = world.control("POST", "certificates", &json!({ "step": "change" })).await;
    assert_eq!(changed.json(), json!({ "used": announced["announced"], "announced": null }));
    let login = world.choose(&[("person", "anna")]).await;
    assert_eq!(world.resolve(&login).await.unwrap_err(), "login.signature_not_trusted");
    let again = world.control("POST", "certificates", &json!({ "step": "change" })).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
}

#[test]
fn refuses_addresses_that_others_can_reach_and_issuers_that_are_no_host_names() {
    let clock = Arc::new(ManualClock::at("2031-03-04T10:20:30Z".parse().unwrap()));
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    for settings in [
        Settings { pages: everywhere, ..Settings::default() },
        Settings { soap: everywhere, ..Settings::default() },
    ] {
        let refused = Simulator::bind(settings.clone(), clock.clone());
        assert!(matches!(refused, Err(Error::NotLoopback(_))));
        let settings = Settings { allow_remote: true, ..settings };
        assert!(Simulator::bind(settings, clock.clone()).is_ok());
    }
    for node_issuer in ["", "https://login.gov.pl", "a b"] {
        let settings = Settings { node_issuer: node_issuer.to_owned(), ..Settings::default() };
        assert!(matches!(Simulator::bind(settings, clock.clone()), Err(Error::NodeIssuer(_))));
    }
}

//! TLS that is wrong, and a node that is well and unwell by the clock.

use super::*;

impl World {
    /// Sends something to the endpoint for artifacts, on a connection of its own: the status, or
    /// why there is none.
    async fn knock(&self) -> Result<StatusCode, String> {
        let client = Client::builder(TokioExecutor::new()).build(self.connector.clone());
        self.knock_with(&client).await
    }

    /// The same on the connection of before, when it is open still.
    async fn knock_again(&self) -> Result<StatusCode, String> {
        self.knock_with(&self.client).await
    }

    async fn knock_with(
        &self,
        client: &Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    ) -> Result<StatusCode, String> {
        let request = Request::post(&self.resolve).body(Full::default()).unwrap();
        match client.request(request).await {
            Ok(answer) => Ok(answer.status()),
            Err(error) => {
                let mut told = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    told = format!("{told}: {inner}");
                    cause = inner.source();
                }
                Err(told)
            }
        }
    }
}

/// What is no message at all gets a SOAP fault: the endpoint was reached.
const REACHED: Result<StatusCode, String> = Ok(StatusCode::INTERNAL_SERVER_ERROR);

#[tokio::test]
async fn each_fault_of_tls_has_its_reason_and_ends_when_it_is_taken_back() {
    let world = world();
    for (fault, reason) in [
        ("expired", "certificate expired"),
        ("wrong-name", "not valid for name"),
        ("wrong-authority", "UnknownIssuer"),
        ("self-signed", "UnknownIssuer"),
        ("version", "ProtocolVersion"),
        ("cut", "eof"),
    ] {
        assert_eq!(world.knock().await, REACHED, "{fault}");
        let told = world.control("PUT", "tls", &json!({ "fault": fault })).await;
        assert_eq!((told.status, told.json()), (StatusCode::OK, json!({ "fault": fault })));
        let said = world.knock().await.unwrap_err();
        assert!(said.contains(reason), "{fault}: {said}");
        assert_eq!(world.get("/control/state").await.json()["tls"], fault);
        let told = world.control("PUT", "tls", &json!({ "fault": null })).await;
        assert_eq!(told.status, StatusCode::OK);
    }
    assert_eq!(world.knock().await, REACHED);
    for wrong in [json!({ "fault": "none" }), json!({ "faults": "cut" }), json!({ "fault": 7 })] {
        let told = world.control("PUT", "tls", &wrong).await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    assert_eq!(world.knock().await, REACHED);
}

#[tokio::test]
async fn a_certificate_is_demanded_that_no_client_has() {
    for (with_certificate, reason) in [(true, "UnknownCA"), (false, "CertificateRequired")] {
        let world = world_with(MutualTls::Optional, with_certificate);
        assert_eq!(world.knock().await, REACHED);
        world.control.tls(Some(TlsFault::ClientCertificate)).unwrap();
        // With TLS 1.3 the client believes to be done before it is refused.
        let said = world.knock().await.unwrap_err();
        assert!(said.contains(reason), "{said}");
        world.control.tls(None).unwrap();
        assert_eq!(world.knock().await, REACHED);
    }
}

#[tokio::test]
async fn a_handshake_begins_after_its_time_and_not_before() {
    let settings =
        Settings { tls_fault: Some("slow=150ms".parse().unwrap()), ..Settings::default() };
    let world = world_from(settings, true);
    let begin = tokio::time::Instant::now();
    assert_eq!(world.knock_again().await, REACHED);
    assert!(begin.elapsed() >= Duration::from_millis(150));
    // An open connection has its handshake behind it.
    let begin = tokio::time::Instant::now();
    assert_eq!(world.knock_again().await, REACHED);
    assert!(begin.elapsed() < Duration::from_millis(150), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn where_no_tls_is_spoken_nothing_is_wrong_with_it() {
    let world = world_with(MutualTls::Off, false);
    assert!(matches!(world.control.tls(Some(TlsFault::Cut)), Err(Error::NoTls)));
    world.control.tls(None).unwrap();
    assert_eq!(world.knock().await, REACHED);
    let fault = Some(TlsFault::Expired);
    let settings = Settings { mutual_tls: MutualTls::Off, tls_fault: fault, ..Settings::default() };
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    assert!(matches!(Simulator::bind(settings, clock), Err(Error::NoTls)));
}

#[tokio::test]
async fn the_endpoint_for_artifacts_keeps_its_hours_by_the_clock() {
    let world = world();
    let schedule = "10s ok, 10s down, 10s 503, 10s reset, 10s slow=120ms, repeat";
    let told = world.control("PUT", "schedule", &json!({ "schedule": schedule })).await;
    assert_eq!((told.status, &told.json()["schedule"]), (StatusCode::OK, &json!(schedule)));
    for round in 0..2 {
        assert_eq!(world.knock_again().await, REACHED, "{round}");
        // The connection is open still, and no good any more.
        world.clock.advance(Duration::from_secs(10));
        assert!(world.knock_again().await.is_err(), "{round}");
        assert!(world.knock().await.is_err(), "{round}");
        world.clock.advance(Duration::from_secs(10));
        assert_eq!(world.knock().await, Ok(StatusCode::SERVICE_UNAVAILABLE), "{round}");
        world.clock.advance(Duration::from_secs(10));
        assert!(world.knock().await.is_err(), "{round}");
        world.clock.advance(Duration::from_secs(10));
        let begin = tokio::time::Instant::now();
        assert_eq!(world.knock().await, REACHED, "{round}");
        assert!(begin.elapsed() >= Duration::from_millis(120), "{round}");
        world.clock.advance(Duration::from_secs(10));
    }
    world.clock.advance(Duration::from_secs(25));
    assert_eq!(world.get("/control/state").await.json()["condition"], "503");
    // Where sessions end it is well all the time, once there is a connection.
    let request = Request::post(&world.logout).body(Full::default()).unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    world.control("PUT", "schedule", &json!({ "schedule": null })).await;
    assert_eq!(world.knock().await, REACHED);
    let told = world.control("PUT", "schedule", &json!({ "schedule": "5s up" })).await;
    assert_eq!(told.status, StatusCode::BAD_REQUEST);
    assert!(told.text().contains("unknown condition"), "{}", told.text());
}

#[tokio::test]
async fn a_login_goes_on_when_the_node_is_well_again() {
    let schedule = Some("5s down".parse().unwrap());
    let world = world_from(Settings { schedule, ..Settings::default() }, true);
    let login = world.choose(&[("person", "anna")]).await;
    assert!(world.knock().await.is_err());
    world.clock.advance(Duration::from_secs(5));
    assert!(world.resolve(&login).await.is_ok());
}

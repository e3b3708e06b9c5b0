//! Logins and logouts, right ones and wrong ones.

use super::*;

#[tokio::test]
async fn a_citizen_signs_in_and_out() {
    let world = world();
    let login = world.choose(&[("person", "lukasz")]).await;
    assert_eq!(login.relay_state.as_deref(), Some("ślad-1"));
    let assertion = world.resolve(&login).await.unwrap();
    assert_eq!(assertion.person().family_name(), Some("Ścibor-Wąż"));
    assert_eq!(assertion.assurance(), Assurance::Substantial);
    let sessions = world.get("/control/sessions").await.json();
    assert_eq!(sessions[0]["person"], "lukasz");
    assert_eq!(world.log_out(&assertion).await, Ok(()));
    let again = world.log_out(&assertion).await.unwrap_err();
    assert!(again.contains("unknown session"), "{again}");
    assert_eq!(world.control.last_findings(), Some(vec!["logout-request-unknown-session"]));
}

#[tokio::test]
async fn the_way_in_gives_its_level_and_a_chosen_level_wins() {
    let world = world();
    for (fields, level, authority) in [
        (vec![("way", "e-dowod")], Assurance::High, "e-dowod.symulator"),
        (vec![("way", "bank")], Assurance::Substantial, "bank.symulator"),
        (vec![("assurance", "high")], Assurance::High, "pz.gov.pl"),
    ] {
        let mut fields = fields;
        fields.push(("person", "anna"));
        let assertion = world.resolve(&world.choose(&fields).await).await.unwrap();
        assert_eq!((assertion.assurance(), assertion.authority()), (level, Some(authority)));
    }
    let low = world.choose(&[("person", "anna"), ("assurance", "low")]).await;
    assert_eq!(world.resolve(&low).await.unwrap_err(), "login.assurance_too_low");
}

#[tokio::test]
async fn an_artifact_is_of_the_standard_form_and_is_used_once_within_its_life() {
    let world = world();
    let login = world.choose(&[("person", "anna")]).await;
    let bytes = crate::base::encoding::from_base64(login.artifact.as_str()).unwrap();
    assert_eq!((bytes.len(), &bytes[..4]), (44, &[0, 4, 0, 0][..]));
    assert!(world.resolve(&login).await.is_ok());
    assert_eq!(world.resolve(&login).await.unwrap_err(), "login.artifact_unknown_to_node");
    let late = world.choose(&[("person", "anna")]).await;
    world.clock.advance(bounds::ARTIFACT_LIFE);
    assert_eq!(world.resolve(&late).await.unwrap_err(), "login.artifact_unknown_to_node");
}

#[tokio::test]
async fn a_transaction_is_used_once() {
    let world = world();
    let (_, handle) = world.open("x").await;
    let url = format!("{}/login/choose", world.origin);
    let fields = [("transaction", &*handle), ("person", "anna")];
    let unknown = [("transaction", &*handle), ("person", "nikt")];
    assert_eq!(world.post_form(&url, &unknown).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.post_form(&url, &fields).await.status, StatusCode::OK);
    assert_eq!(world.post_form(&url, &fields).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn cancelling_and_special_people_come_back_with_their_status() {
    let world = world();
    for (person, code) in [
        ("cancel", "login.cancelled"),
        ("odmowa", "login.refused_by_node"),
        ("nieznany", "login.unknown_person"),
        ("zle-zadanie", "login.our_request_refused"),
        ("awaria", "login.node_failed"),
    ] {
        let login = world.choose(&[("person", person)]).await;
        assert_eq!(world.resolve(&login).await.unwrap_err(), code, "{person}");
    }
    assert_eq!(world.get("/control/sessions").await.json(), json!([]));
}

#[tokio::test]
async fn a_wrong_request_gets_a_page_with_all_that_is_wrong() {
    let world = world();
    let id = message_id();
    let wrong = world.request(&id).replace("HTTP-Artifact", "HTTP-POST").replace("LoA/", "loa/");
    let encoded = base64(wrong.as_bytes());
    let page = world.post_form(&world.sso, &[("SAMLRequest", &encoded)]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let codes = ["message-signature", "authn-request-protocol-binding", "authn-request-assurance"];
    for code in codes {
        assert!(page.text().contains(code), "{code}: {}", page.text());
    }
    assert!(page.text().contains("What to do"));
    assert_eq!(world.control.last_findings(), Some(codes.to_vec()));
    let requests = world.get("/control/requests").await.json();
    assert_eq!(requests[0]["accepted"], false);
    assert_eq!(requests[0]["kind"], "AuthnRequest");
    assert_eq!(requests[0]["id"], id);
    assert_eq!(requests[0]["xml"], wrong);
    assert_eq!(requests[0]["findings"][1]["code"], codes[1]);

    let overview = world.get("/").await;
    assert!(overview.text().contains("authn-request-protocol-binding"));
    let by_get = world.get(paths::SSO_PATH).await;
    assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(by_get.text().contains("HTTP-POST"));
    let long = vec![b'x'; bounds::BODY_BYTES + 1];
    let form = "application/x-www-form-urlencoded";
    assert_eq!(world.post(&world.sso, form, long).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_wrong_resolve_is_answered_with_requester_and_the_reason() {
    let world = world();
    let login = world.choose(&[("person", "anna")]).await;
    let (id, answer) = world.resolve_as(&login, "https://nobody.example").await;
    assert!(answer.text().contains("message-issuer-unknown"), "{}", answer.text());
    let refused = world.examine(&login, id, &answer);
    assert_eq!(refused.unwrap_err(), "login.our_request_refused");

    // Another service presents the artifact: it stays for the one that it belongs to.
    let other = "https://other.example";
    world.control.register(world.kit.service(other, vec![ACS.to_owned()], None)).unwrap();
    let (id, answer) = world.resolve_as(&login, other).await;
    assert!(answer.text().contains("artifact-resolve-foreign"), "{}", answer.text());
    assert_eq!(world.examine(&login, id, &answer).unwrap_err(), "login.our_request_refused");
    assert!(world.resolve(&login).await.is_ok());

    for body in ["", "rubbish", "<a/>"] {
        let answer = world.post(&world.resolve, "text/xml", body).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.text().contains("soap:Client"), "{}", answer.text());
    }
}

#[tokio::test]
async fn an_identifier_of_a_resolve_may_be_repeated() {
    let world = world();
    for _ in 0..2 {
        let login = world.choose(&[("person", "anna")]).await;
        let id = "ID-00000000-0000-4000-8000-000000000001";
        let now = world.clock.now();
        let message = artifact::resolve(&login.artifact, id, now, ISSUER, &world.signer).unwrap();
        let answer = world.post(&world.resolve, "", soap::wrap(&message)).await;
        assert!(world.examine(&login, id.to_owned(), &answer).is_ok());
    }
}

#[tokio::test]
async fn faults_are_chosen_on_the_page_for_the_next_login_or_for_all() {
    let world = world();
    let on_page = world.choose(&[("person", "anna"), ("fault", "audience")]).await;
    assert_eq!(world.resolve(&on_page).await.unwrap_err(), "login.wrong_audience");

    let answer = world.control("PUT", "faults", &json!({ "next": ["recipient"] })).await;
    assert_eq!((answer.status, &answer.json()["next"]), (StatusCode::OK, &json!(["recipient"])));
    let next = world.choose(&[("person", "anna")]).await;
    assert_eq!(world.resolve(&next).await.unwrap_err(), "login.wrong_recipient");
    assert!(world.resolve(&world.choose(&[("person", "anna")]).await).await.is_ok());

    world.control.always(&[faults::Fault::Http500]);
    for _ in 0..2 {
        let login = world.choose(&[("person", "anna")]).await;
        let (_, answer) = world.resolve_as(&login, ISSUER).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    let unknown = world.control("PUT", "faults", &json!({ "always": ["no-such"] })).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(unknown.text().contains("no-such"));
}

#[tokio::test]
async fn the_way_back_has_its_faults_too() {
    let world = world();
    let lost = world.choose(&[("person", "anna"), ("fault", "relay-state-lost")]).await;
    assert_eq!(lost.relay_state, None);
    let other = world.choose(&[("person", "anna"), ("fault", "relay-state-other")]).await;
    assert!(other.relay_state.is_some_and(|relay_state| relay_state != "ślad-1"));

    let (_, handle) = world.open("a b").await;
    let url = format!("{}/login/choose", world.origin);
    let fields = [("transaction", &*handle), ("person", "anna"), ("fault", "return-by-get")];
    let answer = world.post_form(&url, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let location = answer.location.unwrap();
    assert!(location.starts_with(&format!("{ACS}?SAMLart=")), "{location}");
    assert!(location.ends_with("&RelayState=a+b"), "{location}");
}

#[tokio::test]
async fn a_replayed_assertion_has_the_identifier_of_the_one_before() {
    let world = world();
    let first = world.resolve(&world.choose(&[("person", "anna")]).await).await.unwrap();
    let replayed = world.choose(&[("person", "zofia"), ("fault", "replayed-assertion")]).await;
    let second = world.resolve(&replayed).await.unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(world.log_out(&second).await, Ok(()));
}

#[tokio::test]
async fn a_logout_can_be_made_to_fail() {
    let world = world();
    for (fault, text) in [("logout-fails", "symulowana odmowa"), ("logout-rubbish", "read")] {
        let login = world.choose(&[("person", "anna"), ("fault", fault)]).await;
        let assertion = world.resolve(&login).await.unwrap();
        let failed = world.log_out(&assertion).await.unwrap_err();
        assert!(failed.contains(text), "{failed}");
    }
}

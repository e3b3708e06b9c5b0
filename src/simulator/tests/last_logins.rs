//! The page of the last logins.

use super::*;

#[tokio::test]
async fn a_login_is_shown_with_its_messages_and_their_bytes() {
    let world = world();
    let login = world.choose(&[("person", "malgorzata"), ("way", "bank")]).await;
    let assertion = world.resolve(&login).await.unwrap();
    world.log_out(&assertion).await.unwrap();

    let list = world.get("/logins").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.text().contains("href=\"/logins/1\""), "{}", list.text());
    assert!(list.text().contains("zmyślone") && list.text().contains("class=\"warning\""));
    let page = world.get("/logins/1").await.text();
    let names = ["AuthnRequest", "ArtifactResolve", "ArtifactResponse", "Assertion"];
    for name in names.into_iter().chain(["LogoutRequest", "LogoutResponse"]) {
        assert!(page.contains(&format!("<h2>{name}</h2>")), "{name}: {page}");
    }
    // A name with markup in it is text, twice escaped where it stands in XML.
    assert!(page.contains("Synowie &lt;Kraków&gt;"), "{page}");
    assert!(page.contains("Synowie &amp;lt;Kraków"), "{page}");
    assert!(!page.contains("<saml2") && !page.contains("<Kraków>"));
    let logins = world.get("/control/logins").await.json();
    for (index, message) in logins[0]["messages"].as_array().unwrap().iter().enumerate() {
        let raw = world.get(&format!("/logins/1/{index}")).await;
        assert_eq!(raw.text(), message["xml"].as_str().unwrap(), "{index}");
        assert_eq!(raw.body.len() as u64, message["bytes"].as_u64().unwrap());
    }
    let raw = world.get("/logins/1/3").await.text();
    assert!(raw.starts_with("<saml2:Assertion") && raw.contains(assertion.id()), "{raw}");
    assert!(raw.contains("bank.symulator"));
    for none in ["/logins/2", "/logins/0", "/logins/1/6", "/logins/1/-1", "/logins/x", "/loginsx"] {
        assert_eq!(world.get(none).await.status, StatusCode::NOT_FOUND, "{none}");
    }
}

#[tokio::test]
async fn what_the_checks_found_stands_with_the_message_that_it_is_about() {
    let world = world();
    let wrong = world.request(&message_id()).replace("HTTP-Artifact", "HTTP-POST");
    let wrong = wrong.replace("ProviderName=\"Urząd\"", "ProviderName=\"&lt;script&gt;\"");
    let encoded = base64(wrong.as_bytes());
    world.post_form(&world.sso, &[("SAMLRequest", &encoded)]).await;
    let page = world.get("/logins/1").await.text();
    assert!(page.contains("authn-request-protocol-binding"), "{page}");
    assert!(page.contains("message-signature"), "{page}");
    assert!(page.contains("&amp;lt;script") && !page.contains("<script"), "{page}");
    // A login that was begun rightly has nothing found, and nobody yet.
    world.open("x").await;
    let logins = world.get("/control/logins").await.json();
    assert_eq!(logins[1]["messages"][0]["findings"], json!([]));
    assert_eq!((&logins[1]["who"], &logins[0]["who"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn bytes_are_text_that_no_browser_runs() {
    let world = world();
    world.open("x").await;
    let request = Request::get(format!("{}/logins/1/0", world.origin));
    let response = world.client.request(request.body(Full::default()).unwrap()).await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(header("cache-control"), "no-store");
}

#[tokio::test]
async fn nobody_reads_them_under_a_name_that_leads_here_from_elsewhere() {
    let world = world();
    world.open("x").await;
    let port = world.origin.rsplit(':').next().unwrap();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), StatusCode::OK),
        ("localhost".to_owned(), StatusCode::OK),
        (format!("elsewhere.example:{port}"), StatusCode::NOT_FOUND),
    ] {
        for path in ["/", "/logins", "/logins/1", "/logins/1/0"] {
            let request = Request::get(format!("{}{path}", world.origin)).header("host", &host);
            let answer = world.send(request.body(Full::default()).unwrap()).await;
            assert_eq!(answer.status, status, "{host} {path}");
        }
    }
}

//! The words of both languages: what each check looks at.

/// The language of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    /// English.
    #[value(name = "en")]
    English,
    /// Polish.
    #[value(name = "pl")]
    Polish,
}

impl Language {
    /// Returns one of two texts.
    pub(super) fn pick<T>(self, english: T, polish: T) -> T {
        match self {
            Self::English => english,
            Self::Polish => polish,
        }
    }
}

/// Returns what a check looks at, as a sentence that says what must hold; none when it is not known
/// here.
pub(super) fn of_check(name: &str, language: Language) -> Option<&'static str> {
    let (_, english, polish) = CHECKS.iter().find(|(known, ..)| *known == name)?;
    Some(language.pick(english, polish))
}

/// Every check of a login and of the node's answer, in the order of a login.
const CHECKS: [(&str, &str, &str); 64] = [
    (
        "relay_state",
        "the handle that came back is one of ours",
        "uchwyt, który wrócił, wydała ta Brama",
    ),
    ("login_time", "the citizen comes back in time", "obywatel wraca na czas"),
    (
        "same_browser",
        "the browser that finishes the login is the one that began it",
        "logowanie kończy ta przeglądarka, która je zaczęła",
    ),
    (
        "ticket",
        "the browser that finishes the login brought the node's answer",
        "logowanie kończy ta przeglądarka, która przyniosła odpowiedź węzła",
    ),
    (
        "ticket_time",
        "the browser finishes within a minute after it brought the answer",
        "przeglądarka kończy w ciągu minuty od przyniesienia odpowiedzi",
    ),
    ("finished_once", "the login is finished once", "logowanie kończy się raz"),
    ("store", "the store can be used", "magazyn działa"),
    ("our_signature", "our message can be signed", "nasza wiadomość daje się podpisać"),
    (
        "node_place",
        "there is a place among the exchanges with the node",
        "jest miejsce na kolejną wymianę z węzłem",
    ),
    ("node_connection", "there is a connection to the node", "jest połączenie z węzłem"),
    ("node_time", "the node answers in time", "węzeł odpowiada na czas"),
    ("node_http_status", "the node answers with a message", "węzeł odpowiada wiadomością"),
    ("node_answer_size", "the answer is no longer than this", "odpowiedź nie jest dłuższa"),
    ("node_answer_whole", "the answer comes whole", "odpowiedź przychodzi w całości"),
    ("node_answer_coding", "the answer is not compressed", "odpowiedź nie jest skompresowana"),
    ("examination_finished", "the answer is read to its end", "odpowiedź jest zbadana do końca"),
    (
        "well_formed",
        "the answer is XML of the kind that is read",
        "odpowiedź jest dozwolonym XML-em",
    ),
    (
        "soap_fault",
        "the node answers with a message, not a fault",
        "węzeł nie odpowiada błędem SOAP",
    ),
    ("artifact_response", "the answer is an ArtifactResponse", "odpowiedź to ArtifactResponse"),
    ("response", "it holds one Response", "zawiera jedno Response"),
    ("version", "the messages are of SAML 2.0", "wiadomości są w SAML 2.0"),
    (
        "artifact_response_signature",
        "the ArtifactResponse is signed by a certificate of the node",
        "ArtifactResponse jest podpisane certyfikatem węzła",
    ),
    (
        "response_signature",
        "the Response is signed by a certificate of the node",
        "Response jest podpisane certyfikatem węzła",
    ),
    (
        "artifact_response_issuer",
        "the node issued the ArtifactResponse",
        "ArtifactResponse wystawił węzeł",
    ),
    (
        "artifact_response_in_response_to",
        "the ArtifactResponse answers our ArtifactResolve",
        "ArtifactResponse odpowiada na nasze ArtifactResolve",
    ),
    (
        "artifact_response_issue_instant",
        "the ArtifactResponse is not dated in the future",
        "ArtifactResponse nie jest z przyszłości",
    ),
    (
        "artifact_response_status",
        "the ArtifactResponse says success",
        "ArtifactResponse mówi o powodzeniu",
    ),
    ("response_present", "the artifact stands for a Response", "pod artefaktem jest Response"),
    ("response_issuer", "the node issued the Response", "Response wystawił węzeł"),
    (
        "response_in_response_to",
        "the Response answers our AuthnRequest",
        "Response odpowiada na nasze AuthnRequest",
    ),
    ("destination", "the Response is for our address", "Response jest dla naszego adresu"),
    (
        "response_issue_instant",
        "the Response is not dated in the future",
        "Response nie jest z przyszłości",
    ),
    ("response_status", "the Response says success", "Response mówi o powodzeniu"),
    (
        "encrypted_assertion",
        "there is exactly one assertion, and it is encrypted",
        "jest dokładnie jedna asercja, zaszyfrowana",
    ),
    (
        "message_schema",
        "the messages have nothing that does not belong there",
        "w wiadomościach jest tylko to, co powinno",
    ),
    (
        "decryption",
        "one of our keys opens the assertion, encrypted for us as the node does",
        "asercję otwiera jeden z naszych kluczy, zaszyfrowano ją dla nas tak, jak robi to węzeł",
    ),
    (
        "encryption_party_node",
        "the key was derived by the node (PartyUInfo)",
        "klucz wyprowadził węzeł (PartyUInfo)",
    ),
    (
        "encryption_party_service",
        "the key was derived for us (PartyVInfo)",
        "klucz wyprowadzono dla nas (PartyVInfo)",
    ),
    (
        "assertion_xml",
        "the assertion is XML of the kind that is read",
        "asercja jest dozwolonym XML-em",
    ),
    (
        "assertion_signature",
        "where the assertion is signed, a certificate of the node did it",
        "jeżeli asercja jest podpisana, to certyfikatem węzła",
    ),
    ("assertion_issuer", "the node issued the assertion", "asercję wystawił węzeł"),
    (
        "assertion_issue_instant",
        "the assertion is not dated in the future",
        "asercja nie jest z przyszłości",
    ),
    (
        "assertion_in_response_to",
        "the assertion answers our AuthnRequest",
        "asercja odpowiada na nasze AuthnRequest",
    ),
    ("assertion_recipient", "the assertion is for our address", "asercja jest dla naszego adresu"),
    (
        "confirmation_not_before",
        "it may be presented already (expected: our time; found: the bound)",
        "można ją już okazać (oczekiwano: nasz czas, znaleziono: granica)",
    ),
    (
        "confirmation_not_on_or_after",
        "it may still be presented (expected: our time; found: the bound)",
        "można ją jeszcze okazać (oczekiwano: nasz czas, znaleziono: granica)",
    ),
    (
        "conditions_not_before",
        "it is valid already (expected: our time; found: the bound)",
        "już obowiązuje (oczekiwano: nasz czas, znaleziono: granica)",
    ),
    (
        "conditions_not_on_or_after",
        "it is still valid (expected: our time; found: the bound)",
        "jeszcze obowiązuje (oczekiwano: nasz czas, znaleziono: granica)",
    ),
    (
        "assertion_audience",
        "the assertion is for our identifier",
        "asercja jest dla naszego identyfikatora",
    ),
    ("assertion_conditions", "every condition is known", "każdy warunek jest znany"),
    (
        "authn_instant",
        "the citizen did not identify in the future (expected: our time)",
        "obywatel nie potwierdził tożsamości w przyszłości (oczekiwano: nasz czas)",
    ),
    (
        "authn_instant_fresh",
        "the citizen identified anew, after the login began",
        "obywatel potwierdził tożsamość na nowo, po rozpoczęciu logowania",
    ),
    (
        "session_not_on_or_after",
        "the session at the node is not over (expected: our time; found: its end)",
        "sesja w węźle jeszcze trwa (oczekiwano: nasz czas, znaleziono: koniec)",
    ),
    (
        "assurance",
        "the level of assurance is at least what was asked for",
        "poziom wiarygodności jest co najmniej żądany",
    ),
    (
        "attributes",
        "every attribute that is needed is there once and of its form",
        "każdy potrzebny atrybut jest raz i we właściwej postaci",
    ),
    ("assertion_shape", "the assertion has the form of the profile", "asercja ma postać z profilu"),
    (
        "assertion_schema",
        "the assertion has nothing that does not belong there",
        "w asercji jest tylko to, co powinno",
    ),
    (
        "pesel_note",
        "what is odd about the PESEL is noted",
        "odnotowano, co jest dziwne w numerze PESEL",
    ),
    ("every_check_made", "every check was made", "wykonano każde sprawdzenie"),
    ("artifact_unused", "the artifact was not used before", "artefaktu nie użyto wcześniej"),
    ("assertion_unused", "the assertion was not used before", "asercji nie użyto wcześniej"),
    ("room_for_used", "what was used can be remembered", "można zapamiętać, czego użyto"),
    (
        "audit_written",
        "the audit log can be written before a login begins or ends",
        "dziennik audytu daje się zapisać przed początkiem i końcem logowania",
    ),
    (
        "same_person",
        "the person who identified is the one who is signed in with the browser",
        "tożsamość potwierdziła ta osoba, która jest zalogowana w przeglądarce",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_check_has_its_own_words() {
        for (number, (name, english, polish)) in CHECKS.iter().enumerate() {
            assert!(
                CHECKS[..number].iter().all(|(other, ..)| other != name),
                "{name} stands twice"
            );
            assert!(english.len() > 8 && polish.len() > 8 && english != polish, "{name}");
        }
        assert_eq!(of_check("nothing", Language::Polish), None);
    }

    /// The names of checks that these sources give: as they note them, and as what a refusal comes
    /// down to.
    fn given() -> BTreeSet<&'static str> {
        let noted = [
            include_str!("../../saml/answer.rs"),
            include_str!("../../saml/assertion.rs"),
            include_str!("../../saml/conditions.rs"),
            include_str!("../../saml/examine.rs"),
            include_str!("../../gateway/login.rs"),
        ];
        let findings =
            [include_str!("../../saml/finding.rs"), include_str!("../../flow/history/findings.rs")];
        let made = ["note(", "passed(", "not_checked(", "note_places(", "new(", "found(", "=> ("];
        let mut names = BTreeSet::new();
        for (source, is_finding) in
            noted.map(|noted| (noted, false)).into_iter().chain(findings.map(|one| (one, true)))
        {
            let source = source.split("#[cfg(test)]").next().unwrap();
            let pieces: Vec<_> = source.split('"').collect();
            for pair in pieces.chunks_exact(2) {
                let (before, name) = (pair[0].trim_end(), pair[1]);
                let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                let is_made = made.iter().any(|made| before.ends_with(made));
                let is_attribute = before.ends_with('=');
                if is_name && (is_made || (is_finding && name.contains('_') && !is_attribute)) {
                    names.insert(name);
                }
            }
        }
        names
    }

    #[test]
    fn each_check_that_a_login_can_have_failed_has_words() {
        let given = given();
        for known in ["pesel_note", "store", "destination", "authn_instant", "node_place"] {
            assert!(given.contains(known), "{known}: {given:?}");
        }
        // A sign-out has no history.
        let of_logins = given.iter().filter(|name| !name.starts_with("logout_"));
        let without: Vec<_> =
            of_logins.filter(|name| of_check(name, Language::English).is_none()).collect();
        assert!(without.is_empty(), "{without:?}");
    }
}

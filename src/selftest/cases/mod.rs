//! What is tried, group by group. Each case says what it proves in the words of a readiness report.

mod answers;
mod entry;
mod forms;
mod hosts;
mod keys;
mod line;
mod login;
mod logout;
mod portal;
mod refusal;
mod routes;
mod session;
mod theft;

use super::examiner::Examiner;
use crate::report::Text;

/// The groups with their titles, in the order of the report.
pub(super) fn groups() -> Vec<(&'static str, Text)> {
    [
        ("keys", "Klucze, certyfikaty i rejestracja usługi", "Keys, certificates and registration"),
        ("entry", "Wejście do portalu bez logowania", "Coming without having signed in"),
        ("login", "Logowanie: sposoby, poziomy i osoby", "Signing in: ways, levels and persons"),
        ("refusal", "Rezygnacja i odmowa węzła", "Cancelling, and what the node refuses"),
        (
            "unusual",
            "Nietypowe, lecz prawidłowe odpowiedzi węzła",
            "Unusual answers that are right",
        ),
        ("line", "Połączenie z węzłem", "The line to the node"),
        ("answers", "Nieprawidłowe odpowiedzi węzła", "Wrong answers of the node"),
        ("portal", "Przekazanie tożsamości portalowi", "What the portal is told"),
        ("routes", "Zasady dostępu do usług portalu", "Rules of access"),
        ("session", "Sesja obywatela", "The citizen's session"),
        ("forms", "Formularze i upływ czasu", "Forms, and time that passes"),
        ("logout", "Wylogowanie", "Signing out"),
        ("hosts", "Portale pod kilkoma adresami", "Portals on several hosts"),
        ("theft", "Ochrona przed przejęciem logowania", "Nobody takes a login over"),
    ]
    .map(|(id, pl, en)| (id, Text::new(pl, en)))
    .to_vec()
}

/// Tries everything, in the order of the groups.
pub(super) async fn all(examiner: &mut Examiner<'_>) {
    Box::pin(keys::all(examiner)).await;
    Box::pin(entry::all(examiner)).await;
    Box::pin(login::all(examiner)).await;
    Box::pin(refusal::all(examiner)).await;
    Box::pin(line::all(examiner)).await;
    Box::pin(answers::all(examiner)).await;
    Box::pin(portal::all(examiner)).await;
    Box::pin(routes::all(examiner)).await;
    Box::pin(session::all(examiner)).await;
    Box::pin(forms::all(examiner)).await;
    Box::pin(logout::all(examiner)).await;
    Box::pin(hosts::all(examiner)).await;
    Box::pin(theft::all(examiner)).await;
}

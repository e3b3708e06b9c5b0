//! The line to the node: whom the gateway talks to, and what citizens see when there is no way there.

use crate::base::reason::Reason;
use crate::report::Text;
use crate::selftest::citizen::Trouble;
use crate::selftest::examiner::{Attempt, Examiner};
use crate::selftest::plan::{done, home, planned};
use crate::simulator::{Control, Schedule, TlsFault};

const GROUP: &str = "line";

/// The id, what it proves, what is wrong, and the reason.
type Row = (&'static str, [&'static str; 2], Wrong, Reason);

/// What is wrong with the line.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Tls(TlsFault),
    /// A schedule of the simulator.
    Hours(&'static str),
}

const ROWS: [Row; 8] = [
    (
        "line.expired",
        [
            "Węzeł z wygasłym certyfikatem TLS nie jest pytany",
            "A node whose TLS certificate has expired is not asked",
        ],
        Wrong::Tls(TlsFault::Expired),
        Reason::LoginNodeUnreachable,
    ),
    (
        "line.wrong-name",
        [
            "Węzeł z certyfikatem TLS dla innej nazwy nie jest pytany",
            "A node with another name's TLS certificate is not asked",
        ],
        Wrong::Tls(TlsFault::WrongName),
        Reason::LoginNodeUnreachable,
    ),
    (
        "line.wrong-authority",
        [
            "Węzeł z certyfikatem TLS nieznanego wystawcy nie jest pytany",
            "A node with a TLS certificate of an unknown authority is not asked",
        ],
        Wrong::Tls(TlsFault::WrongAuthority),
        Reason::LoginNodeUnreachable,
    ),
    (
        "line.self-signed",
        [
            "Węzeł z samopodpisanym certyfikatem TLS nie jest pytany",
            "A node with a self-signed TLS certificate is not asked",
        ],
        Wrong::Tls(TlsFault::SelfSigned),
        Reason::LoginNodeUnreachable,
    ),
    (
        "line.client-certificate",
        [
            "Węzeł nie przyjmuje certyfikatu klienta TLS",
            "The node does not take the client certificate",
        ],
        Wrong::Tls(TlsFault::ClientCertificate),
        Reason::LoginNodeUnreachable,
    ),
    (
        "line.version",
        ["Brak wspólnej wersji TLS z węzłem", "No version of TLS in common with the node"],
        Wrong::Tls(TlsFault::Version),
        Reason::LoginNodeUnreachable,
    ),
    (
        "line.down",
        ["Węzeł jest niedostępny", "The node cannot be reached"],
        Wrong::Hours("1h down"),
        Reason::LoginNodeUnreachable,
    ),
    (
        "line.unavailable",
        [
            "Węzeł odpowiada, że chwilowo nie działa (503)",
            "The node says that it is unavailable (503)",
        ],
        Wrong::Hours("1h 503"),
        Reason::LoginNodeHttpStatus,
    ),
];

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    for (id, name, wrong, reason) in ROWS {
        let expected = [
            "nikt nie jest zalogowany; strona mówi, że węzeł jest niedostępny",
            "nobody is signed in; a page says that the node is away",
        ];
        let plan = planned(GROUP, id, name, expected, "RFC 5280, RFC 9525");
        examiner
            .case(plan, async |attempt: &Attempt<'_>| {
                let (url, choice) = home(attempt.world)?;
                let mut citizen = attempt.citizen();
                set(&attempt.world.control, wrong)?;
                let page = citizen.sign_in(&url, &choice).await?;
                citizen.must_be_refused(&page, reason).await
            })
            .await;
    }
    let plan = planned(
        GROUP,
        "line.back",
        [
            "Gdy węzeł znów działa, logowanie działa od razu",
            "As soon as the node is back, citizens sign in again",
        ],
        ["zalogowany", "signed in"],
        "",
    );
    examiner.case(plan, back).await;
}

fn set(control: &Control, wrong: Wrong) -> Result<(), Trouble> {
    let failed = |why: String| Trouble::Error(Text::same(why));
    match wrong {
        Wrong::Tls(fault) => control.tls(Some(fault)).map_err(|error| failed(error.to_string())),
        Wrong::Hours(hours) => {
            control.schedule(Some(hours.parse::<Schedule>().map_err(failed)?));
            Ok(())
        }
    }
}

async fn back(attempt: &Attempt<'_>) -> Result<Text, Trouble> {
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    set(&attempt.world.control, Wrong::Hours("1h down"))?;
    let page = citizen.sign_in(&url, &choice).await?;
    citizen.must_be_refused(&page, Reason::LoginNodeUnreachable).await?;
    attempt.world.control.schedule(None);
    citizen.arrive_or_login(&url, &choice).await?;
    done("zalogowany", "signed in")
}

//! The cases that are more than one login with one answer.

use std::sync::Arc;

use super::case::{Expects, Story};
use super::drive::{Back, Driver, Reached, Stop};
use super::judge::{Ending, Marks, Verdict};
use super::messages;
use super::session::{self, SessionCookie};
use crate::base::random;
use crate::browser::{Browser, Place};
use crate::report::Text;
use crate::simulator::check::AuthnRequest;
use crate::simulator::faults::Fault;
use crate::simulator::people::Person;
use crate::simulator::state::{MessageKind, Received};

/// What is known of a service provider by a plain login.
#[derive(Default)]
pub(super) struct Known {
    /// What its page shows of a person.
    pub(super) marks: Marks,
    /// The cookies without which nobody is signed in.
    pub(super) cookies: Vec<SessionCookie>,
    /// What it sent.
    pub(super) received: Vec<Received>,
    /// A request of it, and the way back from it.
    request: Option<(AuthnRequest, Back)>,
}

/// The persons of one case: two for each.
#[derive(Clone)]
pub(super) struct Persons {
    pub(super) one: Arc<Person>,
    pub(super) other: Arc<Person>,
}

/// A login to its end, and who is signed in.
pub(super) async fn log_in(
    driver: &Driver<'_>,
    marks: &Marks,
    person: &Person,
    faults: &[Fault],
) -> Result<Ending, Stop> {
    let Reached { mut browser, back, .. } = driver.reach(person, faults).await?;
    bring(driver, marks, (&mut browser, &back), &[], person).await
}

/// Delivers an answer, and looks who is signed in then.
pub(super) async fn bring(
    driver: &Driver<'_>,
    marks: &Marks,
    (browser, back): (&mut Browser, &Back),
    changed: &[(&str, &str)],
    person: &Person,
) -> Result<Ending, Stop> {
    let page = driver.deliver(browser, back, changed).await?;
    let look = driver.look(browser).await?;
    Ok(Ending::of(&look, page.status.as_u16(), marks, person))
}

/// The plain logins that all else rests on: two, of two persons.
pub(super) async fn control(
    driver: &Driver<'_>,
    known: &mut Known,
    persons: &Persons,
) -> Result<Verdict, Stop> {
    driver.forget_messages();
    let result = control_with(driver, known, persons).await;
    known.received = driver.node.state().received.iter().cloned().collect();
    result
}

async fn control_with(
    driver: &Driver<'_>,
    known: &mut Known,
    persons: &Persons,
) -> Result<Verdict, Stop> {
    let Reached { mut browser, back, request, .. } = driver.reach(&persons.one, &[]).await?;
    let before = browser.clone();
    let page = driver.deliver(&mut browser, &back, &[]).await?;
    let look = driver.look(&mut browser).await?;
    if !look.is_signed_in {
        let (last, shown) = (page.status.as_u16(), look.page.status.as_u16());
        return Ok(Verdict::failed(Text::new(
            format!(
                "nikt nie jest zalogowany: po powrocie status {last}, strona ma status {shown}"
            ),
            format!("nobody is signed in: status {last} at the end, the page has status {shown}"),
        )));
    }
    known.marks = Marks::find(&look.page.text, &persons.one);
    known.cookies = session::find(driver, &before, &browser).await?;
    known.request = Some((request, back));
    let ending = log_in(driver, &known.marks, &persons.other, &[]).await?;
    let mut verdict = Verdict::on(Expects::Taken, ending);
    if known.marks.count() == 0 {
        verdict.seen = Text::new(
            format!("{}; co do tego, kto: nie do stwierdzenia", verdict.seen.pl),
            format!("{}; so who it is cannot be told", verdict.seen.en),
        );
    }
    Ok(verdict)
}

/// Tells a story.
pub(super) async fn tell(
    driver: &Driver<'_>,
    known: &Known,
    story: Story,
    persons: &Persons,
) -> Result<Verdict, Stop> {
    match story {
        Story::Nobody => nobody(driver).await,
        Story::Control | Story::ControlAfter => {
            let ending = log_in(driver, &known.marks, &persons.one, &[]).await?;
            Ok(Verdict::on(Expects::Taken, ending))
        }
        Story::AuthnRequest => Ok(messages::judge(&known.received, MessageKind::AuthnRequest)),
        Story::ArtifactResolve => {
            Ok(messages::judge(&known.received, MessageKind::ArtifactResolve))
        }
        Story::MessageIds => Ok(messages::judge_ids(&known.received)),
        Story::ArtifactAgain => artifact_again(driver, known, persons).await,
        Story::LoginCsrf | Story::LoginCsrfBegun | Story::MixedRelayState => {
            of_another(driver, known, story, persons).await
        }
        Story::Unsolicited => {
            let silent = [Fault::ResponseInResponseToMissing, Fault::InResponseToMissing];
            unsolicited(driver, known, &silent, persons).await
        }
        Story::UnsolicitedInvented => unsolicited(driver, known, &[], persons).await,
        Story::RelayStateRedirect => relay_state_redirect(driver, persons).await,
        Story::ArtifactInjection => artifact_injection(driver, persons).await,
        Story::CookieSecure => Ok(session::secure(&known.cookies, &driver.subject.page)),
        Story::CookieHttpOnly => Ok(session::http_only(&known.cookies)),
        Story::CookieSameSite => Ok(session::same_site(&known.cookies)),
        Story::Fixation => Ok(session::fixation(&known.cookies)),
        Story::Logout | Story::LogoutAtServer | Story::LogoutRequest => {
            session::log_out(driver, story, &[], &persons.one).await
        }
    }
}

async fn nobody(driver: &Driver<'_>) -> Result<Verdict, Stop> {
    let look = driver.look(&mut driver.browser()).await?;
    let status = look.page.status.as_u16();
    Ok(if look.is_signed_in {
        Verdict::failed(Text::new(
            format!("strona (status {status}) wygląda tak, jakby ktoś był zalogowany"),
            format!("the page (status {status}) looks as if somebody were signed in"),
        ))
    } else {
        Verdict::passed(Text::new(format!("status {status}"), format!("status {status}")))
    })
}

/// The browser is as it was before the answer came, and the answer comes again.
async fn artifact_again(
    driver: &Driver<'_>,
    known: &Known,
    persons: &Persons,
) -> Result<Verdict, Stop> {
    let Reached { mut browser, back, .. } = driver.reach(&persons.one, &[]).await?;
    let mut copy = browser.clone();
    driver.node.state().repeats = true;
    let first = bring(driver, &known.marks, (&mut browser, &back), &[], &persons.one).await;
    let is_enough = driver.look(&mut copy.clone()).await.is_ok_and(|look| look.is_signed_in);
    driver.forget_messages();
    let second = bring(driver, &known.marks, (&mut copy, &back), &[], &persons.one).await;
    driver.node.state().repeats = false;
    let first = first?;
    if !matches!(first, Ending::SignedIn(_)) {
        return Ok(Verdict::on(Expects::Taken, first));
    }
    if is_enough {
        return Ok(Verdict::skipped(Text::new(
            "ciasteczko sprzed logowania wystarcza: zob. session-fixation",
            "the cookie from before the login is enough: see session-fixation",
        )));
    }
    let second = second?;
    if matches!(second, Ending::SignedIn(_)) && !driver.was_asked() {
        // The same browser only learns again what it was told: nothing is believed a second time.
        return Ok(Verdict::passed(Text::new(
            "ta sama przeglądarka dowiaduje się ponownie, węzeł nie jest pytany",
            "the same browser is told again, and the node is not asked",
        )));
    }
    Ok(Verdict::on(Expects::Refused, second))
}

/// The answer to one browser's login is delivered by another one.
async fn of_another(
    driver: &Driver<'_>,
    known: &Known,
    story: Story,
    persons: &Persons,
) -> Result<Verdict, Stop> {
    let attacker = driver.reach(&persons.one, &[]).await?;
    let mut victim = driver.browser();
    let mut relay_state = None;
    if story != Story::LoginCsrf {
        let own = driver.reach(&persons.other, &[]).await?;
        (victim, relay_state) = (own.browser, own.relay_state);
    }
    let changed: Vec<(&str, &str)> = match (story, &relay_state) {
        (Story::MixedRelayState, Some(value)) => vec![("RelayState", value)],
        (Story::MixedRelayState, None) => {
            return Ok(Verdict::skipped(Text::new(
                "usługa nie wysyła RelayState",
                "the service sends no RelayState",
            )));
        }
        _ => Vec::new(),
    };
    let way = (&mut victim, &attacker.back);
    let ending = bring(driver, &known.marks, way, &changed, &persons.one).await?;
    Ok(Verdict::on(Expects::Refused, ending))
}

/// An artifact that no request asked for: without `RelayState`, and with an invented one.
async fn unsolicited(
    driver: &Driver<'_>,
    known: &Known,
    faults: &[Fault],
    persons: &Persons,
) -> Result<Verdict, Stop> {
    let Some((request, back)) = &known.request else {
        return Ok(Verdict::skipped(Text::new("brak wzoru", "there is nothing to go by")));
    };
    let mut ending = Ending::Nobody(0);
    let invented = random::handle();
    for relay_state in [None, Some(&*invented)] {
        let artifact = driver.node.unsolicited(request, Arc::clone(&persons.one), faults.to_vec());
        let mut changed = vec![("SAMLart", &*artifact)];
        changed.extend(relay_state.map(|value| ("RelayState", value)));
        let back = back.without("RelayState");
        let way = (&mut driver.browser(), &back);
        ending = bring(driver, &known.marks, way, &changed, &persons.one).await?;
        if matches!(ending, Ending::SignedIn(_)) {
            break;
        }
    }
    Ok(Verdict::on(Expects::Refused, ending))
}

/// A host that is nowhere (RFC 6761).
const ELSEWHERE: &str = "elsewhere.invalid";

async fn relay_state_redirect(driver: &Driver<'_>, persons: &Persons) -> Result<Verdict, Stop> {
    let Reached { mut browser, back, .. } = driver.reach(&persons.one, &[]).await?;
    browser.stop_before(Some(Place::Host(ELSEWHERE.to_owned())));
    let address = format!("https://{ELSEWHERE}/");
    let page = driver.deliver(&mut browser, &back, &[("RelayState", &address)]).await?;
    let leads = page.leads_to();
    let is_elsewhere = leads.as_ref().and_then(url::Url::host_str) == Some(ELSEWHERE);
    let status = page.status.as_u16();
    Ok(if is_elsewhere {
        Verdict::failed(Text::new(
            "usługa odsyła przeglądarkę pod ten adres",
            "the service sends the browser to that address",
        ))
    } else {
        Verdict::passed(Text::same(format!("status {status}")))
    })
}

/// What is in the artifact, and would be an element of the message if it were written as it came.
const INJECTED: &str = "<x:x xmlns:x=\"urn:brama:symulator:wstrzyk\"/>";

async fn artifact_injection(driver: &Driver<'_>, persons: &Persons) -> Result<Verdict, Stop> {
    let Reached { mut browser, back, .. } = driver.reach(&persons.one, &[]).await?;
    driver.forget_messages();
    let ended = driver.deliver(&mut browser, &back, &[("SAMLart", INJECTED)]).await;
    let is_injected =
        driver.node.state().received.iter().any(|received| received.xml.contains("<x:x "));
    if is_injected {
        return Ok(Verdict::failed(Text::new(
            "usługa podpisała i wysłała węzłowi element, który był w artefakcie",
            "the service signed and sent the node an element that was in the artifact",
        )));
    }
    let status = ended?.status.as_u16();
    Ok(Verdict::passed(Text::same(format!("status {status}"))))
}

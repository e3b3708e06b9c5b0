//! Every answer that the node could give: what is unusual and right signs in, what is wrong does not.

use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::pages::Language::{English, Polish};
use crate::report::Text;
use crate::selftest::citizen::Trouble;
use crate::selftest::examiner::{Attempt, Examiner, Planned};
use crate::selftest::expected;
use crate::selftest::facts::Facts;
use crate::selftest::plan::{differs, done, home, not_here, planned};
use crate::simulator::bounds::{SLOW, TOO_LARGE};
use crate::simulator::faults::{Fault, Kind};

pub(super) async fn all(examiner: &mut Examiner<'_>) {
    for &fault in Fault::ALL.iter().filter(|fault| fault.kind() == Kind::Quirk) {
        let plan = plan(fault, "unusual", ["obywatel jest zalogowany", "the citizen is signed in"]);
        examiner.case(plan, async |attempt: &Attempt<'_>| signs_in(attempt, fault).await).await;
    }
    for &fault in Fault::ALL.iter().filter(|fault| fault.kind() == Kind::Fault) {
        let Some(reason) = expected::reason(fault) else { continue };
        let plan = plan(fault, "answers", ["", ""]);
        let expected = Text::new(
            format!("nikt nie jest zalogowany; powód {reason}"),
            format!("nobody is signed in; the reason is {reason}"),
        );
        let plan = Planned { expected, ..plan };
        examiner
            .case(plan, async |attempt: &Attempt<'_>| {
                applies(&attempt.world.facts, fault)?;
                let (url, choice) = home(attempt.world)?;
                if fault == Fault::ReplayedAssertion {
                    attempt.citizen().arrive_or_login(&url, &choice).await?;
                }
                let mut citizen = attempt.citizen();
                let page = citizen.sign_in(&url, &choice.fault(fault)).await?;
                citizen.must_be_refused(&page, reason).await
            })
            .await;
    }
}

/// Some answers are wrong only for a service that asks for what is wrong in them.
fn applies(facts: &Facts, fault: Fault) -> Result<(), Trouble> {
    let (asked, required) = (&facts.attributes, &facts.required);
    let applies = match fault {
        Fault::AssuranceTooLow => facts.assurance > Assurance::Low,
        Fault::BirthdateMalformed => asked.contains(&Attribute::DateOfBirth),
        Fault::AttributeMissing => required.contains(&Attribute::PersonIdentifier),
        Fault::AttributeRepeated | Fault::AttributeEmpty | Fault::CommentInValue => {
            asked.contains(&Attribute::PersonIdentifier)
        }
        Fault::TooLarge => facts.maximum_answer < TOO_LARGE,
        Fault::LongNamespace | Fault::LongCanonicalForm => facts.maximum_answer > LONG,
        Fault::Slow => facts.node_timeout > SLOW,
        _ => true,
    };
    if applies {
        return Ok(());
    }
    Err(not_here(
        "przy tej konfiguracji ta odpowiedź nie jest nieprawidłowa albo nie może nadejść",
        "with this configuration the answer is not wrong, or cannot come",
    ))
}

fn plan(fault: Fault, group: &'static str, expected: [&'static str; 2]) -> Planned {
    let plan = planned(group, format!("{group}.{}", fault.name()), ["", ""], expected, "");
    let upper = |text: &str| {
        let mut letters = text.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    let name = Text::new(upper(fault.description(Polish)), upper(fault.description(English)));
    Planned { name, ..plan }
}

async fn signs_in(attempt: &Attempt<'_>, fault: Fault) -> Result<Text, Trouble> {
    applies(&attempt.world.facts, fault)?;
    let (url, choice) = home(attempt.world)?;
    let mut citizen = attempt.citizen();
    if fault == Fault::AuthnInstantOld {
        // A page that wants a recent identification rightly refuses this one.
        let facts = &attempt.world.facts;
        let url = facts.own(&facts.origin, "login?return_to=%2F");
        citizen.sign_in(&url, &choice.fault(fault)).await?;
        citizen.must_be_signed_in(&facts.origin).await?;
        return done("zalogowany", "signed in");
    }
    citizen.arrive_or_login(&url, &choice.fault(fault)).await.map_err(|trouble| match trouble {
        Trouble::Otherwise(seen) => {
            differs(format!("nie zalogowano: {}", seen.pl), format!("not signed in: {}", seen.en))
        }
        other => other,
    })?;
    done("zalogowany", "signed in")
}

/// The answer with a long name has more than that.
const LONG: usize = 220 * 1024;

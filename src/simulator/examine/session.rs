//! The session of a service provider: its cookie, and its end.

use url::Url;

use super::case::Story;
use super::drive::{Driver, Reached, Stop};
use super::judge::Verdict;
use super::messages;
use crate::browser::jar::Flags;
use crate::browser::{Browser, SameSite};
use crate::report::Text;
use crate::simulator::faults::Fault;
use crate::simulator::people::Person;
use crate::simulator::state::MessageKind;

/// A cookie without which nobody is signed in.
#[derive(Debug, Clone)]
pub(super) struct SessionCookie {
    name: String,
    flags: Flags,
    /// Its value is what it was before the login.
    is_old: bool,
}

/// Finds the cookies of the session: a browser that lacks one of them is not signed in.
pub(super) async fn find(
    driver: &Driver<'_>,
    before: &Browser,
    after: &Browser,
) -> Result<Vec<SessionCookie>, Stop> {
    let (page, now) = (&driver.subject.page, driver.clock.now());
    let names: Vec<String> = after.jar.names(page, now).map(str::to_owned).collect();
    let mut found = Vec::new();
    for name in names {
        let mut without = after.clone();
        without.jar.forget(page, &name);
        if driver.look(&mut without).await?.is_signed_in {
            continue;
        }
        let is_old = before.jar.value(page, &name, now) == after.jar.value(page, &name, now);
        let flags = after.jar.flags(page, &name, now);
        found.extend(flags.map(|flags| SessionCookie { name, flags, is_old }));
    }
    Ok(found)
}

/// Judges whether the cookie is for TLS alone.
pub(super) fn secure(cookies: &[SessionCookie], page: &Url) -> Verdict {
    if page.scheme() != "https" {
        return Verdict::skipped(Text::new(
            "usługa jest badana bez TLS",
            "the service is examined without TLS",
        ));
    }
    judge(cookies, |cookie| cookie.flags.is_secure, "Secure")
}

/// Judges whether scripts are kept from the cookie.
pub(super) fn http_only(cookies: &[SessionCookie]) -> Verdict {
    judge(cookies, |cookie| cookie.flags.is_http_only, "HttpOnly")
}

/// Judges whether other sites are kept from the cookie. What a browser takes for the default is not
/// the same in all of them.
pub(super) fn same_site(cookies: &[SessionCookie]) -> Verdict {
    let is_kept = |cookie: &SessionCookie| {
        matches!(cookie.flags.same_site, Some(SameSite::Lax | SameSite::Strict))
    };
    judge(cookies, is_kept, "SameSite=Lax")
}

/// Judges whether the value is a new one after the login.
pub(super) fn fixation(cookies: &[SessionCookie]) -> Verdict {
    let old: Vec<_> = cookies.iter().filter(|cookie| cookie.is_old).collect();
    // One new cookie among those that are needed is enough.
    if cookies.is_empty() || old.len() < cookies.len() {
        return some(cookies);
    }
    let name = &old[0].name;
    Verdict::failed(Text::new(
        format!("ciasteczko {name} ma wartość sprzed logowania"),
        format!("the cookie {name} has the value that it had before the login"),
    ))
}

fn judge(cookies: &[SessionCookie], holds: impl Fn(&SessionCookie) -> bool, what: &str) -> Verdict {
    // One that an attacker cannot get is enough: without it nobody is signed in.
    if cookies.is_empty() || cookies.iter().any(holds) {
        return some(cookies);
    }
    let names: Vec<_> = cookies.iter().map(|cookie| &*cookie.name).collect();
    let names = names.join(", ");
    Verdict::failed(Text::new(
        format!("{names}: brak {what}"),
        format!("{names}: {what} is missing"),
    ))
}

fn some(cookies: &[SessionCookie]) -> Verdict {
    if cookies.is_empty() {
        return Verdict::skipped(Text::new(
            "sesja nie zależy od żadnego jednego ciasteczka",
            "no one cookie makes the session",
        ));
    }
    let names: Vec<_> = cookies.iter().map(|cookie| &*cookie.name).collect();
    Verdict::passed(Text::same(names.join(", ")))
}

/// Signs in and out, and judges what is left of the session.
pub(super) async fn log_out(
    driver: &Driver<'_>,
    story: Story,
    faults: &[Fault],
    person: &Person,
) -> Result<Verdict, Stop> {
    if driver.subject.logout.is_none() {
        return Ok(Verdict::skipped(Text::new("nie podano --logout", "--logout is not given")));
    }
    let Reached { mut browser, back, .. } = driver.reach(person, faults).await?;
    driver.deliver(&mut browser, &back, &[]).await?;
    let look = driver.look(&mut browser).await?;
    if !look.is_signed_in {
        return Ok(Verdict::failed(Text::new("nikt nie był zalogowany", "nobody was signed in")));
    }
    let mut copy = browser.clone();
    driver.forget_messages();
    driver.sign_out(&mut browser, &look.page).await?;
    if story == Story::LogoutRequest {
        let received: Vec<_> = driver.node.state().received.iter().cloned().collect();
        return Ok(messages::judge(&received, MessageKind::LogoutRequest));
    }
    let who = if story == Story::LogoutAtServer { &mut copy } else { &mut browser };
    let after = driver.look(who).await?;
    let status = after.page.status.as_u16();
    Ok(if after.is_signed_in {
        Verdict::failed(Text::new(
            format!("nadal zalogowany (status {status})"),
            format!("still signed in (status {status})"),
        ))
    } else {
        Verdict::passed(Text::new(
            format!("wylogowany (status {status})"),
            format!("signed out (status {status})"),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Outcome;

    fn cookie(is_secure: bool, same_site: Option<SameSite>, is_old: bool) -> SessionCookie {
        let flags = Flags { is_secure, is_http_only: is_secure, same_site };
        SessionCookie { name: "session".to_owned(), flags, is_old }
    }

    #[test]
    fn a_cookie_is_judged_by_what_protects_it() {
        let (good, bad) = (cookie(true, Some(SameSite::Lax), false), cookie(false, None, true));
        let open = cookie(true, Some(SameSite::None), false);
        let [tls, plain] =
            ["https://a.pl/", "http://a.pl/"].map(|address| Url::parse(address).unwrap());
        for (cookies, expected) in [
            (vec![good.clone()], Outcome::Passed),
            (vec![bad.clone()], Outcome::Failed),
            // Nobody is signed in by the one alone.
            (vec![bad.clone(), good], Outcome::Passed),
        ] {
            assert_eq!(secure(&cookies, &tls).outcome, expected, "{cookies:?}");
            assert_eq!(http_only(&cookies).outcome, expected, "{cookies:?}");
            assert_eq!(same_site(&cookies).outcome, expected, "{cookies:?}");
            assert_eq!(fixation(&cookies).outcome, expected, "{cookies:?}");
        }
        assert_eq!(same_site(&[open]).outcome, Outcome::Failed);
        // Without TLS nobody can say, and without a cookie there is nothing to say.
        assert!(matches!(secure(&[bad], &plain).outcome, Outcome::Skipped(_)));
        for verdict in [secure(&[], &tls), http_only(&[]), same_site(&[]), fixation(&[])] {
            assert!(matches!(verdict.outcome, Outcome::Skipped(_)), "{verdict:?}");
        }
    }
}

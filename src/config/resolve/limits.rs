//! `[limits]`.

use std::num::NonZeroU32;

use crate::config::file::Believed;
use crate::config::file::StoreKind;
use crate::config::resolve::context::Context;
use crate::flow::ledger::Bounds;
use crate::gateway::limits::Settings;
use crate::request::networks::Networks;

pub(super) fn resolve(context: &mut Context<'_>) -> Settings {
    let file = &context.file().limits;
    for (key, prefix, longest) in [
        (key!(limits.ipv4_prefix), file.ipv4_prefix, 32),
        (key!(limits.ipv6_prefix), file.ipv6_prefix, 128),
    ] {
        if !(1..=longest).contains(&prefix) {
            let advice = format!("give a length from 1 to {longest}, or leave it out");
            context.error(key, "is not the length of a prefix", advice);
        }
    }
    if file.networks < 1_000 {
        context.error(
            key!(limits.networks),
            "so few networks would make each other forgotten, and nobody would be limited",
            "give at least 1000, or leave it out",
        );
    }
    check_room(context);
    check_proxy(context);
    Settings {
        starts: NonZeroU32::new(file.login_starts),
        returns: NonZeroU32::new(file.login_returns),
        failures: NonZeroU32::new(file.login_failures),
        unknown_sessions: NonZeroU32::new(file.unknown_sessions),
        ipv4_prefix: file.ipv4_prefix,
        ipv6_prefix: file.ipv6_prefix,
        except: Networks::new(file.except.iter().map(|network| network.get()).collect()),
        networks: file.networks as u64,
    }
}

/// Room is shared out by network, so one of them takes nothing from the others. What is left to say
/// is where there is less of it than the configuration seems to say.
fn check_room(context: &mut Context<'_>) {
    let file = context.file();
    if file.limits.login_starts == 0 {
        context.warn(
            key!(limits.login_starts),
            "is off, so one network can have us sign requests for the node without end, and keep \
             whatever there is room for until others come",
            "leave it out for the default, or name networks in limits.except",
        );
    }
    let (rooms, session) = (super::store::rooms(file), &file.session);
    let is_file = file.store.kind == StoreKind::File;
    let (key, advice) = if is_file {
        (key!(store.file.maximum_size), "raise it, or lower session.maximum_pending")
    } else {
        (key!(session.maximum_pending), "lower it to that")
    };
    let begun = rooms.begun / Bounds::weigh(USUAL_BEGUN);
    if begun < session.maximum_pending {
        let what = format!(
            "there is room for some {begun} logins that are being finished, and as many wishes and \
             codes, but session.maximum_pending is {}",
            session.maximum_pending
        );
        context.warn(key, what, advice);
    }
    let longest = usize::try_from(session.keep_forms.bytes()).unwrap_or(usize::MAX);
    let forms = rooms.forms / Bounds::weigh(longest);
    if longest > 0 && forms < FEWEST_FORMS {
        let what = format!("has room for {forms} forms as long as session.keep_forms allows");
        context.warn(key!(store.file.maximum_size), what, "raise it, or lower session.keep_forms");
    }
}

/// What a login that is being finished has, in bytes.
const USUAL_BEGUN: usize = 300;
/// With room for fewer of the longest forms, a few citizens at once are too many.
const FEWEST_FORMS: usize = 8;

/// Behind a proxy that is not believed, all citizens are one network.
fn check_proxy(context: &mut Context<'_>) {
    let (file, limits) = (context.file(), &context.file().limits);
    let is_limited = limits.login_starts > 0 || limits.login_returns > 0;
    let is_https = file.portal.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let listen = &file.listen;
    if !is_limited || !is_https || listen.https.is_some() || !listen.proxy_protocol_from.is_empty()
    {
        return;
    }
    if listen.trusted_proxies.is_empty() {
        context.warn(
            key!(listen.trusted_proxies),
            "TLS ends at a proxy in front that is not named, so all citizens seem to come from its \
             address and share the limits of one network",
            "name its network here or in listen.proxy_protocol_from",
        );
    } else if !listen.trusted_for.contains(&Believed::Address) {
        context.warn(
            key!(listen.trusted_for),
            "the proxy in front is not believed for the address, so all citizens seem to come from \
             its own and share the limits of one network",
            "name \"address\" here, or its network in listen.proxy_protocol_from",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load::load_text;

    /// Resolves the section, and tells what came of it with all problems as text.
    fn resolved(text: &str) -> (Settings, String) {
        let loaded = load_text("brama.toml", text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        let settings = resolve(&mut context);
        (settings, context.problems.to_string())
    }

    const NOTHING: &str = "0 errors, 0 warnings";

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_settings() {
        let (settings, said) = resolved("");
        assert_eq!(settings, Settings::default());
        assert!(said.contains(NOTHING), "{said}");
    }

    #[test]
    fn every_key_arrives_in_the_settings() {
        let (settings, said) = resolved(
            "[limits]\nlogin_starts = 1\nlogin_returns = 2\nlogin_failures = 0\n\
             unknown_sessions = 3\n\
             ipv4_prefix = 24\nipv6_prefix = 48\nexcept = [\"10.0.0.0/8\"]\nnetworks = 1000\n",
        );
        let expected = Settings {
            starts: NonZeroU32::new(1),
            returns: NonZeroU32::new(2),
            failures: None,
            unknown_sessions: NonZeroU32::new(3),
            ipv4_prefix: 24,
            ipv6_prefix: 48,
            except: Networks::new(vec!["10.0.0.0/8".parse().unwrap()]),
            networks: 1000,
        };
        assert_eq!(settings, expected);
        assert!(said.contains(NOTHING), "{said}");
    }

    #[test]
    fn what_cannot_work_is_an_error() {
        for key in ["ipv4_prefix = 0", "ipv4_prefix = 33", "ipv6_prefix = 129", "networks = 999"] {
            let (_, said) = resolved(&format!("[limits]\n{key}\n"));
            let name = key.split(' ').next().unwrap();
            assert!(said.contains(&format!("limits.{name}")), "{said}");
            assert!(said.contains("1 error, 0 warnings"), "{said}");
        }
    }

    #[test]
    fn one_network_without_a_limit_is_a_warning() {
        for (limits, warned) in [("login_starts = 100000", false), ("login_starts = 0", true)] {
            let (_, said) = resolved(&format!("[limits]\n{limits}\n"));
            assert_eq!(said.contains("limits.login_starts"), warned, "{limits}: {said}");
        }
    }

    #[test]
    fn a_file_with_less_room_than_is_allowed_is_a_warning() {
        let file =
            |lines| format!("[store]\nkind = \"file\"\n[store.file]\npath = \"s.db\"\n{lines}");
        let small = "maximum_size = \"64 MiB\"\n[session]\n";
        for (lines, pending, forms) in [
            (String::new(), false, false),
            (small.to_owned(), true, true),
            (format!("{small}maximum_pending = 500\nkeep_forms = \"0 B\"\n"), false, false),
            ("[session]\nmaximum_pending = 1000000\n".to_owned(), true, false),
        ] {
            let (_, said) = resolved(&file(lines.clone()));
            assert_eq!(said.contains("logins that are being finished"), pending, "{lines}: {said}");
            assert_eq!(said.contains("forms as long as"), forms, "{lines}: {said}");
        }
        let (_, said) = resolved("[session]\nmaximum_pending = 1000000\n");
        assert!(said.contains("logins that are being finished"), "memory too has a bound: {said}");
    }

    #[test]
    fn a_proxy_that_hides_everybody_is_a_warning() {
        let https = "[portal]\npublic_url = \"https://portal.example\"\n";
        let http = "[listen]\nhttp = \"127.0.0.1:80\"\n";
        let listed = format!("{http}trusted_proxies = [\"10.0.0.0/8\"]\n");
        for (text, warned) in [
            (format!("{https}{http}"), true),
            (format!("{https}{listed}"), false),
            (format!("{https}{listed}trusted_for = [\"address\"]\n"), false),
            (format!("{https}{listed}trusted_for = [\"scheme\"]\n"), true),
            (format!("{https}{http}proxy_protocol_from = [\"10.0.0.0/8\"]\n"), false),
            (format!("{https}{http}https = \"127.0.0.1:443\"\n"), false),
            (format!("{https}{http}[limits]\nlogin_starts = 0\nlogin_returns = 0\n"), false),
            (format!("[portal]\npublic_url = \"http://localhost\"\n{http}"), false),
        ] {
            let (_, said) = resolved(&text);
            assert_eq!(said.contains("listen.trusted_"), warned, "{text}: {said}");
        }
    }
}

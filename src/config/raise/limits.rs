//! `[limits]`.

use std::num::NonZeroU32;

use crate::config::file::Believed;
use crate::config::raise::context::Context;
use crate::http::limits::Settings;
use crate::http::networks::Networks;

pub(super) fn raise(context: &mut Context<'_>) -> Settings {
    let file = &context.file().limits;
    for (key, prefix, longest) in [
        ("limits.ipv4_prefix", file.ipv4_prefix, 32),
        ("limits.ipv6_prefix", file.ipv6_prefix, 128),
    ] {
        if !(1..=longest).contains(&prefix) {
            let advice = format!("give a length from 1 to {longest}, or leave it out");
            context.error(key, "is not the length of a prefix", advice);
        }
    }
    if file.networks < 1_000 {
        context.error(
            "limits.networks",
            "so few networks would make each other forgotten, and nobody would be limited",
            "give at least 1000, or leave it out",
        );
    }
    check_pending(context);
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

/// One network alone must not be able to push the logins of all others out.
fn check_pending(context: &mut Context<'_>) {
    let (starts, session) = (context.file().limits.login_starts, &context.file().session);
    if starts == 0 {
        context.warn(
            "limits.login_starts",
            "is off, so one network can begin logins until those of others are forgotten",
            "leave it out for the default, or name networks in limits.except",
        );
        return;
    }
    // As many at once, and then evenly for as long as a login may last.
    let seconds = session.login_timeout.get().as_secs().saturating_add(60);
    let begun = u64::from(starts).saturating_mul(seconds) / 60;
    if begun >= session.maximum_pending as u64 {
        let what = format!(
            "one network could begin {begun} logins within session.login_timeout and so push those \
             of all others out of session.maximum_pending"
        );
        context.warn("limits.login_starts", what, "lower it, or raise session.maximum_pending");
    }
}

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
            "listen.trusted_proxies",
            "TLS ends at a proxy in front that is not named, so all citizens seem to come from its \
             address and share the limits of one network",
            "name its network here or in listen.proxy_protocol_from",
        );
    } else if !listen.trusted_for.contains(&Believed::Address) {
        context.warn(
            "listen.trusted_for",
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
    use crate::config::file;
    use crate::config::load::load_text;

    /// Raises the section, and tells what came of it with all problems as text.
    fn raised(text: &str) -> (Settings, String) {
        let loaded = load_text("brama.toml", text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        let settings = raise(&mut context);
        (settings, context.problems.to_string())
    }

    const NOTHING: &str = "0 errors, 0 warnings";

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_settings() {
        let (settings, said) = raised("");
        assert_eq!(settings, Settings::default());
        assert!(said.contains(NOTHING), "{said}");
    }

    #[test]
    fn every_key_arrives_in_the_settings() {
        let (settings, said) = raised(
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
            let (_, said) = raised(&format!("[limits]\n{key}\n"));
            let name = key.split(' ').next().unwrap();
            assert!(said.contains(&format!("limits.{name}")), "{said}");
            assert!(said.contains("1 error, 0 warnings"), "{said}");
        }
    }

    #[test]
    fn one_network_that_could_push_out_all_others_is_a_warning() {
        let pending = file::Session::default().maximum_pending;
        for (limits, warned) in [
            ("login_starts = 9000", false),
            ("login_starts = 9091", true),
            ("login_starts = 0", true),
        ] {
            let (_, said) = raised(&format!("[limits]\n{limits}\n"));
            assert_eq!(said.contains("limits.login_starts"), warned, "{limits}: {said}");
        }
        assert_eq!(pending, 100_000, "or the numbers above are others");
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
            let (_, said) = raised(&text);
            assert_eq!(said.contains("listen.trusted_"), warned, "{text}: {said}");
        }
    }
}

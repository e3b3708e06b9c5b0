//! Tokens that no backend should take (RFC 7519), about a person who does not exist.
//!
//! What is over is signed by a key of the gateway's own where this user can read it, so that nothing
//! else is wrong with it. It was good an hour before it was made, so it never was.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::Settings;
use crate::app::state::KEY_RING;
use crate::base::clock::{Clock, SystemClock, Time, earlier};
use crate::base::private;
use crate::base::random;
use crate::gate::policy::Route;
use crate::identity::assurance::Assurance;
use crate::identity::keyring::KeyRing;
use crate::identity::signing_key::SigningKey;

/// Makes tokens as the gateway would for one route.
pub(super) struct Forgery<'f> {
    pub(super) settings: &'f Settings,
    pub(super) route: &'f Route,
}

/// How long ago a token that is over began: five minutes was its life.
const OVER: Duration = Duration::from_secs(2 * 3600);

impl Forgery<'_> {
    /// Makes one that a stranger signed.
    pub(super) fn of_a_stranger(&self, name: &str) -> Option<String> {
        self.sign(&self.stranger(), name, SystemClock.now())
    }

    /// Makes one of a stranger that is over besides.
    pub(super) fn of_a_stranger_and_over(&self, name: &str) -> Option<String> {
        self.sign(&self.stranger(), name, earlier(SystemClock.now(), OVER))
    }

    /// Makes one that is over, and right otherwise; none where the gateway's keys cannot be read.
    pub(super) fn over(&self, name: &str) -> Option<String> {
        let now = SystemClock.now();
        let ring = self.ring(self.settings.state_directory.as_deref()?)?;
        let key = ring.current(self.route.release.algorithm, now)?;
        self.sign(key, name, earlier(now, OVER))
    }

    fn stranger(&self) -> SigningKey {
        SigningKey::generate(self.route.release.algorithm)
    }

    fn ring(&self, folder: &Path) -> Option<KeyRing> {
        let kept = private::read(&folder.join(KEY_RING)).ok()??;
        let text = zeroize::Zeroizing::new(String::from_utf8(kept).ok()?);
        let algorithms = [self.route.release.algorithm];
        KeyRing::restore(&text, self.settings.key_rotation, &algorithms).ok()
    }

    /// Signs one; none where that fails, since an empty token would be refused for being empty.
    fn sign(&self, key: &SigningKey, name: &str, begins: Time) -> Option<String> {
        let begins = begins.as_second();
        let claims: Value = json!({
            "iss": self.settings.gateway.origin,
            "aud": self.route.release.audience,
            "sub": name,
            "sid": name,
            "jti": random::handle(),
            "iat": begins,
            "nbf": begins,
            "exp": begins + 300,
            "auth_time": begins,
            "acr": Assurance::High.uri(),
            "given_name": name,
            "family_name": name,
            "birthdate": "1970-01-01",
        });
        key.token(&claims).ok()
    }
}

//! What a failure is in the history of a login.

use super::failure::Failure;
use crate::base::foreign::{MAXIMUM, sentence};
use crate::flow::history::Outcome;

impl Failure {
    /// Returns what is kept of it in the history of a login.
    pub(super) fn outcome(&self) -> Outcome {
        let finding = self.finding.as_deref().cloned();
        let detail = match finding {
            // The typed finding says it, and the sentence may repeat what the node says.
            Some(_) => String::new(),
            None => sentence(&self.detail, MAXIMUM),
        };
        Outcome::Refused {
            reason: self.code.as_str().to_owned(),
            status: self.status.as_u16(),
            page: self.page.name().to_owned(),
            finding,
            detail,
        }
    }
}

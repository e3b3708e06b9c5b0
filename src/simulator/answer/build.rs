//! Builds an answer step by step, each with the faults that belong to it.

use super::additions;
use super::alter::{self, Alteration};
use super::login::Login;
use super::message::{Seal, artifact_response, response};
use super::plan::Plan;
use super::wire;
use crate::base::clock::Time;
use crate::simulator::Error;
use crate::simulator::faults::Fault;
use crate::simulator::kit::Kit;
use crate::xml::signer::Signer;

/// Builds the whole answer to an `ArtifactResolve`: a SOAP envelope, or what a fault puts in its
/// place.
///
/// # Errors
/// When the recipient's key is unusable.
pub fn build(login: &Login<'_>, kit: &Kit, faults: &[Fault], now: Time) -> Result<Vec<u8>, Error> {
    build_with_assertion(login, kit, faults, now).map(|(answer, _)| answer)
}

/// Builds the same, and returns the assertion as it was before it was sealed, when there is one.
///
/// # Errors
/// When the recipient's key is unusable.
pub fn build_with_assertion(
    login: &Login<'_>,
    kit: &Kit,
    faults: &[Fault],
    now: Time,
) -> Result<(Vec<u8>, Option<String>), Error> {
    // 1. Some answers are no message at all.
    if let Some(bytes) = wire::instead(faults) {
        return Ok((bytes, None));
    }
    // 2. Everything that will be said, right but for the faults.
    let plan = Plan::new(login, kit, faults, now);
    let (inside, assertion) = match &plan.inner {
        Some(inner) => {
            let (sealed, assertion) = plan.write_assertions(faults, kit)?;
            (response(inner, seal(faults, kit, Layer::Inner), &sealed), assertion)
        }
        None => (String::new(), None),
    };
    let template = artifact_response(&plan.outer, seal(faults, kit, Layer::Outer), &inside);
    let alteration = Alteration::new(&plan, faults)?;
    let template = alter::before_signing(template, faults);
    let template = additions::to_message(template, faults, &alteration.forged);

    // 3. The inner signature, then the outer one. Some faults come in between, so that only the
    //    check of the inner message can find them.
    let mut text = template;
    if let (Some(inner), Some(signer)) = (&plan.inner, signer(faults, kit, Layer::Inner)) {
        text = signer.sign(&text, &[&inner.id])?;
    }
    text = alteration.between(text);
    if let Some(signer) = signer(faults, kit, Layer::Outer) {
        text = signer.sign(&text, &[&plan.outer.id])?;
    }
    text = alteration.after(text);

    // 4. The envelope.
    Ok((wire::envelope(&text, &alteration, faults), assertion))
}

/// The two messages of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Outer,
    Inner,
}

fn signer<'k>(faults: &[Fault], kit: &'k Kit, layer: Layer) -> Option<&'k Signer> {
    let has = |fault| faults.contains(&fault);
    let (unsigned, foreign) = match layer {
        Layer::Outer => (Fault::UnsignedArtifactResponse, false),
        Layer::Inner => (Fault::UnsignedResponse, has(Fault::ForeignInnerSignature)),
    };
    if has(unsigned) || has(Fault::UnsignedBoth) {
        None
    } else if foreign || has(Fault::ForeignSignature) {
        Some(kit.stranger_signer())
    } else {
        Some(kit.node_signer())
    }
}

fn seal<'k>(faults: &[Fault], kit: &'k Kit, layer: Layer) -> Seal<'k> {
    signer(faults, kit, layer).map_or(Seal::None, Seal::Template)
}

//! Who could satisfy a rule, of the people and by the ways in that the simulated node has.

use crate::gate::requirement::Requirement;
use crate::identity::assurance::Assurance;
use crate::report::Text;
use crate::simulator::faults::Fault;
use crate::simulator::people::Way;

/// What a citizen chooses at the node.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// The key of the person.
    pub(super) person: &'static str,
    pub(super) way: Way,
    /// The level that the node confirms: that of the way, unless another is wanted.
    pub(super) assurance: Assurance,
    pub(super) faults: Vec<Fault>,
}

/// An adult with a PESEL: she satisfies all that can be asked of a person.
pub(super) const ANNA: &str = "anna";

impl Choice {
    /// Anna, by a way in and at its level.
    pub(super) fn by(way: Way) -> Self {
        Self { person: ANNA, way, assurance: way.assurance(), faults: Vec::new() }
    }

    /// The first way in that has a level.
    pub(super) fn at(level: Assurance) -> Self {
        let way = Way::ALL.into_iter().find(|way| way.assurance() >= level);
        let way = way.unwrap_or(Way::IdentityCard);
        Self { assurance: way.assurance().max(level), ..Self::by(way) }
    }

    /// Another person.
    pub(super) fn person(self, person: &'static str) -> Self {
        Self { person, ..self }
    }

    /// Something goes wrong at the node.
    pub(super) fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}

/// Returns a level as the law calls it (eIDAS, art. 8), with its name in the protocol.
pub(super) fn level(assurance: Assurance) -> Text {
    let (pl, en) = match assurance {
        Assurance::Low => ("niski (low)", "low"),
        Assurance::Substantial => ("średni (substantial)", "substantial"),
        Assurance::High => ("wysoki (high)", "high"),
    };
    Text::new(pl, en)
}

/// Whether anybody could satisfy a rule.
#[derive(Debug)]
pub(super) enum Possible {
    /// By this choice.
    Yes(Choice),
    /// By no way in that there is.
    No(Text),
    /// By ways in that are not simulated.
    Unknown(Text),
}

/// Finds a choice that satisfies a rule of a service that asks for `least` at every login.
pub(super) fn satisfying(needs: &Requirement, least: Assurance) -> Possible {
    let wanted = needs.assurance.max(least);
    let is_named = |way: &Way| {
        needs.authorities.is_empty() || needs.authorities.iter().any(|one| one == way.authority())
    };
    let named: Vec<_> = Way::ALL.into_iter().filter(is_named).collect();
    if let Some(way) = named.iter().find(|way| way.assurance() >= wanted) {
        return Possible::Yes(Choice::by(*way));
    }
    let is_simulated = |one: &String| Way::ALL.iter().any(|way| way.authority() == one);
    if needs.authorities.iter().all(is_simulated) {
        let (ways, level) = (needs.authorities.join(", "), level(wanted));
        return Possible::No(Text::new(
            format!("żaden z dopuszczonych sposobów ({ways}) nie daje poziomu: {}", level.pl),
            format!("none of the ways that are taken ({ways}) gives the level {}", level.en),
        ));
    }
    Possible::Unknown(Text::new(
        "symulator nie ma dopuszczonych sposobów logowania",
        "the simulator has none of the ways in that are taken",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(assurance: Assurance, authorities: &[&str]) -> Requirement {
        let authorities = authorities.iter().map(|one| (*one).to_owned()).collect();
        Requirement { authorities, ..Requirement::level(assurance) }
    }

    #[test]
    fn what_no_way_gives_is_impossible_and_what_is_not_simulated_is_unknown() {
        let found = |needs: &Requirement| satisfying(needs, Assurance::Low);
        for (needs, way) in [
            (needs(Assurance::Low, &[]), Way::TrustedProfile),
            (needs(Assurance::High, &[]), Way::IdentityCard),
            (needs(Assurance::Substantial, &["bank.symulator"]), Way::Bank),
        ] {
            assert!(
                matches!(found(&needs), Possible::Yes(choice) if choice.way == way),
                "{needs:?}"
            );
        }
        let impossible = needs(Assurance::High, &["pz.gov.pl"]);
        assert!(matches!(found(&impossible), Possible::No(_)));
        let unknown = needs(Assurance::High, &["pz.gov.pl", "bank.example"]);
        assert!(matches!(found(&unknown), Possible::Unknown(_)));
        let raised = needs(Assurance::Low, &["pz.gov.pl"]);
        assert!(matches!(satisfying(&raised, Assurance::High), Possible::No(_)));
    }
}

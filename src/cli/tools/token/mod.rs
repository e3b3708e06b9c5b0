//! `brama token`: signed identities for people who write backends, without a login.
//!
//! 1. A token is minted by the code of the gateway ([`crate::identity`]), for an invented person of
//!    the simulator. What a backend accepts here it accepts there, but for the issuer and the keys.
//! 2. The keys are for development only and are kept under a name and in a form of their own
//!    ([`development`]). A folder that a gateway keeps its state in is refused.
//! 3. Vectors ([`vectors`]) are made anew each time, because tokens live for five minutes.

mod development;
mod forged;
mod mint;
mod serve;
mod vectors;

use std::path::PathBuf;
use std::process::ExitCode;

use self::development::DevelopmentKeys;
use self::mint::Order;
use self::serve::{Bound, KeySets};
use crate::base::clock::{Clock, SystemClock};
use crate::cli::output::{fail, print};
use crate::identity::assurance::Assurance;
use crate::identity::claims::PersonalClaim;
use crate::simulator::people::{PEOPLE, Person};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// An invented person of the simulator, such as "anna", "zofia" or "jurgen".
    #[arg(long, default_value = "anna", value_name = "KEY", value_parser = person)]
    person: &'static Person,
    /// The backend that the token is for: "audience" of the route.
    #[arg(long, default_value = "portal", value_name = "NAME")]
    audience: String,
    /// The level of assurance: low, substantial or high. With --vectors, the lowest that the
    /// backend is to accept.
    #[arg(long, default_value = "substantial", value_name = "LEVEL", value_parser = level)]
    level: Assurance,
    /// What the backend is told of the person, with commas between.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "given_name,family_name",
        value_name = "CLAIMS"
    )]
    claims: Vec<Claim>,
    /// Tells the backend nothing of the person but the pseudonym.
    #[arg(long, conflicts_with = "claims")]
    no_claims: bool,
    /// Who the token says it is from. Left out, where --serve serves the keys, or
    /// "http://localhost:8090".
    #[arg(long, value_name = "ORIGIN")]
    issuer: Option<String>,
    /// Serves the public keys on this port of loopback, below /.brama/jwks.json, until it is
    /// stopped; 0 takes any free port.
    #[arg(long, value_name = "PORT")]
    serve: Option<u16>,
    /// Writes test vectors for a backend into this folder in place of a token.
    #[arg(long, value_name = "FOLDER")]
    vectors: Option<PathBuf>,
    /// Where the development keys are kept. Left out, in the user's folder for state.
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
}

/// A claim about the person.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Claim {
    GivenName,
    FamilyName,
    Birthdate,
    Pesel,
}

/// The port of the keys that an issuer stands for when nothing else is said.
const USUAL_PORT: u16 = 8090;

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match prepare(arguments) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some((bound, sets))) => bound.serve(sets),
        Err(error) => fail(error),
    }
}

/// Makes and prints what is asked for; returns what is to be served after that.
fn prepare(arguments: &Arguments) -> Result<Option<(Bound, KeySets)>, String> {
    // 1. The port first: it is part of the issuer.
    let bound = arguments.serve.map(Bound::bind).transpose()?;
    let port = bound.as_ref().map_or(USUAL_PORT, Bound::port);
    let here = format!("http://localhost:{port}");
    let issuer = arguments.issuer.clone().unwrap_or_else(|| here.clone());
    let order = Order {
        issuer,
        audience: arguments.audience.clone(),
        claims: arguments.claims(),
        person: arguments.person,
        level: arguments.level,
    };
    let now = SystemClock.now();

    // 2. Vectors have keys of their own, some of which were retired.
    if let Some(folder) = &arguments.vectors {
        let made = vectors::make(order, &here, now).map_err(|error| error.to_string())?;
        made.write(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        print(format_args!("Vectors are in {}", folder.display()));
        return Ok(bound.map(|bound| (bound, made.sets)));
    }

    // 3. A token alone on a line, so that it can be put into another command.
    let keys = DevelopmentKeys::load_or_make(arguments.directory.as_deref(), now)
        .map_err(|error| error.to_string())?;
    let token = mint::token(keys.ring(), &order, now).map_err(|error| error.to_string())?;
    print(token);
    let sets = KeySets { published: keys.ring().jwks(now), of_attacker: None };
    Ok(bound.map(|bound| (bound, sets)))
}

impl Arguments {
    fn claims(&self) -> Vec<PersonalClaim> {
        let asked = self.claims.iter().filter(|_| !self.no_claims);
        let personal = asked.map(|claim| match claim {
            Claim::GivenName => PersonalClaim::GivenName,
            Claim::FamilyName => PersonalClaim::FamilyName,
            Claim::Birthdate => PersonalClaim::Birthdate,
            Claim::Pesel => PersonalClaim::Pesel,
        });
        personal.collect()
    }
}

/// Finds a person who can sign in.
fn person(key: &str) -> Result<&'static Person, String> {
    let found = Person::find(key).filter(|person| person.status.is_none());
    found.ok_or_else(|| {
        let known = PEOPLE.iter().filter(|person| person.status.is_none());
        let known: Vec<_> = known.map(|person| &*person.key).collect();
        format!("nobody of that name signs in at the simulator; there are {}", known.join(", "))
    })
}

fn level(text: &str) -> Result<Assurance, String> {
    Assurance::parse(text).ok_or_else(|| "expected low, substantial or high".to_owned())
}

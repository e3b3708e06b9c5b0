//! The program over real sockets: a gateway assembled from a configuration file, the simulator of
//! the node behind TLS, a portal that records what reaches it, and a browser with cookies.
//!
//! One binary, because linking is slow. What belongs where:
//!
//! | file | behaviour |
//! |---|---|
//! | `login` | a citizen signs in, in every way that is right |
//! | `refusals` | logins that sign nobody in, each with its reason |
//! | `theft` | whose login it is: who finishes is who began and who delivered |
//! | `way_back` | where a citizen comes back to |
//! | `office` | pages that look like the office's own: before the node, the way back, the language |
//! | `pages` | what the page about a refusal says |
//! | `persons` | whoever is signed in stays who they are |
//! | `tabs` | many tabs, reloads, broken connections: an outcome belongs to the citizen |
//! | `faults` | every fault and quirk of the simulated node |
//! | `node` | a node that is slow, down, or talks rubbish |
//! | `limits` | how often one network may try, and that floods leave nothing behind |
//! | `outage` | the switch for a node that is away |
//! | `logout` | a citizen signs out |
//! | `logs` | what is written into the log, and what never is |
//! | `doors` | who may go where: pages, programs, frames, forms |
//! | `machines` | pages that a browser fetches ahead, and HEAD: nothing begins |
//! | `forms` | what a citizen typed when the session ended, and where a login leads back to |
//! | `hosts` | portals on unrelated hosts: the session is handed over, and to nobody else |
//! | `policy` | what a rule may ask beyond a login |
//! | `explain_policy` | mistakes in rules that `check` finds, and `explain-policy` |
//! | `portal_cookies` | the portal's own session does not outlast the citizen's |
//! | `policies` | random policies: gateway, `explain-policy` and the warnings of `check` agree |
//! | `identity` | what a backend receives, and that nobody can forge it |
//! | `lenient` | spellings of paths that a route takes; `OPTIONS *`; ports that are not ours |
//! | `routing` | what a route does: prefixes, redirects, answers, headers, work; proxies in front |
//! | `access` | the access log |
//! | `traces` | which request led to which: what is believed, what goes on, what a collector gets |
//! | `passage` | requests and answers that pass through |
//! | `operations` | health, readiness, stopping |
//! | `regression` | mistakes that were made once |
//! | `simulator` | the simulator as a program: persons, service providers, records, bad TLS, bad hours |
//! | `selftest` | `brama selftest`: what is shipped passes, planted mistakes are found, nothing real is touched |
//! | `sockets` | sockets that are passed to the program |
//! | `commands` | the command line: check, explain, run, reference |
//! | `certs` | `brama certs`: what is read in whatever form, compared, asked for |
//! | `onboarding` | `brama onboarding`, `brama certs renew`: certificates that others made are put in place |
//! | `why` | `brama why`: every wrong answer of the node is told with its check, values and advice |
//! | `reason` | `brama reason`: what stands in the manual of a code |
//! | `token` | `brama token`: test tokens and test vectors for people who write backends |

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

mod access;
mod certs;
mod commands;
mod doors;
mod explain_policy;
mod faults;
mod forms;
mod harness;
mod hosts;
mod identity;
mod lenient;
mod limits;
mod login;
mod logout;
mod logs;
mod machines;
mod node;
mod office;
mod onboarding;
mod operations;
mod outage;
mod pages;
mod passage;
mod persons;
mod policies;
mod policy;
mod portal_cookies;
mod reason;
mod refusals;
mod regression;
mod routing;
mod selftest;
mod simulator;
mod sockets;
mod tabs;
mod theft;
mod token;
mod traces;
mod way_back;
mod why;

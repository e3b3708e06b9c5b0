//! # Who may go where
//!
//! **Which route decides.** The host must be the same. Then the longest `path` decides, and among
//! routes of the same host and path the one that names the method in `methods`; the order in the
//! file means nothing. Two routes that tie are a mistake that `check` reports with both places.
//!
//! A place is the routes of one host and path, and nobody else has a say there. When none of them is
//! for the method, the request gets 405 with `Allow` (`request.method_not_allowed`), even when a
//! route with a shorter path would take it: `GET /admin` for officials must not leave `POST /admin`
//! to a public route for `/`. Methods are compared letter by letter, and `HEAD` does not come with
//! `GET`, nor `OPTIONS`, by which browsers ask before scripts of other origins. What no route covers
//! is denied.
//!
//! A portal that takes a request for one with another method goes round rules for methods. The headers
//! for that (`X-HTTP-Method-Override` and its like) are refused where rules name methods. A field of
//! the body or the query (`_method`) is the portal's own, and the gateway does not look for it: switch
//! that off in the portal, or ask for the same of all methods that a form can be turned into.
//!
//! **What it asks.** `access` is `"public"` (nobody's name is passed on), `"optional"` or
//! `"required"`. A route with `"required"` may ask for more:
//!
//! | key | what it asks | who does not fulfil it |
//! |---|---|---|
//! | `assurance` | at least this level | goes to the node for it and comes back (step-up) |
//! | `max_age` | the citizen identified at most so long ago | goes to the node with `ForceAuthn="true"` and comes back |
//! | `authorities` | the node names one of these as `AuthenticatingAuthority` | 403 `policy.way_not_allowed`, a page that offers to sign in again |
//! | `require = ["adult"]` | the 18th birthday has begun in Poland | 403 `policy.not_adult` or `policy.birthdate_unknown` |
//! | `require = ["pesel"]` | the citizen has a PESEL | 403 `policy.no_pesel`, a page that offers to sign in again |
//!
//! What no login mends is looked at first, then level and age together, then the way in. Only level
//! and age send anybody to the node by themselves, so nobody goes round in circles. `require` reads
//! attributes that the node must be asked for, see `service.required_attributes`. Who is an adult is
//! explained in [`crate::gate::majority`]: a person born on 29 February is one from 28 February, and
//! no time zone data is needed.
//!
//! ```toml
//! [[route]]                       # everybody reads the news
//! path = "/news"
//! upstream = "portal"
//! access = "public"
//! methods = ["GET", "HEAD"]
//!
//! [[route]]                       # whoever changes them proved it in the last ten minutes
//! path = "/news"
//! upstream = "portal"
//! methods = ["POST", "PUT", "DELETE"]
//! assurance = "high"
//! max_age = "10m"
//!
//! [[route]]                       # only adults with a PESEL, by the trusted profile
//! path = "/declarations"
//! upstream = "portal"
//! authorities = ["pz.gov.pl"]
//! require = ["adult", "pesel"]
//! ```
//!
//! **Anew.** A login for a route with `max_age` asks the node for `ForceAuthn`, whatever
//! `service.force_authn` says, and the `AuthnInstant` of the answer must not lie before the moment
//! at which that login began, less `service.clock_skew`. A node that answers with an older one signs
//! nobody in (`login.not_fresh`), and the session from before stays as it was. `max_age` is at least
//! a minute more than the skew, so that the citizen arrives before the new login is too old as well.
//! After every login, so after a step-up too, the session has a new id and the old one is worth
//! nothing. A rule is asked when a request comes: a WebSocket or a download that has begun goes on
//! when the login has become too old, until its session ends or the rule is another one
//! ([`super::protocols`]).
//!
//! **Two places.** `MOVE` and `COPY` (WebDAV) pass when the same session may do the same at their
//! `Destination`, and `PUT`, and `DELETE` unless `Overwrite: F`; the upstream must be the same, and so
//! must what the rules below both places say. Methods with further places in their body (`BIND`, `REBIND`,
//! `UNBIND`, `MERGE`, `BCOPY`, `BMOVE`, `BDELETE`, `BPROPPATCH`) pass only where `methods` names them.
//! [`crate::http::destination`] says it all.
//!
//! **Programs.** A script that meets such a route gets 401 with JSON and, as RFC 9470 has it,
//! `WWW-Authenticate: Brama error="insufficient_user_authentication", acr_values="...",
//! max_age="600"`; `max_age` only where the route has one. Both have `login`: the address to which
//! the script sends the whole window. It takes `return_to`, `assurance` and `max_age` in seconds;
//! `max_age=0` asks for a new login in any case.
//!
//! **Why was that?** `brama explain-policy` takes a request through the same functions as a running
//! gateway and says which route decides, which others matched and why they lost, and what a page and
//! a script would get. Exit status 0 when it passes, 1 when not, 2 when it was called wrongly.
//!
//! ```text
//! $ brama explain-policy POST /news/7 --config brama.toml --level high --age 20m
//! POST /news/7 on portal.example.gov.pl
//! signed in: somebody at the level high, 20m ago, by an authority that was not named, ...
//! verdict: STEP_UP
//!   the login is 20m old, and may be 10m at the most
//! navigation: 401 request.form_without_session: "Your session ended and the form was not sent"
//! fetch: 401 step_up_required: JSON, and WWW-Authenticate: Brama error="insufficient_user_...
//! rules:
//!   route[0] portal.example.gov.pl/news, GET, HEAD: public
//!     covers the path, but is for other methods
//!   route[1] portal.example.gov.pl/news, POST, PUT, DELETE: login at the level high or higher, ...
//!     decides
//!   others, for other paths or hosts: 1
//! ```

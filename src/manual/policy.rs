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
//! A `path` is a beginning: `/admin` covers `/admin`, `/admin/` and `/admin/users/7`, not `/adminx`.
//! There are no patterns, so `/admin/*`, `/users/{id}`, `/users/:id`, `/(a|b)`, `/admin$` and `/x?y=z` are
//! errors: each would match nothing and leave what it was written for to the next shorter path. A name
//! that has such a sign in it is written percent-encoded (`/%24metadata`), as are letters beyond ASCII
//! (`/%C5%BC%C3%B3%C5%82w`).
//!
//! **Where an upstream reads a path otherwise.** The gateway compares paths segment by segment and with
//! case. Most portals take more than one spelling for the same place (`/Admin`, `/adminx`, `/admin.json`,
//! `/index.php/admin`), and then a route for `/admin` protects just as much as the route above it lets
//! through. What nginx, Apache, Express, PHP and others take for more, and what to configure there, stands
//! in [`super::upstream_paths`]; a test with the real programs keeps its table true.
//!
//! With the route for `/` the strictest there is nothing to go round: what is spelled otherwise meets
//! the strictest rule. So:
//!
//! 1. Make `/` the strictest route and open single paths below it. That is the safe shape, whatever the
//!    upstream is.
//! 2. Where `/` must be open, let the portal check the level itself (`acr` in the token), or give what is
//!    protected an upstream, or a host, of its own.
//! 3. `check` warns of a route that is more open than one below it at the same upstream, and of second
//!    doors: a prefix that is taken off or put before, or another host, by which requests reach what
//!    another route protects. Two hosts that the upstream tells apart get a fixed `host_header` each.
//!
//! `[[upstream]] ignores_case = true` is for upstreams that ignore case. The paths of routes that lead to
//! it are compared without case, `/Admin` is `/admin`, and two of them may not differ in case alone. On the
//! same host, fixed answers and redirects are compared without case too, and routes that lead elsewhere
//! with case, as their upstream reads them. A request that would go on to the upstream that ignores case,
//! although to that upstream it is for a place with a longer path which leads elsewhere, is denied
//! (`request.no_route`): `/docs`, when `/` leads there and `/Docs` to another upstream. Denied as well is
//! what only some servers take for the same letter, such as `ſ` for `s` ([`crate::gate::case`]).
//!
//! A segment that ends in a dot is refused everywhere (`request.ambiguous_path`), see
//! [`crate::request::path`].
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
//! **What is asked of the node** is never less than `service.assurance`: it is the level of every login,
//! and of every session. A route may ask for more; one that asks for less is an error of the
//! configuration. Whoever wants a route with a lower level lowers `service.assurance` to it, and writes
//! the higher level on the routes that need it. The link `login` takes `assurance` and `max_age` from
//! whoever follows it, so it can be made to ask for more, and never for less: the highest level of the
//! link, of the route that `return_to` leads to and of the service holds, and the least age. So a route
//! with `"optional"` names nobody whose login was weaker than the service asks for.
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
//! [`crate::gateway::destination`] says it all.
//!
//! **Programs.** A script that meets such a route gets 401 with JSON and, as RFC 9470 has it,
//! `WWW-Authenticate: Brama error="insufficient_user_authentication", acr_values="...",
//! max_age="600"`; `max_age` only where the route has one. Both have `login`: the address to which
//! the script sends the whole window. It takes `return_to`, `assurance` and `max_age` in seconds;
//! `max_age=0` asks for a new login in any case.
//!
//! **Why was that?** `brama explain-policy` takes a request through the same functions as a running
//! gateway and says which route decides, which others matched and why they lost, and what a page and
//! a script would get; of `TRACE` and `CONNECT`, too, that they get 405 whatever the rules say. Exit
//! status 0 when it passes, 1 when not, 2 when it was called wrongly.
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

//! # How sessions live, and where they are kept
//!
//! A session begins with a login and gets a new id with each further one. It ends when nothing happened
//! for `session.idle`, at the latest after `session.absolute`, at the end that the node's answer names,
//! when the citizen signs out, when an operator ends it, or when the same person has more than
//! `session.maximum_per_person`. In the last two cases the next page says so. Requests with the header
//! `X-Brama-Background` and questions to `/.brama/session` are no signs of life; `POST
//! /.brama/keepalive` is one, for "stay signed in".
//!
//! Portals on other hosts share the session: [`super::hosts`].
//!
//! # Session timer
//!
//! A citizen who fills in a long form must not lose it because the time was over (WCAG 2.2, success
//! criteria 2.2.1 and 2.2.6). A portal includes one line in its pages:
//!
//! ```html
//! <script src="/.brama/session.js" defer></script>
//! ```
//!
//! With another `portal.prefix` the address is another one; the script finds the rest by its own address.
//! It must be on the origin of the page, because the session is a cookie of that host.
//!
//! **What the citizen sees.** Two minutes before the session ends because nothing happens, a dialog with
//! "stay" and "sign out". Escape means "stay": whoever presses it is there. When the session cannot be
//! prolonged any more, the dialog says so and offers to save or to sign in again; once put aside it is
//! not shown again on each page. When the session has ended, the dialog says why, that what was typed is
//! still on the page, and offers to sign in again. That opens a new tab: a login leaves the page, and
//! what was typed would go with it. When the citizen is signed in again, the dialog of the first tab goes
//! away by itself. If it is another person by name, the dialog asks to reload the page instead; where the
//! policy tells scripts no name, that cannot be seen.
//!
//! **What it says is what the gateway said.** Only an answer of `/.brama/session` ends a session. While
//! nothing answers, or something else than 200 and JSON, the script asks again after 2, 4, 8 … 60 seconds
//! and claims nothing. Times are those of the clock on the wall, so after a sleep, and whenever the tab is
//! shown again or the network is back, it asks first. It asks about once a minute, in a hidden tab every
//! five; tabs of one browser tell each other what they heard, so mostly one of them asks, and one
//! "stay" closes the dialog in all. Who is not signed in is asked about once for each page.
//!
//! **Typing is a sign of life.** Otherwise 15 minutes of writing would end a session although somebody
//! is there. So by default keys and taps of the citizen (not those of scripts, and no mere movement of
//! the mouse) are told with `POST /.brama/keepalive`, at most once in a fifth of `session.idle`, and never
//! beyond `session.absolute`. A portal where only requests may count sets
//! `data-extend-on-activity="off"`. By itself the script never prolongs anything.
//!
//! | attribute of the script | what it does |
//! |---|---|
//! | `data-warn-seconds="120"` | when to warn, 20 at least; never in the first 20 seconds of an idle time, nor in the first half of a short one |
//! | `data-lang="en"` | the language, `pl` or `en`; else that of `<html lang>`, else Polish |
//! | `data-extend-on-activity="off"` | typing is no sign of life |
//! | `data-banner="off"` | no dialog: the portal has its own, by the events below |
//! | `data-return="/signed-in"` | where a new login leads; else the address of the page |
//! | `data-poll-seconds="60"` | how often to ask, 5 at least |
//!
//! | event on `document` | `detail` | when |
//! |---|---|---|
//! | `brama:warn` | `end` (milliseconds since 1970), `extendable` | the end is near; once more when it cannot be prolonged any longer |
//! | `brama:extended` | `end` | the end is later than it was |
//! | `brama:ended` | `reason`: `expired`, `signed_out`, `elsewhere`, `operator`, `changed` (another person) | the gateway says that it ended |
//! | `brama:resumed` | `end` | the same citizen is signed in again |
//!
//! A portal with its own dialog sends `brama:extend` to `document` for "stay". `/.brama/session` answers
//! whoever needs more:
//!
//! | field | what it says |
//! |---|---|
//! | `signed_in` | whether there is a session; if not, only `ended` follows, and only where an operator (`operator`) or a login elsewhere (`elsewhere`) ended it |
//! | `seconds_left`, `limit` | until it ends if nothing happens, and whether by `idle` or `absolute` |
//! | `idle_seconds` | `session.idle` |
//! | `absolute_seconds_left` | until it ends whatever happens |
//! | `given_name`, `family_name`, `acr`, `auth_time` | as in the signed identity; names only if some route of that host releases them |
//!
//! **Content security policy.** The page must allow `script-src 'self'`, `connect-src 'self'`, and, if it
//! has a `form-action`, there `'self'` (for "sign out"); `default-src 'self'` covers the first two. Nothing
//! inline, no `eval`, no `style-src`: the style is a constructed sheet in a shadow tree, so the portal's
//! styles and the dialog's do not meet. It works under `require-trusted-types-for 'script'`. With nonces or
//! hashes the tag needs its own. A browser without constructed sheets shows its plain dialog.
//!
//! **Words** (`src/pages/text/timer.rs`; `{time}` is "2 minutes", and seconds in the last minute; they are
//! read out at each full minute, at 30 and at 15 seconds):
//!
//! | when | Polish | English |
//! |---|---|---|
//! | the time is nearly over | Wkrótce nastąpi wylogowanie | You will soon be signed out |
//! | it cannot be prolonged | Sesja wkrótce się skończy | Your session is about to end |
//! | its time was over, or signed out in another tab | Sesja się skończyła | Your session has ended |
//! | the person signed in elsewhere | Wylogowano: zalogowano się w innym miejscu | Signed out: you signed in elsewhere |
//! | an operator ended it | Sesja została zakończona przez urząd | Your session was ended by the office |
//! | another person signed in | Zalogowana jest inna osoba | Somebody else is signed in |
//! | nothing answers | Nie możemy teraz połączyć się z portalem … | We cannot reach the portal at the moment … |
//!
//! The file has an `ETag` and may be kept for ten minutes; after an update of the gateway old and new
//! understand each other. To see it: `brama demo`, sign in, "Wniosek"; or `brama demo --idle 1m`.
//!
//! # Which store
//!
//! | `store.kind` | sessions survive | for |
//! |---|---|---|
//! | `memory` | nothing | one process; a restart signs everybody out |
//! | `file` | a restart and `kill -9`; what was answered is on the disk | one process on one machine |
//! | `redis` | that, as far as the servers keep it, and the loss of a replica | several replicas |
//!
//! The same place keeps what became of logins and what must not be used twice (artifacts, assertions). A
//! login under way is in the cookie of its browser ([`super::logins`]), so it ends at any replica that has
//! the same secret.
//!
//! **What is in it.** Keys are hashes of the ids in cookies. Records are sealed with a key from that id,
//! which the store does not know, and from a secret of the servers ([`crate::store::seal`]), so that
//! whoever can write to the store seals nothing. Not sealed are the level, the times, the public name of
//! the session, and a keyed digest of the person, by which operators find all sessions of one.
//!
//! **The secret.** The files in `store.secret_files`; without them, `store-secret` in
//! `portal.state_directory`, or with a file and no such folder, `PATH.secret` beside it. It is made when
//! it is missing, and belongs into the backup of the store no more than a key into its lock. Every replica
//! needs the same: the first one may make it, and its file is then copied to the others, or made by
//! `(umask 077; head -c 32 /dev/urandom > FILE)` and given to all. A replica that has no secret in common
//! with those that run does not start, and says which one has which file. To rotate: give the new one behind the old
//! one to every replica; then put it first; then, when `session.absolute` has passed, take the old one
//! away. To change it at once, as after a break-in, stop all replicas for a minute: everybody signs in
//! anew. Every replica needs the same `identity.pairwise_secret_file` too, and the same configuration of
//! the node.
//!
//! **Near.** Each process keeps up to `session.maximum` sessions ([`crate::session::sessions`]), some 350 to
//! 450 bytes each; a request of one of them asks nobody. When there are more, the one that would be idle
//! first makes room, of some that are looked at. Without a store behind it has ended then, and its tunnels
//! are cut; otherwise the store still has it. Signs of life are told to the store once in a twentieth of `session.idle`,
//! at most every 30 seconds, and when the process stops; so a process that is killed may forget that
//! much of the last ones. An end is told to all replicas within a second, and cuts tunnels, answers and
//! uploads that are under way ([`super::protocols`]).
//!
//! **A file** belongs to one process; a second one does not start and says why. With SIGUSR2 the
//! successor takes it over from its predecessor; requests wait for that, some milliseconds. The file
//! grows by doubling up to `store.file.maximum_size`. When it holds too many, the session that was begun
//! first makes room: it ends, and its tunnels are cut. A million sessions take about 1.3 GB.
//!
//! **Redis or Valkey.** Set `maxmemory-policy noeviction`: what is evicted could be used twice. Use TLS
//! and an ACL user. Replication does not wait, so a failover may lose what was written just before it:
//! a citizen signs in again, and an artifact of that moment could be presented again to the gateway,
//! which the node refuses. `min-replicas-to-write` narrows it.
//!
//! # When the store is away
//!
//! What citizens see, by whether the replica that they come to has seen their session before. Each row is
//! a test of the whole program (`tests/proxy/stores/outages.rs`):
//!
//! | the store | signed in, seen here | signed in, not seen here | signs in | signs out |
//! |---|---|---|---|---|
//! | is killed, or cannot be reached | goes on for `session.grace`, nobody waits | 503 | 503 | 503, and stays signed in |
//! | hangs, or takes longer than `command_timeout` | the same; the first may wait for that time | 503, in that time or at once | the same | the same; may be signed out by then |
//! | is slow, within `command_timeout` | goes on, nobody waits | waits for one answer | waits for some ten | waits for some |
//! | is full (`noeviction`) | goes on | goes on | 503 | can |
//! | fails over to its replica | as when it cannot be reached, then goes on | 503, then goes on | 503, then can | 503, then can |
//! | comes back empty | signs in again, once | signs in again, once | can | is told that they are not signed in |
//! | comes back as it was | goes on | goes on | can | can |
//!
//! The grace counts from when the store was first away, or from when this process may first have missed
//! something about the session and nobody confirmed it since, if that is earlier. So a session that was
//! ended elsewhere is never let in for longer than the grace after its end.
//!
//! Each 503 is a page (JSON for programs) with `Retry-After` and the reason `session.store_unavailable`.
//! Public pages go on in every row. Nobody is signed out because the store is away, nobody is let in, and
//! nobody is sent to the node in circles: without the store it is not known that there is no session. A
//! login that was on its way is not spent: repeating what failed finishes it when the store is back.
//!
//! `/readyz` stays 200 and says `the session store is away` until the store has taken something in again;
//! a store that nobody uses is asked every five seconds. The log says once `session store is away`, with
//! the reason, and once `session store is back`. Recovery needs nobody. With one replica and its
//! sentinels (`down-after-milliseconds 500`), a failover took two seconds.
//!
//! # Operators
//!
//! With `operations.admin_token_file`, `brama sessions list`, `show`, `end`, `end-person` and `end-all`
//! work on a running gateway, and so does what is below `/sessions` of the operations listener
//! ([`crate::operations::sessions`]). `end-person` reads the identifier from standard input: neither arguments nor
//! addresses nor the log ever hold one.

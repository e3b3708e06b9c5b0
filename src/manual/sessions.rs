//! # How sessions live, and where they are kept
//!
//! A session begins with a login and gets a new id with each further one. It ends when nothing happened
//! for `session.idle`, at the latest after `session.absolute`, at the end that the node's answer names,
//! when the citizen signs out, when an operator ends it, or when the same person has more than
//! `session.maximum_per_person`. In the last two cases the next page says so. Requests with the header
//! `X-Brama-Background` and questions to `/.brama/session` are no signs of life; `POST
//! /.brama/keepalive` is one, for "stay signed in".
//!
//! # Which store
//!
//! | `store.kind` | sessions survive | for |
//! |---|---|---|
//! | `memory` | nothing | one process; a restart signs everybody out |
//! | `file` | a restart and `kill -9`; what was answered is on the disk | one process on one machine |
//! | `redis` | that, as far as the servers keep it, and the loss of a replica | several replicas |
//!
//! The same place keeps logins under way and what must not be used twice (artifacts, assertions), so a
//! login may begin at one replica and end at another.
//!
//! **What is in it.** Keys are hashes of the ids in cookies. Records are sealed with a key from that id,
//! which the store does not know, and from the secrets in `store.secret_files` ([`crate::store::seal`]).
//! Not sealed are the level, the times, the public name of the session, and a keyed digest of the person,
//! by which operators find all sessions of one. To change a secret, put the new one first, and take the
//! old one away when `session.absolute` has passed. Every replica needs the same secrets, the same
//! `identity.pairwise_secret_file`, and the same configuration of the node.
//!
//! **Near.** Each process keeps the sessions that it saw last ([`crate::session::sessions`]); a request
//! of one of them asks nobody. Signs of life are told to the store once in a twentieth of `session.idle`,
//! at most every 30 seconds, and when the process stops; so a process that is killed may forget that
//! much of the last ones. An end is told to all replicas within a second, and cuts tunnels.
//!
//! **A file** belongs to one process; a second one does not start and says why. With SIGUSR2 the
//! successor takes it over from its predecessor; requests wait for that, some milliseconds. The file
//! grows by doubling up to `store.file.maximum_size`. A million sessions take about 1.3 GB.
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
//! ([`crate::http::admin`]). `end-person` reads the identifier from standard input: neither arguments nor
//! addresses nor the log ever hold one.

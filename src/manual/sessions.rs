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
//! **Near.** Each process keeps up to `session.maximum` sessions ([`crate::session::sessions`]), some 350 to
//! 450 bytes each; a request of one of them asks nobody. When there are more, the one that would be idle
//! first makes room, of some that are looked at. Without a store behind it has ended then, and its tunnels
//! are cut; otherwise the store still has it. Signs of life are told to the store once in a twentieth of `session.idle`,
//! at most every 30 seconds, and when the process stops; so a process that is killed may forget that
//! much of the last ones. An end is told to all replicas within a second, and cuts tunnels.
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
//! | what happens | who is signed in and was here | who is signed in elsewhere | who signs in | public pages |
//! |---|---|---|---|---|
//! | killed, or cannot be reached | goes on for `session.grace` | 503, `Retry-After`, a page | 503 | go on |
//! | hangs | goes on; first asked for `command_timeout` | 503 after that time | 503 | go on |
//! | full (`noeviction`) | goes on | goes on | 503 | go on |
//! | fails over | as when it cannot be reached, for as long as it takes | the same | 503 | go on |
//! | comes back empty | must sign in again | must sign in again | can | go on |
//! | comes back as it was | goes on | goes on | can | go on |
//!
//! The grace counts from when the store was first away, or from when this process may first have missed
//! something about the session and nobody confirmed it since, if that is earlier. So a session that was
//! ended elsewhere is never let in for longer than the grace after its end.
//!
//! Nobody is signed out because the store is away, and nobody is sent to the node in circles: without
//! the store it is not known that there is no session. `/readyz` stays 200 and says `the session store is
//! away`; the log says once that it is away and once that it is back. Recovery needs nobody.
//!
//! # Operators
//!
//! With `operations.admin_token_file`, `brama sessions list`, `show`, `end`, `end-person` and `end-all`
//! work on a running gateway, and so does what is below `/sessions` of the operations listener
//! ([`crate::http::admin`]). `end-person` reads the identifier from standard input: neither arguments nor
//! addresses nor the log ever hold one.

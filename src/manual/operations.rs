//! Running it: keys, certificates, ports, logs, reason codes, stopping.
//!
//! # Starting
//!
//! `brama check --config FILE` reads everything that a start reads, certificates and keys included,
//! and tells every problem at once: file, line, key, what is wrong, what to do. Exit status 0 means
//! that the configuration is usable; warnings do not change it. `brama run --config FILE` does the
//! same and then listens. A configuration with an error starts nothing. Without `--config`, the
//! file is `/etc/brama/brama.toml`.
//!
//! A change of the configuration is applied while the program runs (see below); certificates and keys
//! for citizens are read again by themselves. Whether sessions outlive a restart depends on where they
//! are kept ([`super::sessions`]).
//!
//! Each key can be given by the environment: `BRAMA__NODE__ISSUER` is `issuer` in `[node]`,
//! `BRAMA__ROUTE__0__PATH` is `path` of the first `[[route]]`. `brama reference` prints all keys,
//! `brama reference --schema` a JSON schema for editors.
//!
//! # Files that are secrets
//!
//! | file | who made it | what it is for |
//! |---|---|---|
//! | `service.signing_key` or `signing_p12` | you or the operator | signs our messages to the node |
//! | `service.decryption_keys` or `decryption_p12` | you or the operator | opens assertions |
//! | `listen.key` | you | TLS for citizens |
//! | `node.client_key` | the operator, if at all | TLS to the node |
//! | `identity.pairwise_secret_file` | you, if at all | the pseudonyms (`sub`) |
//! | `identity-keys.json` in the state folder | the program | signs identities |
//! | `pairwise-secret` in the state folder | the program | the pseudonyms, when no file is given |
//!
//! Make them readable by the user that the program runs as, and by nobody else. PEM keys have no
//! password; a PKCS #12 file has one, which stands in a file of its own.
//!
//! # The state folder
//!
//! `portal.state_directory` keeps two files, written whole and readable by the owner only. Without
//! it, both are made anew at each start: tokens of before are no longer valid, and **every citizen
//! gets a new `sub`**. So give one, and back up `pairwise-secret`: when it is lost, backends that
//! know citizens by `sub` know nobody. A damaged file stops the start; nothing is replaced
//! silently.
//!
//! # Certificates and their change
//!
//! **The node's.** `node.certificates` is a list of files, one certificate in each; only the first
//! of a file is read. When the operator announces a new certificate, add it beside the old one,
//! restart, and take the old one out when the node has changed. A certificate past its date is a
//! warning, or an error with `expired_certificate = "refuse"`.
//!
//! **Our decryption key.** Add the new key to `decryption_keys` and restart *before* the operator
//! registers the new certificate. Every key is tried. Take the old one out a day after.
//!
//! **Our signing key.** There is one at a time. Agree on the moment with the operator. Send one
//! login through at once.
//!
//! **Ours, ending soon.** `check` and `run` warn 30 days before the end of the signing certificate
//! and of certificates in PKCS #12 files.
//!
//! **TLS for citizens.** Replace the files; they are looked at every two seconds, through links, and
//! need no restart. Certificate, key and staple may be written in any order: what does not fit
//! together is not taken, the last good pair stays, and the log says why (`new certificate cannot
//! be used`). Connections that are open keep what they began with. `check` and `run` warn 30 days
//! before the end; a certificate past its date stays in use.
//!
//! There may be several ([`[[listen.certificates]]`](crate::config::file::Listen::certificates)):
//! a client gets the one for the host that it names, and the first one when there is none. For
//! old clients give an RSA pair beside an ECDSA pair with the same names. A file with an OCSP
//! staple is sent as it is: whoever fetches it replaces it before it ends, or removes the key from
//! the configuration, because some browsers refuse a staple that is too old.
//!
//! **HSTS.** `listen.hsts` is off until it is given, because browsers remember it: begin with
//! `"1h"`, and go to `"365d"` when every part of the portal is on https.
//!
//! # Who may read keys, and what else is checked of files
//!
//! `check` and the start refuse what others on the machine could use, and name the file, its mode and the
//! `chmod` to run:
//!
//! | what | must not be |
//! |---|---|
//! | private keys, passwords, tokens, secrets, files of the state folder and of the store | readable or writable for everybody, writable for the group |
//! | the configuration, certificates and authorities that are believed | writable for everybody |
//! | the state folder, the folder of the store | writable for everybody |
//! | folders with secrets, and that of a unix socket | writable for everybody, unless sticky |
//!
//! Readable for the group is fine: 0640 and `root:brama` is how a key is given to a service, and
//! `defaultMode: 0440` with `fsGroup` how it is on Kubernetes. Where modes mean nothing because nobody else
//! has the mount, name its folder in `portal.private_mounts`: secrets that Kubernetes mounts with its own
//! default of 0644, state on a volume whose files `fsGroup` makes writable for the group. The file of a
//! store must be 0600 there too. Owners are not compared: whoever owns a key is trusted with it.
//!
//! What the program writes, it writes for its owner only, and never through a link. The access log is
//! readable for the group (0640) when it is made.
//!
//! Nothing of the simulator (its certificates, its issuer) is believed with an environment of production,
//! or at a public address. An address is not public on localhost, in a private network, or with a label
//! such as `test`, `example` or `staging` in its host.
//!
//! # Keys of the signed identities
//!
//! They change by themselves every `identity.key_rotation`. `jwks.json` has the previous, the
//! current and the next key. A backend needs to do nothing but fetch the set again when it meets an
//! unknown `kid`, and may cache it for five minutes.
//!
//! # Upstreams: balancing and health
//!
//! An `[[upstream]]` is one server (`url`) or several (`servers`). A name that has several
//! addresses is several servers too; they share the weight of the name.
//!
//! **Who gets a request.** Servers take turns by `weight`, and the one whose turn it is gives way
//! to another that is less busy for its weight. With `slow_start`, a server that is new or came
//! back begins with a tenth of its share.
//!
//! **What requests teach.** `max_fails` failures in a row within `fail_timeout` (no connection, a
//! broken one, no answer in time; an answer with an error status is none) eject a server for
//! `fail_timeout`, then for twice as long, up to 32 times. Then one request tries it: a success
//! brings it back. Ejection prefers other servers and never refuses a request: the only server of
//! an upstream is never ejected, and when all are ejected, all are asked.
//!
//! **What health checks say.** With `health.path`, each server is asked every `health.interval`.
//! `unhealthy` bad answers in a row take it down, one is enough for a server that never was well,
//! and `healthy` good ones bring it back. A server that is down gets nothing. When all are down,
//! requests are answered with 503 at once (`upstream.no_healthy_server`), so name a path that
//! fails only when this very server cannot work, not when a database behind all of them is slow.
//!
//! **Names** are resolved at the start, every `dns_refresh`, and when nobody could connect, at most
//! every two seconds. A server that left gets no new requests and finishes those it has. When a
//! lookup fails or finds nothing, the last known addresses stay.
//!
//! **How many.** `max_requests` under way for the whole upstream, `max_pending` more in a queue, each
//! of them for at most `pending_timeout`. What is beyond is answered with 503 and `Retry-After`
//! (`upstream.busy`). So a portal that grows slow is not buried, and other upstreams do not notice.
//!
//! # How often one network may try
//!
//! `[limits]` counts four things for each network of a client, which is an IPv4 address or a /56 of
//! IPv6 by default: logins that begin (those that another site's page led to apart, and as many of them),
//! logins that come back from the node to the browser that began them, logins that were refused, and
//! sessions that the store was asked for in vain (a browser that still has the cookie of a session that ended
//! counts at most twice a minute; an invented cookie has no mark of ours and counts for nobody). Each has
//! so many a minute, as many at once and then evenly. What is more gets 429 with `Retry-After`: a page
//! for people, JSON for programs. Whoever is signed in is never counted, and a login that is turned
//! away on its way back is not spent: a reload a moment later goes on.
//!
//! The defaults are generous, because a ministry or a mobile network has thousands behind one address.
//! Name such networks in `limits.except` when `login.too_many_starts` is in the log for them. Under an
//! attack from many addresses of one provider, shorten `limits.ipv4_prefix` or `limits.ipv6_prefix`
//! for a while; it takes effect without a restart, and the counts begin anew.
//!
//! `limits.networks` bounds the memory. When more networks come, the one that was heard of longest ago
//! is forgotten and begins anew, and nobody is refused for it. So a flood from very many networks is
//! not stopped here: each beginning costs a signature and no memory, `node.max_concurrent` holds against
//! what goes on to the node, and the network in front must hold against the rest.
//!
//! A line of IPv6 is usually given a /56 (RIPE-690), so that is a network by default: with /64 whoever has
//! a line could count as 256 clients. Where lines have a /48, shorten it; where neighbours share a /56,
//! they share a count as they do behind one address of IPv4.
//!
//! Each process counts for itself: behind a balancer, two gateways allow twice as much.
//!
//! **The address must be right.** Behind a proxy that is not named (see below) all citizens are one
//! network. `check` warns where it can tell.
//!
//! # What strangers have us keep
//!
//! Logins that are being finished, wishes to be signed in at another host, codes, and forms are kept for
//! minutes for people who have not signed in. Room for each is shared out by the same networks
//! ([`crate::flow::room`]): what has expired goes first, then what the network with most brought first;
//! a network with no more than its equal share loses nothing, whatever others do. Where nobody has more
//! than that, the next one is not taken in; but for the handles of logins, without which everybody signs
//! in all the same.
//!
//! | what | how many | bytes in memory or Redis | bytes in a file of 4 GiB | of 64 MiB |
//! |---|---|---|---|---|
//! | logins, wishes, codes, each | `session.maximum_pending` | 128 MiB | 83 MiB | 672 KiB |
//! | forms | 10,000 | 128 MiB | 128 MiB | 2.6 MiB |
//!
//! Each record counts for 512 bytes more than it has. `brama check` says what holds for a configuration,
//! and warns where a file has room for fewer than `session.maximum_pending`. Each process shares out what
//! it put itself: replicas at one Redis have room for as much each, and after a restart what was put
//! before counts for nobody until it expires, twenty minutes later at the most.
//!
//! # When the node is away, or slow
//!
//! **Away.** `node.outage = true`, with a reload: whoever must sign in, or more surely, gets 503 with
//! `Retry-After` (`node.outage_retry_after`) and a page, programs get JSON. `node.outage_message` has
//! the words for the page in Polish (`pl`) and English (`en`); they are text, not HTML, and can stand
//! there before they are needed. Public places do not notice, nor does whoever is signed in. Logins
//! that are under way may still finish, and citizens may sign out.
//!
//! **Slow.** `node.max_concurrent` exchanges are under way, `node.max_waiting` more wait, each for
//! `node.waiting_timeout` at most. Whoever comes then, or waited too long, gets 503 with `Retry-After`
//! (`login.node_busy`). Nothing is spent: the button on the page, and a reload, finish the same login.
//!
//! # Ports
//!
//! | port | what is there |
//! |---|---|
//! | `listen.http`, `listen.https`, `listen.unix` | citizens |
//! | `listen.redirect` | citizens who forgot the `s`: they are sent to https |
//! | `operations.listen` (`127.0.0.1:9480`) | `/healthz`, `/startupz`, `/readyz`, `/metrics` |
//!
//! `/healthz` and `/startupz` say that the process answers. `/readyz` says 200, and 503 from the
//! moment it is told to stop; while the session store is away it says so and stays 200. `/metrics` has
//! the numbers ([`super::metrics`]). None of them asks the node or the portal: a node that is away must
//! not take the portal down.
//!
//! # Behind a balancer
//!
//! A balancer that passes connections on unread hides the client's address, unless it says it by
//! the PROXY protocol (version 1 or 2; HAProxy `send-proxy-v2`, nginx `proxy_protocol on`, the load
//! balancers of clouds). List its networks in `listen.proxy_protocol_from`. From then on each
//! connection from there must begin with the header, health checks of the ports for citizens too,
//! or it is closed. Connections from elsewhere must not: there the header is a malformed request.
//!
//! A proxy that ends TLS says the address in `X-Forwarded-For` or `Forwarded`: list it in
//! `listen.trusted_proxies`, and have it clear what it does not write ("Proxies in front" below). Both lists are empty by default, and both should hold the proxies
//! and nobody else. Connections from listed networks are not counted by
//! `listen.max_connections_per_address`.
//!
//! # systemd
//!
//! `deploy/systemd` has a unit with a tight sandbox, and sockets for it. The program says when it is
//! ready and when it stops (`Type=notify`).
//!
//! Sockets that systemd passes are used in place of the addresses of the configuration. Their
//! `FileDescriptorName=` is the name of the key: `http`, `https`, `unix`, `redirect`, `operations`.
//! The key must be there all the same, since it says what is done on the socket. A socket under
//! another name is passed over with a warning. With sockets from systemd the program needs no right
//! to bind port 443, and a restart refuses nobody: connections wait in the socket meanwhile.
//!
//! # Workers
//!
//! There is a worker for each core that the process may use (affinity and the quota of its cgroup
//! are heeded), or as many as `listen.workers` says. Each has its own sockets (`SO_REUSEPORT`) and its
//! own connections to upstreams. Idle connections to upstreams are therefore kept once for each
//! worker: `max_idle_connections` counts for one.
//!
//! # A new configuration
//!
//! `SIGHUP` (`systemctl reload`), or a change of the file, which is looked at every two seconds. The
//! new configuration is applied whole, from the next request on, or not at all, and the log says why
//! (`the new configuration is wrong, so the old one stays`, with each problem; `the old configuration
//! stays`, with the keys). Requests that are under way end as they began, unless they last and
//! would not pass any more ([`super::protocols`]). Sessions, logins under way
//! (which their browsers have) and connections to upstreams that did not change are kept.
//!
//! What needs a new process: everything in `[listen]` but `hsts`, `trusted_proxies` and `trusted_for`;
//! everything in `[session]` but `keep_forms`; `[store]`, `[operations]` and `[log]`; `portal.public_url`,
//! `portal.state_directory`, `identity.key_rotation` and `identity.pairwise_secret_file`. A reload that
//! changes such a key, or what is in the file of the pairwise secret, is refused and names it.
//!
//! # A new version
//!
//! Put the new program in the place of the old one and send `SIGUSR2`. The old process starts it with
//! the same arguments and passes its listening sockets on. When the new one is ready, the old one
//! leaves: it accepts nothing more, ends its connections with the answers that they wait for, and is
//! gone after `listen.drain_timeout` at the latest. If the new one ends or is not ready within a
//! minute, the old one goes on, and the log says why. No connection is refused in between. Sessions
//! go on unless they are kept in memory. systemd is told of the new main process; the unit needs
//! `NotifyAccess=all`.
//!
//! # Stopping
//!
//! SIGTERM or SIGINT. First the gateway takes leave for `listen.drain_delay` (none by default):
//! `/readyz` says 503, connections end with their next answer, and new ones are still served, so that
//! a balancer can notice. In Kubernetes give it some seconds more than the readiness probe needs.
//! Then it accepts nothing more (whoever is in the queue already is served), idle connections close,
//! running requests get `listen.drain_timeout`, and clients of WebSockets are told that we go (close
//! code 1001). The operations port stops last. A second signal ends the process at once.
//!
//! At the end of a socket that nobody else has, the kernel takes no new connections for some
//! milliseconds and then refuses them. So nobody is connected who is not served. Who tries in between
//! tries again after a second, as TCP does, unless a balancer gives up sooner (`proxy_connect_timeout`)
//! and asks another replica. Sockets of systemd stay open, and their queue waits for the next process.
//! Several replicas are restarted as [`super::replicas`] says.
//!
//! # Logs
//!
//! Standard output; one JSON object a line, or text with `log.format = "text"`. Lines worth
//! knowing:
//!
//! | `message` | level | fields |
//! |---|---|---|
//! | `request refused` | warn | `reason`, `request`, `status`, `detail` |
//! | `login begun` | info | `request`, `assurance` |
//! | `citizen signed in` | info | `request`, `session`, `assurance` |
//! | `citizen signed out` | info | `request`, `outcome` |
//! | `node did not confirm the logout` | warn | `request`, `reason` |
//! | `signing keys of identities changed` | info | |
//! | `server ejected` | warn | `upstream`, `server`, `reason`, `for_time` |
//! | `server down` | warn | `upstream`, `server`, `reason`: what the health check met |
//! | `server up` | info | `upstream`, `server`, `reason`: health checks, or a request that tried it |
//! | `server joined`, `server left` | info | `upstream`, `server`: a name has another address |
//! | `name of a server cannot be resolved` | warn | `upstream`, `host`, `error` |
//! | `gateway started`, `gateway stopped` | info | addresses |
//! | `session store is away: …` | warn | `reason`; see [`super::sessions`] |
//! | `session store is back` | info | |
//! | `new certificate is in use` | info | `certificate` (its file), `not_after` |
//! | `new certificate cannot be used, the old one stays` | warn | `certificate`, `error` |
//!
//! `request` is the number that a citizen reads on an error page, so support can find the line. It
//! goes to the portal as `X-Request-Id` too. `session` is the public name of a session, the `sid`
//! claim of its tokens. No line holds a name, a PESEL, a token or a key. A path may hold what the
//! portal puts into it.
//!
//! # The access log
//!
//! One line for each request, on standard output or in `log.access_file`: JSON (`log.access =
//! "json"`, the default), the combined format of web servers, or none. It is written when the
//! request has ended, within a tenth of a second. The fields of a JSON line:
//!
//! | field | what it is |
//! |---|---|
//! | `timestamp` | when the request came, in UTC |
//! | `request` | its number, as on error pages and in `X-Request-Id` |
//! | `client` | the address of the browser, see `log.access_addresses` |
//! | `method`, `host`, `path`, `protocol`, `tls` | what was asked for, and how; `tls` is that of the browser |
//! | `query` | only with `log.access_query` |
//! | `status` | of the answer |
//! | `received`, `sent` | bytes of the bodies |
//! | `microseconds` | until the last byte was handed over |
//! | `connect`, `first_byte` | microseconds of the upstream: to connect, when that was needed; until the head of its answer |
//! | `upstream`, `route` | the server that answered, and the path of the route |
//! | `reason` | the reason code, when it was refused |
//!
//! **Personal data.** No line says who was signed in, not even by a pseudonym. Addresses lose their
//! last part by default, because an address is personal data and statistics do not need it; an
//! obligation to keep whole ones (`"full"`) comes with one to delete them in time. Queries are left
//! out, also those in `Referer`.
//!
//! **When it cannot keep up.** Requests never wait for it. Up to 8 MiB of lines wait in memory;
//! further ones are dropped, and a warning in the log says how many. When the disk is full, lines
//! are lost and the log says so once.
//!
//! **Rotation.** Move the file away and send SIGUSR1; lines go on into a new one.
//!
//! # Routes
//!
//! A route says who may go somewhere ([`super::policy`]) and then what happens: the request goes on
//! to an `upstream`, is redirected (`[route.redirect]`), or gets a fixed answer (`[route.respond]`).
//! The last two happen only to who may pass, so a public redirect needs `access = "public"`.
//!
//! - **Paths.** `strip_prefix` takes a beginning of the route's path away, segment by segment, and
//!   `add_prefix` puts one before the rest. The portal learns of the first by `X-Forwarded-Prefix`;
//!   `Location` and links in its pages are its own to write.
//! - **Redirects** lead to a host of the configuration or to that of the request, which has routes.
//!   `check` refuses a target that a client could turn elsewhere. `{host}` is the name of the host, with
//!   the port of `portal.public_url` or `portal.other_urls` where the scheme is the same; the port that
//!   a client wrote in `Host` goes nowhere.
//! - **Headers.** `[route.request_headers]` and `[route.response_headers]` remove, set and add.
//!   `check` refuses rules for identity headers, cookies, `Host` and what frames a message. They
//!   hold for what passes through and what the route answers, not for the gateway's own pages.
//! - **Work on the portal.** `maintenance = true` on a route, or on `[portal]` for all: citizens see
//!   a page in their language with 503, programs get JSON, both with `Retry-After`. The gateway's
//!   own places go on. Who comes from `portal.maintenance_allow` passes, by the usual rules.
//!
//! # Proxies in front
//!
//! By default nobody is believed: `Forwarded`, `X-Forwarded-*`, `X-Real-IP` and their like are taken
//! away, and upstreams learn the address of the connection. When another proxy stands in front,
//! name its networks in `listen.trusted_proxies`: then the client is the last address of the chain
//! that is not in them, and the scheme is taken from it. Name no network from which clients come as
//! well. Such a proxy must replace what its client says; two values that differ are refused
//! (`request.forwarded_conflict`).
//!
//! **For what it is believed.** `listen.trusted_for` names it; what it does not name is not read:
//!
//! | `trusted_for` | headers | by default |
//! |---|---|---|
//! | `"address"` | `X-Forwarded-For`, `for=` of `Forwarded` | believed |
//! | `"scheme"` | `X-Forwarded-Proto`, `proto=` of `Forwarded` | believed |
//! | `"host"` | `X-Forwarded-Host`, `host=` of `Forwarded` | not |
//! | `"request_id"` | `X-Request-Id`, when it is of at most 64 harmless letters | not |
//!
//! The host decides which routes hold. A proxy with two hosts, of which it lets a client reach only
//! one (client certificates, lists of addresses), decided by `Host`; believed for an
//! `X-Forwarded-Host` that it passes on as it came, it has the client choose the other one after all.
//! So `"host"` is for a proxy that changes `Host`, and writes `X-Forwarded-Host` on every request.
//!
//! **Of two kinds of headers** `X-Forwarded-*` is taken when one of its believed headers is there, and
//! `Forwarded` when none is. One does not complete the other: what `Forwarded` says beside
//! `X-Forwarded-*` of the address, the scheme and a believed host must be what is taken anyway, and
//! else the request is refused. In `Forwarded` the element counts that was written of the client, by
//! the proxy that saw it: the last one whose `for=` is not a listed proxy.
//!
//! **Have it clear the rest.** Most proxies write a few of these headers and pass the others on as their
//! client wrote them, which cannot be told apart from the proxy's own. A `Forwarded` that is passed on
//! contradicts `X-Forwarded-For`, so that an honest client behind a proxy of its own cannot come in. In
//! nginx:
//!
//! ```text
//! proxy_set_header Host              $host;
//! proxy_set_header X-Forwarded-For   $remote_addr;
//! proxy_set_header X-Forwarded-Proto $scheme;
//! proxy_set_header X-Forwarded-Host  "";
//! proxy_set_header Forwarded         "";
//! proxy_set_header X-Request-Id      "";
//! ```
//!
//! `$host` is the host by which nginx chose the `server` block; `$http_host` is what the client wrote
//! in `Host`, and that is another one when the request line names a host
//! (`GET http://open.example/ HTTP/1.1`). On another port than 443 write `$host:8443`. Behind
//! a further listed proxy `X-Forwarded-For` is `$proxy_add_x_forwarded_for`. In HAProxy:
//!
//! ```text
//! http-request set-header X-Forwarded-For   %[src]
//! http-request set-header X-Forwarded-Proto https
//! http-request del-header X-Forwarded-Host
//! http-request del-header Forwarded
//! http-request del-header X-Request-Id
//! ```
//!
//! HAProxy refuses a request that names two hosts. In Apache, which writes `X-Forwarded-For` and
//! `X-Forwarded-Host` itself and passes on the host that it decided by:
//!
//! ```text
//! ProxyPreserveHost On
//! RequestHeader set   X-Forwarded-Proto https
//! RequestHeader unset X-Forwarded-For
//! RequestHeader unset X-Forwarded-Host
//! RequestHeader unset Forwarded
//! RequestHeader unset X-Request-Id
//! ```
//!
//! A proxy that writes `Forwarded` itself clears all of `X-Forwarded-*` instead.
//!
//! Upstreams get `X-Forwarded-For` (the client, then the trusted proxies), `-Proto`, `-Host`, and
//! with `portal.send_forwarded` the `Forwarded` of RFC 7239 too. It is off by default, because a
//! backend that reads both has two things to trust.

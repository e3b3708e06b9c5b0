//! The checks, each with its stable name: what a program that reads the report goes by, and what
//! `docs/doctor.md` lists.

macro_rules! checks {
    ($($variant:ident $group:ident $id:literal $looks:literal;)*) => {
        /// A check, in the order in which they are reported.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check {
            $(#[doc = $looks] $variant,)*
        }

        impl Check {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the stable name.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// Returns the group that it belongs to.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group,)* }
            }

            /// Returns what it looks at.
            #[must_use]
            pub fn looks_at(self) -> &'static str {
                match self { $(Self::$variant => $looks,)* }
            }
        }
    };
}

/// What a check is about; names begin with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Group {
    /// The configuration file.
    Config,
    /// Files and folders: rights, owners, room.
    Files,
    /// Keys and certificates: when they end.
    Keys,
    /// The clock of this machine.
    Clock,
    /// The national node.
    Node,
    /// The gateway that runs here.
    Gateway,
    /// The portal as citizens reach it.
    Public,
    /// What proxies in front say of citizens.
    Front,
    /// The servers behind.
    Upstream,
    /// What the backends behind believe.
    Backend,
    /// Where sessions are kept.
    Store,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Config,
        Self::Files,
        Self::Keys,
        Self::Clock,
        Self::Node,
        Self::Gateway,
        Self::Public,
        Self::Front,
        Self::Upstream,
        Self::Backend,
        Self::Store,
    ];
}

checks! {
    ConfigFile Config "config.file" "the configuration file is there, can be read, and is TOML";
    ConfigUsable Config "config.usable" "a gateway would start with it";
    ConfigWarnings Config "config.warnings" "nothing in it is unwise";
    FilesReadable Files "files.readable" "every file that it names is there and can be read";
    FilesModes Files "files.modes" "no other user can read a secret, or write to what is believed";
    FilesOwner Files "files.owner" "what is in the state folder has the owner of the folder";
    FilesSpace Files "files.space" "there is room where files are written";
    KeysSigning Keys "keys.signing" "the certificate that the node knows our signatures by holds";
    KeysClient Keys "keys.client" "the certificate that we show to the node in TLS holds";
    KeysNode Keys "keys.node" "a pinned certificate of the node holds";
    KeysPublic Keys "keys.public" "the certificates for citizens hold, and are for the hosts of the portal";
    ClockNode Clock "clock.node" "this machine and the node have the same time";
    NodeDns Node "node.dns" "the name of the node has addresses";
    NodeTcp Node "node.tcp" "each address of the node, of IPv4 and IPv6, takes connections";
    NodeTls Node "node.tls" "the certificate of the node's server is of an authority that we know";
    NodeClient Node "node.client" "the node takes our client certificate";
    NodeSoap Node "node.soap" "the node's SOAP service answers";
    NodeRequest Node "node.request" "the node takes a request that we signed: an ArtifactResolve of an invented artifact, answered by nothing";
    NodeSignature Node "node.signature" "its answer is signed by a pinned certificate";
    NodeIssuer Node "node.issuer" "its answer is of the issuer that is configured";
    NodeLogout Node "node.logout" "there is something at the address for sign-out";
    NodeSso Node "node.sso" "the page at which citizens sign in answers, seen from here";
    GatewayRunning Gateway "gateway.running" "a gateway of this configuration runs and is ready";
    GatewayStore Gateway "gateway.store" "it reaches its store";
    GatewayKeys Gateway "gateway.keys" "it keeps the keys of identities";
    GatewayConfiguration Gateway "gateway.configuration" "it took its last configuration";
    GatewayToken Gateway "gateway.token" "it knows the tokens of all operators that are configured";
    PublicDns Public "public.dns" "the public name has addresses";
    PublicTcp Public "public.tcp" "each of them takes connections";
    PublicTls Public "public.tls" "browsers would trust the certificate there";
    PublicRedirect Public "public.redirect" "plain HTTP leads to https";
    PublicGateway Public "public.gateway" "the gateway answers there";
    PublicKeys Public "public.keys" "it is the gateway that runs here, or a replica: its keys are the same";
    PublicAcs Public "public.acs" "a form reaches the registered assertion consumer service";
    PublicLogin Public "public.login" "a login begins there, with the request that is configured";
    PublicCookies Public "public.cookies" "the cookies of a login arrive as they were set";
    PublicHeaders Public "public.headers" "what protects our pages arrives with them";
    FrontSeen Front "front.seen" "a request to the public address arrives at this gateway";
    FrontScheme Front "front.scheme" "the gateway sees that browsers speak TLS, or that they do not";
    FrontHost Front "front.host" "the gateway sees the public host";
    FrontClient Front "front.client" "the gateway sees each client's own address";
    FrontForged Front "front.forged" "a client cannot say that it comes from elsewhere";
    FrontIdentity Front "front.identity" "a client cannot say who it is";
    FrontTarget Front "front.target" "path and query arrive as they were sent";
    FrontCookies Front "front.cookies" "cookies of ours arrive";
    UpstreamDns Upstream "upstream.dns" "the name of a server behind has addresses";
    UpstreamTcp Upstream "upstream.tcp" "it takes connections";
    UpstreamTls Upstream "upstream.tls" "its certificate is of an authority that we know";
    UpstreamAnswers Upstream "upstream.answers" "it answers, well where its health is asked for";
    BackendOpen Backend "backend.open" "a page that needs a citizen is refused to a request without an identity";
    BackendForged Backend "backend.forged" "and to a token that a stranger signed";
    BackendExpired Backend "backend.expired" "and to one that is over";
    BackendHeaders Backend "backend.headers" "and to names in plain headers that nothing proves";
    StoreFile Store "store.file" "the file of sessions is one, and can be used";
    StoreDns Store "store.dns" "the names of the servers of Redis have addresses";
    StoreTcp Store "store.tcp" "they take connections";
    StoreRedis Store "store.redis" "they take our password, and records";
    StorePolicy Store "store.policy" "they throw nothing away";
    StoreSecret Store "store.secret" "replicas have the secret of records in common";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::ValueEnum;

    use super::*;

    #[test]
    fn names_are_their_own_and_begin_with_their_group() {
        let names: BTreeSet<_> = Check::ALL.iter().map(|check| check.id()).collect();
        assert_eq!(names.len(), Check::ALL.len());
        for check in Check::ALL {
            let group = check.group().to_possible_value().unwrap();
            assert!(check.id().starts_with(&format!("{}.", group.get_name())), "{}", check.id());
        }
        assert!(Group::ALL.iter().all(|group| Group::value_variants().contains(group)));
        assert_eq!(Group::ALL.len(), Group::value_variants().len());
    }
}

//! TLS that is right, or wrong as it was set.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};

use super::present::Front;
use super::tls_fault::TlsFault;
use crate::server::tls::{Error, provider, read_chain, read_key, root_store};
use crate::simulator::kit::{Kit, Pair, Role, WrongTls};
use crate::simulator::settings::MutualTls;
use crate::xml::keys::pem;

/// Makes the settings of the SOAP listener; nothing when it speaks no TLS.
pub(in crate::simulator) fn server(
    kit: &Kit,
    wrong: &WrongTls,
    mutual_tls: MutualTls,
    front: &Arc<Front>,
) -> Result<Option<Arc<ServerConfig>>, Error> {
    if mutual_tls == MutualTls::Off {
        return Ok(None);
    }
    let clients = Clients {
        front: Arc::clone(front),
        right: verifier(kit.pair(Role::Authority).certificate_pem().as_bytes(), mutual_tls)?,
        wrong: verifier(pem("CERTIFICATE", wrong.authority.der()).as_bytes(), MutualTls::Required)?,
    };
    let keys = Keys {
        front: Arc::clone(front),
        right: key(kit.pair(Role::NodeTls))?,
        wrong: WrongKeys::new(wrong)?,
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(clients))
        .with_cert_resolver(Arc::new(keys));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A session that is resumed shows no certificate.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Some(Arc::new(config)))
}

fn verifier(authority: &[u8], mutual_tls: MutualTls) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let roots = Arc::new(root_store(&read_chain(authority)?)?);
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    if mutual_tls == MutualTls::Optional {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(|error| Error::ClientVerifier(error.to_string()))
}

fn key(pair: &Pair) -> Result<Arc<CertifiedKey>, Error> {
    let chain = read_chain(pair.certificate_pem().as_bytes())?;
    let key = read_key(pair.key_pem().expose().as_bytes())?;
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &provider())?))
}

/// What is shown when something is wrong.
#[derive(Debug)]
struct WrongKeys {
    expired: Arc<CertifiedKey>,
    wrong_name: Arc<CertifiedKey>,
    wrong_authority: Arc<CertifiedKey>,
    self_signed: Arc<CertifiedKey>,
}

impl WrongKeys {
    fn new(wrong: &WrongTls) -> Result<Self, Error> {
        Ok(Self {
            expired: key(&wrong.expired)?,
            wrong_name: key(&wrong.wrong_name)?,
            wrong_authority: key(&wrong.wrong_authority)?,
            self_signed: key(&wrong.self_signed)?,
        })
    }
}

/// Chooses the certificate of a handshake.
struct Keys {
    front: Arc<Front>,
    right: Arc<CertifiedKey>,
    wrong: WrongKeys,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl ResolvesServerCert for Keys {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = match self.front.tls() {
            Some(TlsFault::Expired) => &self.wrong.expired,
            Some(TlsFault::WrongName) => &self.wrong.wrong_name,
            Some(TlsFault::WrongAuthority) => &self.wrong.wrong_authority,
            Some(TlsFault::SelfSigned) => &self.wrong.self_signed,
            _ => &self.right,
        };
        Some(Arc::clone(key))
    }
}

/// Checks client certificates, against an authority that issued none when that is set.
struct Clients {
    front: Arc<Front>,
    right: Arc<dyn ClientCertVerifier>,
    wrong: Arc<dyn ClientCertVerifier>,
}

impl Clients {
    fn present(&self) -> &dyn ClientCertVerifier {
        let is_wrong = self.front.tls() == Some(TlsFault::ClientCertificate);
        if is_wrong { &*self.wrong } else { &*self.right }
    }
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clients")
    }
}

impl ClientCertVerifier for Clients {
    fn client_auth_mandatory(&self) -> bool {
        self.present().client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.present().root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.present().verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.right.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.right.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.right.supported_verify_schemes()
    }
}

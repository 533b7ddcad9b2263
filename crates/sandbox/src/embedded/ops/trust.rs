//! Whom a script's TLS connection trusts, and why it does not, in OpenSSL's words: drivers and
//! scripts look at the codes.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::der::is_self_issued;

/// Why a certificate was not trusted.
#[derive(Clone, Debug)]
pub struct Distrust {
    /// `CERT_HAS_EXPIRED` and the like.
    pub code: &'static str,
    /// OpenSSL's sentence.
    pub message: String,
}

/// Checks a server's certificate as one connection's options want it.
#[derive(Debug)]
pub struct Judge {
    pub provider: Arc<CryptoProvider>,
    pub roots: Arc<RootCertStore>,
    /// Certificates that a script gave: one of them may be the server's own.
    pub given: Vec<CertificateDer<'static>>,
    /// Whether an untrusted server ends the handshake.
    pub is_strict: bool,
    /// Whether the name counts.
    pub checks_name: bool,
    /// The verdict, kept for whoever asks afterwards.
    pub verdict: Arc<Mutex<Option<Distrust>>>,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Err(error) = self.verify(leaf, intermediates, name, now) {
            let distrust = explain(&error, leaf, intermediates, name);
            *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(distrust);
            if self.is_strict {
                return Err(error);
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl Judge {
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(leaf)?;
        // A certificate that is trusted as it is needs no issuer.
        if !self.given.iter().any(|given| given == leaf) {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &self.roots,
                intermediates,
                now,
                self.provider.signature_verification_algorithms.all,
            )?;
        }
        if self.checks_name {
            verify_server_name(&parsed, name)?;
        }
        Ok(())
    }
}

fn explain(
    error: &Error,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    name: &ServerName<'_>,
) -> Distrust {
    use CertificateError as Bad;
    let (code, message) = match error {
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            ("CERT_HAS_EXPIRED", "certificate has expired")
        }
        Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            ("CERT_NOT_YET_VALID", "certificate is not yet valid")
        }
        Error::InvalidCertificate(Bad::Revoked) => ("CERT_REVOKED", "certificate revoked"),
        Error::InvalidCertificate(Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. }) => {
            ("INVALID_PURPOSE", "unsuitable certificate purpose")
        }
        Error::InvalidCertificate(Bad::BadSignature) => {
            ("CERT_SIGNATURE_FAILURE", "certificate signature failure")
        }
        Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            let host = name.to_str();
            let presented = altnames(error);
            return Distrust {
                code: "ERR_TLS_CERT_ALTNAME_INVALID",
                message: format!(
                    "Hostname/IP does not match certificate's altnames: Host: {host}. is not in the cert's altnames: {presented}"
                ),
            };
        }
        _ => untrusted(leaf, intermediates),
    };
    Distrust {
        code,
        message: message.to_owned(),
    }
}

fn altnames(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented, ..
        }) => {
            let names = presented.iter().map(|name| {
                // rustls writes them as `DnsName("db.example")` and `IpAddress(10.0.0.1)`.
                let bare = name.trim_end_matches(')').trim_start_matches("DnsName(");
                match bare.strip_prefix("IpAddress(") {
                    Some(address) => format!("IP Address:{address}"),
                    None => format!("DNS:{}", bare.trim_matches('"')),
                }
            });
            names.collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

/// What OpenSSL says of a chain that ends nowhere.
fn untrusted(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> (&'static str, &'static str) {
    if is_self_issued(leaf) {
        return ("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate");
    }
    if intermediates.iter().any(|issuer| is_self_issued(issuer)) {
        return (
            "SELF_SIGNED_CERT_IN_CHAIN",
            "self-signed certificate in certificate chain",
        );
    }
    if intermediates.is_empty() {
        return (
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "unable to verify the first certificate",
        );
    }
    (
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        "unable to get local issuer certificate",
    )
}

//! The facade: its keys, its certificate, its address.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::certificate::validity;
use super::check::Check;
use crate::config::{Config, FacadeConfig, TlsConfig};
use crate::net::tls::server_config;
use crate::object::Timestamp;

/// Certificates are renewed weeks before they expire where somebody cares for them.
const EXPIRY_WARNING_DAYS: i64 = 14;
const DAY_SECONDS: i64 = 86_400;

/// Looks at everything that `serve` will need on this machine.
pub fn check(config: &Config, facade: &FacadeConfig) -> Vec<Check> {
    let mut checks = vec![keys(config, facade)];
    if let Some(tls) = &facade.tls {
        checks.push(certificate(tls));
    }
    checks.push(address("facade/address", facade.listen, "[facade]"));
    checks.push(address("admin/address", config.admin.listen, "[admin]"));
    checks
}

fn keys(config: &Config, facade: &FacadeConfig) -> Check {
    let name = "facade/keys";
    let reaches = |bucket| facade.keys.iter().any(|key| key.reaches(bucket));
    let unused: Vec<_> = config.buckets.iter().map(|bucket| &bucket.name).filter(|bucket| !reaches(bucket)).collect();
    let names: Vec<_> = unused.iter().map(|bucket| bucket.as_str()).collect();
    if names.is_empty() {
        return Check::ok(name, format!("{} keys, and each bucket can be used with one", facade.keys.len()));
    }
    Check::warning(
        name,
        format!("no key may use {}", names.join(", ")),
        "Name these buckets in a [[facade.key]], or leave them out of the configuration.",
    )
}

fn certificate(tls: &TlsConfig) -> Check {
    let name = "facade/certificate";
    if let Err(error) = server_config(&tls.certificate.path, &tls.key.path) {
        return Check::problem(
            name,
            error.to_string(),
            "Give [facade.tls] a certificate chain and the private key that belongs to it, both as PEM.",
        );
    }
    let first = CertificateDer::pem_file_iter(&tls.certificate.path).ok().and_then(|mut all| all.next()?.ok());
    let Some((from, until)) = first.and_then(|der| validity(&der)) else {
        return Check::warning(
            name,
            "it does not tell its validity",
            "Look at it with openssl x509 -dates -in <certificate>",
        );
    };
    judge(name, from, until, Timestamp::now())
}

fn judge(name: &str, from: Timestamp, until: Timestamp, now: Timestamp) -> Check {
    let days = until.seconds_since(now).div_euclid(DAY_SECONDS);
    let renew = "Renew the certificate; a running facade takes the new files over without a restart.";
    if now < from {
        let remedy = "Set the clock of this machine right, or wait until the certificate is valid.";
        return Check::problem(name, format!("valid only from {}", from.iso8601()), remedy);
    }
    match days {
        ..0 => Check::problem(name, format!("expired on {}", until.iso8601()), renew),
        0..EXPIRY_WARNING_DAYS => Check::warning(name, format!("expires in {days} days"), renew),
        _ => Check::ok(name, format!("valid for {days} days")),
    }
}

fn address(name: &str, listen: SocketAddr, section: &str) -> Check {
    match TcpListener::bind(listen) {
        Ok(_) => Check::ok(name, format!("{listen} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Check::warning(
            name,
            format!("{listen} is in use"),
            format!("If it is not a bluebucket that already serves, choose another listen in {section}."),
        ),
        Err(error) => Check::problem(
            name,
            format!("{listen} cannot be bound: {error}"),
            format!("Choose an address of this machine and a port above 1023 as listen in {section}."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Level;
    use super::*;

    #[test]
    fn certificates_by_age() {
        let now = Timestamp(1_795_413_653);
        let after = |days: i64| Timestamp(now.0 + days * DAY_SECONDS);
        for (from, until, level) in [
            (after(-10), after(90), Level::Ok),
            (after(-10), after(13), Level::Warning),
            (after(-10), after(-1), Level::Problem),
            (after(1), after(90), Level::Problem),
        ] {
            assert_eq!(judge("facade/certificate", from, until, now).result, level);
        }
    }

    #[test]
    fn an_address_in_use_is_told() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let check = address("facade/address", taken.local_addr().unwrap(), "[facade]");
        assert_eq!(check.result, Level::Warning, "{check:?}");
        let elsewhere = address("facade/address", "203.0.113.1:1".parse().unwrap(), "[facade]");
        assert_eq!(elsewhere.result, Level::Problem, "{elsewhere:?}");
    }
}

//! Starts the emulator on a port and keeps it running, for clients outside of this process.
//!
//! `cargo test --test emulator_serve -- --ignored --nocapture`, with `EMULATOR_LISTEN` (default
//! `127.0.0.1:0`); `EMULATOR_SYNTHETIC=1` for an account that keeps no content. The first line of
//! output is the endpoint, the second a token.

use std::time::Duration;

use bluebucket::emulator::{AccountConfig, DEVELOPMENT_ACCOUNT, Emulator, EmulatorConfig, STORAGE_AUDIENCE};

#[tokio::test]
#[ignore = "runs until it is stopped"]
async fn serve() {
    let address = std::env::var("EMULATOR_LISTEN").unwrap_or_else(|_| "127.0.0.1:0".to_owned());
    let first = match std::env::var("EMULATOR_SYNTHETIC") {
        Ok(_) => AccountConfig::synthetic(DEVELOPMENT_ACCOUNT, &["bluebucket-state"]),
        Err(_) => AccountConfig::memory(DEVELOPMENT_ACCOUNT),
    };
    let accounts = vec![first, AccountConfig::memory("secondaccount")];
    let emulator = Emulator::new(EmulatorConfig { accounts, event_log: false, ..EmulatorConfig::default() });
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    println!("http://{}/{DEVELOPMENT_ACCOUNT}", listener.local_addr().unwrap());
    println!("{}", emulator.mint_token(STORAGE_AUDIENCE, Duration::from_secs(86_400)));
    emulator.serve(listener, std::future::pending()).await;
}

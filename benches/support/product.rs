//! What is measured where the command line names nothing else: the product over its own emulator.

use std::path::PathBuf;

use super::arguments::Arguments;
use crate::harness::hash;
use crate::harness::percent::encode;

/// Access key of the facade's client, and name of the file with its secret.
pub const ACCESS_KEY: &str = "BENCHACCESSKEY";
pub const SECRET_KEY: &str = "benchsecretkey0123456789";

const BINARY: &str = env!("CARGO_BIN_EXE_bluebucket");
const ACCOUNT: &str = "devstoreaccount1";
/// The account key that every emulator of the Blob service knows (Azurite's documentation).
const ACCOUNT_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The command of a subcommand, of this build or of the binary `program`.
pub fn command(program: Option<&str>, arguments: &str) -> String {
    format!("{} {arguments}", program.unwrap_or(BINARY))
}

/// How the backend is started: one thread, so that it does not take the generator's core from it.
pub fn backend(storage: &str) -> String {
    command(
        None,
        &format!(
            "emulator --listen {{listen}} --threads 1 --storage {storage} --container bench --container bluebucket-state"
        ),
    )
}

/// The template that `--config-template` names, or `own`, with `{secrets}` filled in.
pub fn template(arguments: &Arguments, own: &str) -> String {
    let text = match arguments.text("config-template") {
        Some(path) => std::fs::read_to_string(path).expect("the template"),
        None => own.to_owned(),
    };
    text.replace("{secrets}", &secrets().display().to_string())
}

/// A file of a run, under `target/bench`.
pub fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).expect("the target folder");
    folder.join(name)
}

/// The secrets of all templates, as a mounted directory holds them.
fn secrets() -> PathBuf {
    let folder = file("secrets");
    std::fs::create_dir_all(&folder).expect("the target folder");
    for (name, value) in [
        ("AZURE_STORAGE_SAS_TOKEN", account_sas().as_str()),
        (ACCESS_KEY, SECRET_KEY),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ] {
        std::fs::write(folder.join(name), value).expect("the target folder");
    }
    folder
}

/// A shared access signature for the emulator's whole account (Azure, "Create an account SAS"). It
/// stands for the bearer token of a managed identity: neither costs a signature per request.
pub fn account_sas() -> String {
    const EXPIRY: &str = "2099-01-01T00:00:00Z";
    const VERSION: &str = "2023-11-03";
    let signed = format!("{ACCOUNT}\nrwdxlacuptf\nb\nsco\n\n{EXPIRY}\n\nhttps,http\n{VERSION}\n\n");
    let key = hash::unbase64(ACCOUNT_KEY).expect("base64");
    let signature = hash::base64(&hash::hmac_sha256(&key, signed.as_bytes()));
    format!(
        "sv={VERSION}&ss=b&srt=sco&sp=rwdxlacuptf&se={}&spr=https%2Chttp&sig={}",
        encode(EXPIRY.as_bytes(), b""),
        encode(signature.as_bytes(), b"")
    )
}
